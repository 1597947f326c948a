"""Whatever comes as an answer, a verb ends with one clear line."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

import pytest

from tests.api.harness import (
    A_LEASE,
    EXEC,
    JOBS,
    PODS,
    REVIEWS,
    Cli,
    clean,
    deleted_once,
    finish,
    nothing_left,
    sent,
    source_pod,
)
from tests.support.patience import PATIENCE

POD = "/pods/mypod$"
DEBUG = ("debug", "mypod", "--", "echo", "hi")
LOOKS = (DEBUG, ("check", "mypod"), ("ls",), ("version",))
DEEP = b'{"a":' * 100_000
ANSWERS: dict[str, bytes] = {
    "list": b"[]",
    "text": b'"x"',
    "number": b"5",
    "null": b"null",
    "nothing": b"",
    "empty": b"{}",
    "no-utf8": b"\xff\xfe{",
    "deep": DEEP,
    "other-kind": b'{"kind": "Secret", "metadata": {"name": "mypod", "uid": "u"}}',
    "success": b'{"kind": "Status", "status": "Success", "metadata": {}}',
    "metadata-list": b'{"kind": "Pod", "metadata": []}',
    "items-text": b'{"kind": "PodList", "items": ["x"], "gitVersion": 5}',
}


class Row(NamedTuple):
    """A verb, and what the API server answers to all that it asks."""

    args: tuple[str, ...]
    answer: str
    status: int = 200


ROWS = [
    *(Row(DEBUG, answer) for answer in ANSWERS),
    *(Row(args, answer) for args in LOOKS[1:] for answer in ("list", "deep", "items-text")),
    Row(DEBUG, "text", 500),
    Row(DEBUG, "metadata-list", 403),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.args[0]}-{r.answer}-{r.status}")
def test_nonsense_is_one_clear_line(cli: Cli, row: Row) -> None:
    cli.api.fault(status=row.status, data=ANSWERS[row.answer], times=None)
    ended = cli.run(*row.args)
    assert (ended.code, len(ended.errors)) == (1, 1), ended
    ended.is_well_formed()
    assert sent(cli.api, "DELETE") == []


ODD = [
    {"kind": "Status", "message": {"a": 1}, "reason": ["x"], "details": "y", "code": "z"},
    {"kind": "Status", "message": None, "reason": 5, "details": {"kind": []}},
]


@pytest.mark.parametrize("status", ODD, ids=["objects", "null"])
@pytest.mark.parametrize("path", [POD, EXEC, JOBS], ids=["pod", "exec", "lease"])
def test_a_refusal_of_any_shape(cli: Cli, path: str, status: Any) -> None:
    data = json.dumps(status).encode()
    cli.api.fault(path=path, status=403, data=data, times=None)
    ended = cli.run(*DEBUG)
    ended.complains("HTTP 403")
    nothing_left(cli.api)


DATES = ["Sun, 06 Nov 2044 08:49:37 -0000", "", "soon", "Mon, 01 Jan 0001 00:00:00 GMT"]


@pytest.mark.parametrize("date", DATES)
def test_a_date_of_any_shape(cli: Cli, date: str) -> None:
    pod = json.dumps(cli.api.get("pods", "default", "mypod")).encode()
    cli.api.fault(path=POD, data=pod, headers={"Date": date}, times=None)
    ended = cli.run(*DEBUG)
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", []), ended
    clean(cli.api)


REVIEWED: list[Any] = [{}, {"status": "x"}, {"status": {"allowed": "no"}}, {"status": None}, []]


@pytest.mark.parametrize("review", REVIEWED, ids=str)
def test_a_right_of_any_shape_is_not_known(cli: Cli, review: Any) -> None:
    cli.api.fault(path=f"{REVIEWS}$", status=201, data=json.dumps(review).encode(), times=None)
    ended = cli.run("check", "mypod")
    assert (ended.code, ended.errors) == (0, []), ended
    assert "unknown" in ended.out.decode(), ended


EVENTS = [
    b"[]\n", b"5\n", b'{"type": "ADDED"}\n', b'{"type": "ADDED", "object": "x"}\n', b"\xff\n",
    b'{"object": {"metadata": {"name": "e", "uid": "u"}, "involvedObject": "x"}}\n',
    b'{"type": "ERROR", "object": {"code": 410, "message": 5}}\n', DEEP + b"\n",
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: repr(e[:40]))
def test_an_event_of_any_shape_is_no_news(cli: Cli, event: bytes) -> None:
    cli.api.fault(path="/events$", data=event, times=None)
    ended = cli.run(*DEBUG)
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", []), ended
    clean(cli.api)


def test_a_creation_whose_answer_makes_no_sense_is_looked_up(cli: Cli) -> None:
    cli.api.fault(method="POST", path=PODS, status=201, data=b'{"metadata": []}', after=True)
    ended = cli.run(*DEBUG)
    assert (ended.code, ended.out, len(ended.errors)) == (1, b"", 1), ended
    clean(cli.api)


BUSY = {"status": 429, "reason": "TooManyRequests", "headers": {"Retry-After": "1"}}


@pytest.mark.parametrize(
    "where",
    [
        {"method": "GET", "path": POD},
        {"method": "POST", "path": JOBS},
        {"method": "POST", "path": PODS},
        {"method": "DELETE", "path": A_LEASE},
        {"method": "POST", "path": JOBS, "status": 503},
    ],
    ids=["read", "lease", "copy", "delete", "unavailable"],
)
def test_a_busy_api_server_is_asked_again_when_it_says(cli: Cli, where: dict[str, Any]) -> None:
    busy = cli.api.fault(**{**BUSY, **where}, times=2)
    ended = cli.run(*DEBUG)
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], []), ended
    asked = [r.time for r in sent(cli.api, where["method"], where["path"])]
    assert busy.hits == 2 and asked[2] - asked[0] >= 2
    clean(cli.api)


def test_an_api_server_that_stays_busy_is_left_alone(cli: Cli) -> None:
    cli.api.fault(**{**BUSY, "headers": {"Retry-After": "0"}}, path=POD, times=None)
    cli.run(*DEBUG).complains("injected")
    assert 2 < len([r for r in cli.api.requests if r.path.endswith("/mypod")]) < 10


@pytest.mark.parametrize("after", ["3600", "-1", "soon", "", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_nobody_waits_for_ever(cli: Cli, after: str) -> None:
    cli.api.fault(**{**BUSY, "headers": {"Retry-After": after}}, path=POD, times=None)
    cli.run(*DEBUG).complains("injected")
    assert len([r for r in cli.api.requests if r.path.endswith("/mypod")]) == 1


def test_a_creation_done_in_spite_of_its_answer_is_found(cli: Cli) -> None:
    cli.api.fault(**BUSY, method="POST", path=PODS, after=True)
    ended = cli.run(*DEBUG)
    assert (ended.code, ended.out, len(ended.errors)) == (1, b"", 1), ended
    assert "it is unknown whether it was created" in ended.err
    clean(cli.api)


def test_a_wait_for_a_busy_api_server_can_be_broken_off(cli: Cli) -> None:
    busy = cli.api.fault(
        **{**BUSY, "headers": {"Retry-After": "10"}}, method="POST", path=PODS, times=None
    )
    process = cli.start(*DEBUG)
    assert busy.reached.wait(PATIENCE)
    process.terminate()
    ended = finish(process)
    assert (ended.code, ended.errors) == (143, []), ended
    assert busy.hits == 1
    clean(cli.api)


def test_a_list_is_read_to_its_end(cli: Cli) -> None:
    cli.api.page = 2
    for number in range(5):
        cli.api.add(source_pod(f"other-{number}"))
    service = {"kind": "Service", "metadata": {"name": ""}, "spec": {"selector": {"app": "shop"}}}
    for number in range(5):
        spec = {"selector": {"app" if number == 4 else "x": "shop"}}
        cli.api.add({**service, "metadata": {"name": f"s-{number}"}, "spec": spec})
    labels = {"app": "shop", "tier": "web"}
    cli.api.add(source_pod("labelled", metadata={"labels": labels}))
    assert cli.run("debug", "labelled", "--", "true").code == 0
    (made,) = [r.body for r in sent(cli.api, "POST", PODS)]
    # The Service that selects it stands on the last page.
    assert made["metadata"]["labels"].get("tier") == "web"
    assert "app" not in made["metadata"]["labels"]
    deleted_once(cli.api)


def test_a_list_whose_rest_has_expired_is_begun_again(cli: Cli) -> None:
    cli.api.page = 2
    for number in range(5):
        labels = {"app.kubernetes.io/managed-by": "kubectl-scratch"}
        cli.api.add(source_pod(f"copy-{number}", metadata={"labels": labels}))
    expired = cli.api.fault(
        path=PODS, status=410, reason="Expired", when=lambda r: r.query.get("continue") == "4"
    )
    ended = cli.run("ls", "-o", "name")
    assert (ended.code, ended.errors) == (0, []), ended
    assert ended.out.split() == [f"pod/copy-{n}".encode() for n in range(5)]
    assert expired.hits == 1


def test_a_list_that_always_expires_is_an_error(cli: Cli) -> None:
    cli.api.page = 1
    cli.api.add(source_pod("other"))
    cli.api.fault(
        path=PODS, status=410, reason="Expired", times=None, when=lambda r: "continue" in r.query
    )
    cli.run("ls").complains("injected")


def test_a_heartbeat_outlives_an_answer_that_makes_no_sense(cli: Cli) -> None:
    nonsense = cli.api.fault(method="GET", path=A_LEASE, data=b'{"metadata": []}', times=1)
    process = cli.start("debug", "--ttl", "5s", "mypod", "--", "cat")
    assert nonsense.reached.wait(PATIENCE)
    before = len(sent(cli.api, "PATCH", A_LEASE))
    cli.api.wait_for(lambda api: len(sent(api, "PATCH", A_LEASE)) > before, PATIENCE)
    assert finish(process).code == 0
    clean(cli.api)


DELETED = {
    "portal": b'{"hello": "portal"}',
    "failure": b'{"kind": "Status", "status": "Failure"}',
    "other": b'{"metadata": {"name": "other", "uid": "u"}, "spec": {}}',
    "nothing": b"{}",
}


@pytest.mark.parametrize("row", DELETED)
def test_what_does_not_say_that_it_is_deleted_is_not(cli: Cli, row: str) -> None:
    cli.api.fault(method="DELETE", status=200, data=DELETED[row], times=None)
    ended = cli.run(*DEBUG)
    assert (ended.code, ended.out) == (1, b"hi\n"), ended
    assert "to delete it now: kubectl delete" in ended.err
    ended.is_well_formed()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("path", [JOBS, PODS], ids=["lease", "copy"])
@pytest.mark.parametrize("how", ["terminate", "refused", "unprocessable", "busy"])
def test_what_a_busy_api_server_has_created_is_deleted(
    cli: Cli, status: int, path: str, how: str
) -> None:
    after = "9" if how == "terminate" else "0"
    busy = {"status": status, "headers": {"Retry-After": after}, "after": True}
    fault = cli.api.fault(method="POST", path=path, **busy)
    then = {"refused": 403, "unprocessable": 422, "busy": 429}.get(how, 500)
    cli.api.fault(method="POST", path=path, status=then, times=None)
    process = cli.start(*DEBUG)
    assert fault.reached.wait(PATIENCE)
    if how == "terminate":
        # Until it has had the answer, it is no pause in which it is ended.
        time.sleep(0.3)
        process.terminate()
    ended = finish(process)
    assert ended.code == (143 if how == "terminate" else 1), ended
    assert len(ended.errors) == (how != "terminate"), ended
    clean(cli.api)
