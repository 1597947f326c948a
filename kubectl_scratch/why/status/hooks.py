"""postStart hooks that fail: the kubelet kills the container then.

kubernetes/kubernetes, pkg/kubelet/lifecycle/handlers.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change
from kubectl_scratch.why.status.kills import has_killed
from kubectl_scratch.why.status.probes import probe_words
from kubectl_scratch.why.status.subjects import Subject, subjects
from kubectl_scratch.why.status.told import event_line, events_of, flat, of_container

_FAILED = "PostStartHookError"
_ERROR = re.compile(r"failed - error: (.*)$", re.DOTALL)


def hook_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the containers that end because of their postStart hook."""
    for subject in subjects(facts):
        events = [e for e in events_of(facts.events, "FailedPostStartHook") if _is_of(e, subject)]
        if subject.reason == _FAILED or has_killed(facts, subject, events):
            evidence = list(map(event_line, events[:1]))
            if subject.reason == _FAILED:
                error = _ERROR.search(subject.message)
                evidence = [f"{subject.words}: {flat(error[1] if error else subject.message)}"]
            hook = (subject.container.get("lifecycle") or {}).get("postStart") or {}
            yield Cause(
                "hook-failed",
                f"the kubelet kills {subject.words} because its postStart hook"
                f" ({probe_words(hook)}) fails",
                tuple(evidence),
                change(
                    facts.pod, "correct the hook, or move its work to the app or an init container"
                ),
                subject.weigh(90),
            )


def _is_of(event: dict[str, object], subject: Subject) -> bool:
    return of_container(event, subject.name)
