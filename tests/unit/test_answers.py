"""What an API server answers has the shape that was asked for, or is an error."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import answers
from tests.support.builders import Json

CORPUS = Path(__file__).parents[1] / "corpus"
POD_PATH = "/api/v1/namespaces/default/pods/web"
PODS_PATH = "/api/v1/namespaces/default/pods"
JOB_PATH = "/apis/batch/v1/namespaces/default/jobs/web"
STATUS = {"name": "app", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}


def a_pod() -> Json:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "web", "uid": "u-1", "labels": {"a": "b"}, "annotations": None},
        "spec": {"containers": [{"name": "app", "image": "i"}], "volumes": [{"name": "v"}]},
        "status": {"phase": "Running", "containerStatuses": [STATUS], "conditions": None},
        "unheard-of": {"x": [1]},
    }


def changed(value: Json, path: str, new: Any) -> Json:
    """Return a copy with another value at a path of keys."""
    made = copy.deepcopy(value)
    *outer, last = [int(key) if key.isdecimal() else key for key in path.split("/")]
    at: Any = made
    for key in outer:
        at = at[key]
    at[last] = new
    return made


def test_a_pod_is_taken_with_fields_that_nobody_knows() -> None:
    new = {"name": "v", "bindMountOptions": ["noexec"], "newKind": "text"}
    assert answers.check_object(changed(a_pod(), "spec/volumes", [new]), POD_PATH)
    assert answers.check_object(a_pod(), POD_PATH)
    listed = {key: value for key, value in a_pod().items() if key not in ("kind", "apiVersion")}
    assert answers.check_list({"kind": "PodList", "items": [listed]}, PODS_PATH)
    assert answers.check_list({"kind": "PodList", "items": None}, PODS_PATH)


WRONG: list[tuple[str, Any]] = [
    ("kind", "Secret"), ("kind", "Status"), ("kind", ["Pod"]),
    ("metadata", None), ("metadata", []), ("metadata", "x"),
    ("metadata/name", None), ("metadata/name", 5), ("metadata/name", "other"),
    ("metadata/name", ""),
    ("metadata/uid", None), ("metadata/uid", {}), ("metadata/uid", "a\nb"),
    ("metadata/labels", []), ("metadata/labels", {"a": 1}), ("metadata/annotations", "x"),
    ("metadata/ownerReferences", {}), ("metadata/ownerReferences", ["x"]),
    ("metadata/deletionTimestamp", 1),
    ("spec", None), ("spec", "x"), ("spec", []),
    ("spec/containers", None), ("spec/containers", {}), ("spec/containers", ["x"]),
    ("spec/containers", [{}]), ("spec/containers/0/name", 1), ("spec/containers/0/env", "x"),
    ("spec/containers/0/command", "sh"), ("spec/containers/0/volumeMounts", [{"name": "v"}]),
    ("spec/volumes", {"name": "v"}), ("spec/volumes", [{"name": "v", "emptyDir": []}]),
    ("spec/nodeName", 5),
    ("status", "Running"), ("status", []), ("status/phase", {}),
    ("status/conditions", "x"), ("status/conditions", [None]),
    ("status/containerStatuses", {}), ("status/containerStatuses/0/name", None),
    ("status/containerStatuses/0/state", "running"),
    ("status/containerStatuses/0/state", {"terminated": {"exitCode": "1"}}),
    ("status/containerStatuses/0/state", {"waiting": {"message": 7}}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "new"), WRONG, ids=str)
def test_what_is_no_pod_is_not_taken_for_one(path: str, new: Any) -> None:
    assert not answers.check_object(changed(a_pod(), path, new), POD_PATH)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"items": "x"}, {"items": {}}, {"items": ["x"]}, {"items": [[]]}, {"items": [{}]},
        {"items": [None]}, {"kind": "Pod", "items": []}, {"kind": "SecretList", "items": []},
        {"items": [], "metadata": []}, {"items": [], "metadata": {"continue": 5}},
        {"kind": "Status", "status": "Success"}, {"items": [{"metadata": {"name": "a"}}]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_list_of_pods_is_not_taken_for_one(body: Json) -> None:
    assert not answers.check_list(body, PODS_PATH)


NO_TIMES = ["soon", 5, "2026-01-01T00:00:00+01:00", {}, "2024-02-31T00:00:00Z", "", [],
            "2024-01-01T25:00:00Z", "2024-01-01T00:00:60Z", "2024-1-1T0:0:0Z",
            "\u0662024-01-01T00:00:00Z", "0000-01-01T00:00:00Z"]  # fmt: skip


@pytest.mark.parametrize("created", NO_TIMES)
def test_an_object_is_created_at_a_time(created: Any) -> None:
    path = "metadata/creationTimestamp"
    assert answers.check_object(changed(a_pod(), path, "2024-02-29T23:59:59Z"), POD_PATH)
    assert answers.check_object(changed(a_pod(), path, None), POD_PATH)
    assert not answers.check_object(changed(a_pod(), path, created), POD_PATH)


@pytest.mark.parametrize("ended", NO_TIMES)
def test_a_lease_ends_at_a_time(ended: Any) -> None:
    job = {"metadata": {"name": "web", "uid": "u"}, "spec": {"ttlSecondsAfterFinished": 5}}
    assert answers.check_object({**job, "status": {"completionTime": None}}, JOB_PATH)
    assert not answers.check_object({**job, "status": {"completionTime": ended}}, JOB_PATH)
    assert not answers.check_object({**job, "spec": {"ttlSecondsAfterFinished": "5"}}, JOB_PATH)


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        (PODS_PATH, True), (POD_PATH, False), (f"{POD_PATH}/ephemeralcontainers", False),
        ("/api/v1/namespaces", True), ("/api/v1/namespaces/default", False),
        ("/api/v1/nodes/n", False), ("/api/v1/pods", True), ("/apis/batch/v1/jobs", True),
        (JOB_PATH, False), ("/version", False),
    ],
)  # fmt: skip
def test_which_paths_are_those_of_lists(path: str, listed: bool) -> None:
    assert answers.is_list(path) is listed


@pytest.mark.parametrize(
    ("body", "deleted"),
    [
        ({"kind": "Status", "status": "Success"}, True),
        ({"kind": "Status", "status": "Failure"}, False),
        ({"kind": "Status"}, False), ({}, False), ({"hello": "portal"}, False),
        (a_pod(), True), (changed(a_pod(), "metadata/name", "other"), False),
    ],
    ids=str,
)  # fmt: skip
def test_what_says_that_something_is_deleted(body: Json, deleted: bool) -> None:
    assert answers.check_deletion(body, POD_PATH) is deleted


DEEP = b"[" * 100_000
NO_JSON = [
    b"", b"null", b"5", b'"x"', b"[]", b"[{}]", b"true", b"{", b"\xff\xfe\xfa", DEEP,
    DEEP.replace(b"[", b'{"a":'), b'{"a":' * 150 + b"{}" + b"}" * 150, b"<html>",
    b"9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("data", NO_JSON, ids=lambda data: repr(data[:12]))
@pytest.mark.parametrize("status", [200, 201, 404, 500])
def test_what_is_no_object_is_one_error(data: bytes, status: int) -> None:
    with pytest.raises(ClusterError) as caught:
        answers.body_of(status, data, "GET /x")
    # Nobody knows whether what was asked for was done.
    assert (caught.value.status, caught.value.reason) == (0, answers.NOT_KUBERNETES)
    assert caught.value.transient


def test_json_as_deep_as_objects_are_is_read() -> None:
    body = b'{"a":' * 60 + b"{}" + b"}" * 60
    assert answers.body_of(200, body, "GET /x")["a"]


ODD: list[Json] = [
    {"message": {}, "reason": [], "details": "x", "code": "y"},
    {"message": None, "details": {"kind": 5}},
    {"status": 5, "message": 5, "reason": 7, "details": []},
    {"code": {}},
]


@pytest.mark.parametrize("status", ODD, ids=str)
def test_a_status_of_any_shape_is_a_refusal(status: Json) -> None:
    with pytest.raises(ClusterError) as caught:
        answers.body_of(403, json.dumps(status).encode(), "GET /x")
    error = caught.value
    assert (error.status, error.reason, error.message, error.kind) == (403, "403", "HTTP 403", "")


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 399])
def test_a_redirect_is_no_answer(status: int) -> None:
    to = "https://me:pass@sso.example:8443/login?token=t"
    with pytest.raises(ClusterError) as caught:
        answers.body_of(status, json.dumps(a_pod()).encode(), "GET /x", to)
    assert "https://sso.example;" in caught.value.message
    assert "pass" not in caught.value.message and "token=" not in caught.value.message


NOW = timedelta(minutes=1)


@pytest.mark.parametrize(
    "date",
    [None, "", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
     "Mon, 01 Jan 0001 00:00:00 GMT", "Thu, 01 Jan 99999 00:00:00 GMT",
     "Thu, 99 Foo 2026 99:99:99 GMT", "Thu, 01 Jan 2026 00:00:00 +9999"],
)  # fmt: skip
def test_without_a_time_of_the_server_this_machines_counts(date: str | None) -> None:
    assert abs(answers.time_of(date) - datetime.now(timezone.utc)) < NOW


def test_a_time_without_a_zone_is_greenwich() -> None:
    soon = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=3)
    assert answers.time_of(soon.strftime("%a, %d %b %Y %H:%M:%S -0000")) == soon
    assert answers.time_of(soon.strftime("%a, %d %b %Y %H:%M:%S GMT")) == soon


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda path: path.stem)
def test_real_pods_have_the_shape(path: Path) -> None:
    pod = yaml.safe_load(path.read_text())
    pod["metadata"].setdefault("uid", "u-1")
    where = f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}"
    # As JSON has them: YAML reads some texts as dates.
    assert answers.check_object(json.loads(json.dumps(pod, default=str)), where)
