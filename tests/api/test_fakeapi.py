"""Check the fake cluster with clients that are not ours."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import websocket

from tests.support.fakeapi import FakeCluster
from tests.support.patience import PATIENCE

PODS = "/api/v1/namespaces/default/pods"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
JOB: dict[str, Any] = {"kind": "Job", "metadata": {"name": "j"}, "spec": {"completions": 0}}
V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"


def pod(name: str = "p", **meta: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    return {"kind": "Pod", "metadata": {"name": name, **meta}, "spec": spec}


def owned_by(job: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"kind": "Job", "apiVersion": "batch/v1", "name": "j", "uid": job["metadata"]["uid"]}]


def call(
    api: FakeCluster,
    method: str,
    path: str,
    body: Any = None,
    kind: str = "application/merge-patch+json",
    **options: Any,
) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": kind, **options.pop("headers", {})}
    request = urllib.request.Request(api.url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, **options) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def ephemeral(api: FakeCluster, *containers: dict[str, Any]) -> tuple[int, Any]:
    body = {"spec": {"ephemeralContainers": list(containers)}}
    kind = "application/strategic-merge-patch+json"
    return call(api, "PATCH", f"{PODS}/p/ephemeralcontainers", body, kind)


def running(api: FakeCluster) -> list[str]:
    entries = api.get("pods", "default", "p")["status"]["ephemeralContainerStatuses"]
    return [entry["name"] for entry in entries if "running" in entry["state"]]


def start(api: FakeCluster, name: str = "p") -> None:
    api.add(pod(name))
    api.wait_for(lambda a: a.get("pods", "default", name)["status"]["phase"] == "Running")


def connect(
    api: FakeCluster, *command: str, protocol: str = V5, name: str = "p", **options: Any
) -> Any:
    streams = {"stdin": 1, "stdout": 1, "stderr": 1, "container": "c", **options}
    query = urlencode([*streams.items(), *(("command", word) for word in command)])
    url = f"{api.url}{PODS}/{name}/exec?{query}".replace("http", "ws", 1)
    return websocket.create_connection(url, subprotocols=[protocol], timeout=PATIENCE)


def drain(stream: Any) -> tuple[bytes, bytes, dict[str, Any]]:
    """Read to the end: stdout, stderr, status."""
    data = {1: b"", 2: b"", 3: b""}
    while True:
        opcode, frame = stream.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            assert frame[:2] == (1000).to_bytes(2, "big")
            stream.sock.close()
            return data[1], data[2], json.loads(data[3])
        assert not data[3], "output after the status"
        data[frame[0]] += frame[1:]


def read_until(stream: Any, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        data += stream.recv()[1:]
    return data


def gone(*names: str, plural: str = "pods") -> Any:
    return lambda api: not set(names) & set(api.names(plural, "default"))


def has_status(api: FakeCluster, name: str, status: dict[str, Any]) -> bool:
    return bool(api.get("pods", "default", name)["status"] == status)


@pytest.fixture
def api() -> Iterator[FakeCluster]:
    with FakeCluster() as cluster:
        yield cluster


def test_objects_are_created_listed_patched_and_deleted(api: FakeCluster) -> None:
    status, made = call(api, "POST", PODS, pod(labels={"a": "b"}))
    assert status == 201 and made["metadata"]["uid"] and made["metadata"]["creationTimestamp"]
    assert call(api, "POST", PODS, pod())[1]["reason"] == "AlreadyExists"
    _, other = call(api, "POST", PODS, {**pod(), "metadata": {"generateName": "q-"}})
    assert other["metadata"]["name"].startswith("q-")
    for query in ("labelSelector=a%3Db", "fieldSelector=metadata.name%3Dp", "labelSelector=a"):
        _, found = call(api, "GET", f"{PODS}?{query}")
        assert [item["metadata"]["name"] for item in found["items"]] == ["p"]
    assert len(call(api, "GET", "/api/v1/pods?labelSelector=a%21%3Db")[1]["items"]) == 1
    _, changed = call(api, "PATCH", f"{PODS}/p", {"metadata": {"labels": {"a": None, "c": "d"}}})
    assert changed["metadata"]["labels"] == {"c": "d"}
    assert call(api, "DELETE", f"{PODS}/p")[0] == 200
    status, missing = call(api, "GET", f"{PODS}/p")
    assert (status, missing["message"]) == (404, 'pods "p" not found')
    assert api.names("pods", "default") == [other["metadata"]["name"]]


def test_a_dry_run_changes_nothing(api: FakeCluster) -> None:
    assert call(api, "POST", f"{PODS}?dryRun=All", pod())[0] == 201
    assert api.names("pods", "default") == []


def test_preconditions_name_one_object(api: FakeCluster) -> None:
    uid = api.add(pod())["metadata"]["uid"]
    status, said = call(api, "DELETE", f"{PODS}/p", {"preconditions": {"uid": "x"}})
    assert (status, said["reason"]) == (409, "Conflict") and uid in said["message"]
    assert call(api, "PATCH", f"{PODS}/p", {"metadata": {"uid": "x"}})[0] == 409
    assert call(api, "PATCH", f"{PODS}/p", {"metadata": {"uid": uid}})[0] == 200
    assert call(api, "DELETE", f"{PODS}/p", {"preconditions": {"uid": uid}})[0] == 200


def test_namespaces_that_are_missing_or_ending_refuse(api: FakeCluster) -> None:
    status, said = call(api, "POST", "/api/v1/namespaces/x/pods", pod())
    assert (status, said["message"]) == (404, 'namespaces "x" not found')
    assert call(api, "DELETE", "/api/v1/namespaces/default")[0] == 200
    status, said = call(api, "POST", PODS, pod())
    assert status == 403 and said["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert said["message"].endswith("namespace default because it is being terminated")


def test_dependents_go_with_their_owner_unless_orphaned(api: FakeCluster) -> None:
    for policy in ({"propagationPolicy": "Background"}, None):
        _, job = call(api, "POST", JOBS, JOB)
        call(api, "POST", PODS, pod(ownerReferences=owned_by(job)))
        call(api, "DELETE", f"{JOBS}/j", policy)
        api.wait_for(gone("p") if policy else gone("j", plural="jobs"))
    assert call(api, "GET", f"{PODS}/p")[1]["metadata"]["ownerReferences"] == []
    call(api, "POST", PODS, pod("late", ownerReferences=owned_by(job)))
    api.wait_for(gone("late"))


def test_a_ttl_ends_a_finished_job_and_a_patch_moves_the_end(api: FakeCluster) -> None:
    _, job = call(api, "POST", JOBS, JOB)
    api.add(pod(ownerReferences=owned_by(job)))
    done = api.wait_for(lambda a: a.get("batch/v1/jobs", "default", "j")["status"])
    assert done["completionTime"] and done["conditions"][0]["type"] == "Complete"
    for ttl, moved in ((100, 99), (900, 500), (1300, 600)):
        call(api, "PATCH", f"{JOBS}/j", {"spec": {"ttlSecondsAfterFinished": ttl}})
        api.advance(moved)
        assert call(api, "GET", f"{JOBS}/j")[0] == call(api, "GET", f"{PODS}/p")[0] == 200
    api.advance(100.9)
    api.wait_for(gone("p"))
    call(api, "POST", JOBS, {**JOB, "spec": {**JOB["spec"], "ttlSecondsAfterFinished": 0}})
    api.wait_for(gone("j", plural="jobs"))


def test_ephemeral_containers_only_through_their_subresource(api: FakeCluster) -> None:
    debug = {"name": "d", "image": "i", "targetContainerName": "c"}
    wrong = pod()
    wrong["spec"]["ephemeralContainers"] = [debug]
    assert call(api, "POST", PODS, wrong)[0] == 422
    start(api)
    call(api, "PATCH", f"{PODS}/p", {"spec": {"ephemeralContainers": [debug]}})
    assert "ephemeralContainers" not in call(api, "GET", f"{PODS}/p")[1]["spec"]
    assert ephemeral(api, debug)[0] == 200
    assert ephemeral(api, {**debug, "name": "e"})[0] == 200
    api.wait_for(lambda a: len(running(a)) == 2)
    for bad in (
        {**debug, "image": "j"},
        {**debug, "name": "c"},
        {**debug, "name": "f", "targetContainerName": "x"},
        {**debug, "name": "f", "ports": [{"containerPort": 1}]},
    ):
        assert ephemeral(api, bad)[1]["reason"] == "Invalid"


def test_the_kubelet_can_be_scripted(api: FakeCluster) -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "m"}}
    scripts: dict[str, Any] = {
        "pending": {"phase": "Pending", "conditions": [unscheduled]},
        "image": {"phase": "Pending", "containerStatuses": [{"name": "c", "state": waiting}]},
    }
    api.kubelet = lambda pod: scripts.get(pod["metadata"]["name"])
    for name, status in scripts.items():
        call(api, "POST", PODS, pod(name))
        api.wait_for(partial(has_status, name=name, status=status))
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect(api, "true", name="pending")
    said = json.loads(caught.value.resp_body or b"")
    assert said["message"] == "pod pending does not have a host assigned" and said["code"] == 400


def test_a_watch_tells_what_happens_after_a_list(api: FakeCluster) -> None:
    api.pod_start_delay = float("inf")
    version = call(api, "GET", PODS)[1]["metadata"]["resourceVersion"]
    api.add(pod())
    url = f"{api.url}{PODS}?watch=true&fieldSelector=metadata.name%3Dp&resourceVersion={version}"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        events = [json.loads(answer.readline())]
        while not events[-1]["object"]["spec"].get("nodeName"):
            events.append(json.loads(answer.readline()))
        api.delete("pods", "default", "p")
        events.append(json.loads(answer.readline()))
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_can_be_cut_and_does_not_do_watch_lists(api: FakeCluster) -> None:
    assert call(api, "GET", f"{PODS}?watch=true&sendInitialEvents=true")[0] == 422
    with urllib.request.urlopen(f"{api.url}{PODS}?watch=true", timeout=PATIENCE) as answer:
        api.drop_watches()
        with contextlib.suppress(ConnectionError, http.client.IncompleteRead):
            assert answer.readline() == b""


def test_exec_works_before_the_status_says_so(api: FakeCluster) -> None:
    api.status_lag = float("inf")
    api.rewrite = lambda container, command: ("echo", container, *command)
    api.add(pod())
    api.wait_for(lambda a: a.started("default", "p", "c"))
    assert drain(connect(api, "x"))[0] == b"c x\n"
    assert api.get("pods", "default", "p")["status"]["phase"] == "Pending"


def test_a_pod_can_take_its_time_to_end(api: FakeCluster) -> None:
    start(api)
    api.pod_stop_delay = float("inf")
    call(api, "DELETE", f"{PODS}/p")
    assert "deletionTimestamp" in call(api, "GET", f"{PODS}/p")[1]["metadata"]
    call(api, "DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0})
    assert api.names("pods", "default") == []


def test_logs_and_access_reviews_are_scripted(api: FakeCluster) -> None:
    start(api)
    api.logs["p", "c"] = "line\n"
    with urllib.request.urlopen(f"{api.url}{PODS}/p/log?container=c", timeout=PATIENCE) as answer:
        assert answer.read() == b"line\n"
    api.access = lambda spec: spec["resourceAttributes"]["verb"] == "get"
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    for verb, allowed in (("get", True), ("delete", False)):
        body = {"spec": {"resourceAttributes": {"verb": verb, "resource": "pods"}}}
        assert call(api, "POST", path, body)[1]["status"]["allowed"] is allowed


def test_exec_on_a_terminal_with_resize(api: FakeCluster) -> None:
    start(api)
    stream = connect(api, "sh", tty=1, protocol=V4)
    stream.send_binary(b'\x04{"Width":97,"Height":31}')
    stream.send_binary(b"\x00stty size; tty\n")
    assert b"31 97" in read_until(stream, b"/dev/pts/")
    stream.send_binary(b'\x04{"Width":50,"Height":20}')
    api.wait_for(lambda a: a.execs[0].size == (50, 20))
    stream.send_binary(b"\x00stty size\n")
    read_until(stream, b"20 50")
    stream.send_binary(b"\x00sleep 60 & exit 7\n")
    out, _, status = drain(stream)
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}], out
    api.wait_for(lambda a: not a.execs)


def test_exec_on_pipes_is_binary_and_complete(api: FakeCluster) -> None:
    start(api)
    data = bytes(range(256)) * 2048
    stream = connect(api, "sh", "-c", "echo oops >&2; cat; exit 3")
    sender = threading.Thread(
        target=lambda: [
            *(stream.send_binary(b"\0" + data[n : n + 16384]) for n in range(0, len(data), 16384)),
            stream.send_binary(b"\xff\x00"),
        ]
    )
    sender.start()
    out, err, status = drain(stream)
    sender.join()
    assert out == data and err == b"oops\n"
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"][0]["message"] == "3"
    assert drain(connect(api, "true"))[2]["status"] == "Success"
    assert drain(connect(api, "cat", stdin=0))[2]["status"] == "Success"
    assert "executable file not found in $PATH" in drain(connect(api, "nosuch"))[2]["message"]


def test_a_container_that_does_not_run_is_not_found(api: FakeCluster) -> None:
    api.pod_start_delay = float("inf")
    api.add(pod())
    api.wait_for(lambda a: a.get("pods", "default", "p")["spec"].get("nodeName"))
    for plain in (False, True):
        api.plain_kubelet_errors = plain
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            connect(api, "true", protocol=V4)
        assert caught.value.status_code == 500
        body = (caught.value.resp_body or b"").decode()
        assert (body if plain else json.loads(body)["message"]) == 'container not found ("c")'
    status = drain(connect(api, "true", protocol=V5))[2]
    assert status["reason"] == "InternalError" and 'not found ("c")' in status["message"]
    refused = (({"container": "x"}, 400), ({"protocol": "v9"}, 403), ({"name": "x"}, 404))
    for wrong, error in refused:
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            connect(api, "true", **{"protocol": V4, **wrong})
        assert caught.value.status_code == error


def test_the_end_of_a_pod_ends_its_streams(api: FakeCluster) -> None:
    start(api)
    streams = [connect(api, "sleep", "60"), connect(api, "sleep", "60", tty=1)]
    for stream in streams:
        stream.ping("x")
        assert stream.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG
    call(api, "DELETE", f"{PODS}/p")
    for stream in streams:
        assert drain(stream)[2]["details"]["causes"][0]["message"] == "137"


def test_a_client_that_goes_hangs_up(api: FakeCluster, tmp_path: Path) -> None:
    start(api)
    script = f"trap 'echo hup > {tmp_path}/hup; exit' HUP; echo up; while :; do sleep 0.02; done"
    stream = connect(api, "sh", "-c", script, tty=1)
    read_until(stream, b"up")
    stream.close()
    api.wait_for(lambda a: not a.execs)
    assert (tmp_path / "hup").read_text() == "hup\n"


def test_streams_can_be_cut_and_stalled(api: FakeCluster) -> None:
    start(api)
    stream = connect(api, "cat")
    api.drop_exec()
    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        stream.recv()
    stream.close(timeout=0)
    api.wait_for(lambda a: not a.execs)
    stream = connect(api, "cat")
    stream.send_binary(b"\0one")
    assert stream.recv() == b"\1one"
    api.stall_exec()
    api.wait_for(lambda a: a.execs[0].stalled)
    stream.send_binary(b"\0two")
    stream.ping()
    stream.settimeout(0.1)
    with pytest.raises(websocket.WebSocketTimeoutException):
        stream.recv()
    stream.close(timeout=0)


def test_faults_refuse_hold_and_drop(api: FakeCluster) -> None:
    api.fault(method="POST", path=r"/pods$", status=403, reason="Forbidden", message="no {}")
    status, said = call(api, "POST", PODS, pod())
    assert (status, said["message"], api.names("pods", "default")) == (403, "no {}", [])
    api.fault(method="POST", status=500, after=True)
    assert call(api, "POST", PODS, pod("a"))[0] == 500
    for after, names in ((False, ["a"]), (True, ["a", "b"])):
        api.fault(method="POST", drop=True, after=after)
        with pytest.raises((ConnectionError, urllib.error.URLError)):
            call(api, "POST", PODS, pod("b"))
        assert api.names("pods", "default") == names
    go = threading.Event()
    fault = api.fault(method="DELETE", hold=go, after=True)
    caller = threading.Thread(target=call, args=(api, "DELETE", f"{PODS}/b"))
    caller.start()
    assert fault.reached.wait(PATIENCE) and caller.is_alive()
    assert api.names("pods", "default") == ["a"]
    go.set()
    caller.join(10)
    assert fault.hits == 1
    api.fault(method="GET", path="/pods", times=None, status=429, reason="TooManyRequests")
    assert [call(api, "GET", PODS)[0] for _ in range(3)] == [429] * 3
    last = api.requests[-1]
    assert (last.method, last.path, last.headers["host"]) == ("GET", PODS, api.url[7:])


def test_https_with_a_token_and_a_clock_of_its_own() -> None:
    with FakeCluster(tls=True, token="secret") as api:
        api.clock_offset = -3600
        context = ssl.create_default_context(cadata=api.ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        assert call(api, "GET", PODS, context=context)[0] == 401
        headers = {"Authorization": "Bearer secret"}
        request = urllib.request.Request(api.url + PODS, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:
            then = answer.headers["Date"]
        made = api.add(pod())["metadata"]["creationTimestamp"]
        now = time.time()
        for text, form in ((then, "%a, %d %b %Y %H:%M:%S GMT"), (made, "%Y-%m-%dT%H:%M:%SZ")):
            parsed = time.mktime(time.strptime(text, form)) - time.timezone
            assert abs(now - 3600 - parsed) < 60


def test_a_bug_in_the_fake_is_not_silent() -> None:
    with pytest.raises(RuntimeError, match="failed"), FakeCluster() as api:
        assert call(api, "POST", PODS, [])[0] == 500


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not here")
@pytest.mark.parametrize("tls", [False, True])
def test_kubectl_believes_it(tmp_path: Path, tls: bool) -> None:
    with FakeCluster(tls=tls, token="t" if tls else None) as api:
        start(api)
        kubectl = ["kubectl", "--kubeconfig", str(api.kubeconfig(tmp_path / "kubeconfig"))]
        kubectl += ["--cache-dir", str(tmp_path)]

        def run(*words: str) -> tuple[int, str]:
            done = subprocess.run(
                [*kubectl, *words], input="in", capture_output=True, text=True, timeout=PATIENCE
            )
            return done.returncode, done.stdout

        assert run("get", "pod", "-o", "name") == (0, "pod/p\n")
        assert run("exec", "-i", "p", "--", "sh", "-c", "cat; exit 3") == (3, "in")
        assert run("delete", "pod", "p")[0] == 0
