"""Whose an address is: a Service, a pod, a container of the same pod."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, all_containers, labels_of, name, namespace
from kubectl_scratch.kube.selectors import matches
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.wording import place

NO_CLUSTER_IP = ("", "None")


class Owner(NamedTuple):
    """What an address belongs to; both None for one outside, or unknown."""

    service: Json | None = None
    pod: Json | None = None


def owner_of(facts: ClusterFacts, address: str) -> Owner:
    """Return the Service or the pod of an address."""
    for service in facts.services or ():
        if address in _cluster_ips(service):
            return Owner(service=service)
    for pod in (*(facts.neighbours or ()), facts.pod):
        if address and address in _pod_ips(pod):
            return Owner(pod=pod)
    return Owner()


def _cluster_ips(service: Json) -> list[str]:
    spec = service.get("spec") or {}
    found = [spec.get("clusterIP") or "", *(spec.get("clusterIPs") or [])]
    return [address for address in found if address not in NO_CLUSTER_IP]


def _pod_ips(pod: Json) -> list[str]:
    status = pod.get("status") or {}
    return [status.get("podIP") or "", *(i.get("ip", "") for i in status.get("podIPs") or [])]


def is_local(address: str) -> bool:
    """Say whether an address is this pod's own: loopback, or none given."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return parsed.is_loopback or parsed.is_unspecified or bool(mapped and mapped.is_loopback)


def title_of(facts: ClusterFacts, obj: Json, kind: str) -> str:
    """Return an object's kind and name, with its namespace if that is another."""
    own = namespace(facts.pod)
    its = str((obj.get("metadata") or {}).get("namespace") or own)
    return f"{kind} {name(obj)}" + (f" in namespace {its}" if its != own else "")


def address_words(run: Run, facts: ClusterFacts, address: str, port: int) -> str:
    """Return an address as the app knows it: the name that it asked for, then the address."""
    host = host_of(run, facts, address)
    return f"{place(host, port)} ({address})" if host else place(address, port)


def host_of(run: Run, facts: ClusterFacts, address: str) -> str:
    """Return the name whose answer was this address; empty if nobody asked."""
    names = [q.name for q in run.questions if address in q.answers]
    return base_name(facts, names[-1]) if names else ""


def base_name(facts: ClusterFacts, question: str) -> str:
    """Return the name that the app asked for, without the search domain that was added."""
    question = question.rstrip(".")
    for domain in search_domains(facts):
        if question.endswith("." + domain):
            return question[: -len(domain) - 1]
    return question


def search_domains(facts: ClusterFacts) -> list[str]:
    """Return the search domains of the pod, the longest first."""
    own = (facts.pod["spec"].get("dnsConfig") or {}).get("searches") or []
    default = [f"{namespace(facts.pod)}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    return sorted([*map(str, own), *default], key=len, reverse=True)


def ports_of(service: Json) -> list[Json]:
    """Return the ports of a Service."""
    return (service.get("spec") or {}).get("ports") or []


def port_words(service: Json) -> str:
    """Return the ports of a Service as words."""
    return ", ".join(_port_word(port) for port in ports_of(service)) or "none"


def _port_word(port: Json) -> str:
    title = f" ({port['name']})" if port.get("name") else ""
    return f"{port.get('port')}{title}"


def ready_of(facts: ClusterFacts, service: Json) -> int | None:
    """Return the number of ready endpoints of a Service; None if unknown."""
    if facts.endpoints is None:
        return None
    its = str((service.get("metadata") or {}).get("namespace") or namespace(facts.pod))
    return facts.endpoints.get(f"{its}/{name(service)}")


def selected_pods(facts: ClusterFacts, service: Json) -> list[Json] | None:
    """Return the pods that a Service selects; None if pods are unknown."""
    selector = (service.get("spec") or {}).get("selector")
    if not selector or facts.neighbours is None:
        return None
    its = str((service.get("metadata") or {}).get("namespace") or namespace(facts.pod))
    every = [p for p in facts.neighbours if (p["metadata"].get("namespace") or its) == its]
    return [pod for pod in every if matches({"matchLabels": selector}, labels_of(pod))]


def declared_ports(pod: Json) -> dict[int, str]:
    """Return the TCP ports that a pod's containers declare, with the container's name."""
    return {
        int(port["containerPort"]): str(container.get("name", ""))
        for container in all_containers(pod)
        for port in container.get("ports") or []
        if isinstance(port.get("containerPort"), int)
    }


def target_port(service: Json, port: int, pods: list[Json]) -> int | None:
    """Return the number of the pods' port to which a Service's port leads; None if unknown."""
    found = next((p for p in ports_of(service) if p.get("port") == port), {})
    target = found.get("targetPort", port)
    if isinstance(target, int):
        return target
    return next(_named_ports(pods, str(target)), None)


def _named_ports(pods: list[Json], wanted: str) -> Iterator[int]:
    for pod in pods:
        for container in all_containers(pod):
            for port in container.get("ports") or []:
                if port.get("name") == wanted:
                    yield int(port["containerPort"])
