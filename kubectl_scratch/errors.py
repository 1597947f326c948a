"""What can go wrong. Errors store facts; cli.py words them and picks the exit code."""

from __future__ import annotations

from dataclasses import dataclass


class ExitStatus:
    """The exit codes that are ours; a session's own code passes through."""

    OK = 0
    FAILURE = 1
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127

    @staticmethod
    def of_signal(signum: int) -> int:
        """Return the code by which shells say "ended by a signal"."""
        return 128 + signum


class ScratchError(Exception):
    """The base of all errors of ours."""


@dataclass
class InvalidRequest(ScratchError):
    """The user asked for what can't be done; nothing was created.

    ``hint`` says what to do, as a sentence fragment, or is empty.
    """

    problem: str
    hint: str = ""


@dataclass
class ClusterError(ScratchError):
    """The API server refused or failed; ``reason`` and ``kind`` are those of its Status.

    ``kind`` is the plural of what it is about, or empty.
    """

    status: int
    reason: str
    message: str
    action: str = ""
    kind: str = ""

    @property
    def transient(self) -> bool:
        """Say whether it may go better next time; what was asked may have been done."""
        return self.status == 0 or self.status >= 500 or self.status == 429


class Unreachable(ClusterError):
    """No answer came: refused, timed out, cut, or no TLS. What was asked may have been done."""

    def __init__(self, message: str, action: str = "") -> None:
        super().__init__(0, "Unreachable", message, action)


@dataclass
class CopyNotReady(ScratchError):
    """The copy never came to a shell; ``last`` is what the cluster said last."""

    last: str
    waited: float | None = None


@dataclass
class SessionError(ScratchError):
    """The session could not be started, or its connection was lost."""

    problem: str
    hint: str = ""


@dataclass
class LeftoverCopy(ScratchError):
    """The copy could not be deleted; ``command`` deletes it, ``otherwise`` says what else will."""

    command: str
    cause: str
    otherwise: str
    code: int = ExitStatus.FAILURE


class Interrupted(BaseException):
    """A signal asked us to end; no ``except Exception`` of a library may swallow it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
