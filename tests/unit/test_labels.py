"""The labels that the copy keeps: what they must not do, and what they should still do."""

from __future__ import annotations

from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.kube.selectors import NamespaceSelectors, Selector, matches
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.labels import CONTROLLERS_OWN, FEW_KEYS, Kept, choose_labels
from tests.support.builders import Json
from tests.unit.test_selectors import a_selector, an_expression

OURS = {"app.kubernetes.io/managed-by": "kubectl-scratch", "kubectl-scratch/session": "bcdfg"}
SOURCE = {"app": "shop", "tier": "web", "team": "sales"}


def a_controller(*expressions: Json, name: str = "shop-5d4f", **labels: str) -> Selector:
    return Selector("ReplicaSet", name, a_selector(*expressions, **labels))


def a_service(name: str = "shop", **labels: str) -> Selector:
    return Selector("Service", name, {"matchLabels": labels})


def an_unready_service(**labels: str) -> Selector:
    return a_service(**labels)._replace(publishes_unready=True)


def a_budget(*expressions: Json, name: str = "shop", **labels: str) -> Selector:
    return Selector("PodDisruptionBudget", name, a_selector(*expressions, **labels))


def a_policy(*expressions: Json, name: str = "db", **labels: str) -> Selector:
    return Selector("NetworkPolicy", name, a_selector(*expressions, **labels))


def neighbours(*those: Selector, unknown: tuple[str, ...] = ()) -> NamespaceSelectors:
    def of(kind: str) -> tuple[Selector, ...]:
        return tuple(each for each in those if each.kind == kind)

    budgets, policies = of("PodDisruptionBudget"), of("NetworkPolicy")
    return NamespaceSelectors(of("ReplicaSet"), of("Service"), budgets, policies, unknown)


def choose(*those: Selector, source: dict[str, str] = SOURCE, keep_all: bool = False) -> Kept:
    return choose_labels(source, OURS, neighbours(*those), keep_all)


def texts(kept: Kept, level: Level = Level.WARNING) -> list[str]:
    return [finding.text for finding in kept.findings if finding.level is level]


def reasons(kept: Kept) -> dict[str, str]:
    return {edit.field: edit.reason for edit in kept.edits}


# What is never kept


@pytest.mark.parametrize("keep_all", [False, True])
@pytest.mark.parametrize("key", sorted(CONTROLLERS_OWN))
def test_what_a_controller_wrote_is_dropped(key: str, keep_all: bool) -> None:
    kept = choose(source={**SOURCE, key: "x"}, keep_all=keep_all)
    assert kept.labels == SOURCE
    assert reasons(kept) == {f"metadata.labels[{key}]": "set by the source's controller"}


@pytest.mark.parametrize("keep_all", [False, True])
@pytest.mark.parametrize(
    "label",
    [("app.kubernetes.io/managed-by", "Helm"), ("kubectl-scratch/of-tomorrow", "x")],
)
def test_what_is_ours_on_the_copy_is_dropped(label: tuple[str, str], keep_all: bool) -> None:
    key, value = label
    kept = choose(source={**SOURCE, key: value}, keep_all=keep_all)
    assert kept.labels == SOURCE
    assert reasons(kept) == {f"metadata.labels[{key}]": "the copy has its own"}


def test_a_deployment_s_pod_keeps_what_its_replica_set_alone_selects() -> None:
    owner = a_controller(app="shop", **{"pod-template-hash": "5d4f"})
    kept = choose(owner, source={**SOURCE, "pod-template-hash": "5d4f"})
    assert kept.labels == SOURCE
    assert texts(kept) == []


# What selects the copy


def test_labels_that_nothing_selects_are_kept_and_who_may_count_them_is_said() -> None:
    kept = choose()
    assert (kept.labels, kept.gate, kept.edits) == (SOURCE, False, ())
    [info] = texts(kept, Level.DETAIL)
    assert "PodMonitor" in info and info.endswith("app, team, tier")


def test_without_labels_there_is_nothing_to_say() -> None:
    assert choose(a_service(app="shop"), source={}) == Kept({}, False, (), ())


