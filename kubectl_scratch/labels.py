"""Which labels of the source the copy keeps.

Principle: harmless first, then faithful. No controller adopts the copy, no Service sends it
traffic, no budget counts it; what is left goes to the NetworkPolicies, so that the copy
reaches what the source reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import NamedTuple

from kubectl_scratch.findings import Edit, Finding, Level
from kubectl_scratch.lease import MANAGER
from kubectl_scratch.podjson import Json, name

# What controllers write into the pods that they make: an identity, not a description.
CONTROLLERS_OWN = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
    }
)
KEEP_FLAG = "--keep-labels"
# Up to here every set of keys is tried; 2 ** 10 of them take less than a tenth of a second.
FEW_KEYS = 10

OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, values: value is not None,
    "DoesNotExist": lambda value, values: value is None,
}
# These hold only where the label is there: dropping it breaks them.
NEED_THE_LABEL = ("In", "Exists")


@dataclass(frozen=True)
class Selecting:
    """An object of the namespace that selects pods by labels.

    ``selector`` is a LabelSelector, whatever form the object has; ``publishes_unready`` is a
    Service's ``publishNotReadyAddresses``.
    """

    kind: str
    name: str
    selector: Json
    publishes_unready: bool = False


@dataclass(frozen=True)
class Neighbours:
    """What selects pods in the namespace.

    ``unknown`` are the plural names of the kinds that could not be listed.
    """

    controllers: tuple[Selecting, ...] = ()
    services: tuple[Selecting, ...] = ()
    budgets: tuple[Selecting, ...] = ()
    policies: tuple[Selecting, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """The source's labels that the copy keeps.

    ``gate`` where only a readiness gate keeps the copy out of a Service's ready endpoints.
    """

    labels: dict[str, str]
    gate: bool
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]


class Requirement(NamedTuple):
    """One condition of a selector."""

    key: str
    operator: str
    values: list[str]


def matches(selector: Json, labels: Mapping[str, str]) -> bool:
    """Say whether a LabelSelector selects a pod of these labels.

    An empty one selects every pod, and NotIn also a pod that lacks the label. Raises KeyError
    for an operator that the API server refuses.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    return _hold(_requirements(selector), labels)


