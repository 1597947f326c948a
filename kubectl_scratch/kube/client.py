"""The API server: raw JSON verbs on paths.

Typed models drop fields that they have never heard of (V1Pod of the Python client 31 to 36)
or refuse them (37), so pods travel as dicts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.errors import ClusterError, InvalidRequest
from kubectl_scratch.kube import answers, paths
from kubectl_scratch.kube.access import Access
from kubectl_scratch.kube.connection import check_namespace
from kubectl_scratch.kube.exec_types import ExecEndpoint
from kubectl_scratch.kube.http import DRY_RUN, HttpConnection, HttpRequest, error_of
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.retry import retried, sleep
from kubectl_scratch.runtime import tasks

READ_SECONDS = 30.0
# Of a log, and of one of its lines in characters: they may be of any length.
LOG_BYTES, LINE_LENGTH = "65536", 500
MERGE_PATCH = "application/merge-patch+json"
# https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
# As many as kubectl asks for at once, and the pauses before a list whose rest is gone begins again.
CHUNK, LIST_PAUSES = "500", (0.0, 0.0)
GONE = 410


class Answer(NamedTuple):
    """An object, and the API server's own time when it gave it."""

    body: Json
    at: datetime


class Client:
    """One API server, as one user. Safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        timeout: float | None = None,
        login_timeout: float | None = None,
        pause: Callable[[float], bool] = sleep,
        save_terminal: Callable[[], Callable[[], None]] = lambda: lambda: None,
    ) -> None:
        """Load the credentials; raises InvalidRequest if they cannot be loaded.

        ``timeout`` is in seconds, for a request that names none, ``login_timeout`` for a
        credential plugin. ``pause`` waits, and returns false as soon as nobody waits any more; it
        raises nothing, for a request may be on its way. ``save_terminal`` is for a plugin that
        asks a person.
        """
        self.access = access
        self.namespace = access.namespace
        self._timeout = timeout
        self._http = HttpConnection(access, login_timeout, pause, save_terminal)

    def get(self, path: str, timeout: float | None = None, **query: str) -> Answer:
        """Read an object, or a whole list unless ``limit`` is given; ``timeout`` is in seconds."""
        if not answers.is_list(path):
            return self._call("GET", path, query, timeout=timeout, check=answers.check_object)
        if "limit" in query:
            return self._call("GET", path, query, timeout=timeout, check=answers.check_list)
        return retried(
            lambda: self._read_list(path, query, timeout),
            # What is to follow is kept for some minutes only.
            again=lambda error: error.status == GONE,
            pauses=LIST_PAUSES,
            within=math.inf,
        )

    def _read_list(self, path: str, query: Mapping[str, str], timeout: float | None) -> Answer:
        """Read a list, part by part."""
        items: list[Json] = []
        more = ""
        while True:
            part = {"limit": CHUNK, **({"continue": more} if more else {})}
            asked = {**query, **part}
            answer = self._call("GET", path, asked, timeout=timeout, check=answers.check_list)
            items += answer.body.get("items") or []
            more = (answer.body.get("metadata") or {}).get("continue") or ""
            if not more:
                return answer._replace(body={**answer.body, "items": items})

    def enter_namespace(self, namespace: str | None) -> None:
        """Go where a manifest says; raises InvalidRequest if -n says otherwise, as kubectl."""
        if namespace is None or namespace == self.namespace:
            return
        if self.access.chosen_namespace:
            problem = f"the manifest's namespace is {namespace!r}, but -n is {self.namespace!r}"
            raise InvalidRequest(problem)
        check_namespace(namespace)
        self.namespace = namespace

    def now(self) -> datetime:
        """Return the cluster's time."""
        return self.version().at

    def version(self) -> Answer:
        """Return what the API server says of itself."""
        return self._call("GET", "/version", {}, check=_is_version)

    def dry_run(self, path: str, body: Json) -> Answer:
        """Let the API server judge a creation that does not happen."""
        return self._call("POST", path, DRY_RUN, body, check=answers.check_object)

    def table(self, path: str, **query: str) -> Json:
        """Read a list as the few columns that kubectl prints of it, if the server can."""
        query = {"includeObject": "None", **query}
        return self._call("GET", path, query, accept=_TABLE, check=_is_table).body

    def log(self, namespace: str, pod: str, container: str, lines: int, **query: str) -> list[str]:
        """Read a log's last lines, each no longer than people read."""
        path = paths.pods(namespace, pod, "log")
        some = {"container": container, "tailLines": str(lines), "limitBytes": LOG_BYTES}
        request = HttpRequest("GET", path, {**some, **query}, READ_SECONDS)
        answer = self._http.send(request)
        if not 200 <= answer.status < 300:
            raise error_of(answer, answer.data, request.action)
        said = answer.data.decode(errors="replace").removesuffix("\n")
        # What a progress bar writes is one line, whatever else Python takes for the end of one.
        found = said.split("\n")[-lines:] if said else []
        return [f"{line[:LINE_LENGTH]}..." if line[LINE_LENGTH:] else line for line in found]

    def watch(self, path: str, seconds: int, **query: str) -> Iterator[Json]:
        """Yield the objects of a list, and each change of one, for so many seconds at most.

        https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
        """
        query = {**query, "watch": "true", "timeoutSeconds": str(seconds)}
        request = HttpRequest("GET", path, query, seconds + READ_SECONDS, streams=True)
        for line in self._http.lines(request):
            yield _changed(line, path, request.action)

    def create(self, path: str, body: Json) -> Answer:
        """Create an object."""
        return self._call("POST", path, {}, body, check=answers.check_object)

    def patch(
        self,
        path: str,
        body: Json,
        kind: str = MERGE_PATCH,
        timeout: float | None = None,
        dry_run: bool = False,
    ) -> Answer:
        """Patch an object; a dry run lets the API server judge it only."""
        query = DRY_RUN if dry_run else {}
        check = answers.check_object
        return self._call("PATCH", path, query, body, kind, timeout, check=check)

    def delete(self, path: str, uid: str, grace: int, timeout: float) -> Answer:
        """Delete the object of that UID, and in the background what it owns.

        ``grace`` and ``timeout`` are in seconds.
        """
        body: Json = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
            "gracePeriodSeconds": grace,
        }
        return self._call("DELETE", path, {}, body, timeout=timeout, check=answers.check_deletion)

    def dry_delete(self, path: str, uid: str, timeout: float) -> Answer:
        """Ask whether the object of that UID could be deleted; nothing is."""
        # Of a request with a body the API server takes no options from the query.
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "dryRun": ["All"],
        }
        query, check = DRY_RUN, answers.check_deletion
        return self._call("DELETE", path, query, body, timeout=timeout, check=check)

    def _call(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str],
        body: Json | None = None,
        kind: str = "application/json",
        timeout: float | None = None,
        accept: str = "application/json",
        check: Callable[[Json, str], bool] = lambda body, path: True,
    ) -> Answer:
        """Ask; raises ClusterError for a refusal, and for what ``check`` does not pass."""
        # An abandoned task asks for nothing more.
        tasks.raise_if_abandoned()
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = kind
        data = None if body is None else json.dumps(body).encode()
        seconds = timeout or self._timeout or READ_SECONDS
        request = HttpRequest(verb, path, query, seconds, headers, data)
        answer = self._http.send(request)
        location = answer.headers.get("Location")
        found = answers.body_of(answer.status, answer.data, request.action, location)
        if not check(found, path):
            raise answers.nonsense(answer.status, answer.data, request.action)
        return Answer(found, answers.time_of(answer.headers.get("Date")))

    def allows(self, verb: str, group: str, resource: str, namespace: str) -> bool | None:
        """Ask the cluster whether the user has permission; None if it gives no answer.

        ``resource`` may be one of another, as "pods/exec".
        """
        outer, _, inner = resource.partition("/")
        wanted = {"verb": verb, "group": group, "resource": outer, "namespace": namespace}
        wanted |= {"subresource": inner} if inner else {}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        try:
            answer = retried(lambda: self._call("POST", path, {}, review, check=_is_review))
        except ClusterError:
            return None
        allowed: bool = answer.body["status"]["allowed"]
        return allowed

    def exec_endpoint(
        self, namespace: str, pod: str, container: str, command: tuple[str, ...], tty: bool
    ) -> ExecEndpoint:
        """Return how to reach an exec of ``command`` with stdin, and stderr apart without tty."""
        query = [("container", container), *(("command", word) for word in command)]
        query += [("stdin", "true"), ("stdout", "true")]
        query += [("tty", "true")] if tty else [("stderr", "true")]
        return self._http.exec_endpoint(paths.pods(namespace, pod, "exec"), query)


def _is_version(body: Json, path: str) -> bool:
    return answers.fits(body, answers.VERSION)


def _is_review(body: Json, path: str) -> bool:
    return answers.fits(body, answers.REVIEW)


def _is_table(body: Json, path: str) -> bool:
    """Say whether a body is a Table, or the list that a server gives which has no Tables."""
    if body.get("kind") == "Table":
        return answers.fits(body, answers.TABLE)
    return answers.check_list(body, path)


def _changed(line: bytes, path: str, action: str) -> Json:
    """Return the object of a watch's event; raises ClusterError if that is none."""
    event = answers.parsed(line)
    found = event.get("object") if isinstance(event, dict) else None
    if not isinstance(found, dict) or not isinstance(event, dict):
        raise answers.nonsense(200, line, action)
    if event.get("type") == "ERROR":
        code = found.get("code")
        status = code if isinstance(code, int) and code >= 400 else 500
        raise answers.refusal(status, found)
    if not answers.check_object(found, path):
        raise answers.nonsense(200, line, action)
    return found