@pytest.mark.parametrize(
    "selecting, reason",
    [
        (a_controller(app="shop"), "ReplicaSet shop-5d4f would adopt it"),
        (a_service(app="shop"), "Service shop would send it traffic"),
        (an_unready_service(app="shop"), "Service shop would send it traffic"),
        (a_budget(app="shop"), "PodDisruptionBudget shop would count it"),
        (
            a_budget(an_expression("app", "In", "x", "shop")),
            "PodDisruptionBudget shop would count it",
        ),
        (a_controller(an_expression("app", "Exists")), "ReplicaSet shop-5d4f would adopt it"),
    ],
    ids=str,
)
def test_a_selector_is_broken_by_its_label(selecting: Selector, reason: str) -> None:
    kept = choose(selecting)
    assert kept.labels == {"tier": "web", "team": "sales"}
    assert reasons(kept) == {"metadata.labels[app]": reason}
    assert not kept.gate
    assert texts(kept) == []


def test_what_does_not_select_the_source_costs_no_label() -> None:
    others = [a_controller(app="x"), a_service(app="shop", tier="db"), a_budget(other="x")]
    assert choose(*others).labels == SOURCE


def test_one_label_that_breaks_all_is_dropped_alone() -> None:
    kept = choose(a_controller(app="shop", tier="web"), a_service(tier="web", team="sales"))
    assert kept.labels == {"app": "shop", "team": "sales"}
    reason = "ReplicaSet shop-5d4f would adopt it, Service shop would send it traffic"
    assert reasons(kept) == {"metadata.labels[tier]": reason}


def test_of_equals_the_first_by_name_is_dropped() -> None:
    assert "app" not in choose(a_service(tier="web", app="shop", team="sales")).labels


def test_a_label_whose_loss_makes_another_selector_match_is_spared() -> None:
    service = a_service(app="shop", tier="web")
    budget = a_budget(an_expression("app", "NotIn", "shop"))
    assert choose(service, budget).labels == {"app": "shop", "team": "sales"}


def test_a_controller_that_a_dropped_label_would_let_in_is_kept_out_too() -> None:
    service = a_service(app="shop")
    controller = a_controller(an_expression("app", "DoesNotExist"), tier="web")
    kept = choose(service, controller)
    assert kept.labels == {"team": "sales"}
    assert reasons(kept)["metadata.labels[tier]"] == "ReplicaSet shop-5d4f would adopt it"


def test_a_controller_by_absence_is_worse_than_a_gated_service() -> None:
    kept = choose(a_service(app="shop"), a_controller(an_expression("app", "DoesNotExist")))
    assert kept.labels == SOURCE
    assert kept.gate
    [warning] = texts(kept)
    assert "Service shop selects the copy" in warning and "gate" in warning


@pytest.mark.parametrize("worse", [a_controller(app="shop"), an_unready_service(app="shop")])
def test_a_controller_by_absence_can_t_always_be_kept_out(worse: Selector) -> None:
    kept = choose(worse, a_controller(an_expression("app", "DoesNotExist"), name="odd"))
    assert "app" not in kept.labels
    [warning] = texts(kept)
    assert "ReplicaSet odd adopts the copy" in warning


# Policies


@pytest.mark.parametrize(
    "selecting",
    [a_controller, a_service, a_budget],
)
def test_a_policy_s_label_is_spared_where_another_one_breaks_the_selector(selecting: Any) -> None:
    kept = choose(selecting(app="shop", tier="web"), a_policy(app="shop"))
    assert kept.labels == {"app": "shop", "team": "sales"}
    assert not kept.gate
    assert texts(kept) == []


def test_two_labels_are_dropped_rather_than_a_policy_s_one() -> None:
    services = [a_service("a", app="shop", tier="web"), a_service("b", app="shop", team="sales")]
    assert choose(*services, a_policy(app="shop")).labels == {"app": "shop"}


@pytest.mark.parametrize(
    "selecting", [a_controller(app="shop"), an_unready_service(app="shop")], ids=str
)
def test_a_policy_is_given_up_for_what_no_gate_helps_against(selecting: Selector) -> None:
    kept = choose(selecting, a_policy(app="shop"))
    assert "app" not in kept.labels
    assert not kept.gate
    [warning] = texts(kept)
    assert "NetworkPolicy db applies to the source and not to the copy" in warning
    assert "--keep-labels" in warning


