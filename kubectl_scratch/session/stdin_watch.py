"""Say when a session's command asks for input: until then our stdin belongs to others.

``while read -r pod; do kubectl scratch debug "$pod" -- hostname; done`` must not lose its list to
the first ``hostname``. The seed in the container sees who waits in a read of the session's stdin.
"""

from __future__ import annotations

import math
import os
import select
import stat
import threading
import time

from kubectl_scratch.kube import exec_stream
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_errors import UNREACHED, is_over
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.readiness import KILLED
from kubectl_scratch.toolkit.archive import SEED

# Proxies cut what idles, and the command may run for hours; in seconds.
PING_EVERY = 20.0
# After which pause a connection that is lost is made again: then twice as long, up to the above.
_TRY_EVERY = 1.0
# After how many seconds input that nobody has asked for is worth a line, and how often to look.
UNREAD_SECONDS, _LOOK_EVERY = 5.0, 1.0


class StdinWatch:
    """Watch the stdin of a session's command, beside the session.

    ``fileno()`` is readable once input is wanted, and if that cannot be known.
    """

    def __init__(self, cluster: Client, place: SessionTarget, stdin: str) -> None:
        """Begin; ``stdin`` is what the seed has said of it."""
        self._cluster = cluster
        self._place = place
        self._stdin = stdin
        self._told, self._tell = os.pipe()
        self._over = threading.Event()
        self._task = Task(self._watch)

    def __enter__(self) -> StdinWatch:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        os.close(self._told)

    def fileno(self) -> int:
        """Return a descriptor that is readable once input is wanted."""
        return self._told

    def _watch(self) -> None:
        # If it cannot be known, stdin is read, as without us; but what has ended with its container
        # says nothing: its session ends, too.
        try:
            if not self._is_wanted():
                self._over.wait()
        finally:
            os.close(self._tell)

    def _is_wanted(self) -> bool:
        """Wait until input is wanted, or cannot be watched for; return false if neither is so."""
        first, pause = True, _TRY_EVERY
        while not self._over.is_set():
            try:
                outcome = self._listen()
            except (*UNREACHED, OSError):
                if first:
                    return True
            else:
                if outcome.code == 0 or (first and _is_no_watch(outcome)):
                    return True
                if not outcome.lost:
                    return False
            first = False
            self._over.wait(pause)
            pause = min(2 * pause, PING_EVERY)
        return False

    def _listen(self) -> ExecOutcome:
        place, words = self._place, (SEED, "wants", self._stdin)
        where = (place.namespace, place.pod, place.container)
        watching = exec_stream.connect_exec(
            self._cluster.exec_endpoint(*where, words, False), exec_stream.V4
        )
        try:
            pinged = time.monotonic()
            while not watching.ended and not self._over.is_set():
                exec_stream.run_exec(watching)
                if time.monotonic() - pinged > PING_EVERY:
                    pinged = time.monotonic()
                    watching.ping()
        finally:
            # With the connection the seed's stdin ends, and it ends, too.
            watching.close()
        return watching.outcome


def _is_no_watch(outcome: ExecOutcome) -> bool:
    """Say whether the seed could not even begin, in a container that runs."""
    if outcome.lost or outcome.code == KILLED:
        return False
    return outcome.code is not None or not is_over(outcome.problem)


class StdinHint:
    """Say once that there is input which the command has not asked for.

    One that only looks now and then whether there is some, without waiting for it, is not seen.
    """

    def __init__(self, wanted: StdinWatch, command: tuple[str, ...], context: Context) -> None:
        self._wanted = wanted
        self._command = command
        self._context = context
        self._next = context.clock.monotonic() + UNREAD_SECONDS

    def check(self) -> None:
        """Look, about once a second."""
        now, stdin = self._context.clock.monotonic(), self._context.user.stdin
        if now < self._next:
            return
        self._next = now + _LOOK_EVERY
        if is_readable(self._wanted.fileno()):
            self._next = math.inf
        elif is_readable(stdin) and not stdin_has_ended(stdin):
            self._next = math.inf
            program = self._command[0]
            self._context.console.info(
                f"{program} has not read stdin yet; use -i to pass it from the start"
            )


def is_readable(descriptor: int) -> bool:
    """Say whether a read would not wait."""
    return bool(select.select([descriptor], [], [], 0)[0])


def stdin_has_ended(stdin: int) -> bool:
    """Say whether a stdin certainly has nothing to read any more: /dev/null, a pipe's dead end."""
    status = os.fstat(stdin)
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev == os.stat(os.devnull).st_rdev
    look = select.poll()
    look.register(stdin, select.POLLIN)
    return any(event == select.POLLHUP for _, event in look.poll(0))
