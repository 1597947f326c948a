"""Which nodes could take a pod, whatever they do at the moment."""

from __future__ import annotations

from fractions import Fraction

import pytest

from kubectl_scratch.plan.node_fit import misfit_of, no_node_for, requests_of
from tests.support.builders import Json, a_container, a_pod

ALLOCATABLE = {"cpu": "2", "memory": "8Gi", "pods": "110"}
ARCH = {"kubernetes.io/arch": "amd64"}


def a_node(name: str = "n1", labels: Json | None = None, **spec: object) -> Json:
    facts = {"allocatable": ALLOCATABLE, "nodeInfo": {"architecture": "amd64"}}
    metadata = {"name": name, "labels": {**ARCH, **(labels or {})}}
    return {"metadata": metadata, "spec": spec, "status": facts}


def required(*terms: Json) -> Json:
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"affinity": {"nodeAffinity": rule}}


def has(key: str, operator: str, *values: str) -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def asking(**requests: str) -> Json:
    return {"containers": [a_container(resources={"requests": requests})]}


TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
ZONE = {"zone": "a", "size": "5"}
ON_N1 = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
ON_N2 = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}


@pytest.mark.parametrize(
    "spec, node, why",
    [
        ({}, a_node(), ""),
        ({"nodeSelector": {"zone": "a"}}, a_node(labels=ZONE), ""),
        ({"nodeSelector": {"zone": "b"}}, a_node(labels=ZONE), "node selector"),
        ({"nodeSelector": {"no": "such"}}, a_node(), "node selector"),
        ({"nodeSelector": {"kubernetes.io/hostname": "n1"}}, a_node(), ""),
        (required(has("zone", "In", "a", "b")), a_node(labels=ZONE), ""),
        (required(has("zone", "In", "b")), a_node(labels=ZONE), "affinity"),
        (required(has("zone", "In", "b"), has("size", "Gt", "4")), a_node(labels=ZONE), ""),
        (required(has("size", "Gt", "5")), a_node(labels=ZONE), "affinity"),
        (required(has("size", "Lt", "6")), a_node(labels=ZONE), ""),
        (required(has("size", "Lt", "6")), a_node(), "affinity"),
        (required(has("zone", "NotIn", "a")), a_node(labels=ZONE), "affinity"),
        (required(has("zone", "NotIn", "a")), a_node(), ""),
        (required(has("zone", "Exists")), a_node(), "affinity"),
        (required(has("zone", "DoesNotExist")), a_node(), ""),
        (required(has("zone", "OfTomorrow")), a_node(), ""),
        (required({}), a_node(), "affinity"),
        (required(ON_N1), a_node(), ""),
        (required(ON_N2), a_node(), "affinity"),
        (required(has("kubernetes.io/arch", "In", "arm64")), a_node(), "affinity"),
        (required(has("kubernetes.io/arch", "In", "arm64")), {"metadata": {"name": "n"}}, ""),
        ({}, a_node(taints=[TAINT]), "taint gpu"),
        ({"tolerations": [{"operator": "Exists"}]}, a_node(taints=[TAINT]), ""),
        ({"tolerations": [{"key": "gpu", "value": "yes"}]}, a_node(taints=[TAINT]), ""),
        ({"tolerations": [{"key": "gpu", "value": "no"}]}, a_node(taints=[TAINT]), "taint gpu"),
        (
            {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]},
            a_node(taints=[TAINT]),
            "taint gpu",
        ),
        ({}, a_node(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), ""),
        ({}, a_node(taints=[{**TAINT, "key": "node.kubernetes.io/not-ready"}]), ""),
        (asking(cpu="1900m"), a_node(), ""),
        (asking(cpu="2"), a_node(), ""),
        (asking(cpu="2001m"), a_node(), "too much cpu"),
        (asking(memory="9Gi"), a_node(), "too much memory"),
        (asking(**{"nvidia.com/gpu": "1"}), a_node(), "too much nvidia.com/gpu"),
        (asking(cpu="500"), {"metadata": {"name": "n"}}, ""),
        (
            {"containers": [a_container(resources={"limits": {"cpu": "3"}})]},
            a_node(),
            "too much cpu",
        ),
        ({"resources": {"requests": {"cpu": "3"}}}, a_node(), "too much cpu"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_why_a_node_can_not_take_a_pod(spec: Json, node: Json, why: str) -> None:
    found = misfit_of(a_pod(**spec), node)
    assert (why in found.why) if why and found else found is None


def test_one_node_that_can_is_enough() -> None:
    pod = a_pod(nodeSelector={"zone": "a"})
    assert no_node_for(pod, [a_node(), a_node("n2", ZONE)]) == []
    ((reason, count),) = no_node_for(pod, [a_node(), a_node("n2")])
    assert count == 2 and "node selector" in reason.why
    assert no_node_for(pod, []) == []


def test_init_containers_are_over_before_the_others_start() -> None:
    def of(cpu: str, name: str = "app", **more: str) -> Json:
        return a_container(name, resources={"requests": {"cpu": cpu}}, **more)

    inits = [of("3", "setup"), of("500m", "proxy", restartPolicy="Always")]
    pod = a_pod(containers=[of("1"), of("1", "b")], initContainers=inits)
    assert requests_of(pod) == {"cpu": Fraction(3)}
    pod["spec"]["initContainers"][0] = of("1", "setup")
    assert requests_of(pod) == {"cpu": Fraction("2.5")}
