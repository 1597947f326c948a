"""The lease: a Job whose TTL removes the copy when nobody renews it.

A Job with ``completions: 0`` is Complete as soon as its controller sees it. With
``ttlSecondsAfterFinished`` the TTL controller then deletes it, and the garbage collector
whatever it owns, with no client alive.
https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from kubectl_scratch.podjson import Json, uid

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "kubectl-scratch"
SESSION_LABEL = "kubectl-scratch/session"
SOURCE_ANNOTATION = "kubectl-scratch/source"
CONTAINER_ANNOTATION = "kubectl-scratch/container"


def labels(session_id: str) -> dict[str, str]:
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
        "metadata": {"name": name, "labels": labels(session_id), "annotations": annotations},
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


def server_time(date_header: str) -> datetime:
    """Return the moment that an answer's Date header names."""
    return parsedate_to_datetime(date_header)


def renewed_ttl(job: Json, now: datetime, ttl: float) -> int | None:
    """Return the ``ttlSecondsAfterFinished`` that ends the lease ``ttl`` seconds after ``now``.

    Both times are the cluster's: the TTL counts from the Job's completionTime. None until the
    Job controller has said when that was.
    """
    completed = (job.get("status") or {}).get("completionTime")
    if not completed:
        return None
    since = datetime.strptime(completed, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return math.ceil((now - since).total_seconds() + ttl)


def renewal_patch(job: Json, ttl: int) -> Json:
    """Return the patch that moves the lease's end; the UID keeps it off a namesake."""
    return {"metadata": {"uid": uid(job)}, "spec": {"ttlSecondsAfterFinished": ttl}}
