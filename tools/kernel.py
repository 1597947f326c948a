"""Fetch Debian's kernel for arm64, which tests boot: qemu-user cannot trace."""

from __future__ import annotations

import re
import subprocess
import tarfile
from pathlib import Path

from testbed.cache import Artifact
from testbed.proc import Failed, Steps, run
from tools.busybox import APT_TIMEOUT, KEYRING, SUITE, apt_options, mirror

# A third of the usual one, and all that a virtual machine needs is in it.
NEWEST = "linux-image-cloud-arm64"
ARCHITECTURE = "arm64"


def kernel() -> Artifact:
    """Return the kernel, as `vmlinuz`."""
    return Artifact("kernel", [SUITE, NEWEST], [], build_kernel)


def build_kernel(folder: Path, steps: Steps) -> None:
    """Fetch the newest package, and take the kernel out."""
    with steps.step("apt-get download: Debian's kernel for arm64 (30 MB)"):
        take_kernel(fetch_package(folder.parent / "apt"), folder / "vmlinuz")


def fetch_package(folder: Path) -> Path:
    """Have apt fetch the package into a folder, beside the system's own state; return it."""
    for name in ("lists/partial", "cache/archives/partial", "got"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    how = f"signed-by={KEYRING} arch={ARCHITECTURE} target=Packages"
    (folder / "sources.list").write_text(f"deb [{how}] {mirror()} {SUITE} main\n")
    given = (
        *apt_options(folder),
        f"APT::Architecture={ARCHITECTURE}",
        f"APT::Architectures={ARCHITECTURE}",
    )
    options = [word for option in given for word in ("-o", option)]
    run(["apt-get", "-q", *options, "update"], timeout=APT_TIMEOUT)
    told = run(["apt-cache", *options, "depends", NEWEST], timeout=APT_TIMEOUT)
    found = re.search(r"Depends: (linux-image-\S+)", told)
    if found is None:
        raise Failed(f"{NEWEST} depends on no kernel")
    words = ["apt-get", "-q", *options, "download", found[1]]
    run(words, cwd=folder / "got", timeout=APT_TIMEOUT)
    (package,) = (folder / "got").glob("*.deb")
    return package


def take_kernel(package: Path, target: Path) -> None:
    """Write the kernel of a package into a file."""
    words = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive,
    ):
        for member in archive:
            content = archive.extractfile(member) if "/vmlinuz-" in member.name else None
            if content is not None:
                target.write_bytes(content.read())
    if not target.exists():
        raise Failed(f"{package.name} has no kernel")
