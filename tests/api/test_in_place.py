"""--in-place: nothing is created but one container, and nothing is sent for what can't be."""

from __future__ import annotations

import json
import re
import signal
import threading
from typing import Any

import pytest

from tests.api.harness import (
    EPHEMERAL,
    PROBE,
    Cli,
    Ended,
    asked_for,
    finish,
    line_of,
    nothing_sent,
    release,
    sent,
    source_pod,
)
from tests.support.fakeapi import FakeCluster
from tests.support.patience import PATIENCE

TALK = ("--", "sh", "-c", "echo ready; cat; exit 3")


def patches(api: FakeCluster) -> list[Any]:
    """Return the containers that were asked for."""
    return [r.body["spec"]["ephemeralContainers"][0] for r in sent(api, "PATCH", EPHEMERAL)]


def in_place(cli: Cli, *flags: str) -> Ended:
    """Run a session whose container ends with it."""
    process = cli.start("debug", "mypod", "--in-place", *flags, *TALK)
    assert line_of(process.stdout) == b"ready\n"
    name = cli.api.get("pods", "default", "mypod")["spec"]["ephemeralContainers"][-1]["name"]
    status = cli.api.get("pods", "default", "mypod")["status"]
    others = [s for s in status.get("ephemeralContainerStatuses") or [] if s["name"] != name]
    ended = {"name": name, "state": {"terminated": {"exitCode": 0}}}
    status = {**status, "ephemeralContainerStatuses": [*others, ended]}
    cli.api.set_status("default", "mypod", status)
    return finish(process, b"bye")


def test_one_container_is_added_and_nothing_else(cli: Cli) -> None:
    ended = in_place(cli)
    assert (ended.code, ended.out, ended.errors) == (3, b"bye", []), ended
    (container,) = patches(cli.api)
    assert container["targetContainerName"] == "app"
    assert cli.api.created == [] and cli.api.deleted == []
    assert {r.method for r in cli.api.requests} <= {"GET", "PATCH"}
    assert re.search("has ended and stays listed until the pod is deleted$", ended.err.strip())
    ended.is_well_formed()


def test_a_signal_after_the_session_leaves_its_code(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--in-place", *TALK)
    assert line_of(process.stdout) == b"ready\n"
    held = cli.api.fault(method="GET", path=r"/pods/mypod$", hold=threading.Event(), times=None)
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    assert held.reached.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    release(held)
    assert (ended.code, ended.errors) == (3, []), ended
    assert "may still be running; it ends by itself" in ended.err


def test_quiet_says_nothing(cli: Cli) -> None:
    assert in_place(cli, "-q").err == ""


@pytest.mark.parametrize("status", [400, 403, 422])
def test_the_next_profile_is_tried_where_one_is_refused(cli: Cli, status: int) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, status=status, reason="Forbidden")
    assert in_place(cli).code == 3
    first, second = patches(cli.api)
    assert first["securityContext"] != second["securityContext"]


def test_who_may_not_is_told_so_in_one_line(cli: Cli) -> None:
    why = "you may not patch pods/ephemeralcontainers"
    fault = {"method": "PATCH", "path": EPHEMERAL, "status": 403, "reason": "Forbidden"}
    cli.api.fault(**fault, times=None, message=why)
    ended = cli.run("debug", "mypod", "--in-place", "--", "true")
    ended.complains(f"the API server rejected the request: {why}")
    assert not [e for e in cli.api.execs if e.command != PROBE]


@pytest.mark.parametrize("times", [1, 2])
def test_a_conflict_with_the_kubelet_is_tried_again(cli: Cli, times: int) -> None:
    conflict = {"status": 409, "reason": "Conflict", "message": "has been modified"}
    cli.api.fault(method="PATCH", path=EPHEMERAL, times=times, **conflict)
    ended = in_place(cli)
    assert (ended.code, ended.errors, ended.warnings) == (3, [], []), ended
    assert len({str(patch) for patch in patches(cli.api)}) == 1
    added = cli.api.get("pods", "default", "mypod")["spec"]["ephemeralContainers"]
    assert len(added) == 1


NO_ANSWER: list[dict[str, Any]] = [{"drop": True}, {"status": 504, "reason": "Timeout"}]


@pytest.mark.parametrize("fault", NO_ANSWER, ids=["cut", "timeout"])
def test_a_container_that_was_added_without_an_answer_is_used(
    cli: Cli, fault: dict[str, Any]
) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, after=True, **fault)
    ended = in_place(cli)
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (3, b"bye", [], []), ended
    assert len(patches(cli.api)) == 1


