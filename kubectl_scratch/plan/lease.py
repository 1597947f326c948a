"""The lease: a Job whose TTL removes the copy when nobody renews it.

A Job with ``completions: 0`` is Complete as soon as its controller sees it. With
``ttlSecondsAfterFinished`` the TTL controller then deletes it, and the garbage collector
whatever it owns, with no client alive.
https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from kubectl_scratch.kube.objects import (
    API_TIME,
    Json,
    annotations_of,
    api_time,
    labels_of,
    name,
    namespace,
    uid,
)

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "kubectl-scratch"
SESSION_LABEL = "kubectl-scratch/session"
SOURCE_ANNOTATION = "kubectl-scratch/source"
CONTAINER_ANNOTATION = "kubectl-scratch/container"
VIEW_ANNOTATION = "kubectl-scratch/view"
ARCH_ANNOTATION = "kubectl-scratch/arch"
# That no debug container will come beside the target.
ALONE_ANNOTATION = "kubectl-scratch/alone"
# For how many seconds the session that created the copy may last.
LONGEST_ANNOTATION = "kubectl-scratch/longest"
# The UID of the ConfigMap that the copy was created with: another one may come by its name.
SEED_ANNOTATION = "kubectl-scratch/seed-uid"


def session_labels(session_id: str) -> dict[str, str]:
    """Return the labels of all that a session creates; nothing else selects them."""
    return {MANAGED_BY: MANAGER, SESSION_LABEL: session_id}


def lease_manifest(
    name: str, session_id: str, image: str, ttl: float, annotations: dict[str, str]
) -> Json:
    """Return the Job; ``image`` is never pulled, ``ttl`` is in seconds.

    The pod template is never run, but admission policies and PodSecurity's warnings judge it.
    """
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": session_labels(session_id),
            "annotations": annotations,
        },
        "spec": {
            "completions": 0,
            "parallelism": 0,
            "ttlSecondsAfterFinished": math.ceil(ttl),
            "template": {"spec": _template(image)},
        },
    }


def _template(image: str) -> Json:
    tiny = {"cpu": "1m", "memory": "1Mi"}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "never-run",
                "image": image,
                "resources": {"requests": tiny, "limits": tiny},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
            }
        ],
    }


def owner_reference(job: Json) -> Json:
    """Return what the copy names as its owner.

    Neither ``controller`` (the Job controller would count the pod) nor
    ``blockOwnerDeletion`` (some clusters then ask for rights on finalizers).
    """
    metadata = job["metadata"]
    return {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": uid(job)}


def why_no_copy(pod: Json) -> str:
    """Return why a pod is no copy of ours; empty where it says of itself that it is one."""
    if labels_of(pod).get(MANAGED_BY) != MANAGER:
        return f"the pod has no label {MANAGED_BY}={MANAGER}"
    if not labels_of(pod).get(SESSION_LABEL):
        return f"the pod has no label {SESSION_LABEL}"
    if not annotations_of(pod).get(SOURCE_ANNOTATION):
        return f"the pod has no annotation {SOURCE_ANNOTATION}"
    return ""


def why_foreign(pod: Json, job: Json) -> str:
    """Return why a pod and a Job are not a copy of ours and its lease; empty where they are.

    Whoever may create pods can write our label and annotations on one, and name any Job as its
    owner: what is not as we make it, in every respect, is neither changed nor deleted.
    """
    problem = why_no_copy(pod)
    if problem:
        return problem
    if (name(job), namespace(job)) != (name(pod), namespace(pod)):
        return f"job {name(job)} is not called as the pod is"
    if labels_of(job).get(MANAGED_BY) != MANAGER:
        return f"job {name(job)} has no label {MANAGED_BY}={MANAGER}"
    if labels_of(job).get(SESSION_LABEL) != labels_of(pod)[SESSION_LABEL]:
        return f"job {name(job)} and the pod differ in their label {SESSION_LABEL}"
    if annotations_of(job).get(SOURCE_ANNOTATION) != annotations_of(pod)[SOURCE_ANNOTATION]:
        return f"job {name(job)} and the pod differ in their annotation {SOURCE_ANNOTATION}"
    for field in ("completions", "parallelism"):
        # Not by ==, for which False is zero.
        if repr(job["spec"].get(field)) != "0":
            return f"job {name(job)} runs pods: its {field} is not 0"
    if job["metadata"].get("ownerReferences"):
        return f"job {name(job)} belongs to something else"
    return _why_not_owned(pod, job)


def _why_not_owned(pod: Json, job: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    known = [{key: owner.get(key) for key in owner_reference(job)} for owner in owners]
    if known != [owner_reference(job)]:
        return f"the pod's only owner is not job {name(job)}"
    if owners[0].get("controller"):
        return f"job {name(job)} controls the pod"
    return ""


def longest_of(copy: Json) -> int:
    """Return for how many seconds its first session may last, as the copy says; else 0."""
    said = annotations_of(copy).get(LONGEST_ANNOTATION, "")
    return int(said) if re.fullmatch("[0-9]{1,9}", said) else 0


def age(obj: Json, now: datetime) -> int:
    """Return how many seconds ago an object was created."""
    created = api_time(obj["metadata"].get("creationTimestamp"))
    return 0 if created is None else max(math.ceil((now - created).total_seconds()), 0)


def renewed_ttl(job: Json, now: datetime, ttl: float) -> int | None:
    """Return the ``ttlSecondsAfterFinished`` that ends the lease ``ttl`` seconds after ``now``.

    Both times are the cluster's: the TTL counts from the Job's completionTime. None until the
    Job controller has said when that was.
    """
    completed = api_time((job.get("status") or {}).get("completionTime"))
    return None if completed is None else math.ceil((now - completed).total_seconds() + ttl)


def renewal(job: Json, session_id: str, now: datetime, ttl: float) -> Json:
    """Return the patch that prolongs the lease and the session's seat in it.

    The UID keeps it off a namesake. Another session may have asked for longer.
    """
    seat = {seat_of(session_id): expiry(now, ttl)}
    patch: Json = {"metadata": {"uid": uid(job), "annotations": seat}}
    longer = renewed_ttl(job, now, ttl)
    if longer is not None:
        longest = max(longer, job["spec"].get("ttlSecondsAfterFinished") or 0)
        patch["spec"] = {"ttlSecondsAfterFinished": longest}
    return patch


# Several sessions may stand in one copy, and the last one deletes it: each has a seat, an
# annotation of the lease that says until when it is taken.
SEAT = "session.kubectl-scratch/"


def seat_of(session_id: str) -> str:
    """Return the annotation of a session's seat."""
    return SEAT + session_id


def expiry(now: datetime, ttl: float) -> str:
    """Return until when a seat is taken, in the cluster's time."""
    return (now + timedelta(seconds=ttl)).strftime(API_TIME)


def leaving(job_uid: str, session_id: str) -> Json:
    """Return the patch that gives a seat back."""
    return {"metadata": {"uid": job_uid, "annotations": {seat_of(session_id): None}}}


def sessions_in(job: Json, now: datetime) -> int:
    """Return how many seats are taken."""
    seats = {key: value for key, value in annotations_of(job).items() if key.startswith(SEAT)}
    return sum(value > now.strftime(API_TIME) for value in seats.values())
