"""How far the debug container is, and what can't get better."""

from __future__ import annotations

import pytest

from kubectl_scratch.session.pod_watch import watched_in
from kubectl_scratch.session.readiness import (
    Failed,
    Ready,
    Waiting,
    Watched,
    fatal_event,
    last_trouble,
    readiness_of,
)
from tests.support.builders import Json, a_pod, a_request, a_waiting_container, plan_for


def judged(*statuses: Json, **more: object) -> object:
    status = {"ephemeralContainerStatuses": list(statuses), **more}
    return readiness_of(a_pod(status=status, nodeName="node-1"), Watched("scratch"))


def test_running_is_ready() -> None:
    assert judged({"name": "scratch", "state": {"running": {}}}) == Ready()


@pytest.mark.parametrize(
    "reason, message",
    [
        ("InvalidImageName", "couldn't parse image reference"),
        ("ErrImageNeverPull", "not present with pull policy of Never"),
        ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
        ("ErrImagePull", 'failed to resolve reference "x": x: not found'),
        ("ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: ... x: not found'),
        ("ErrImagePull", "pull access denied, repository does not exist or may require auth"),
        ("ErrImagePull", "failed to authorize: authorization failed: no basic auth credentials"),
        ("ErrImagePull", "unexpected status code 401 Unauthorized"),
        ("CreateContainerError", 'exec: "sleep": executable file not found in $PATH'),
    ],
)
def test_what_cannot_get_better_fails_with_its_reason(reason: str, message: str) -> None:
    state = judged(a_waiting_container(reason, message))
    assert isinstance(state, Failed)
    assert message in state.why


@pytest.mark.parametrize(
    "reason, message",
    [
        ("ContainerCreating", ""),
        ("ErrImagePull", "dial tcp: lookup registry: i/o timeout"),
        ("ErrImagePull", "unexpected status code 503 Service Unavailable"),
        ("ImagePullBackOff", "Back-off pulling image: toomanyrequests"),
        ("CreateContainerError", "context deadline exceeded"),
        ("AReasonOfTomorrow", "who knows"),
    ],
)
def test_what_may_get_better_is_waited_for(reason: str, message: str) -> None:
    state = judged(a_waiting_container(reason, message))
    assert isinstance(state, Waiting)
    assert message in state.what


def test_a_debug_container_that_ended_tells_its_code() -> None:
    state = judged({"name": "scratch", "state": {"terminated": {"exitCode": 127, "message": "no"}}})
    said = "the debug container exited with code 127: no"
    assert state == Failed(said, ended=True, hint="use --image to choose another toolkit image")


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_copy_that_has_ended_takes_no_debugger(phase: str) -> None:
    state = judged(phase=phase, reason="Evicted", message="low on memory")
    assert state == Failed("the copy has ended (Evicted: low on memory)")


def test_a_copy_that_is_being_deleted_fails() -> None:
    pod = a_pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert isinstance(readiness_of(pod, Watched("scratch")), Failed)


def test_an_unschedulable_copy_may_get_a_node() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes available"}
    state = readiness_of(a_pod(status={"conditions": [condition]}), Watched("scratch"))
    assert state == Waiting("no node can run the copy: 0/1 nodes available", True)


@pytest.mark.parametrize(
    "message, told",
    [
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", True),
        ("0/1 nodes are available: 1 Insufficient cpu.", False),
    ],
)
def test_where_no_node_is_of_the_architecture_the_way_is_told(message: str, told: bool) -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "message": message}
    pod = a_pod(status={"conditions": [unscheduled]})
    place = plan_for(a_pod(), a_request(image=None)).place
    state = readiness_of(pod, watched_in(place))
    assert isinstance(state, Waiting) and state.unschedulable
    assert ("the tools are for amd64; use --arch" in state.hint) is told
    sure = readiness_of(
        pod, watched_in(plan_for(a_pod(), a_request(image=None), node_arch="amd64").place)
    )
    assert isinstance(sure, Waiting) and "--arch" not in sure.hint


def test_the_newest_warning_is_the_trouble() -> None:
    events = [
        {"type": "Warning", "reason": "B", "message": "new", "lastTimestamp": "2026-01-02"},
        {"type": "Normal", "reason": "C", "message": "newest", "lastTimestamp": "2026-01-03"},
        {"type": "Warning", "reason": "A", "message": "old", "eventTime": "2026-01-01"},
    ]
    assert last_trouble(events) == "B: new"


