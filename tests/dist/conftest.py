"""The dist tier: what `make dist` builds, installed and run, without a cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(output: Path, *name: str) -> Path:
    """Build what is published; return its folder."""
    command = [sys.executable, "tools/dist.py", *name, "--output", str(output)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return output


def unpack(archive: Path, folder: Path) -> Path:
    """Lay an archive out as krew does; return the link on PATH."""
    store = folder / "store" / "scratch" / "v0.1.0"
    store.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(store)], check=True)
    (program,) = (path for path in store.iterdir() if path.name.startswith("kubectl-"))
    link = folder / "bin" / program.name
    link.parent.mkdir()
    link.symlink_to(Path("..") / program.relative_to(folder))
    return link


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with what is published."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture
def link(built: Path, tmp_path: Path) -> Path:
    """Give the plugin as krew installs it: a link in a folder that is on PATH."""
    return unpack(built / "scratch.tar.gz", tmp_path)
