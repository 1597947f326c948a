"""What can go wrong. Errors store facts; cli/error_report.py words them and picks the exit code."""

from __future__ import annotations


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


class InvalidRequest(ScratchError):
    """The user asked for what cannot be done; nothing was created.

    ``hint`` says what to do, as a sentence fragment, or is empty.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint


class ClusterError(ScratchError):
    """The API server refused or failed; ``reason`` and ``kind`` are those of its Status.

    ``kind`` is the plural of what it is about, or empty.
    """

    def __init__(self, status: int, reason: str, message: str, kind: str = "") -> None:
        super().__init__(status, reason, message, kind)
        self.status = status
        self.reason = reason
        self.message = message
        self.kind = kind

    @property
    def transient(self) -> bool:
        """Say whether it may go better next time; what was asked may have been done."""
        return self.status == 0 or self.status >= 500 or self.status == 429

    @property
    def refused(self) -> bool:
        """Say whether a right or admission is the reason; 400: a webhook that gives no code."""
        return self.status in (400, 403, 422)

    @property
    def forbidden(self) -> bool:
        """Say whether the user has no permission for it."""
        return self.status == 403

    @property
    def not_done(self) -> bool:
        """Say whether it was certainly not done; others may come from a proxy that asked twice."""
        return self.status in (400, 401, 403, 404, 405, 413, 415, 422, 429)

    @property
    def unanswered(self) -> bool:
        """Say whether there is no answer, or one that says that it may still be under way."""
        return self.status in (0, 504)

    @property
    def gone(self) -> bool:
        """Say whether there is no such object."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """Say whether the object, or its name, is another one than was meant."""
        return self.status == 409


class Unreachable(ClusterError):
    """No answer came: refused, timed out, cut, or no TLS. What was asked may have been done."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class CopyNotReady(ScratchError):
    """The copy never came to a shell; ``last`` is what the cluster said last, ``hint`` what helps.

    ``beside`` says that a debug container beside the target may still come to one.
    """

    def __init__(
        self, last: str, waited: float | None = None, hint: str = "", beside: bool = False
    ) -> None:
        super().__init__(last, waited, hint, beside)
        self.last = last
        self.waited = waited
        self.hint = hint
        self.beside = beside


class SessionError(ScratchError):
    """The session could not be started, or its connection was lost."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint


class LeftoverCopy(ScratchError):
    """The copy could not be deleted; ``command`` deletes it, ``otherwise`` says what else will."""

    def __init__(
        self, command: str, cause: str, otherwise: str, code: int = ExitStatus.FAILURE
    ) -> None:
        super().__init__(command, cause, otherwise, code)
        self.command = command
        self.cause = cause
        self.otherwise = otherwise
        self.code = code


class Interrupted(BaseException):
    """A signal asked us to end; no ``except Exception`` of a library may swallow it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def reason_of(error: BaseException) -> str:
    """Return the first line of an error of Python or a library, without their decoration."""
    # That of TLS repeats OpenSSL's.
    if isinstance(error, OSError) and error.strerror and type(error).__module__ != "ssl":
        where = f"{error.filename}: " if error.filename else ""
        return where + error.strerror.lower()
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line[:1].lower() + line[1:]
