"""Unix sockets: missing, or closed to the app's user."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.why.causes.permissions import owned
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import mount_of
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.wording import call_line, listed

# A server that started the app told it of these; without one there are none.
KNOWN = {
    "/docker.sock": "the container runtime's socket: mount it as a hostPath volume, if the app"
    " really needs it",
    "/dev/log": "no syslog runs in a container: let the app log to stdout",
}


def find_sockets(evidence: Evidence) -> Iterator[Cause]:
    """Yield unix sockets to which the app could not connect."""
    for failed in evidence.failed:
        call = failed.call
        if call.call not in ("connect", "sendto", "sendmsg") or not call.path:
            continue
        if call.error in ("ENOENT", "ENOTDIR"):
            yield _missing(evidence, failed)
        elif call.error in ("ECONNREFUSED", "EAGAIN"):
            yield _refused(evidence, failed)
        elif call.error in ("EACCES", "EPERM"):
            yield _forbidden(evidence, failed)


def _where(evidence: Evidence, path: str) -> str:
    mount = mount_of(evidence.facts, path)
    return f" (in {mount.title}, mounted at {mount.path})" if mount else ""


def _remedy(evidence: Evidence, path: str) -> str:
    special = next((text for end, text in KNOWN.items() if path.endswith(end)), "")
    if special:
        return special
    if mount_of(evidence.facts, path):
        return (
            "check that the container that makes the socket runs, mounts the same volume, and"
            " starts first"
        )
    return "mount a volume that the server's container shares there, or correct the path"


def _missing(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    names = call.nearest.names if call.nearest else ()
    more = [f"{call.nearest.path} contains {listed(names)}"] if call.nearest and names else []
    sentence = f"the app connects to the socket {call.path}, which does not exist"
    return Cause(
        "missing-socket",
        sentence + _where(evidence, call.path),
        (call_line(call, evidence.run), *more),
        _remedy(evidence, call.path),
        failed.weight + 1,
    )


def _refused(evidence: Evidence, failed: FailedCall) -> Cause:
    path = failed.call.path
    return Cause(
        "connection-refused",
        f"the app connects to the socket {path}, and nobody listens on it{_where(evidence, path)}",
        (call_line(failed.call, evidence.run),),
        "start the server of this socket; a socket that an earlier server left must be made anew",
        failed.weight,
    )


def _forbidden(evidence: Evidence, failed: FailedCall) -> Cause:
    call, run = failed.call, evidence.run
    state = call.here or call.nearest
    whose = (
        f": {state.path} is {owned(state)}, and the app is user {run.uid}:{run.gid}"
        if state
        else ""
    )
    return Cause(
        "socket-permission",
        f"the app has no permission to connect to the socket {call.path}{whose}",
        (call_line(call, run),),
        "let the server set the socket's group or mode, or run the app with its group"
        f" (securityContext.supplementalGroups: [{state.gid if state else 'GID'}])",
        failed.weight + 1,
    )
