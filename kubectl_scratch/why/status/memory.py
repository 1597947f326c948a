"""Containers that are killed because they use more memory than they may."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from kubectl_scratch.kube.quantities import quantity
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change, workload_of
from kubectl_scratch.why.status.kills import has_just_ended
from kubectl_scratch.why.status.subjects import SEEN, Subject, subjects
from kubectl_scratch.why.status.told import event_line, events_of, flat

_MEBI = 1 << 20
# What runc and CRI-O say of a limit in which nothing can start.
_TOO_LOW = ("memory limit too low", "OOM-killed", "set memory limit")
_KILLED = 137


def memory_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the containers that the kernel killed for their memory."""
    for subject in subjects(facts):
        if subject.ended.get("reason") == "OOMKilled":
            yield _killed(facts, subject)
        elif any(text in str(subject.ended.get("message") or "") for text in _TOO_LOW):
            yield _too_low(facts, subject, f"{subject.words}: {flat(subject.ended['message'])}")
    for event in events_of(facts.events, "FailedCreatePodSandBox")[:1]:
        started = any(subject.ended or subject.runs for subject in subjects(facts))
        if not started and any(text in str(event.get("message")) for text in _TOO_LOW):
            yield _too_low(facts, _smallest(facts), event_line(event))


def _smallest(facts: ClusterFacts) -> Subject:
    """Return the container of the lowest limit."""
    limited = [s for s in subjects(facts) if memory_limit(s)]
    return min(limited or subjects(facts), key=lambda s: quantity(memory_limit(s)) or 0)


def memory_limit(subject: Subject) -> str:
    """Return a container's memory limit as the pod has it; empty if it has none."""
    limits = (subject.container.get("resources") or {}).get("limits") or {}
    return str(limits.get("memory") or "")


def _killed(facts: ClusterFacts, subject: Subject) -> Cause:
    limit, code = memory_limit(subject), subject.ended.get("exitCode")
    who = f"{subject.words} was" if code == _KILLED else f"a process of {subject.words} was"
    restarts = subject.status.get("restartCount", 0)
    evidence = f"{subject.words}: OOMKilled, exit code {code}, restarts {restarts}"
    whole = (facts.pod["spec"].get("resources") or {}).get("limits", {}).get("memory")
    if not limit and not whole:
        sentence = f"{who} killed because the node ran out of memory; it has no memory limit"
        what = "set a memory request, so that the scheduler reserves the memory that it needs"
        flags = ("--requests=memory=SIZE",)
    else:
        sentence = (
            f"{who} killed (out of memory): it needs more than its memory limit of {limit or whole}"
        )
        what = "reduce the memory use of the app, or raise the limit"
        flags = (f"--limits=memory={_more(limit or str(whole))}",)
    words = ("set", "resources", workload_of(facts.pod), "-c", subject.name, *flags)
    remedy = change(facts.pod, what, *words)
    # One that has run for long since then, and is not ready, has another problem.
    is_past = subject.runs and not subject.status.get("ready")
    weight = SEEN if is_past and not has_just_ended(facts, subject) else 94
    return Cause("oom-killed", sentence, (evidence,), remedy, subject.weigh(weight))


def _too_low(facts: ClusterFacts, subject: Subject, said: str) -> Cause:
    limit = memory_limit(subject)
    sentence = f"memory limit {limit} of {subject.words} is too low to start the container"
    words = ("set", "resources", workload_of(facts.pod), "-c", subject.name)
    remedy = change(facts.pod, "raise the limit", *words, "--limits=memory=64Mi")
    return Cause("oom-killed", sentence, (said,), remedy, 90)


def _more(limit: str) -> str:
    """Return twice a limit, in MiB."""
    size = quantity(limit) or Fraction(0)
    return f"{max(int(2 * size / _MEBI), 16)}Mi"
