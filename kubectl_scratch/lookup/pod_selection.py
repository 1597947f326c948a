"""Choose one of several pods: the one that most needs debugging."""

from __future__ import annotations

from kubectl_scratch.kube.objects import (
    Json,
    condition,
    container_statuses,
    is_going,
)
from kubectl_scratch.plan import metadata

CRASHES, UNREADY, HEALTHY = range(3)


def candidate_pods(pods: list[Json]) -> list[Json]:
    """Return the pods that may be debugged, the one that needs it most first; no copies.

    Crashing pods are preferred, then pods that are not ready, then the newest; a pod that is
    being deleted comes last.
    """
    found = [pod for pod in pods if not metadata.says_copy(pod)]
    newest = sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))[::-1]
    return sorted(newest, key=lambda pod: (is_going(pod), health_of(pod)))


def health_of(pod: Json) -> int:
    """Return CRASHES, UNREADY or HEALTHY."""
    if crash_reason(pod):
        return CRASHES
    ready = condition(pod, "Ready")
    # A pod that has ended well is not ready either, and healthy.
    ended = (pod.get("status") or {}).get("phase") == "Succeeded"
    return HEALTHY if ended or (ready or {}).get("status") == "True" else UNREADY


def crash_reason(pod: Json) -> str:
    """Return how a container of the pod fails, in the cluster's word; empty if none does."""
    for status in container_statuses(pod):
        state = status.get("state") or {}
        waiting = (state.get("waiting") or {}).get("reason", "")
        if waiting == "CrashLoopBackOff":
            return str(waiting)
        if (state.get("terminated") or {}).get("exitCode"):
            return str(state["terminated"].get("reason") or "Error")
        last = (status.get("lastState") or {}).get("terminated") or {}
        if last.get("exitCode") and not status.get("ready"):
            return str(last.get("reason") or "Error")
    return ""


def why_chosen(pod: Json) -> str:
    """Return why this pod is used, as the end of a line about it."""
    failure = crash_reason(pod)
    if failure:
        return f"it is crashing ({failure})"
    return "it is not ready" if health_of(pod) == UNREADY else "it is the newest"