APP = Watched("app", "container app", "use --arch to set the node's architecture", if_killed=True)
RUNNING_APP = Watched("app", "container app", starts_again=True, end_hint="--hold holds it")
SETUP, PROXY = {"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}


def of_app(watched: Watched, *init: Json, **status: object) -> object:
    statuses = {"containerStatuses": [{"name": "app", **status}], "initContainerStatuses": init}
    pod = a_pod(status=statuses, nodeName="node-1", initContainers=[SETUP, PROXY])
    return readiness_of(pod, watched)


def test_a_target_that_runs_is_ready_whatever_it_did_before() -> None:
    last = {"terminated": {"exitCode": 1}}
    assert of_app(RUNNING_APP, state={"running": {}}, lastState=last) == Ready()


LAST = {"terminated": {"exitCode": 3, "reason": "Error"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}


@pytest.mark.parametrize("state, last", [(LAST, {}), (BACK_OFF, LAST)], ids=["ended", "back-off"])
def test_a_held_target_that_ends_has_failed(state: Json, last: Json) -> None:
    said = "container app exited with code 3"
    held = of_app(APP, state=state, lastState=last)
    assert held == Failed(said, ended=True, hint=APP.hint)


def test_an_app_that_ends_once_starts_again() -> None:
    runs = of_app(RUNNING_APP, state=LAST)
    assert runs == Waiting("container app exited with code 3; it starts again")


@pytest.mark.parametrize("state", [LAST, BACK_OFF], ids=["ended", "back-off"])
def test_an_app_that_ends_before_it_is_reached_is_not_waited_for(state: Json) -> None:
    found = of_app(RUNNING_APP, state=state, lastState=LAST)
    assert isinstance(found, Failed) and found.beside and found.ended
    assert "exited with code 3 again and again" in found.why
    assert found.hint == "--hold holds it"


def test_an_init_container_that_is_done_does_not_restart() -> None:
    done = [{"name": "app", "state": {"terminated": {"exitCode": 0}}}]

    def of_init(**more: str) -> object:
        pod = a_pod(status={"initContainerStatuses": done}, nodeName="node-1")
        pod["spec"]["initContainers"] = [{"name": "app", **more}]
        return readiness_of(pod, RUNNING_APP)

    found = of_init()
    assert isinstance(found, Failed) and "use --hold to keep it" in found.why
    assert isinstance(of_init(restartPolicy="Always"), Waiting)


def test_a_held_target_that_was_killed_starts_again() -> None:
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    told = Waiting("container app exited with code 137: OOMKilled; it starts again")
    assert of_app(APP, state=killed) == of_app(APP, state=BACK_OFF, lastState=killed) == told


def test_a_seed_that_the_node_can_not_run_says_what_to_do() -> None:
    wrong = {"reason": "StartError", "message": "exec format error", "exitCode": 128}
    for watched in (APP, RUNNING_APP):
        state = of_app(watched, state={"terminated": wrong})
        assert isinstance(state, Failed)
        assert "container app cannot start (exec format error)" in state.why
        assert state.why.endswith(watched.hint)


WAITS = {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize("started", [True, False], ids=["as-v1.34", "as-before"])
def test_an_init_container_that_runs_is_named(started: bool) -> None:
    setup = {"name": "setup", "state": {"running": {}}, "started": started}
    ways = "use -c setup to go inside it, or use --skip-init setup to omit it"
    assert of_app(APP, setup, state=WAITS) == Waiting(
        "init container setup is still running", hint=ways
    )


def test_a_native_sidecar_that_has_not_started_is_named() -> None:
    proxy = {"name": "proxy", "state": {"running": {}}, "started": False}
    state = of_app(APP, proxy, state=WAITS)
    assert isinstance(state, Waiting) and state.what == "init container proxy has not started yet"
    assert "--skip-init proxy" in state.hint


FAILS = {"name": "setup", "state": BACK_OFF, "lastState": LAST}


def test_an_init_container_that_fails_tells_the_ways() -> None:
    state = of_app(APP, FAILS, state=WAITS)
    assert isinstance(state, Failed)
    # Its log tells more.
    assert (state.ended, state.container) == (True, "setup")
    assert "init container setup exited with code 3, so container app does not start" in state.why
    assert state.hint == "use --skip-init setup to omit it, or use -c setup to go inside it"


def test_an_init_container_failing_on_a_read_only_volume() -> None:
    state = of_app(APP._replace(read_only={"setup": ("data",)}), FAILS, state=WAITS)
    assert isinstance(state, Failed)
    # What writes to production comes last, and is said to.
    ways = [state.hint.index(way) for way in ("--skip-init setup", "-c setup", "--writable data")]
    assert ways == sorted(ways) and "it then writes to production" in state.hint
    assert "use --writable data to let it write to volume data" in state.hint
    other = of_app(APP._replace(read_only={"app": ("data",)}), FAILS, state=WAITS)
    assert isinstance(other, Failed) and "--writable" not in other.hint


def test_a_native_sidecar_that_has_started_holds_nobody_up() -> None:
    sidecar = {"name": "proxy", "state": {"running": {}}, "started": True}
    assert of_app(APP, sidecar, state=WAITS) == Waiting("the node is starting the copy")


def test_a_debug_container_waits_for_no_init_container() -> None:
    status = {"initContainerStatuses": [FAILS]}
    pod = a_pod(status=status, nodeName="node-1")
    assert readiness_of(pod, Watched("scratch")) == Waiting("the node is starting the copy")


def test_the_end_of_another_container_is_not_the_target_s() -> None:
    statuses = [{"name": "other", "state": LAST}, {"name": "app", "state": {"running": {}}}]
    assert readiness_of(a_pod(status={"containerStatuses": statuses}, nodeName="n"), APP) == Ready()


def an_event(container: str, message: str) -> Json:
    where = {"fieldPath": f"spec.containers{{{container}}}"}
    return {"reason": "Failed", "message": message, "involvedObject": where}


def test_a_failed_pull_of_the_target_is_known_from_its_event() -> None:
    missing = an_event("app", 'Failed to pull image "x": not found')
    found = fatal_event([missing], APP)
    assert isinstance(found, Failed) and "container app cannot start" in found.why
    assert fatal_event([an_event("other", missing["message"])], APP) is None
    assert fatal_event([an_event("app", 'Failed to pull image "x": i/o timeout')], APP) is None
