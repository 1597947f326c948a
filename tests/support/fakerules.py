"""The rules of the fake cluster: its resources, targets, merges, faults; no server."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from tests.support import fakeexec

Object = dict[str, Any]
Key = tuple[str, str, str]
T = TypeVar("T")

RESOURCES = {
    "v1": "Pod ConfigMap Event Namespace Node Service Secret ServiceAccount PersistentVolumeClaim"
    " ReplicationController",
    "apps/v1": "Deployment ReplicaSet StatefulSet DaemonSet",
    "batch/v1": "Job CronJob",
    "discovery.k8s.io/v1": "EndpointSlice",
    "policy/v1": "PodDisruptionBudget",
    "networking.k8s.io/v1": "NetworkPolicy",
    "authorization.k8s.io/v1": "SelfSubjectAccessReview",
}
CLUSTER_WIDE = {"namespaces", "nodes", "selfsubjectaccessreviews"}
SHORT = {"pods": ["po"], "namespaces": ["ns"], "configmaps": ["cm"], "deployments": ["deploy"]}
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
MERGE_KEYS = {**dict.fromkeys((*CONTAINERS, "volumes", "env"), "name"), "ownerReferences": "uid"}
NOT_EPHEMERAL = ("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe",
                 "lifecycle", "restartPolicy")  # fmt: skip
POD_DEFAULTS: Object = {
    "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
    "securityContext": {}, "terminationGracePeriodSeconds": 30,
}  # fmt: skip
# What an answer's Date is to be, if it is not the clock's.
DATE = web.RequestKey("date", str)
NAMES = "IP:127.0.0.1,DNS:fake.example"
PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v\w+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>\w+))?)?"
)


def plural_of(kind: str) -> str:
    """Return the resource name of a kind."""
    name = kind.lower()
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith("ss") else "s")


KINDS = {plural_of(kind): kind for kinds in RESOURCES.values() for kind in kinds.split()}


class ApiError(Exception):
    """Be an answer that is not a success."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = {**fakeexec.failure(message, reason, code), "details": details}


@dataclass(frozen=True)
class Request:
    """Record one request; the names in headers are case-insensitive."""

    method: str
    path: str
    query: dict[str, str]
    command: tuple[str, ...]
    headers: Mapping[str, str]
    body: Any
    time: float
    peer: str = ""  # the common name in the client's certificate


@dataclass(frozen=True)
class Change:
    """Record that a client has created or deleted an object; uid is the precondition of that."""

    plural: str
    name: str
    uid: str
    precondition: str | None = None


@dataclass(eq=False)
class Fault:
    """Describe what goes wrong with the next requests that match; also its handle."""

    method: str = ""
    path: str = ""
    times: int | None = 1
    status: int | None = None
    reason: str = ""
    message: str = "injected"
    text: str | None = None  # an answer that is no Status, e.g. a proxy's
    data: bytes | None = None  # any answer, said to be JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    hold: threading.Event | None = None
    drop: bool = False
    delay: float = 0.0
    when: Callable[[Request], bool] = lambda request: True
    dry: bool = False  # a dry run is another request than the one that it rehearses
    hits: int = 0
    reached: threading.Event = field(default_factory=threading.Event)

    def takes(self, request: Request) -> bool:
        """Tell whether this fault is for this request, and count it."""
        if self.times == 0 or self.method not in ("", request.method):
            return False
        if self.method and bool(request.query.get("dryRun")) != self.dry:
            return False
        if not re.search(self.path, request.path) or not self.when(request):
            return False
        self.times = None if self.times is None else self.times - 1
        self.hits += 1
        return True

    async def act(self, http: web.Request) -> web.StreamResponse | None:
        """Do what is described; return the answer if there is one."""
        self.reached.set()
        if "Date" in self.headers:
            http[DATE] = self.headers["Date"]
        await asyncio.sleep(self.delay)
        while self.hold is not None and not self.hold.is_set():
            await asyncio.sleep(0.005)
        if self.drop:
            if http.transport is not None:
                http.transport.abort()
            return web.Response()
        return self._answer()

    def _answer(self) -> web.StreamResponse | None:
        if self.text is not None:
            return web.Response(text=self.text, status=self.status or 200, content_type="text/html")
        if self.data is not None:
            return web.Response(
                body=self.data,
                status=self.status or 200,
                headers={"Content-Type": "application/json", **self.headers},
            )
        if self.status is None:
            return None
        error = ApiError(self.status, self.reason, self.message)
        return web.json_response(error.status, status=self.status, headers=dict(self.headers))


