"""In place: what goes into the pod, what is refused, and that the process ends by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pexpect
import pytest

from kubectl_scratch.cli.plan_view import in_place_lines
from kubectl_scratch.plan.in_place import InPlacePlan, plan_in_place
from kubectl_scratch.plan.in_place_process import (
    InPlaceTerms,
    idle_command,
    session_command,
    watchdog_command,
)
from kubectl_scratch.plan.metadata import note_of
from kubectl_scratch.toolkit.archive import DATA
from testbed.archive import architecture
from tests.support.builders import Json, a_container, a_pod, a_request
from tests.support.patience import PATIENCE

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
RUNS = {"name": "app", "state": {"running": {"startedAt": "2026-01-02T03:00:00Z"}}}
# An end of a process is waited for, not asserted to be quick.


def a_running_pod(**fields: Any) -> Json:
    fields = {"nodeName": "n1", "status": {"containerStatuses": [RUNS]}, **fields}
    return a_pod(**fields)


def planned(source: Json | None = None, session_id: str = "bcdfg", **request: Any) -> InPlacePlan:
    asked = a_request(in_place=True, **request)
    return plan_in_place(source or a_running_pod(), asked, session_id, "alice", NOW)


def test_the_container_joins_a_target_that_runs() -> None:
    plan = planned()
    assert not plan.blockers and plan.place.container == "scratch-bcdfg"
    for choice in plan.choices:
        assert choice.container["name"] == "scratch-bcdfg"
        assert choice.container["targetContainerName"] == "app"
        note = note_of(choice.container)
        assert note is not None and (note.by, note.target) == ("alice", "app")


def test_a_target_that_does_not_run_is_not_joined() -> None:
    plan = planned(a_running_pod(status={}))
    assert not any("targetContainerName" in choice.container for choice in plan.choices)
    assert any("is not running" in finding.text for finding in plan.findings)


def test_a_target_of_the_mesh_may_be_named() -> None:
    proxy = a_container("linkerd-proxy")
    source = a_running_pod(containers=[a_container(), proxy])
    assert planned(source, container="linkerd-proxy").place.target == "linkerd-proxy"


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, "static pod"),
        ({"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}}, "being deleted"),
        ({"metadata": {"uid": ""}}, "no such pod"),
        ({"metadata": {"annotations": {"kubectl-scratch/source": "a/b"}}}, "it is a copy"),
        ({"status": {"phase": "Succeeded"}}, "has ended"),
        ({"status": {"phase": "Failed"}}, "has ended"),
        ({"os": {"name": "windows"}}, "Windows"),
        ({"nodeName": None}, "no node"),
    ],
)
def test_what_takes_no_container_is_refused(fields: Json, words: str) -> None:
    (blocker,) = planned(a_running_pod(**fields)).blockers
    assert words in blocker.text


def with_added(
    plan: InPlacePlan, number: int = 0, since: datetime = NOW, ended: bool = False
) -> Json:
    """Return the source pod with the container of a plan, which runs or has ended."""
    container = plan.choices[number].container
    key, at = ("finishedAt", "terminated") if ended else ("startedAt", "running")
    state = {at: {key: since.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    status = {"name": container["name"], "state": state}
    both = {"containerStatuses": [RUNS], "ephemeralContainerStatuses": [status]}
    return a_running_pod(ephemeralContainers=[container], status=both)


def test_one_that_lingers_is_used_again() -> None:
    before = planned(linger=60.0)
    again = planned(with_added(before, number=1), session_id="zzzzz")
    assert again.idle is not None
    assert again.idle.place.container == "scratch-bcdfg" and again.idle.place.session_id == "bcdfg"
    assert again.idle.linger == 60.0


@pytest.mark.parametrize(
    "request_",
    [
        {"image": "docker.io/library/other:1"},
        {"profile": "netadmin"},
        {"custom": {"workingDir": "/tmp"}},
    ],
)
def test_another_image_profile_or_form_takes_another_container(request_: Json) -> None:
    assert planned(with_added(planned(linger=60.0)), **request_).idle is None


DEFAULTS = {
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


@pytest.mark.parametrize(
    "changes, used",
    [
        (DEFAULTS, True),
        ({"image": "docker.io/mallory/busybox:1.37.0"}, False),
        ({"command": ["sh", "-c", "sleep 9999"]}, False),
        ({"args": ["x"]}, False),
        ({"securityContext": {"privileged": True}}, False),
        ({"envFrom": [{"secretRef": {"name": "x"}}]}, False),
        ({"volumeMounts": [{"name": "x", "mountPath": "/bin"}]}, False),
        ({"targetContainerName": "other"}, False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_container_is_used_for_what_it_is_and_not_for_what_its_note_says(
    changes: Json, used: bool
) -> None:
    pod = with_added(planned(linger=60.0))
    (container,) = pod["spec"]["ephemeralContainers"]
    pod["spec"]["ephemeralContainers"] = [{**container, **changes}]
    assert (planned(pod).idle is not None) is used
    variables = [{"name": "PATH", "value": "/mallory"}, *container["env"]]
    pod["spec"]["ephemeralContainers"] = [{**container, "env": variables}]
    assert planned(pod).idle is None


def test_what_has_ended_or_is_about_to_is_not_used() -> None:
    before = planned(linger=60.0)
    assert planned(with_added(before, ended=True)).idle is None
    assert planned(with_added(before, since=NOW - timedelta(hours=8, seconds=30))).idle is None
    assert planned(with_added(planned())).idle is None


def with_limit(limit: str) -> str:
    return f'{{"by": "a", "form": "b", "limit": {limit}, "linger": 0, "target": 1}}'


NO_LIMITS = ["[]", "1e300", "Infinity", "NaN", "-1", "9" * 400]
NO_NOTES = ["", "{}", "[]", "x", "[" * 100_000, *map(with_limit, NO_LIMITS)]


@pytest.mark.parametrize("value", NO_NOTES, ids=lambda value: value[:60])
def test_a_note_of_somebody_else_s_is_none(value: str) -> None:
    env = [{"name": "KUBECTL_SCRATCH", "value": value}]
    assert note_of({"name": "scratch-bcdfg", "env": env}) is None


def test_the_note_can_not_be_set_by_the_user() -> None:
    env = {"name": "KUBECTL_SCRATCH", "value": json.dumps({"by": "mallory"})}
    plan = planned(custom={"env": [env]})
    note = note_of(plan.choices[0].container)
    assert note is not None and note.by == "alice"


def test_the_plan_says_what_stays_and_what_ends() -> None:
    text = "\n".join(in_place_lines(planned(linger=600.0)))
    assert "the entry of container scratch-bcdfg" in text
    assert "10m after the last session, after 5m without one, after 8h10m in any case" in text


@contextmanager
def idling(
    session_id: str, first: float, linger: float, limit: float
) -> Iterator[subprocess.Popen[str]]:
    """Run a container's first process on this machine."""
    command = idle_command(session_id, InPlaceTerms(first, linger, limit))
    process = subprocess.Popen(command, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_it_ends_with_the_session_whose_code_passes_through() -> None:
    with idling("ttttb", 3600, 0, 7200) as process:
        script = "echo in; cat >&2; exit 7"
        command = session_command("ttttb", ("sh", "-c", script))
        # A session that begins before the first process listens is not seen by it.
        done = subprocess.run(command, input="out", capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (7, "in\n", "out")
        while process.poll() is None:
            subprocess.run(session_command("ttttb", ("true",)), check=True, timeout=PATIENCE)
        assert process.returncode == 0


def test_it_ends_where_no_session_comes() -> None:
    with idling("ttttc", 1, 3600, 7200) as process:
        assert process.wait(PATIENCE) == 0


def test_it_ends_under_a_session_that_lasts_too_long() -> None:
    with idling("ttttd", 3600, 3600, 3) as process:
        session = subprocess.Popen(session_command("ttttd", ("cat",)), stdin=subprocess.PIPE)
        assert process.wait(PATIENCE) == 0
        session.communicate(timeout=PATIENCE)


def test_it_ends_where_the_client_has_gone_and_its_command_runs_on() -> None:
    with idling("ttttf", 3600, 0, 7200) as process:
        pipes: Any = {"stdin": subprocess.PIPE}
        watchdog = subprocess.Popen(watchdog_command("ttttf"), **pipes)
        session = subprocess.Popen(session_command("ttttf", ("cat",)), **pipes)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(4)
        watchdog.communicate(timeout=PATIENCE)
        assert process.wait(PATIENCE) == 0
        session.communicate(timeout=PATIENCE)


SHELLS = (("dash",), ("bash",), (str(DATA / f"busybox-{architecture()}"), "sh"))
HANDLES = "signal.signal(signal.SIGINT, lambda *_: sys.exit(3))"
KEYS = [(HANDLES, "c", 3), ("", "c", 130), ("", "\\", 131)]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: Path(words[0]).name)
@pytest.mark.parametrize("handler, key, code", KEYS, ids=["handled", "interrupt", "quit"])
def test_the_code_of_a_command_that_a_key_has_ended_is_its_own(
    shell: tuple[str, ...], handler: str, key: str, code: int
) -> None:
    script = f"import signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); {handler}\n"
    script += "print('ready', flush=True); signal.pause()"
    command = session_command("ttttg", (sys.executable, "-c", script))
    child = pexpect.spawn(shell[0], [*shell[1:], *command[1:]], timeout=PATIENCE)
    child.expect_exact("ready")
    child.sendcontrol(key)
    child.expect(pexpect.EOF)
    child.wait()
    assert (child.exitstatus, child.signalstatus) == (code, None)
