"""An exec as values: where it is, how it ended, and the exit code that this makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kubectl_scratch.errors import ExitStatus, SessionError
from kubectl_scratch.kube.proxies import Proxy

if TYPE_CHECKING:
    import ssl


class ExecEndpoint(NamedTuple):
    """Where and how to connect; times in seconds.

    ``renew`` returns the same with other credentials, if these are refused, or None.
    """

    url: str
    headers: tuple[str, ...]
    context: ssl.SSLContext | None
    server_hostname: str | None
    proxy: Proxy | None
    timeout: float
    renew: Callable[[], ExecEndpoint | None] = lambda: None


class ExecOutcome(NamedTuple):
    """How a session ended: a code, or ``problem`` in words; ``lost`` means the connection."""

    code: int | None
    problem: str = ""
    lost: bool = False


def exit_code(outcome: ExecOutcome, tell: Callable[[str], None]) -> int:
    """Return the code to exit with, and ``tell`` if a command could not be run.

    Raises SessionError if the connection was lost.
    """
    if outcome.lost:
        raise SessionError(outcome.problem, "run debug again for a new copy")
    if outcome.problem:
        tell(f"the command could not be run in the container: {outcome.problem}")
    return ExitStatus.FAILURE if outcome.code is None else outcome.code
