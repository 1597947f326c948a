"""Read why a workload has no pods: its own status, that of what it made, and the events of both."""

from __future__ import annotations

from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.kinds import KINDS
from kubectl_scratch.kube.objects import Json, annotations_of, name, namespace, uid
from kubectl_scratch.lookup.quiet_reads import items_or_none, object_or_none
from kubectl_scratch.request import Target
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.why.facts import WorkloadFacts
from kubectl_scratch.why.status.told import seen_at

# What makes pods for another, by the kind of that.
_CHILDREN = {"deployment": "replicaset", "cronjob": "job"}
_REVISION = "deployment.kubernetes.io/revision"


def read_workload_facts(cluster: Client, target: Target) -> WorkloadFacts | None:
    """Read a workload; None for a pod or Service, and if it cannot be read."""
    if target.kind in ("pod", "service"):
        return None
    kind = KINDS[target.kind]
    where = cluster.namespace
    owner = object_or_none(cluster, paths.objects(kind.root, where, kind.plural, target.name))
    if not owner:
        return None
    told = Task(lambda: events_about(cluster, owner))
    child = _newest_child(cluster, target.kind, owner)
    of_child = events_about(cluster, child) if child else ()
    events = sorted((*told.result(), *of_child), key=seen_at)
    return WorkloadFacts(owner, target.kind, child, tuple(events))


def events_about(cluster: Client, obj: Json) -> tuple[Json, ...]:
    """Return the events of an object, and of no other that had its name, the oldest first."""
    path = paths.events(namespace(obj))
    found = items_or_none(cluster, path, fieldSelector=f"involvedObject.name={name(obj)}") or ()
    mine = (event for event in found if _is_about(event, uid(obj)))
    return tuple(sorted(mine, key=seen_at))


def _is_about(event: Json, wanted: str) -> bool:
    return (event.get("involvedObject") or {}).get("uid") in (None, "", wanted)


def _newest_child(cluster: Client, parent: str, owner: Json) -> Json | None:
    if parent not in _CHILDREN:
        return None
    kind = KINDS[_CHILDREN[parent]]
    path = paths.objects(kind.root, namespace(owner), kind.plural)
    mine = [each for each in items_or_none(cluster, path) or () if _is_owned(each, owner)]
    return max(mine, key=_age, default=None)


def _is_owned(obj: Json, owner: Json) -> bool:
    references = obj["metadata"].get("ownerReferences") or []
    return any(r.get("controller") and r.get("uid") == uid(owner) for r in references)


def _age(obj: Json) -> tuple[int, str]:
    """Return what sorts the newest last: a Deployment's revision, else the time of creation."""
    revision = annotations_of(obj).get(_REVISION, "")
    number = int(revision) if revision.isdecimal() else 0
    return number, str(obj["metadata"].get("creationTimestamp") or "")
