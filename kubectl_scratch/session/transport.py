"""Ways to reach a command in a container of the copy.

A command that may have started is never sent twice: an attempt is repeated only when the
answer says that nothing was started.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.errors import ClusterError, SessionError, Unreachable
from kubectl_scratch.kube import client as api
from kubectl_scratch.kube import exec_stream
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_types import ExecEndpoint
from kubectl_scratch.kube.objects import status_of
from kubectl_scratch.kube.tunnel import Tunnel, reach
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.readiness import KILLED, Ready, State
from kubectl_scratch.session.remote import (
    KubectlCommand,
    KubectlPipedCommand,
    RemoteCommand,
    WebSocketCommand,
)
from kubectl_scratch.toolkit.archive import SEED

# Something that every toolkit has and that changes nothing.
PROBE = ("true",)
# A connection that is cut once is a hiccup; one that is always cut lets no WebSocket through.
CUTS = 3
# A container that ends under the seed is waited for; it may also be the seed that is killed. How
# often that may be, and after how many seconds it is another one.
ENDS, ENDS_EVERY = 5, 1.0
ENDED_EACH_TIME = "the seed that receives them is killed each time"

# How the seed takes the toolkit: over the session's own stdin, between two bytes that it writes
# on stdout, or over that of an exec before the session's.
_START, RECEIVE, ENTER = (SEED, "start", "--"), (SEED, "recv"), (SEED, "enter", "--")
ASKS, HAS_ALL = b"\x05", b"\x06"
GREETING = re.compile(rb"([0-9a-f]{64}) ([0-9]+:[0-9]+)\Z")
# For how long, in seconds, it may be silent, and the toolkit be on its way; where the line is
# slow that is said.
_ASK_SECONDS, RECEIVE_SECONDS = 60.0, 120.0
SLOW_SECONDS = 1.0
# How often meanwhile to look whether the container runs, and how long such a look may take.
LIVES_EVERY, LIVES_SECONDS = 2.0, 3.0
BACK_OFF, IS_OVER = "CrashLoopBackOff", "its container has ended"

# What kubectl says where an exec reaches no kubelet; no flag of ours makes a way there.
NOT_THROUGH_TEXTS = (
    "upgrade",
    "bad handshake",
    "unable to connect to the server",
    "error sending request",
    "error dialing",
    "the connection to the server",
)
NOT_THROUGH = (
    "something between here and the API server lets no exec through;"
    " ask who runs it to pass Upgrade headers on, or go around it (NO_PROXY, --server)"
)

Attempt = Callable[[State], RemoteCommand | None]
Reached = TypeVar("Reached")


class ExecCommand(NamedTuple):
    """A command, and where it runs; ``size`` is the terminal's rows and columns.

    ``repeatable`` says that starting it twice does no harm, as with a shell. ``toolkit`` is
    what the seed in the container receives before, which then becomes the command; None where
    the tools are there. ``loose`` is the command where no WebSocket, and so no tether, comes
    through. ``check`` proves that it is our seed, before it receives anything. ``reads`` says
    that the command may have our stdin.
    """

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    tty: bool
    size: tuple[int, int]
    repeatable: bool
    toolkit: bytes | None = None
    loose: tuple[str, ...] | None = None
    check: SeedCheck | None = None
    reads: bool = True


class Greeting(NamedTuple):
    """What a seed says: its own SHA-256, and what its stdin is, as DEVICE:INODE."""

    digest: str = ""
    stdin: str = ""


class WebSocketTransport:
    """Exec over a WebSocket of this process; the connection that succeeds is the session.

    The seed asks for the toolkit before it starts the command, so a try of it is harmless.
    Without it, v4 is enough with a terminal, and its handshake fails where the container does
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
        """Return the running command, or None where the container does not run yet.

        Raises ClusterError where it never will, and stream.NoWebSocket.
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
        """Return what ``connect`` gives, or None where the container does not run yet."""
        try:
            return connect()
        except exec_stream.NotStarted:
            # So a WebSocket comes through.
            self._cuts = 0
            return None
        except ClusterError as error:
            if error.transient:
                return None
            raise
        except exec_stream.Unsure as error:
            self._cuts += 1
            if self._cuts < CUTS:
                return None
            raise exec_stream.NoWebSocket(str(error)) from error

    def _start_with(self, toolkit: bytes, subprotocol: str) -> WebSocketCommand:
        exec_command = self._exec_command
        connected = self._connect((*_START, *exec_command.command), subprotocol, exec_command.tty)
        if exec_command.check is not None and subprotocol == exec_stream.V4:
            # Its handshake, unlike v5's, tells that the container runs.
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
        except exec_stream.NotStarted as error:
            raise SessionError(f"the container has ended: {error}") from error
        except exec_stream.Unsure as error:
            raise SessionError(
                f"the connection was cut while the command was started: {error}",
                "it may have run; it is not sent again",
            ) from error

    def _connect(
        self, command: tuple[str, ...], subprotocol: str, tty: bool
    ) -> exec_stream.ExecStream:
        action = f"exec in {self._exec_command.pod}"
        try:
            return exec_stream.connect_exec(
                self._endpoint(command, tty), subprotocol, reached=self._reached()
            )
        except exec_stream.Refused as error:
            message = str(error.status.get("message") or error.code)
            reason = str(error.status.get("reason") or error.code)
            raise ClusterError(error.code, reason, message, action) from error
        except OSError as error:
            raise Unreachable(str(error), action) from error

    def _endpoint(self, command: tuple[str, ...], tty: bool = False) -> ExecEndpoint:
        exec_command = self._exec_command
        where = (exec_command.namespace, exec_command.pod, exec_command.container)
        return self._cluster.exec_endpoint(*where, command, tty)

    def _reached(self) -> Tunnel | None:
        """Return the connection that was made ahead, once, and none where there is none."""
        ahead, self._ahead = self._ahead, None
        with contextlib.suppress(OSError):
            return ahead.result() if ahead is not None else None
        return None


def send_seed(
    session: exec_stream.ExecStream,
    toolkit: bytes,
    say: Callable[[str], None],
    check: SeedCheck | None = None,
    lives: Callable[[], bool] = lambda: True,
) -> Greeting:
    """Give the seed the toolkit once it asks for it; ``say`` what is waited for if it takes long.

    ``lives`` says whether the container still runs. Raises NotStarted if no seed runs that could
    ask, or if it was ended with its container, Unsure if the connection was cut before, and
    SessionError if ``check`` finds that it is not our seed, or the toolkit was not received whole.
    The session's command has not been started then.
    """
    asked, said = exec_stream.expect(session, ASKS, SLOW_SECONDS)
    if not asked and not session.ended:
        say("the seed in it has not answered yet")
        asked, said = _expect(session, ASKS, _ASK_SECONDS, lives)
    if asked:
        greeting = read_greeting(said)
        if check is not None:
            check.confirm(greeting.digest)
        session.queue(toolkit)
        came, said = exec_stream.expect(session, HAS_ALL, SLOW_SECONDS)
        if not came and not session.ended:
            say(f"{len(toolkit) / 1e6:.1f} MB of tools are on their way")
            came, said = _expect(session, HAS_ALL, RECEIVE_SECONDS, lives)
        if came:
            return greeting
    outcome = session.outcome
    problem = outcome.problem if session.ended else "the seed does not answer"
    if not asked and outcome.lost and session.ended:
        raise exec_stream.Unsure(problem)
    if session.ended and not outcome.lost:
        if not asked and (exec_stream.is_not_started(problem) or exec_stream.is_over(problem)):
            raise exec_stream.NotStarted(problem)
        if ends_with_its_container(outcome.code, problem):
            raise SeedEnded(problem)
    raise not_received(said.decode(errors="replace").strip() or problem)


def _expect(
    session: exec_stream.ExecStream, byte: bytes, seconds: float, lives: Callable[[], bool]
) -> tuple[bool, bytes]:
    """Wait for a byte on stdout as stream.expect does; raises SeedEnded once nobody can send it."""
    until = time.monotonic() + seconds
    while True:
        came, said = exec_stream.expect(session, byte, min(LIVES_EVERY, until - time.monotonic()))
        if came or session.ended or time.monotonic() >= until:
            return came, said
        if not lives():
            raise SeedEnded(IS_OVER)


class Lives:
    """Say whether a container still runs: the exec of one that has just ended may never end."""

    def __init__(self, cluster: Client, exec_command: ExecCommand) -> None:
        self._cluster = cluster
        self._exec_command = exec_command
        self._id = ""

    def __call__(self) -> bool:
        """Return whether it runs, and is the one of the last time; true if that is not known."""
        exec_command = self._exec_command
        try:
            pod = self._cluster.get(
                api.pods(exec_command.namespace, exec_command.pod), LIVES_SECONDS
            ).body
        except ClusterError:
            return True
        status = status_of(pod, exec_command.container) or {}
        state = status.get("state") or {}
        before, self._id = self._id, str(status.get("containerID") or "")
        # The status of one that is new comes late.
        ended = state.get("terminated") or (state.get("waiting") or {}).get("reason") == BACK_OFF
        return not ended and before in ("", self._id)


class SeedEnded(exec_stream.NotStarted):
    """The seed was ended before it had all, so the command has certainly not been started."""


def ends_with_its_container(code: int | None, problem: str) -> bool:
    """Say whether a seed that has not received all ended because its container did.

    Its own failures have other codes. While a container ends, the runtime's exec fails in many
    ways; only if it names the command, that is at fault. An error stream of v5 that ends without a
    word is a success to the API server, which a seed that has not received all never has.
    """
    return code in (0, KILLED) or (code is None and 'exec: "' not in problem)


class Ends:
    """Count the containers that have ended under the seed."""

    def __init__(self) -> None:
        self._count, self._last = 0, 0.0

    def note(self, why: str) -> None:
        """Count one more; raises SessionError once it seems to be the seed that is killed."""
        now = time.monotonic()
        # While one ends, many tries fail.
        if now - self._last >= ENDS_EVERY:
            self._count, self._last = self._count + 1, now
        if self._count >= ENDS:
            raise not_received(f"{ENDED_EACH_TIME}: {why}")


def read_greeting(said: bytes) -> Greeting:
    """Return what a seed says before it asks; an older one says nothing."""
    found = GREETING.search(said)
    return Greeting(found[1].decode(), found[2].decode()) if found else Greeting()


def not_received(why: str) -> SessionError:
    """Return the error of a toolkit that could not be brought into a container."""
    problem = f"the tools could not be brought into the container: {why or 'no reason given'}"
    return SessionError(problem, "--image brings them as an image")


class KubectlTransport:
    """``kubectl exec`` as a child, which falls back to SPDY.

    Its credentials go through a file in ``folder``, a private one, and never through its
    arguments, which every user of the machine may read.
    """

    def __init__(self, cluster: Client, exec_command: ExecCommand, folder: Path) -> None:
        self._cluster = cluster
        self._exec_command = exec_command
        self._folder = folder
        self._ends = Ends()

    def attempt(self, state: State) -> RemoteCommand | None:
        """Return the running command, or None where the container does not run yet."""
        if not isinstance(state, Ready):
            return None
        kubectl, command = find_kubectl(), self._exec_command.loose or self._exec_command.command
        try:
            if self._exec_command.toolkit is not None:
                if not self._bring(kubectl, self._exec_command.toolkit):
                    return None
                command = (*ENTER, *command)
            reads = self._exec_command.reads
            arguments = self._arguments(command, reads=reads)
            if self._exec_command.tty:
                return KubectlCommand(kubectl, arguments, self._exec_command.size)
            return KubectlPipedCommand(kubectl, arguments, reads)
        except OSError as error:
            raise SessionError(f"{kubectl} can't be run: {error.strerror}") from error

    def _bring(self, kubectl: str, toolkit: bytes) -> bool:
        """Bring the toolkit; return false if the container has just ended, or not begun."""
        if self._exec_command.check is not None:
            self._exec_command.check.confirm()
        code, problem = self._receive(kubectl, toolkit)
        if code and (exec_stream.is_not_started(problem) or exec_stream.is_over(problem)):
            return False
        if code == KILLED:
            self._ends.note(problem)
            return False
        if code and any(text in problem.lower() for text in NOT_THROUGH_TEXTS):
            raise SessionError(f"kubectl exec does not come through: {problem}", NOT_THROUGH)
        if code:
            raise not_received(problem)
        return True

    def _receive(self, kubectl: str, toolkit: bytes) -> tuple[int, str]:
        """Return how the seed ended that received the toolkit, and what was said."""
        lives = Lives(self._cluster, self._exec_command)
        until, data = time.monotonic() + RECEIVE_SECONDS, [toolkit]
        command = [kubectl, *self._arguments(RECEIVE, tty=False)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            try:
                while True:
                    try:
                        _, said = process.communicate(data.pop() if data else None, LIVES_EVERY)
                    except subprocess.TimeoutExpired as error:
                        if time.monotonic() >= until:
                            raise not_received("no end of it") from error
                        if not lives():
                            return KILLED, IS_OVER
                    else:
                        return process.returncode, said.decode(errors="replace").strip()
            finally:
                process.kill()

    def _arguments(
        self, command: tuple[str, ...], tty: bool | None = None, reads: bool = True
    ) -> list[str]:
        config = self._folder / "kubeconfig"
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            # What YAML reads as a date is text.
            json.dump(self._cluster.access.config, file, default=str)
        exec_command = self._exec_command
        where = ["-n", exec_command.namespace, exec_command.pod, "-c", exec_command.container]
        # kubectl wants stdin for a terminal.
        modes = [["-i"] if reads else [], ["-it"]][exec_command.tty if tty is None else tty]
        flags = [f"--kubeconfig={config}"]
        if self._cluster.access.kuberc:
            flags.append(f"--kuberc={self._cluster.access.kuberc}")
        return [*flags, "exec", *modes, *where, "--", *command]


def find_kubectl() -> str:
    """Return kubectl's path: the one that runs us (from 1.37 on it says so), else PATH's."""
    found = os.environ.get("KUBECTL_PATH") or shutil.which("kubectl")
    if not found:
        raise SessionError("kubectl is not on PATH, and no WebSocket comes through")
    return found


def only_websocket(websocket: WebSocketTransport) -> Attempt:
    """Return attempts over a WebSocket that raise SessionError where none comes through."""

    def attempt(state: State) -> RemoteCommand | None:
        try:
            return websocket.attempt(state)
        except exec_stream.NoWebSocket as error:
            problem = f"no WebSocket comes through ({error})"
            raise SessionError(problem, "--transport kubectl does without") from error

    return attempt


def websocket_or_kubectl(
    websocket: WebSocketTransport, kubectl: KubectlTransport, say: Callable[[str], None]
) -> Attempt:
    """Return attempts over a WebSocket, and with kubectl once none has come through."""
    current: list[Attempt] = [websocket.attempt]

    def attempt(state: State) -> RemoteCommand | None:
        try:
            return current[0](state)
        except exec_stream.NoWebSocket as error:
            say(f"no WebSocket comes through ({error}), so kubectl exec carries the session")
            current[0] = kubectl.attempt
            return None

    return attempt