def test_a_container_that_may_have_been_added_is_told(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, drop=True)
    ended = cli.run("debug", "-q", "mypod", "--in-place", "--", "true")
    ended.complains("cannot be reached")
    (warning,) = ended.warnings
    assert re.search(r"container scratch-\w{5} may be listed in pod mypod until", warning)


def test_a_container_that_may_be_there_is_told_after_a_signal(cli: Cli) -> None:
    busy = {"status": 503, "reason": "Busy", "headers": {"Retry-After": "10"}}
    held = cli.api.fault(method="PATCH", path=EPHEMERAL, after=True, **busy)
    process = cli.start("debug", "mypod", "--in-place", "--", "true")
    assert held.reached.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert (ended.code, ended.errors) == (130, []), ended
    assert re.search(r"container scratch-\w{5} (may be|stays) listed in pod mypod", ended.err)
    assert len(patches(cli.api)) == 1


def test_a_container_certainly_not_added_is_not_reported(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, status=503, reason="Busy", message="busy")
    ended = cli.run("debug", "-q", "mypod", "--in-place", "--", "true")
    ended.complains("busy")
    assert ended.warnings == []


@pytest.mark.parametrize(
    "flags, wanted",
    [
        (("--view", "app"), "--view app needs a copy"),
        (("--hold",), "--hold needs a copy"),
        (("--hold-all",), "--hold-all needs a copy"),
        (("--learn",), "--learn needs a copy"),
        (("--copy-name", "x"), "--copy-name needs a copy"),
        (("--no-share-processes",), "--no-share-processes needs a copy"),
        (("--set-image", "app=x"), "--set-image needs a copy"),
        (("--dry-run", "-o", "yaml"), "-o needs a copy"),
        (("--linger", "0s"), "--linger must be longer than 0s"),
        (("--ttl", "5m"), "--ttl needs a copy"),
        (("--ttl", "1s"), "--ttl needs a copy"),
    ],
)
def test_what_needs_a_copy_is_refused_before_anything_is_sent(
    cli: Cli, flags: tuple[str, ...], wanted: str
) -> None:
    cli.run("debug", "mypod", "--in-place", *flags, "--", "true").complains(wanted)
    assert cli.api.requests == []


def test_linger_is_for_in_place(cli: Cli) -> None:
    cli.run("debug", "mypod", "--linger", "5m", "--", "true").complains("--linger needs --in-place")
    assert cli.api.requests == []


@pytest.mark.parametrize(
    "fields, wanted",
    [
        ({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, "mirror of a static"),
        ({"status": {"phase": "Succeeded"}}, r"it has ended \(Succeeded\)"),
    ],
)
def test_a_pod_that_takes_none_is_refused(cli: Cli, fields: Any, wanted: str) -> None:
    cli.api.add(source_pod("odd", nodeName="n", **fields))
    cli.run("debug", "odd", "--in-place", "--", "true").complains("cannot be debugged", wanted)
    nothing_sent(cli.api)


def test_a_dry_run_says_what_stays_and_changes_nothing(cli: Cli) -> None:
    cli.api.wait_for(lambda api: api.started("default", "mypod", "app"), PATIENCE)
    ended = cli.run("debug", "mypod", "--in-place", "--dry-run")
    assert ended.code == 0 and b"What stays until the pod is deleted:\n" in ended.out, ended
    nothing_sent(cli.api)


def test_a_dry_run_of_the_server_adds_nothing(cli: Cli) -> None:
    cli.api.wait_for(lambda api: api.started("default", "mypod", "app"), PATIENCE)
    ended = cli.run("debug", "mypod", "--in-place", "--dry-run=server")
    assert ended.code == 0 and b"What will be added:\n" in ended.out, ended
    assert asked_for("PATCH", EPHEMERAL)(cli.api) and sent(cli.api, "PATCH") == []
    assert not cli.api.get("pods", "default", "mypod")["spec"].get("ephemeralContainers")


def test_one_that_lingers_is_used_again(cli: Cli) -> None:
    words = ("debug", "mypod", "--in-place", "--linger", "1h")
    for _ in range(2):
        ended = cli.run(*words, "--", "echo", "in")
        assert (ended.code, ended.out) == (0, b"in\n"), ended
        assert "idles for 1h, ready for another session" in ended.err
    (container,) = patches(cli.api)
    assert json.loads(container["env"][-1]["value"])["linger"] == 3600
    assert f"using container {container['name']} of pod mypod, which is idle" in ended.err
