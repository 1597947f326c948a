"""The heartbeat: renew a lease for as long as its session lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kubectl_scratch.copies.created_object import problem_of
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json, is_going, uid
from kubectl_scratch.plan import lease
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.runtime.tasks import Task

# A third of the lease: two beats may get lost.
BEATS_PER_LEASE = 3
# How often a sleeping heartbeat looks at the clock: a laptop may have slept.
_SLICE_SECONDS = 5.0
STOP_SECONDS = 5.0


class Heartbeat:
    """Renew a lease from a thread of its own, until it is stopped or the lease is gone.

    ``tell`` gets the warnings: that the lease is lost, which only the cluster can say, and once
    that it cannot be renewed at the moment. ``unfinished`` is called if the lease does not count
    down because no controller has completed the Job, until it returns True. ``ttl`` is in
    seconds, ``since`` the moment at which the lease was asked for.
    """

    def __init__(
        self,
        cluster: Client,
        job: Json,
        session_id: str,
        ttl: float,
        tell: Callable[[str], None],
        since: tuple[float, float],
        unfinished: Callable[[], bool] = lambda: True,
    ) -> None:
        self._cluster = cluster
        self._path = paths.jobs(job["metadata"]["namespace"], job["metadata"]["name"])
        self._uid = uid(job)
        self._session_id = session_id
        self._ttl = ttl
        self._tell = tell
        self._unfinished = unfinished
        self._told = False
        self._renewed = since
        self._stopped = threading.Event()
        self._beating = threading.Lock()
        self._task: Task[None] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._task = Task(self._run)

    def stop(self) -> None:
        """Stop, after a renewal that is under way: it would undo what a leave does."""
        self._stopped.set()
        if self._task is not None:
            # It asks for nothing more, and waits for no API server that is busy.
            self._task.abandon()
        if self._beating.acquire(timeout=STOP_SECONDS):
            self._beating.release()

    @property
    def is_over(self) -> bool:
        """Say whether the lease has expired because it was not renewed."""
        return _elapsed(self._renewed) >= self._ttl

    def _run(self) -> None:
        missed = 0
        while self._wait(self._ttl / BEATS_PER_LEASE):
            try:
                with self._beating:
                    gone = "" if self._stopped.is_set() else self._beat()
            except Exception as error:
                # Whatever it is, the next beat may get through: a thread that ends in silence
                # would take the copy along, in the middle of the session.
                missed += 1
                # Said once, with a third of the lease left.
                if missed == BEATS_PER_LEASE - 1:
                    self._say("cannot be renewed at the moment", problem_of(error))
                continue
            if gone:
                self._say("is lost", gone)
                return
            if missed >= BEATS_PER_LEASE - 1 and not self._stopped.is_set():
                self._tell("the lease is renewed again")
            missed = 0

    def _say(self, what: str, problem: str) -> None:
        if not self._stopped.is_set():
            end = f"the copy is deleted within {duration_words(self._ttl)}"
            self._tell(f"the lease {what} ({problem}): {end}")

    def _wait(self, seconds: float) -> bool:
        """Wait; return False if stopped. A beat too early does no harm."""
        began = now()
        while _elapsed(began) < seconds:
            if self._stopped.wait(min(_SLICE_SECONDS, seconds / 4)):
                return False
        return not self._stopped.is_set()

    def _beat(self) -> str:
        """Move the lease's end; return why the lease is gone, or nothing.

        Raises ClusterError if that failed this time: the lease is gone only if the cluster has
        none of that UID.
        """
        began = now()
        try:
            found = self._cluster.get(self._path)
        except ClusterError as error:
            if error.gone:
                return error.message
            raise
        if uid(found.body) != self._uid or is_going(found.body):
            return "it is being deleted"
        patch = lease.renewal(found.body, self._session_id, found.at, self._ttl)
        # One that is under way for longer than a leave waits for would add the entry again.
        patch["metadata"]["resourceVersion"] = found.body["metadata"].get("resourceVersion")
        self._cluster.patch(self._path, patch)
        self._renewed = began
        if "spec" not in patch and not self._told:
            self._told = self._unfinished()
        return ""


def now() -> tuple[float, float]:
    """Return this moment of the monotonic and of the wall clock."""
    return time.monotonic(), time.time()


def _elapsed(since: tuple[float, float]) -> float:
    """Return the seconds since a moment of the monotonic and of the wall clock.

    The monotonic clock may stand still while a laptop sleeps and the wall clock may jump:
    whichever has gone further counts.
    """
    return max(time.monotonic() - since[0], time.time() - since[1])
