"""Which labels of the source the copy keeps.

Principle: harmless first, then faithful. No controller adopts the copy, no Service sends it
traffic, no budget counts it; what is left goes to the NetworkPolicies, so that the copy
reaches what the source reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations
from typing import NamedTuple

from kubectl_scratch.kube.kinds import CONTROLLERS
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.selectors import (
    NamespaceSelectors,
    Selector,
    are_met,
    matches,
    needs,
    that_select,
)
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.metadata import KEY_PREFIX

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
# Managers that act on a pod because of its labels alone, without owning it, by the prefix of their
# labels. docs/copy.md has the same table, with what each would do.
MANAGERS = {
    "kueue.x-k8s.io/": "Kueue would queue, gate or evict it",
    "jobset.sigs.k8s.io/": "JobSet would count it",
    "leaderworkerset.sigs.k8s.io/": "LeaderWorkerSet would create workers for it",
    "argocd.argoproj.io/": "Argo CD would track it and may prune it",
    "rollouts-pod-template-hash": "Argo Rollouts would count it",
    "workflows.argoproj.io/": "Argo Workflows would treat it as a step",
    "training.kubeflow.org/": "Kubeflow would adopt it",
    "ray.io/": "KubeRay would count it, and delete one pod too many",
    "spark-app-selector": "Spark would treat it as an executor",
    "sparkoperator.k8s.io/": "Spark's operator would count it",
    "apps.kruise.io/": "OpenKruise would count it",
    "cnpg.io/": "CloudNativePG would treat it as an instance",
    "strimzi.io/": "Strimzi would adopt it",
}
KEEP_FLAG = "--keep-labels"
# Up to here every set of keys is tried; 2 ** 10 of them take less than a tenth of a second.
FEW_KEYS = 10


class Kept(NamedTuple):
    """The source's labels that the copy keeps.

    ``gate`` if only a readiness gate keeps the copy out of a Service's ready endpoints.
    """

    labels: dict[str, str]
    gate: bool
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]


class Case(NamedTuple):
    """What there is to choose from: ``keepable`` are the source's labels that may be kept."""

    source: Mapping[str, str]
    keepable: dict[str, str]
    ours: Mapping[str, str]
    selectors: NamespaceSelectors

    def kept(self, dropped: Iterable[str]) -> dict[str, str]:
        """Return what is kept if these keys are dropped, too."""
        gone = set(dropped)
        return {key: value for key, value in self.keepable.items() if key not in gone}

    def copy(self, dropped: Iterable[str] = ()) -> dict[str, str]:
        """Return all labels that the copy then has."""
        return {**self.kept(dropped), **self.ours}

    def is_breakable(self, selecting: Selector) -> bool:
        """Say whether dropping labels keeps the copy from it."""
        return not matches(selecting.selector, self.ours)

    @property
    def harmful(self) -> tuple[Selector, ...]:
        """Return what should not select the copy, the worst first."""
        return (*self.selectors.controllers, *self.selectors.services, *self.selectors.budgets)

    @property
    def governing(self) -> list[Selector]:
        """Return the policies of the source that the copy can still have."""
        of_the_source = that_select(self.selectors.policies, self.source)
        return that_select(of_the_source, self.copy())


def choose_labels(
    source: Mapping[str, str],
    ours: Mapping[str, str],
    selectors: NamespaceSelectors,
    keep_all: bool = False,
    stranger: str = "",
) -> Kept:
    """Choose what the copy keeps of the source's labels; ``ours`` are added to it afterwards.

    ``keep_all`` keeps all but those that controllers and managers wrote and those that are ours,
    whatever then selects the copy. If some kind is unknown, or the source's owner is ``stranger``,
    whose selector is unknown, none is kept, unless ``keep_all``.
    """
    keepable = {key: value for key, value in source.items() if not _why_never(key, ours)}
    case = Case(source, keepable, ours, selectors)
    if selectors.unknown and not keep_all:
        kinds = ", ".join(selectors.unknown)
        return _keep_none(case, f"{kinds} cannot be listed", "might select the copy")
    if stranger and not keep_all:
        return _keep_none(case, f"{stranger} owns the source", "its selector is unknown")
    dropped = () if keep_all else _fewest(case)
    return Kept(
        labels=case.kept(dropped),
        gate=not keep_all and _needs_gate(case, dropped),
        edits=tuple(_edits(case, dropped)),
        findings=(
            *_selected(case, dropped, keep_all),
            *_lost_policies(case, dropped),
            *_new_policies(case, dropped),
            *_unseen(case, dropped),
            *_strange(case, stranger),
        ),
    )


