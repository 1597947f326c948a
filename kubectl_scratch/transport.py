"""Ways to reach a command in the debug container.

A command that may have started is never sent twice: an attempt is repeated only when the
answer says that nothing was started.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_scratch import stream
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError, SessionError, Unreachable
from kubectl_scratch.spawn import Remote, WebSocketSpawn
from kubectl_scratch.status import State

# Something that every toolkit has and that changes nothing.
PROBE = ("true",)


@dataclass(frozen=True)
class Errand:
    """A command, and where it runs."""

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    tty: bool


class WebSocketTransport:
    """Exec over a WebSocket of this process; the connection that succeeds is the session.

    With a terminal v4 is enough, and its handshake fails where the container does not run
    yet: that try is the session's own. Pipes need v5, which can say that stdin has ended; its
    handshake succeeds too early, so a harmless v4 exec finds out first.
    """

    def __init__(self, cluster: Cluster, errand: Errand) -> None:
        self._cluster = cluster
        self._errand = errand

    def attempt(self, state: State) -> Remote | None:
        """Return the running command, or None where the container does not run yet.

        Raises ClusterError where it never will, and stream.NoWebSocket.
        """
        errand = self._errand
        try:
            if errand.tty:
                return WebSocketSpawn(self._connect(errand.command, stream.V4), tty=True)
            self._connect(PROBE, stream.V4).close()
        except stream.NotStarted:
            return None
        try:
            return WebSocketSpawn(self._connect(errand.command, stream.V5), tty=False)
        except stream.NotStarted as error:
            raise SessionError(f"the debug container has ended: {error}") from error

    def _connect(self, command: tuple[str, ...], subprotocol: str) -> stream.ExecStream:
        errand = self._errand
        dial = self._cluster.exec_dial(
            errand.namespace, errand.pod, errand.container, command, errand.tty
        )
        try:
            return stream.connect(dial, subprotocol)
        except stream.Refused as error:
            message = str(error.status.get("message") or error.code)
            reason = str(error.status.get("reason") or error.code)
            raise ClusterError(error.code, reason, message, f"exec in {errand.pod}") from error
        except OSError as error:
            raise Unreachable(str(error), f"exec in {errand.pod}") from error
