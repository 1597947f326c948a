"""Make kubectl_scratch/toolkit/data: the seed and busybox, each for two architectures.

``python tools/seed.py`` builds seed/, and busybox of Debian's source, with the zig of the
development tools; both are kept in the user's cache. The seed is reproducible: the same bytes
wherever and whenever it is built.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from testbed.cache import Artifact  # noqa: E402
from testbed.proc import Failed, Steps, run  # noqa: E402
from tools import zig  # noqa: E402
from tools.busybox import MACHINES, busybox, digest  # noqa: E402

SOURCES = ROOT / "seed"
DATA = ROOT / "kubectl_scratch" / "toolkit" / "data"
# What make looks at.
STAMP = DATA / "made"
# The first build compiles musl, too.
BUILD_TIMEOUT = 900
FLAGS = (
    *("-std=c11", "-D_GNU_SOURCE", "-static", "-I."),
    # No -flto: it saves 6%, and zig would compile another musl than the one that busybox links.
    *("-Os", "-Xclang", "-Oz", "-fomit-frame-pointer", "-ffunction-sections", "-fdata-sections"),
    *("-fno-stack-protector", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    *("-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,norelro"),
    *("-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror"),
)


def main() -> int:
    """Make what is not made; return the exit code."""
    steps = Steps()
    try:
        DATA.mkdir(exist_ok=True)
        for artifact in (seeds(), busybox(zig.version())):
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
    sources = [f"{path.relative_to(SOURCES)} {digest(path)}" for path in files("*.[ch]")]
    return Artifact("seed", [zig.version(), *FLAGS, *sources], [], build_seeds)


def files(pattern: str) -> list[Path]:
    """Return the source files with such a name, in the order in which they are linked."""
    return sorted(SOURCES.rglob(pattern))


def build_seeds(folder: Path, _steps: Steps) -> None:
    """Build the seed for each architecture."""
    for arch in MACHINES:
        say(f"compiling for {arch}")
        compile_seed(arch, folder / f"seed-{arch}", folder.parent / "zig")


def compile_seed(arch: str, output: Path, objects: Path) -> None:
    """Compile the seed; ``objects`` is a folder for zig's."""
    target = f"{MACHINES[arch]}-linux-musl"
    sources = [path.relative_to(SOURCES) for path in files("*.c")]
    command = [zig.program(), "cc", "-target", target, *FLAGS, "-o", output, *sources]
    run(command, cwd=SOURCES, env=zig.caches(objects), timeout=BUILD_TIMEOUT)


if __name__ == "__main__":
    sys.exit(main())
