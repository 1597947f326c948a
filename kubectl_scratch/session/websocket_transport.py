"""A session over a WebSocket of this process.

A command that may have started is never sent twice: an attempt is repeated only when the
answer says that nothing was started.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from kubectl_scratch.errors import ClusterError, SessionError
from kubectl_scratch.kube import exec_stream
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_errors import MaybeStarted, NotStarted, NoWebSocket
from kubectl_scratch.kube.exec_types import ExecEndpoint
from kubectl_scratch.kube.tunnel import Tunnel, reach
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.readiness import State
from kubectl_scratch.session.remote import RemoteCommand, WebSocketCommand
from kubectl_scratch.session.seed_delivery import START, Ends, Lives, SeedEnded, send_seed

# Something that every toolkit has and that changes nothing.
PROBE = ("true",)
# A connection that is cut once is a hiccup; one that is always cut lets no WebSocket through.
CUTS = 3

Reached = TypeVar("Reached")


class WebSocketTransport:
    """Exec over a WebSocket of this process; the connection that succeeds is the session.

    The seed asks for the toolkit before it starts the command, so a try of it is harmless.
    Without it, v4 is enough with a terminal, and its handshake fails if the container does
    not run yet: for a shell that try is the session's own. Pipes need v5, which can say that
    stdin has ended; its handshake succeeds too early. So before any other command a harmless v4
    exec finds out whether the container runs and a WebSocket comes through.
    """

    def __init__(
        self,
        cluster: Client,
        exec_command: ExecCommand,
        say: Callable[[str], None] = lambda words: None,
    ) -> None:
        self._cluster = cluster
        self._exec_command = exec_command
        self._say = say
        self._cuts = 0
        self._ends = Ends()
        # The first try finds a connection, which takes three ways to a server and back.
        self._ahead: Task[Tunnel] | None = Task(lambda: reach(self._endpoint(())))

    def attempt(self, state: State) -> RemoteCommand | None:
        """Return the running command, or None if the container does not run yet.

        Raises ClusterError if it never will, and NoWebSocket.
        """
        exec_command = self._exec_command
        subprotocol = exec_stream.V4 if exec_command.tty else exec_stream.V5
        toolkit = exec_command.toolkit
        if toolkit is not None:
            return self._reach(lambda: self._start_with(toolkit, subprotocol))
        if exec_command.tty and exec_command.repeatable:
            return self._reach(lambda: self._start(exec_stream.V4))
        probe = self._reach(lambda: self._connect(PROBE, exec_stream.V4, tty=exec_command.tty))
        if probe is None:
            return None
        probe.close()
        return self._start_once(subprotocol)

    def _reach(self, connect: Callable[[], Reached]) -> Reached | None:
        """Return what ``connect`` gives, or None if the container does not run yet."""
        try:
            return connect()
        except NotStarted:
            # So a WebSocket comes through.
            self._cuts = 0
            return None
        except ClusterError as error:
            if error.transient:
                return None
            raise
        except MaybeStarted as error:
            self._cuts += 1
            if self._cuts < CUTS:
                return None
            raise NoWebSocket(str(error)) from error

    def _start_with(self, toolkit: bytes, subprotocol: str) -> WebSocketCommand:
        exec_command = self._exec_command
        connected = self._connect((*START, *exec_command.command), subprotocol, exec_command.tty)
        if exec_command.check is not None and subprotocol == exec_stream.V4:
            # Its handshake, unlike v5's, shows that the container runs.
            exec_command.check.begin()
        try:
            lives = Lives(self._cluster, exec_command)
            greeting = send_seed(connected, toolkit, self._say, exec_command.check, lives)
        except SeedEnded as error:
            connected.close()
            self._ends.note(str(error))
            raise
        except BaseException:
            connected.close()
            raise
        return WebSocketCommand(connected, exec_command.tty, greeting.stdin)

    def _start(self, subprotocol: str) -> WebSocketCommand:
        exec_command = self._exec_command
        connected = self._connect(exec_command.command, subprotocol, tty=exec_command.tty)
        return WebSocketCommand(connected, exec_command.tty)

    def _start_once(self, subprotocol: str) -> WebSocketCommand:
        """Start what must not be started twice, in a container that runs."""
        try:
            return self._start(subprotocol)
        except NotStarted as error:
            raise SessionError(f"the container has ended: {error}") from error
        except MaybeStarted as error:
            raise SessionError(
                f"the connection was lost while the command was being started: {error}",
                "it may have run; it is not sent again",
            ) from error

    def _connect(
        self, command: tuple[str, ...], subprotocol: str, tty: bool
    ) -> exec_stream.ExecStream:
        endpoint = self._endpoint(command, tty)
        return exec_stream.connect_exec(endpoint, subprotocol, reached=self._reached())

    def _endpoint(self, command: tuple[str, ...], tty: bool = False) -> ExecEndpoint:
        exec_command = self._exec_command
        where = (exec_command.namespace, exec_command.pod, exec_command.container)
        return self._cluster.exec_endpoint(*where, command, tty)

    def _reached(self) -> Tunnel | None:
        """Return the connection that was made ahead, once, and none if there is none."""
        ahead, self._ahead = self._ahead, None
        with contextlib.suppress(OSError):
            return ahead.result() if ahead is not None else None
        return None
