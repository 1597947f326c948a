"""Build the toolkit's busybox from Debian's source, for each architecture.

With zig's musl it is half as large as Debian's own, and everybody waits for it to arrive; and
tools/busybox.config gives it what a person looks around with.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from testbed.archive import architecture
from testbed.cache import Artifact
from testbed.proc import Failed, run
from tools import zig

HERE = Path(__file__).parent
# Over Debian's configuration of its static busybox.
CONFIG, THEIRS = HERE / "busybox.config", Path("debian/config/pkg/static")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PACKAGE = "busybox"
# The same for everybody, whatever release builds it.
SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
GPL = Path("/usr/share/common-licenses/GPL-2")
# What the linker of zig does not know, in the script that links; it is for maps and warnings.
UNKNOWN_OPTIONS = "-Wl,--warn-common -Wl,-Map,$EXE.map -Wl,--verbose"
OTHERS_FLAGS = ("CFLAGS", "CPPFLAGS", "LDFLAGS", "EXTRA_CFLAGS", "MAKEFLAGS", "MFLAGS")
APT_TIMEOUT, BUILD_TIMEOUT = 600.0, 1800.0
SETTING = re.compile(r"^(?:(CONFIG_\w+)=.*|# (CONFIG_\w+) is not set)$", re.MULTILINE)
OFFER = """\
busybox-amd64 and busybox-arm64 are built (*.lz4: and packed) from Debian's source package
    {package}, version {version}
by tools/busybox.py of kubectl-scratch, with the configuration in CONFIG.busybox, and linked
with the C library musl and the compiler's own library, as zig {zig} brings them.

busybox is under the GNU General Public License, version 2, musl and that library under the
MIT license (LICENSE.busybox has all of them). seed-amd64 and seed-arm64 are linked with
the same musl and the same library.

On Debian, with its source packages enabled:
    apt-get source {package}={version}
Debian's snapshot archive keeps every version that was ever published. tools/busybox.py and
busybox.config beside it are in kubectl-scratch's own source distribution.

For three years after each release of kubectl-scratch its makers will give
anyone who asks, through the project's issue tracker, a machine-readable copy
of all of this source, with the configuration and the script that builds it,
for no more than the cost of sending it.
"""


def busybox(zig_version: str) -> Artifact:
    """Return busybox with what its licence asks for."""
    made_from = [SUITE, PACKAGE, zig_version, *map(digest, (Path(__file__), CONFIG))]
    return Artifact("busybox", made_from, [], lambda folder, steps: build(folder, zig_version))


def digest(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(text: str) -> None:
    """Tell what happens."""
    print(f"busybox: {text}", file=sys.stderr, flush=True)


def build(folder: Path, zig_version: str) -> None:
    """Fetch the source, and compile it for each architecture."""
    require_programs()
    say("fetching Debian's source")
    description = fetch(folder.parent / "apt")
    version = field(description, "Version")
    for arch in MACHINES:
        say(f"compiling for {arch} (a minute)")
        tree = unpack(description, folder.parent / f"tree-{arch}")
        program = compile_for(arch, tree, folder.parent / "zig", version)
        shutil.copy(program, folder / f"busybox-{arch}")
        # It goes over the user's line to each session, and unpacks in milliseconds.
        (folder / f"busybox-{arch}.lz4").write_bytes(packed(program.read_bytes()))
    shutil.copy(tree / ".config", folder / "CONFIG.busybox")
    (folder / "applets").write_text(applets(folder / f"busybox-{architecture()}"))
    offer = OFFER.format(package=PACKAGE, version=version, zig=zig_version)
    (folder / "SOURCE.busybox").write_text(offer)
    compiler = zig.program().parent
    files = (
        tree / "debian" / "copyright",
        GPL,
        compiler / "lib" / "libc" / "musl" / "COPYRIGHT",
        compiler / "LICENSE",
    )
    (folder / "LICENSE.busybox").write_text("\n\n".join(path.read_text() for path in files))


def require_programs() -> None:
    """Have Debian's tools for sources there; raises Failed if there is no apt."""
    missing = [str(path) for path in (KEYRING, GPL) if not path.exists()]
    missing += [name for name in ("apt-get",) if shutil.which(name) is None]
    if missing:
        raise Failed(f"{' and '.join(missing)} missing: Debian's {PACKAGE} is fetched with them")
    run([sys.executable, HERE / "system.py", "dpkg-dev"], timeout=APT_TIMEOUT)


