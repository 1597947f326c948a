"""Run one session in a container of the copy: wait for it, reach it, carry it to its end."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from kubectl_scratch.copies.lifecycle import BY_ANOTHER
from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.errors import ClusterError, CopyNotReady, SessionError
from kubectl_scratch.kube import client as api
from kubectl_scratch.kube import exec_stream
from kubectl_scratch.kube.exec_stream import is_over
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.kube.objects import api_time, has_ended, is_going, status_of
from kubectl_scratch.plan.in_place_process import unwatched_command
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.plan.target_health import how_it_ended
from kubectl_scratch.request import SessionRequest, duration_words
from kubectl_scratch.runtime import tasks
from kubectl_scratch.runtime.temp_dir import private_folder
from kubectl_scratch.session import shell, terminal
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.pod_watch import LOOK_SECONDS, CopyWatch, StartNews
from kubectl_scratch.session.readiness import KILLED, Failed, State
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.stdin_watch import StdinWatch
from kubectl_scratch.session.transport import (
    Attempt,
    ExecCommand,
    KubectlTransport,
    WebSocketTransport,
    only_websocket,
    websocket_or_kubectl,
)
from kubectl_scratch.session.waiting import TIMEOUT_HINT, Patience, wait_for, without_numbers
from kubectl_scratch.toolkit import archive
from kubectl_scratch.toolkit.archive import Entry

# How long before its end a session is told of it.
WARNING_SECONDS = 300.0
# How often, and with which pauses in seconds, to look for the reason of an end.
DEATH_LOOKS, DEATH_LOOK_EVERY = 12, 0.25
# How long before the end of a session its target can have ended that took it along: that is told in
# whole seconds, by the clock of the node.
DEATH_WITHIN = timedelta(seconds=5)
# The same for a container that has certainly ended: a busy kubelet tells of it late.
OVER_LOOKS = 40

# For how long, in seconds, the wait for a session may be over its time: it knows best why.
_GRACE_SECONDS = 2.0
# After how long, in seconds, input that nobody has asked for is worth a line.
UNREAD_SECONDS = 5.0

UNREACHED = (
    exec_stream.NoWebSocket,
    exec_stream.NotStarted,
    exec_stream.Refused,
    exec_stream.Unsure,
)


class Uploads(NamedTuple):
    """What goes along: files beside the toolkit's, and lines for the banner, as far as known.

    ``begins`` is called when the session begins, ``check`` proves that the seed is ours, ``gone``
    says why the copy is no longer there.
    """

    entries: tuple[Entry, ...] = ()
    facts: Callable[[SessionTarget], list[str]] = lambda place: []
    begins: Callable[[], None] = lambda: None
    check: SeedCheck | None = None
    gone: Callable[[], str] = lambda: BY_ANOTHER


NOTHING = Uploads()


def run_session(
    request: SessionRequest,
    context: Context,
    place: SessionTarget,
    tty: bool,
    limit: SessionLimit,
    uploads: Uploads = NOTHING,
) -> ExecOutcome:
    """Wait for the session's container, and carry the session until it ends."""
    with private_folder() as folder:
        remote = open_session(request, context, place, tty, folder, uploads)
        context.console.settle()
        outcome = carry(remote, request, context, place, tty, limit, uploads)
    if outcome.lost or outcome.code == KILLED:
        tell_of_the_copy(context, place, uploads)
    elif is_over(outcome.problem):
        refuse_ended(context, place, uploads)
    return outcome


def tell_of_the_copy(context: Context, place: SessionTarget, uploads: Uploads) -> None:
    """Say so where a session was killed because its copy has ended."""
    watch = CopyWatch(context.cluster, place, uploads.gone)
    with contextlib.suppress(ClusterError):
        state = context.interrupts.run(lambda: watch.look(LOOK_SECONDS))
        if isinstance(state, Failed):
            context.console.error("; ".join(filter(None, (state.why, state.hint))))