def stranger_of(source: Json) -> str:
    """Return the controlling owner if its kind is not one of ours, as kind and name; else empty.

    The selector of such an owner is unknown: it may adopt a pod by any label.
    """
    for owner in source["metadata"].get("ownerReferences") or []:
        group = str(owner.get("apiVersion") or "").rpartition("/")[0]
        listed = any((k.title, k.group) == (owner.get("kind"), group) for k in CONTROLLERS)
        if owner.get("controller") and not listed:
            return f"{owner.get('kind')} {owner.get('name')}"
    return ""


def _strange(case: Case, stranger: str) -> Iterator[Finding]:
    """Warn of an owner that may adopt the copy by the labels that are kept."""
    if stranger and case.keepable:
        text = f"{stranger} owns the source, and may adopt the copy by its labels and delete it"
        yield Finding(Level.WARNING, f"{text}; omit {KEEP_FLAG}")


def _why_never(key: str, ours: Mapping[str, str]) -> str:
    """Return why a label is never kept, or nothing if it may be."""
    if key in CONTROLLERS_OWN:
        return "set by the source's controller"
    for prefix, would in MANAGERS.items():
        if key.startswith(prefix):
            return would
    if key in ours or key.startswith(KEY_PREFIX):
        return "the copy has its own"
    return ""


def _keep_none(case: Case, why: str, might: str) -> Kept:
    """Keep nothing: what is unknown might adopt the copy or send it traffic."""
    edits, findings = [], []
    if case.source:
        edits = [Edit("metadata.labels", f"none is kept: {why}, and {might}")]
        text = (
            f"{why}, so the copy keeps no label of the source, and NetworkPolicies that select"
            f" the source by its labels do not apply to the copy; use {KEEP_FLAG} to keep them"
        )
        findings = [Finding(Level.WARNING, text)]
    dropped = tuple(case.keepable)
    return Kept(
        labels={},
        gate=_needs_gate(case, dropped),
        edits=tuple(edits),
        findings=(
            *findings,
            *_selected(case, dropped, keep_all=False),
            *_new_policies(case, dropped),
        ),
    )


# The choice


def _fewest(case: Case) -> tuple[str, ...]:
    """Return the keys to drop, sorted."""
    near = _within_reach(case)
    needed = {r.key for each in near.harmful for r in needs(each.selector)}
    keys = sorted(needed & case.keepable.keys())
    if len(keys) > FEW_KEYS:
        return _put_back(near, keys)
    sets = chain.from_iterable(combinations(keys, size) for size in range(len(keys) + 1))
    return min(sets, key=lambda dropped: _cost(near, dropped))


def _within_reach(case: Case) -> Case:
    """Omit what selects the copy under no choice: a namespace may have many Services."""

    def near(those: tuple[Selector, ...]) -> tuple[Selector, ...]:
        return tuple(each for each in those if are_met(needs(each.selector), case.copy()))

    selectors = case.selectors
    reached = NamespaceSelectors(
        near(selectors.controllers),
        near(selectors.services),
        near(selectors.budgets),
        near(selectors.policies),
    )
    return Case(case.source, case.keepable, case.ours, reached)


class Cost(NamedTuple):
    """How bad it is to drop some keys: the first field in which two choices differ decides."""

    # A controller adopts the copy and may delete it, though another choice would prevent that.
    avoidable_controllers: int
    # A Service that publishes what is not ready sends it traffic: no readiness gate helps.
    unready_services: int
    # The controllers that select it under any choice count, too.
    controllers: int
    # A policy of the source no longer governs it. That is worse than the next two: a gate keeps
    # the copy out of a Service's endpoints, and a budget only counts it.
    lost_policies: int
    services: int
    budgets: int
    # The fewer keys are dropped, the more is the copy like the source.
    dropped_keys: int
    # Policies that govern the copy, the source's and others.
    policies: int
    # Of equals always the same one is chosen.
    keys: tuple[str, ...]


def _cost(case: Case, dropped: tuple[str, ...]) -> Cost:
    selectors = case.selectors
    copy = case.copy(dropped)
    adopting = that_select(selectors.controllers, copy)
    serving = that_select(selectors.services, copy)
    governing = case.governing
    return Cost(
        avoidable_controllers=sum(case.is_breakable(each) for each in adopting),
        unready_services=sum(each.publishes_unready for each in serving),
        controllers=len(adopting),
        lost_policies=len(governing) - len(that_select(governing, copy)),
        services=len(serving),
        budgets=len(that_select(selectors.budgets, copy)),
        dropped_keys=len(dropped),
        policies=len(that_select(selectors.policies, copy)),
        keys=dropped,
    )


def _put_back(case: Case, keys: list[str]) -> tuple[str, ...]:
    """Drop all these keys, then put back what makes it better: safe, and nearly the fewest.

    First all keys of a policy at once, since a part of them brings no policy back.
    """
    of_policies = [{r.key for r in needs(each.selector)} for each in case.governing]
    groups = [*of_policies, *({key} for key in keys)]
    dropped = tuple(keys)
    while True:
        fewer = [tuple(key for key in dropped if key not in group) for group in groups]
        best = min([dropped, *fewer], key=lambda some: _cost(case, some))
        if best == dropped:
            return dropped
        dropped = best


