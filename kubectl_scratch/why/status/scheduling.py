"""Pods that no node takes.

The texts are those of kubernetes/kubernetes, pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from kubectl_scratch.kube.objects import (
    REQUIRED_AFFINITY,
    Json,
    all_containers,
    api_time,
    condition,
    labels_of,
    name,
    namespace,
)
from kubectl_scratch.kube.quantities import quantity
from kubectl_scratch.plan.node_fit import requests_of
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change, for_pod, workload_of
from kubectl_scratch.why.status.told import lasting, name_list, unscheduled_line

_COUNT = re.compile(r"^0/(\d+) nodes are available: ?")
_LACKS = re.compile(r"Insufficient ([^\s,]+?)\.?(?=[\s,]|$)")
_TAINT = re.compile(
    r"untolerated taint \{([^}]*)\}|taint \{([^}]*)\}, that the pod didn't tolerate"
)
_TAINTS = ("untolerated taint", "that the pod didn't tolerate", "taints that the pod")
_PORTS = "free ports for the requested pod ports"
_SELECTION = ("node affinity/selector", "match Pod's node affinity", "match node selector")
_OF_VOLUMES = (
    "match PersistentVolume's node affinity", "volume node affinity conflict",
    "available volume zone", "max volume count", "ReadWriteOncePod", "no available disk",
)  # fmt: skip
_OF_PODS = ("pod affinity rules", "anti-affinity rules", "topology spread constraints")
# How long a scheduler may take for a pod before something is wrong with it.
_PATIENCE = timedelta(seconds=60)


def scheduling_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield why the pod is on no node."""
    pod = facts.pod
    if pod["spec"].get("nodeName") or (pod.get("status") or {}).get("phase") != "Pending":
        return
    scheduled = condition(pod, "PodScheduled")
    if scheduled is None:
        yield from _no_scheduler(facts)
        return
    if scheduled.get("reason") == "SchedulingGated" or pod["spec"].get("schedulingGates"):
        yield _gated(facts)
        return
    said = str(scheduled.get("message", ""))
    yield from _resources(facts, said)
    if _PORTS in said:
        yield _host_port(facts, said)
    yield from _nodes(facts, said)


def _no_scheduler(facts: ClusterFacts) -> Iterator[Cause]:
    made = api_time(facts.pod["metadata"].get("creationTimestamp"))
    waits = facts.now - made if facts.now and made else timedelta()
    scheduler = facts.pod["spec"].get("schedulerName") or "default-scheduler"
    if waits > _PATIENCE:
        yield Cause(
            "no-scheduler",
            f"the pod is not scheduled: scheduler {scheduler} (schedulerName) does not respond",
            (
                f"the pod has been waiting for {lasting(waits)}, and no scheduler has reported"
                f" a reason",
            ),
            change(facts.pod, f"start {scheduler}, or remove schedulerName"),
            80,
        )


def _gated(facts: ClusterFacts) -> Cause:
    gates = [str(gate.get("name")) for gate in facts.pod["spec"].get("schedulingGates") or []]
    them = f"scheduling gate{'' if len(gates) == 1 else 's'} {name_list(gates)}"
    return Cause(
        "scheduling-gate",
        f"the pod is not scheduled: it has {them}",
        ("not scheduled: SchedulingGated",),
        f"wait for the controller of the gate to remove it, or check the controller; see"
        f" {for_pod(facts.pod, 'get', 'pod', name(facts.pod), '-o', 'yaml')}",
        95,
    )


def _resources(facts: ClusterFacts, said: str) -> Iterator[Cause]:
    lacks = list(dict.fromkeys(_LACKS.findall(said)))
    if "Too many pods" in said and not lacks:
        yield Cause(
            "unschedulable-resources",
            "every node that could run the pod has reached its maximum number of pods",
            (unscheduled_line(said),),
            "add a node, or delete pods that are not needed",
            88,
        )
    elif lacks:
        yield _insufficient(facts, said, lacks)
    elif "allocate all claims" in said or "resourceclaim" in said:
        yield Cause(
            "unschedulable-resources",
            "no node has the devices that the pod's ResourceClaims request",
            (unscheduled_line(said),),
            f"see {for_pod(facts.pod, 'get', 'resourceclaims')}",
            85,
        )


