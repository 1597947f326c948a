"""Join a copy that another session has created."""

from __future__ import annotations

from kubectl_scratch.copies.created_object import JOB, POD, CreatedObject
from kubectl_scratch.copies.membership import CopyMembership, CopyTerms
from kubectl_scratch.copies.seed_check import mark_in_copy
from kubectl_scratch.errors import ClusterError, InvalidRequest
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.connection import check_container
from kubectl_scratch.kube.objects import (
    Json,
    is_going,
    name,
    uid,
)
from kubectl_scratch.kube.retry import despite_conflicts
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.model import APP, TOOLS, SessionTarget
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.runtime.names import ARCHITECTURES, COMMAND


class JoinedCopy(CopyMembership):
    """Join a copy that another session has created, through its lease."""

    def __init__(
        self,
        pod: Json,
        session_id: str,
        terms: CopyTerms,
        cluster: Client,
        interrupts: Interrupts,
        console: Console,
        view: str | None = None,
    ) -> None:
        place = target_in_copy(pod, view)
        super().__init__(place, session_id, terms, cluster, interrupts, console)
        self._pod = pod

    def _begin(self) -> None:
        job = CreatedObject(JOB, self.place.namespace, self.place.pod)
        try:
            found = self._cluster.get(job.path)
        except ClusterError as error:
            if not error.gone:
                raise
            problem = f"copy {self.place.pod!r} has no lease, so only one session can use it"
            raise InvalidRequest(problem) from error
        foreign = lease.why_foreign(self._pod, found.body)
        if foreign:
            problem = f"pod {name(self._pod)!r} is not a copy made by {COMMAND}: {foreign}"
            raise InvalidRequest(problem, "nothing was changed")
        if is_going(self._pod) or is_going(found.body):
            raise InvalidRequest(f"copy {self.place.pod!r} is being deleted")
        self.seed = mark_in_copy(self._pod, uid(found.body)) if self.place.has_seed else None
        patch = lease.renewal(found.body, self._session_id, found.at, self._terms.ttl)
        self._objects = [
            job._replace(uid=uid(found.body)),
            job._replace(kind=POD, uid=uid(self._pod)),
        ]
        self._entered = True
        try:
            despite_conflicts(lambda: self._cluster.patch(job.path, patch))
        except ClusterError as error:
            if not error.transient:
                # Refused, so we are not in it, and it is not ours to delete.
                self._objects.clear()
            raise
        self._start_heartbeat(found.body)
        self._interrupts.check()


def target_in_copy(copy: Json, view: str | None = None) -> SessionTarget:
    """Return the target of a session in an existing copy; the default view is its first one's.

    Raises InvalidRequest for a pod that is not a copy, or has no such view.
    """
    if metadata.why_no_copy(copy):
        problem = f"pod {name(copy)!r} is not a copy made by {COMMAND}"
        raise InvalidRequest(problem, "use debug to make one")
    found = metadata.target_of_copy(copy)
    # It becomes a part of the shell's helpers, and anyone may have written it.
    check_container(found.target)
    return _checked(found._replace(view=view or found.view))


def awaits_debug_container(copy: Json, view: str | None) -> bool:
    """Say whether a session in that view waits for a debug container that is not yet added."""
    found = metadata.target_of_copy(copy)
    to_come = metadata.says_copy(copy) and not metadata.is_alone(copy)
    return to_come and (view or found.view) == TOOLS and not found.debug_container


def _checked(place: SessionTarget) -> SessionTarget:
    if place.arch not in ARCHITECTURES:
        raise InvalidRequest(f"no toolkit for the copy's architecture {place.arch!r}")
    if place.view == APP and place.target not in place.seeded:
        problem = f"copy {place.pod!r} has no toolkit inside its target"
        raise InvalidRequest(problem, "use --view tools for the debug container")
    if place.view != APP and not place.debug_container:
        problem = f"copy {place.pod!r} has no debug container"
        raise InvalidRequest(problem, "use --view app for its target")
    return place
