"""Connections that were refused, timed out, or found no way."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, name, namespace
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.peers import (
    Owner,
    address_words,
    declared_ports,
    is_local,
    owner_of,
    port_words,
    ports_of,
    ready_of,
    selected_pods,
    target_port,
    title_of,
)
from kubectl_scratch.why.policies import NO, UNKNOWN, Goal, allows, egress_policies, policy_titles
from kubectl_scratch.why.rank import DNS_PORT, Evidence, FailedCall
from kubectl_scratch.why.report import Call
from kubectl_scratch.why.wording import call_line, duration, listed

REFUSED = ("ECONNREFUSED",)
_LATE = ("ETIMEDOUT", "EHOSTDOWN", "")
NO_WAY = ("ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EPERM", "EACCES")
CUT = ("ECONNRESET", "ECONNABORTED")


def find_connections(evidence: Evidence) -> Iterator[Cause]:
    """Yield connections that did not come about; those to DNS servers have their own file."""
    for failed in evidence.failed:
        call = failed.call
        inet = call.address and call.call not in ("bind", "listen", "socket")
        if inet and call.port != DNS_PORT and call.error in (*REFUSED, *_LATE, *NO_WAY, *CUT):
            yield explain_connection(evidence, failed)


def explain_connection(evidence: Evidence, failed: FailedCall) -> Cause:
    """Return why one connection failed, as far as the cluster says."""
    call, facts = failed.call, evidence.facts
    owner = owner_of(facts, call.address)
    if owner.service is not None:
        found = _of_service(evidence, failed, owner.service)
        if found:
            return found
    blocked = _blocked(evidence, failed, owner)
    if blocked:
        return blocked
    if call.error in REFUSED:
        return _refused(evidence, failed, owner)
    if call.error in NO_WAY and call.error != "EPERM":
        return _no_way(evidence, failed, owner)
    return _late(evidence, failed, owner)


def _lines(evidence: Evidence, failed: FailedCall, *more: str) -> tuple[str, ...]:
    return (call_line(failed.call, evidence.run), *filter(None, more))


def _to(evidence: Evidence, call: Call) -> str:
    return address_words(evidence.run, evidence.facts, call.address, call.port)


def _of_service(evidence: Evidence, failed: FailedCall, service: Json) -> Cause | None:
    call, facts = failed.call, evidence.facts
    title = title_of(facts, service, "Service")
    to = _to(evidence, call)
    ports = [port.get("port") for port in ports_of(service)]
    if call.port not in ports:
        return Cause(
            "service-port",
            f"the app connects to {to}, and {title} has no port {call.port}",
            _lines(evidence, failed, f"{title} has the ports {port_words(service)}"),
            f"let the app use port {ports[0] if ports else 'of the Service'}, or add port"
            f" {call.port} to {title}",
            failed.weight + 5,
        )
    if ready_of(facts, service) == 0:
        return Cause(
            "no-endpoints",
            f"the app connects to {to}, which is {title}, and that has no ready endpoint",
            _lines(evidence, failed, *_selected_lines(facts, service)),
            _remedy_of_endpoints(facts, service),
            failed.weight + 5,
        )
    return _wrong_target(evidence, failed, service)


def _selected_lines(facts: ClusterFacts, service: Json) -> Iterator[str]:
    selector = (service.get("spec") or {}).get("selector") or {}
    words = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    pods = selected_pods(facts, service)
    if pods is not None and not pods:
        yield f"its selector {words} selects no pod"
    elif pods:
        yield f"it selects {listed(name(pod) for pod in pods)}, and none of them is ready"
    elif words:
        yield f"its selector is {words}"


def _remedy_of_endpoints(facts: ClusterFacts, service: Json) -> str:
    its = str((service.get("metadata") or {}).get("namespace") or namespace(facts.pod))
    pods = selected_pods(facts, service)
    selector = (service.get("spec") or {}).get("selector") or {}
    words = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    if pods:
        return f"find out why its pods are not ready: kubectl scratch why {name(pods[0])} -n {its}"
    if words:
        return f"start its pods, or correct its selector: kubectl get pods -n {its} -l {words}"
    return f"give it endpoints: kubectl get endpointslices -n {its}"


def _wrong_target(evidence: Evidence, failed: FailedCall, service: Json) -> Cause | None:
    """Return that a Service leads to a port on which its pods do not listen, if that is known."""
    call, facts = failed.call, evidence.facts
    pods = selected_pods(facts, service)
    if call.error not in REFUSED or not pods:
        return None
    target = target_port(service, call.port, pods)
    declared = {port for pod in pods for port in declared_ports(pod)}
    if target in declared or not declared:
        return None
    title = title_of(facts, service, "Service")
    return Cause(
        "service-port",
        f"the app connects to {_to(evidence, call)}; {title} sends that to port"
        f" {target if target else 'of a name'} of its pods, which declare"
        f" {listed(map(str, sorted(declared)))}",
        _lines(evidence, failed),
        f"correct targetPort of port {call.port} in {title}",
        failed.weight + 2,
    )


def _refused(evidence: Evidence, failed: FailedCall, owner: Owner) -> Cause:
    call = failed.call
    if is_local(call.address):
        return _refused_here(evidence, failed)
    to = _to(evidence, call)
    if owner.service is not None:
        title = title_of(evidence.facts, owner.service, "Service")
        sentence = f"the app connects to {to}, which is {title}, and its pods refuse the connection"
        remedy = f"check on which port the pods of {title} listen"
    elif owner.pod is not None:
        title = title_of(evidence.facts, owner.pod, "pod")
        sentence = (
            f"the app connects to {to}, which is {title}, and nothing listens there on"
            f" port {call.port}"
        )
        remedy = f"check that {title} runs and listens on port {call.port}"
    else:
        sentence = f"the app connects to {to}, and nothing listens there"
        remedy = (
            "check the address and port that the app is configured with, and that the server runs"
        )
    return Cause("connection-refused", sentence, _lines(evidence, failed), remedy, failed.weight)


def _refused_here(evidence: Evidence, failed: FailedCall) -> Cause:
    call, facts = failed.call, evidence.facts
    to = _to(evidence, call)
    container = declared_ports(facts.pod).get(call.port, "")
    if container and container != facts.target:
        sentence = (
            f"the app connects to {to}, where container {container} should listen, and"
            " does not (yet)"
        )
        remedy = (
            f"check container {container}: kubectl logs {name(facts.pod)} -c {container}; let"
            " the app try again, or make it a native sidecar with a startupProbe"
        )
        return Cause(
            "connection-refused", sentence, _lines(evidence, failed), remedy, failed.weight
        )
    sentence = f"the app connects to {to}, the pod itself, and nothing listens there"
    remedy = (
        f"set the address of the server in the app's configuration{_candidates(facts, call)}:"
        " localhost in a pod is the pod itself"
    )
    return Cause("connection-refused", sentence, _lines(evidence, failed), remedy, failed.weight)


def _candidates(facts: ClusterFacts, call: Call) -> str:
    own = namespace(facts.pod)
    serving = [
        name(service)
        for service in facts.services or ()
        if (service["metadata"].get("namespace") or own) == own
        and any(port.get("port") == call.port for port in ports_of(service))
    ]
    return f" (Service {listed(serving, 3)} has port {call.port})" if serving else ""


def goal_of(evidence: Evidence, call: Call, owner: Owner) -> Goal:
    """Return what a call wanted to reach, as NetworkPolicies see it: behind the Service."""
    facts, protocol = evidence.facts, "UDP" if call.protocol == "udp" else "TCP"
    if owner.service is not None:
        pods = selected_pods(facts, owner.service) or []
        port = target_port(owner.service, call.port, pods) or call.port
        return Goal(call.address, port, protocol, tuple(pods))
    pods = [owner.pod] if owner.pod is not None else []
    return Goal(call.address, call.port, protocol, tuple(pods))


def _blocked(evidence: Evidence, failed: FailedCall, owner: Owner) -> Cause | None:
    """Return the policy that keeps the pod from there, if one does."""
    call, facts = failed.call, evidence.facts
    if is_local(call.address):
        return None
    policies = egress_policies(facts)
    allowed = allows(policies, facts, goal_of(evidence, call, owner)) if policies else ""
    if allowed not in (NO, UNKNOWN):
        return None
    if allowed == UNKNOWN and call.error in REFUSED:
        return None
    titles = policy_titles(policies)
    whether = "does not allow that" if allowed == NO else "possibly does not allow that"
    return Cause(
        "network-policy",
        f"the app cannot reach {_to(evidence, call)}: {titles} selects this pod and {whether}",
        _lines(evidence, failed, _whose(evidence, owner)),
        f"allow egress to port {goal_of(evidence, call, owner).port} there in {titles}",
        failed.weight + (6 if allowed == NO else -2),
    )


def _whose(evidence: Evidence, owner: Owner) -> str:
    if owner.service is not None:
        return f"the address is that of {title_of(evidence.facts, owner.service, 'Service')}"
    if owner.pod is not None:
        return f"the address is that of {title_of(evidence.facts, owner.pod, 'pod')}"
    return ""


def _no_way(evidence: Evidence, failed: FailedCall, owner: Owner) -> Cause:
    call = failed.call
    sentence = f"there is no way from the pod to {_to(evidence, call)}"
    if call.error == "EHOSTUNREACH":
        sentence = (
            f"{_to(evidence, call)} cannot be reached: no host answers there, or a firewall"
            " rejects it"
        )
    remedy = "check the address, the routes of the node, and firewalls"
    if ":" in call.address:
        remedy = (
            "the address is of IPv6, which this pod probably does not have: use an IPv4 address"
        )
    lines = _lines(evidence, failed, _whose(evidence, owner))
    return Cause("unreachable-network", sentence, lines, remedy, failed.weight)


def _late(evidence: Evidence, failed: FailedCall, owner: Owner) -> Cause:
    call = failed.call
    if call.error in CUT:
        return Cause(
            "connection-refused",
            f"{_to(evidence, call)} closed the connection at once",
            _lines(evidence, failed, _whose(evidence, owner)),
            "check the server's log, and that port and protocol (TLS or not) are the right ones",
            failed.weight - 5,
        )
    waited = f" within {duration(call.waited)}" if call.waited else ""
    return Cause(
        "connection-timed-out",
        f"no answer came from {_to(evidence, call)}{waited}",
        _lines(evidence, failed, _whose(evidence, owner)),
        "check the address, and firewalls and NetworkPolicies on the way, also those of the other"
        " side",
        failed.weight,
    )
