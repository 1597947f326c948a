"""Run the real command line against a fake cluster, and check what it leaves."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pexpect

import kubectl_scratch
from kubectl_scratch.toolkit.archive import SEED
from tests.support.builders import a_pod
from tests.support.fakeapi import FakeCluster
from tests.support.fakeexec import Exec
from tests.support.fakerules import Fault, Object
from tests.support.patience import PATIENCE
from tests.support.warm import Parent

if TYPE_CHECKING:
    Terminal = pexpect.spawn[bytes]
else:
    Terminal = pexpect.spawn

PROGRAM = (sys.executable, "-m", "kubectl_scratch")
SOURCE = "mypod"
PODS, JOBS = r"/pods$", r"/jobs$"
A_CONFIG_MAP = r"/configmaps/mypod-scratch-\w{5}$"
A_COPY, A_LEASE = r"/pods/mypod-scratch-\w{5}$", r"/jobs/mypod-scratch-\w{5}$"
EPHEMERAL = r"/ephemeralcontainers$"
EXEC = r"/exec$"
REVIEWS = "/selfsubjectaccessreviews"
CONFIG_MAPS = r"/configmaps$"
PROBE, RECEIVE = ("true",), (SEED, "recv")
WANTS = (SEED, "wants")
START, ENTER = (SEED, "start", "--"), (SEED, "enter", "--")
PROMPT = rb"app:\S*[#$] "


@dataclass(frozen=True)
class Ended:
    """How a run of the command line ended."""

    code: int
    out: bytes
    err: str

    @property
    def errors(self) -> list[str]:
        """Return the lines that say why it did not work."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]

    @property
    def warnings(self) -> list[str]:
        """Return the lines that warn."""
        return [line for line in self.err.splitlines() if line.startswith("warning: ")]

    def complains(self, *wanted: str, code: int = 1, out: bytes = b"") -> None:
        """Check that it says one clear line with these words, and nothing on stdout."""
        assert (self.code, self.out) == (code, out), self
        assert len(self.errors) == 1, self
        for text in wanted:
            assert re.search(text, self.errors[0]), (text, self.errors[0])
        self.is_well_formed()

    def is_well_formed(self) -> None:
        """Check that each line of stderr is one of ours: lower-case, printable."""
        for line in self.err.splitlines():
            assert "Traceback" not in line and "this is a bug" not in line, self.err
            assert line.isprintable() and line[:1].islower(), repr(line)


@dataclass
class Cli:
    """The command line, as a user of one fake cluster has it."""

    api: FakeCluster
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    kubeconfig: Path | None = None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make a home, a place for private files, and the kubeconfig."""
        self.private = self.folder / "private"
        self.home = self.folder / "home"
        for path in (self.private, self.home):
            path.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = self.kubeconfig or self.api.kubeconfig(self.folder / "kubeconfig")
        root = str(Path(kubectl_scratch.__file__).parents[1])
        own = {"HOME": self.home, "TMPDIR": self.private, "PYTHONPATH": root}
        self.environ = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
            **{name: str(value) for name, value in own.items()},
            **self.environ,
        }

    def argv(self, *args: str) -> list[str]:
        """Return the whole command; the flag stands before a `--`."""
        at = args.index("--") if "--" in args else len(args)
        flag = ["--kubeconfig", str(self.kubeconfig)] if "KUBECONFIG" not in self.environ else []
        return [*PROGRAM, *args[:at], *flag, *args[at:]]

    def start(self, *args: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start it with pipes."""
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        how: Any = {"env": self.environ, "cwd": self.folder, **streams, **options}
        self.started.append(subprocess.Popen(self.argv(*args), **how))
        return self.started[-1]

    def stop(self) -> None:
        """End what a test that failed has left."""
        for process in self.started:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def run(self, *args: str, data: bytes = b"") -> Ended:
        """Run it with pipes until it ends, as a fork of a parent that has imported it."""
        argv = self.argv(*args)[len(PROGRAM) :]
        how = (self.environ, self.folder, data, PATIENCE)
        code, out, err = parent().run(argv, *how)
        return Ended(code, out, err.decode(errors="backslashreplace"))

    def terminal(self, *args: str, size: tuple[int, int] = (24, 80)) -> Terminal:
        """Start it on a terminal."""
        program, *rest = self.argv(*args)
        return self.on_terminal(program, *rest, size=size)

    def on_terminal(self, program: str, *args: str, size: tuple[int, int] = (24, 80)) -> Terminal:
        """Start any program on a terminal."""
        how: Any = {
            "dimensions": size,
            "timeout": PATIENCE,
            "env": self.environ,
            "cwd": str(self.folder),
        }
        child: Terminal = pexpect.spawn(program, list(args), **how)
        child.delaybeforesend = None
        return child

    def private_files(self) -> list[str]:
        """Return what is left in the folder for private files."""
        return sorted(os.listdir(self.private))


@functools.cache
def parent() -> Parent:
    """Return the parent of the runs of this process; it ends with it."""
    return Parent({"PATH": os.environ["PATH"], "TERM": "xterm"})


