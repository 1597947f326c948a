"""Reports of runs, as the tracer writes them, each with as little as it takes."""

from __future__ import annotations

import json
from typing import Any

from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.report import Run, parse_report
from tests.support.builders import Json, a_container, a_pod

APP = 7


def call(
    name: str, error: str, path: str = "", at: int = 295, here: Json | None = None, **more: Any
) -> Json:
    """Return a call that failed, shortly before the end; ``here`` is what is at the path."""
    found: Json = {"kind": "call", "call": name, "pid": APP, "at": at, "first": at, "count": 1}
    fields: Json = {"path": path} if path else {}
    state: Json = {"is": here} if here else {}
    return {**found, "error": error, **fields, **state, **more}


def there(path: str, kind: str = "file", mode: str = "0644", uid: int = 0, **more: Any) -> Json:
    """Return what is at a path."""
    return {"path": path, "type": kind, "mode": mode, "uid": uid, "gid": 0, **more}


def folder(path: str, *names: str, mode: str = "0755", uid: int = 0) -> Json:
    """Return a folder with its entries."""
    return there(path, "dir", mode, uid, names=list(names))


def connect(address: str, port: int, error: str = "ECONNREFUSED", **more: Any) -> Json:
    """Return a connection over TCP that failed."""
    family = "inet6" if ":" in address else "inet"
    fields = {"family": family, "protocol": "tcp", "address": address, "port": port}
    return call("connect", error, **{**fields, **more})


def dns(name: str, code: str = "NXDOMAIN", *answers: str, at: int = 280, **more: Any) -> Json:
    """Return a question to the DNS server of the cluster."""
    line = {"kind": "dns", "pid": APP, "at": at, "first": at, "count": 1, "name": name}
    answer = {"code": code} if code else {}
    return {**line, "type": "A", "server": "10.96.0.10", **answer, "answers": [*answers], **more}


def opened(path: str, at: int = 200) -> Json:
    """Return a file that was opened."""
    return {"kind": "opened", "pid": APP, "at": at, "path": path}


def stderr(*lines: str) -> Json:
    """Return the last words."""
    text = "".join(f"{line}\n" for line in lines)
    return {"kind": "output", "stream": "stderr", "at": 298, "bytes": len(text), "text": text}


def stdout(*lines: str) -> Json:
    """Return what was written to stdout."""
    return {**stderr(*lines), "stream": "stdout"}


def process(pid: int, *words: str, parent: int = APP, **more: Any) -> Json:
    """Return a process of the app."""
    exe = words[0] if words else ""
    return {
        "kind": "process", "pid": pid, "parent": parent, "at": 10, "words": [*words], "exe": exe,
        **more,
    }  # fmt: skip


def signal(name: str, inside: str = "", **more: Any) -> Json:
    """Return a fatal signal."""
    where = {"in": inside} if inside else {}
    line = {"kind": "signal", "pid": APP, "at": 299, "signal": name, "fatal": True}
    return {**line, **where, **more}


def env(*names: str, empty: tuple[str, ...] = ()) -> Json:
    """Return the names of the app's variables."""
    return {"kind": "env", "names": ["PATH", *names, *empty], "empty": [*empty]}


def end(code: int | None = 1, at: int = 300, **more: Any) -> Json:
    """Return how the app ended."""
    how = {} if code is None else {"code": code}
    return {"kind": "end", "at": at, "pid": APP, **how, "elapsed": at, "dropped": 0, **more}


def running(*waits: Json, at: int = 60_000) -> Json:
    """Return that the app still ran."""
    return end(None, at, running=True, waits=[*waits])


def wait(name: str, since: int = 200, **more: Any) -> Json:
    """Return a call in which the app still was at the end."""
    return {"pid": APP, "thread": APP, "call": name, "since": since, **more}


def listening(port: int, address: str = "0.0.0.0") -> Json:
    """Return a port on which the app listens."""
    return {
        "kind": "listening", "pid": APP, "at": 100, "family": "inet", "protocol": "tcp",
        "address": address, "port": port,
    }  # fmt: skip


def connected(address: str, port: int, at: int = 100) -> Json:
    """Return a connection that came about."""
    return {**listening(port, address), "kind": "connected", "at": at, "count": 1}


def a_run(*lines: Json, words: tuple[str, ...] = ("/app/server",), **fields: Any) -> Run:
    """Return the run of these lines; it ended with code 1 after 300 ms if nothing else is said."""
    run = {
        "kind": "run", "version": 1, "arch": "amd64", "uid": 65532, "gid": 65532, "groups": [],
        "caps": "0000000000000000", "words": [*words], "folder": "/srv", **fields,
    }  # fmt: skip
    given = [*lines]
    if not any(line["kind"] == "end" for line in given):
        given.append(end())
    if not any(line["kind"] == "process" and line["pid"] == APP for line in given):
        given.insert(0, process(APP, *words, parent=1))
    text = "\n".join(json.dumps(line) for line in [run, *given])
    return parse_report(text.encode())


def some_facts(pod: Json | None = None, target: str = "app", **fields: Any) -> ClusterFacts:
    """Return what the cluster says of a pod."""
    return ClusterFacts(pod or a_pod(), target, **fields)


def a_pod_with(volume: Json, path: str = "/etc/app", **mount: Any) -> Json:
    """Return a pod of which the app mounts one volume."""
    mounts = [{"name": "it", "mountPath": path, **mount}]
    return a_pod(containers=[a_container(volumeMounts=mounts)], volumes=[{"name": "it", **volume}])


def a_service(name: str, address: str = "10.96.3.4", port: int = 5432, **spec: Any) -> Json:
    """Return a Service."""
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "clusterIP": address,
            "ports": [{"port": port}],
            "selector": {"app": name},
            **spec,
        },
    }


def a_policy(name: str = "deny", namespace: str = "default", **spec: Any) -> Json:
    """Return a NetworkPolicy that restricts what pods reach."""
    given = {"podSelector": {}, "policyTypes": ["Egress"], **spec}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": given}