def test_a_policy_that_is_lost_anyway_keeps_no_other_label() -> None:
    those = [a_controller(app="shop"), a_service(tier="web"), a_policy(app="shop", tier="web")]
    kept = choose(*those)
    assert kept.labels == {"team": "sales"}
    assert not kept.gate


def test_a_gate_keeps_the_copy_out_of_a_service_that_shares_the_policy_s_label() -> None:
    kept = choose(a_service(app="shop"), a_policy(app="shop"))
    assert kept.labels == SOURCE
    assert kept.gate
    [warning] = texts(kept)
    assert "Service shop" in warning and "NetworkPolicy db" in warning and "gate" in warning


def test_a_budget_that_shares_the_policy_s_label_counts_the_copy() -> None:
    kept = choose(a_budget(app="shop"), a_policy(app="shop"))
    assert kept.labels == SOURCE
    assert not kept.gate
    [warning] = texts(kept)
    assert "PodDisruptionBudget shop counts the copy" in warning and "NetworkPolicy db" in warning


def test_a_policy_that_selects_by_what_is_never_kept_is_lost_for_good() -> None:
    policy = a_policy(**{"pod-template-hash": "5d4f"})
    source = {**SOURCE, "pod-template-hash": "5d4f"}
    for keep_all in (False, True):
        [warning] = texts(choose(policy, source=source, keep_all=keep_all))
        assert "NetworkPolicy db applies to the source and not to the copy" in warning
        assert "--keep-labels" not in warning


def test_a_policy_that_a_dropped_label_lets_in_is_said() -> None:
    kept = choose(a_service(app="shop"), a_policy(an_expression("app", "NotIn", "shop")))
    assert "app" not in kept.labels
    [warning] = texts(kept)
    assert "NetworkPolicy db applies to the copy and not to the source" in warning


def test_of_equals_the_one_that_lets_no_policy_in_is_dropped() -> None:
    service = a_service(app="shop", tier="web")
    kept = choose(service, a_policy(an_expression("app", "NotIn", "shop")))
    assert kept.labels == {"app": "shop", "team": "sales"}


def test_a_policy_that_our_own_labels_let_in_is_said() -> None:
    [warning] = texts(choose(a_policy(**OURS)))
    assert "NetworkPolicy db applies to the copy and not to the source" in warning
    assert "--keep-labels" not in warning


@pytest.mark.parametrize("policy", [a_policy(), a_policy(an_expression("x", "DoesNotExist"))])
def test_a_policy_that_needs_no_label_governs_both_and_costs_nothing(policy: Selector) -> None:
    kept = choose(policy, a_service(app="shop"))
    assert not kept.gate
    assert texts(kept) == []


# What no dropped label keeps out


def test_a_budget_of_all_pods_counts_the_copy() -> None:
    kept = choose(a_budget(name="all"))
    assert kept.labels == SOURCE
    assert texts(kept) == []
    assert any(
        "PodDisruptionBudget all counts the copy" in text for text in texts(kept, Level.DETAIL)
    )


def test_a_controller_that_needs_no_label_is_a_warning() -> None:
    kept = choose(a_controller(an_expression("x", "NotIn", "y")))
    assert kept.labels == SOURCE
    [warning] = texts(kept)
    assert "ReplicaSet shop-5d4f adopts the copy" in warning


def test_a_service_of_our_own_labels_is_gated_or_said() -> None:
    ready = choose(a_service(**OURS))
    assert ready.gate
    unready = choose(an_unready_service(**OURS))
    assert not unready.gate
    [warning] = texts(unready)
    assert "Service shop sends the copy traffic" in warning


# What cannot be listed


def test_where_a_kind_is_unknown_nothing_is_kept() -> None:
    around = neighbours(a_policy(app="shop"), unknown=("services", "daemonsets"))
    kept = choose_labels(SOURCE, OURS, around)
    assert (kept.labels, kept.gate) == ({}, False)
    [edit] = kept.edits
    assert edit.field == "metadata.labels" and "services, daemonsets" in edit.reason
    [warning] = texts(kept)
    assert "services, daemonsets" in warning and "NetworkPolicies" in warning
    assert "--keep-labels" in warning
    assert texts(kept, Level.DETAIL) == []