def _insufficient(facts: ClusterFacts, said: str, lacks: list[str]) -> Cause:
    asked = requests_of(facts.pod)
    wants = name_list(f"{k} {amount_words(k, asked[k])}" for k in lacks if k in asked)
    largest = {each: _largest(facts, each) for each in lacks}
    impossible = [k for k, most in largest.items() if most is not None and asked.get(k, 0) > most]
    evidence = [unscheduled_line(said)]
    has = [f"{k} {amount_words(k, most)}" for k, most in largest.items() if most is not None]
    if has:
        evidence.append(f"maximum per node: {name_list(has)}")
    never = any(largest[each] == 0 for each in impossible)
    sentence = f"no node has enough free {name_list(lacks)} for the pod, which requests {wants}"
    if never:
        sentence = f"no node has {name_list(impossible)}, and the pod requests {wants}"
    elif impossible:
        sentence = f"no node is large enough for the pod, which requests {wants}"
    lower = _lower_requests(facts, lacks)
    more = "add a larger node" if impossible else "add a node, or free resources on a node"
    if never:
        more = f"add a node with {name_list(impossible)}, or install its device plugin"
    return Cause("unschedulable-resources", sentence, tuple(evidence), f"{lower}; or {more}", 90)


def _lower_requests(facts: ClusterFacts, lacks: list[str]) -> str:
    pod = facts.pod
    amount = ",".join(f"{each}=AMOUNT" for each in lacks)
    asking = [c["name"] for c in all_containers(pod) if _asks(c, lacks)]
    words: tuple[str, ...] = ()
    if asking and not any("/" in each for each in lacks):
        words = ("set", "resources", workload_of(pod), "-c", asking[0], f"--requests={amount}")
    return change(pod, "reduce the requests", *words)


def _asks(container: Json, lacks: list[str]) -> bool:
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return any(each in asked for each in lacks)


def _largest(facts: ClusterFacts, resource: str) -> Fraction | None:
    """Return how much of a resource the node has that has most of it; None if that is unknown."""
    if not facts.nodes:
        return None
    there = [((n.get("status") or {}).get("allocatable") or {}).get(resource) for n in facts.nodes]
    return max(quantity(text or "0") or Fraction(0) for text in there)


