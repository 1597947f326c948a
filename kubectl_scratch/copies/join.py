"""Join a copy that another session has created."""

from __future__ import annotations

from kubectl_scratch.copies.lifecycle import (
    CopyMembership,
    CopyTerms,
    Surroundings,
    despite_conflicts,
)
from kubectl_scratch.copies.seed_check import mark_in_copy
from kubectl_scratch.errors import ClusterError, InvalidRequest
from kubectl_scratch.kube import client as api
from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    annotations_of,
    find,
    is_going,
    labels_of,
    name,
    namespace,
    uid,
)
from kubectl_scratch.plan import lease
from kubectl_scratch.plan.model import APP, TOOLS, SessionTarget, TargetKind
from kubectl_scratch.plan.seed import has_toolkit, is_held
from kubectl_scratch.request import check_container
from kubectl_scratch.runtime.names import ARCHITECTURES, COMMAND


class JoinedCopy(CopyMembership):
    """Join a copy that another session has created, through its lease."""

    def __init__(
        self,
        pod: Json,
        session_id: str,
        terms: CopyTerms,
        surroundings: Surroundings,
        view: str | None = None,
    ) -> None:
        super().__init__(target_in_copy(pod, view), session_id, terms, surroundings)
        self._pod = pod

    def _begin(self) -> None:
        where = (self.place.namespace, self.place.pod)
        path = api.jobs(*where)
        try:
            found = self._cluster.get(path)
        except ClusterError as error:
            if not error.gone:
                raise
            problem = f"copy {self.place.pod!r} has no lease, so it takes one session only"
            raise InvalidRequest(problem) from error
        foreign = lease.why_foreign(self._pod, found.body)
        if foreign:
            problem = f"pod {name(self._pod)!r} is no copy of {COMMAND}: {foreign}"
            raise InvalidRequest(problem, "nothing was changed")
        if is_going(self._pod) or is_going(found.body):
            raise InvalidRequest(f"copy {self.place.pod!r} is being deleted")
        self.seed = mark_in_copy(self._pod, uid(found.body)) if self.place.has_seed else None
        patch = lease.renewal(found.body, self._session_id, found.at, self._terms.ttl)
        self._objects = [(path, uid(found.body)), (api.pods(*where), uid(self._pod))]
        self._seated = True
        try:
            despite_conflicts(lambda: self._cluster.patch(path, patch))
        except ClusterError as error:
            if not error.transient:
                # Refused, so we are not in it, and it is not ours to delete.
                self._objects.clear()
            raise
        self._start_heartbeat(found.body)
        self._interrupts.check()


def target_in_copy(copy: Json, view: str | None = None) -> SessionTarget:
    """Return where a session in an existing copy stands; the view is by default its first one's.

    Raises InvalidRequest for a pod that is no copy of ours, or has no such view.
    """
    known = annotations_of(copy)
    if lease.why_no_copy(copy):
        raise InvalidRequest(f"pod {name(copy)!r} is no copy of {COMMAND}", "debug makes one of it")
    target = known.get(lease.CONTAINER_ANNOTATION, "")
    # It becomes a part of the shell's helpers, and anybody may have written it.
    check_container(target)
    container = find(all_containers(copy), target) or {}
    ephemerals = copy["spec"].get("ephemeralContainers") or []
    beside = ephemerals[0] if ephemerals else {}
    both = [c for c in (container, beside) if has_toolkit(c)]
    return _checked(
        SessionTarget(
            kind=TargetKind.COPY,
            namespace=namespace(copy),
            pod=name(copy),
            session_id=labels_of(copy)[lease.SESSION_LABEL],
            debug_container=str(beside.get("name", "")),
            target=target,
            source=known[lease.SOURCE_ANNOTATION],
            view=view or known.get(lease.VIEW_ANNOTATION, TOOLS),
            held=is_held(container),
            seeded=frozenset(str(c["name"]) for c in both),
            arch=known.get(lease.ARCH_ANNOTATION, ARCHITECTURES[0]),
        )
    )


def awaits_debug_container(copy: Json, view: str | None) -> bool:
    """Say whether a session in that view needs a debug container that is still to be added."""
    known = annotations_of(copy)
    is_copy = lease.SOURCE_ANNOTATION in known and lease.ALONE_ANNOTATION not in known
    wanted = (view or known.get(lease.VIEW_ANNOTATION, TOOLS)) == TOOLS
    return is_copy and wanted and not copy["spec"].get("ephemeralContainers")


def _checked(place: SessionTarget) -> SessionTarget:
    if place.arch not in ARCHITECTURES:
        raise InvalidRequest(f"there are no tools for the copy's architecture {place.arch!r}")
    if place.view == APP and place.target not in place.seeded:
        problem = f"copy {place.pod!r} was made without a way into its target"
        raise InvalidRequest(problem, "--view tools stands beside it")
    if place.view != APP and not place.debug_container:
        problem = f"copy {place.pod!r} has no debug container"
        raise InvalidRequest(problem, "--view app stands inside its target")
    return place
