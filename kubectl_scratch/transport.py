"""Ways to reach a command in the debug container.

A command that may have started is never sent twice: an attempt is repeated only when the
answer says that nothing was started.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubectl_scratch import stream
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError, SessionError, Unreachable
from kubectl_scratch.spawn import KubectlPipes, KubectlSpawn, Remote, WebSocketSpawn
from kubectl_scratch.status import Ready, State

# Something that every toolkit has and that changes nothing.
PROBE = ("true",)
# A connection that is cut once is a hiccup; one that is always cut lets no WebSocket through.
CUTS = 3

Attempt = Callable[[State], Remote | None]


@dataclass(frozen=True)
class Errand:
    """A command, and where it runs; ``size`` is the terminal's rows and columns.

    ``repeatable`` says that starting it twice does no harm, as with a shell.
    """

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    tty: bool
    size: tuple[int, int]
    repeatable: bool


class WebSocketTransport:
    """Exec over a WebSocket of this process; the connection that succeeds is the session.

    With a terminal v4 is enough, and its handshake fails where the container does not run
    yet: for a shell that try is the session's own. Pipes need v5, which can say that stdin
    has ended; its handshake succeeds too early. So before any other command a harmless v4
    exec finds out whether the container runs and a WebSocket comes through.
    """

    def __init__(self, cluster: Cluster, errand: Errand) -> None:
        self._cluster = cluster
        self._errand = errand
        self._cuts = 0

    def attempt(self, state: State) -> Remote | None:
        """Return the running command, or None where the container does not run yet.

        Raises ClusterError where it never will, and stream.NoWebSocket.
        """
        errand = self._errand
        subprotocol = stream.V4 if errand.tty else stream.V5
        try:
            if errand.tty and errand.repeatable:
                return WebSocketSpawn(self._connect(errand.command, subprotocol), errand.tty)
            self._connect(PROBE, stream.V4).close()
        except stream.NotStarted:
            return None
        except ClusterError as error:
            if error.transient:
                return None
            raise
        except stream.Unsure as error:
            self._cuts += 1
            if self._cuts < CUTS:
                return None
            raise stream.NoWebSocket(str(error)) from error
        try:
            return WebSocketSpawn(self._connect(errand.command, subprotocol), errand.tty)
        except stream.NotStarted as error:
            raise SessionError(f"the debug container has ended: {error}") from error
        except stream.Unsure as error:
            raise SessionError(
                f"the connection was cut while the command was started: {error}",
                "it may have run; it is not sent again",
            ) from error

    def _connect(self, command: tuple[str, ...], subprotocol: str) -> stream.ExecStream:
        errand = self._errand
        dial = self._cluster.exec_dial(
            errand.namespace, errand.pod, errand.container, command, errand.tty
        )
        action = f"exec in {errand.pod}"
        try:
            return stream.connect(dial, subprotocol)
        except stream.Refused as error:
            message = str(error.status.get("message") or error.code)
            reason = str(error.status.get("reason") or error.code)
            raise ClusterError(error.code, reason, message, action) from error
        except OSError as error:
            raise Unreachable(str(error), action) from error


class KubectlTransport:
    """``kubectl exec`` as a child, which falls back to SPDY.

    Its credentials go through a file in ``folder``, a private one, and never through its
    arguments, which every user of the machine may read.
    """

    def __init__(self, cluster: Cluster, errand: Errand, folder: Path) -> None:
        self._cluster = cluster
        self._errand = errand
        self._folder = folder

    def attempt(self, state: State) -> Remote | None:
        """Return the running command, or None where the container does not run yet."""
        if not isinstance(state, Ready):
            return None
        kubectl, arguments = find_kubectl(), self._arguments()
        try:
            if self._errand.tty:
                return KubectlSpawn(kubectl, arguments, self._errand.size)
            return KubectlPipes(kubectl, arguments)
        except OSError as error:
            raise SessionError(f"{kubectl} can't be run: {error.strerror}") from error

    def _arguments(self) -> list[str]:
        config = self._folder / "kubeconfig"
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            # What YAML reads as a date is text.
            json.dump(self._cluster.access.config, file, default=str)
        errand = self._errand
        where = ["-n", errand.namespace, errand.pod, "-c", errand.container]
        mode = "-it" if errand.tty else "-i"
        return [f"--kubeconfig={config}", "exec", mode, *where, "--", *errand.command]


def find_kubectl() -> str:
    """Return kubectl's path: the one that runs us (from 1.37 on it says so), else PATH's."""
    found = os.environ.get("KUBECTL_PATH") or shutil.which("kubectl")
    if not found:
        raise SessionError("kubectl is not on PATH, and no WebSocket comes through")
    return found


def only_websocket(websocket: WebSocketTransport) -> Attempt:
    """Return attempts over a WebSocket that raise SessionError where none comes through."""

    def attempt(state: State) -> Remote | None:
        try:
            return websocket.attempt(state)
        except stream.NoWebSocket as error:
            problem = f"no WebSocket comes through ({error})"
            raise SessionError(problem, "--transport kubectl does without") from error

    return attempt


def websocket_or_kubectl(
    websocket: WebSocketTransport, kubectl: KubectlTransport, say: Callable[[str], None]
) -> Attempt:
    """Return attempts over a WebSocket, and with kubectl once none has come through."""
    current: list[Attempt] = [websocket.attempt]

    def attempt(state: State) -> Remote | None:
        try:
            return current[0](state)
        except stream.NoWebSocket as error:
            say(f"no WebSocket comes through ({error}), so kubectl exec carries the session")
            current[0] = kubectl.attempt
            return None

    return attempt
