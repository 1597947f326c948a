"""The seed tier: the programs that go into pods, run here, each with a toolkit folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubectl_scratch.toolkit.archive import DATA, Entry, pack_entries
from testbed.archive import architecture
from tests.support.patience import PATIENCE
from tools.busybox import MACHINES

PATH = "/usr/bin:/bin"


def emulator(arch: str) -> tuple[str, ...]:
    """Return what runs programs of an architecture here."""
    if arch == architecture():
        return ()
    found = shutil.which(f"qemu-{MACHINES[arch]}-static")
    assert found is not None, "make seed-test installs qemu"
    return (found,)


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"it did not come: {what}"
        time.sleep(0.002)


@dataclass(frozen=True)
class Seed:
    """A seed in a folder that everybody may look into, with a toolkit beside it."""

    folder: Path
    emulator: tuple[str, ...] = ()
    inside: tuple[str, ...] = field(default=())

    @property
    def toolkit(self) -> Path:
        """Return the toolkit folder."""
        return self.folder / "toolkit"

    def command(self, *words: str) -> list[str]:
        """Return the words that run a command of the seed."""
        return [*self.inside, *self.emulator, str(self.folder / "seed"), *words]

    def environ(self, **more: str) -> dict[str, str]:
        """Return an environment with the toolkit folder in it."""
        return {"PATH": PATH, "SCRATCH_TOOLKIT": str(self.toolkit), **more}

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command of the seed to its end."""
        return subprocess.run(
            self.command(*words),
            input=stdin,
            env=environ or self.environ(),
            capture_output=True,
            timeout=PATIENCE,
            cwd="/",
            user=user,
        )

    def start(
        self,
        *words: str,
        environ: Mapping[str, str] | None = None,
        cwd: str = "/",
        user: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command of the seed."""
        return subprocess.Popen(
            self.command(*words),
            env=environ or self.environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            user=user,
        )

    def receive(self, *entries: Entry) -> None:
        """Bring files into the toolkit."""
        done = self.run("recv", stdin=pack_entries(entries))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"ok\n", b"")

    def make_ready(self) -> None:
        """Bring a tool, so that sessions don't wait."""
        self.receive(Entry("bin/a-tool", b""))

    @contextmanager
    def held(
        self,
        known_from: str,
        command: int,
        *words: str,
        environ: Mapping[str, str] | None = None,
        cwd: str = "/",
        user: int | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Hold a target with these words as long as the context lasts."""
        how = ("hold", known_from, str(command), "--", *words)
        with ended(self.start(*how, environ=environ, cwd=cwd, user=user)) as holder:
            wait_until(lambda: idles(holder.pid), "that it holds")
            yield holder


def pending(pid: int, number: int) -> bool:
    """Say whether a signal still waits for a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (mask,) = (line.split()[1] for line in lines if line.startswith("ShdPnd:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def idles(pid: int) -> bool:
    """Say whether a seed idles: before, it has taken the signals, and at last SIGCHLD."""
    with open(f"/proc/{pid}/status") as status:
        (mask,) = (line.split()[1] for line in status if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (signal.SIGCHLD - 1) & 1)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End a process at the end, if it has not ended by itself."""
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def planted(arch: str) -> Iterator[Seed]:
    """Give a seed, and an empty toolkit that any user may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(DATA / f"seed-{arch}", folder / "seed")
        (folder / "toolkit").mkdir()
        (folder / "toolkit").chmod(0o777)
        yield Seed(folder, emulator(arch))


@pytest.fixture(params=sorted(MACHINES))
def seed(request: pytest.FixtureRequest) -> Iterator[Seed]:
    """Give the seed of each architecture."""
    with planted(request.param) as seed:
        yield seed


@pytest.fixture
def native() -> Iterator[Seed]:
    """Give the seed of this machine: in /proc an emulated one is its emulator."""
    with planted(architecture()) as seed:
        yield seed


@pytest.fixture
def cell(native: Seed) -> Iterator[Callable[..., Seed]]:
    """Give what starts a first process in PID and mount namespaces of its own, as a runtime does.

    It returns the seed that runs in there, started from outside as by an exec.
    """
    assert os.geteuid() == 0, "namespaces are made by root"
    started = []

    def start(*words: str) -> Seed:
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *words]
        process = subprocess.Popen(unshare, env=native.environ(), cwd="/")
        started.append(process)
        first = children(process.pid)[0]
        ours = os.readlink("/proc/self/ns/mnt")
        wait_until(lambda: os.readlink(f"/proc/{first}/ns/mnt") != ours, "the namespace")
        wait_until(lambda: runs(first, words), "the first process")
        return Seed(native.folder, (), (runtime(native), "-t", str(first), "--pid", "--mount"))

    yield start
    for process in started:
        process.kill()
        process.wait()


def runtime(seed: Seed) -> str:
    """Return what enters namespaces, by a name by which the seed knows a runtime."""
    found = shutil.which("nsenter")
    assert found is not None
    return shutil.copy(found, str(seed.folder / "runc"))


def runs(pid: int, words: tuple[str, ...]) -> bool:
    """Say whether a process has become a program with these words."""
    return Path(f"/proc/{pid}/cmdline").read_bytes() == "".join(f"{w}\0" for w in words).encode()


def children(pid: int) -> list[int]:
    """Wait until a process has children; return them."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    wait_until(lambda: path.read_text() != "", "a child")
    return [int(word) for word in path.read_text().split()]
