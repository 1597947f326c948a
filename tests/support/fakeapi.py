"""A Kubernetes API server on loopback: an object store, a tiny kubelet, exec, and faults."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import logging
import math
import os
import random
import re
import ssl
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.support import fakeexec
from tests.support.fakerules import (
    CLUSTER_WIDE,
    CONTAINERS,
    DATE,
    KINDS,
    PATH,
    POD_DEFAULTS,
    RESOURCES,
    ApiError,
    Change,
    Fault,
    Key,
    Object,
    Request,
    T,
    Target,
    certificate,
    check_ephemeral,
    check_uid,
    common_name,
    container_status,
    discovery,
    in_scope,
    merge,
    plural_of,
    running_in,
    selected,
    stamp,
)
from tests.support.patience import PATIENCE


class FakeCluster:
    """Be a cluster for one test: `with FakeCluster() as api`."""

    def __init__(self, *, tls: bool = False, token: str | None = None, client_ca: str = "") -> None:
        self.url = ""
        self.clock_offset = 0.0
        # Delays in seconds; math.inf is never.
        self.pod_start_delay = 0.02
        self.ephemeral_delay = 0.02
        self.status_lag = 0.0  # exec works this long before the status says so
        self.pod_stop_delay = 0.0  # from the deletionTimestamp to the end
        self.job_delay = 0.0
        self.gc_delay = 0.0
        self.subprotocols: tuple[str, ...] = ("v5.channel.k8s.io", "v4.channel.k8s.io")
        # Whether an Authorization header is good enough, of a peer of that common name.
        self.admits: Callable[[str, str], bool] = lambda shown, peer: (
            not self._token or shown == f"Bearer {self._token}"
        )
        self.page = 0  # how many items a list gives at once, if it was asked for a limit
        self.plain_kubelet_errors = True  # text in place of a Status, as v1.34's
        self.kubelet: Callable[[Object], Object | None] = lambda pod: None
        self.access: Callable[[Object], bool] = lambda attributes: True
        self.rewrite: Callable[[str, tuple[str, ...]], tuple[str, ...]] = lambda name, argv: argv
        self.exec_problem = ""  # why no exec over v5 starts its command, after the upgrade
        self.logs: dict[tuple[str, str], str] = {}
        # The words that an image runs by itself, for a learning run to see.
        self.entrypoints: dict[str, tuple[str, ...]] = {}
        self._folder = Path()
        self._tls, self._token, self._client_ca, self.ca = tls, token, client_ca, ""
        self._changed = threading.Condition(threading.RLock())
        self._requests: list[Request] = []
        self._created: list[Change] = []
        self._deleted: list[Change] = []
        self._faults: list[Fault] = []
        self._objects: dict[Key, Object] = {}
        self._events: list[tuple[int, str, Key, Object]] = []
        self._version = 0
        self._watches: dict[asyncio.Queue[tuple[str, Key, Object]], web.Request] = {}
        self._started: dict[str, set[str]] = {}
        self._finished: dict[str, float] = {}
        self._ttl: dict[str, asyncio.TimerHandle] = {}
        self._gone: set[str] = set()
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self._execs: list[fakeexec.Exec] = []
        self._failures: list[BaseException] = []
        self._id = uuid.uuid4().hex
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="fake-cluster", daemon=True)

    # The test's side: callable from any thread.

    def __enter__(self) -> FakeCluster:
        self._thread.start()
        if not self._up.wait(PATIENCE) or not self.url:
            raise RuntimeError("the fake cluster did not start") from self._failure()
        self.add({"kind": "Namespace", "metadata": {"name": "default"}})
        facts = {"nodeInfo": {"architecture": fakeexec.ARCH}}
        self.add({"kind": "Node", "metadata": {"name": "node-1"}, "status": facts})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        if self._thread.is_alive():
            self._failures.append(RuntimeError("the fake cluster did not stop"))
        for failure in self._failures:
            logging.getLogger(__name__).error("in the fake cluster", exc_info=failure)
        if self._failures and error is None:
            raise RuntimeError("the fake cluster failed") from self._failure()

    @property
    def requests(self) -> list[Request]:
        """Return a copy of the records so far."""
        with self._changed:
            return list(self._requests)

    @property
    def created(self) -> list[Change]:
        """Return what clients have created so far."""
        with self._changed:
            return list(self._created)

    @property
    def deleted(self) -> list[Change]:
        """Return what clients have deleted so far, once for each DELETE that succeeded."""
        with self._changed:
            return list(self._deleted)

    @property
    def execs(self) -> list[fakeexec.Exec]:
        """Return the exec streams that are open now."""
        with self._changed:
            return list(self._execs)

    def kubeconfig(self, path: Path, namespace: str = "default") -> Path:
        """Write a kubeconfig for this cluster."""
        ca = base64.b64encode(self.ca.encode()).decode()
        trust = {"certificate-authority-data": ca} if self._tls else {}
        cluster = {"server": self.url, **trust}
        context = {"cluster": "fake", "user": "fake", "namespace": namespace}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": cluster}],
            "users": [{"name": "fake", "user": {"token": self._token} if self._token else {}}],
            "contexts": [{"name": "fake", "context": context}],
        }  # fmt: skip
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(config, file)
        return path

    def add(self, obj: Object) -> Object:
        """Put an object there as if it were created; one with a status is left as it is.

        A pod that starts soon has started: a test begins with what was there before it.
        """
        soon = "status" not in obj and self.pod_start_delay < 1
        obj = copy.deepcopy(obj)
        plural = plural_of(obj["kind"])
        if plural not in CLUSTER_WIDE:
            obj["metadata"].setdefault("namespace", "default")
        version = next((v for v, kinds in RESOURCES.items() if obj["kind"] in kinds.split()), "v1")
        obj = {"apiVersion": version, **obj}
        meta = obj["metadata"]
        with self._changed:
            key = (plural, meta.get("namespace", ""), meta["name"])
            self._born(key, obj)
        if plural == "pods" and soon:
            self.wait_for(lambda api: api._is_settled(key))
        return copy.deepcopy(obj)

    def _is_settled(self, key: Key) -> bool:
        """Say whether a pod has started, or is not going to."""
        pod = self._objects.get(key)
        if pod is None or pod["spec"].get("nodeName", "one to come") is None:
            return True
        conditions = pod["status"].get("conditions", [])
        refused = any(item.get("status") == "False" for item in conditions)
        return refused or pod["metadata"]["uid"] in self._started

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """Return a copy of an object, or {}; the plural may be a path such as batch/v1/jobs."""
        with self._changed:
            return copy.deepcopy(self._objects.get((plural.split("/")[-1], namespace, name), {}))

    def names(self, plural: str, namespace: str) -> list[str]:
        """Return the sorted names of the objects of one resource in a namespace."""
        wanted = (plural.split("/")[-1], namespace)
        with self._changed:
            return sorted(name for *where, name in self._objects if tuple(where) == wanted)

    def patch(self, plural: str, namespace: str, name: str, patch: Object) -> Object:
        """Change an object by a JSON merge patch, past all the rules."""
        with self._changed:
            key = (plural.split("/")[-1], namespace, name)
            return copy.deepcopy(self._put(key, merge(self._objects[key], patch, False)))

    def set_status(self, namespace: str, name: str, status: Object) -> None:
        """Replace the status of a pod; exec works where it says running."""
        with self._changed:
            key = ("pods", namespace, name)
            pod = copy.deepcopy(self._objects[key])
            self._started[pod["metadata"]["uid"]] = running_in(status)
            self._put(key, {**pod, "status": status})

    def started(self, namespace: str, name: str, container: str) -> bool:
        """Tell whether exec works in a container."""
        with self._changed:
            uid = self._objects["pods", namespace, name]["metadata"]["uid"]
            return container in self._started.get(uid, ())

    def toolkit_of(self, namespace: str, name: str) -> Path:
        """Return the folder in which a pod has its toolkit."""
        with self._changed:
            return self._toolkit(self._objects["pods", namespace, name]["metadata"]["uid"])

    def delete(self, plural: str, namespace: str, name: str) -> None:
        """Remove an object at once, and its dependents by garbage collection."""
        with self._changed:
            self._remove((plural.split("/")[-1], namespace, name))

    def wait_for(self, predicate: Callable[[FakeCluster], T], timeout: float = PATIENCE) -> T:
        """Wait until the predicate is true; return what it returned. A LookupError is false."""
        found: list[T] = []

        def holds() -> bool:
            with contextlib.suppress(LookupError):
                found[:] = [predicate(self)]
            return any(found) or bool(self._failures)

        with self._changed:
            if not self._changed.wait_for(holds, timeout) or self._failures:
                seen = [f"{request.method} {request.path}" for request in self._requests[-20:]]
                wrong = "the fake failed" if self._failures else f"not so in {timeout} s"
                raise AssertionError(f"{wrong}; last requests: {seen}") from self._failure()
            return found[0]

    def advance(self, seconds: float) -> None:
        """Move the clock of the cluster; what then is overdue ends now."""
        with self._changed:
            self.clock_offset += seconds
            for key, obj in self._objects.items():
                self._later(0, self._arm, key, obj["metadata"]["uid"])

    def fault(self, **what: Any) -> Fault:
        """Add a fault (its fields are those of Fault) and return its handle."""
        with self._changed:
            self._faults.append(Fault(**what))
            return self._faults[-1]

    def drop_exec(self, begins: tuple[str, ...] = ()) -> None:
        """Cut the connections of the running exec streams whose command begins like this."""
        for stream in self.execs:
            if stream.command[: len(begins)] == begins:
                self._later(0, stream.drop)

    def stall_exec(self) -> None:
        """Make all the running exec streams deaf and dumb, but keep them connected."""
        for stream in self.execs:
            self._later(0, stream.stall)

    def drop_watches(self) -> None:
        """Cut the connections of all the running watches."""
        with self._changed:
            for http in self._watches.values():
                if http.transport is not None:
                    self._later(0, http.transport.abort)

    # The server's thread.

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _failure(self) -> BaseException | None:
        return self._failures[0] if self._failures else None

    def _serve(self) -> None:
        self._loop.set_exception_handler(self._unhandled)
        try:
            with tempfile.TemporaryDirectory() as folder:
                self._folder = Path(folder)
                self._loop.run_until_complete(self._main(self._folder))
        except BaseException as error:
            self._failures.append(error)
        finally:
            self._up.set()
            self._loop.close()

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, (ConnectionError, ssl.SSLError)):
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failures.append(error)
            self._changed.notify_all()

    async def _main(self, folder: Path) -> None:
        self._stop = asyncio.Event()
        context, self.ca = certificate(folder, self._client_ca) if self._tls else (None, "")
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_response_prepare.append(self._date)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
        self._up.set()
        await self._stop.wait()
        for stream in self._execs:
            stream.signal(9)
        fakeexec.kill_marked(f"FAKE_POD={self._id}/")
        await asyncio.sleep(0)
        await runner.cleanup()
        await self._end_tasks()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in self._transports:  # a stalled one would never be closed
            # Of one with TLS that is closed already nothing is left to abort, and Python before
            # 3.11.4 fails on that.
            with contextlib.suppress(AttributeError):
                transport.abort()
        await asyncio.sleep(0.01)

    def _now(self) -> float:
        return time.time() + self.clock_offset

    async def _date(self, http: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = http.get(DATE, formatdate(self._now(), usegmt=True))

    def _later(self, delay: float, do: Callable[..., None], *args: Any) -> None:
        def locked() -> None:
            with self._changed:
                do(*args)
                self._changed.notify_all()

        if delay != math.inf:
            self._loop.call_soon_threadsafe(lambda: self._loop.call_later(delay, locked))

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        if isinstance(http.transport, asyncio.Transport):
            self._transports.add(http.transport)
        try:
            request = await self._record(http)
            fault = self._take_fault(request)
            if fault is None:
                return await self._answer(http, request)
            answer = await self._answer(http, request) if fault.after else None
            wrong = await fault.act(http)
            return wrong or answer or await self._answer(http, request)
        except (asyncio.CancelledError, web.HTTPException):
            raise
        except ConnectionError:  # the client has gone
            return web.Response()
        except BaseException as error:
            self._fail(error)
            return web.json_response(fakeexec.failure(repr(error)), status=500)

    async def _record(self, http: web.Request) -> Request:
        data = await http.read()
        body = json.loads(data) if data and "json" in http.content_type else None
        command = tuple(http.query.getall("command", []))
        query, now = dict(http.query), time.monotonic()
        peer = common_name(http.transport.get_extra_info("peercert") if http.transport else None)
        request = Request(http.method, http.path, query, command, http.headers, body, now, peer)
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        return request

    def _take_fault(self, request: Request) -> Fault | None:
        with self._changed:
            return next((fault for fault in self._faults if fault.takes(request)), None)

    async def _answer(self, http: web.Request, request: Request) -> web.StreamResponse:
        try:
            return await self._route(http, request)
        except ApiError as error:
            return web.json_response(error.status, status=error.code)

    async def _route(self, http: web.Request, request: Request) -> web.StreamResponse:
        if not self.admits(http.headers.get("Authorization", ""), request.peer):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if document := discovery(http.path):
            return web.json_response(document)
        if not (match := PATH.fullmatch(http.path)):
            said = "the server could not find the requested resource"
            raise ApiError(404, "NotFound", said)
        target = Target(**match.groupdict())
        if target.sub == "exec":
            return await self._exec(http, request, target)
        if target.sub == "log":
            return self._log(request, target)
        if request.query.get("watch") in ("1", "true") and not target.name:
            return await self._watch(http, request, target)
        if request.body is None and request.method in ("POST", "PATCH"):
            raise ApiError(415, "UnsupportedMediaType", "the fake takes JSON only")
        with self._changed:
            result = self._verb(request, target)
            return web.json_response(result, status=201 if request.method == "POST" else 200)

    def _verb(self, request: Request, target: Target) -> Object:
        # Of a deletion with a body the query says nothing.
        told = request.body if request.method == "DELETE" and request.body else request.query
        dry = told.get("dryRun") in ("All", ["All"])
        verb = (request.method, bool(target.name))
        if verb == ("GET", True):
            return self._find(target)
        if verb == ("GET", False):
            return self._list(request, target)
        if verb == ("POST", False):
            return self._create(target, copy.deepcopy(request.body), dry)
        if verb == ("PATCH", True):
            strategic = "strategic" in request.headers.get("Content-Type", "")
            return self._patch(target, request, strategic, dry)
        if verb == ("DELETE", True):
            return self._delete(target, {**request.query, **(request.body or {})}, dry)
        raise ApiError(405, "MethodNotAllowed", "the server does not allow this method")

    # Objects. All of this runs with the lock held.

    def _find(self, target: Target) -> Object:
        if target.key not in self._objects:
            raise target.error(404, "NotFound", "{} not found")
        return self._objects[target.key]

    def _list(self, request: Request, target: Target) -> Object:
        found = [item for key, item in sorted(self._objects.items()) if in_scope(key, target)]
        items = [
            {name: part for name, part in item.items() if name not in ("kind", "apiVersion")}
            for item in found
            if selected(item, request.query)
        ]
        kind = KINDS.get(target.plural, target.plural.capitalize()) + "List"
        about = {"kind": kind, "apiVersion": target.api_version}
        meta = {"resourceVersion": str(self._version)}
        if self.page and request.query.get("limit"):
            start = int(request.query.get("continue") or 0)
            if items[start + self.page :]:
                meta["continue"] = str(start + self.page)
            items = items[start : start + self.page]
        return {**about, "metadata": meta, "items": items}

    def _create(self, target: Target, obj: Object, dry: bool) -> Object:
        meta = obj.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + "".join(random.choices("bcdfghjklm2456789", k=5))
        target = Target(**{**vars(target), "name": meta.get("name")})
        self._check_create(target, obj)
        if target.namespace:
            meta["namespace"] = target.namespace
        obj = {"kind": KINDS.get(target.plural, ""), "apiVersion": target.api_version, **obj}
        if target.plural == "selfsubjectaccessreviews":
            return {**obj, "status": {"allowed": self.access(obj["spec"])}}
        obj.pop("status", None)
        known = {item["metadata"]["uid"] for item in self._objects.values()}
        self._gone |= {owner["uid"] for owner in meta.get("ownerReferences", [])} - known
        if dry:
            # As the real one: what would have been created has a UID, too.
            return {**obj, "metadata": {**meta, "uid": str(uuid.uuid4())}}
        return self._note_created(target.key, self._born(target.key, obj))

    def _note_created(self, key: Key, obj: Object) -> Object:
        self._created.append(Change(key[0], key[2], obj["metadata"]["uid"]))
        return obj

    def _check_create(self, target: Target, obj: Object) -> None:
        if target.plural == "selfsubjectaccessreviews":
            return
        if not target.name:
            raise target.invalid("metadata.name: Required value: name or generateName is required")
        if target.namespace:
            self._check_namespace(target, obj["metadata"].get("namespace", target.namespace))
        if target.plural == "pods" and obj["spec"].get("ephemeralContainers"):
            raise target.invalid("spec.ephemeralContainers: Forbidden: cannot be set on create")
        if target.key in self._objects:
            raise target.error(409, "AlreadyExists", "{} already exists")

    def _check_namespace(self, target: Target, written: str) -> None:
        name = target.namespace
        if written != name:
            raise ApiError(400, "BadRequest", "the namespace of the provided object does not match"
                           " the namespace sent on the request")  # fmt: skip
        space = self._objects.get(("namespaces", "", name or ""))
        if space is None:
            said = f'namespaces "{name}" not found'
            raise ApiError(404, "NotFound", said, name=name, kind="namespaces")
        if space.get("status", {}).get("phase") == "Terminating":
            cause = {"reason": "NamespaceTerminating", "field": "metadata.namespace",
                     "message": f"namespace {name} is being terminated"}  # fmt: skip
            said = "{} is forbidden: unable to create new content in namespace "
            said += f"{name} because it is being terminated"
            raise target.error(403, "Forbidden", said, causes=[cause])

    def _born(self, key: Key, obj: Object) -> Object:
        meta = obj["metadata"]
        meta.update(uid=str(uuid.uuid4()), creationTimestamp=stamp(self._now()))
        uid = meta["uid"]
        if key[0] == "pods":
            obj["spec"] = {**POD_DEFAULTS, **obj["spec"]}
        if "status" in obj:
            self._started[uid] = running_in(obj["status"])
        elif key[0] == "pods":
            obj["status"] = {"phase": "Pending", "qosClass": "BestEffort"}
            self._later(0, self._bind, key, uid)
        elif key[0] == "jobs" and obj["spec"].get("completions") == 0:
            self._later(self.job_delay, self._complete, key, uid)
        elif key[0] == "namespaces":
            obj["status"] = {"phase": "Active"}
        self._later(self.gc_delay, self._collect)
        return self._put(key, obj)

    def _put(self, key: Key, obj: Object) -> Object:
        self._version += 1
        what = "MODIFIED" if key in self._objects else "ADDED"
        obj["metadata"]["resourceVersion"] = str(self._version)
        self._objects[key] = obj
        self._publish(what, key, obj)
        return obj

    def _publish(self, what: str, key: Key, obj: Object) -> None:
        snapshot = copy.deepcopy(obj)
        self._events.append((self._version, what, key, snapshot))
        for queue in self._watches:
            self._loop.call_soon_threadsafe(queue.put_nowait, (what, key, snapshot))
        self._changed.notify_all()

    def _current(self, key: Key, uid: str) -> Object | None:
        obj = self._objects.get(key)
        return copy.deepcopy(obj) if obj and obj["metadata"]["uid"] == uid else None

    def _patch(self, target: Target, request: Request, strategic: bool, dry: bool) -> Object:
        old, body = self._find(target), copy.deepcopy(request.body)
        if not isinstance(body, dict):
            raise ApiError(415, "UnsupportedMediaType", "the fake takes merge patches only")
        meta, mine = body.get("metadata") or {}, old["metadata"]
        check_uid(target, meta.get("uid"), mine["uid"])
        if meta.get("resourceVersion", mine["resourceVersion"]) != mine["resourceVersion"]:
            said = "Operation cannot be fulfilled on {}: the object has been modified; please apply"
            raise target.error(409, "Conflict", said + " your changes to the latest version")
        new: Object = copy.deepcopy(merge(old, body, strategic))
        fixed = ("uid", "name", "namespace", "creationTimestamp", "deletionTimestamp")
        new["metadata"].update({name: mine[name] for name in fixed if name in mine})
        fresh = self._patch_pod(target, old, new) if target.plural == "pods" else []
        if dry:
            return new
        self._put(target.key, new)
        if fresh:
            self._later(self.ephemeral_delay, self._sync, target.key, mine["uid"], fresh)
        self._later(0, self._arm, target.key, mine["uid"])
        return new

    def _patch_pod(self, target: Target, old: Object, new: Object) -> list[str]:
        before = old["spec"].get("ephemeralContainers", [])
        listed = new["spec"].pop("ephemeralContainers", [])
        new["status"] = new["status"] if target.sub == "status" else old["status"]
        if target.sub != "ephemeralcontainers":
            new["spec"].update({"ephemeralContainers": before} if before else {})
            return []
        new["spec"] = {**old["spec"], **({"ephemeralContainers": listed} if listed else {})}
        check_ephemeral(target, old, {"spec": {"ephemeralContainers": listed}})
        return [item["name"] for item in listed if item not in before]

    def _delete(self, target: Target, options: Object, dry: bool) -> Object:
        obj = self._find(target)
        wanted = (options.get("preconditions") or {}).get("uid")
        check_uid(target, wanted, obj["metadata"]["uid"])
        policy = options.get("propagationPolicy")
        if dry:
            return obj
        self._deleted.append(
            Change(target.plural, target.name or "", obj["metadata"]["uid"], wanted)
        )
        if target.plural == "namespaces":
            return self._put(target.key, {**copy.deepcopy(obj), "status": {"phase": "Terminating"}})
        # batch/v1 leaves the dependents of a Job unless told otherwise.
        if policy == "Orphan" or (policy is None and target.plural == "jobs"):
            self._orphan(obj["metadata"]["uid"])
        self._remove(target.key, str(options.get("gracePeriodSeconds")) != "0")
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        details = {"name": target.name, "kind": target.plural, "uid": obj["metadata"]["uid"]}
        return obj if target.plural == "pods" else {**done, "details": details}

    def _orphan(self, uid: str) -> None:
        for key, obj in list(self._objects.items()):
            owners = obj["metadata"].get("ownerReferences", [])
            if any(owner["uid"] == uid for owner in owners):
                new = copy.deepcopy(obj)
                new["metadata"]["ownerReferences"] = [o for o in owners if o["uid"] != uid]
                self._put(key, new)

    def _remove(self, key: Key, grace: bool = False) -> None:
        obj = copy.deepcopy(self._objects[key])
        if grace and key[0] == "pods" and self.pod_stop_delay and obj["spec"].get("nodeName"):
            obj["metadata"].setdefault("deletionTimestamp", stamp(self._now()))
            self._put(key, obj)
            self._later(self.pod_stop_delay, self._expire, key, obj["metadata"]["uid"])
            return
        del self._objects[key]
        self._version += 1
        self._gone.add(obj["metadata"]["uid"])
        self._publish("DELETED", key, obj)
        if key[0] == "pods" and obj["metadata"]["uid"] in self._started:
            self._later(0, self._kill, obj["metadata"]["uid"])
        self._later(self.gc_delay, self._collect)

    def _kill(self, uid: str) -> None:
        mark = f"FAKE_POD={self._id}/{uid}"
        for stream in self._execs:
            if stream.mark == mark:
                stream.signal(9)
        fakeexec.kill_marked(mark)

    def _expire(self, key: Key, uid: str) -> None:
        if self._current(key, uid):
            self._remove(key)

    def _collect(self) -> None:
        for key, obj in list(self._objects.items()):
            owners = {owner["uid"] for owner in obj["metadata"].get("ownerReferences", [])}
            if owners and owners <= self._gone and "deletionTimestamp" not in obj["metadata"]:
                self._remove(key, grace=True)

    # Controllers and the kubelet.

    def _complete(self, key: Key, uid: str) -> None:
        if job := self._current(key, uid):
            self._finished[uid] = self._now()
            when = stamp(self._finished[uid])
            condition = {"type": "Complete", "status": "True", "lastTransitionTime": when}
            status = {"startTime": when, "completionTime": when, "conditions": [condition]}
            self._put(key, {**job, "status": status})
            self._arm(key, uid)

    def _arm(self, key: Key, uid: str) -> None:
        job = self._current(key, uid)
        if job is None or uid not in self._finished:
            return
        if timer := self._ttl.pop(uid, None):
            timer.cancel()
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is not None:
            left = max(0.0, self._finished[uid] + ttl - self._now())
            self._ttl[uid] = self._loop.call_later(left, self._later, 0, self._expire, key, uid)

    def _bind(self, key: Key, uid: str) -> None:
        pod = self._current(key, uid)
        if pod is None:
            return
        scripted = self.kubelet(copy.deepcopy(pod)) or {}
        refused = {"type": "PodScheduled", "status": "False"}
        if any(refused.items() <= item.items() for item in scripted.get("conditions", [])):
            self._put(key, {**pod, "status": scripted})
            return
        pod["spec"].setdefault("nodeName", "node-1")
        pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}]
        self._put(key, pod)
        self._later(self.pod_start_delay, self._sync, key, uid, [])

    def _sync(self, key: Key, uid: str, fresh: list[str]) -> None:
        """Start the pod, or (when it has started) fresh ephemeral containers."""
        pod = self._current(key, uid)
        if pod is None or key[0] != "pods" or not pod["spec"].get("nodeName"):
            return
        begun = uid in self._started
        if begun == (not fresh):  # nothing to start, or the start of the pod will see to it
            return
        waiting = [item["name"] for item in pod["spec"].get("ephemeralContainers", [])]
        sidecars = [c for c in pod["spec"].get("initContainers", []) if "restartPolicy" in c]
        names = fresh or [c["name"] for c in (*sidecars, *pod["spec"]["containers"])]
        self._started.setdefault(uid, set()).update(names)
        self._run_discovery(pod)
        scripted = self.kubelet(copy.deepcopy(pod))
        if scripted is None:
            self._tell_of_starts(pod, names)
        if scripted is not None:
            self.set_status(key[1], key[2], scripted)
        elif self.status_lag:
            self._later(self.status_lag, self._report, key, uid)
        else:
            self._report(key, uid)
        if not begun and waiting:
            self._later(self.ephemeral_delay, self._sync, key, uid, waiting)

    def _tell_of_starts(self, pod: Object, names: list[str]) -> None:
        """Tell in events which containers have started, as a kubelet does before the status."""
        meta = pod["metadata"]
        for part in CONTAINERS:
            for name in {spec["name"] for spec in pod["spec"].get(part, [])} & set(names):
                key = ("events", meta["namespace"], f"{meta['name']}.{name}")
                about = {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"]}
                event: Object = {
                    "kind": "Event",
                    "metadata": {"name": key[2], "namespace": key[1]},
                    "involvedObject": {**about, "fieldPath": f"spec.{part}{{{name}}}"},
                    "type": "Normal",
                    "reason": "Started",
                }
                self._born(key, event)

    def _toolkit(self, uid: str) -> Path:
        folder = self._folder / uid
        folder.mkdir(exist_ok=True)
        return folder

    def _run_discovery(self, pod: Object) -> None:
        """Let a discovery see the words of the app's image."""
        app = pod["spec"]["containers"][0]
        for watcher in pod["spec"].get("initContainers", []):
            words = self.entrypoints.get(app["image"])
            if words and watcher.get("command", [])[1:2] == ["learn"]:
                file = self._toolkit(pod["metadata"]["uid"]) / "learned"
                file.write_bytes(b"".join(word.encode() + b"\0" for word in words))

    def _report(self, key: Key, uid: str) -> None:
        if pod := self._current(key, uid):
            self._put(key, {**pod, "status": self._running(pod, self._started[uid])})

    def _running(self, pod: Object, names: set[str]) -> Object:
        now, status = stamp(self._now()), pod["status"]
        kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        conditions = [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds]
        address = {"hostIP": "127.0.0.1", "podIP": "127.0.0.1", "startTime": now}
        status = {**address, **status, "phase": "Running", "conditions": conditions}
        for part in CONTAINERS:
            where, specs = part[:-1] + "Statuses", pod["spec"].get(part, [])
            known = {item["name"]: item for item in status.get(where, [])}
            entries = [
                known.get(spec["name"]) or container_status(spec, spec["name"] in names, now)
                for spec in specs
                if spec["name"] in names or part == "initContainers"
            ]
            status.update({where: entries} if entries else {})
        return status

    # Streams.

    async def _watch(
        self, http: web.Request, request: Request, target: Target
    ) -> web.StreamResponse:
        if "sendInitialEvents" in request.query:  # clients then list first
            said = "sendInitialEvents: Forbidden: unless the WatchList feature gate is enabled"
            raise ApiError(422, "Invalid", said)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        queue: asyncio.Queue[tuple[str, Key, Object]] = asyncio.Queue()
        with self._changed:
            since = int(request.query.get("resourceVersion") or 0)
            now = [("ADDED", key, copy.deepcopy(obj)) for key, obj in self._objects.items()]
            missed = [tuple_[1:] for tuple_ in self._events if tuple_[0] > since]
            for event in missed if since else now:
                queue.put_nowait(event)
            self._watches[queue] = http
            self._changed.notify_all()
        try:
            await response.prepare(http)
            limit = float(request.query.get("timeoutSeconds") or 3600)
            await asyncio.wait_for(self._stream(queue, request, target, response), limit)
        except asyncio.TimeoutError:
            await response.write_eof()
        finally:
            with self._changed:
                del self._watches[queue]
        return response

    async def _stream(
        self,
        queue: asyncio.Queue[tuple[str, Key, Object]],
        request: Request,
        target: Target,
        response: web.StreamResponse,
    ) -> None:
        while True:
            what, key, obj = await queue.get()
            if in_scope(key, target) and selected(obj, request.query):
                line = json.dumps({"type": what, "object": obj})
                await response.write(line.encode() + b"\n")

    def _container(self, target: Target, wanted: str | None) -> tuple[Object, str]:
        with self._changed:
            pod = copy.deepcopy(self._find(target))
        names = [c["name"] for part in reversed(CONTAINERS) for c in pod["spec"].get(part, [])]
        name = wanted or pod["spec"]["containers"][0]["name"]
        if name not in names:
            said = f"container {name} is not valid for pod {target.name}"
            raise ApiError(400, "BadRequest", said)
        if not pod["spec"].get("nodeName"):
            said = f"pod {target.name} does not have a host assigned"
            raise ApiError(400, "BadRequest", said)
        return pod, name

    def _log(self, request: Request, target: Target) -> web.Response:
        _, name = self._container(target, request.query.get("container"))
        return web.Response(text=self.logs.get((target.name or "", name), ""))

    async def _exec(
        self, http: web.Request, request: Request, target: Target
    ) -> web.StreamResponse:
        pod, name = self._container(target, request.query.get("container"))
        offered = re.split(r"\s*,\s*", http.headers.get("Sec-WebSocket-Protocol", ""))
        protocol = next((word for word in offered if word in self.subprotocols), None)
        if protocol is None:
            return web.Response(status=403)  # what golang.org/x/net/websocket makes of it
        uid, said = pod["metadata"]["uid"], self.exec_problem
        if name not in self._started.get(uid, ()):
            said = f'container not found ("{name}")'
            if protocol.startswith("v4") and self.plain_kubelet_errors:
                return web.Response(text=said, status=500)
            if protocol.startswith("v4"):
                raise ApiError(500, "InternalError", said)
            said = f"Internal error occurred: unable to upgrade connection: {said}"
        stream = self._stream_of(request, (target.namespace or "", target.name or "", name), uid)
        if said and protocol.startswith("v5"):  # the upgrade comes first
            stream.problem = fakeexec.failure(said)
        return await self._run(stream, http, protocol)

    def _stream_of(self, request: Request, where: tuple[str, str, str], uid: str) -> fakeexec.Exec:
        true = {word for word in request.query if request.query[word] in ("1", "true")}
        kinds = ("stdin", "stdout", "stderr")
        streams = frozenset(n for n, word in enumerate(kinds) if word in true)
        command, mark = self.rewrite(where[2], request.command), f"FAKE_POD={self._id}/{uid}"
        folder = self._toolkit(uid)
        return fakeexec.Exec(*where, command, "tty" in true, streams, mark, folder, self._notify)

    async def _run(
        self, stream: fakeexec.Exec, http: web.Request, protocol: str
    ) -> web.StreamResponse:
        with self._changed:
            self._execs.append(stream)
            self._changed.notify_all()
        try:
            return await stream.serve(http, protocol)
        finally:
            with self._changed:
                self._execs.remove(stream)
                self._changed.notify_all()
