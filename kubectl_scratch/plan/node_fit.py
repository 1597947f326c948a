"""Whether some node could take a pod, by what never changes by itself.

What the nodes are used for at the moment is the scheduler's business, and so are nodes that an
autoscaler may add. What is unknown about a node counts as fitting.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    REQUIRED_AFFINITY,
    Json,
    containers,
    init_containers,
    is_native_sidecar,
    labels_of,
    name,
)
from kubectl_scratch.kube.quantities import quantity
from kubectl_scratch.plan.podcopy.scheduling import ARCH

# Taints of this domain come and go with a node's state.
OF_STATE = "node.kubernetes.io/"


class Misfit(NamedTuple):
    """Why a node cannot take a pod; ``lacks`` is a resource of which it has too little."""

    why: str
    lacks: str = ""


UNSELECTED = Misfit("its node selector or affinity does not match")


def no_node_for(pod: Json, nodes: list[Json]) -> list[tuple[Misfit, int]]:
    """Return why no node can take the pod, each reason with its count; empty if one can."""
    misfits = [misfit_of(pod, node) for node in nodes]
    if None in misfits:
        return []
    return Counter(each for each in misfits if each).most_common()


def misfit_of(pod: Json, node: Json) -> Misfit | None:
    """Return why a node cannot take the pod, even if it is idle; None if it can."""
    if not _is_selected(pod["spec"], node):
        return UNSELECTED
    for taint in (node.get("spec") or {}).get("taints") or []:
        passing = taint.get("effect") == "PreferNoSchedule" or taint["key"].startswith(OF_STATE)
        tolerations = pod["spec"].get("tolerations") or []
        if not passing and not any(_tolerates(toleration, taint) for toleration in tolerations):
            return Misfit(f"it does not tolerate taint {taint['key']}")
    there = (node.get("status") or {}).get("allocatable")
    if there is None:
        return None
    for resource, asked in requests_of(pod).items():
        has = quantity(there.get(resource, "0"))
        if has is not None and asked > has:
            return Misfit(f"it requests too much {resource}", resource)
    return None


def _is_selected(spec: Json, node: Json) -> bool:
    labels = {"kubernetes.io/hostname": name(node), "kubernetes.io/os": "linux", **labels_of(node)}
    arch = ((node.get("status") or {}).get("nodeInfo") or {}).get("architecture")
    if arch:
        labels.setdefault(ARCH, arch)
    selector = spec.get("nodeSelector") or {}
    wanted = [{"key": k, "operator": "In", "values": [v]} for k, v in selector.items()]
    if not all(_meets(each, labels) for each in wanted):
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED_AFFINITY)
    terms = (required or {}).get("nodeSelectorTerms") or []
    fields = {"metadata.name": name(node)}
    return required is None or any(
        all(_meets(each, labels) for each in term.get("matchExpressions") or [])
        and all(_meets(each, fields) for each in term.get("matchFields") or [])
        for term in terms
        # An empty one matches no node at all.
        if term
    )


def _meets(wanted: Json, labels: dict[str, str]) -> bool:
    """Say whether a node meets a condition; an operator of tomorrow is met.

    https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators
    """
    key, operator, values = wanted["key"], wanted["operator"], wanted.get("values") or []
    value = labels.get(key)
    if key == ARCH and value is None:
        return True
    if operator in ("In", "NotIn"):
        return (value in values) is (operator == "In")
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    if operator not in ("Gt", "Lt"):
        return True
    try:
        has, limit = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return has > limit if operator == "Gt" else has < limit


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    by_value = toleration.get("operator", "Equal") == "Equal"
    return not by_value or (toleration.get("value") or "") == (taint.get("value") or "")


def requests_of(pod: Json) -> dict[str, Fraction]:
    """Return what a pod requests of its node in all.

    Init containers are over before the regular ones start; native sidecars are not.
    """
    inits = init_containers(pod)
    found: dict[str, Fraction] = {}
    for container in (*containers(pod), *(c for c in inits if is_native_sidecar(c))):
        for resource, amount in _requests(container).items():
            found[resource] = found.get(resource, Fraction(0)) + amount
    for container in inits:
        for resource, amount in _requests(container).items():
            found[resource] = max(found.get(resource, Fraction(0)), amount)
    return {**found, **_requests(pod["spec"])}


def _requests(container: Json) -> dict[str, Fraction]:
    """Return the requests of a container, or of a whole pod; a limit alone is one, too."""
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    amounts = {resource: quantity(text) for resource, text in asked.items()}
    return {resource: amount for resource, amount in amounts.items() if amount is not None}
