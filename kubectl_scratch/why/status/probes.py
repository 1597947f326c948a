"""Containers that the kubelet kills, or keeps from being ready, because a probe fails.

kubernetes/kubernetes, pkg/kubelet/prober and pkg/kubelet/kuberuntime/kuberuntime_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change
from kubectl_scratch.why.status.kills import has_killed
from kubectl_scratch.why.status.subjects import SEEN, Subject, subjects
from kubectl_scratch.why.status.told import event_line, events_of, flat, of_container

_ERRORED = "probe errored"
# The kubelet's defaults. https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
_PERIOD, _THRESHOLD, _TIMEOUT = 10, 3, 1


def probe_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the probes that fail."""
    for subject in subjects(facts):
        for kind in ("liveness", "startup"):
            yield from _killing(facts, subject, kind)
        yield from _not_ready(facts, subject)


def _killing(facts: ClusterFacts, subject: Subject, kind: str) -> Iterator[Cause]:
    probe = subject.container.get(f"{kind}Probe")
    kills = _kills(facts, subject, kind)
    failures = _failures(facts, subject, kind.capitalize())
    if not probe or not (kills or failures):
        return
    sure = has_killed(facts, subject, kills)
    errored = bool(failures) and _ERRORED in str(failures[0].get("message"))
    if not kills and not (kind == "startup" and errored):
        return
    never = " before it has started" if kind == "startup" else ""
    asks = probe_words(probe)
    sentence = (
        f"the kubelet kills {subject.words}{never} because its {kind} probe ({asks}) fails"
        f"{_how(failures)}"
    )
    if not kills:
        sentence = (
            f"{subject.words} is never marked as started: its {kind} probe ({asks}) is invalid"
        )
    evidence = tuple(map(event_line, (*failures[:1], *kills[:1])))
    remedy = _remedy(facts, subject, kind, failures)
    weight = subject.weigh(86) if sure or errored else SEEN
    yield Cause(f"{kind}-probe", sentence, evidence, remedy, weight)


def _kills(facts: ClusterFacts, subject: Subject, kind: str) -> list[Json]:
    found = events_of(facts.events, "Killing")
    text = f"failed {kind} probe"
    return [e for e in found if of_container(e, subject.name) and text in str(e.get("message"))]


def _failures(facts: ClusterFacts, subject: Subject, kind: str) -> list[Json]:
    found = events_of(facts.events, "Unhealthy", "ProbeWarning")
    text = f"{kind} probe"
    return [e for e in found if of_container(e, subject.name) and text in str(e.get("message"))]


def probe_words(probe: Json) -> str:
    """Return what a probe does."""
    for kind in ("httpGet", "tcpSocket", "grpc"):
        asked = probe.get(kind)
        if asked is not None:
            how = {"httpGet": "HTTP GET ", "tcpSocket": "TCP ", "grpc": "gRPC "}[kind]
            path = str(asked.get("path") or "/") if kind == "httpGet" else ""
            return f"{how}{asked.get('host') or ''}:{asked.get('port')}{path}"
    return f"command {flat(' '.join(map(str, (probe.get('exec') or {}).get('command') or [])))}"


def _how(failures: list[Json]) -> str:
    message = str(failures[0].get("message", "")) if failures else ""
    for text, words in (
        ("connection refused", "nothing listens there"),
        ("context deadline exceeded", "it timed out"),
        ("Client.Timeout", "it timed out"),
        ("i/o timeout", "it timed out"),
        ("timed out after", "it timed out"),
        ("HTTP probe failed with statuscode: ", "the app returns an error"),
        ("no such file or directory", "its command is not found"),
        ("executable file not found", "its command is not found"),
    ):
        if text in message:
            return f": {words}"
    return ""


def _remedy(facts: ClusterFacts, subject: Subject, kind: str, failures: list[Json]) -> str:
    message = str(failures[0].get("message", "")) if failures else ""
    probe = subject.container.get(f"{kind}Probe") or {}
    if _ERRORED in message or "executable file not found" in message:
        return change(facts.pod, f"correct the {kind} probe of {subject.words}")
    time = _seconds(probe)
    if probe.get("exec") and "timed out" not in message:
        what = f"find out why the command of the {kind} probe fails, or correct it"
    elif "HTTP probe failed" in message:
        what = f"find out why the app returns an error, or correct the path of the {kind} probe"
    elif "timed out" in message or "Timeout" in message or "deadline" in message:
        seconds = probe.get("timeoutSeconds") or _TIMEOUT
        what = (
            f"find out why the app is slow, or raise timeoutSeconds ({seconds}) of the {kind} probe"
        )
    elif kind == "startup":
        what = f"correct the port of the probe, or allow the app more than {time} s to start"
    elif kind == "readiness":
        what = "set the probe to the port that the app listens on"
    else:
        what = (
            f"set the probe to the port that the app listens on; if the app needs more than"
            f" {time} s"
            " to start, add a startupProbe"
        )
    return change(facts.pod, what)


def _seconds(probe: Json) -> int:
    """Return for how long a container may fail a probe from its start on."""
    numbers = [
        probe.get(key) or default
        for key, default in (("periodSeconds", _PERIOD), ("failureThreshold", _THRESHOLD))
    ]
    return int((probe.get("initialDelaySeconds") or 0) + numbers[0] * numbers[1])


def _not_ready(facts: ClusterFacts, subject: Subject) -> Iterator[Cause]:
    probe = subject.container.get("readinessProbe")
    failures = _failures(facts, subject, "Readiness")
    if not probe or not failures or not subject.runs or subject.status.get("ready"):
        return
    yield Cause(
        "readiness-probe",
        f"{subject.words} is running but not ready: its readiness probe ({probe_words(probe)})"
        f" fails"
        f"{_how(failures)}",
        (event_line(failures[0]),),
        _remedy(facts, subject, "readiness", failures),
        SEEN,
    )
