"""Remote commands through ``kubectl exec`` as a child: the only importer of pexpect."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect

from kubectl_scratch.errors import ExitStatus
from kubectl_scratch.kube.exec_types import ExecOutcome

if TYPE_CHECKING:
    _Spawn = pexpect.spawn[bytes]
else:
    _Spawn = pexpect.spawn


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
                None, f"kubectl exec was killed by signal {self.signalstatus}", lost=True
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

    def __init__(
        self,
        kubectl: str,
        arguments: list[str],
        reads: bool = True,
        streams: tuple[int | None, int | None] = (None, None),
    ) -> None:
        """Start it; ``streams`` are its stdout and stderr, if they are not ours."""
        # The child holds the other end for as long as it lives: ours is readable once it ends.
        self._lifeline, held = os.pipe()
        stdin = None if reads else subprocess.DEVNULL
        out, err = streams
        self._child = subprocess.Popen(
            [kubectl, *arguments], pass_fds=[held], stdin=stdin, stdout=out, stderr=err
        )
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
            return ExecOutcome(None, f"kubectl exec was killed by signal {-code}", lost=True)
        return ExecOutcome(code)

    def close(self) -> None:
        """End it."""
        if not self.ended():
            self._child.send_signal(signal.SIGKILL)
            self._child.wait()
        os.close(self._lifeline)


# Of what a command says that is for us, in bytes.
MOST_COLLECTED = 1 << 23


class KubectlCollectedCommand(KubectlPipedCommand):
    """A command through ``kubectl exec`` whose output is for us: it goes into private files."""

    def __init__(self, kubectl: str, arguments: list[str], folder: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._files = [os.open(folder / name, flags, 0o600) for name in ("stdout", "stderr")]
        out, err = self._files
        super().__init__(kubectl, arguments, reads=False, streams=(out, err))
        self._taken = [0, 0]

    def drain(self) -> tuple[bytes, bytes]:
        """Return what has come since the last time; one that says too much is ended."""
        out, err = (self._next(number) for number in (0, 1))
        if sum(self._taken) > MOST_COLLECTED:
            self._child.kill()
        return out, err

    def _next(self, number: int) -> bytes:
        data = os.pread(self._files[number], MOST_COLLECTED, self._taken[number])
        self._taken[number] += len(data)
        return data

    def close(self) -> None:
        """End it."""
        super().close()
        for file in self._files:
            os.close(file)
