"""The copy's life: created with its lease, kept alive, always deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from types import TracebackType

from kubectl_scratch import cluster as api
from kubectl_scratch import lease
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.console import Console
from kubectl_scratch.errors import ClusterError, LeftoverCopy, Unreachable
from kubectl_scratch.interrupts import Interrupts
from kubectl_scratch.plan import Plan
from kubectl_scratch.podcopy import GRACE_SECONDS
from kubectl_scratch.podjson import Json, is_going, uid

DELETE_TRIES = 3
DELETE_TIMEOUT = 5.0
# A third of the lease: two beats may get lost.
BEATS_PER_LEASE = 3
# How often a sleeping heartbeat looks at the clock: a laptop may have slept.
SLICE_SECONDS = 5.0


@dataclass(frozen=True)
class Terms:
    """For how long a copy may outlive us, in seconds: its lease, or a deadline without one."""

    ttl: float
    deadline: float


class LivingCopy:
    """Create a copy and its lease; delete both on the way out, once, whatever happened.

    A signal is acted on between two steps and never inside one, so that whatever the cluster
    has created is known here. What could not be deleted is in ``leftover``.
    """

    def __init__(
        self, cluster: Cluster, plan: Plan, terms: Terms, interrupts: Interrupts, console: Console
    ) -> None:
        self.plan = plan
        self.leftover: LeftoverCopy | None = None
        self._cluster = cluster
        self._terms = terms
        self._interrupts = interrupts
        self._console = console
        self._created: list[tuple[str, str]] = []
        self._heartbeat: Heartbeat | None = None
        self._leased = True

    def __enter__(self) -> LivingCopy:
        try:
            owner = self._create_lease()
            self._interrupts.check()
            self._create_copy(owner)
            self._interrupts.check()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _create_lease(self) -> Json | None:
        """Create the lease; return None where the user may not, and say what that weakens."""
        try:
            job = self._create(api.jobs(self.plan.namespace), self.plan.lease)
        except ClusterError as error:
            if error.status != 403 or self._cluster.may(
                "create", "batch", "jobs", self.plan.namespace
            ):
                raise
            self._leased = False
            self._console.warning(
                "you may not create Jobs, so the copy has no lease: if this process is killed,"
                f" it stops after {self._terms.deadline:.0f} s, and its object stays"
            )
            return None
        self._heartbeat = Heartbeat(self._cluster, job, self._terms.ttl, self._console.warning)
        self._heartbeat.start()
        return job

    def _create_copy(self, owner: Json | None) -> None:
        copy = deepcopy(self.plan.copy)
        if owner is not None:
            copy["metadata"]["ownerReferences"] = [lease.owner_reference(owner)]
        else:
            copy["spec"]["activeDeadlineSeconds"] = int(self._terms.deadline)
        self._create(api.pods(self.plan.namespace), copy)

    def _create(self, path: str, manifest: Json) -> Json:
        """Create the object and note it; find out where no answer came."""
        own = f"{path}/{manifest['metadata']['name']}"
        try:
            created = self._cluster.create(path, manifest).body
        except Unreachable:
            self._note_if_ours(own, manifest)
            raise
        self._created.append((own, uid(created)))
        return created

    def _note_if_ours(self, path: str, manifest: Json) -> None:
        try:
            found = self._cluster.get(path).body
        except ClusterError as error:
            if error.status == 404:
                return
            # Nothing is known of it: the way out then names it, without a UID to delete it by.
            self._created.append((path, ""))
            return
        ours = manifest["metadata"]["labels"]
        if found["metadata"].get("labels") == ours:
            self._created.append((path, uid(found)))

    def add_debug_container(self) -> None:
        """Add the debug container, in the first form that the cluster accepts."""
        path = api.pods(self.plan.namespace, self.plan.copy_name, "ephemeralcontainers")
        *stronger, last = self.plan.debug_containers
        for container in stronger:
            try:
                self._patch_in(path, container)
                return
            except ClusterError as error:
                if error.status not in (403, 422):
                    raise
                self._interrupts.check()
        self._patch_in(path, last)

    def _patch_in(self, path: str, container: Json) -> None:
        patch = {"spec": {"ephemeralContainers": [container]}}
        self._cluster.patch(path, patch, api.STRATEGIC_PATCH)

    def _remove(self) -> None:
        self._interrupts.close()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if not self._created:
            self._console.settle()
            return
        troubles = {path: self._delete(path, own) for path, own in reversed(self._created)}
        self._console.settle()
        self._created.clear()
        left = {path: why for path, why in troubles.items() if why}
        if left:
            self.leftover = self._describe_leftover(left)

    def _delete(self, path: str, own: str) -> str:
        """Delete one object; return why it could not be, or nothing."""
        if not own:
            return "the cluster did not answer whether it was created"
        why = ""
        for again in range(DELETE_TRIES):
            if again:
                self._console.progress(f"deleting the copy: {why}; trying again")
                time.sleep(0.5 * again)
            try:
                self._cluster.delete(path, own, GRACE_SECONDS, DELETE_TIMEOUT)
                return ""
            except ClusterError as error:
                # 404: somebody was quicker. 409: the name is another object's by now.
                if error.status in (404, 409):
                    return ""
                why = error.message
                if 0 < error.status < 500 and error.status != 429:
                    return why
        return why

    def _describe_leftover(self, left: dict[str, str]) -> LeftoverCopy:
        """Name what is left: paths of objects, and why each could not be deleted."""
        kinds = ["job" if "/jobs/" in path else "pod" for path in left]
        what = " ".join(f"{kind}/{self.plan.copy_name}" for kind in kinds)
        if self._leased:
            otherwise = f"its lease removes it within {self._terms.ttl:.0f} s"
        else:
            otherwise = f"it stops after {self._terms.deadline:.0f} s, and its object stays"
        command = f"kubectl delete -n {self.plan.namespace} --now --ignore-not-found {what}"
        return LeftoverCopy(command, next(iter(left.values())), otherwise)


class Heartbeat(threading.Thread):
    """Renew a lease from a thread of its own, until it is stopped or the lease is lost.

    ``tell`` hears, once, that it is lost.
    """

    def __init__(
        self, cluster: Cluster, job: Json, ttl: float, tell: Callable[[str], None]
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._cluster = cluster
        self._path = api.jobs(job["metadata"]["namespace"], job["metadata"]["name"])
        self._uid = uid(job)
        self._ttl = ttl
        self._tell = tell
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the thread; a renewal that is under way does no harm."""
        self._stopped.set()

    def run(self) -> None:
        """Renew at a third of the lease."""
        while self._wait(self._ttl / BEATS_PER_LEASE):
            try:
                problem = self._beat()
            except Unreachable:
                # The next beat may get through; the session itself will notice a dead network.
                continue
            except ClusterError as error:
                problem = error.message
            if problem and not self._stopped.is_set():
                end = f"the copy is removed within {self._ttl:.0f} s"
                self._tell(f"the lease is lost ({problem}): {end}")
                return

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
        ttl = lease.renewed_ttl(found.body, found.at, self._ttl)
        if ttl is not None:
            self._cluster.patch(self._path, lease.renewal_patch(found.body, ttl))
        return ""