def refuse_ended(context: Context, place: SessionTarget, uploads: Uploads) -> None:
    """Raise CopyNotReady where the session's container has ended before the session began."""
    watch = CopyWatch(context.cluster, place, uploads.gone)

    def look() -> None:
        for _ in range(OVER_LOOKS):
            state = watch.look(LOOK_SECONDS)
            if isinstance(state, Failed):
                raise CopyNotReady(state.why, hint=state.hint, beside=state.beside)
            context.clock.sleep(DEATH_LOOK_EVERY)

    with contextlib.suppress(ClusterError):
        context.interrupts.run(look)


def death_of_target(context: Context, place: SessionTarget) -> str:
    """Return how the target has ended under a session, in words; empty where it has not.

    An app that has started again tells of an earlier end, too. The API tells of one up to a
    second later, so a held target, which has no reason to end, is asked whether it is there.
    """
    path = api.pods(place.namespace, place.pod)
    earliest: datetime | None = None
    for _ in range(DEATH_LOOKS):
        try:
            answer = context.cluster.get(path, LOOK_SECONDS)
        except ClusterError:
            return ""
        if earliest is None:
            earliest = answer.at - DEATH_WITHIN
            # At once, for it is soon started again.
            if place.held and still_runs(context, place):
                return ""
        if is_going(answer.body) or has_ended(answer.body):
            # The copy has ended, and its target with it: that has been told.
            return ""
        status = status_of(answer.body, place.target) or {}
        states = (status.get("state") or {}, status.get("lastState") or {})
        ended = next((state["terminated"] for state in states if state.get("terminated")), None)
        if ended and (api_time(ended.get("finishedAt")) or earliest) >= earliest:
            return f"container {place.target} {how_it_ended(ended)}, and the session with it"
        context.clock.sleep(DEATH_LOOK_EVERY)
    return ""


def still_runs(context: Context, place: SessionTarget) -> bool:
    """Say whether the seed in the target answers; false where that can't be known."""
    where = (place.namespace, place.pod, place.target)
    endpoint = context.cluster.exec_endpoint(*where, (archive.SEED, "version"), False)
    endpoint = endpoint._replace(timeout=LOOK_SECONDS)
    try:
        outcome, _ = exec_stream.converse(
            exec_stream.connect_exec(endpoint, exec_stream.V4), b"", LOOK_SECONDS
        )
    except (*UNREACHED, OSError):
        return False
    return outcome.code == 0


def carry(
    remote: RemoteCommand,
    request: SessionRequest,
    context: Context,
    place: SessionTarget,
    tty: bool,
    limit: SessionLimit,
    uploads: Uploads,
) -> ExecOutcome:
    """Carry the session until it ends."""
    now, reads = context.clock.monotonic, request.stdin is not False
    uploads.begins()
    try:
        if tty:
            if not request.command:
                for line in (*uploads.facts(place), *shell.banner(place)):
                    context.console.info(line)
            with terminal.raw_session(remote, context.user, context.console) as raw:
                terminal.bridge(
                    remote, context.user, context.interrupts, now, limit.check, raw, reads
                )
        else:
            if not reads:
                remote.sendeof()
            with watch_stdin(remote, request, context, place) as wanted:
                hint = StdinHint(wanted, request.command, context) if wanted else None

                def tick() -> None:
                    limit.check()
                    if hint:
                        hint.check()

                terminal.bridge(
                    remote, context.user, context.interrupts, now, tick, None, reads, wanted
                )
    finally:
        remote.close()
    return remote.outcome()


def watch_stdin(
    remote: RemoteCommand, request: SessionRequest, context: Context, place: SessionTarget
) -> AbstractContextManager[StdinWatch | None]:
    """Return what tells when our stdin is to be read; None where it is read at once.

    A shell reads it, and without the seed nobody can tell.
    """
    asked = request.stdin is not None or not request.command
    if asked or not remote.input_id or terminal.stdin_has_ended(context.user.stdin):
        return contextlib.nullcontext()
    return StdinWatch(context.cluster, place, remote.input_id)


