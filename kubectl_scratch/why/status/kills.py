"""Whether the kubelet has ended a container, or the app itself.

kubernetes/kubernetes, pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer).
"""

from __future__ import annotations

from datetime import timedelta

from kubectl_scratch.kube.objects import Json, api_time
from kubectl_scratch.plan.target_health import LOOPS_WITHIN
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.status.subjects import Subject
from kubectl_scratch.why.status.told import seen_time, times_of

# How much later than announced a container may end, beside its own time for it, in seconds.
_LATE, _GRACE = timedelta(seconds=10), 30
# How a program ends that is told to stop, or killed.
_STOPPED = (0, 137, 143)


def has_killed(facts: ClusterFacts, subject: Subject, kills: list[Json]) -> bool:
    """Say whether the kubelet ended a container, by the events of this, the newest first.

    The last end has come in time after an announcement, or most have. Events get lost, so an exit
    code with which a program that is told to stop ends is enough.
    """
    if not kills or (_is_well(subject) and not has_just_ended(facts, subject)):
        return False
    often = 2 * sum(map(times_of, kills)) >= (subject.status.get("restartCount") or 0)
    stopped = subject.ended.get("exitCode") in _STOPPED
    return often or stopped or _is_timely(facts, subject, kills[0])


def _is_well(subject: Subject) -> bool:
    return subject.runs and bool(subject.status.get("ready"))


def has_just_ended(facts: ClusterFacts, subject: Subject) -> bool:
    """Say whether a container has ended so lately that this may be what is asked about."""
    finished = api_time(subject.ended.get("finishedAt"))
    return finished is None or facts.now is None or facts.now - finished <= LOOPS_WITHIN


def _is_timely(facts: ClusterFacts, subject: Subject, kill: Json) -> bool:
    """Say whether a container ended as a kill has announced."""
    finished, told = api_time(subject.ended.get("finishedAt")), seen_time(kill)
    if finished is None or told is None:
        return False
    grace = facts.pod["spec"].get("terminationGracePeriodSeconds") or _GRACE
    return timedelta() <= finished - told <= timedelta(seconds=grace) + _LATE
