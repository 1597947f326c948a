"""Choose the packages that the krew archive brings: packaging/lib.txt, with versions and hashes.

``python tools/lock.py`` resolves setup.cfg on the oldest Python that the archive is for: pip's own
``--python-version`` gives packages that this version can't install.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.pythons import OLDEST, find_python

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "packaging" / "lib.txt"
# Its wheels hold machine code, and it has none without.
FROM_SOURCE = {"pyyaml"}
HEAD = """\
# What the krew archive brings, made by `make lock` on Python {oldest}. Each hash is that of the one
# file without machine code: a wheel for any platform, or the source.
"""


def main() -> None:
    """Resolve, and write the lock."""
    with tempfile.TemporaryDirectory() as folder:
        python = _venv(Path(folder) / "venv")
        wanted = _resolve(python)
        lines = [_pin(python, requirement, Path(folder)) for requirement in wanted]
    LOCK.write_text(HEAD.format(oldest=OLDEST) + "\n".join(lines) + "\n")


def _venv(folder: Path) -> Path:
    _run(str(find_python(OLDEST)), "-m", "venv", str(folder))
    return folder / "bin" / "python"


def _resolve(python: Path) -> list[str]:
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        how = ["--dry-run", "--ignore-installed", "--quiet", "--report", report.name]
        _run(str(python), "-m", "pip", "install", "--disable-pip-version-check", *how, str(ROOT))
        found = [item["metadata"] for item in json.loads(Path(report.name).read_text())["install"]]
    names = sorted((m["name"].lower(), m["version"]) for m in found)
    return [f"{name}=={version}" for name, version in names if name != "kubectl-scratch"]


def _pin(python: Path, requirement: str, folder: Path) -> str:
    name = requirement.partition("==")[0]
    target = folder / name
    how = (
        ["--no-binary", name]
        if name in FROM_SOURCE
        else ["--only-binary", ":all:", "--platform", "any"]
    )
    where = ["--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(target)]
    _run(str(python), "-m", "pip", "download", *where, *how, requirement)
    (file,) = target.iterdir()
    hashed = _run(str(python), "-m", "pip", "hash", str(file)).splitlines()[-1].strip()
    return f"{requirement} {hashed}"


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
