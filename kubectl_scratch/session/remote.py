"""Remote commands as pexpect spawns: the only importer of pexpect.

The rest of the code sees one kind of object, whichever transport carries it: pexpect's
interface (send, sendeof, read_nonblocking, expect, setwinsize, isalive, exitstatus, close),
and beside it what a loop between two sides needs so that neither blocks the other.
"""

from __future__ import annotations

import errno
import math
import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

import pexpect
from pexpect.spawnbase import SpawnBase

from kubectl_scratch.errors import ExitStatus
from kubectl_scratch.kube.exec_stream import STDERR, ExecStream
from kubectl_scratch.kube.exec_types import ExecOutcome

if TYPE_CHECKING:
    _Base = SpawnBase[bytes]
    _Spawn = pexpect.spawn[bytes]
else:
    _Base, _Spawn = SpawnBase, pexpect.spawn

END_OF_INPUT = b"\x04"


class RemoteCommand(Protocol):
    """A command somewhere else, of which stdin, stdout and stderr are here.

    ``takes_input`` is false where it reads our stdin by itself. ``input_id`` is what its
    stdin is in the container, empty where that is not known.
    """

    takes_input: bool
    input_id: str

    def fileno(self) -> int:
        """Return the descriptor to select on."""

    @property
    def more(self) -> bool:
        """Say whether drain() will find something though there is nothing to select on."""

    @property
    def backlog(self) -> int:
        """Return how many bytes are queued."""

    def queue(self, data: bytes) -> None:
        """Queue input; never blocks."""

    def flush(self) -> None:
        """Send what can be sent now."""

    def drain(self) -> tuple[bytes, bytes]:
        """Return what has come on stdout and stderr."""

    def ended(self) -> bool:
        """Say whether no more will come."""

    def sendeof(self) -> None:
        """Say that the input has ended."""

    def setwinsize(self, rows: int, cols: int) -> None:
        """Tell the terminal's size."""

    def keep_alive(self, now: float) -> None:
        """Notice a connection that has died, and keep one that idles."""

    def outcome(self) -> ExecOutcome:
        """Return how it ended."""

    def close(self) -> None:
        """End it."""


class WebSocketCommand(_Base):
    """A command in a container, over a WebSocket of this process."""

    takes_input = True
    PING_AFTER = 20.0
    DEAD_AFTER = 60.0

    def __init__(self, stream: ExecStream, tty: bool, input_id: str = "") -> None:
        super().__init__(timeout=30, maxread=65536)
        self.input_id = input_id
        self.delaybeforesend = None
        self.delayafterread = None
        self.child_fd = stream.fileno()
        self.closed = False
        self.name = "<exec over a websocket>"
        self._stream = stream
        self._tty = tty
        # Never: the clock's zero is no long time ago on a machine that has just booted.
        self._pinged = -math.inf
        self._unread = b""
        self._lost = ""

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._stream.fileno()

    @property
    def more(self) -> bool:
        """Say whether drain() will find something though there is nothing to select on."""
        return self._stream.more

    @property
    def backlog(self) -> int:
        """Return how many bytes are queued."""
        return self._stream.unsent

    def queue(self, data: bytes) -> None:
        """Queue input; never blocks."""
        self._stream.queue(data)

    def flush(self) -> None:
        """Send what can be sent now."""
        self._stream.flush()

    def drain(self) -> tuple[bytes, bytes]:
        """Return what has come on stdout and stderr."""
        out: list[bytes] = []
        err: list[bytes] = []
        for channel, data in self._stream.receive():
            (err if channel == STDERR else out).append(data)
        return b"".join(out), b"".join(err)

    def ended(self) -> bool:
        """Say whether no more will come."""
        return self._stream.ended

    def sendeof(self) -> None:
        """Say that the input has ended; to a terminal by its own character."""
        if self._tty:
            self._stream.queue(END_OF_INPUT)
        else:
            self._stream.close_stdin()

    def setwinsize(self, rows: int, cols: int) -> None:
        """Tell the terminal's size."""
        self._stream.resize(rows, cols)

    def keep_alive(self, now: float) -> None:
        """Ping a stream that idles; end one that has not answered for a minute.

        Proxies cut idle streams, and a laptop that slept has a dead one.
        """
        idle = now - self._stream.heard
        if idle > self.DEAD_AFTER and self._pinged > self._stream.heard:
            self._lost = f"nothing was heard of it for {idle:.0f} s"
            self._stream.close()
        elif idle > self.PING_AFTER and now - self._pinged > self.PING_AFTER:
            self._pinged = now
            self._stream.ping()

    def outcome(self) -> ExecOutcome:
        """Return how it ended."""
        found = self._stream.outcome
        if found.lost and self._lost:
            return ExecOutcome(None, f"the connection was lost: {self._lost}", lost=True)
        if found.code is None and not found.lost:
            return ExecOutcome(_code_of_refusal(found.problem), found.problem)
        return found

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """Return up to ``size`` bytes of output, as pexpect's own spawn does."""
        wait = self.timeout if timeout == -1 else timeout
        deadline = None if wait is None else time.monotonic() + wait
        while not self._unread:
            self.flush()
            self._unread, _ = self.drain()
            if self._unread or self.ended():
                break
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left < 0:
                raise pexpect.TIMEOUT("Timeout exceeded.")
            if not self.more:
                select.select([self], [self] if self.backlog else [], [], left)
        if not self._unread:
            self.flag_eof = True
            raise pexpect.EOF("End of the exec stream.")
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def send(self, s: str | bytes) -> int:
        """Send all of ``s``; return its length."""
        data = s.encode() if isinstance(s, str) else s
        self.queue(data)
        while self.backlog and not self.ended():
            select.select([], [self], [], self.timeout)
            self.flush()
        return len(data)

    def sendline(self, s: str | bytes = "") -> int:
        """Send a line."""
        data = s.encode() if isinstance(s, str) else s
        return self.send(data + b"\n")

    def isalive(self) -> bool:
        """Say whether the command may still run."""
        return not self.ended()

    def close(self) -> None:
        """End it; exitstatus is certain afterwards."""
        if not self.closed:
            self.closed = True
            self.exitstatus = self.outcome().code
            self._stream.close()


