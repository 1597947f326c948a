"""Make kubectl_scratch/data: the seed and Debian's static busybox, each for two architectures.

``python tools/seed.py`` builds seed/ with the zig of the development tools, and has apt fetch
busybox; both are kept in the user's cache. The seed is reproducible: the same bytes wherever and
whenever it is built.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from testbed.archive import architecture  # noqa: E402
from testbed.cache import Artifact  # noqa: E402
from testbed.proc import Failed, Steps, run  # noqa: E402

SOURCES = ROOT / "seed"
DATA = ROOT / "kubectl_scratch" / "data"
# What make looks at.
STAMP = DATA / "made"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
FLAGS = (
    # The seed is its own C library (seed/sys.c); of musl it takes the headers alone.
    *("-std=c11", "-static", "-nostdlib", "-ffreestanding"),
    *("-Os", "-Xclang", "-Oz", "-fomit-frame-pointer", "-ffunction-sections", "-fdata-sections"),
    # Over all of its files at once: that is 4% of its size.
    "-flto",
    *("-fno-stack-protector", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    *("-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,norelro"),
    *("-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror"),
)
PACKAGE = "busybox-static"
# The same for everybody, whatever release builds it.
SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LICENCES = Path("/usr/share/common-licenses")
APT_TIMEOUT = 600.0
OFFER = """\
busybox-amd64 and busybox-arm64 are the programs of Debian's package
{package}, version {version}, unchanged (*.lz4: packed).

Their complete source is Debian's source package
    {source}
under the GNU General Public License, version 2 (LICENSE.busybox), linked with
    {linked}
under the GNU Lesser General Public License, version 2.1 (there, too).

On Debian, with its source packages enabled:
    apt-get source {wanted}
Debian's snapshot archive keeps every version that was ever published.

For three years after each release of kubectl-scratch its makers will give
anyone who asks, through the project's issue tracker, a machine-readable copy
of this source, for no more than the cost of sending it.
"""


def main() -> int:
    """Make what is not made; return the exit code."""
    steps = Steps()
    try:
        DATA.mkdir(exist_ok=True)
        for artifact in (seeds(), busybox()):
            install(artifact.ensure(steps))
    except (Failed, OSError) as failure:
        say(str(failure))
        return 1
    STAMP.touch()
    return 0


def say(text: str) -> None:
    """Tell what happens."""
    print(f"seed: {text}", file=sys.stderr, flush=True)


def install(folder: Path) -> None:
    """Put files into the package, each at once: others may be reading them."""
    for path in folder.iterdir():
        partial = DATA / f".{path.name}-{os.getpid()}"
        shutil.copy(path, partial)
        partial.replace(DATA / path.name)


def seeds() -> Artifact:
    """Return the seeds, by all that they are made from."""
    sources = [f"{path.name} {digest(path)}" for path in sorted(SOURCES.iterdir())]
    return Artifact("seed", [zig_version(), *FLAGS, *sources], [], build_seeds)


def digest(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def zig_version() -> str:
    """Return the version of zig; raises Failed without one."""
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        raise Failed("ziglang is missing; make venv installs it") from None


def build_seeds(folder: Path, _steps: Steps) -> None:
    """Build the seed for each architecture."""
    for arch in MACHINES:
        say(f"compiling for {arch}")
        compile_seed(arch, folder / f"seed-{arch}", folder.parent / "zig")


def compile_seed(arch: str, output: Path, cache: Path) -> None:
    """Compile the seed; ``cache`` is a folder for zig's."""
    spec = importlib.util.find_spec("ziglang")
    assert spec is not None and spec.origin is not None
    headers = Path(spec.origin).parent / "lib" / "libc" / "include"
    target = f"{MACHINES[arch]}-linux-musl"
    folders = ("-isystem", headers / target, "-isystem", headers / "generic-musl")
    sources = sorted(path.name for path in SOURCES.glob("*.c"))
    zig = (sys.executable, "-m", "ziglang", "cc", "-target", target)
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    command = [*zig, *FLAGS, *folders, "-o", output, *sources]
    run(command, cwd=SOURCES, env=caches, timeout=300)


