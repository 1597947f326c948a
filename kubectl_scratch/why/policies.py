"""Whether the NetworkPolicies of a pod let it reach an address.

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, labels_of, name, namespace
from kubectl_scratch.kube.selectors import matches
from kubectl_scratch.plan.labels import CONTROLLERS_OWN, MANAGERS
from kubectl_scratch.why.facts import ClusterFacts

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
YES, NO, UNKNOWN = "yes", "no", "unknown"


class Goal(NamedTuple):
    """What shall be reached: an address and port, and the pods behind it, as far as known."""

    address: str
    port: int
    protocol: str = "TCP"
    pods: tuple[Json, ...] = ()


def egress_policies(facts: ClusterFacts) -> list[Json]:
    """Return the policies that restrict what this pod reaches, in the pod and in its copy."""
    own = namespace(facts.pod)
    return [
        policy
        for policy in facts.network_policies or ()
        if (policy["metadata"].get("namespace") or own) == own
        and _is_of_egress(policy["spec"])
        and _selects(policy["spec"].get("podSelector") or {}, facts.pod)
    ]


def _is_of_egress(spec: Json) -> bool:
    types = spec.get("policyTypes")
    return "Egress" in types if types else bool(spec.get("egress"))


def _selects(selector: Json, pod: Json) -> bool:
    """Say whether it selects the pod by labels that the copy keeps, too."""
    kept = {key: value for key, value in labels_of(pod).items() if not _is_dropped(key)}
    return _matches(selector, kept)


def _is_dropped(key: str) -> bool:
    return key in CONTROLLERS_OWN or any(key.startswith(prefix) for prefix in MANAGERS)


def _matches(selector: Json, labels: dict[str, str]) -> bool:
    try:
        return matches(selector, labels)
    except KeyError:
        return False


def allows(policies: Iterable[Json], facts: ClusterFacts, goal: Goal) -> str:
    """Say whether some rule lets the pod reach it: yes, no, or unknown."""
    answers = {
        _rule_allows(rule, facts, goal)
        for policy in policies
        for rule in policy["spec"].get("egress") or []
    }
    return YES if YES in answers else UNKNOWN if UNKNOWN in answers else NO


def _rule_allows(rule: Json, facts: ClusterFacts, goal: Goal) -> str:
    if not _has_port(rule.get("ports") or [], goal):
        return NO
    peers = rule.get("to") or []
    answers = {_peer_is(peer, facts, goal) for peer in peers} if peers else {YES}
    return YES if YES in answers else UNKNOWN if UNKNOWN in answers else NO


def _has_port(ports: list[Json], goal: Goal) -> bool:
    return not ports or any(_is_port(port, goal) for port in ports)


def _is_port(port: Json, goal: Goal) -> bool:
    if str(port.get("protocol") or "TCP") != goal.protocol:
        return False
    first = port.get("port")
    if not isinstance(first, int):
        # A name of a port of the pods: which it is, they know.
        return True
    return first <= goal.port <= int(port.get("endPort") or first)


def _peer_is(peer: Json, facts: ClusterFacts, goal: Goal) -> str:
    if peer.get("ipBlock"):
        return _in_block(peer["ipBlock"], goal)
    if not goal.pods:
        return UNKNOWN
    found = {_is_pod(peer, facts, pod) for pod in goal.pods}
    return YES if YES in found else UNKNOWN if UNKNOWN in found else NO


def _is_pod(peer: Json, facts: ClusterFacts, pod: Json) -> str:
    its = str(pod["metadata"].get("namespace") or namespace(facts.pod))
    inside = YES if its == namespace(facts.pod) else NO
    if peer.get("namespaceSelector") is not None:
        inside = _namespace_is(peer["namespaceSelector"], its)
    wanted = peer.get("podSelector")
    if inside == NO or (wanted is not None and not _matches(wanted, labels_of(pod))):
        return NO
    return inside


def _namespace_is(selector: Json, its: str) -> str:
    keys = {*(selector.get("matchLabels") or {})}
    keys |= {e.get("key") for e in selector.get("matchExpressions") or []}
    if keys <= {NAMESPACE_LABEL}:
        return YES if _matches(selector, {NAMESPACE_LABEL: its}) else NO
    return UNKNOWN


def _in_block(block: Json, goal: Goal) -> str:
    try:
        address = ip_address(goal.address)
        if address not in ip_network(str(block.get("cidr")), strict=False):
            return NO
        nets = [ip_network(str(net), strict=False) for net in block.get("except") or []]
    except ValueError:
        return UNKNOWN
    return NO if any(address in net for net in nets) else YES


def policy_titles(policies: Iterable[Json]) -> str:
    """Return policies by their names."""
    names = [name(policy) for policy in policies]
    return f"NetworkPolic{'y' if len(names) == 1 else 'ies'} {', '.join(names)}"