def test_where_a_kind_is_unknown_what_is_known_to_select_the_copy_is_said() -> None:
    policy = a_policy(an_expression("app", "NotIn", "shop"))
    known = [a_budget(name="all"), a_service(**OURS), policy]
    kept = choose_labels(SOURCE, OURS, neighbours(*known, unknown=("daemonsets",)))
    assert kept.gate
    assert any("PodDisruptionBudget all" in text for text in texts(kept, Level.DETAIL))
    assert any("NetworkPolicy db applies to the copy" in text for text in texts(kept))


def test_a_source_without_labels_misses_nothing_that_is_unknown() -> None:
    assert choose_labels({}, OURS, neighbours(unknown=("services",))) == Kept({}, False, (), ())


# --keep-labels


def test_all_are_kept_on_demand_and_what_follows_is_said() -> None:
    harmful = [a_controller(app="shop"), a_service(tier="web"), a_budget(team="sales")]
    kept = choose(*harmful, a_policy(app="shop"), keep_all=True)
    assert (kept.labels, kept.gate, kept.edits) == (SOURCE, False, ())
    adopted, served, counted = texts(kept)
    assert "ReplicaSet shop-5d4f adopts the copy and may delete it" in adopted
    assert "Service shop sends the copy traffic" in served
    assert "PodDisruptionBudget shop counts the copy" in counted


def test_what_selects_the_copy_in_any_case_is_no_matter_of_the_flag() -> None:
    [warning] = texts(choose(a_budget(name="all"), keep_all=True))
    assert "PodDisruptionBudget all counts the copy" in warning
    assert "--keep-labels" not in warning


def test_all_are_kept_on_demand_though_a_kind_is_unknown() -> None:
    kept = choose_labels(SOURCE, OURS, neighbours(unknown=("services",)), keep_all=True)
    assert kept.labels == SOURCE
    [warning] = texts(kept)
    assert "services cannot be listed" in warning


# More labels than can all be tried

MANY = {f"k{i:02}": "v" for i in range(FEW_KEYS + 4)}


def test_of_many_labels_each_that_must_go_goes() -> None:
    services = [a_service(f"s-{key}", **{key: "v"}) for key in MANY]
    kept = choose(*services, source=MANY)
    assert kept.labels == {}
    assert reasons(kept)["metadata.labels[k00]"] == "Service s-k00 would send it traffic"


def test_of_many_labels_those_of_a_policy_stay() -> None:
    services = [a_service(f"s-{key}", **{key: "v"}) for key in MANY]
    kept = choose(*services, a_policy(k00="v", k01="v"), source=MANY)
    assert kept.labels == {"k00": "v", "k01": "v"}
    assert kept.gate


def test_of_many_labels_none_is_dropped_in_vain() -> None:
    kept = choose(a_service(**MANY), a_controller(**MANY), source={**MANY, **SOURCE})
    assert len(kept.edits) == 1
    assert not matches({"matchLabels": MANY}, kept.labels)


# For every neighbourhood

KEYS = st.sampled_from(["app", "tier", "team", "pod-template-hash", *OURS])
VALUES = st.sampled_from("ab")
LABELS = st.dictionaries(KEYS, VALUES)
SOME_LABELS = st.dictionaries(KEYS, VALUES, min_size=1)
NAMES = st.sampled_from(["one", "two"])
EXPRESSIONS = st.one_of(
    st.builds(an_expression, KEYS, st.sampled_from(["Exists", "DoesNotExist"])),
    st.builds(an_expression, KEYS, st.sampled_from(["In", "NotIn"]), VALUES),
)
SELECTORS = st.builds(
    lambda labels, expressions: a_selector(*expressions, **labels),
    LABELS,
    st.lists(EXPRESSIONS, max_size=2),
)


def many(kind: str) -> st.SearchStrategy[tuple[Selector, ...]]:
    one = st.builds(Selector, st.just(kind), NAMES, SELECTORS, st.just(False))
    return st.lists(one, max_size=3).map(tuple)


