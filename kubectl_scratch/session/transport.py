"""The way to a session's command: a WebSocket, kubectl, or the one and then the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kubectl_scratch.errors import SessionError
from kubectl_scratch.kube.exec_errors import NoWebSocket
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.exec_command import Attempt, ExecCommand
from kubectl_scratch.session.readiness import State
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.websocket_transport import WebSocketTransport


def choose_transport(
    wanted: str,
    context: Context,
    exec_command: ExecCommand,
    folder: Path,
    say: Callable[[str], None],
) -> Attempt:
    """Return how to try to reach the command; ``say`` gets what is waited for."""

    def kubectl() -> Attempt:
        # It imports pexpect, which few sessions need.
        from kubectl_scratch.session.kubectl_transport import KubectlTransport

        return KubectlTransport(context.cluster, exec_command, folder).attempt

    if wanted == "kubectl":
        return kubectl()
    websocket = WebSocketTransport(context.cluster, exec_command, say).attempt
    if wanted == "websocket":
        return only_websocket(websocket)
    return websocket_or_else(websocket, kubectl, context.console.info)


def only_websocket(websocket: Attempt) -> Attempt:
    """Return attempts over a WebSocket that raise SessionError if none comes through."""

    def attempt(state: State) -> RemoteCommand | None:
        try:
            return websocket(state)
        except NoWebSocket as error:
            problem = f"the WebSocket failed ({error})"
            raise SessionError(problem, "try --transport kubectl") from error

    return attempt


def websocket_or_else(
    websocket: Attempt, another: Callable[[], Attempt], say: Callable[[str], None]
) -> Attempt:
    """Return attempts over a WebSocket, and in another way once none has come through."""
    current: list[Attempt] = [websocket]

    def attempt(state: State) -> RemoteCommand | None:
        try:
            return current[0](state)
        except NoWebSocket as error:
            say(f"the WebSocket failed ({error}); using kubectl exec")
            current[0] = another()
            return None

    return attempt