def finish(process: subprocess.Popen[bytes], data: bytes | None = None) -> Ended:
    """Wait for the end of a run."""
    out, err = process.communicate(data, timeout=PATIENCE)
    return Ended(process.returncode, out or b"", (err or b"").decode(errors="backslashreplace"))


def end_of(child: Terminal) -> int:
    """Wait for the end of a run on a terminal; return its exit code."""
    child.expect(pexpect.EOF)
    child.wait()
    return -int(child.signalstatus or 0) if child.exitstatus is None else child.exitstatus


def pid_of(child: Terminal) -> int:
    """Return the process of a terminal."""
    assert child.pid is not None
    return child.pid


def release(held: Fault) -> None:
    """Let a held request go on."""
    assert held.hold is not None
    held.hold.set()


def source_pod(name: str = SOURCE, **fields: Any) -> Object:
    """Return a source pod that the fake's kubelet starts."""
    pod = a_pod(name, **fields)
    if not pod["status"]:
        del pod["status"]
    return pod


def session_of(api: FakeCluster, *command: str) -> Exec:
    """Wait for the session of this command (or of the shell) and return it."""
    return api.wait_for(lambda api: sessions_of(api, *command), PATIENCE)[0]


def sessions_of(api: FakeCluster, *command: str) -> list[Exec]:
    """Return the sessions of this command (or of any) that run now, the longest one first."""
    wanted = (command, (*START, *command), (*ENTER, *command))
    open_ = [e for e in api.execs if e.command not in (PROBE, RECEIVE)]
    open_ = [e for e in open_ if e.command[:2] != WANTS]
    return [e for e in open_ if e.command in wanted or not command]


def asked_for(method: str, path: str) -> Callable[[FakeCluster], bool]:
    """Return a predicate: such a request has come."""
    return lambda api: any(r.method == method and re.search(path, r.path) for r in api.requests)


def sent(api: FakeCluster, method: str, path: str = "") -> list[Any]:
    """Return the requests of a kind, but for those that ask what would be."""
    found = [r for r in api.requests if r.method == method and re.search(path, r.path)]
    return [r for r in found if not r.query.get("dryRun") and not r.path.endswith(REVIEWS)]


def copy_of(api: FakeCluster, source: str = SOURCE) -> str:
    """Return the name of the only copy."""
    (name,) = (n for n in api.names("pods", "default") if n.startswith(f"{source}-scratch-"))
    return name


def nothing_left(api: FakeCluster, *sources: str) -> None:
    """Check that only the source pods are left."""
    assert api.names("pods", "default") == sorted(sources or [SOURCE])
    assert api.names("jobs", "default") == []
    # It goes by garbage collection, which comes when it comes.
    api.wait_for(lambda api: api.names("configmaps", "default") == [])


def kinds_made(api: FakeCluster) -> list[str]:
    """Return the resources of what was created, in that order."""
    return [change.plural for change in api.created]


def deleted_once(api: FakeCluster, but: int = 0) -> None:
    """Check that each created object was deleted once, as the one with its UID.

    The ConfigMap of the seed goes with its owner.
    """
    made = sorted(change.uid for change in api.created if change.plural != "configmaps")
    gone = sorted(change.uid for change in api.deleted)
    assert len(made) == len(gone) + but
    assert set(gone) <= set(made) and len(set(gone)) == len(gone)
    assert all(change.precondition == change.uid for change in api.deleted)


def clean(api: FakeCluster) -> None:
    """Check that whatever was created has been deleted, once, by us."""
    nothing_left(api)
    deleted_once(api)


def nothing_sent(api: FakeCluster) -> None:
    """Check that nothing was changed, or tried to be."""
    assert {r.method for r in api.requests if not r.path.endswith(REVIEWS)} <= {"GET"}
    assert api.created == [] and api.deleted == []


@contextmanager
def a_cluster(folder: Path, **options: Any) -> Iterator[Cli]:
    """Give a cluster with the source pod, and the command line for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with FakeCluster(**options) as api:
        api.add(source_pod())
        cli = Cli(api, folder)
        try:
            yield cli
        finally:
            cli.stop()


def reset_signals() -> None:
    """Undo what a caller such as nohup ignores: children would inherit it."""
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(signum) is signal.SIG_IGN:
            default = signal.default_int_handler if signum == signal.SIGINT else signal.SIG_DFL
            signal.signal(signum, default)


def line_of(stream: IO[bytes] | None) -> bytes:
    """Read one line of a pipe, or up to its end; a line that never comes fails the test."""
    assert stream is not None
    line, end = b"", time.monotonic() + PATIENCE
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(end - time.monotonic(), 0))
        assert ready, f"no line came, only {line!r}"
        # No more than the line: what reads the rest reads the descriptor.
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        line += byte
    return line


def told(process: subprocess.Popen[bytes], words: str) -> str:
    """Read stderr up to a line with these words, and return it."""
    seen = []
    while line := line_of(process.stderr).decode():
        if words in line:
            return line
        seen.append(line)
    raise AssertionError(f"{words!r} was not told: {seen}")
