"""The plan: target, names, blockers."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.plan import metadata
from kubectl_scratch.plan.build import name_of_copy
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.plan.target_container import choose_target
from kubectl_scratch.request import CopyOptions, ModeOptions
from tests.support.builders import Json, a_container, a_pod, a_request, plan_for

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
TWO = [a_container("app"), a_container("proxy")]
UNSAID = a_request(image=None)
ANNOTATED = {"annotations": {"kubectl.kubernetes.io/default-container": "proxy"}}


def test_the_only_container_is_the_target_and_nothing_is_said() -> None:
    target, findings = choose_target(a_pod(), UNSAID)
    assert (target["name"], findings) == ("app", ())


def test_the_annotation_chooses() -> None:
    target, findings = choose_target(a_pod(containers=TWO, metadata=ANNOTATED), UNSAID)
    assert (target["name"], findings) == ("proxy", ())


def test_else_the_first_and_that_is_said() -> None:
    target, (finding,) = choose_target(a_pod(containers=TWO), UNSAID)
    assert target["name"] == "app"
    assert finding.level is Level.INFO
    assert "app, proxy" in finding.text


def test_an_annotation_of_a_container_that_is_not_there_does_not_count() -> None:
    pod = a_pod(
        containers=TWO, metadata={"annotations": {"kubectl.kubernetes.io/default-container": "x"}}
    )
    assert choose_target(pod, UNSAID)[0]["name"] == "app"


def test_the_flag_wins_over_the_annotation_and_takes_init_containers() -> None:
    pod = a_pod(containers=TWO, initContainers=[a_container("init")], metadata=ANNOTATED)
    assert choose_target(pod, a_request(container="init"))[0]["name"] == "init"


def test_a_container_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(InvalidRequest) as caught:
        choose_target(a_pod(containers=TWO), a_request(container="ap"))
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
    plan = plan_for(a_pod(os={"name": "windows"}), a_request())
    assert ["Windows" in finding.text for finding in plan.blockers] == [True]


def test_a_copy_is_not_copied() -> None:
    source = a_pod(metadata={"annotations": {metadata.SOURCE_ANNOTATION: "default/other"}})
    (blocker,) = plan_for(source, a_request()).blockers
    assert blocker.text == "it is a copy; use kubectl scratch attach mypod"


def test_what_a_plan_creates_can_be_found_again() -> None:
    plan = plan_for(a_pod(), a_request())
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
    plan = plan_for(source, a_request())
    kept = plan.copy["metadata"]["labels"]
    assert kept["tier"] == "web" and "app" not in kept
    (edit,) = (edit for edit in plan.edits if edit.field == "metadata.labels[app]")
    assert "anti-affinity of the source would keep it off the node" in edit.reason


CRASHED = {
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1}},
}


def a_pod_with_setup(*setup: Json, status: Json) -> Json:
    found = [{"name": "setup", **status}]
    return a_pod(initContainers=list(setup), status={"initContainerStatuses": found})


def test_an_init_container_that_fails_is_the_target() -> None:
    pod = a_pod_with_setup(a_container("setup"), status=CRASHED)
    target, (finding,) = choose_target(pod, UNSAID)
    assert target["name"] == "setup" and "init container setup fails" in finding.text
    assert choose_target(pod, a_request(image="busybox"))[0]["name"] == "app"


@pytest.mark.parametrize(
    "setup, status",
    [
        (a_container("setup"), {"state": {"terminated": {"exitCode": 0}}}),
        (a_container("setup"), {"state": {"running": {}}}),
        (
            a_container("setup"),
            {
                "state": {"terminated": {"exitCode": 0}},
                "lastState": {"terminated": {"exitCode": 1}},
            },
        ),
        (a_container("setup", restartPolicy="Always"), CRASHED),
    ],
    ids=["done", "runs", "done-at-last", "native-sidecar"],
)
def test_an_init_container_that_keeps_nobody_from_starting_is_no_target(
    setup: Json, status: Json
) -> None:
    target, findings = choose_target(a_pod_with_setup(setup, status=status), UNSAID)
    assert (target["name"], findings) == ("app", ())


SKIPPED = [frozenset({"setup"}), frozenset({"all"})]


@pytest.mark.parametrize("skipped", SKIPPED, ids=str)
def test_a_failing_init_container_that_is_left_out_is_no_target(skipped: frozenset[str]) -> None:
    pod = a_pod_with_setup(a_container("setup"), status=CRASHED)
    plan = plan_for(pod, a_request(image=None, options=CopyOptions(skip_init=skipped)))
    assert plan.place.target == "app" and "setup" not in str(plan.copy["spec"])
    annotated = {"kubectl.kubernetes.io/default-container": "setup"}
    pod["metadata"]["annotations"] = annotated
    assert choose_target(pod, a_request(options=CopyOptions(skip_init=skipped)))[0]["name"] == "app"


@pytest.mark.parametrize("skipped", SKIPPED, ids=str)
def test_a_target_that_is_named_and_left_out_is_refused(skipped: frozenset[str]) -> None:
    pod = a_pod_with_setup(a_container("setup"), status=CRASHED)
    with pytest.raises(InvalidRequest) as caught:
        choose_target(pod, a_request(container="setup", options=CopyOptions(skip_init=skipped)))
    assert "'setup'" in caught.value.problem and "--skip-init" in caught.value.problem


RUNS: Json = {"state": {"running": {}}}
ENDED = {"state": {"terminated": {"exitCode": 1}}}
A_SIDECAR = a_container("proxy", restartPolicy="Always")


def told(plan: Plan, *levels: Level) -> str:
    return "\n".join(f.text for f in plan.findings if f.level in (levels or tuple(Level)))


def held_beside_others(**inside: Any) -> Plan:
    pod = a_pod(
        containers=[a_container("app", command=["serve"]), a_container("helper")],
        initContainers=[a_container("setup"), A_SIDECAR],
        status={"containerStatuses": [{"name": "app", **CRASHED}, {"name": "helper", **RUNS}]},
    )
    return plan_for(pod, a_request(image=None, mode=ModeOptions(**inside)))


def test_what_starts_beside_a_held_target_is_reported() -> None:
    shown = told(held_beside_others(), Level.INFO, Level.WARNING)
    assert "other containers also start: helper, proxy; use --hold-all to hold them" in shown
    assert "init containers run again in the copy: setup; use --skip-init" in shown
    beside_an_app = told(held_beside_others(hold=False), Level.INFO, Level.WARNING)
    assert "helper, proxy" not in beside_an_app


def test_where_only_the_shell_runs_nothing_else_is_told_to_start() -> None:
    shown = told(held_beside_others(hold_all=True, hold=True))
    assert "also start" not in shown and "run again" not in shown


def test_a_held_init_container_keeps_the_later_ones_from_starting() -> None:
    inits = [a_container("first"), A_SIDECAR, a_container("setup"), a_container("last")]
    pod = a_pod_with_setup(*inits, status=CRASHED)
    pod["spec"]["restartPolicy"] = "Never"
    shown = told(plan_for(pod, UNSAID))
    assert "init containers run again in the copy: first; use --skip-init" in shown
    assert "other containers also start: proxy; use --hold-all" in shown
    assert "whenever" not in shown


@pytest.mark.parametrize(
    "inside, again",
    [
        ({"hold": False}, "in the copy the app is restarted whenever it ends"),
        ({}, "in the copy these containers are restarted whenever they end: helper;"),
        ({"hold": True, "hold_all": True}, ""),
    ],
    ids=str,
)
def test_what_a_job_s_copy_starts_again(inside: Json, again: str) -> None:
    pod = a_pod(
        containers=[a_container("app", command=["work"]), a_container("helper")],
        restartPolicy="Never",
        status={"containerStatuses": [{"name": name, **ENDED} for name in ("app", "helper")]},
    )
    shown = told(plan_for(pod, a_request(image=None, mode=ModeOptions(**inside))))
    assert again in shown and ("the app is restarted" in shown) is (inside == {"hold": False})
    assert ("whenever" in shown) is bool(again)


@pytest.mark.parametrize("view, warned", [("app", False), ("tools", True)])
def test_a_session_inside_the_target_sees_its_processes(view: str, warned: bool) -> None:
    options = CopyOptions(share_processes=False)
    plan = plan_for(a_pod(), a_request(image=None, options=options, mode=ModeOptions(view=view)))
    assert ("cannot see the target's processes" in told(plan, Level.WARNING)) is warned
    assert ("the session cannot see" in told(plan)) is warned


def test_our_own_volume_is_none_of_the_source_s_that_start_empty() -> None:
    plan = plan_for(a_pod(volumes=[{"name": "tmp", "emptyDir": {}}]), UNSAID)
    assert "emptyDir volumes start empty: tmp" in told(plan).splitlines()
    assert "start empty" not in told(plan_for(a_pod(), UNSAID))


def seeds(plan: Plan) -> Json:
    assert plan.seed is not None
    return plan.seed


def test_without_an_image_the_session_is_inside_and_the_debug_container_is_a_twin() -> None:
    plan = plan_for(a_pod(), UNSAID)
    assert (plan.place.view, plan.place.container, plan.place.has_seed) == ("app", "app", True)
    assert plan.place.seeded == {"app", "scratch"}
    assert {choice.container["image"] for choice in plan.choices} == {a_container()["image"]}
    assert seeds(plan)["metadata"]["name"] == plan.place.pod
    assert seeds(plan)["metadata"]["labels"] == metadata.session_labels("bcdfg")


def test_a_toolkit_image_beside_a_target_that_runs_brings_no_seed() -> None:
    plan = plan_for(a_pod(), a_request(mode=ModeOptions(hold=False)))
    assert (plan.place.view, plan.place.container, plan.place.has_seed) == (
        "tools",
        "scratch",
        False,
    )
    assert plan.seed is None and plan.discovery is None
    assert "volumes" not in plan.copy["spec"]


def test_a_copy_says_its_view_and_architecture_for_those_who_attach() -> None:
    known = plan_for(a_pod(), UNSAID, node_arch="arm64").copy["metadata"]["annotations"]
    assert known["kubectl-scratch/view"] == "app"
    assert known["kubectl-scratch/arch"] == "arm64"


def test_a_learning_run_has_a_name_of_its_own_however_long_the_copy_s_is() -> None:
    status = {"containerStatuses": [{"name": "app", **CRASHED}]}
    plan = plan_for(a_pod("a" * 63, status=status), UNSAID)
    assert plan.discovery is not None
    name = plan.discovery["metadata"]["name"]
    assert name != plan.place.pod and len(name) <= 63 and name.endswith("-learn")


def test_the_learning_run_watches_the_image_that_is_set() -> None:
    status = {"containerStatuses": [{"name": "app", **CRASHED}]}
    request = a_request(image=None, options=CopyOptions(images=(("app", "other:2"),)))
    plan = plan_for(a_pod(status=status), request)
    assert plan.discovery is not None
    assert [c["image"] for c in plan.discovery["spec"]["containers"]] == ["other:2"]


TAKEN = [
    ([{"name": "scratch-seed", "configMap": {"name": "x"}}], [], "volume scratch-seed"),
    ([{"name": "scratch-toolkit", "emptyDir": {}}], [], "volume scratch-toolkit"),
    (
        [{"name": "mine", "emptyDir": {}}],
        [{"name": "mine", "mountPath": "/.scratch/"}],
        "mount /.scratch/",
    ),
]


@pytest.mark.parametrize("listed, mounts, what", TAKEN, ids=lambda value: str(value)[:30])
def test_what_the_pod_has_by_the_name_of_ours_is_a_blocker_with_a_way(
    listed: list[Json], mounts: list[Json], what: str
) -> None:
    pod = a_pod(containers=[a_container(volumeMounts=mounts)], volumes=listed)
    (blocker,) = plan_for(pod, UNSAID).blockers
    volume = listed[0]["name"]
    assert what in blocker.text and f"--skip-volume {volume}" in blocker.text
    without = CopyOptions(skip_volumes=frozenset({volume}))
    assert not plan_for(pod, a_request(image=None, options=without)).blockers
    assert not plan_for(pod, a_request(mode=ModeOptions(hold=False))).blockers


ENDED_NOW = {"terminated": {"exitCode": 3, "finishedAt": "2026-01-01T11:59:00Z"}}


@pytest.mark.parametrize(
    "state, is_source_s",
    [
        ({"state": {"running": {}}}, False),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED_NOW}, True),
        ({"state": {"running": {}}, "lastState": ENDED_NOW}, True),
        ({"state": ENDED_NOW}, True),
        ({"state": {"waiting": {"reason": "ImagePullBackOff"}}}, True),
    ],
    ids=["runs", "loops", "between", "ended", "no-image"],
)
@pytest.mark.parametrize("hold", [None, True])
def test_only_a_source_that_does_not_run_lends_its_name(
    state: Json, is_source_s: bool, hold: bool | None
) -> None:
    name = {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    source = a_pod(
        "db-0",
        containers=[a_container(command=["x"], env=[name])],
        initContainers=[a_container("init", env=[name])],
        status={"containerStatuses": [{"name": "app", **state}]},
        hostname="db-0",
    )
    # No Service is known, so it is held in any case.
    plan = plan_for(source, a_request(image=None, mode=ModeOptions(hold=hold)))
    assert plan.place.held
    spec = plan.copy["spec"]
    for container in (*spec["containers"], *spec["initContainers"]):
        assert (container["env"] == [{"name": "ME", "value": "db-0"}]) is is_source_s
    assert ("hostname" in spec) is is_source_s