def busybox() -> Artifact:
    """Return busybox with what its licence asks for."""
    return Artifact("busybox", [SUITE, PACKAGE, digest(Path(__file__))], [], build_busybox)


def build_busybox(folder: Path, _steps: Steps) -> None:
    """Fetch and unpack the package for each architecture."""
    require_apt()
    for arch in MACHINES:
        say(f"fetching Debian's {PACKAGE} for {arch}")
        package, tree = fetch(arch, folder.parent / arch), folder.parent / f"tree-{arch}"
        run(["dpkg-deb", "-x", package, tree])
        program = folder / f"busybox-{arch}"
        shutil.copy(tree / "bin" / "busybox", program)
        # It goes over the user's line to each session, and unpacks in milliseconds.
        (folder / f"{program.name}.lz4").write_bytes(packed(program.read_bytes()))
    (folder / "applets").write_text(applets(folder / f"busybox-{architecture()}"))
    (folder / "SOURCE.busybox").write_text(offer(package))
    own = tree / "usr/share/doc" / PACKAGE / "copyright"
    files = (own, LICENCES / "GPL-2", LICENCES / "LGPL-2.1")
    (folder / "LICENSE.busybox").write_text("\n\n".join(path.read_text() for path in files))


def packed(data: bytes) -> bytes:
    """Return data as an LZ4 block, with its size in four bytes in front."""
    # Not there before make venv has been.
    from lz4.block import compress

    return bytes(compress(data, mode="high_compression", compression=12, store_size=True))


def require_apt() -> None:
    """Raise Failed where there is no apt that knows Debian's keys."""
    missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    missing += [str(path) for path in (KEYRING, LICENCES) if not path.exists()]
    if missing:
        raise Failed(f"{' and '.join(missing)} missing: Debian's {PACKAGE} is fetched with them")


def fetch(arch: str, folder: Path) -> Path:
    """Have apt fetch the package into a folder, beside the system's own state; return its file."""
    for name in ("lists/partial", "cache/archives/partial", "got"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n"
    (folder / "sources.list").write_text(source)
    options = [word for option in apt_options(arch, folder) for word in ("-o", option)]
    for words in (["update"], ["download", PACKAGE]):
        apt(["apt-get", "-q", *options, *words], folder / "got")
    (package,) = (folder / "got").iterdir()
    return package


def apt_options(arch: str, folder: Path) -> Iterable[str]:
    """Return what makes apt stand in a folder, on another architecture."""
    return (
        f"APT::Architecture={arch}",
        f"APT::Architectures::={arch}",
        f"Dir::State={folder}",
        f"Dir::State::status={folder / 'status'}",
        f"Dir::Cache={folder / 'cache'}",
        f"Dir::Etc::sourcelist={folder / 'sources.list'}",
        "Dir::Etc::sourceparts=-",
        # apt's own user may not look into a cache of root's.
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


def applets(program: Path) -> str:
    """Return the names of the commands that a busybox has, one a line."""
    names = run([program, "--list"]).split()
    return "".join(f"{name}\n" for name in names if name != "busybox")


def offer(package: Path) -> str:
    """Return where the source of a package is, with that of the library inside it."""
    version, source = field(package, "Version"), field(package, "Source")
    own = versions(source) or [(source, version)]
    linked = versions(field(package, "Built-Using"))
    return OFFER.format(
        package=PACKAGE,
        version=version,
        source=worded(own),
        linked=worded(linked),
        wanted=" ".join(f"{name}={number}" for name, number in own + linked),
    )


def versions(text: str) -> list[tuple[str, str]]:
    """Return the names and versions in "NAME (VERSION), NAME (= VERSION)"."""
    return re.findall(r"([^\s,]+) \((?:= )?([^)]+)\)", text)


def worded(packages: list[tuple[str, str]]) -> str:
    """Return packages as a person reads them."""
    return " and ".join(f"{name}, version {number}" for name, number in packages)


def field(package: Path, name: str) -> str:
    """Return a field of a package."""
    return run(["dpkg-deb", "-f", package, name]).strip()


if __name__ == "__main__":
    sys.exit(main())
