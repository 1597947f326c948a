"""What selects pods, and which."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_scratch.kube.selectors import Selector, matches, selector_of, text_of
from tests.support.builders import Json

LABELS = {"app": "shop", "tier": "web", "team": "sales"}


def a_selector(*expressions: Json, **labels: str) -> Json:
    return {"matchLabels": labels, "matchExpressions": list(expressions)}


def an_expression(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


@pytest.mark.parametrize(
    "expression, selected",
    [
        (an_expression("app", "In", "shop", "x"), True),
        (an_expression("app", "In", "x"), False),
        (an_expression("other", "In", "x"), False),
        (an_expression("app", "NotIn", "x"), True),
        (an_expression("app", "NotIn", "shop"), False),
        (an_expression("other", "NotIn", "x"), True),
        (an_expression("app", "Exists"), True),
        (an_expression("other", "Exists"), False),
        (an_expression("app", "DoesNotExist"), False),
        (an_expression("other", "DoesNotExist"), True),
    ],
    ids=str,
)
def test_an_expression_selects(expression: Json, selected: bool) -> None:
    assert matches({"matchExpressions": [expression]}, LABELS) is selected


@pytest.mark.parametrize(
    "selector, selected",
    [
        ({}, True),
        ({"matchLabels": None, "matchExpressions": None}, True),
        ({"matchLabels": {"app": "shop", "tier": "web"}}, True),
        ({"matchLabels": {"app": "shop", "tier": "db"}}, False),
        (a_selector(an_expression("tier", "Exists"), app="shop"), True),
        (a_selector(an_expression("tier", "DoesNotExist"), app="shop"), False),
    ],
    ids=str,
)
def test_all_conditions_of_a_selector_have_to_hold(selector: Json, selected: bool) -> None:
    assert matches(selector, LABELS) is selected


def test_a_label_without_a_value_is_there() -> None:
    assert matches(a_selector(an_expression("app", "Exists")), {"app": ""})
    assert not matches(a_selector(an_expression("app", "DoesNotExist")), {"app": ""})


def test_a_selector_as_a_query() -> None:
    selector = a_selector(
        an_expression("h", "NotIn", "i"),
        an_expression("c", "In", "e", "d"),
        an_expression("f", "DoesNotExist"),
        an_expression("g", "Exists"),
        a="b",
    )
    assert text_of(selector) == "a=b,c in (d,e),!f,g,h notin (i)"
    assert text_of({}) == ""


def an_object(kind: str, **spec: Any) -> Json:
    return {"kind": kind, "metadata": {"name": "shop"}, "spec": spec}


@pytest.mark.parametrize("kind", ["Service", "ReplicationController"])
def test_an_empty_plain_selector_selects_nothing(kind: str) -> None:
    found = selector_of(an_object(kind, selector={"app": "shop"}))
    assert found == Selector(kind, "shop", {"matchLabels": {"app": "shop"}})
    assert selector_of(an_object(kind, selector={})) is None
    assert selector_of(an_object(kind)) is None


@pytest.mark.parametrize(
    "kind",
    ["PodDisruptionBudget", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "Deployment"],
)
def test_a_missing_label_selector_selects_nothing(kind: str) -> None:
    selector = a_selector(an_expression("tier", "Exists"), app="shop")
    assert selector_of(an_object(kind, selector=selector)) == Selector(kind, "shop", selector)
    assert selector_of(an_object(kind, selector={})) == Selector(kind, "shop", {})
    assert selector_of(an_object(kind)) is None


def test_a_network_policy_without_a_selector_selects_every_pod() -> None:
    selector = a_selector(app="shop")
    found = selector_of(an_object("NetworkPolicy", podSelector=selector))
    assert found == Selector("NetworkPolicy", "shop", selector)
    assert selector_of(an_object("NetworkPolicy")) == Selector("NetworkPolicy", "shop", {})


def test_a_service_that_publishes_unready_pods_is_known() -> None:
    spec = {"selector": {"app": "shop"}, "publishNotReadyAddresses": True}
    found = selector_of(an_object("Service", **spec))
    assert found is not None and found.publishes_unready


def test_a_service_that_is_only_a_name_selects_nothing() -> None:
    spec = {"selector": {"app": "shop"}, "type": "ExternalName"}
    assert selector_of(an_object("Service", **spec)) is None
