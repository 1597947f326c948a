"""Several sessions in one copy: the last one deletes it."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from kubectl_scratch.plan import lease, metadata
from tests.api.harness import (
    A_LEASE,
    EPHEMERAL,
    EXEC,
    Cli,
    Ended,
    clean,
    copy_of,
    deleted_once,
    finish,
    line_of,
    nothing_left,
    nothing_sent,
    release,
    sent,
    told,
)
from tests.support.fakeapi import FakeCluster
from tests.support.fakerules import Request
from tests.support.lookalikes import BROKEN, COPY, a_pair
from tests.support.patience import PATIENCE

TALK = ("--", "sh", "-c", "echo ready; cat")
SEAT = "session.kubectl-scratch/"


def _open(cli: Cli, *what: str) -> subprocess.Popen[bytes]:
    process = cli.start(*what, *TALK)
    assert line_of(process.stdout) == b"ready\n"
    return process


def _close(process: subprocess.Popen[bytes]) -> Ended:
    ended = finish(process, b"bye")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"bye", [], []), ended
    ended.is_well_formed()
    return ended


def _two(cli: Cli) -> list[subprocess.Popen[bytes]]:
    first = _open(cli, "debug", "mypod")
    return [first, _open(cli, "attach", copy_of(cli.api))]


def _seats(api: FakeCluster) -> list[str]:
    (name,) = api.names("jobs", "default")
    known = api.get("jobs", "default", name)["metadata"]["annotations"]
    return [key for key in known if key.startswith(SEAT)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["debug-first", "attach-first"])
def test_who_leaves_last_deletes_the_copy(cli: Cli, order: tuple[int, int]) -> None:
    sessions = _two(cli)
    assert len(_seats(cli.api)) == 2
    assert "sessions in it: 1" in _close(sessions[order[0]]).err
    assert len(_seats(cli.api)) == 1 and cli.api.deleted == []
    assert "the copy stays" not in _close(sessions[order[1]]).err
    clean(cli.api)


def test_an_attached_session_has_its_own_code(cli: Cli) -> None:
    first = _open(cli, "debug", "mypod")
    ended = cli.run("attach", copy_of(cli.api), "-q", "--", "sh", "-c", "cat; exit 7", data=b"\0x")
    assert (ended.code, ended.out, ended.err) == (7, b"\0x", "")
    _close(first)
    clean(cli.api)


def _joins(request: Request) -> bool:
    return not _leaves(request)


def _leaves(request: Request) -> bool:
    return None in ((request.body or {}).get("metadata", {}).get("annotations") or {}).values()


JOINING: dict[str, dict[str, Any]] = {
    "copy": {"method": "GET", "path": r"/pods/mypod-scratch-\w{5}$"},
    "lease": {"method": "GET", "path": A_LEASE},
    "join": {"method": "PATCH", "path": A_LEASE, "when": _joins},
    "joined": {"method": "PATCH", "path": A_LEASE, "when": _joins, "after": True},
    "leave": {"method": "PATCH", "path": A_LEASE, "when": _leaves},
}
SIGNALS = (signal.SIGTERM,)


@pytest.mark.parametrize(
    "row", [*itertools.product(JOINING, SIGNALS)], ids=lambda r: f"{r[0]}-{r[1].name}"
)
def test_a_signal_while_one_joins_leaves_the_other_alone(
    cli: Cli, row: tuple[str, signal.Signals]
) -> None:
    first = _open(cli, "debug", "mypod")
    held = cli.api.fault(**JOINING[row[0]], hold=threading.Event())
    joining = cli.start("attach", copy_of(cli.api), "--", "true")
    assert held.reached.wait(PATIENCE)
    joining.send_signal(row[1])
    release(held)
    ended = finish(joining)
    assert (ended.code, ended.errors, ended.warnings) == (128 + row[1], [], []), ended
    assert len(_seats(cli.api)) == 1
    _close(first)
    clean(cli.api)


@pytest.mark.parametrize("which", [0, 1], ids=["debug", "attach"])
def test_a_signal_in_one_session_leaves_the_other_alone(cli: Cli, which: int) -> None:
    sessions = _two(cli)
    sessions[which].terminate()
    assert finish(sessions[which]).code == 143
    _close(sessions[1 - which])
    clean(cli.api)


SEATS = [("2020-01-01T00:00:00Z", False), ("2999-01-01T00:00:00Z", True)]


@pytest.mark.parametrize("row", SEATS, ids=["expired", "taken"])
def test_the_seat_of_a_killed_session_counts_until_it_expires(
    cli: Cli, row: tuple[str, bool]
) -> None:
    until, stays = row
    process = _open(cli, "debug", "mypod")
    (name,) = cli.api.names("jobs", "default")
    cli.api.patch("jobs", "default", name, {"metadata": {"annotations": {SEAT + "zz": until}}})
    ended = _close(process)
    assert ("sessions in it: 1" in ended.err) is stays
    assert cli.api.names("jobs", "default") == ([name] if stays else [])
    cli.api.advance(301)
    cli.api.wait_for(lambda a: a.names("pods", "default") == ["mypod"])
    nothing_left(cli.api)


def test_both_killed_the_lease_ends_them(cli: Cli) -> None:
    sessions = _two(cli)
    for process in sessions:
        process.kill()
        finish(process)
    cli.api.advance(310)
    cli.api.wait_for(lambda a: a.names("pods", "default") == ["mypod"])
    nothing_left(cli.api)


def _no_lease(cli: Cli) -> None:
    cli.api.gc_delay = float("inf")
    cli.api.delete("jobs", "default", cli.api.names("jobs", "default")[0])


def _no_patch(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=A_LEASE, status=403, reason="Forbidden", when=_joins)


def _cut_join(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=A_LEASE, drop=True, when=_joins)


def _cut_joined(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=A_LEASE, drop=True, after=True, when=_joins)


@pytest.mark.parametrize("prepare", [_no_patch, _cut_join, _cut_joined], ids=lambda f: f.__name__)
def test_who_can_not_join_changes_nothing(cli: Cli, prepare: Callable[[Cli], None]) -> None:
    first = _open(cli, "debug", "mypod")
    prepare(cli)
    cli.run("attach", copy_of(cli.api), "--", "true").complains()
    assert len(cli.api.names("pods", "default")) == 2
    _close(first)
    clean(cli.api)


def test_a_session_that_may_not_join_deletes_nothing(cli: Cli) -> None:
    first = _open(cli, "debug", "mypod")
    (seat,) = _seats(cli.api)
    expired = {"metadata": {"annotations": {seat: "2020-01-01T00:00:00Z"}}}
    cli.api.patch("jobs", "default", copy_of(cli.api), expired)
    _no_patch(cli)
    cli.run("attach", copy_of(cli.api), "--", "true").complains()
    assert cli.api.deleted == []
    _close(first)
    clean(cli.api)


def test_a_copy_without_its_lease_can_not_be_joined(cli: Cli) -> None:
    first = _open(cli, "debug", "mypod")
    name = copy_of(cli.api)
    _no_lease(cli)
    cli.run("attach", name, "--", "true").complains()
    assert cli.api.names("pods", "default") == ["mypod", name]
    cli.api.gc_delay = 0.0
    _close(first)
    nothing_left(cli.api)


def test_a_leave_that_fails_once_does_not_end_the_other_session(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=A_LEASE, status=500, reason="X", when=_leaves)
    first, second = _two(cli)
    _close(second)
    assert cli.api.deleted == []
    _close(first)
    clean(cli.api)


def test_a_lost_lease_is_told_to_all(cli: Cli) -> None:
    cli.api.gc_delay = float("inf")
    first = _open(cli, "debug", "mypod", "--ttl", "5s")
    second = _open(cli, "attach", copy_of(cli.api), "--ttl", "5s")
    _no_lease(cli)
    for process in (first, second):
        assert told(process, "warning:").startswith("warning: the lease is lost (")
    cli.api.gc_delay = 0.0
    # Without a lease nobody can count: who leaves deletes.
    second.terminate()
    assert finish(second).code == 143
    finish(first)
    nothing_left(cli.api)
    deleted_once(cli.api, but=1)


def test_a_view_that_a_copy_does_not_have_is_told(cli: Cli) -> None:
    first = _open(cli, "debug", "mypod", "--image", "busybox", "--no-hold")
    ended = cli.run("attach", copy_of(cli.api), "--view", "app", "--", "true")
    ended.complains("has no toolkit inside its target", "--view tools")
    assert len(_seats(cli.api)) == 1
    _close(first)
    clean(cli.api)


def test_without_a_debug_container_there_is_the_target_alone(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, times=None, status=403, reason="Forbidden")
    process = cli.start("debug", "mypod", *TALK)
    assert line_of(process.stdout) == b"ready\n"
    copy = copy_of(cli.api)
    ended = cli.run("attach", copy, "--view", "tools", "--", "true")
    assert ended.code == 1 and "has no debug container" in ended.errors[0]
    assert cli.run("attach", copy, "--", "true").code == 0
    assert len(finish(process, b"bye").warnings) == 1
    clean(cli.api)


def test_a_copy_without_a_debug_container_says_so_at_once(cli: Cli) -> None:
    cli.api.access = lambda asked: "subresource" not in asked["resourceAttributes"]
    process = cli.start("debug", "mypod", *TALK)
    assert line_of(process.stdout) == b"ready\n"
    ended = cli.run("attach", copy_of(cli.api), "--view", "tools", "--", "true")
    ended.complains("has no debug container", "--view app")
    assert "is being added" not in ended.err
    finish(process, b"bye")
    clean(cli.api)


def test_who_is_early_waits_for_the_debug_container(cli: Cli) -> None:
    held = cli.api.fault(method="PATCH", path=EPHEMERAL, hold=threading.Event())
    first = _open(cli, "debug", "mypod")
    second = cli.start("attach", copy_of(cli.api), "--view", "tools", *TALK)
    told(second, "its debug container is being added")
    release(held)
    assert line_of(second.stdout) == b"ready\n"
    finish(second, b"bye")
    *_, session = sent(cli.api, "GET", EXEC)
    assert session.query["container"] == "scratch"
    _close(first)
    clean(cli.api)


NO_COPIES = [
    (("attach", "mypod", "--", "true"), "is not a copy made by"),
    (("attach", "mypod-scratch-zzzzz", "--", "true"), "pod 'mypod-scratch-zzzzz' not found"),
    (("attach", "svc/x", "--", "true"), "is not a pod"),
    (("attach", "A_B", "--", "true"), "is not a valid pod name"),
    (("attach", "mypod"), "a shell needs a terminal"),
    (("attach",), "missing argument"),
]


@pytest.mark.parametrize("row", NO_COPIES, ids=lambda r: r[0][1] if len(r[0]) > 1 else "none")
def test_what_is_no_copy_can_not_be_joined(cli: Cli, row: tuple[tuple[str, ...], str]) -> None:
    cli.run(*row[0]).complains(row[1])
    nothing_sent(cli.api)


VIEWS = [
    ((), (), "app"),
    (("--view", "tools"), (), "scratch"),
    ((), ("--view", "tools"), "scratch"),
    (("--view", "tools"), ("--view", "app"), "app"),
    (("--image", "busybox"), ("--view", "app"), "app"),
]


@pytest.mark.parametrize(("made", "joined", "container"), VIEWS, ids=lambda v: "".join(v))
def test_a_terminal_in_a_joined_copy(
    cli: Cli, made: tuple[str, ...], joined: tuple[str, ...], container: str
) -> None:
    first = _open(cli, "debug", "mypod", *made)
    child = cli.terminal("attach", copy_of(cli.api), *joined)
    child.expect_exact(
        "inside container app" if container == "app" else "in the debug container of"
    )
    child.expect(rb"app:\S*[#$] ")
    child.sendline("exit 4")
    child.expect_exact("sessions in it: 1")
    child.wait()
    assert child.exitstatus == 4
    *_, shell = sent(cli.api, "GET", EXEC)
    assert shell.query["container"] == container
    _close(first)
    clean(cli.api)


@pytest.mark.parametrize("row", BROKEN)
def test_who_looks_like_a_copy_is_left_alone(cli: Cli, row: str) -> None:
    change, _ = BROKEN[row]
    pod, job = a_pair()
    change(pod, job)
    made = cli.api.add(job)
    for owner in pod["metadata"].get("ownerReferences", ()):
        owner["uid"] = made["metadata"]["uid"] if owner["uid"] == "u" else owner["uid"]
    cli.api.add(pod)
    cli.run("attach", COPY, "--", "true").complains("is not a copy|has no label")
    assert {r.method for r in cli.api.requests} == {"GET"}
    assert COPY not in cli.run("ls", "-o", "name").out.decode() or row in NO_OWNER
    assert cli.api.get("jobs", "default", COPY)["spec"] == made["spec"]


# A copy without a lease has no owner, and ls has nothing else to tell it by.
NO_OWNER = ("no-owner",)


def test_a_running_job_of_production_is_left_alone(cli: Cli) -> None:
    """Who may create pods makes one with our marks, and names the Job as its owner."""
    pod, _ = a_pair()
    job = {
        "kind": "Job",
        "metadata": {"name": COPY},
        "spec": {"completions": 1, "parallelism": 1, "template": {}},
    }
    made = cli.api.add(job)
    pod["metadata"]["ownerReferences"] = [lease.owner_reference(made)]
    cli.api.add(pod)
    ended = cli.run("attach", COPY, "--ttl", "1h", "--", "true")
    ended.complains("is not a copy made by kubectl scratch: job", "nothing was changed")
    assert {r.method for r in cli.api.requests} == {"GET"}
    assert cli.api.get("jobs", "default", COPY) == made


def test_a_lease_that_was_swapped_while_one_was_in_is_left_alone(cli: Cli) -> None:
    cli.api.gc_delay = float("inf")
    first = _open(cli, "debug", "mypod")
    second = _open(cli, "attach", copy_of(cli.api))
    (name,) = cli.api.names("jobs", "default")
    job = cli.api.get("jobs", "default", name)
    cli.api.delete("jobs", "default", name)
    del job["metadata"]["uid"], job["metadata"]["resourceVersion"]
    swapped = cli.api.add(job)
    for process in (second, first):
        finish(process, b"bye")
    assert cli.api.get("jobs", "default", name) == swapped
    assert cli.api.names("pods", "default") == ["mypod"]


def test_a_copy_that_is_being_deleted_can_not_be_joined(cli: Cli) -> None:
    first = _open(cli, "debug", "mypod")
    name, when = copy_of(cli.api), {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    cli.api.patch("pods", "default", name, when)
    cli.run("attach", name, "--", "true").complains("is being deleted")
    assert sent(cli.api, "PATCH", A_LEASE) == []
    finish(first, b"")


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
def test_a_conflict_at_one_leave_does_not_end_the_other_session(
    cli: Cli, times: int | None
) -> None:
    first, second = _two(cli)
    conflict = {"status": 409, "reason": "Conflict", "message": "has been modified"}
    fault = cli.api.fault(method="PATCH", path=A_LEASE, when=_leaves, times=times, **conflict)
    assert "sessions in it: 1" in _close(second).err
    assert cli.api.deleted == []
    fault.times = 0
    if times is None:
        # Its seat could not be given back.
        (name,) = cli.api.names("jobs", "default")
        (seat,) = (s for s in _seats(cli.api) if not s.endswith(name[-5:]))
        cli.api.patch("jobs", "default", name, {"metadata": {"annotations": {seat: None}}})
    _close(first)
    clean(cli.api)


ODD = {"kind": "Job", "metadata": {"annotations": {f"{SEAT}x": 7}}}


def test_a_conflict_while_one_joins_is_tried_again(cli: Cli) -> None:
    first = _open(cli, "debug", "mypod")
    conflict = {"status": 409, "reason": "Conflict", "message": "has been modified"}
    cli.api.fault(method="PATCH", path=A_LEASE, when=_joins, times=2, **conflict)
    assert cli.run("attach", copy_of(cli.api), "--", "echo", "in").out == b"in\n"
    _close(first)
    clean(cli.api)


# How the seat can't be given back, and how the lease can't be read then.
UNTOLD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no-answer": ({"drop": True}, {"drop": True}),
    "server-fault": ({"status": 500, "reason": "X"}, {"drop": True}),
    "conflict-500": ({"status": 409, "reason": "Conflict"}, {"status": 500, "reason": "X"}),
    "conflict-403": ({"status": 409, "reason": "Conflict"}, {"status": 403, "reason": "Forbidden"}),
    "forbidden": ({"status": 403, "reason": "Forbidden"}, {"status": 403, "reason": "Forbidden"}),
    "nonsense": ({"status": 409, "reason": "Conflict"}, {"text": '{"metadata": []}'}),
    "seats": ({"text": json.dumps(ODD)}, {}),
}


@pytest.mark.parametrize("row", UNTOLD)
def test_where_nobody_can_tell_who_is_in_nothing_is_deleted(cli: Cli, row: str) -> None:
    leave, look = UNTOLD[row]
    first, second = _two(cli)
    faults = [
        cli.api.fault(method="PATCH", path=A_LEASE, when=_leaves, times=None, **leave),
        cli.api.fault(method="GET", path=A_LEASE, times=None, **look),
    ]
    ended = finish(second, b"bye")
    name = copy_of(cli.api)
    assert (ended.code, ended.out, ended.errors) == (1, b"bye", []), ended
    assert re.search(f"kubectl delete .* job/{name} pod/{name}$", ended.err, re.MULTILINE)
    assert sent(cli.api, "DELETE") == []
    ended.is_well_formed()
    for fault in faults:
        fault.times = 0
    assert finish(first, b"bye").code == 0


NO_CONTAINERS = ["app; rm -rf /", "$(id)", "a\nb", "", "APP", "a" * 64, "-x", "\x1b[2J"]


@pytest.mark.parametrize("name", NO_CONTAINERS, ids=ascii)
def test_an_annotation_that_names_no_container_goes_nowhere(cli: Cli, name: str) -> None:
    """It would become a part of the shell's helpers."""
    pod, job = a_pair()
    made = cli.api.add(job)
    pod["metadata"]["ownerReferences"] = [lease.owner_reference(made)]
    pod["metadata"]["annotations"][metadata.CONTAINER_ANNOTATION] = name
    cli.api.add(pod)
    cli.run("attach", COPY, "--", "true").complains("is not a valid container name")
    assert {r.method for r in cli.api.requests} == {"GET"}
