"""Crash summary shown above the prompt: the last end, the last log lines, the last events."""

from __future__ import annotations

import re

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import (
    Json,
    innermost,
    last_termination,
    name,
    namespace,
    state_of,
    status_of,
)
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.plan.target_health import how_it_ended
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.pod_watch import about_pod
from kubectl_scratch.session.readiness import last_seen

LOG_LINES = 5
EVENTS = 3
# The kubelet's way to name a pod, which is known here.
IN_POD = re.compile(r" in pod \S+\(\S+\)$")


def termination_lines(source: Json, target: str) -> list[str]:
    """Return how the target container ended last, and how often; nothing if it never did."""
    status = status_of(source, target) or {}
    ended = last_termination(status)
    if not ended:
        return []
    often = f", restarts: {status.get('restartCount', 0)}"
    at = f" at {ended['finishedAt']}" if ended.get("finishedAt") else ""
    why = [f"because: {innermost(ended['message'])}"] if ended.get("message") else []
    return [f"{target} {how_it_ended(ended)}{at}{often}", *why]


def crash_warnings(events: list[Json]) -> list[str]:
    """Return the newest warning events, the newest last, each text once."""
    found = [event for event in events if event.get("type") == "Warning"]
    texts = [
        f"{event.get('reason', '')}: {IN_POD.sub('', str(event.get('message', '')))}"
        for event in sorted(found, key=last_seen)
    ]
    return [f"event: {text}" for text in dict.fromkeys(texts)][-EVENTS:]


class CrashSummary:
    """Read what is known of the source's target, without delaying anybody."""

    def __init__(self, cluster: Client, source: Json, target: str) -> None:
        """Start to read; a source that never ran has no more than its status."""
        self._cluster = cluster
        self._source = source
        self._target = target
        self._end = termination_lines(source, target)
        self._log = Task(self._read_log) if self._end else None
        self._events = Task(self._read_events)

    def lines(self, place: SessionTarget) -> list[str]:
        """Return what has come by now; of a target that is not held there is nothing to say."""
        if not place.held:
            return []
        found = list(self._end)
        for task in (self._log, self._events):
            found += task.result() if task is not None and task.done() else []
        return found

    def _read_log(self) -> list[str]:
        again = "terminated" not in state_of(self._source, self._target)
        query = {"previous": "true"} if again else {}
        where = (namespace(self._source), name(self._source), self._target)
        try:
            return [f"log: {line}" for line in self._cluster.log(*where, LOG_LINES, **query)]
        except ClusterError:
            return []

    def _read_events(self) -> list[str]:
        about = about_pod(name(self._source))
        try:
            path = paths.events(namespace(self._source))
            found = self._cluster.get(path, fieldSelector=about).body
        except ClusterError:
            return []
        return crash_warnings(found.get("items") or [])