def _needs_gate(case: Case, dropped: tuple[str, ...]) -> bool:
    serving = that_select(case.selectors.services, case.copy(dropped))
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


def _edits(case: Case, dropped: tuple[str, ...]) -> Iterator[Edit]:
    for key in sorted(case.source.keys() - case.kept(dropped).keys()):
        reason = _why_never(key, case.ours) or _why_dropped(case, dropped, key)
        yield Edit(f"metadata.labels[{key}]", reason)


def _why_dropped(case: Case, dropped: tuple[str, ...], key: str) -> str:
    """Return what would select the copy if this key alone were put back."""
    put_back = case.copy(other for other in dropped if other != key)
    already = that_select(case.harmful, case.copy(dropped))
    new = [each for each in that_select(case.harmful, put_back) if each not in already]
    return ", ".join(f"{_title(each)} would {_effect(each).would}" for each in new)


def _selected(case: Case, dropped: tuple[str, ...], keep_all: bool) -> Iterator[Finding]:
    """Say what still selects the copy."""
    for each in that_select(case.harmful, case.copy(dropped)):
        does = f"{_title(each)} {_effect(each).does}"
        if keep_all:
            advice = f"; omit {KEEP_FLAG}" if case.is_breakable(each) else ""
            yield Finding(Level.WARNING, does + advice)
        elif each in case.selectors.services and not each.publishes_unready:
            yield Finding(Level.WARNING, _gated(case, each))
        elif each in case.selectors.budgets:
            yield _counted(case, each)
        else:
            text = f"{does}, whatever its labels, because the selector requires none"
            yield Finding(Level.WARNING, text)


def _gated(case: Case, service: Selector) -> str:
    gate = "a readiness gate keeps the copy out of its ready endpoints, so the copy is never Ready"
    return f"{_title(service)} selects the copy{_shared(case, service)}: {gate}"


def _counted(case: Case, budget: Selector) -> Finding:
    does = f"{_title(budget)} {_effect(budget).does}"
    if not case.is_breakable(budget):
        return Finding(Level.DETAIL, f"{does}, whatever its labels")
    return Finding(Level.WARNING, f"{does}{_shared(case, budget)}; do not drain nodes meanwhile")


def _shared(case: Case, selecting: Selector) -> str:
    """Name the policies because of which the labels that it needs are kept."""
    keys = {r.key for r in needs(selecting.selector)}
    policies = [p for p in case.governing if keys & {r.key for r in needs(p.selector)}]
    names = ", ".join(_title(each) for each in policies)
    return f" by labels that it shares with {names}" if names else ""


def _lost_policies(case: Case, dropped: tuple[str, ...]) -> Iterator[Finding]:
    copy = case.copy(dropped)
    for policy in that_select(case.selectors.policies, case.source):
        if not matches(policy.selector, copy):
            text = f"{_title(policy)} applies to the source and not to the copy"
            yield _differs(text, as_the_source=policy in case.governing)


def _new_policies(case: Case, dropped: tuple[str, ...]) -> Iterator[Finding]:
    for policy in that_select(case.selectors.policies, case.copy(dropped)):
        if not matches(policy.selector, case.source):
            text = f"{_title(policy)} applies to the copy and not to the source"
            kept = not matches(policy.selector, case.copy())
            yield _differs(text, as_the_source=kept)


def _differs(text: str, as_the_source: bool) -> Finding:
    """Warn of a policy; with all labels kept it may govern the copy as it does the source."""
    advice = f"; use {KEEP_FLAG} to keep the labels" if as_the_source else ""
    return Finding(Level.WARNING, f"{text}, so the copy may reach more or less{advice}")


def _unseen(case: Case, dropped: tuple[str, ...]) -> Iterator[Finding]:
    """Say what may select the copy unseen by the labels that it keeps."""
    if not case.kept(dropped):
        return
    if case.selectors.unknown:
        kinds = ", ".join(case.selectors.unknown)
        text = f"{kinds} cannot be listed, and may select the copy; omit {KEEP_FLAG}"
        yield Finding(Level.WARNING, text)
    kept = ", ".join(sorted(case.kept(dropped)))
    text = f"autoscalers and monitors (HPA, PodMonitor) may count the copy by its labels: {kept}"
    yield Finding(Level.DETAIL, text)


def _title(selecting: Selector) -> str:
    return f"{selecting.kind} {selecting.name}"


def _effect(selecting: Selector) -> Effect:
    return EFFECTS.get(selecting.kind, ADOPTION)
