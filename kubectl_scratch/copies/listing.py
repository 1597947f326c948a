"""List what sessions have created: copies, and containers that --in-place has added to pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    api_time,
    find,
    init_containers,
    is_going,
    name,
    namespace,
    state_of,
)
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.entrypoint_discovery import WATCHER
from kubectl_scratch.plan.in_place import runs_since
from kubectl_scratch.plan.model import SessionTarget, TargetKind

IN_PLACE = TargetKind.IN_PLACE.value
RUNNING, ENDING, ENDED, _STARTING = "running", "ending", "ended", "starting"


class Listed(NamedTuple):
    """A copy, or a container in a pod; ``sessions`` and times are None if unknown."""

    namespace: str
    name: str
    source: str
    view: str
    state: str
    target: str
    by: str
    reason: str = ""
    sessions: int | None = None
    expires: datetime | None = None
    since: datetime | None = None


def find_listed(pods: Iterable[Json], jobs: Iterable[Json] | None, now: datetime) -> list[Listed]:
    """Return the copies and containers among pods, sorted; ``now`` is the cluster's time.

    ``jobs`` are the possible leases, None if they are unknown.
    """
    leases = {(namespace(job), name(job)): job for job in jobs or ()}
    found: list[Listed] = []
    for pod in pods:
        if is_copy(pod) and (jobs is None or not why_no_copy_of_ours(pod, leases)):
            # Without a lease it has no owner.
            job = leases.get(_key(pod)) if _owners(pod) else None
            found.append(listed_copy(pod, job, now))
        found += listed_containers(pod)
    return sorted(found, key=lambda row: (row.namespace, row.name))


def find_foreign(pods: Iterable[Json], jobs: Iterable[Json]) -> list[tuple[str, str]]:
    """Return the pods that have our label and are not copies, each with the reason."""
    leases = {(namespace(job), name(job)): job for job in jobs}
    whys = [(name(pod), why_no_copy_of_ours(pod, leases)) for pod in pods if is_copy(pod)]
    return [(pod, why) for pod, why in whys if why]


def why_no_copy_of_ours(pod: Json, leases: dict[tuple[str, str], Json]) -> str:
    """Return why a pod with our label is not a copy; empty if it is one."""
    if not _owners(pod):
        return ""
    job = leases.get(_key(pod))
    # A pod whose owner is gone is deleted by the cluster: there is nothing to do.
    if job is None:
        return "its owner is not a lease of kubectl-scratch, or no longer exists"
    return lease.why_foreign(pod, job)


def _owners(pod: Json) -> list[Json]:
    return pod["metadata"].get("ownerReferences") or []


def _key(obj: Json) -> tuple[str, str]:
    return namespace(obj), name(obj)


def is_copy(pod: Json) -> bool:
    """Say whether a pod is a copy; the pod of an entrypoint discovery is not."""
    return metadata.is_ours(pod) and find(init_containers(pod), WATCHER) is None


def listed_copy(pod: Json, job: Json | None, now: datetime) -> Listed:
    """Return the row of a copy; ``job`` is its lease."""
    target, creation = metadata.target_of_copy(pod), metadata.creation_of(pod)
    return Listed(
        namespace=namespace(pod),
        name=name(pod),
        source=target.source,
        view=metadata.says_view(pod),
        state=_state_of_pod(pod),
        target=target.target,
        by=creation.by,
        reason=creation.reason,
        sessions=None if job is None else metadata.sessions_in(job, now),
        expires=_deadline(pod) if job is None else _end_of_lease(job),
        since=api_time(pod["metadata"].get("creationTimestamp")),
    )


def _state_of_pod(pod: Json) -> str:
    if is_going(pod):
        return ENDING
    phase = (pod.get("status") or {}).get("phase")
    return {"Running": RUNNING, "Succeeded": ENDED, "Failed": ENDED}.get(str(phase), _STARTING)


def _deadline(pod: Json) -> datetime | None:
    """Return when a copy without a lease stops."""
    began = api_time((pod.get("status") or {}).get("startTime"))
    return _after(began, pod["spec"].get("activeDeadlineSeconds"))


def _end_of_lease(job: Json) -> datetime | None:
    completed = api_time((job.get("status") or {}).get("completionTime"))
    return _after(completed, job["spec"].get("ttlSecondsAfterFinished"))


def _after(since: datetime | None, seconds: float | None) -> datetime | None:
    return None if since is None or seconds is None else since + timedelta(seconds=seconds)


def listed_containers(pod: Json) -> Iterator[Listed]:
    """Yield the containers that --in-place has added to a pod."""
    for target, note in metadata.targets_in_place(pod):
        yield _of_container(pod, target, note)


def _of_container(pod: Json, target: SessionTarget, note: metadata.Note) -> Listed:
    container = target.container
    since = runs_since(pod, container)
    ended = state_of(pod, container).get("terminated") or {}
    return Listed(
        namespace=namespace(pod),
        name=f"{name(pod)}/{container}",
        source=target.source,
        view=IN_PLACE,
        state=ENDED if ended else RUNNING if since else _STARTING,
        target=target.target,
        by=note.by,
        sessions=0 if ended else None,
        expires=_after(since, note.limit),
        since=since or api_time(ended.get("startedAt")),
    )
