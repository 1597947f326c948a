"""Pods that were taken from their node, or whose node is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.kube.objects import condition, has_ended, is_going, name
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change, for_pod
from kubectl_scratch.why.status.subjects import subjects
from kubectl_scratch.why.status.told import event_line, events_of, flat, name_list, seen_at

# kubernetes/kubernetes, pkg/kubelet/eviction/helpers.go.
_NODE_LOW = re.compile(r"The node was low on resource: ([^.]*)\.")
_EMPTY_DIR = re.compile(r'Usage of EmptyDir volume "([^"]*)" exceeds the limit "([^"]*)"')
_STORAGE = re.compile(
    r"ephemeral local storage usage exceeds the total limit of containers (\S+)\.|Container \S+"
    r' exceeded its local ephemeral storage limit "([^"]*)"'
)
_BY_API = ("EvictionByEvictionAPI", "DeletionByTaintManager", "DeletionByPodGC")


def removal_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield who has taken the pod away."""
    status = facts.pod.get("status") or {}
    disrupted = condition(facts.pod, "DisruptionTarget") or {}
    if status.get("reason") == "Evicted":
        yield _evicted(facts, str(status.get("message", "")))
    elif disrupted.get("reason") == "PreemptionByScheduler" or _preempted(facts):
        yield _preemption(facts, str(disrupted.get("message", "")))
    elif disrupted.get("reason") in _BY_API:
        said = f"{disrupted['reason']}: {flat(disrupted.get('message', ''))}"
        sentence = "the pod was evicted from its node"
        yield Cause("evicted", sentence, (said,), _again(facts), 80)
    yield from _node(facts)
    if is_going(facts.pod):
        yield _terminating(facts)


def _evicted(facts: ClusterFacts, message: str) -> Cause:
    low, volume, storage = (p.search(message) for p in (_NODE_LOW, _EMPTY_DIR, _STORAGE))
    sentence, remedy = "the node evicted the pod", _again(facts)
    if low:
        sentence = f"the node evicted the pod because it was low on {low[1]}"
        what = f"set a request for {low[1]} that covers what the pod needs"
        remedy = f"{change(facts.pod, what)}; or find out what uses the resources of the node"
    elif volume:
        sentence = (
            f"the node evicted the pod because its emptyDir {volume[1]} holds more than its"
            f" sizeLimit of {volume[2]}"
        )
        what = f"configure the app to write less to volume {volume[1]}, or raise its sizeLimit"
        remedy = change(facts.pod, what)
    elif storage:
        limit = storage[1] or storage[2]
        sentence = (
            "the node evicted the pod because it wrote more data than its ephemeral-storage"
            f" limit of {limit} allows"
        )
        what = (
            "configure the app to write less (also to its log), or raise limits.ephemeral-storage"
        )
        remedy = change(facts.pod, what)
    return Cause("evicted", sentence, (f"Evicted: {flat(message)}",), remedy, 95)


def _again(facts: ClusterFacts) -> str:
    if facts.pod["metadata"].get("ownerReferences"):
        return "wait: its controller creates another pod"
    return "create the pod again"


def _preempted(facts: ClusterFacts) -> bool:
    return bool(events_of(facts.events, "Preempted", "Preempting"))


def _preemption(facts: ClusterFacts, said: str) -> Cause:
    events = events_of(facts.events, "Preempted", "Preempting")
    evidence = [f"DisruptionTarget: {flat(said)}"] if said else []
    own = facts.pod["spec"].get("priorityClassName") or f"{facts.pod['spec'].get('priority', 0)}"
    return Cause(
        "preempted",
        f"the pod (priority {own}) was preempted by a pod of higher priority",
        (*evidence, *map(event_line, events[:1])),
        change(facts.pod, "add nodes, or give the pod a higher priorityClassName"),
        93,
    )


def _node(facts: ClusterFacts) -> Iterator[Cause]:
    node = facts.pod["spec"].get("nodeName")
    if not node or has_ended(facts.pod):
        return
    if facts.node is not None and not facts.node:
        sentence = f"the pod is bound to node {node}, which does not exist"
        what = "remove nodeName, or set it to an existing node (kubectl get nodes)"
        yield Cause("node-not-ready", sentence, (), change(facts.pod, what), 94)
        return
    ready = condition(facts.node, "Ready") if facts.node else None
    told = events_of(facts.events, "NodeNotReady")
    newest = max(map(seen_at, facts.events), default="")
    lost = bool(told) and facts.node is None and seen_at(told[0]) == newest
    if (ready is not None and ready.get("status") != "True") or lost:
        said = (
            f"node {node}: {(ready or {}).get('reason', '')}: {flat(ready['message'])}"
            if ready and ready.get("message")
            else event_line(told[0])
            if told
            else f"node {node} is not ready"
        )
        sentence = f"node {node} is not ready, so it does not report or start the pod"
        remedy = f"repair the node: kubectl describe node {node}; or {_elsewhere(facts)}"
        yield Cause("node-not-ready", sentence, (said,), remedy, 96)


def _elsewhere(facts: ClusterFacts) -> str:
    force = for_pod(facts.pod, "delete", "pod", name(facts.pod), "--force")
    return f"if the node no longer exists, {force}"


def _terminating(facts: ClusterFacts) -> Cause:
    since = facts.pod["metadata"].get("deletionTimestamp")
    finalizers = facts.pod["metadata"].get("finalizers") or []
    ended = has_ended(facts.pod) or not any(s.runs for s in subjects(facts))
    if finalizers and ended:
        them = f"finalizer{'' if len(finalizers) == 1 else 's'} {name_list(finalizers)}"
        patch = '{"metadata":{"finalizers":null}}'
        force = for_pod(facts.pod, "patch", "pod", name(facts.pod), "--type=merge", "-p", patch)
        return Cause(
            "terminating",
            f"the pod is being deleted, but not removed while it has {them}",
            (f"deletionTimestamp: {since}", *(f"finalizer {each}" for each in finalizers[:4])),
            f"find out why its controller does not remove it; if the controller no longer"
            f" exists: {force}",
            90,
        )
    return Cause(
        "terminating",
        "the pod is being deleted",
        (f"deletionTimestamp: {since}",),
        "wait: its containers are stopped within the grace period",
        60,
    )
