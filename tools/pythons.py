"""Find the Pythons of this machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

OLDEST = "3.10"


def find_python(version: str) -> Path:
    """Return the interpreter of a version, on PATH or pyenv's; raises SystemExit without one."""
    named = shutil.which(f"python{version}")
    if named is not None and "shims" not in Path(named).parts:
        return Path(named)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python{version}"), key=_number)
    if not found:
        raise SystemExit(f"Python {version} is needed: install it, for example by pyenv")
    return found[-1]


def _number(path: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", path.parents[1].name)]
