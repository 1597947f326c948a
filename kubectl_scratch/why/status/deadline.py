"""Pods that have run for longer than they may."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change
from kubectl_scratch.why.status.subjects import SEEN, subjects
from kubectl_scratch.why.status.told import flat

# How a container ends that is stopped at the deadline: killed, terminated, or well.
_STOPPED = (None, 0, 137, 143)


def deadline_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the pod's deadline, if that has ended it."""
    status = facts.pod.get("status") or {}
    if status.get("reason") != "DeadlineExceeded":
        return
    seconds = facts.pod["spec"].get("activeDeadlineSeconds")
    codes = {s.name: s.ended.get("exitCode") for s in subjects(facts)}
    failed = [f"container {c} had exited with code {n}" for c, n in codes.items() if _is_own(n)]
    yield Cause(
        "deadline-exceeded",
        f"the pod was stopped because it ran for longer than its activeDeadlineSeconds ({seconds})",
        (f"DeadlineExceeded: {flat(status.get('message', ''))}", *failed),
        change(facts.pod, "find out why the pod runs for so long, or raise activeDeadlineSeconds"),
        # What had failed before is the cause.
        SEEN if failed else 92,
    )


def _is_own(code: int | None) -> bool:
    return code not in _STOPPED
