"""The lease is kept while the session lives, by the cluster's clock; its loss is told."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.harness import (
    A_COPY,
    A_LEASE,
    JOBS,
    PODS,
    REVIEWS,
    Cli,
    Ended,
    clean,
    copy_of,
    finish,
    kinds_made,
    line_of,
    nothing_left,
    release,
    sent,
    told,
)
from tests.support.fakeapi import FakeCluster
from tests.support.fakerules import Object, Request
from tests.support.patience import PATIENCE

HOUR = 3600.0
NEVER = float("inf")
TALK = ("--", "sh", "-c", "echo ready; cat")


def _start(cli: Cli, *flags: str) -> subprocess.Popen[bytes]:
    process = cli.start("debug", *flags, "mypod", *TALK)
    assert line_of(process.stdout) == b"ready\n"
    return process


def _end(process: subprocess.Popen[bytes]) -> Ended:
    ended = finish(process, b"bye")
    assert (ended.code, ended.out, ended.errors) == (0, b"bye", [])
    ended.is_well_formed()
    return ended


def _job(api: FakeCluster) -> Object:
    (name,) = api.names("jobs", "default")
    return api.get("jobs", "default", name)


def _beats(api: FakeCluster) -> list[Any]:
    return [r for r in sent(api, "PATCH", A_LEASE) if "spec" in r.body]


def _looks(api: FakeCluster) -> list[Any]:
    return sent(api, "GET", A_LEASE)


OFFSETS = [0.0, 5 * HOUR, -5 * HOUR, 400 * 24 * HOUR]


@pytest.mark.parametrize("offset", OFFSETS)
def test_the_lease_is_renewed_by_the_clusters_clock(cli: Cli, offset: float) -> None:
    cli.api.clock_offset = offset
    process = _start(cli, "--ttl", "6s")
    job = _job(cli.api)
    assert sent(cli.api, "POST", JOBS)[0].body["spec"]["ttlSecondsAfterFinished"] == 6
    beat = cli.api.wait_for(_beats, PATIENCE)[0]
    assert beat.body["metadata"]["uid"] == job["metadata"]["uid"]
    # The cluster's clock then stood between the beat's first third and the test's patience.
    assert 6 < beat.body["spec"]["ttlSecondsAfterFinished"] <= 6 + 2 * PATIENCE
    cli.api.wait_for(lambda a: len(_beats(a)) == 4, PATIENCE)
    assert _job(cli.api)["metadata"]["uid"] == job["metadata"]["uid"]
    assert _end(process).warnings == []
    clean(cli.api)


def _other_namesake(cli: Cli) -> str:
    job = _job(cli.api)
    cli.api.delete("jobs", "default", job["metadata"]["name"])
    cli.api.add({**job, "metadata": {"name": job["metadata"]["name"]}})
    return "lost"


def _deleted(cli: Cli) -> str:
    cli.api.delete("jobs", "default", _job(cli.api)["metadata"]["name"])
    return "lost"


def _going(cli: Cli) -> str:
    when = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    cli.api.patch("jobs", "default", _job(cli.api)["metadata"]["name"], when)
    return "lost"


LOSSES = [_other_namesake, _deleted, _going]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda f: f.__name__)
def test_a_lost_lease_is_told(cli: Cli, lose: Callable[[Cli], str]) -> None:
    cli.api.gc_delay = NEVER
    process = _start(cli, "--ttl", "5s")
    kept = _job(cli.api)
    lose(cli)
    assert told(process, "warning:").startswith("warning: the lease is lost (")
    assert _end(process).warnings == []
    assert cli.api.names("pods", "default") == ["mypod"]
    # A Job that has the name by now is somebody else's.
    assert all(job["metadata"]["uid"] != kept["metadata"]["uid"] for job in _jobs(cli.api))


def _jobs(api: FakeCluster) -> list[Object]:
    return [api.get("jobs", "default", name) for name in api.names("jobs", "default")]


def _a_job(status: object) -> str:
    """Return a Job that makes no sense; of what UID it is nobody knows."""
    return json.dumps({"kind": "Job", "metadata": {}, "spec": {}, "status": status})


def _a_pod(spec: object) -> str:
    """Return a pod whose fields are other than they can be."""
    return json.dumps({"kind": "Pod", "metadata": {"name": "x", "uid": "u"}, "spec": spec})


HICCUPS: dict[str, dict[str, Any]] = {
    "500-get": {"method": "GET", "status": 500, "reason": "InternalError"},
    "429-patch": {"method": "PATCH", "status": 429, "reason": "TooManyRequests"},
    "cut-get": {"method": "GET", "drop": True},
    "cut-patch": {"method": "PATCH", "drop": True},
    "html-get": {"method": "GET", "status": 502, "text": "<html>Bad Gateway</html>"},
    "403-get": {"method": "GET", "status": 403, "reason": "Forbidden"},
    "403-patch": {"method": "PATCH", "status": 403, "reason": "Forbidden"},
    "401-patch": {"method": "PATCH", "status": 401, "reason": "Unauthorized"},
    "409-get": {"method": "GET", "status": 409, "reason": "Conflict"},
    "409-patch": {"method": "PATCH", "status": 409, "reason": "Conflict"},
    "422-patch": {"method": "PATCH", "status": 422, "reason": "Invalid"},
    "503-patch": {"method": "PATCH", "status": 503, "reason": "ServiceUnavailable"},
    "429-get": {"method": "GET", "status": 429, "reason": "TooManyRequests"},
    "nothing-get": {"method": "GET", "text": "{}"},
    "list-get": {"method": "GET", "text": '{"kind": "JobList", "metadata": {}, "items": []}'},
    "no-metadata-get": {"method": "GET", "text": '{"kind": "Job", "metadata": 7, "spec": 7}'},
    "time-get": {"method": "GET", "text": _a_job({"completionTime": "yesterday"})},
    "nothing-patch": {"method": "PATCH", "text": "[]"},
}


@pytest.mark.parametrize("row", HICCUPS)
def test_a_renewal_that_fails_once_comes_again(cli: Cli, row: str) -> None:
    process = _start(cli, "--ttl", "5s")
    fault = cli.api.fault(path=A_LEASE, **HICCUPS[row])
    assert fault.reached.wait(PATIENCE)
    cli.api.wait_for(lambda a: _job(a)["spec"]["ttlSecondsAfterFinished"] > 5, PATIENCE)
    assert _end(process).warnings == []
    clean(cli.api)


REFUSALS = [403, 409, 429, 500]


@pytest.mark.parametrize("status", REFUSALS)
def test_renewals_that_are_refused_go_on_until_they_get_through(cli: Cli, status: int) -> None:
    process = _start(cli, "--ttl", "5s")
    fault = cli.api.fault(
        method="PATCH", path=A_LEASE, status=status, reason="X", message="busy", times=None
    )
    line = told(process, "warning:")
    assert line.startswith("warning: the lease cannot be renewed at the moment (busy): the copy is")
    # It would end meanwhile.
    cli.api.advance(-HOUR)
    # Said once, however often it fails.
    hits = fault.hits
    cli.api.wait_for(lambda a: fault.hits >= hits + 2, PATIENCE)
    fault.times = 0
    assert told(process, "warning:") == "warning: the lease is renewed again\n"
    assert _beats(cli.api)
    assert _end(process).warnings == []
    clean(cli.api)


def test_a_lease_that_ended_for_want_of_renewals_is_lost(cli: Cli) -> None:
    cli.api.gc_delay = NEVER
    process = _start(cli, "--ttl", "5s")
    cli.api.fault(method="PATCH", path=A_LEASE, status=403, reason="Forbidden", times=None)
    told(process, "cannot be renewed at the moment")
    cli.api.advance(60)
    assert told(process, "warning:").startswith("warning: the lease is lost (")
    assert _end(process).warnings == []
    assert cli.api.names("pods", "default") == ["mypod"]


def test_an_uncompleted_job_gives_the_copy_a_deadline(cli: Cli) -> None:
    cli.api.job_delay = NEVER
    process = _start(cli, "--ttl", "5s", "--max", "1h")
    line = told(process, "warning:")
    assert "no controller completes the lease's Job" in line and "stops after 1h" in line
    copy = cli.api.get("pods", "default", copy_of(cli.api))
    # Behind the session's own end, so that it is no end of a session.
    assert 3605 <= copy["spec"]["activeDeadlineSeconds"] <= 3605 + PATIENCE
    (patch,) = sent(cli.api, "PATCH", A_COPY)
    assert patch.body["metadata"] == {"uid": copy["metadata"]["uid"]}
    cli.api.wait_for(lambda a: len(_looks(a)) > 2, PATIENCE)
    assert _end(process).warnings == []
    assert _beats(cli.api) == [] and len(sent(cli.api, "PATCH", A_COPY)) == 1
    clean(cli.api)


@pytest.mark.parametrize("row", [(403, "cannot have a deadline"), (500, "has no deadline yet")])
def test_a_copy_that_can_have_no_deadline_is_told(cli: Cli, row: tuple[int, str]) -> None:
    status, said = row
    cli.api.job_delay = NEVER
    refusal = {"status": status, "reason": "X", "message": "no patch of pods", "times": None}
    cli.api.fault(method="PATCH", path=A_COPY, **refusal)
    cli.api.fault(method="DELETE", **{**refusal, "status": 403})
    process = _start(cli, "--ttl", "5s")
    line = told(process, "warning:")
    assert f"{said} (no patch of pods)" in line
    cli.api.wait_for(lambda a: len(_looks(a)) > 2, PATIENCE)
    ended = finish(process, b"bye")
    assert ended.code == 1 and "its lease deletes it" not in ended.err
    assert any("kubectl delete " in line for line in ended.warnings)
    # Said once, however often it fails.
    assert not any("deadline" in line for line in ended.warnings)


AGAIN: dict[str, dict[str, Any]] = {
    "503-get": {"method": "GET", "status": 503, "reason": "ServiceUnavailable"},
    "503-patch": {"method": "PATCH", "status": 503, "reason": "ServiceUnavailable"},
    "409-patch": {"method": "PATCH", "status": 409, "reason": "Conflict"},
    "cut-patch": {"method": "PATCH", "drop": True},
    "nothing-get": {"method": "GET", "text": "{}"},
    "nothing-patch": {"method": "PATCH", "text": "[]"},
    "no-number-get": {"method": "GET", "text": _a_pod({"activeDeadlineSeconds": "soon"})},
}


@pytest.mark.parametrize("row", AGAIN)
def test_a_deadline_that_fails_once_is_tried_again(cli: Cli, row: str) -> None:
    cli.api.job_delay = NEVER
    look = cli.api.fault(method="GET", path=A_LEASE, hold=threading.Event())
    process = _start(cli, "--ttl", "5s")
    fault = cli.api.fault(path=A_COPY, **AGAIN[row])
    release(look)
    assert "has no deadline yet (" in told(process, "warning:")
    assert "the copy stops after" in told(process, "warning:")
    assert cli.api.get("pods", "default", copy_of(cli.api))["spec"]["activeDeadlineSeconds"]
    assert fault.hits == 1
    assert _end(process).warnings == []
    clean(cli.api)


def test_a_deadline_is_behind_the_end_of_the_first_session_too(cli: Cli) -> None:
    cli.api.job_delay = NEVER
    first = _start(cli, "--ttl", "1h", "--max", "5h")
    second = cli.start("attach", "--ttl", "5s", "--max", "1h", copy_of(cli.api), *TALK)
    assert line_of(second.stdout) == b"ready\n"
    told(second, "stops after 5h")
    copy = cli.api.get("pods", "default", copy_of(cli.api))
    assert copy["spec"]["activeDeadlineSeconds"] >= 5 * HOUR + 5
    for each in (second, first):
        finish(each, b"bye")
    clean(cli.api)


def test_a_deadline_that_is_there_is_kept(cli: Cli) -> None:
    cli.api.job_delay = NEVER
    process = _start(cli, "--ttl", "5s")
    told(process, "no controller completes the lease's Job")
    second = cli.start("attach", "--ttl", "5s", copy_of(cli.api), *TALK)
    assert line_of(second.stdout) == b"ready\n"
    told(second, "no controller completes the lease's Job")
    assert len(sent(cli.api, "PATCH", A_COPY)) == 1
    for each in (second, process):
        finish(each, b"bye")
    clean(cli.api)


def test_a_signal_during_a_renewal(cli: Cli) -> None:
    held = cli.api.fault(method="GET", path=A_LEASE, hold=threading.Event())
    process = _start(cli, "--ttl", "5s")
    assert held.reached.wait(PATIENCE)
    process.terminate()
    release(held)
    ended = finish(process)
    assert (ended.code, ended.errors, ended.warnings) == (143, [], [])
    clean(cli.api)


def test_the_copy_belongs_to_the_lease(cli: Cli) -> None:
    process = _start(cli)
    job, copy = _job(cli.api), cli.api.get("pods", "default", copy_of(cli.api))
    (owner,) = copy["metadata"]["ownerReferences"]
    assert owner["uid"] == job["metadata"]["uid"] and owner["kind"] == "Job"
    assert job["spec"]["ttlSecondsAfterFinished"] == 300
    assert job["metadata"]["labels"] == copy["metadata"]["labels"]
    seed = cli.api.get("configmaps", "default", copy_of(cli.api))
    assert seed["metadata"]["ownerReferences"] == [owner]
    assert seed["metadata"]["labels"] == job["metadata"]["labels"]
    assert "activeDeadlineSeconds" not in copy["spec"]
    _end(process)


DEADLINES = [((), "1h", 3600), (("--ttl", "10m"), "10m", 600), (("--ttl", "5h"), "1h", 3600)]


@pytest.mark.parametrize("row", DEADLINES, ids=str)
def test_without_the_right_to_a_lease_there_is_a_deadline(
    cli: Cli, row: tuple[tuple[str, ...], str, int]
) -> None:
    flags, words, seconds = row
    cli.api.fault(method="POST", path=JOBS, status=403, reason="Forbidden", times=None)
    cli.api.access = lambda asked: asked["resourceAttributes"]["resource"] != "jobs"
    ended = cli.run("debug", *flags, "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    (warning,) = (line for line in ended.warnings if "Jobs" in line)
    assert "no lease" in warning and f"stops after {words}," in warning
    (post,) = sent(cli.api, "POST", PODS)
    assert post.body["spec"]["activeDeadlineSeconds"] == seconds
    assert "ownerReferences" not in post.body["metadata"]
    ended.is_well_formed()
    clean(cli.api)
    assert kinds_made(cli.api) == ["pods", "configmaps"]


UNKNOWN: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "reason": "InternalError"},
    "403": {"status": 403, "reason": "Forbidden"},
    "cut": {"drop": True},
    "nothing": {"text": "{}"},
    "no-status": {"text": '{"kind": "SelfSubjectAccessReview", "metadata": {}, "status": {}}'},
}


@pytest.mark.parametrize("row", [*itertools.product(UNKNOWN, (False, True))], ids=str)
def test_who_may_perhaps_create_a_lease_does_not_do_without(
    cli: Cli, row: tuple[str, bool]
) -> None:
    how, dry = row
    refusal = {"status": 403, "reason": "Forbidden", "message": "a webhook says no"}
    cli.api.fault(method="POST", path=JOBS, times=None, dry=dry, **refusal)
    cli.api.fault(path=REVIEWS, when=_about_jobs, times=None, **UNKNOWN[how])
    flags = ("--dry-run=server",) if dry else ()
    cli.run("debug", *flags, "mypod", *([] if dry else TALK)).complains("a webhook says no")
    assert cli.api.created == []


def test_a_right_that_is_unknown_for_a_moment_is_asked_for_again(cli: Cli) -> None:
    cli.api.fault(method="POST", path=JOBS, status=403, reason="Forbidden", times=None)
    cli.api.access = lambda asked: asked["resourceAttributes"]["resource"] != "jobs"
    cli.api.fault(path=REVIEWS, when=_about_jobs, status=500, reason="InternalError")
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", []), ended
    assert any("no lease" in line for line in ended.warnings)
    clean(cli.api)


def _about_jobs(request: Request) -> bool:
    return bool(request.body["spec"]["resourceAttributes"]["resource"] == "jobs")


def test_without_a_lease_a_copy_that_can_not_be_deleted_is_told(cli: Cli) -> None:
    cli.api.fault(method="POST", path=JOBS, status=403, reason="Forbidden", times=None)
    cli.api.fault(method="DELETE", status=403, reason="Forbidden", times=None)
    cli.api.access = lambda asked: False
    ended = cli.run("debug", "mypod", "--", "true")
    assert (ended.code, ended.errors) == (1, [])
    name = copy_of(cli.api)
    assert any(line.endswith(f" pod/{name}") and "kubectl" in line for line in ended.warnings)
    assert "stops after 1h," in ended.err


def test_a_longest_session_ends_with_pipes(cli: Cli) -> None:
    ended = finish(cli.start("debug", "--max", "1s", "mypod", "--", "sleep", "60"))
    ended.complains("has ended after 1s", "--max")
    clean(cli.api)


def test_two_sessions_do_not_disturb_each_other(cli: Cli) -> None:
    processes = [_start(cli), _start(cli)]
    assert len(cli.api.names("pods", "default")) == 3
    _end(processes[0])
    assert len(cli.api.names("pods", "default")) == 2 == len(cli.api.names("jobs", "default")) + 1
    _end(processes[1])
    nothing_left(cli.api)


def test_a_lease_that_expires_before_the_copy_exists(cli: Cli) -> None:
    held = cli.api.fault(method="POST", path=PODS, hold=threading.Event())
    unrenewed = cli.api.fault(method="PATCH", path=A_LEASE, hold=threading.Event(), times=None)
    process = cli.start("debug", "mypod", "--ttl", "5s", "--", "true")
    assert held.reached.wait(PATIENCE)
    # By itself, after its five seconds.
    cli.api.wait_for(lambda a: not a.names("jobs", "default"), PATIENCE)
    cli.api.pod_start_delay = NEVER
    for fault in (held, unrenewed):
        release(fault)
    finish(process).complains("its lease of 5s was not renewed in time; raise --ttl")
    nothing_left(cli.api)


def test_a_renewal_that_is_under_way_does_not_undo_a_leave(cli: Cli) -> None:
    first = _start(cli, "--ttl", "1h")
    second = cli.start("attach", "--ttl", "5s", copy_of(cli.api), *TALK)
    assert line_of(second.stdout) == b"ready\n"
    held = cli.api.fault(method="PATCH", path=A_LEASE, when=_renews, hold=threading.Event())
    assert held.reached.wait(PATIENCE)
    assert second.stdin is not None
    second.stdin.close()
    second.stdin = None
    cli.api.wait_for(lambda a: len(a.execs) == 1, PATIENCE)
    # It would leave now, if it did not wait for its renewal.
    with contextlib.suppress(AssertionError):
        cli.api.wait_for(lambda a: [r for r in sent(a, "PATCH", A_LEASE) if _leaves(r)], 1.0)
    release(held)
    ended = finish(second)
    assert ended.code == 0 and "sessions in it: 1" in ended.err
    seats = _job(cli.api)["metadata"]["annotations"]
    assert len([key for key in seats if key.startswith("session.")]) == 1
    assert _end(first).warnings == []
    clean(cli.api)


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_renewal_that_outlasts_a_leave_does_not_undo_it(cli: Cli, method: str) -> None:
    first = _start(cli, "--ttl", "1h")
    second = cli.start("attach", "--ttl", "5s", copy_of(cli.api), *TALK)
    assert line_of(second.stdout) == b"ready\n"
    when = _renews if method == "PATCH" else _anything
    held = cli.api.fault(method=method, path=A_LEASE, when=when, hold=threading.Event())
    assert held.reached.wait(PATIENCE)
    left = cli.api.fault(
        method="PATCH", path=A_LEASE, when=_leaves, after=True, hold=threading.Event()
    )
    assert second.stdin is not None
    second.stdin.close()
    second.stdin = None
    # It leaves without the end of the renewal, which comes now.
    assert left.reached.wait(PATIENCE)
    release(held)
    with contextlib.suppress(AssertionError):
        cli.api.wait_for(lambda a: len(_seats(a)) == 2, 1.0)
    release(left)
    assert finish(second).code == 0
    assert len(_seats(cli.api)) == 1
    assert _end(first).warnings == []
    clean(cli.api)


def _seats(api: FakeCluster) -> list[str]:
    return [key for key in _job(api)["metadata"]["annotations"] if key.startswith("session.")]


def _anything(request: Request) -> bool:
    return True


def _renews(request: Request) -> bool:
    return "spec" in request.body


def _leaves(request: Request) -> bool:
    return None in request.body["metadata"]["annotations"].values()
