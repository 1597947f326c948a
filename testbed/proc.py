"""Run programs with a time limit and a log, show numbered steps, hold locks."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

HEARTBEAT_SECONDS = 20.0
TAIL_LINES = 25
LOCK_POLL_SECONDS = 0.2

Command = Sequence[object]


class Failed(Exception):
    """A failure that is told to the user as it is, without a traceback."""


class Steps:
    """Number the steps of a command and tell on stderr how long each takes."""

    def __init__(self) -> None:
        """Start the clock."""
        self._count = 0
        self._began = time.monotonic()

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step: its start, a sign of life now and then, its end."""
        self._count += 1
        label = f"[{self._count}] {title}"
        began = time.monotonic()
        say(f"{label} ...")
        done = threading.Event()
        beat = threading.Thread(target=_heartbeat, args=(label, began, done), daemon=True)
        beat.start()
        try:
            yield
        finally:
            done.set()
            beat.join()
        now = time.monotonic()
        say(f"{label}: done in {now - began:.1f} s ({now - self._began:.0f} s in all)")


def _heartbeat(label: str, began: float, done: threading.Event) -> None:
    while not done.wait(HEARTBEAT_SECONDS):
        say(f"{label}: still working, {time.monotonic() - began:.0f} s")


def say(text: str) -> None:
    """Tell the user something on stderr; stdout is for results."""
    print(f"testbed: {text}", file=sys.stderr, flush=True)


def run(
    command: Command,
    *,
    log: Path | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> str:
    """Run a command to its end and return its stdout; with a log, both outputs go there."""
    result = attempt(command, log=log, timeout=timeout, env=env, cwd=cwd, stdin=stdin)
    if result.returncode == 0:
        return result.stdout
    told = _tail(log) if log else (result.stderr.strip() or result.stdout.strip())
    raise Failed(f"{_short(command)}: exit code {result.returncode}\n{told}")


def attempt(
    command: Command,
    *,
    log: Path | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit code; a missing program or a time-out fails."""
    with contextlib.ExitStack() as stack:
        out = err = subprocess.PIPE
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            out = err = stack.enter_context(log.open("ab")).fileno()
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=out,
                stderr=err,
                env={**os.environ, **env} if env else None,
                cwd=cwd,
                text=True,
                # a group of its own, so that a time-out ends its children too
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise Failed(f"{command[0]}: no such program") from error
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _end_group(process)
            told = f"\n{_tail(log)}" if log else ""
            raise Failed(f"{_short(command)}: no end after {timeout:.0f} s{told}") from error
        except BaseException:
            _end_group(process)
            raise
    return subprocess.CompletedProcess(
        [str(word) for word in command], process.returncode, stdout or "", stderr or ""
    )


def _end_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _short(command: Command) -> str:
    text = " ".join(str(word) for word in command)
    return text if len(text) <= 160 else text[:157] + "..."


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([*(f"  | {line}" for line in lines), f"  the whole log: {log}"])


@contextlib.contextmanager
def locked(path: Path, reason: str, timeout: float) -> Iterator[None]:
    """Hold the lock of a file or folder; tell why when it takes waiting, and not for ever."""
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        _acquire(handle, reason, timeout)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, reason: str, timeout: float) -> None:
    end = time.monotonic() + timeout
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise Failed(f"waited {timeout:.0f} s for {reason}") from None
        if not told:
            say(f"waiting for {reason}")
            told = True
        time.sleep(LOCK_POLL_SECONDS)