class KubectlCommand(_Spawn):
    """A command in a container, through ``kubectl exec`` as a child on a pty.

    For networks in which a WebSocket does not come through: kubectl falls back to SPDY.
    """

    def __init__(self, kubectl: str, arguments: list[str], size: tuple[int, int]) -> None:
        try:
            super().__init__(kubectl, arguments, timeout=30, maxread=65536, dimensions=size)
        except pexpect.ExceptionPexpect as error:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), kubectl) from error
        self.delaybeforesend = None
        self.delayafterread = None
        self._unsent = bytearray()
        os.set_blocking(self.child_fd, False)

    takes_input = True
    input_id = ""
    more = False

    @property
    def backlog(self) -> int:
        """Return how many bytes are queued."""
        return len(self._unsent)

    def queue(self, data: bytes) -> None:
        """Queue input; never blocks."""
        self._unsent += data

    def flush(self) -> None:
        """Send what the child's terminal takes now."""
        try:
            while self._unsent:
                sent = os.write(self.child_fd, self._unsent[:4096])
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()

    def drain(self) -> tuple[bytes, bytes]:
        """Return what has come; a pty has one stream for both."""
        got: list[bytes] = []
        try:
            while data := os.read(self.child_fd, 65536):
                got.append(data)
        except BlockingIOError:
            return b"".join(got), b""
        except OSError:
            # EIO: Linux's way to say that the other end of a pty is closed.
            pass
        self.flag_eof = True
        return b"".join(got), b""

    def ended(self) -> bool:
        """Say whether no more will come."""
        return bool(self.flag_eof)

    def keep_alive(self, now: float) -> None:
        """Do nothing: kubectl keeps its own connection."""

    def outcome(self) -> ExecOutcome:
        """Return how kubectl ended, which passes the command's code on."""
        self.close()
        if self.signalstatus is not None:
            return ExecOutcome(
                None, f"kubectl exec was ended by signal {self.signalstatus}", lost=True
            )
        return ExecOutcome(self.exitstatus)

    def close(self, force: bool = True) -> None:
        """End it."""
        if self.flag_eof and not self.closed:
            self.wait()
        super().close(force)


class KubectlPipedCommand:
    """A command in a container, through ``kubectl exec`` as a child with our own streams."""

    takes_input = False
    input_id = ""
    more = False
    backlog = 0

    def __init__(self, kubectl: str, arguments: list[str], reads: bool = True) -> None:
        # The child holds the other end for as long as it lives: selecting on ours tells its end.
        self._lifeline, held = os.pipe()
        stdin = None if reads else subprocess.DEVNULL
        self._child = subprocess.Popen([kubectl, *arguments], pass_fds=[held], stdin=stdin)
        os.close(held)

    def fileno(self) -> int:
        """Return a descriptor that is readable once kubectl has ended."""
        return self._lifeline

    def queue(self, data: bytes) -> None:
        """Do nothing: the child reads our stdin."""

    def flush(self) -> None:
        """Do nothing: the child reads our stdin."""

    def drain(self) -> tuple[bytes, bytes]:
        """Return nothing: the child writes to our stdout and stderr."""
        return b"", b""

    def ended(self) -> bool:
        """Say whether kubectl has ended."""
        return self._child.poll() is not None

    def sendeof(self) -> None:
        """Do nothing: the child reads our stdin."""

    def setwinsize(self, rows: int, cols: int) -> None:
        """Do nothing: there is no terminal."""

    def keep_alive(self, now: float) -> None:
        """Do nothing: kubectl keeps its own connection."""

    def outcome(self) -> ExecOutcome:
        """Return how kubectl ended, which passes the command's code on."""
        code = self._child.wait()
        if code == -signal.SIGPIPE:
            return ExecOutcome(ExitStatus.of_signal(signal.SIGPIPE))
        if code < 0:
            return ExecOutcome(None, f"kubectl exec was ended by signal {-code}", lost=True)
        return ExecOutcome(code)

    def close(self) -> None:
        """End it."""
        if not self.ended():
            self._child.send_signal(signal.SIGKILL)
            self._child.wait()
        os.close(self._lifeline)


def _code_of_refusal(problem: str) -> int:
    """Return the code that shells and docker give for a command that can't be run."""
    text = problem.lower()
    if "executable file not found" in text or "no such file or directory" in text:
        return ExitStatus.NOT_FOUND
    if "permission denied" in text or "exec format error" in text:
        return ExitStatus.NOT_EXECUTABLE
    return ExitStatus.FAILURE
