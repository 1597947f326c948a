"""The zig of the development tools, which compiles what goes into pods."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from testbed import cache
from testbed.proc import Failed

MISSING = "ziglang is missing; make venv installs it"


def program() -> Path:
    """Return the path of zig; raises Failed without one."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise Failed(MISSING)
    return Path(spec.origin).parent / "zig"


def version() -> str:
    """Return the version of zig; raises Failed without one."""
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        raise Failed(MISSING) from None


def caches(objects: Path) -> dict[str, str]:
    """Return the variables that name zig's caches: a folder for objects, and one for musl's.

    To compile musl takes a minute, so the user's cache keeps it for all that links it.
    """
    return {
        "ZIG_GLOBAL_CACHE_DIR": str(cache.folder() / f"zig-{version()}"),
        "ZIG_LOCAL_CACHE_DIR": str(objects),
    }