@dataclass(frozen=True)
class Target:
    """Name what a URL means."""

    group: str | None
    version: str
    namespace: str | None
    plural: str
    name: str | None
    sub: str | None

    @property
    def key(self) -> Key:
        """Return the key of the object in the store."""
        return (self.plural, self.namespace or "", self.name or "")

    @property
    def api_version(self) -> str:
        """Return apiVersion as objects have it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def error(self, code: int, reason: str, said: str, **details: Any) -> ApiError:
        """Return an error that starts with the object's resource and name."""
        resource = f"{self.plural}.{self.group}" if self.group else self.plural
        about = {"name": self.name or "", "group": self.group or "", "kind": self.plural}
        said = said.replace("{}", f'{resource} "{self.name}"')
        return ApiError(code, reason, said, **about, **details)

    def invalid(self, said: str) -> ApiError:
        """Return a validation error."""
        kind = KINDS.get(self.plural, self.plural)
        return self.error(422, "Invalid", f'{kind} "{self.name}" is invalid: {said}')


def merge(old: Any, patch: Any, strategic: bool) -> Any:
    """Apply a JSON merge patch, or a strategic one that merges some lists by a key."""
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif strategic and name in MERGE_KEYS:
            new[name] = merge_list(new.get(name, []), value, MERGE_KEYS[name])
        else:
            new[name] = merge(new.get(name), value, strategic)
    return new


def merge_list(old: list[Object], patch: list[Object], key: str) -> list[Object]:
    """Merge a list of objects by one of their fields."""
    items = {item[key]: item for item in old}
    for item in patch:
        items[item[key]] = merge(items.get(item[key]), item, True)
    return list(items.values())


def selected(item: Object, query: Mapping[str, str]) -> bool:
    """Tell whether the selectors of a list or watch take an object."""

    def field_of(path: str) -> Any:
        value: Any = item
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return value

    labels = item["metadata"].get("labels") or {}
    return _terms(query.get("fieldSelector"), field_of) and _terms(
        query.get("labelSelector"), labels.get
    )


def _terms(selector: str | None, value_of: Callable[[str], Any]) -> bool:
    for term in re.split(r",(?![^(]*\))", selector) if selector else ():
        if listed := re.fullmatch(r"\s*(\S+) in \(([^()]*)\)\s*", term):
            if value_of(listed[1]) not in listed[2].split(","):
                return False
            continue
        match = re.fullmatch(r"\s*(!?)([^=!()\s]+)\s*(?:(!=|==?)\s*([^()\s]*))?\s*", term)
        if match is None:
            raise NotImplementedError(f"selector {selector}")
        absent, name, operator, wanted = match.groups()
        value = value_of(name)
        holds = value == wanted if operator else value is not None
        if holds == bool(absent or operator == "!="):
            return False
    return True


def check_ephemeral(target: Target, old: Object, new: Object) -> None:
    """Refuse what the API server refuses about ephemeral containers."""
    before = {item["name"]: item for item in old["spec"].get("ephemeralContainers", [])}
    listed: list[Object] = new["spec"].get("ephemeralContainers", [])
    after = {item["name"]: item for item in listed}
    for name, item in before.items():
        if after.get(name) != item:
            verb = "changed" if name in after else "removed"
            said = f'Forbidden: existing ephemeral containers "{name}" may not be {verb}'
            raise target.invalid(f"spec.ephemeralContainers: {said}")
    others = {c["name"] for part in CONTAINERS[:2] for c in old["spec"].get(part, [])}
    for index, item in enumerate(listed):
        where = f"spec.ephemeralContainers[{index}]"
        if item["name"] in others or listed.index(after[item["name"]]) != index:
            raise target.invalid(f'{where}.name: Duplicate value: "{item["name"]}"')
        if (wanted := item.get("targetContainerName")) and wanted not in others:
            raise target.invalid(f'{where}.targetContainerName: Not found: "{wanted}"')
        for name in filter(item.get, NOT_EPHEMERAL):
            said = "Forbidden: cannot be set for an Ephemeral Container"
            raise target.invalid(f"{where}.{name}: {said}")