def amount_words(resource: str, amount: Fraction) -> str:
    """Return an amount as people write it: 500m, 1.5Gi, 2."""
    if resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-"):
        for unit, power in (("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)):
            if amount >= 1 << power:
                return f"{float(amount / (1 << power)):.4g}{unit}"
        return str(int(amount))
    return f"{int(amount * 1000)}m" if amount.denominator != 1 else str(amount)


def _host_port(facts: ClusterFacts, said: str) -> Cause:
    wanted = set(_host_ports(facts.pod))
    users = [
        f"{name(pod)} (port {port})"
        for pod in facts.neighbours or ()
        for port in _host_ports(pod)
        if port in wanted and pod["spec"].get("nodeName")
    ]
    evidence = [unscheduled_line(said)]
    if users:
        evidence.append(f"used by pod {name_list(users)} in namespace {namespace(facts.pod)}")
    ports = name_list(map(str, sorted(wanted)))
    what = "use a Service instead of the hostPort, another hostPort, or fewer replicas than nodes"
    return Cause(
        "host-port",
        f"host port {ports} is in use on every node that could run the pod",
        tuple(evidence),
        change(facts.pod, what),
        90,
    )


def _host_ports(pod: Json) -> Iterator[int]:
    for container in all_containers(pod):
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield int(port["hostPort"])


def _nodes(facts: ClusterFacts, said: str) -> Iterator[Cause]:
    """Yield why nodes are refused by what they are, the reasons of all of them in one cause."""
    reasons = [reason for reason in _reasons(facts, said) if reason]
    if not reasons:
        return
    sentences, remedies = zip(*reasons, strict=True)
    yield Cause(
        "unschedulable-node",
        f"no node can run the pod: {'; '.join(sentences)}",
        (unscheduled_line(said), *_labels_there(facts, said)),
        "; or ".join(filter(None, dict.fromkeys(remedies))),
        89 if not _LACKS.search(said) else 82,
    )


def _reasons(facts: ClusterFacts, said: str) -> Iterator[tuple[str, str] | None]:
    pod = facts.pod
    if any(text in said for text in _SELECTION):
        yield _selection(facts)
    if any(text in said for text in _TAINTS):
        yield _tainted(facts, said)
    if "were unschedulable" in said:
        yield "a node is cordoned", f"uncordon the node: kubectl uncordon {_cordoned(facts)}"
    if any(text in said for text in _OF_VOLUMES):
        yield (
            "its volumes are bound to another node or zone, or another pod uses them",
            f"see {for_pod(pod, 'get', 'pvc,pods', '-o', 'wide')}",
        )
    if any(text in said for text in _OF_PODS):
        rules = [text for text in _OF_PODS if text in said]
        what = f"relax the {name_list(rules)}, or add nodes"
        yield f"{name_list(rules)} of this or another pod do not allow it", change(pod, what)
    if "match the requested node name" in said:
        yield "no node has the requested name (nodeName)", change(pod, "remove nodeName")


def _selection(facts: ClusterFacts) -> tuple[str, str]:
    pod = facts.pod
    selector = [f"{k}={v}" for k, v in (pod["spec"].get("nodeSelector") or {}).items()]
    asked = [*selector, *_affinity(pod)]
    label = selector[0] if selector else "KEY=VALUE"
    what = "correct its node selector or affinity"
    remedy = f"label a node: kubectl label node NODE {label}; or {change(pod, what)}"
    return f"no node has the requested labels ({name_list(asked)})", remedy


def _affinity(pod: Json) -> Iterator[str]:
    node = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (node.get(REQUIRED_AFFINITY) or {}).get("nodeSelectorTerms") or []:
        for each in (*(term.get("matchExpressions") or []), *(term.get("matchFields") or [])):
            values = " ".join(map(str, each.get("values") or []))
            yield f"{each.get('key')} {each.get('operator')} {values}".strip()


def _labels_there(facts: ClusterFacts, said: str) -> Iterator[str]:
    """Yield which values the nodes have of the labels that are asked for."""
    if not facts.nodes or not any(text in said for text in _SELECTION):
        return
    selector = facts.pod["spec"].get("nodeSelector") or {}
    keys = dict.fromkeys((*selector, *(a.split()[0] for a in _affinity(facts.pod))))
    for key in keys:
        values = sorted({labels_of(n)[key] for n in facts.nodes if key in labels_of(n)})
        yield (
            f"values of label {key} on the nodes: {name_list(values)}"
            if values
            else f"no node has label {key}"
        )


def _tainted(facts: ClusterFacts, said: str) -> tuple[str, str]:
    told = [one or other for one, other in _TAINT.findall(said)]
    taints = list(dict.fromkeys(told)) or _taints_there(facts)
    keys = [taint.partition(":")[0].partition("=")[0].strip() for taint in taints]
    ill = [key for key in keys if key.startswith("node.kubernetes.io/")]
    sentence = (
        f"the pod does not tolerate taint {name_list(keys)}"
        if keys
        else "the pod has no toleration for a taint"
    )
    if ill:
        return sentence, f"repair the node ({name_list(ill)}): kubectl describe nodes"
    key = keys[0] if keys else "KEY"
    what = f"add a toleration for {key}"
    return sentence, f"{change(facts.pod, what)}; or kubectl taint node NODE {key}-"


def _taints_there(facts: ClusterFacts) -> list[str]:
    """Return the taints of all nodes; newer schedulers do not say which it is."""
    found = [
        str(taint.get("key"))
        for node in facts.nodes or ()
        for taint in (node.get("spec") or {}).get("taints") or []
        if taint.get("effect") != "PreferNoSchedule"
    ]
    return list(dict.fromkeys(found))


def _cordoned(facts: ClusterFacts) -> str:
    there = [name(n) for n in facts.nodes or () if (n.get("spec") or {}).get("unschedulable")]
    return " ".join(there) or "NODE"
