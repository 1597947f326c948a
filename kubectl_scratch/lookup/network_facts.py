"""Read what is around a pod in the network: Services, their endpoints, policies, other pods.

EndpointSlices are beyond the rights that a debug needs: without them the ready pods that a Service
selects are counted, as far as those are in the pod's own namespace.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.kinds import POLICY, SERVICE
from kubectl_scratch.kube.objects import Json, condition, is_going, labels_of, name, namespace
from kubectl_scratch.kube.selectors import matches, selector_of
from kubectl_scratch.lookup.quiet_reads import items_or_none
from kubectl_scratch.runtime.tasks import TaskGroup
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.report import Run

_Items = tuple[Json, ...] | None
_SLICES = "/apis/discovery.k8s.io/v1"
_OWNER = "kubernetes.io/service-name"
# How many other namespaces are looked into.
_MOST = 4


class _Around(NamedTuple):
    """The Services of a namespace and their EndpointSlices."""

    services: _Items
    slices: _Items


def with_network(cluster: Client, facts: ClusterFacts, run: Run) -> ClusterFacts:
    """Add the Services, endpoints, policies and pods that the run may have had to do with."""
    own = namespace(facts.pod)
    where = (own, *_other_namespaces(run, own))
    functions = [
        partial(_read_all, cluster, own, POLICY.root, POLICY.plural),
        partial(_read_all, cluster, own, "/api/v1", "pods"),
    ]
    for each in where:
        functions.append(partial(_read_all, cluster, each, SERVICE.root, SERVICE.plural))
        functions.append(partial(_read_all, cluster, each, _SLICES, "endpointslices"))
    policies, pods, *read = TaskGroup(functions).results()
    around = [_Around(*pair) for pair in zip(read[::2], read[1::2], strict=True)]
    services = [service for each in around for service in each.services or ()]
    if _strangers(run, (*services, *(pods or ()))):
        around += _elsewhere(cluster, run, where)
        services = [service for each in around for service in each.services or ()]
    unknown = around[0].services is None and not services
    return facts._replace(
        services=None if unknown else tuple(services),
        endpoints=None if unknown else _ready(around, pods),
        network_policies=policies,
        neighbours=facts.neighbours if pods is None else pods,
    )


def _read_all(cluster: Client, where: str, root: str, plural: str) -> _Items:
    return items_or_none(cluster, paths.objects(root, where, plural))


def has_talked(run: Run) -> bool:
    """Say whether the app has used the network, or tried to."""
    calls = any(call.family in ("inet", "inet6") for call in run.calls)
    waits = any(wait.address for wait in run.waits)
    return bool(calls or waits or run.questions or run.connected)


def _other_namespaces(run: Run, own: str) -> list[str]:
    """Return the namespaces that names may mean: those of SERVICE.NAMESPACE and the like."""
    found = {}
    for question in run.questions:
        labels = question.name.rstrip(".").split(".")
        is_short = len(labels) == 2 or labels[2:3] == ["svc"]
        if len(labels) > 1 and is_short and labels[1] != own and _is_label(labels[1]):
            found[labels[1]] = True
    return list(found)[:_MOST]


def _is_label(text: str) -> bool:
    return 0 < len(text) < 64 and text.isascii() and text.replace("-", "").isalnum()


def _strangers(run: Run, known: Iterable[Json]) -> set[str]:
    """Return the private addresses that the run asked in vain and that nothing known has."""
    there = {address for each in known for address in addresses_of(each)}
    asked = [call.address for call in run.calls if call.call == "connect"]
    asked += [wait.address for wait in run.waits]
    return {address for address in asked if _is_private(address)} - there


def _elsewhere(cluster: Client, run: Run, known: tuple[str, ...]) -> list[_Around]:
    """Return the Services of all other namespaces, with the endpoints of those that were asked."""
    every = items_or_none(cluster, paths.everywhere(SERVICE.root, SERVICE.plural)) or ()
    others = [each for each in every if namespace(each) not in known]
    asked = [each for each in others if _strangers(run, ()).intersection(addresses_of(each))]
    found = []
    for where in dict.fromkeys(map(namespace, others)):
        is_asked = any(namespace(each) == where for each in asked)
        slices = _read_all(cluster, where, _SLICES, "endpointslices") if is_asked else None
        found.append(_Around(tuple(o for o in others if namespace(o) == where), slices))
    return found


def _is_private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_private and not (found.is_loopback or found.is_link_local)


def addresses_of(obj: Json) -> list[Any]:
    """Return the addresses of a Service, or of a pod."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    of_pod = [str(each.get("ip")) for each in status.get("podIPs") or []]
    return [*(spec.get("clusterIPs") or [spec.get("clusterIP")]), *of_pod, status.get("podIP")]


def _ready(around: list[_Around], pods: _Items) -> dict[str, int]:
    """Return how many ready endpoints each Service has of which that is known."""
    found = {}
    for number, each in enumerate(around):
        counted = _by_slices(each.slices or ())
        for service in each.services or ():
            key = f"{namespace(service)}/{name(service)}"
            if each.slices is not None:
                found[key] = counted.get(key, 0)
            elif number == 0 and pods is not None and selector_of({"kind": "Service", **service}):
                found[key] = sum(_is_ready_for(service, pod) for pod in pods)
    return found


def _by_slices(slices: Iterable[Json]) -> dict[str, int]:
    """Return the number of ready endpoints by Service; one with two addresses counts once."""
    ready: dict[str, set[str]] = {}
    for each in slices:
        key = f"{namespace(each)}/{labels_of(each).get(_OWNER, '')}"
        ready.setdefault(key, set()).update(_ready_in(each))
    return {key: len(found) for key, found in ready.items()}


def _ready_in(endpoint_slice: Json) -> Iterator[str]:
    for endpoint in endpoint_slice.get("endpoints") or []:
        if (endpoint.get("conditions") or {}).get("ready") is not False:
            target = (endpoint.get("targetRef") or {}).get("uid")
            yield str(target or (endpoint.get("addresses") or [""])[0])


def _is_ready_for(service: Json, pod: Json) -> bool:
    selecting = selector_of({"kind": "Service", **service})
    if selecting is None or not matches(selecting.selector, labels_of(pod)) or is_going(pod):
        return False
    ready = (condition(pod, "Ready") or {}).get("status") == "True"
    return ready or selecting.publishes_unready