def certificate(folder: Path, client_ca: str = "") -> tuple[ssl.SSLContext, str]:
    """Make a certificate for 127.0.0.1 and fake.example, its own CA; return it also as PEM.

    With `client_ca` the clients are asked for a certificate of that CA.
    """
    cert, key = folder / "cert.pem", folder / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    extensions = ("subjectAltName=" + NAMES, "keyUsage=critical,digitalSignature,keyCertSign")
    subject = ["-subj", "/CN=fake", *(word for e in extensions for word in ("-addext", e))]
    files = ["-out", str(cert), "-keyout", str(key)]
    subprocess.run([*make.split(), *subject, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_ca:
        context.load_verify_locations(cadata=client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context, cert.read_text()


def stamp(moment: float) -> str:
    """Return a time as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def common_name(certificate: Mapping[str, Any] | None) -> str:
    """Return the common name of a certificate as the ssl module gives it."""
    names = dict(pair for rdn in (certificate or {}).get("subject", ()) for pair in rdn)
    return str(names.get("commonName", ""))


def in_scope(key: Key, target: Target) -> bool:
    """Tell whether a list of the target takes this key."""
    return key[0] == target.plural and target.namespace in (None, key[1])


def check_uid(target: Target, wanted: str | None, uid: str) -> None:
    """Refuse a request that means another object of the same name."""
    if wanted not in (None, uid):
        said = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
        raise target.error(409, "Conflict", "Operation cannot be fulfilled on {}: " + said)


def running_in(status: Object) -> set[str]:
    """Return the names of the containers that a pod status calls running."""
    entries = [item for name in status if name.lower().endswith("containerstatuses")
               for item in status[name]]  # fmt: skip
    return {item["name"] for item in entries if "running" in item.get("state", {})}


def container_status(spec: Object, runs: bool, now: str) -> Object:
    """Return the status of a container that has just started, or has done its work."""
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
    state = {"running": {"startedAt": now}} if runs else {"terminated": ended}
    identity = {"containerID": f"containerd://{uuid.uuid4().hex * 2}", "imageID": spec.get("image")}
    facts = {"name": spec["name"], "image": spec.get("image"), "restartCount": 0}
    return {**facts, **identity, "ready": True, "started": runs, "state": state}


def discovery(path: str) -> Object | None:
    """Return a discovery document."""
    groups = [name for name in RESOURCES if "/" in name]
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.4", "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        versions = [{"groupVersion": name, "version": name.split("/")[1]} for name in groups]
        listed = [{"name": v["groupVersion"].split("/")[0], "versions": [v], "preferredVersion": v}
                  for v in versions]  # fmt: skip
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    name = path.removeprefix("/apis/") if path.startswith("/apis/") else path.removeprefix("/api/")
    if name not in RESOURCES:
        return None
    resources = [resource(kind) for kind in RESOURCES[name].split()]
    if name == "v1":
        exec_ = {"name": "pods/exec", "kind": "PodExecOptions", "verbs": ["create", "get"]}
        resources.append({**exec_, "singularName": "", "namespaced": True})
    about = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name}
    return {**about, "resources": resources}


def resource(kind: str) -> Object:
    """Return the discovery entry of a kind."""
    name, verbs = plural_of(kind), ["create", "delete", "get", "list", "patch", "watch"]
    about = {"name": name, "singularName": kind.lower(), "shortNames": SHORT.get(name, [])}
    return {**about, "namespaced": name not in CLUSTER_WIDE, "kind": kind, "verbs": verbs}
