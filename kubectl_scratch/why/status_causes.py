"""What Kubernetes itself knows of why a pod does not run: no run of the app is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kubectl_scratch.kube.objects import condition
from kubectl_scratch.why.facts import ClusterFacts, WorkloadFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.architecture import architecture_causes
from kubectl_scratch.why.status.claims import claim_causes
from kubectl_scratch.why.status.command import command_causes
from kubectl_scratch.why.status.config import config_causes
from kubectl_scratch.why.status.deadline import deadline_causes
from kubectl_scratch.why.status.hooks import hook_causes
from kubectl_scratch.why.status.identity import identity_causes
from kubectl_scratch.why.status.images import image_causes
from kubectl_scratch.why.status.memory import memory_causes
from kubectl_scratch.why.status.mounts import mount_causes
from kubectl_scratch.why.status.neighbours import neighbour_causes
from kubectl_scratch.why.status.probes import probe_causes
from kubectl_scratch.why.status.rejection import rejection_causes
from kubectl_scratch.why.status.removal import removal_causes
from kubectl_scratch.why.status.scheduling import scheduling_causes
from kubectl_scratch.why.status.subjects import FINDING, SEEN
from kubectl_scratch.why.status.waiting import waiting_causes
from kubectl_scratch.why.status.workload import workload_causes

STATUS_RULES: tuple[Callable[[ClusterFacts], Iterator[Cause]], ...] = (
    removal_causes,
    rejection_causes,
    scheduling_causes,
    claim_causes,
    image_causes,
    config_causes,
    mount_causes,
    identity_causes,
    command_causes,
    architecture_causes,
    memory_causes,
    hook_causes,
    probe_causes,
    deadline_causes,
)
# Only if no other has a finding: what they say is less exact.
LAST_RULES = (waiting_causes, neighbour_causes)


def explain_status(facts: ClusterFacts) -> tuple[Cause, ...]:
    """Return what the status and the events say, the most likely cause first."""
    found = [cause for rule in STATUS_RULES for cause in rule(facts)]
    found += _of_workload(facts)
    if needs_run(facts, found):
        found += [cause for rule in LAST_RULES for cause in rule(facts)]
    return tuple(_sorted(found))


def _of_workload(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield why what the user names has no pods; a pod that it has is asked about all the same."""
    there = bool(facts.pod["metadata"].get("uid"))
    ready = (condition(facts.pod, "Ready") or {}).get("status") == "True"
    for cause in workload_causes(facts.workload) if facts.workload else ():
        yield cause._replace(weight=min(cause.weight, SEEN)) if there and not ready else cause


def explain_no_pods(workload: WorkloadFacts) -> tuple[Cause, ...]:
    """Return why a workload has no pods, the most likely cause first."""
    return tuple(_sorted(workload_causes(workload)))


def _sorted(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(dict.fromkeys(causes), key=lambda cause: -cause.weight)


def needs_run(facts: ClusterFacts, causes: Iterable[Cause]) -> bool:
    """Say whether only a run of the app can tell why it does not work.

    What Kubernetes knows for certain is final: a copy would be refused, killed or left waiting in
    the same way.
    """
    return not any(cause.weight >= FINDING for cause in causes)