PLAIN = st.builds(lambda labels: {"matchLabels": labels}, LABELS)
SERVICE = st.builds(Selector, st.just("Service"), NAMES, PLAIN, st.booleans())
SERVICES = st.lists(SERVICE, max_size=3).map(tuple)
NONE = st.just(())
HARMFUL = st.builds(
    NamespaceSelectors, many("ReplicaSet"), SERVICES, many("PodDisruptionBudget"), NONE, NONE
)
AROUND = st.builds(
    NamespaceSelectors,
    many("ReplicaSet"),
    SERVICES,
    many("PodDisruptionBudget"),
    many("NetworkPolicy"),
    st.sampled_from([(), (), ("services",)]),
)


def harms(around: NamespaceSelectors, labels: dict[str, str]) -> list[Selector]:
    """Return what selects a copy that keeps these labels."""
    harmful = (*around.controllers, *around.services, *around.budgets)
    return [each for each in harmful if matches(each.selector, {**labels, **OURS})]


@given(SOME_LABELS, AROUND)
def test_no_controller_that_needs_a_label_ever_adopts_the_copy(
    source: dict[str, str], around: NamespaceSelectors
) -> None:
    kept = choose_labels(source, OURS, around)
    for controller in around.controllers:
        if not matches(controller.selector, OURS):
            assert not matches(controller.selector, {**kept.labels, **OURS})


@given(SOME_LABELS, AROUND)
def test_no_service_ever_sends_the_copy_traffic(
    source: dict[str, str], around: NamespaceSelectors
) -> None:
    kept = choose_labels(source, OURS, around)
    for service in around.services:
        needs_a_label = not matches(service.selector, OURS)
        if needs_a_label and matches(service.selector, {**kept.labels, **OURS}):
            assert kept.gate and not service.publishes_unready


@given(SOME_LABELS, AROUND)
def test_what_selects_the_copy_is_always_said(
    source: dict[str, str], around: NamespaceSelectors
) -> None:
    kept = choose_labels(source, OURS, around)
    for each in harms(around, kept.labels):
        assert any(f"{each.kind} {each.name}" in finding.text for finding in kept.findings)


@given(SOME_LABELS, AROUND, st.booleans())
def test_every_label_is_kept_as_it_is_or_dropped_with_a_reason(
    source: dict[str, str], around: NamespaceSelectors, keep_all: bool
) -> None:
    before = deepcopy(source), deepcopy(around)
    kept = choose_labels(source, OURS, around, keep_all)
    assert (source, around) == before
    assert kept.labels.items() <= source.items()
    dropped = {f"metadata.labels[{key}]" for key in source.keys() - kept.labels.keys()}
    whole = {"metadata.labels"} if around.unknown and not keep_all else dropped
    assert set(reasons(kept)) == whole
    assert all(reasons(kept).values())


@given(SOME_LABELS, AROUND)
def test_the_order_of_the_labels_decides_nothing(
    source: dict[str, str], around: NamespaceSelectors
) -> None:
    backwards = dict(reversed(source.items()))
    assert choose_labels(backwards, OURS, around) == choose_labels(source, OURS, around)


@given(SOME_LABELS, HARMFUL)
def test_no_dropped_label_could_be_put_back(
    source: dict[str, str], around: NamespaceSelectors
) -> None:
    kept = choose_labels(source, OURS, around)
    now = harms(around, kept.labels)
    for key in source.keys() - kept.labels.keys() - OURS.keys() - CONTROLLERS_OWN:
        put_back = harms(around, {**kept.labels, key: source[key]})
        assert any(each not in now for each in put_back)


@given(SOME_LABELS, st.lists(SOME_LABELS, max_size=4))
def test_the_fewest_labels_are_dropped(
    source: dict[str, str], selectors: list[dict[str, str]]
) -> None:
    around = NamespaceSelectors(services=tuple(a_service(**labels) for labels in selectors))
    kept = choose_labels(source, OURS, around)
    harmless = len(harms(around, kept.labels))
    keepable = source.keys() - OURS.keys() - CONTROLLERS_OWN
    for more in combinations(sorted(keepable), len(kept.labels) + 1):
        assert len(harms(around, {key: source[key] for key in more})) > harmless