def _hold(requirements: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    return all(OPERATORS[r.operator](labels.get(r.key), r.values) for r in requirements)


def _requirements(selector: Json) -> list[Requirement]:
    plain = (selector.get("matchLabels") or {}).items()
    expressions = selector.get("matchExpressions") or []
    return [
        *(Requirement(key, "In", [value]) for key, value in plain),
        *(Requirement(e["key"], e["operator"], e.get("values") or []) for e in expressions),
    ]


def _needs(selector: Json) -> list[Requirement]:
    """Return the conditions that dropping a label breaks."""
    return [r for r in _requirements(selector) if r.operator in NEED_THE_LABEL]


def selector_of(obj: Json) -> Selecting | None:
    """Return what an API object selects; None where it selects no pod.

    ``kind`` has to be set, which it isn't in the items of a list. In a Service and a
    ReplicationController the selector is a plain map, and an empty one selects nothing; in
    all other kinds it is a LabelSelector, and an empty one selects everything.
    """
    kind, spec = obj["kind"], obj["spec"]
    if kind == "NetworkPolicy":
        # Absent is as empty here, and not as elsewhere.
        return Selecting(kind, name(obj), spec.get("podSelector") or {})
    selector = spec.get("selector")
    if kind in ("Service", "ReplicationController"):
        # A Service that is only a name in DNS ignores its selector.
        if not selector or spec.get("type") == "ExternalName":
            return None
        unready = bool(spec.get("publishNotReadyAddresses"))
        return Selecting(kind, name(obj), {"matchLabels": selector}, unready)
    return None if selector is None else Selecting(kind, name(obj), selector)


def anti_affinity_of(pod: Json) -> tuple[Selecting, ...]:
    """Return what the pod does not tolerate beside it: the scheduler heeds it for others, too.

    https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
    """
    affinity = (pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or []
    selectors = [term["labelSelector"] for term in terms if term.get("labelSelector")]
    return tuple(Selecting("anti-affinity", "of the source", selector) for selector in selectors)


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


@dataclass(frozen=True)
class Choice:
    """What there is to choose from: ``keepable`` are the source's labels that may be kept."""

    source: Mapping[str, str]
    keepable: dict[str, str]
    ours: Mapping[str, str]
    around: Neighbours

    def kept(self, dropped: Iterable[str]) -> dict[str, str]:
        """Return what is kept where these keys are dropped, too."""
        gone = set(dropped)
        return {key: value for key, value in self.keepable.items() if key not in gone}

    def copy(self, dropped: Iterable[str] = ()) -> dict[str, str]:
        """Return all labels that the copy then has."""
        return {**self.kept(dropped), **self.ours}

    def is_breakable(self, selecting: Selecting) -> bool:
        """Say whether dropping labels keeps the copy from it."""
        return not matches(selecting.selector, self.ours)

    @property
    def harmful(self) -> tuple[Selecting, ...]:
        """Return what should not select the copy, the worst first."""
        return (*self.around.controllers, *self.around.services, *self.around.budgets)

    @property
    def governing(self) -> list[Selecting]:
        """Return the policies of the source that the copy can still have."""
        of_the_source = _that_select(self.around.policies, self.source)
        return _that_select(of_the_source, self.copy())


def choose_labels(
    source: Mapping[str, str],
    ours: Mapping[str, str],
    neighbours: Neighbours,
    keep_all: bool = False,
) -> Kept:
    """Choose what the copy keeps of the source's labels; ``ours`` are added to it afterwards.

    ``keep_all`` keeps all but those that controllers wrote and those that are ours, whatever
    then selects the copy. Where some kind is unknown, and not ``keep_all``, none is kept.
    """
    keepable = {key: value for key, value in source.items() if not _why_never(key, ours)}
    choice = Choice(source, keepable, ours, neighbours)
    if neighbours.unknown and not keep_all:
        return _keep_none(choice)
    dropped = () if keep_all else _fewest(choice)
    return Kept(
        labels=choice.kept(dropped),
        gate=not keep_all and _needs_gate(choice, dropped),
        edits=tuple(_edits(choice, dropped)),
        findings=(
            *_selected(choice, dropped, keep_all),
            *_lost_policies(choice, dropped),
            *_new_policies(choice, dropped),
            *_unseen(choice, dropped),
        ),
    )


def _why_never(key: str, ours: Mapping[str, str]) -> str:
    """Return why a label is never kept, or nothing where it may be."""
    if key in CONTROLLERS_OWN:
        return "its controller's own"
    if key in ours or key.startswith(f"{MANAGER}/"):
        return "the copy has its own"
    return ""


def _keep_none(choice: Choice) -> Kept:
    """Keep nothing: what can't be listed might adopt the copy or send it traffic."""
    edits, findings = [], []
    if choice.source:
        kinds = ", ".join(choice.around.unknown)
        reason = f"none is kept: {kinds} could not be listed, and might select the copy"
        edits = [Edit("metadata.labels", reason)]
        text = (
            f"{kinds} could not be listed, so the copy has no label of the source, and "
            f"NetworkPolicies that select the source by label do not govern it; {KEEP_FLAG} "
            "keeps the labels"
        )
        findings = [Finding(Level.WARNING, text)]
    dropped = tuple(choice.keepable)
    return Kept(
        labels={},
        gate=_needs_gate(choice, dropped),
        edits=tuple(edits),
        findings=(
            *findings,
            *_selected(choice, dropped, keep_all=False),
            *_new_policies(choice, dropped),
        ),
    )


# The choice


def _fewest(choice: Choice) -> tuple[str, ...]:
    """Return the keys to drop, sorted."""
    near = _within_reach(choice)
    needed = {r.key for each in near.harmful for r in _needs(each.selector)}
    keys = sorted(needed & choice.keepable.keys())
    if len(keys) > FEW_KEYS:
        return _put_back(near, keys)
    sets = chain.from_iterable(combinations(keys, size) for size in range(len(keys) + 1))
    return min(sets, key=lambda dropped: _cost(near, dropped))


def _within_reach(choice: Choice) -> Choice:
    """Leave out what selects the copy under no choice: a namespace may have many Services."""

    def near(those: tuple[Selecting, ...]) -> tuple[Selecting, ...]:
        return tuple(each for each in those if _hold(_needs(each.selector), choice.copy()))

    around = choice.around
    reached = Neighbours(
        near(around.controllers), near(around.services), near(around.budgets), near(around.policies)
    )
    return Choice(choice.source, choice.keepable, choice.ours, reached)


Cost = tuple[int, int, int, int, int, int, int, int, tuple[str, ...]]


def _cost(choice: Choice, dropped: tuple[str, ...]) -> Cost:
    """Return how bad it is to drop these keys; the first difference decides.

    A lost policy is worse than a Service, which a gate keeps from the copy, and than a budget;
    but no gate helps against a controller or a Service that publishes what is not ready.
    """
    around = choice.around
    copy = choice.copy(dropped)
    adopting = _that_select(around.controllers, copy)
    serving = _that_select(around.services, copy)
    governing = choice.governing
    return (
        sum(choice.is_breakable(each) for each in adopting),
        sum(each.publishes_unready for each in serving),
        len(adopting),
        len(governing) - len(_that_select(governing, copy)),
        len(serving),
        len(_that_select(around.budgets, copy)),
        len(dropped),
        len(_that_select(around.policies, copy)),
        dropped,
    )


def _put_back(choice: Choice, keys: list[str]) -> tuple[str, ...]:
    """Drop all these keys, then put back what makes it better: safe, and nearly the fewest.

    First all keys of a policy at once, since a part of them brings no policy back.
    """
    of_policies = [{r.key for r in _needs(each.selector)} for each in choice.governing]
    groups = [*of_policies, *({key} for key in keys)]
    dropped = tuple(keys)
    while True:
        fewer = [tuple(key for key in dropped if key not in group) for group in groups]
        best = min([dropped, *fewer], key=lambda some: _cost(choice, some))
        if best == dropped:
            return dropped
        dropped = best


def _that_select(those: Iterable[Selecting], labels: Mapping[str, str]) -> list[Selecting]:
    return [each for each in those if matches(each.selector, labels)]


def _needs_gate(choice: Choice, dropped: tuple[str, ...]) -> bool:
    serving = _that_select(choice.around.services, choice.copy(dropped))
    return any(not each.publishes_unready for each in serving)


# The lines of the plan


class Effect(NamedTuple):
    """What an object does to a pod that it selects, in the words of an edit and of a finding."""

    would: str
    does: str


EFFECTS = {
    "Service": Effect("send it traffic", "sends the copy traffic"),
    "PodDisruptionBudget": Effect("count it", "counts the copy"),
    "anti-affinity": Effect("keep it off the node", "keeps the copy off the source's node"),
}
ADOPTION = Effect("adopt it", "adopts the copy and may delete it")


def _edits(choice: Choice, dropped: tuple[str, ...]) -> Iterator[Edit]:
    for key in sorted(choice.source.keys() - choice.kept(dropped).keys()):
        reason = _why_never(key, choice.ours) or _why_dropped(choice, dropped, key)
        yield Edit(f"metadata.labels[{key}]", reason)


def _why_dropped(choice: Choice, dropped: tuple[str, ...], key: str) -> str:
    """Return what would select the copy if this key alone were put back."""
    put_back = choice.copy(other for other in dropped if other != key)
    already = _that_select(choice.harmful, choice.copy(dropped))
    new = [each for each in _that_select(choice.harmful, put_back) if each not in already]
    return ", ".join(f"{_title(each)} would {_effect(each).would}" for each in new)


def _selected(choice: Choice, dropped: tuple[str, ...], keep_all: bool) -> Iterator[Finding]:
    """Say what selects the copy all the same."""
    for each in _that_select(choice.harmful, choice.copy(dropped)):
        does = f"{_title(each)} {_effect(each).does}"
        if keep_all:
            advice = f": leave out {KEEP_FLAG}" if choice.is_breakable(each) else ""
            yield Finding(Level.WARNING, does + advice)
        elif each in choice.around.services and not each.publishes_unready:
            yield Finding(Level.WARNING, _gated(choice, each))
        elif each in choice.around.budgets:
            yield _counted(choice, each)
        else:
            text = f"{does}, whatever the copy's labels; its selector should name one"
            yield Finding(Level.WARNING, text)


def _gated(choice: Choice, service: Selecting) -> str:
    gate = "a readiness gate keeps the copy out of its ready endpoints, so it is never Ready"
    return f"{_title(service)} selects the copy{_shared(choice, service)}: {gate}"


def _counted(choice: Choice, budget: Selecting) -> Finding:
    does = f"{_title(budget)} {_effect(budget).does}"
    if not choice.is_breakable(budget):
        return Finding(Level.DETAIL, f"{does}: it needs no label that could be dropped")
    return Finding(Level.WARNING, f"{does}{_shared(choice, budget)}: drain no node meanwhile")


def _shared(choice: Choice, selecting: Selecting) -> str:
    """Name the policies for whose sake the labels that it needs are kept."""
    keys = {r.key for r in _needs(selecting.selector)}
    policies = [p for p in choice.governing if keys & {r.key for r in _needs(p.selector)}]
    names = ", ".join(_title(each) for each in policies)
    return f" by labels that it shares with {names}" if names else ""


def _lost_policies(choice: Choice, dropped: tuple[str, ...]) -> Iterator[Finding]:
    copy = choice.copy(dropped)
    for policy in _that_select(choice.around.policies, choice.source):
        if not matches(policy.selector, copy):
            text = f"{_title(policy)} governs the source and not the copy"
            yield _differs(text, as_the_source=policy in choice.governing)


def _new_policies(choice: Choice, dropped: tuple[str, ...]) -> Iterator[Finding]:
    for policy in _that_select(choice.around.policies, choice.copy(dropped)):
        if not matches(policy.selector, choice.source):
            text = f"{_title(policy)} governs the copy and not the source"
            kept = not matches(policy.selector, choice.copy())
            yield _differs(text, as_the_source=kept)


def _differs(text: str, as_the_source: bool) -> Finding:
    """Warn of a policy; with all labels kept it may govern the copy as it does the source."""
    advice = f"; {KEEP_FLAG} keeps the labels" if as_the_source else ""
    return Finding(Level.WARNING, f"{text}, which may reach more or less{advice}")


def _unseen(choice: Choice, dropped: tuple[str, ...]) -> Iterator[Finding]:
    """Say what may select the copy unseen by the labels that it keeps."""
    if not choice.kept(dropped):
        return
    if choice.around.unknown:
        kinds = ", ".join(choice.around.unknown)
        text = f"{kinds} could not be listed, and may select the copy: leave out {KEEP_FLAG}"
        yield Finding(Level.WARNING, text)
    kept = ", ".join(sorted(choice.kept(dropped)))
    text = f"autoscalers and monitors (HPA, PodMonitor) may count the copy by its labels: {kept}"
    yield Finding(Level.DETAIL, text)


def _title(selecting: Selecting) -> str:
    return f"{selecting.kind} {selecting.name}"


def _effect(selecting: Selecting) -> Effect:
    return EFFECTS.get(selecting.kind, ADOPTION)
