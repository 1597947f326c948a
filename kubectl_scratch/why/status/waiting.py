"""What is still waited for, and containers that cannot start for a reason without a kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubectl_scratch.kube.objects import NOT_STARTED, condition, innermost, name
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import for_pod
from kubectl_scratch.why.status.subjects import FINDING, subjects
from kubectl_scratch.why.status.told import (
    GETTING_READY,
    event_line,
    events_of,
    flat,
    is_not_yet_read,
    lasting,
    of_container,
    seen_at,
    seen_time,
    unscheduled_line,
)

_REFUSED = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_LONG = timedelta(seconds=30)


def waiting_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield what holds a container up, in the runtime's words; other causes weigh more."""
    for subject in subjects(facts):
        ended = not subject.runs and subject.ended.get("reason") in NOT_STARTED
        said = str(subject.ended.get("message") or "") if ended else subject.message
        if ended or (subject.reason in _REFUSED and said and not is_not_yet_read(said)):
            yield Cause(
                "cannot-start",
                f"the node cannot start {subject.words}: {flat(innermost(said))}",
                (f"{subject.words}: {subject.reason or subject.ended.get('reason')}",),
                f"see {for_pod(facts.pod, 'describe', 'pod', name(facts.pod))}",
                subject.weigh(FINDING + 2),
            )
    yield from _pulling(facts)
    scheduled = condition(facts.pod, "PodScheduled") or {}
    if scheduled.get("status") == "False" and not facts.pod["spec"].get("nodeName"):
        said = unscheduled_line(str(scheduled.get("message", "")))
        see = f"see {for_pod(facts.pod, 'describe', 'pod', name(facts.pod))}"
        yield Cause("unschedulable-node", "no node can run the pod", (said,), see, FINDING + 2)


def _pulling(facts: ClusterFacts) -> Iterator[Cause]:
    for subject in subjects(facts):
        events = [e for e in facts.events if of_container(e, subject.name)]
        pulling = events_of(events, "Pulling")
        over = events_of(events, "Pulled", "Failed", "BackOff")
        if not pulling or subject.reason not in GETTING_READY:
            continue
        began = seen_time(pulling[0])
        lasts = facts.now - began if facts.now and began else timedelta()
        if (over and seen_at(over[0]) >= seen_at(pulling[0])) or lasts < _LONG:
            continue
        yield Cause(
            "image-pulling",
            f"the node has been pulling image {subject.image} of {subject.words} for"
            f" {lasting(lasts)}",
            (event_line(pulling[0]),),
            "wait; if it takes too long, check the connection of the node to the registry",
            subject.weigh(FINDING + 1),
        )
