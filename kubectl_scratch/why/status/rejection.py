"""Pods that their node refuses, and nodes that cannot set them up."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import innermost, name
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change, for_pod
from kubectl_scratch.why.status.subjects import subjects
from kubectl_scratch.why.status.told import event_line, events_of, flat, seen_at

# Of these others tell.
_OTHERS = ("Evicted", "DeadlineExceeded", "Preempting", "NodeLost")
_PREFIX = "Pod was rejected: "
_SANDBOX = "FailedCreatePodSandBox"
# What comes once there is a sandbox.
_LATER = ("Pulling", "Pulled", "Created", "Started")
_MEMORY = ("memory limit too low", "OOM-killed", "set memory limit")


def rejection_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield why the kubelet does not admit the pod, or cannot make its sandbox."""
    status = facts.pod.get("status") or {}
    reason, message = str(status.get("reason") or ""), str(status.get("message") or "")
    failed = status.get("phase") == "Failed" and reason and reason not in _OTHERS
    if failed and (message.startswith("Pod ") or not any(s.ended for s in subjects(facts))):
        yield _rejected(facts, reason, message)
    yield from _sandbox(facts)


def _rejected(facts: ClusterFacts, reason: str, message: str) -> Cause:
    node = facts.pod["spec"].get("nodeName") or "the node"
    said = message.removeprefix(_PREFIX)
    kind, sentence = "pod-rejected", f"{node} rejected the pod: {flat(said) or reason}"
    if reason.startswith("OutOf"):
        kind = "unschedulable-resources"
        sentence = f"{node} has no {reason.removeprefix('OutOf')} left for the pod"
    return Cause(kind, sentence, (f"{reason}: {flat(said)}",), _admit(facts, reason), 94)


def _admit(facts: ClusterFacts, reason: str) -> str:
    pod = facts.pod
    if reason == "SysctlForbidden":
        what = "remove the sysctl, or allow it in the kubelet (--allowed-unsafe-sysctls)"
        return change(pod, what)
    if reason == "AppArmor":
        return change(pod, "load the AppArmor profile on the node, or use another one")
    if reason in ("NodeShutdown", "Terminated"):
        return "create the pod again on another node: this node is shutting down"
    if reason == "NodeAffinity":
        return "delete the pod, so that it is scheduled again: the labels of the node have changed"
    if reason.startswith("OutOf"):
        return change(
            pod, "remove nodeName, so that the scheduler selects a node with enough resources"
        )
    return f"see {for_pod(pod, 'describe', 'pod', name(pod))}"


def _sandbox(facts: ClusterFacts) -> Iterator[Cause]:
    events = events_of(facts.events, _SANDBOX)
    if not events or any(s.runs or s.ended for s in subjects(facts)):
        return
    later = events_of(facts.events, *_LATER)
    message = str(events[0].get("message", ""))
    if (later and seen_at(later[0]) > seen_at(events[0])) or any(t in message for t in _MEMORY):
        return
    node = facts.pod["spec"].get("nodeName") or "the node"
    of_network = any(text in message for text in ("network", "CNI", "cni"))
    what = "set up the pod's network" if of_network else "create the pod's sandbox"
    remedy = f"check the pods of the network plugin on {node}" if of_network else ""
    if "RuntimeHandler" in message or "runtime for" in message:
        remedy = f"install the runtime of the pod's RuntimeClass on {node}"
    said = innermost(message)
    yield Cause(
        "pod-sandbox",
        f"{node} cannot {what}",
        (event_line({**events[0], "message": said}),),
        remedy,
        80,
    )
