"""A command somewhere else, whichever transport carries it, and the one over a WebSocket.

It has what a loop between two sides needs so that neither blocks the other.
"""

from __future__ import annotations

import math
from typing import Protocol

from kubectl_scratch.errors import ExitStatus
from kubectl_scratch.kube.exec_stream import STDERR, ExecStream
from kubectl_scratch.kube.exec_types import ExecOutcome

END_OF_INPUT = b"\x04"


class RemoteCommand(Protocol):
    """A command somewhere else, of which stdin, stdout and stderr are here.

    ``takes_input`` is false if it reads our stdin by itself. ``input_id`` is what its
    stdin is in the container, empty if that is not known.
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


class WebSocketCommand:
    """A command in a container, over a WebSocket of this process."""

    takes_input = True
    PING_AFTER = 20.0
    DEAD_AFTER = 60.0

    def __init__(self, stream: ExecStream, tty: bool, input_id: str = "") -> None:
        self.input_id = input_id
        self._stream = stream
        self._tty = tty
        # Never: the clock's zero is no long time ago on a machine that has just booted.
        self._pinged = -math.inf
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
            self._lost = f"no answer for {idle:.0f}s"
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

    def close(self) -> None:
        """End it."""
        self._stream.close()


def _code_of_refusal(problem: str) -> int:
    """Return the code that shells and docker give for a command that cannot be run."""
    text = problem.lower()
    if "executable file not found" in text or "no such file or directory" in text:
        return ExitStatus.NOT_FOUND
    if "permission denied" in text or "exec format error" in text:
        return ExitStatus.NOT_EXECUTABLE
    return ExitStatus.FAILURE
