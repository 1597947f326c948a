"""Where the copy runs: its node, its priority, and how it can be found there."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import REQUIRED_AFFINITY, Json, volumes
from kubectl_scratch.plan.findings import Edit

PRIORITY = ("priorityClassName", "priority", "preemptionPolicy")
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NEVER_READY = "kubectl-scratch/never-ready"
ARCH = "kubernetes.io/arch"


def free_the_node(pod: Json, *, same_node: bool) -> Iterator[Edit]:
    """Replace nodeName by an affinity, so that the scheduler still checks the fit.

    The source's node has its images. If a volume is attached to that node alone
    (ReadWriteOnce is per node), or is a part of it (hostPath), the copy has to go there.
    """
    node = pod["spec"].pop("nodeName", None)
    if not node:
        return
    kinds = ("hostPath", "persistentVolumeClaim")
    attached = any(kind in volume for volume in volumes(pod) for kind in kinds)
    affinity = pod["spec"].get("affinity") or {}
    node_affinity = affinity.get("nodeAffinity") or {}
    if _requires(node_affinity, node):
        yield Edit("spec.nodeName", f"its affinity already requires node {node}")
        return
    pod["spec"]["affinity"] = {**affinity, "nodeAffinity": node_affinity}
    if same_node or attached:
        _require(node_affinity, "matchFields", _is_node(node))
        why = "as asked" if same_node else "because its volumes are there"
        yield Edit("spec.nodeName", f"node {node} is required, {why}")
        return
    term = {"weight": 100, "preference": {"matchFields": [_is_node(node)]}}
    node_affinity[PREFERRED] = [*(node_affinity.get(PREFERRED) or []), term]
    yield Edit("spec.nodeName", f"node {node} is preferred, and the scheduler checks the fit")


def _is_node(node: str) -> Json:
    return {"key": "metadata.name", "operator": "In", "values": [node]}


def _terms(node_affinity: Json) -> list[Json]:
    """Return the terms of which one must hold; an empty one matches no node at all."""
    terms = (node_affinity.get(REQUIRED_AFFINITY) or {}).get("nodeSelectorTerms") or []
    return [term for term in terms if term]


def _requires(node_affinity: Json, node: str) -> bool:
    """Say whether the pod can run on no other node, as one of a DaemonSet cannot."""
    terms = _terms(node_affinity)
    return bool(terms) and all(_is_node(node) in (t.get("matchFields") or []) for t in terms)


def _require(node_affinity: Json, field: str, wanted: Json) -> None:
    required = node_affinity.get(REQUIRED_AFFINITY) or {}
    terms = [
        {**term, field: [*(term.get(field) or []), wanted]}
        for term in _terms(node_affinity) or [{}]
    ]
    node_affinity[REQUIRED_AFFINITY] = {**required, "nodeSelectorTerms": terms}


def pin_architecture(pod: Json, *, arch: str) -> Iterator[Edit]:
    """Restrict the copy to nodes that can run the seed, which is for one architecture."""
    affinity = pod["spec"].get("affinity") or {}
    node_affinity = affinity.get("nodeAffinity") or {}
    _require(node_affinity, "matchExpressions", {"key": ARCH, "operator": "In", "values": [arch]})
    pod["spec"]["affinity"] = {**affinity, "nodeAffinity": node_affinity}
    yield Edit("spec.affinity.nodeAffinity", f"an {arch} node, because the tools are for {arch}")


def drop_priority(pod: Json) -> Iterator[Edit]:
    """Drop the priority, so that a copy never preempts production.

    All three fields: admission refuses a priority or policy that differs from its class's.
    """
    dropped = {field: pod["spec"].pop(field, None) for field in PRIORITY}
    # Admission writes priority 0 into every pod; that is no difference to report.
    if dropped["priorityClassName"] or dropped["priority"]:
        yield Edit("spec.priorityClassName", "a copy never preempts production")


def drop_overhead(pod: Json) -> Iterator[Edit]:
    """Drop the overhead: admission rejects one that differs from the runtime class's."""
    if pod["spec"].pop("overhead", None) is not None:
        yield Edit("spec.overhead", "the API server adds that of the runtime class")


def relax_scheduling(pod: Json) -> Iterator[Edit]:
    """Drop pod anti-affinity, spread and gates, which keep the copy off the source's node."""
    spec = pod["spec"]
    if (spec.get("affinity") or {}).pop("podAntiAffinity", None):
        yield Edit("spec.affinity.podAntiAffinity", "it keeps the copy off the source's node")
    for field in ("topologySpreadConstraints", "schedulingGates", "readinessGates", "workloadRef"):
        if spec.pop(field, None):
            yield Edit(f"spec.{field}", "it concerns the workload; the copy is not a part of it")


def keep_out_of_services(pod: Json) -> Iterator[Edit]:
    """Add a readiness gate that is never true: the copy is never a ready endpoint."""
    gates = pod["spec"].get("readinessGates") or []
    pod["spec"]["readinessGates"] = [*gates, {"conditionType": NEVER_READY}]
    reason = "never true, so that no Service sends traffic to the copy, whatever its labels"
    yield Edit(f"spec.readinessGates.{NEVER_READY}", reason)


def drop_identity(pod: Json, *, keep_hostname: bool = False) -> Iterator[Edit]:
    """Drop hostname and subdomain: members of a StatefulSet take their identity from them.

    An app that is only started by hand, and does not run in the source, may have the hostname that
    it asks for; without the subdomain it cannot be found by that.
    """
    kept = ("hostname", "hostnameOverride") if keep_hostname else ()
    for field in ("hostname", "hostnameOverride", "subdomain"):
        if field in kept:
            continue
        if pod["spec"].pop(field, None):
            yield Edit(f"spec.{field}", "it is the source's identity and its name in DNS")
