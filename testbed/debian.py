"""What the testbed takes from Debian: host packages, and the base tree of its images."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from testbed.archive import architecture
from testbed.cache import Artifact, log_file
from testbed.proc import Failed, Steps, attempt, run

APT_TIMEOUT = 900.0
BASE_PACKAGES = (
    # the node: systemd is its PID 1, and kind and kubeadm look for these programs
    *("systemd", "systemd-sysv", "dbus", "mount", "util-linux", "kmod", "libseccomp2"),
    *("conntrack", "iptables", "nftables", "ebtables", "iproute2", "ethtool", "socat"),
    *("bash", "ca-certificates", "curl", "jq", "procps"),
    *("containerd", "runc", "containernetworking-plugins"),
    # only the test images, which are cut out of the same tree
    *("busybox-static", "vim-tiny", "ncurses-base"),
)


def is_root_on_debian() -> bool:
    """Tell whether packages can be installed here."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()


def codename() -> str:
    """Return the name of the host's Debian release, which is also that of the images."""
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)
    return found.group(1) if found else "unknown"


def install(packages: Sequence[str], steps: Steps) -> None:
    """Install those of the packages that are missing."""
    missing = [package for package in packages if not _installed(package)]
    if not missing:
        return
    if not is_root_on_debian():
        raise Failed(f"needs root on Debian to install: {' '.join(missing)}")
    with steps.step(f"apt-get install {' '.join(missing)}"):
        log = log_file("apt")
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        wait = ("-o", "DPkg::Lock::Timeout=300")
        run(["apt-get", *wait, "update"], log=log, timeout=APT_TIMEOUT, env=env)
        command = ["apt-get", *wait, "install", "-y", "--no-install-recommends", *missing]
        run(command, log=log, timeout=APT_TIMEOUT, env=env)


def _installed(package: str) -> bool:
    if not shutil.which("dpkg-query"):
        return False
    status = attempt(["dpkg-query", "-W", "-f", "${db:Status-Status}", package])
    return status.returncode == 0 and status.stdout == "installed"


def base() -> Artifact:
    """Return the Debian tree that every image here is cut out of, as `base.tar`."""
    words = [codename(), architecture(), *BASE_PACKAGES]
    return Artifact("base", words, [Path(__file__)], _build_base)


def _build_base(target: Path, steps: Steps) -> None:
    install(["debootstrap"], steps)
    tree = target.parent / "tree"
    with steps.step("debootstrap: the images' Debian (about a minute)"):
        include = f"--include={','.join(BASE_PACKAGES)}"
        command = ["debootstrap", "--variant=minbase", include, codename(), tree, _mirror()]
        run(command, log=log_file("debootstrap"), timeout=APT_TIMEOUT)
        for left in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
            _empty(tree / left)
        for docs in ("doc", "man", "locale", "info", "lintian"):
            shutil.rmtree(tree / "usr/share" / docs, ignore_errors=True)
        run(["tar", "-C", tree, "--numeric-owner", "-cf", target / "base.tar", "."], timeout=300)


def unpack_base(tree: Path, steps: Steps) -> None:
    """Unpack the base tree into a new folder."""
    archive = base().ensure(steps) / "base.tar"
    tree.mkdir()
    run(["tar", "-C", tree, "--numeric-owner", "-xpf", archive], timeout=300)


def _mirror() -> str:
    """Return the mirror that the host's own apt is set up with."""
    form = "$(RELEASE) $(REPO_URI)"
    targets = run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
    for line in targets.splitlines():
        release, _, mirror = line.partition(" ")
        if release == codename():
            return mirror
    raise Failed(f"apt has no source for {codename()}: see /etc/apt/sources.list")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def chroot(tree: Path, *command: str) -> str:
    """Run a program of the tree inside it and return its stdout, whatever its exit code."""
    return attempt(["chroot", tree, *command]).stdout


def with_libraries(tree: Path, programs: Sequence[str]) -> dict[str, Path]:
    """Return programs and the libraries they load: path in an image -> file in the tree."""
    loaded = re.findall(r"(/\S+) \(0x", chroot(tree, "ldd", *programs))
    wanted = sorted({*programs, *loaded})
    # Debian's /bin and /lib are links into /usr: a file keeps its name, its folder is resolved
    folders = chroot(tree, "readlink", "-f", *(str(Path(path).parent) for path in wanted))
    files = chroot(tree, "readlink", "-f", *wanted)
    return {
        f"{folder}/{Path(path).name}".lstrip("/"): tree / file.lstrip("/")
        for path, folder, file in zip(wanted, folders.splitlines(), files.splitlines(), strict=True)
    }