def fetch(folder: Path) -> Path:
    """Have apt fetch the source into a folder, beside the system's own state; return its .dsc."""
    for name in ("lists/partial", "cache/archives/partial", "got"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb-src [signed-by={KEYRING}] {mirror()} {SUITE} main\n"
    (folder / "sources.list").write_text(source)
    options = [word for option in apt_options(folder) for word in ("-o", option)]
    for words in (["update"], ["source", "--download-only", PACKAGE]):
        apt(["apt-get", "-q", *options, *words], folder / "got")
    (description,) = (folder / "got").glob("*.dsc")
    return description


def apt_options(folder: Path) -> Iterable[str]:
    """Return what makes apt stand in a folder."""
    return (
        f"Dir::State={folder}",
        f"Dir::State::status={folder / 'status'}",
        f"Dir::Cache={folder / 'cache'}",
        f"Dir::Etc::sourcelist={folder / 'sources.list'}",
        "Dir::Etc::sourceparts=-",
        # apt's own user cannot look into a cache of root's.
        "APT::Sandbox::User=root",
        "APT::Update::Error-Mode=any",
        "Acquire::Languages=none",
    )


def apt(command: list[str], folder: Path) -> None:
    """Run apt; raises Failed with its last word."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=APT_TIMEOUT, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it failed").splitlines()[0]
        raise Failed(f"Debian's {PACKAGE} can't be fetched: {said}")


def mirror() -> str:
    """Return the mirror of Debian that the system's apt has; raises Failed without one."""
    form = "$(LABEL) $(REPO_URI)"
    for line in run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    ).splitlines():
        label, _, url = line.partition(" ")
        if label == "Debian":
            return url
    raise Failed(f"apt has no source for Debian, which has {PACKAGE}")


def unpack(description: Path, tree: Path) -> Path:
    """Unpack a source package, with Debian's patches; apt has checked it."""
    run(["dpkg-source", "--no-check", "-x", description, tree], timeout=APT_TIMEOUT)
    script = tree / "scripts" / "trylink"
    text = script.read_text()
    if UNKNOWN_OPTIONS not in text:
        raise Failed(f"{PACKAGE} links otherwise than it did: look at scripts/trylink")
    script.write_text(text.replace(UNKNOWN_OPTIONS, ""))
    return tree


def compile_for(arch: str, tree: Path, objects: Path, version: str) -> Path:
    """Configure and compile busybox; return the program. ``objects`` is a folder for zig's."""
    wanted = settings(CONFIG.read_text())
    merged = settings((tree / THEIRS).read_text()) | wanted
    (tree / ".config").write_text("\n".join(merged.values()) + "\n")
    environ = {
        **zig.caches(objects),
        # Neither the day nor what somebody compiles other things with has a part in it.
        "KCONFIG_NOTIMESTAMP": "1",
        **dict.fromkeys(OTHERS_FLAGS, ""),
    }
    make = [
        "make",
        f"-j{os.cpu_count()}",
        f"CC={wrapper(tree / 'zig-cc', f'cc -w -target {MACHINES[arch]}-linux-musl')}",
        f"HOSTCC={wrapper(tree / 'zig-hostcc', 'cc -w')}",
        f"AR={wrapper(tree / 'zig-ar', 'ar')}",
        "SKIP_STRIP=y",
        "EXTRA_LDFLAGS=-s",
        # In place of a date.
        f"BB_EXTRA_VERSION=kubectl-scratch, from Debian {version}",
    ]
    # What is new to it is as its makers would have it.
    run([*make, "oldconfig"], cwd=tree, env=environ, timeout=BUILD_TIMEOUT, stdin="\n" * 10_000)
    got = settings((tree / ".config").read_text())
    strange = [line for name, line in wanted.items() if got.get(name) != line]
    if strange:
        raise Failed(f"{PACKAGE} does not take {', '.join(strange)}")
    run([*make, "busybox"], cwd=tree, env=environ, timeout=BUILD_TIMEOUT)
    return tree / "busybox"


def settings(text: str) -> dict[str, str]:
    """Return the lines of a configuration, by what they set."""
    return {found[1] or found[2]: found[0] for found in SETTING.finditer(text)}


def wrapper(path: Path, words: str) -> str:
    """Make a program of a zig command, whose path may have what make does not take; name it."""
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(str(zig.program()))} {words} "$@"\n')
    path.chmod(0o755)
    return f"./{path.name}"


def packed(data: bytes) -> bytes:
    """Return data as an LZ4 block, with its size in four bytes in front."""
    # Not there before make venv has been.
    from lz4.block import compress

    return bytes(compress(data, mode="high_compression", compression=12, store_size=True))


def applets(program: Path) -> str:
    """Return the names of the commands that a busybox has, one a line."""
    names = run([program, "--list"]).split()
    return "".join(f"{name}\n" for name in names if name != "busybox")


def field(description: Path, name: str) -> str:
    """Return a field of a source package's description."""
    found = re.search(rf"^{name}: (\S+)$", description.read_text(), re.MULTILINE)
    if found is None:
        raise Failed(f"{description.name} has no {name}")
    return found[1]
