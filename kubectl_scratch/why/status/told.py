"""What events and statuses say, cut to what is worth reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from kubectl_scratch.kube.objects import Json, api_time, innermost
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.why.facts import ClusterFacts

# Of one line of evidence, in characters.
EVIDENCE_LENGTH = 400
# Why a container is not there yet, where nothing is wrong by itself.
GETTING_READY = ("ContainerCreating", "PodInitializing")
# What the kubelet says while it cannot have a pod's volumes, and once it has them.
MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_HAS_VOLUMES = ("Pulling", "Pulled", "Created", "Started")
# What follows is what the scheduler says of making room.
_TAIL = re.compile(r"[.,]? ?(no new claims to deallocate|preemption:|not found$).*$", re.DOTALL)
_NOT_YET_READ = ("failed to sync", "have not yet been read", "not registered")
COMBINED = "(combined from similar events): "
_POD = re.compile(r' \(pod: "[^"]*", container: [^)]*\)|in pod \S+\([-0-9a-f]{36}\)')
_IDS = re.compile(r'(failed to (?:generate|start) (?:container|exec) )"[0-9a-f]{16,}"')


def flat(text: object) -> str:
    """Return a text as one line of evidence: its spaces joined, without UIDs, not too long."""
    line = _IDS.sub(r"\1", _POD.sub("", str(text).removeprefix(COMBINED)))
    line = " ".join(line.split())
    return f"{line[: EVIDENCE_LENGTH - 3]}..." if len(line) > EVIDENCE_LENGTH else line


def event_line(event: Json) -> str:
    """Return an event as evidence."""
    times = times_of(event)
    often = f" ({times} times)" if times > 1 else ""
    said = innermost(str(event.get("message", "")))
    return f"event {event.get('reason', '')}: {flat(said)}{often}"


def unscheduled_line(message: str) -> str:
    """Return what the scheduler says of a pod, without its tries to make room."""
    return f"not scheduled: {flat(_TAIL.sub('', message))}"


def times_of(event: Json) -> int:
    """Return how often an event was seen."""
    count = (event.get("series") or {}).get("count") or event.get("count") or 1
    return count if isinstance(count, int) else 1


def seen_at(event: Json) -> str:
    """Return when an event was seen last, as the API writes times; empty if it does not say."""
    series = (event.get("series") or {}).get("lastObservedTime")
    moments = (series, event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((moment for moment in moments if moment), ""))


def seen_time(event: Json) -> datetime | None:
    """Return when an event was seen last, to the second; None if it does not say."""
    return api_time(f"{seen_at(event)[:19]}Z")


def events_of(events: Iterable[Json], *reasons: str) -> list[Json]:
    """Return the events of these reasons, the newest first."""
    return sorted((e for e in events if e.get("reason") in reasons), key=seen_at, reverse=True)


def of_container(event: Json, container: str) -> bool:
    """Say whether an event is about this container of its pod."""
    path = str((event.get("involvedObject") or {}).get("fieldPath") or "")
    return path.endswith(f"{{{container}}}")


def mount_complaints(facts: ClusterFacts) -> list[Json]:
    """Return what is said of volumes that the pod still waits for, each text once, newest first."""
    there = max(map(seen_at, events_of(facts.events, *_HAS_VOLUMES)), default="")
    if has_begun(facts.pod):
        return []
    found = events_of(facts.events, *MOUNT_EVENTS)
    newest = {str(event.get("message")): event for event in reversed(found)}
    return [
        event
        for text, event in reversed(newest.items())
        if seen_at(event) > there and not is_not_yet_read(text)
    ]


def is_not_yet_read(text: str) -> bool:
    """Say whether the kubelet waits for its own copy of a ConfigMap or Secret.

    kubernetes/kubernetes, pkg/kubelet/util/manager.
    """
    return any(soon in text for soon in _NOT_YET_READ)


def has_begun(pod: Json) -> bool:
    """Say whether the node has prepared the pod's volumes: a container was made, or would be."""
    return any(_has_begun(status) for status in statuses(pod))


def _has_begun(status: Json) -> bool:
    states = (status.get("state") or {}, status.get("lastState") or {})
    reason = (states[0].get("waiting") or {}).get("reason", "ContainerCreating")
    ran = any(state.get(kind) is not None for state in states for kind in ("running", "terminated"))
    return ran or reason not in GETTING_READY


def statuses(pod: Json) -> Iterator[Json]:
    """Yield the statuses of the pod's own containers."""
    status = pod.get("status") or {}
    for kind in ("containerStatuses", "initContainerStatuses"):
        yield from status.get(kind) or []


def lasting(time: timedelta) -> str:
    """Return how long something lasts, in two units at most."""
    return duration_words(time.total_seconds())


def name_list(names: Iterable[str], most: int = 8) -> str:
    """Return names as a list in a sentence, the first few of many."""
    there = list(names)
    if len(there) > most:
        return f"{', '.join(there[:most])} and {len(there) - most} more"
    return " and ".join(filter(None, [", ".join(there[:-1]), *there[-1:]]))
