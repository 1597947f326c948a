"""Be a member of a copy: enter it, keep its lease alive, leave it; the last one deletes it."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.copies import heartbeat
from kubectl_scratch.copies.created_object import POD, CreatedObject, problem_of
from kubectl_scratch.copies.deletion import EXIT_TIMEOUT, Deletion, Undeleted, leftover_copy
from kubectl_scratch.copies.fallback_deadline import FallbackDeadline
from kubectl_scratch.copies.heartbeat import Heartbeat
from kubectl_scratch.copies.seed_check import SeedMark
from kubectl_scratch.errors import ClusterError, LeftoverCopy
from kubectl_scratch.kube.client import Answer, Client
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.model import TOOLS, SessionTarget
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.runtime.interrupts import Interrupts

BY_ANOTHER = "was deleted by someone else"


class CopyTerms(NamedTuple):
    """For how long a copy may outlive us, in seconds: its lease, or a deadline without one.

    ``longest`` is the session's.
    """

    ttl: float
    deadline: float
    longest: float = 0.0


class CopyMembership:
    """Have an entry in a copy's lease; the last session to leave deletes copy and lease, once.

    A signal is acted on between two steps and never inside one, so that whatever the cluster
    has created is known here. What could not be deleted is in ``leftover``. ``discovery_pod`` is
    the pod of an entrypoint discovery, ``undiscovered`` why there is none though it was planned.
    ``seed`` is the ConfigMap by which the tools come, if there is one.
    """

    def __init__(
        self,
        place: SessionTarget,
        session_id: str,
        terms: CopyTerms,
        cluster: Client,
        interrupts: Interrupts,
        console: Console,
    ) -> None:
        self.place = place
        self.leftover: LeftoverCopy | None = None
        self.discovery_pod = ""
        self.undiscovered = ""
        self.seed: SeedMark | None = None
        self._session_id = session_id
        self._terms = terms
        self._cluster = cluster
        self._interrupts = interrupts
        self._console = console
        # In the order of their creation, the lease first.
        self._objects: list[CreatedObject] = []
        self._heartbeat: Heartbeat | None = None
        self._leased = True
        self._entered = False
        self._fallback = FallbackDeadline(cluster, console, terms.longest, terms.ttl)
        self._since = heartbeat.now()

    def __enter__(self) -> CopyMembership:
        self._since = heartbeat.now()
        try:
            self._begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._leave()

    def session_begins(self) -> None:
        """Note that the session begins, and no longer waits for the node."""

    def beside(self) -> SessionTarget | None:
        """Return the debug container as the target of a session; None if there is none."""
        return self.place._replace(view=TOOLS) if self.place.debug_container else None

    def why_gone(self) -> str:
        """Return why the copy is gone, as the end of a sentence about it."""
        if self._heartbeat is not None and self._heartbeat.is_over:
            lasted = duration_words(self._terms.ttl)
            return f"was deleted: its lease of {lasted} was not renewed in time; raise --ttl"
        return BY_ANOTHER

    @property
    def deadline(self) -> float | None:
        """Return after how many seconds a copy without a lease ends."""
        return None if self._leased else self._terms.deadline

    def _begin(self) -> None:
        raise NotImplementedError

    def _start_heartbeat(self, job: Json) -> None:
        self._entered = True
        tell, ttl = self._console.warning, self._terms.ttl
        self._heartbeat = Heartbeat(
            self._cluster, job, self._session_id, ttl, tell, self._since, self._give_deadline
        )
        self._heartbeat.start()

    def _give_deadline(self) -> bool:
        """Give the copy a deadline; return False if there is none yet, as while it is created."""
        mine = (POD, self.place.pod)
        copy = next((o for o in self._objects if (o.kind, o.name) == mine and o.uid), None)
        return copy is not None and self._fallback.give(copy)

    def _leave(self) -> None:
        self._interrupts.close()
        deletion = Deletion(self._cluster, self._interrupts, self._console)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self._objects:
            self._console.progress("leaving the copy", log=False)
            try:
                left = self._leave_copy(deletion)
            except Exception as error:
                # Another session may be in it, so it must not be deleted.
                left = [(each, problem_of(error)) for each in self._objects]
            if left:
                flags = self._cluster.access.flags
                self.leftover = leftover_copy(left, flags, self._what_else_ends_it())
        self._console.settle()

    def _leave_copy(self, deletion: Deletion) -> Undeleted:
        """Delete the copy, unless other sessions remain; return what could not be deleted.

        Raises ClusterError if nobody can tell whether they remain.
        """
        lease_now = self._leave_lease(deletion) if self._entered else None
        others = 0
        if lease_now is not None:
            # If our own entry cannot be removed, it counts for nothing.
            others = metadata.sessions_in(lease_now.body, lease_now.at, self._session_id)
        if not others:
            return deletion.delete_all(self._objects)
        self._console.info(f"the copy is kept; other sessions in it: {others}")
        for each in self._objects:
            if self.discovery_pod and each.name == self.discovery_pod:
                # Nobody watches it any more.
                deletion.delete(each)
        return []

    def _leave_lease(self, deletion: Deletion) -> Answer | None:
        """Remove our entry from the lease, and return the lease; None if it is gone.

        The cluster's order of these patches decides who is last. Raises ClusterError if the
        lease's state stays unknown.
        """
        job = self._objects[0]
        patch = lease.leaving(job.uid, self._session_id)
        try:
            return deletion.ask(lambda: self._cluster.patch(job.path, patch, timeout=EXIT_TIMEOUT))
        except ClusterError as error:
            if error.gone:
                return None
            if error.transient:
                raise
        return deletion.find(job)

    def _what_else_ends_it(self) -> str:
        """Return what becomes of a copy that could not be deleted."""
        if self._fallback.failed:
            return "it stays until you delete it"
        if self._leased and not self._fallback.lasts:
            return f"its lease deletes it within {duration_words(self._terms.ttl)}"
        lasts = self._fallback.lasts or duration_words(self._terms.deadline)
        return f"it stops after {lasts}, but its object stays"
