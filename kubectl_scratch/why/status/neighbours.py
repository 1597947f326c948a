"""Containers of the pod that fail while the target waits for them, or runs well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubectl_scratch.kube.objects import (
    api_time,
    find,
    init_containers,
    is_native_sidecar,
    name,
    namespace,
)
from kubectl_scratch.plan.target_health import how_it_ended
from kubectl_scratch.runtime.names import COMMAND
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.subjects import FINDING, Subject, subjects
from kubectl_scratch.why.status.told import GETTING_READY, lasting

# For how long an init container may run before it is worth a word.
_LONG = timedelta(seconds=30)


def neighbour_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the containers to ask about instead of the target."""
    target, *others = subjects(facts)
    if target.name != facts.target or _is_in_trouble(target):
        return
    for subject in others:
        init = find(init_containers(facts.pod), subject.name)
        if init and not is_native_sidecar(init) and subject.runs and not target.runs:
            yield from _holding_up(facts, subject, target)
        elif subject.ended.get("exitCode") and not subject.runs:
            yield _failing(facts, subject, target)


def _is_in_trouble(target: Subject) -> bool:
    failed = not target.runs and bool(target.ended.get("exitCode"))
    return failed or target.reason not in ("", *GETTING_READY)


def _ask(facts: ClusterFacts, subject: Subject) -> str:
    pod = f"{name(facts.pod)} -n {namespace(facts.pod)}"
    return f"find out why: {COMMAND} why {pod} -c {subject.name}"


def _holding_up(facts: ClusterFacts, subject: Subject, target: Subject) -> Iterator[Cause]:
    running = (subject.status.get("state") or {}).get("running") or {}
    began = api_time(running.get("startedAt"))
    lasts = facts.now - began if facts.now and began else timedelta()
    if lasts > _LONG:
        yield Cause(
            "init-container",
            f"{target.words} has not started: {subject.words} has been running for"
            f" {lasting(lasts)} and must finish first",
            (f"{subject.words}: running since {running.get('startedAt')}",),
            _ask(facts, subject),
            FINDING + 2,
        )


def _failing(facts: ClusterFacts, subject: Subject, target: Subject) -> Cause:
    state = "is running" if target.runs else "has succeeded" if target.ended else "is waiting"
    restarts = subject.status.get("restartCount", 0)
    return Cause(
        "other-container",
        f"{subject.words} {how_it_ended(subject.ended)}, while {target.words} {state}",
        (f"{subject.words}: {subject.reason or 'terminated'}, restarts: {restarts}",),
        _ask(facts, subject),
        FINDING + 1,
    )
