"""The plan: target, names, blockers."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.findings import Level
from kubectl_scratch.plan import Circumstances, choose_target, make_plan, name_of_copy
from tests.support.builders import a_container, a_pod, a_request

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
HERE = Circumstances("bcdfg", "me", NOON)
TWO = [a_container("app"), a_container("proxy")]
ANNOTATED = {"annotations": {"kubectl.kubernetes.io/default-container": "proxy"}}


def test_the_only_container_is_the_target_and_nothing_is_said() -> None:
    target, findings = choose_target(a_pod(), None)
    assert (target["name"], findings) == ("app", ())


def test_the_annotation_chooses() -> None:
    target, findings = choose_target(a_pod(containers=TWO, metadata=ANNOTATED), None)
    assert (target["name"], findings) == ("proxy", ())


def test_else_the_first_and_that_is_said() -> None:
    target, (finding,) = choose_target(a_pod(containers=TWO), None)
    assert target["name"] == "app"
    assert finding.level is Level.INFO
    assert "app, proxy" in finding.text


def test_an_annotation_of_a_container_that_is_not_there_does_not_count() -> None:
    pod = a_pod(
        containers=TWO, metadata={"annotations": {"kubectl.kubernetes.io/default-container": "x"}}
    )
    assert choose_target(pod, None)[0]["name"] == "app"


def test_the_flag_wins_over_the_annotation_and_takes_init_containers() -> None:
    pod = a_pod(containers=TWO, initContainers=[a_container("init")], metadata=ANNOTATED)
    assert choose_target(pod, "init")[0]["name"] == "init"


def test_a_container_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(InvalidRequest) as caught:
        choose_target(a_pod(containers=TWO), "ap")
    assert "'ap'" in caught.value.problem
    assert "app, proxy" in caught.value.hint


@pytest.mark.parametrize(
    "source, expected",
    [
        ("shop", "shop-scratch-bcdfg"),
        ("a" * 63, "a" * 49 + "-scratch-bcdfg"),
        ("a" * 48 + "-" + "b" * 20, "a" * 48 + "-scratch-bcdfg"),
        ("web.example", "web.example-scratch-bcdfg"),
    ],
)
def test_names_of_copies(source: str, expected: str) -> None:
    name = name_of_copy(source, "bcdfg")
    assert name == expected
    assert len(name) <= 63


def test_a_windows_pod_is_blocked() -> None:
    plan = make_plan(a_pod(os={"name": "windows"}), a_request(), HERE)
    assert ["Windows" in finding.text for finding in plan.blockers] == [True]


def test_what_a_plan_creates_can_be_found_again() -> None:
    plan = make_plan(a_pod(), a_request(), HERE)
    for manifest in (plan.copy, plan.lease):
        assert manifest["metadata"]["name"] == "mypod-scratch-bcdfg"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kubectl-scratch"
        assert manifest["metadata"]["annotations"]["kubectl-scratch/source"] == "default/mypod"
    assert plan.lease["spec"]["ttlSecondsAfterFinished"] == 300


def test_a_label_that_the_source_does_not_tolerate_beside_it_is_dropped() -> None:
    selector = {"matchLabels": {"app": "shop"}}
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector}]}
    labels = {"labels": {"app": "shop", "tier": "web"}}
    source = a_pod(metadata=labels, affinity={"podAntiAffinity": terms})
    plan = make_plan(source, a_request(), HERE)
    kept = plan.copy["metadata"]["labels"]
    assert kept["tier"] == "web" and "app" not in kept
    (edit,) = (edit for edit in plan.edits if edit.field == "metadata.labels[app]")
    assert "anti-affinity of the source would keep it off the node" in edit.reason
