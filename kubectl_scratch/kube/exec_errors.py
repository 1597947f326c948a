"""Why an exec did not begin, and what its end means: read from texts if there is no code."""

from __future__ import annotations

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.kube.objects import innermost


class NotStarted(Exception):
    """The container does not run yet; the command has certainly not been started."""


class NoWebSocket(Exception):
    """What answered does not speak WebSocket: a proxy, most likely."""


class MaybeStarted(Exception):
    """The connection was cut before an answer; the command may have been started."""


# What an exec that does not begin raises.
UNREACHED = (NoWebSocket, NotStarted, MaybeStarted, ClusterError)
NO_REASON = "no reason given"

# There is no reason code for any of these: the kubelet's, if the container does not run yet
# (kubernetes/kubernetes, pkg/kubelet/server/server.go), and the API server's for a pod without
# a node and for a kubelet that it cannot reach just now.
NOT_STARTED_TEXTS = (
    "container not found (",
    "does not have a host assigned",
    "error dialing backend: dial tcp",
    "pod does not exist",
)


def is_not_started(message: str) -> bool:
    """Say whether an exec certainly failed before its command was started."""
    return any(text in message for text in NOT_STARTED_TEXTS)


# What containerd, the kubelet and CRI-O say of an exec into a container that is over. It ran
# when it was asked whether it takes one: so it started, and ended at once.
OVER_TEXTS = (
    "container not found (",
    "container not created",
    "no running task",
    ": not found",
    "in a stopped state",
    "in a deleted state",
    "not created or running",
    "is in CONTAINER_",
    "is not running",
    NO_REASON,
)


def is_over(problem: str) -> bool:
    """Say whether an exec failed because its container had just ended.

    While it ends, runc fails in many ways; of a command that is not there it names the command.
    """
    failed = "OCI runtime exec failed" in problem and 'exec: "' not in problem
    return failed or any(text in problem for text in OVER_TEXTS)


def outcome_of(status: object) -> ExecOutcome:
    """Return what the Status of the error channel says of the session's end."""
    if not isinstance(status, dict):
        return ExecOutcome(None, "the connection was lost", lost=True)
    if status.get("status") == "Success":
        return ExecOutcome(0)
    message = status.get("message")
    if status.get("reason") == "NonZeroExitCode":
        details = status.get("details")
        causes = details.get("causes") if isinstance(details, dict) else None
        for cause in causes if isinstance(causes, list) else []:
            code = _exit_code(cause)
            if code is not None:
                return ExecOutcome(code)
    return ExecOutcome(
        None, innermost(message) if message and isinstance(message, str) else NO_REASON
    )


def _exit_code(cause: object) -> int | None:
    """Return a code that a process of ours can pass on; more would become another one."""
    if not isinstance(cause, dict) or cause.get("reason") != "ExitCode":
        return None
    try:
        code = int(str(cause.get("message")))
    except ValueError:
        return None
    return code if 0 < code < 256 else None
