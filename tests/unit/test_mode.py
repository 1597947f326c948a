"""Which view a session has, and whether its target is held."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from kubectl_scratch.plan.mode import Mode, ModeRequest, choose_mode
from kubectl_scratch.plan.model import APP, TOOLS
from kubectl_scratch.plan.podcopy import volume_edits
from kubectl_scratch.plan.target_health import ailment
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_container, a_pod

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
RUNS: Json = {"state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}}}
NOTHING = ModeRequest()


def ended(code: int = 1, ago: timedelta = timedelta(minutes=2), **more: object) -> Json:
    when = (NOON - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"terminated": {"exitCode": code, "finishedAt": when, **more}}


def waits(reason: str, last: Json | None = None) -> Json:
    return {"state": {"waiting": {"reason": reason}}, "lastState": last or {}}


def ran(last: Json) -> Json:
    return {**RUNS, "lastState": last}


def source(status: Json | None, part: str = "containerStatuses") -> Json:
    found = [] if status is None else [{"name": "app", **status}]
    return a_pod(status={part: found})


def chosen(
    pod: Json, asked: ModeRequest = NOTHING, *, caution: str = "", possible: bool = True
) -> Mode:
    target = next(c for part in pod["spec"].values() for c in part if c["name"] == "app")
    return choose_mode(pod, target, asked, caution, NOON, possible)


ILL = [
    (waits("CrashLoopBackOff", ended(3)), "it exited with code 3"),
    ({"state": ended(0)}, "it exited with code 0"),
    ({"state": ended(2, timedelta(days=9))}, "it exited with code 2"),
    ({"state": ended(143, signal=15)}, "it was killed by signal 15"),
    (
        waits("CrashLoopBackOff", ended(137, reason="OOMKilled")),
        "it ran out of memory (OOMKilled)",
    ),
    (ran(ended(1, timedelta(minutes=2))), "it exited with code 1"),
    (ran(ended(1, timedelta(minutes=10))), "it exited with code 1"),
    (waits("ImagePullBackOff"), "it has not started (ImagePullBackOff)"),
    (waits("ContainerCreating"), "it has not started (ContainerCreating)"),
    ({"state": {}}, "it has not started (no reason is given)"),
    (None, "it has never run"),
]


@pytest.mark.parametrize("status, why", ILL, ids=lambda value: str(value)[:40])
def test_a_target_that_does_not_run_or_crashes_is_held(status: Json | None, why: str) -> None:
    assert chosen(source(status)) == Mode(APP, True, why)


WELL = [
    RUNS,
    ran(ended(1, timedelta(minutes=11))),
    ran(ended(1, timedelta(days=30))),
    ran({"terminated": {"exitCode": 1}}),
    ran({"terminated": {"exitCode": 1, "finishedAt": "yesterday"}}),
]


@pytest.mark.parametrize("status", WELL, ids=lambda value: str(value)[-60:])
def test_a_healthy_target_runs(status: Json) -> None:
    assert chosen(source(status)) == Mode(APP, False)


def test_a_healthy_target_of_which_caution_is_due_is_held() -> None:
    assert chosen(source(RUNS), caution="it writes") == Mode(APP, True, "it writes")


def test_a_crash_says_more_than_caution() -> None:
    stand = chosen(source(waits("CrashLoopBackOff", ended(3))), caution="it writes")
    assert stand.why == "it exited with code 3"


def test_a_pod_without_a_status_is_held() -> None:
    pod = a_pod()
    del pod["status"]
    assert chosen(pod) == Mode(APP, True, "it has never run")


def test_an_init_container_is_held_also_while_it_runs() -> None:
    pod = source(RUNS, "initContainerStatuses")
    pod["spec"] = {"initContainers": [a_container("app")], "containers": [a_container("main")]}
    assert chosen(pod) == Mode(APP, True, "it is an init container, which ends")


def test_a_native_sidecar_is_judged_as_a_container_is() -> None:
    sidecar = a_container("app", restartPolicy="Always")
    for status, held in ((RUNS, False), (waits("CrashLoopBackOff", ended(1)), True)):
        pod = source(status, "initContainerStatuses")
        pod["spec"] = {"initContainers": [sidecar], "containers": [a_container("main")]}
        assert chosen(pod).held is held


CRASHES = source(waits("CrashLoopBackOff", ended(1)))
ASKED = [
    (CRASHES, ModeRequest(hold=False), Mode(APP, False, "as asked")),
    (source(RUNS), ModeRequest(hold=True), Mode(APP, True, "as asked")),
    (source(RUNS), ModeRequest(view=TOOLS), Mode(TOOLS, False)),
    (CRASHES, ModeRequest(view=TOOLS), Mode(TOOLS, True, "it exited with code 1")),
    (source(RUNS), ModeRequest(debug_container=True), Mode(TOOLS, False)),
    (source(RUNS), ModeRequest(view=APP, debug_container=True), Mode(APP, False)),
    (CRASHES, ModeRequest(view=TOOLS, hold=False), Mode(TOOLS, False, "as asked")),
]


@pytest.mark.parametrize("pod, asked, expected", ASKED, ids=lambda value: str(value)[-50:])
def test_what_is_asked_for_decides(pod: Json, asked: ModeRequest, expected: Mode) -> None:
    assert chosen(pod, asked) == expected


def test_without_a_way_into_the_target_there_is_the_debug_container() -> None:
    for asked in (NOTHING, ModeRequest(view=APP, hold=True)):
        assert chosen(CRASHES, asked, caution="it writes", possible=False) == Mode(TOOLS, False)


def test_only_a_target_that_can_be_looked_at_while_it_runs_is_well() -> None:
    assert ailment(source(RUNS), a_container(), NOON) == ""
    assert ailment(source(RUNS), a_container("other"), NOON) == "it has never run"


CLAIM: Json = {"persistentVolumeClaim": {"claimName": "data-0"}}
A_MOUNT: Json = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
READ_ONLY_MOUNT: Json = {"volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}]}
ONE_OF_TWO: Json = {"volumeMounts": [*READ_ONLY_MOUNT["volumeMounts"], *A_MOUNT["volumeMounts"]]}
A_DEVICE: Json = {"volumeDevices": [{"name": "data", "devicePath": "/dev/xvda"}]}
NOT_SAID = CopyOptions()


@pytest.mark.parametrize(
    "volume, uses, options, missed",
    [
        (CLAIM, A_MOUNT, NOT_SAID, True),
        ({"hostPath": {"path": "/srv"}}, A_MOUNT, NOT_SAID, True),
        ({"nfs": {"server": "n", "path": "/"}}, A_MOUNT, NOT_SAID, True),
        ({"kind-of-tomorrow": {}}, A_MOUNT, NOT_SAID, True),
        (CLAIM, ONE_OF_TWO, NOT_SAID, True),
        (CLAIM, A_DEVICE, NOT_SAID, True),
        (CLAIM, READ_ONLY_MOUNT, NOT_SAID, False),
        ({"persistentVolumeClaim": {"claimName": "x", "readOnly": True}}, A_MOUNT, NOT_SAID, False),
        ({"nfs": {"server": "n", "path": "/", "readOnly": True}}, A_MOUNT, NOT_SAID, False),
        ({"csi": {"driver": "d", "readOnly": True}}, A_MOUNT, NOT_SAID, False),
        ({"emptyDir": {}}, A_MOUNT, NOT_SAID, False),
        ({"ephemeral": {}}, A_MOUNT, NOT_SAID, False),
        (CLAIM, {}, NOT_SAID, False),
        (CLAIM, A_MOUNT, CopyOptions(writable=frozenset({"data"})), False),
        (CLAIM, A_MOUNT, CopyOptions(writable=frozenset({"other"})), True),
        (CLAIM, A_MOUNT, CopyOptions(skip_volumes=frozenset({"data"})), False),
        (CLAIM, A_DEVICE, CopyOptions(writable=frozenset({"data"})), False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_which_volumes_are_read_only_in_the_copy_alone(
    volume: Json, uses: Json, options: CopyOptions, missed: bool
) -> None:
    container = a_container(**uses)
    pod = a_pod(containers=[container], volumes=[{"name": "data", **volume}])
    assert volume_edits.missed_volumes(pod, options, container) == (["data"] if missed else [])
