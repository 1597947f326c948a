"""Selectors: what selects pods by their labels, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from kubectl_scratch.kube.objects import REQUIRED_AFFINITY, Json, name

OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, values: value is not None,
    "DoesNotExist": lambda value, values: value is None,
}
# These hold only if the label is there: dropping it breaks them.
NEED_THE_LABEL = ("In", "Exists")


class Selector(NamedTuple):
    """An object of the namespace that selects pods by labels.

    ``selector`` is a LabelSelector, whatever form the object has; ``publishes_unready`` is a
    Service's ``publishNotReadyAddresses``.
    """

    kind: str
    name: str
    selector: Json
    publishes_unready: bool = False


class NamespaceSelectors(NamedTuple):
    """What selects pods in the namespace.

    ``unknown`` are the plural names of the kinds that cannot be listed.
    """

    controllers: tuple[Selector, ...] = ()
    services: tuple[Selector, ...] = ()
    budgets: tuple[Selector, ...] = ()
    policies: tuple[Selector, ...] = ()
    unknown: tuple[str, ...] = ()


class Requirement(NamedTuple):
    """One condition of a selector."""

    key: str
    operator: str
    values: list[str]


def matches(selector: Json, labels: Mapping[str, str]) -> bool:
    """Say whether a LabelSelector selects a pod of these labels.

    An empty one selects every pod, and NotIn also a pod without the label. Raises KeyError
    for an operator that the API server refuses.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    return are_met(_requirements(selector), labels)


def are_met(requirements: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Say whether labels meet all these conditions."""
    return all(OPERATORS[r.operator](labels.get(r.key), r.values) for r in requirements)


def _requirements(selector: Json) -> list[Requirement]:
    plain = (selector.get("matchLabels") or {}).items()
    expressions = selector.get("matchExpressions") or []
    return [
        *(Requirement(key, "In", [value]) for key, value in plain),
        *(Requirement(e["key"], e["operator"], e.get("values") or []) for e in expressions),
    ]


def needs(selector: Json) -> list[Requirement]:
    """Return the conditions that dropping a label breaks."""
    return [r for r in _requirements(selector) if r.operator in NEED_THE_LABEL]


def selector_of(obj: Json) -> Selector | None:
    """Return what an API object selects; None if it selects no pod.

    ``kind`` has to be set, which it isn't in the items of a list. In a Service and a
    ReplicationController the selector is a plain map, and an empty one selects nothing; in
    all other kinds it is a LabelSelector, and an empty one selects everything.
    """
    kind, spec = obj["kind"], obj["spec"]
    if kind == "NetworkPolicy":
        # Absent is as empty here, and not as elsewhere.
        return Selector(kind, name(obj), spec.get("podSelector") or {})
    selector = spec.get("selector")
    if kind in ("Service", "ReplicationController"):
        # A Service that is only a name in DNS ignores its selector.
        if not selector or spec.get("type") == "ExternalName":
            return None
        unready = bool(spec.get("publishNotReadyAddresses"))
        return Selector(kind, name(obj), {"matchLabels": selector}, unready)
    return None if selector is None else Selector(kind, name(obj), selector)


def anti_affinity_of(pod: Json) -> tuple[Selector, ...]:
    """Return what the pod does not tolerate beside it: the scheduler heeds it for others, too.

    https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
    """
    affinity = (pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    terms = affinity.get(REQUIRED_AFFINITY) or []
    selectors = [term["labelSelector"] for term in terms if term.get("labelSelector")]
    return tuple(Selector("anti-affinity", "of the source", selector) for selector in selectors)


def text_of(selector: Json) -> str:
    """Return the selector as the API's ``labelSelector`` parameter, sorted by keys."""
    plain = (selector.get("matchLabels") or {}).items()
    terms = [(key, f"{key}={value}") for key, value in plain]
    only_expressions = _requirements({**selector, "matchLabels": None})
    terms += [(r.key, _text_of_expression(r)) for r in only_expressions]
    return ",".join(term for _, term in sorted(terms))


def _text_of_expression(requirement: Requirement) -> str:
    key, operator, values = requirement
    if operator in ("Exists", "DoesNotExist"):
        return key if operator == "Exists" else f"!{key}"
    return f"{key} {operator.lower()} ({','.join(sorted(values))})"


def that_select(those: Iterable[Selector], labels: Mapping[str, str]) -> list[Selector]:
    """Return those that select a pod of these labels."""
    return [each for each in those if matches(each.selector, labels)]
