"""The lease: a Job whose TTL removes the copy if it is not renewed.

A Job with ``completions: 0`` is Complete as soon as its controller sees it. With
``ttlSecondsAfterFinished`` the TTL controller then deletes it, and the garbage collector
whatever it owns, with no client alive.
https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from kubectl_scratch.kube.objects import Json, api_time, name, namespace, uid
from kubectl_scratch.plan.metadata import (
    session_entry,
    session_labels,
    why_no_copy,
    why_other_session,
)


def lease_manifest(
    name: str, session_id: str, image: str, ttl: float, annotations: Mapping[str, str | None]
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
            "annotations": dict(annotations),
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


def why_foreign(pod: Json, job: Json) -> str:
    """Return why a pod and a Job are not a copy of ours and its lease; empty if they are.

    Whoever may create pods can write our label and annotations on one, and name any Job as its
    owner: what is not as we make it, in every respect, is neither changed nor deleted.
    """
    problem = why_no_copy(pod)
    if problem:
        return problem
    if (name(job), namespace(job)) != (name(pod), namespace(pod)):
        return f"job {name(job)} does not have the pod's name"
    problem = why_other_session(pod, job)
    if problem:
        return problem
    for field in ("completions", "parallelism"):
        # Not by ==, for which False is zero.
        if repr(job["spec"].get(field)) != "0":
            return f"job {name(job)} runs pods: its {field} is not 0"
    if job["metadata"].get("ownerReferences"):
        return f"job {name(job)} has an owner, which a lease never has"
    return _why_not_owned(pod, job)


def _why_not_owned(pod: Json, job: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    known = [{key: owner.get(key) for key in owner_reference(job)} for owner in owners]
    if known != [owner_reference(job)]:
        return f"job {name(job)} is not the only owner of the pod"
    if owners[0].get("controller"):
        return f"job {name(job)} controls the pod"
    return ""


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
    """Return the patch that prolongs the lease and the session's entry in it.

    The UID keeps it off a namesake. Another session may have asked for longer.
    """
    entry = session_entry(session_id, now + timedelta(seconds=ttl))
    patch: Json = {"metadata": {"uid": uid(job), "annotations": entry}}
    longer = renewed_ttl(job, now, ttl)
    if longer is not None:
        longest = max(longer, job["spec"].get("ttlSecondsAfterFinished") or 0)
        patch["spec"] = {"ttlSecondsAfterFinished": longest}
    return patch


def leaving(job_uid: str, session_id: str) -> Json:
    """Return the patch that removes a session from the lease."""
    return {"metadata": {"uid": job_uid, "annotations": session_entry(session_id, None)}}
