"""The heartbeat: renew a lease for as long as its session lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kubectl_scratch import cluster as api
from kubectl_scratch import lease
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.podjson import Json, is_going, uid
from kubectl_scratch.request import duration_words

# A third of the lease: two beats may get lost.
BEATS_PER_LEASE = 3
# How often a sleeping heartbeat looks at the clock: a laptop may have slept.
SLICE_SECONDS = 5.0
STOP_SECONDS = 5.0


class Heartbeat(threading.Thread):
    """Renew a lease from a thread of its own, until it is stopped or the lease is lost.

    ``tell`` hears, once, that it is lost. ``ttl`` is in seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        job: Json,
        session_id: str,
        ttl: float,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._cluster = cluster
        self._path = api.jobs(job["metadata"]["namespace"], job["metadata"]["name"])
        self._uid = uid(job)
        self._session_id = session_id
        self._ttl = ttl
        self._tell = tell
        self._stopped = threading.Event()
        self._beating = threading.Lock()

    def stop(self) -> None:
        """End it; a renewal that is under way comes to its end first, or would undo a leave."""
        self._stopped.set()
        if self._beating.acquire(timeout=STOP_SECONDS):
            self._beating.release()

    def run(self) -> None:
        """Renew at a third of the lease."""
        missed = 0
        while self._wait(self._ttl / BEATS_PER_LEASE):
            try:
                with self._beating:
                    problem = "" if self._stopped.is_set() else self._beat()
            except ClusterError as error:
                problem = error.message
                if error.transient or error.status == 401:
                    missed += 1
                    # The next beat may get through: said once, with a third of the lease left.
                    if missed == BEATS_PER_LEASE - 1:
                        self._say("can't be renewed just now", problem)
                    continue
            missed = 0
            if problem:
                self._say("is lost", problem)
                return

    def _say(self, what: str, problem: str) -> None:
        if not self._stopped.is_set():
            end = f"the copy is removed within {duration_words(self._ttl)}"
            self._tell(f"the lease {what} ({problem}): {end}")

    def _wait(self, seconds: float) -> bool:
        """Wait; return False when stopped.

        The monotonic clock may stand still while a laptop sleeps and the wall clock may jump:
        whichever has gone further counts, and a beat too early does no harm.
        """
        began, began_wall = time.monotonic(), time.time()
        while max(time.monotonic() - began, time.time() - began_wall) < seconds:
            if self._stopped.wait(min(SLICE_SECONDS, seconds / 4)):
                return False
        return not self._stopped.is_set()

    def _beat(self) -> str:
        """Move the lease's end; return why that can't be, or nothing."""
        found = self._cluster.get(self._path)
        if uid(found.body) != self._uid or is_going(found.body):
            return "it is being removed"
        patch = lease.renewal(found.body, self._session_id, found.at, self._ttl)
        self._cluster.patch(self._path, patch)
        return ""
