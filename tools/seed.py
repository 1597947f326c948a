"""Make kubectl_scratch/toolkit/data: the seed and busybox, each for two architectures.

``python tools/seed.py`` builds seed/, and busybox of Debian's source, with the zig of the
development tools; both are kept in the user's cache. The seed is reproducible: the same bytes
wherever and whenever it is built.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from testbed.cache import Artifact  # noqa: E402
from testbed.proc import Failed, Steps, run  # noqa: E402
from tools.busybox import MACHINES, busybox, digest, zig  # noqa: E402

SOURCES = ROOT / "seed"
DATA = ROOT / "kubectl_scratch" / "toolkit" / "data"
# What make looks at.
STAMP = DATA / "made"
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


def main() -> int:
    """Make what is not made; return the exit code."""
    steps = Steps()
    try:
        DATA.mkdir(exist_ok=True)
        for artifact in (seeds(), busybox(zig_version())):
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
    headers = zig().parent / "lib" / "libc" / "include"
    target = f"{MACHINES[arch]}-linux-musl"
    folders = ("-isystem", headers / target, "-isystem", headers / "generic-musl")
    sources = sorted(path.name for path in SOURCES.glob("*.c"))
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    command = [zig(), "cc", "-target", target, *FLAGS, *folders, "-o", output, *sources]
    run(command, cwd=SOURCES, env=caches, timeout=300)


if __name__ == "__main__":
    sys.exit(main())
