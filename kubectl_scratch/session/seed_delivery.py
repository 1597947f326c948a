"""Bring the toolkit to the seed in a container, before the session's command starts there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.errors import ClusterError, SessionError
from kubectl_scratch.kube import exec_stream, paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_errors import MaybeStarted, NotStarted, is_not_started, is_over
from kubectl_scratch.kube.objects import status_of
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.readiness import KILLED
from kubectl_scratch.toolkit.archive import SEED

# A container that ends under the seed is waited for; it may also be the seed that is killed. How
# often that may be, and after how many seconds it is another one.
ENDS, ENDS_EVERY = 5, 1.0
ENDED_EACH_TIME = "the seed that receives them is killed each time"

# How the seed takes the toolkit: over the session's own stdin, between two bytes that it writes
# on stdout, or over that of an exec before the session's.
START, RECEIVE, ENTER = (SEED, "start", "--"), (SEED, "recv"), (SEED, "enter", "--")
ASKS, HAS_ALL = b"\x05", b"\x06"
GREETING = re.compile(rb"([0-9a-f]{64}) ([0-9]+:[0-9]+)\Z")
# For how long, in seconds, it may be silent, and the toolkit be on its way; if the line is
# slow that is said.
_ASK_SECONDS, RECEIVE_SECONDS = 60.0, 120.0
SLOW_SECONDS = 1.0
# How often meanwhile to look whether the container runs, and how long such a look may take.
LIVES_EVERY, LIVES_SECONDS = 2.0, 3.0
BACK_OFF, IS_OVER = "CrashLoopBackOff", "its container has ended"


class Greeting(NamedTuple):
    """What a seed says: its own SHA-256, and what its stdin is, as DEVICE:INODE."""

    digest: str = ""
    stdin: str = ""


def send_seed(
    session: exec_stream.ExecStream,
    toolkit: bytes,
    say: Callable[[str], None],
    check: SeedCheck | None = None,
    lives: Callable[[], bool] = lambda: True,
) -> Greeting:
    """Give the seed the toolkit once it asks for it; ``say`` what is waited for if it takes long.

    ``lives`` says whether the container still runs. Raises NotStarted if no seed runs that could
    ask, or if it was ended with its container, MaybeStarted if the connection was cut before, and
    SessionError if ``check`` finds that it is not our seed, or the toolkit was not received whole.
    The session's command has not been started then.
    """
    asked, said = exec_stream.expect(session, ASKS, SLOW_SECONDS)
    if not asked and not session.ended:
        say("the seed has not answered yet")
        asked, said = _expect(session, ASKS, _ASK_SECONDS, lives)
    if asked:
        greeting = read_greeting(said)
        if check is not None:
            check.confirm(greeting.digest)
        session.queue(toolkit)
        came, said = exec_stream.expect(session, HAS_ALL, SLOW_SECONDS)
        if not came and not session.ended:
            say(f"sending {len(toolkit) / 1e6:.1f} MB of tools")
            came, said = _expect(session, HAS_ALL, RECEIVE_SECONDS, lives)
        if came:
            return greeting
    outcome = session.outcome
    problem = outcome.problem if session.ended else "the seed did not answer"
    if not asked and outcome.lost and session.ended:
        raise MaybeStarted(problem)
    if session.ended and not outcome.lost:
        if not asked and (is_not_started(problem) or is_over(problem)):
            raise NotStarted(problem)
        if ends_with_its_container(outcome.code, problem):
            raise SeedEnded(problem)
    raise not_received(said.decode(errors="replace").strip() or problem)


def _expect(
    session: exec_stream.ExecStream, byte: bytes, seconds: float, lives: Callable[[], bool]
) -> tuple[bool, bytes]:
    """Wait for a byte on stdout, as expect does; raises SeedEnded once it cannot come any more."""
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
                paths.pods(exec_command.namespace, exec_command.pod), LIVES_SECONDS
            ).body
        except ClusterError:
            return True
        status = status_of(pod, exec_command.container) or {}
        state = status.get("state") or {}
        before, self._id = self._id, str(status.get("containerID") or "")
        # The status of one that is new comes late.
        ended = state.get("terminated") or (state.get("waiting") or {}).get("reason") == BACK_OFF
        return not ended and before in ("", self._id)


class SeedEnded(NotStarted):
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

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count, self._last = 0, 0.0

    def note(self, why: str) -> None:
        """Count one more; raises SessionError once it seems to be the seed that is killed."""
        now = self._clock()
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
    problem = f"cannot copy the tools into the container: {why or 'no reason given'}"
    return SessionError(problem, "use --image to bring them as an image")
