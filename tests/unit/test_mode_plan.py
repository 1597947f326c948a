"""Inside or beside: what is decided, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.inputs import NamespaceFacts, PlanInputs
from kubectl_scratch.plan.mode import ModePlan, plan_mode
from kubectl_scratch.plan.seed import Entrypoint
from kubectl_scratch.plan.target_health import crash_loops
from kubectl_scratch.request import CopyOptions
from kubectl_scratch.request import ModeOptions as Said
from tests.support.builders import Json, a_container, a_pod, a_request

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
AMD: Json = {"node_arch": "amd64"}
UNSEEDABLE: Json = {"namespace": NamespaceFacts(may_create_config_maps=False)}
LATELY = "2026-01-01T11:59:00Z"
RUNS: Json = {"state": {"running": {}}}
CRASHES = {
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1}},
}
STUCK = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}


def a_source(status: Json, container: Json | None = None, **spec: Any) -> Json:
    listed = [a_container(command=["serve"]) if container is None else container]
    statuses = {"containerStatuses": [{"name": "app", **status}]}
    return a_pod(containers=listed, status=statuses, **spec)


def decided(
    source: Json,
    facts: Json = AMD,
    caution: str = "",
    image: str | None = None,
    **said: Any,
) -> ModePlan:
    request = a_request(
        image=image,
        **{
            key: said.pop(key) for key in ("custom", "profile", "session", "options") if key in said
        },
        mode=Said(**said),
    )
    target = source["spec"]["containers"][0]
    inputs = PlanInputs(source, NOON, **facts)
    return plan_mode(target, request, inputs, caution, "mypod-scratch-bcdfg")


def texts(found: ModePlan, level: Level = Level.INFO) -> str:
    return "\n".join(finding.text for finding in found.findings if finding.level is level)


def test_a_healthy_target_runs_and_the_session_is_inside_it() -> None:
    found = decided(a_source(RUNS))
    assert (found.mode.view, found.mode.held, found.discovers) == ("app", False, False)
    assert found.seeding is not None and found.seeding.held is None
    assert texts(found) == "inside container app, which runs as in the source"


def test_a_crashing_target_is_held_and_its_command_is_known() -> None:
    found = decided(a_source(CRASHES))
    assert found.seeding is not None
    assert found.seeding.held == Entrypoint("spec", 1, ("serve",))
    assert (found.seeding.config_map, found.seeding.target) == ("mypod-scratch-bcdfg", "app")
    (finding,) = found.findings
    assert "the app is on hold (it exited with code 1): type run-app to start it" in finding.text


@pytest.mark.parametrize(
    "how",
    [
        {"image": "busybox"},
        {"profile": "netadmin"},
        {"custom": {"env": []}},
        {"options": CopyOptions(env=(("A", "1"),))},
    ],
    ids=lambda how: next(iter(how)),
)
def test_a_flag_about_the_debug_container_is_for_a_session_in_it(how: Json) -> None:
    assert decided(a_source(RUNS), **how).mode.view == "tools"
    assert decided(a_source(RUNS), view="app", **how).mode.view == "app"


def test_a_toolkit_image_beside_a_target_that_runs_needs_no_seed() -> None:
    found = decided(a_source(RUNS), image="busybox")
    assert (found.seeding, found.findings) == (None, ())
    assert decided(a_source(CRASHES), image="busybox").seeding is not None
    assert decided(a_source(RUNS), image="busybox", hold=True, hold_all=True).seeding is not None


LEARNS = [
    (CRASHES, {}, True),
    (STUCK, {}, False),
    (STUCK, {"learn": True}, True),
    (CRASHES, {"learn": False}, False),
    (CRASHES, {"command": ("serve",)}, False),
    (CRASHES, {"command": ("serve",), "learn": True}, False),
    (CRASHES, {"hold": False}, False),
    (RUNS, {"hold": True}, False),
]


@pytest.mark.parametrize("status, said, learns", LEARNS, ids=str)
def test_when_a_run_is_watched(status: Json, said: Json, learns: bool) -> None:
    found = decided(a_source(status, a_container()), **said)
    assert found.discovers is learns
    assert ("a temporary pod" in texts(found)) is learns


DONE: Json = {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
FAILED: Json = {"state": {"terminated": {"exitCode": 2}}}
RUNS_AGAIN = {**RUNS, "lastState": {"terminated": {"exitCode": 1, "finishedAt": LATELY}}}


@pytest.mark.parametrize(
    "status, spec, learns",
    [
        (CRASHES, {"restartPolicy": "Always"}, True),
        (CRASHES, {"restartPolicy": "OnFailure"}, True),
        (DONE, {"restartPolicy": "Always"}, True),
        (DONE, {"restartPolicy": "OnFailure"}, False),
        (DONE, {"restartPolicy": "Never"}, False),
        (FAILED, {"restartPolicy": "OnFailure"}, True),
        (FAILED, {"restartPolicy": "Never"}, False),
        (RUNS_AGAIN, {}, True),
        (RUNS_AGAIN, {"restartPolicy": "Never"}, False),
    ],
    ids=str,
)
def test_only_what_the_kubelet_starts_again_is_started_once_more_unasked(
    status: Json, spec: Json, learns: bool
) -> None:
    source = a_source(status, a_container(), **spec)
    assert decided(source).discovers is learns
    assert decided(source, learn=True, hold=True).discovers
    ended = {**source, "status": {**source["status"], "phase": "Failed"}}
    assert not decided(ended).discovers


def test_a_container_s_own_policy_is_the_one_that_holds() -> None:
    source = a_source(CRASHES, a_container(restartPolicy="Never"), restartPolicy="Always")
    assert not decided(source).discovers


@pytest.mark.parametrize(
    "status, own, learns",
    [
        (CRASHES, {}, True),
        (DONE, {}, False),
        (DONE, {"restartPolicy": "Always"}, True),
    ],
)
def test_an_init_container_is_started_again_until_it_succeeds(
    status: Json, own: Json, learns: bool
) -> None:
    setup = a_container("setup", **own)
    source = a_pod(
        initContainers=[setup], status={"initContainerStatuses": [{"name": "setup", **status}]}
    )
    assert crash_loops(source, setup, NOON) is learns


def test_a_command_that_the_spec_knows_is_never_discovered() -> None:
    assert not decided(a_source(CRASHES), learn=True).discovers


def test_without_discovery_the_flags_are_named() -> None:
    text = texts(decided(a_source(CRASHES, a_container()), learn=False))
    assert "the app's command is set in the image" in text
    assert "--command" in text and "--learn" in text


OBSTACLES = [
    (AMD | UNSEEDABLE, {}, "no permission to create ConfigMaps"),
    ({"node_arch": "s390x"}, {}, "there are no tools for s390x"),
    (AMD, {"os": {"name": "windows"}}, "the pod is for Windows"),
]


@pytest.mark.parametrize("facts, spec, why", OBSTACLES, ids=lambda value: str(value)[:40])
def test_where_the_seed_can_not_come_the_tools_come_as_an_image(
    facts: Json, spec: Json, why: str
) -> None:
    found = decided(a_source(CRASHES, **spec), facts)
    assert (found.mode.view, found.mode.held, found.seeding) == ("tools", False, None)
    (finding,) = found.findings
    assert finding.level is Level.INFO
    assert finding.text.startswith(f"{why}, so the tools come in an image")
    assert decided(a_source(CRASHES, **spec), facts, image="busybox").findings == ()


@pytest.mark.parametrize(
    "said, flag",
    [
        ({"view": "app"}, "--view app"),
        ({"hold": True}, "--hold"),
        ({"learn": True}, "--learn"),
        ({"hold": True, "hold_all": True}, "--hold"),
    ],
)
@pytest.mark.parametrize("facts, spec, why", OBSTACLES, ids=lambda value: str(value)[:40])
def test_a_wish_for_which_the_seed_is_needed_is_then_a_blocker(
    said: Json, flag: str, facts: Json, spec: Json, why: str
) -> None:
    (finding,) = decided(a_source(RUNS, **spec), facts, **said).findings
    assert finding.level is Level.BLOCKER
    assert finding.text.startswith(f"{flag} is impossible: {why}; use --view tools")


@pytest.mark.parametrize("said", [{"view": "tools"}, {"hold": False}, {"learn": False}])
def test_a_wish_to_do_without_is_none(said: Json) -> None:
    (finding,) = decided(a_source(RUNS), UNSEEDABLE, **said).findings
    assert finding.level is Level.INFO


@pytest.mark.parametrize(
    "facts, said, arch, told",
    [
        ({"node_arch": "arm64"}, None, "arm64", False),
        ({"node_arch": "arm64"}, "amd64", "amd64", False),
        ({"node_arch": None}, "arm64", "arm64", False),
        ({"node_arch": None}, None, "amd64", True),
    ],
)
def test_the_architecture_is_the_node_s_unless_the_user_says_another(
    facts: Json, said: str | None, arch: str, told: bool
) -> None:
    found = decided(a_source(RUNS), facts, arch=said)
    assert found.seeding is not None and found.seeding.arch == arch
    assert ("architecture is unknown; using amd64" in texts(found)) is told


@pytest.mark.parametrize(
    "said, flag", [({"command": ("x",)}, "--command"), ({"learn": True}, "--learn")]
)
def test_a_flag_for_a_held_target_is_told_beside_one_that_runs(said: Json, flag: str) -> None:
    text = texts(decided(a_source(RUNS), **said), Level.WARNING)
    assert text.startswith(f"{flag} has no effect: the target is not on hold")
    unknown = a_source(CRASHES, a_container())
    assert texts(decided(unknown, **said), Level.WARNING) == ""


WITH_TOOLS = a_request().session._replace(toolkit_files=("strace",))
ALL_FOUR: Json = {"command": ("x",), "learn": True, "arch": "arm64", "session": WITH_TOOLS}
FLAGS = ["--command", "--learn", "--arch", "--toolkit-file"]


def flags_in(found: ModePlan) -> list[str]:
    return [f.text.split()[0] for f in found.findings if f.level is Level.WARNING]


def test_no_flag_is_ignored_without_a_word() -> None:
    beside = decided(a_source(RUNS), image="busybox", hold=False, **dict(ALL_FOUR))
    assert beside.seeding is None and flags_in(beside) == FLAGS
    held = decided(a_source(CRASHES), image="busybox", arch="amd64", session=WITH_TOOLS)
    assert held.seeding is not None and flags_in(held) == ["--toolkit-file"]
    known = decided(a_source(CRASHES), command=("x",), learn=True)
    assert flags_in(known) == ["--learn"] and not known.discovers
    for view, image in (("app", "busybox"), ("tools", None)):
        said: Json = {"view": view, "image": image, "hold": True, "command": ("x",)}
        found = decided(a_source(RUNS), session=WITH_TOOLS, arch="amd64", **said)
        assert flags_in(found) == []


@pytest.mark.parametrize("image", [None, "busybox"])
def test_where_the_seed_can_not_come_what_is_for_it_is_told(image: str | None) -> None:
    said = {**ALL_FOUR, "learn": None}
    found = decided(a_source(CRASHES), UNSEEDABLE, image=image, **said)
    assert flags_in(found) == ["--command", "--arch", "--toolkit-file"]
    assert "has no effect: no permission to create ConfigMaps" in texts(found, Level.WARNING)


def test_beside_a_held_target_the_way_inside_is_told() -> None:
    assert "use attach --view app to go inside" in texts(decided(a_source(CRASHES), view="tools"))
