"""Run one session in a debug container: wait for it, reach it, carry it to its end."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubectl_scratch import cluster as api
from kubectl_scratch import shell, terminal
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.console import Console
from kubectl_scratch.errors import (
    ClusterError,
    ExitStatus,
    InvalidRequest,
    SessionError,
)
from kubectl_scratch.interrupts import Interrupts
from kubectl_scratch.plan import Place
from kubectl_scratch.podjson import Json
from kubectl_scratch.private import private_folder
from kubectl_scratch.request import SessionRequest, duration_words
from kubectl_scratch.spawn import Remote
from kubectl_scratch.status import Failed, State, Waiting, fatal_event, judge
from kubectl_scratch.stream import Outcome
from kubectl_scratch.terminal import UserStreams
from kubectl_scratch.transport import (
    Attempt,
    Errand,
    KubectlTransport,
    WebSocketTransport,
    only_websocket,
    websocket_or_kubectl,
)
from kubectl_scratch.waiting import Clock, Patience, wait_for

# How long before its end a session is told of it.
WARNING_SECONDS = 300.0
# The code of a command that was killed, as the containers of a deleted copy are.
KILLED = 137
# How long to look for the reason of such an end.
LOOK_SECONDS = 3.0


@dataclass(frozen=True)
class Desk:
    """What a session needs of the process that it runs in."""

    cluster: Cluster
    console: Console
    user: UserStreams
    interrupts: Interrupts
    clock: Clock
    suffix: Callable[[], str]
    author: str


def wants_terminal(request: SessionRequest, user: UserStreams) -> bool:
    """Say whether the session has a terminal.

    Raises InvalidRequest for a shell that nobody could type into.
    """
    if request.command and request.tty is not None:
        return request.tty
    if user.is_terminal() or request.tty is False:
        return request.tty is not False
    if not request.command:
        raise InvalidRequest(
            "stdin and stdout are no terminal, which a shell needs",
            "give a command after --, or -T to feed the shell from stdin",
        )
    return False


def run_session(
    request: SessionRequest, desk: Desk, place: Place, tty: bool, deadline: float | None
) -> Outcome:
    """Wait for the debug container, and carry the session until it ends.

    ``deadline`` is the copy's, in seconds from now, where it has one.
    """
    limit = SessionLimit(request.longest, deadline, desk)
    with private_folder() as folder:
        remote = open_session(request, desk, place, tty, folder)
        desk.console.settle()
        outcome = carry(remote, request, desk, place, tty, limit)
    if outcome.lost or outcome.code == KILLED:
        tell_of_the_copy(desk, place)
    return outcome


def tell_of_the_copy(desk: Desk, place: Place) -> None:
    """Say so where a session was killed because its copy has ended."""
    with contextlib.suppress(ClusterError), desk.interrupts.interruptible():
        state = CopyWatch(desk.cluster, place).look(LOOK_SECONDS)
        if isinstance(state, Failed):
            desk.console.error(state.why)


def carry(
    remote: Remote,
    request: SessionRequest,
    desk: Desk,
    place: Place,
    tty: bool,
    limit: SessionLimit,
) -> Outcome:
    """Carry the session until it ends."""
    now = desk.clock.monotonic
    try:
        if tty:
            if not request.command:
                for line in shell.banner(place):
                    desk.console.info(line)
            with terminal.raw_session(remote, desk.user, desk.console) as raw:
                terminal.bridge(remote, desk.user, desk.interrupts, now, limit.check, raw)
        else:
            terminal.bridge(remote, desk.user, desk.interrupts, now, limit.check)
    finally:
        remote.close()
    return remote.outcome()


def open_session(
    request: SessionRequest, desk: Desk, place: Place, tty: bool, folder: Path
) -> Remote:
    """Return the session as soon as the debug container takes it."""
    command = request.command or shell.command(place.target, interactive=tty)
    where = (place.namespace, place.copy_name, place.debug_container)
    errand = Errand(*where, command, tty, desk.user.size(), repeatable=not request.command)
    attempt = choose_transport(request.transport, desk, errand, folder)

    def say(words: str) -> None:
        desk.console.progress(f"waiting for {place.copy_name}: {words}")

    def checked(state: State) -> Remote | None:
        # A signal's exception may have been swallowed on its way, by a finalizer.
        desk.interrupts.check()
        return attempt(state)

    say("the copy starts")
    with desk.interrupts.interruptible():
        watch = CopyWatch(desk.cluster, place)
        return wait_for(
            checked, watch.look, watch.events, say, desk.clock, Patience(request.timeout)
        )


def choose_transport(wanted: str, desk: Desk, errand: Errand, folder: Path) -> Attempt:
    """Return how to try to reach the command."""
    kubectl = KubectlTransport(desk.cluster, errand, folder)
    if wanted == "kubectl":
        return kubectl.attempt
    websocket = WebSocketTransport(desk.cluster, errand)
    if wanted == "websocket":
        return only_websocket(websocket)
    return websocket_or_kubectl(websocket, kubectl, desk.console.info)


class CopyWatch:
    """Look at a copy that starts."""

    def __init__(self, cluster: Cluster, place: Place) -> None:
        self._cluster = cluster
        self._place = place

    def look(self, timeout: float | None = None) -> State:
        """Return how far the debug container is; ``timeout`` is in seconds."""
        path = api.pods(self._place.namespace, self._place.copy_name)
        try:
            return judge(self._cluster.get(path, timeout).body, self._place.debug_container)
        except ClusterError as error:
            if error.status == 404:
                return Failed("the copy was deleted by somebody else")
            if error.transient:
                return Waiting(f"the cluster does not answer ({error.message})")
            raise

    def events(self) -> tuple[list[Json], Failed | None]:
        """Return the copy's events, none where they can't be read, and what they rule out."""
        about = f"involvedObject.name={self._place.copy_name}"
        try:
            found = self._cluster.get(api.events(self._place.namespace), fieldSelector=about).body
        except ClusterError:
            return [], None
        items: list[Json] = found.get("items") or []
        return items, fatal_event(items, self._place.debug_container)


class SessionLimit:
    """End a session that has been forgotten or whose copy is about to end; say so before."""

    def __init__(self, longest: float, deadline: float | None, desk: Desk) -> None:
        self._longest, self._why = longest, "--max allows longer ones"
        if deadline is not None and deadline < longest:
            self._longest, self._why = deadline, "its copy has no lease"
        self._desk = desk
        self._began = desk.clock.monotonic()
        self._notice = min(WARNING_SECONDS, self._longest / 2)
        self._warned = False

    def check(self) -> None:
        """Warn, or raise SessionError, when it is time."""
        left = self._began + self._longest - self._desk.clock.monotonic()
        if left <= 0:
            lasted = duration_words(self._longest)
            raise SessionError(f"the session has lasted for {lasted}", self._why)
        if left <= self._notice and not self._warned:
            self._warned = True
            ends = f"this session ends in {duration_words(math.ceil(left))}"
            self._desk.console.warning(f"{ends}: {self._why}")


def exit_code(outcome: Outcome, console: Console) -> int:
    """Return the code to exit with; raises SessionError where the connection was lost."""
    if outcome.lost:
        raise SessionError(outcome.problem, "debug makes a new copy")
    if outcome.problem:
        console.error(f"the command could not be run in the debug container: {outcome.problem}")
    return ExitStatus.FAILURE if outcome.code is None else outcome.code