class StdinHint:
    """Say once that there is input which the command has not asked for.

    One that only looks now and then whether there is some, without waiting for it, is not seen.
    """

    def __init__(self, wanted: StdinWatch, command: tuple[str, ...], context: Context) -> None:
        self._wanted = wanted
        self._command = command
        self._desk = context
        self._next = context.clock.monotonic() + UNREAD_SECONDS

    def check(self) -> None:
        """Look, about once a second."""
        now, stdin = self._desk.clock.monotonic(), self._desk.user.stdin
        if now < self._next:
            return
        self._next = now + terminal.TICK_SECONDS
        if terminal.is_readable(self._wanted.fileno()):
            self._next = math.inf
        elif terminal.is_readable(stdin) and not terminal.stdin_has_ended(stdin):
            self._next = math.inf
            program = self._command[0]
            self._desk.console.info(
                f"{program} has not read stdin yet; -i passes it from the start"
            )


def open_session(
    request: SessionRequest,
    context: Context,
    place: SessionTarget,
    tty: bool,
    folder: Path,
    uploads: Uploads,
) -> RemoteCommand:
    """Return the session as soon as its container takes it."""
    exec_command = make_exec_command(request, context, place, tty, uploads)

    last = [""]

    def say(words: str) -> None:
        last[0] = words
        text = f"waiting for {place.pod}: {words}"
        context.console.progress(text, key=without_numbers(words))

    attempt = choose_transport(request.transport, context, exec_command, folder, say)

    def checked(state: State) -> RemoteCommand | None:
        tasks.raise_if_abandoned()
        return attempt(state)

    def wait() -> RemoteCommand:
        watch = CopyWatch(context.cluster, place, uploads.gone)
        return wait_for(
            checked,
            watch.look,
            watch.events,
            say,
            context.clock,
            Patience(request.timeout),
            StartNews(context.cluster, place),
        )

    say("the debug container starts" if place.in_place else "the copy starts")
    try:
        return context.interrupts.run(wait, RemoteCommand.close, request.timeout + _GRACE_SECONDS)
    except TimeoutError as error:
        # What it waits for has a longer end of its own.
        raise CopyNotReady(last[0], request.timeout, TIMEOUT_HINT) from error


def make_exec_command(
    request: SessionRequest, context: Context, place: SessionTarget, tty: bool, uploads: Uploads
) -> ExecCommand:
    """Return the session's command, and the toolkit where it has to be brought."""
    command = shell.shell_command(place, request.command, tty, request.shell)
    return ExecCommand(
        place.namespace,
        place.pod,
        place.container,
        command,
        tty,
        context.user.size(),
        repeatable=not request.command,
        toolkit=pack(request, place, tty, uploads) if place.has_seed else None,
        loose=unwatched_command(command, place.session_id) if place.in_place else None,
        check=uploads.check,
        reads=request.stdin is not False,
    )


def pack(request: SessionRequest, place: SessionTarget, tty: bool, uploads: Uploads) -> bytes:
    """Return all that the seed receives: busybox, the user's own tools, the shell's helpers."""
    # A shell on a terminal reads the helpers, and makes the links.
    shipped = archive.shipped_entries(place.arch, linked=bool(request.command) or not tty)
    mine = [entry for path in request.toolkit_files for entry in archive.user_entries(path)]
    helpers = Entry("rc", shell.shell_helpers(place).encode(), 0o644)
    return archive.pack_entries([*shipped, *mine, helpers, *uploads.entries])


def choose_transport(
    wanted: str,
    context: Context,
    exec_command: ExecCommand,
    folder: Path,
    say: Callable[[str], None],
) -> Attempt:
    """Return how to try to reach the command; ``say`` tells what is waited for."""
    kubectl = KubectlTransport(context.cluster, exec_command, folder)
    if wanted == "kubectl":
        return kubectl.attempt
    websocket = WebSocketTransport(context.cluster, exec_command, say)
    if wanted == "websocket":
        return only_websocket(websocket)
    return websocket_or_kubectl(websocket, kubectl, context.console.info)


class SessionLimit:
    """End a session that has been forgotten or whose copy is about to end; say so before."""

    def __init__(self, longest: float, deadline: float | None, context: Context) -> None:
        """Begin; ``deadline`` is the copy's, in seconds from now, where it has one."""
        self._longest, self._why = longest, "--max allows longer ones"
        if deadline is not None and deadline < longest:
            self._longest, self._why = deadline, "its copy has no lease"
        self._desk = context
        self._began = context.clock.monotonic()
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
