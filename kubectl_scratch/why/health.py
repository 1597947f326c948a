"""Whether the cluster has a complaint about the target."""

from __future__ import annotations

from kubectl_scratch.kube.objects import condition, status_of
from kubectl_scratch.why.facts import ClusterFacts


def is_well(facts: ClusterFacts) -> bool:
    """Say whether the target is ready and was never restarted, as far as is known."""
    status = status_of(facts.pod, facts.target) or {}
    ready = condition(facts.pod, "Ready") or {}
    fine = not status or bool(status.get("ready")) or not ready
    return fine and not status.get("restartCount")
