"""Keep what was built in the user's cache folder, under a hash of all that it was built from."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.proc import Steps, locked

# a cold build on a slow machine, by whoever holds the lock
LOCK_TIMEOUT = 3600.0
KEEP_UNUSED_SECONDS = 7 * 86400.0
HERE = Path(__file__).resolve().parent


def folder() -> Path:
    """Return the cache folder, made if it is not there."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "kubectl-scratch" / "testbed"
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_file(name: str) -> Path:
    """Return an empty log file of this name."""
    path = folder() / "log" / f"{name}.log"
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    return path


@dataclass(frozen=True)
class Artifact:
    """Something that takes time to build: a folder of files made by `build(folder, steps)`."""

    name: str
    words: Sequence[str]
    sources: Sequence[Path]
    build: Callable[[Path, Steps], None]

    @property
    def key(self) -> str:
        """Return the hash of everything that the artifact is made from."""
        digest = hashlib.sha256()
        for word in self.words:
            digest.update(f"{word}\n".encode())
        for path in sorted(_files(self.sources)):
            digest.update(f"{path.relative_to(HERE)} {path.stat().st_mode & 0o111}\n".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def path(self) -> Path:
        """Return the folder where the artifact is once it is built."""
        return folder() / f"{self.name}-{self.key}"

    @property
    def built(self) -> bool:
        """Tell whether the artifact is there."""
        return self.path.is_dir()

    def ensure(self, steps: Steps) -> Path:
        """Return the artifact's folder, building it if it is not there."""
        path = self.path
        if not path.is_dir():
            lock = folder() / f"{self.name}.lock"
            with locked(lock, f"another testbed that builds the {self.name}", LOCK_TIMEOUT):
                # the one that held the lock may have built it
                if not path.is_dir():
                    self._build(path, steps)
        os.utime(path)
        return path

    def _build(self, path: Path, steps: Steps) -> None:
        with scratch_folder(path.parent) as partial:
            result = partial / "result"
            result.mkdir()
            self.build(result, steps)
            result.rename(path)
        for other in path.parent.glob(f"{self.name}-*"):
            if time.time() - other.stat().st_mtime > KEEP_UNUSED_SECONDS:
                shutil.rmtree(other, ignore_errors=True)


def _files(sources: Sequence[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from (path for path in source.rglob("*") if path.is_file())
        else:
            yield source


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give a folder in the cache that is gone afterwards, also one left by a killed build."""
    path = parent / f"building-{os.getpid()}-{time.monotonic_ns()}"
    for left in parent.glob("building-*"):
        if not Path("/proc", left.name.split("-")[1]).exists():
            shutil.rmtree(left, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path)
