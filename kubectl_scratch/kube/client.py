"""The API server: raw JSON verbs on paths. The only importer of urllib3, requests and yaml.

Typed models drop fields that they have never heard of (V1Pod of the Python client 31 to 36)
or refuse them (37), so pods travel as dicts.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import math
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit

import urllib3
import yaml

from kubectl_scratch import __version__
from kubectl_scratch.errors import ClusterError, InvalidRequest, Unreachable
from kubectl_scratch.kube import answers, kubeconfig, kuberc
from kubectl_scratch.kube.connection import Connection, check_namespace
from kubectl_scratch.kube.credentials import Credentials, Proof, reason_of
from kubectl_scratch.kube.exec_types import ExecEndpoint, Proxy
from kubectl_scratch.kube.kubeconfig import Access
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.runtime import tasks

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# Of a log, and of one of its lines in characters: they may be of any length.
LOG_BYTES, LINE_LENGTH = "65536", 500
MERGE_PATCH = "application/merge-patch+json"
# https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
# As a file's name, as kubectl has it.
STDIN = "-"
# As many as kubectl asks for at once, and the pauses before a list whose rest is gone begins again.
CHUNK, LIST_PAUSES = "500", (0.0, 0.0)
GONE = 410
# An API server that has no time says when it may have: what it answers so it has not done.
# How often that is heeded, and for how many seconds at once.
BUSY, BUSY_TRIES, SHORTEST_WAIT, LONGEST_WAIT = (429, 503), 5, 0.1, 10.0
_UNAUTHORIZED = 401
DRY_RUN, UNSURE = "dryRun=All", "it is not known whether it was created"


def sleep(seconds: float) -> bool:
    """Wait to the end."""
    time.sleep(seconds)
    return True


class Answer(NamedTuple):
    """An object, and the API server's own time when it gave it."""

    body: Json
    at: datetime


def pods(namespace: str, *more: str) -> str:
    """Return the path of a namespace's pods, of one pod, or of its subresource."""
    return _path("/api/v1/namespaces", namespace, "pods", *more)


def jobs(namespace: str, *more: str) -> str:
    """Return the path of a namespace's Jobs, or of one."""
    return _path("/apis/batch/v1/namespaces", namespace, "jobs", *more)


def config_maps(namespace: str, *name: str) -> str:
    """Return the path of a namespace's ConfigMaps, or of one."""
    return _path("/api/v1/namespaces", namespace, "configmaps", *name)


def events(namespace: str) -> str:
    """Return the path of a namespace's events."""
    return _path("/api/v1/namespaces", namespace, "events")


def namespaces(*name: str) -> str:
    """Return the path of all namespaces, or of one."""
    return _path("/api/v1/namespaces", *name)


def nodes(name: str) -> str:
    """Return the path of a node."""
    return _path("/api/v1/nodes", name)


def objects(root: str, namespace: str, plural: str, *name: str) -> str:
    """Return the path of a namespace's objects of a kind, or of one; ``root`` as /apis/apps/v1."""
    return _path(f"{root}/namespaces", namespace, plural, *name)


def everywhere(root: str, plural: str) -> str:
    """Return the path of all namespaces' objects of a kind; ``root`` as /apis/apps/v1."""
    return _path(root, plural)


def _path(root: str, *parts: str) -> str:
    return "/".join((root, *(quote(part, safe="") for part in parts)))


def read_access(connection: Connection, environ: Mapping[str, str]) -> Access:
    """Return the kubeconfig that kubectl would use for these flags.

    Raises InvalidRequest for a file that can't be read and for names that are not in it.
    """
    access = kubeconfig.resolve(read_config(connection, environ), connection)
    if not kubeconfig.programs_of(access.user):
        return access
    return access._replace(policy=read_policy(connection, environ))


def read_policy(connection: Connection, environ: Mapping[str, str]) -> kuberc.PluginPolicy:
    """Return which credential plugins the user's kuberc lets run; raises InvalidRequest."""
    path = kuberc.kuberc_path(connection.kuberc, environ)
    if path is None:
        return kuberc.PluginPolicy()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        documents = list(yaml.load_all(path.read_text(), Loader=loader))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidRequest(f"kuberc {str(path)!r} can't be read", reason_of(error)) from error
    return kuberc.plugin_policy(documents, path)


def read_config(connection: Connection, environ: Mapping[str, str]) -> Json:
    """Return the kubeconfig files as one, or the kubeconfig of the pod that we run in.

    Raises InvalidRequest for a file that can't be read.
    """
    documents = [(path, _read_yaml(path)) for path in kubeconfig.config_paths(connection, environ)]
    own = None if documents or connection.server else kubeconfig.in_cluster(environ)
    return kubeconfig.merge(documents) if own is None else own


def read_objects(path: str) -> list[Json]:
    """Return the objects of a YAML or JSON file, those of its Lists too; of stdin for "-".

    Raises InvalidRequest for a file that can't be read or has none.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # The API knows no dates, only texts that look like one.
    texts = type("Texts", (loader,), {"yaml_implicit_resolvers": _without_dates(loader)})
    what = title_of(path)
    try:
        documents = [to_json(d) for d in yaml.load_all(_text_of(path), Loader=texts)]
    except (OSError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise InvalidRequest(f"{what} can't be read", reason_of(error)) from error
    found = []
    for document in documents:
        items = document.get("items") if isinstance(document, dict) else None
        found += items if isinstance(items, list) else [document]
    objects = [item for item in found if isinstance(item, dict)]
    if not objects:
        raise InvalidRequest(f"{what} has no object")
    return objects


def title_of(path: str) -> str:
    """Return what to call a file in a message."""
    return "stdin" if path == STDIN else f"file {path!r}"


def _text_of(path: str) -> str:
    if path != STDIN:
        return Path(path).read_text()
    with open(0, "rb", closefd=False) as stdin:
        return stdin.read().decode()


def to_json(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """Return what YAML has read as JSON would have it: all keys are texts, as kubectl makes them.

    Raises ValueError for a key that is none, and for what is inside of itself.
    """
    if id(value) in inside:
        raise ValueError("an anchor is inside of itself")
    if isinstance(value, dict):
        inside = (*inside, id(value))
        return {_text_key(key): to_json(each, inside) for key, each in value.items()}
    if isinstance(value, list):
        inside = (*inside, id(value))
        return [to_json(each, inside) for each in value]
    return value


def _text_key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int)):
        return str(key)
    if isinstance(key, float):
        # Go's shortest form, without the fraction that Python gives a whole number.
        return str(int(key)) if key.is_integer() and abs(key) < 1e21 else repr(key)
    raise ValueError(f"{key!r} can't be a key")


def _without_dates(loader: Any) -> dict[str, list[Any]]:
    known = loader.yaml_implicit_resolvers.items()
    return {key: [r for r in those if "timestamp" not in r[0]] for key, those in known}


def to_yaml(document: Json) -> str:
    """Return a document as YAML, its keys in their order."""
    text = str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    if all(c.isprintable() or c == "\n" for c in text):
        return text
    # Controls and bidirectional marks would speak to the terminal: then as escapes.
    return str(yaml.safe_dump(document, sort_keys=False))


def _read_yaml(path: Path) -> Json:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(path.read_text(), Loader=loader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        problem = f"kubeconfig {str(path)!r} can't be read"
        raise InvalidRequest(problem, reason_of(error)) from error
    if not kubeconfig.is_kubeconfig(document or {}):
        raise InvalidRequest(f"{str(path)!r} is not a kubeconfig")
    return document or {}


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
        """Load the credentials; raises InvalidRequest where they can't be had.

        ``timeout`` is in seconds, for a request that names none, ``login_timeout`` for a
        credential plugin. ``pause`` waits, and returns false as soon as nobody waits any more; it
        raises nothing, for a request may be on its way. ``save_terminal`` is for a plugin that
        asks a person.
        """
        self.access = access
        self.namespace = access.namespace
        self._timeout = timeout
        self._pause = pause
        self._credentials = Credentials(access, login_timeout, pause, save_terminal)
        self._host = self._credentials.host
        self._proxy = self._choose_proxy()
        self._pools = threading.Lock()
        self._pool_of = self._make_pool(self._credentials.proof())

    def _choose_proxy(self) -> Proxy | None:
        own = self.access.cluster.get("proxy-url")
        if own:
            return self._parse_proxy(str(own))
        # As Go's clients: a proxy could not reach this machine's loopback.
        if is_loopback(urlsplit(self._host).hostname or ""):
            return None
        environ = {key.lower(): value for key, value in os.environ.items() if value}
        named = {s: environ[f"{s}_proxy"] for s in ("http", "https") if f"{s}_proxy" in environ}
        if not named:
            return None
        # All of requests comes with it.
        from requests.utils import select_proxy, should_bypass_proxies

        if should_bypass_proxies(self._host, no_proxy=environ.get("no_proxy")):
            return None
        found = select_proxy(self._host, named)
        return self._parse_proxy(found) if found else None

    def _parse_proxy(self, text: str) -> Proxy:
        """Return a proxy by its URL; without a scheme it is http, as for Go's clients."""
        shown = kubeconfig.without_login(text)
        try:
            url = urlsplit(text if "://" in text else f"http://{text}")
            scheme, host, port = url.scheme.lower(), url.hostname, url.port
        except ValueError as error:
            raise InvalidRequest(f"proxy {shown!r} is not a URL") from error
        if scheme not in ("http", "https"):
            problem = f"proxy {shown!r} is neither http nor https"
            raise InvalidRequest(problem, "SOCKS is not supported")
        if not host or port == 0:
            raise InvalidRequest(f"proxy {shown!r} is not a URL")
        login = (unquote(url.username), unquote(url.password or "")) if url.username else None
        if scheme == "http":
            return Proxy(host, port or 80, login)
        return Proxy(host, port or 443, login, self._credentials.proxy_context())

    def _make_pool(self, proof: Proof) -> tuple[ssl.SSLContext | None, urllib3.PoolManager]:
        """Return connections that show a certificate, and the context that they have of it."""
        tls, server_name = proof.tls, self._credentials.server_name
        common: dict[str, Any] = {"maxsize": 12, "retries": False, "ssl_context": tls}
        if server_name:
            # Not assert_hostname, too: the context, which an exec shares, would then check no name.
            common["server_hostname"] = server_name
        if not self._credentials.verifies:
            # The user has asked for it, and need not be told at each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        proxy = self._proxy
        if proxy is None:
            return tls, urllib3.PoolManager(**common)
        basic = ":".join(proxy.login) if proxy.login else None
        headers = urllib3.make_headers(proxy_basic_auth=basic) if basic else None
        scheme = "https" if proxy.context else "http"
        host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
        return tls, urllib3.ProxyManager(
            f"{scheme}://{host}:{proxy.port}",
            proxy_headers=headers,
            proxy_ssl_context=proxy.context,
            **common,
        )

    def _pool(self, proof: Proof) -> urllib3.PoolManager:
        """Return connections for what is shown now: a renewed certificate needs new ones."""
        with self._pools:
            if self._pool_of[0] is not proof.tls:
                self._pool_of = self._make_pool(proof)
            return self._pool_of[1]

    def _headers(self, proof: Proof) -> list[tuple[str, str]]:
        agent = ("User-Agent", f"kubectl-scratch/{__version__}")
        return [agent, *self._credentials.headers(proof)]

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
        """Go where a manifest says; raises InvalidRequest where -n says otherwise, as kubectl."""
        if namespace is None or namespace == self.namespace:
            return
        if self.access.chosen_namespace:
            problem = f"the manifest is of namespace {namespace!r}, -n says {self.namespace!r}"
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
        return self._call("POST", path, {"dryRun": "All"}, body, check=answers.check_object)

    def table(self, path: str, **query: str) -> Json:
        """Read a list as the few columns that kubectl prints of it, where the server can."""
        query = {"includeObject": "None", **query}
        return self._call("GET", path, query, accept=_TABLE, check=_is_table).body

    def log(self, namespace: str, pod: str, container: str, lines: int, **query: str) -> list[str]:
        """Read a log's last lines, each no longer than people read."""
        path = pods(namespace, pod, "log")
        some = {"container": container, "tailLines": str(lines), "limitBytes": LOG_BYTES}
        action = f"GET {path}"
        url = f"{self._host}{path}?{urlencode({**some, **query})}"
        answer = self._send("GET", url, action, {}, READ_SECONDS)
        if not 200 <= answer.status < 300:
            raise _refusal(answer, answer.data, action)
        said = answer.data.decode(errors="replace").removesuffix("\n")
        # What a progress bar writes is one line, whatever else Python takes for the end of one.
        found = said.split("\n")[-lines:] if said else []
        return [f"{line[:LINE_LENGTH]}..." if line[LINE_LENGTH:] else line for line in found]

    def watch(self, path: str, seconds: int, **query: str) -> Iterator[Json]:
        """Yield the objects of a list, and each change of one, for so many seconds at most.

        https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
        """
        query = {**query, "watch": "true", "timeoutSeconds": str(seconds)}
        url, action = f"{self._host}{path}?{urlencode(query)}", f"WATCH {path}"
        try:
            answer = self._send("GET", url, action, {}, seconds + READ_SECONDS, preload=False)
            with contextlib.closing(answer):
                if not 200 <= answer.status < 300:
                    raise _refusal(answer, answer.read(), action)
                for line in _lines(answer.stream()):
                    yield _changed(line, path, action)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(_why_unreachable(error), action) from error

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
        query = {"dryRun": "All"} if dry_run else {}
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
        query, check = {"dryRun": "All"}, answers.check_deletion
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
        # Who is abandoned asks for nothing more.
        tasks.raise_if_abandoned()
        action = f"{verb} {path}"
        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = kind
        data = None if body is None else json.dumps(body).encode()
        most = timeout or self._timeout or READ_SECONDS
        answer = self._send(verb, url, action, headers, most, data)
        location = answer.headers.get("Location")
        found = answers.body_of(answer.status, answer.data, action, location)
        if not check(found, path):
            raise answers.nonsense(answer.status, answer.data, action)
        return Answer(found, answers.time_of(answer.headers.get("Date")))

    def _send(
        self,
        verb: str,
        url: str,
        action: str,
        headers: Mapping[str, str],
        most: float,
        data: bytes | None = None,
        preload: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request, and again what has certainly not been done; raises ClusterError.

        With a renewed login where the old one is refused, and a while later where the API server
        is busy. ``most`` is in seconds, for an answer, and for the waits together.
        """
        deadline, tries, proof = time.monotonic() + most, 0, self._credentials.proof(most)
        refused = False
        while True:
            answer = self._ask(proof, verb, url, action, headers, most, data, preload)
            if answer.status == _UNAUTHORIZED and not refused:
                refused, renewed = True, self._credentials.renewed(proof, most)
                if renewed is not None:
                    answer.close()
                    proof = renewed
                    continue
            wait = _wait_of(answer)
            if wait is not None and tries < BUSY_TRIES and time.monotonic() + wait <= deadline:
                tries += 1
                if self._pause(wait):
                    answer.close()
                    continue
            if tries and verb == "POST" and answer.status >= 300 and DRY_RUN not in url:
                # One of those before may have been done in spite of its answer.
                said = f"{_refusal(answer, answer.data, action).message} ({UNSURE})"
                raise ClusterError(0, "Unsure", said, action)
            return answer

    def _ask(
        self,
        proof: Proof,
        verb: str,
        url: str,
        action: str,
        headers: Mapping[str, str],
        most: float,
        data: bytes | None,
        preload: bool,
    ) -> urllib3.BaseHTTPResponse:
        shown = urllib3.HTTPHeaderDict([*headers.items(), *self._headers(proof)])
        limits = urllib3.Timeout(connect=min(CONNECT_SECONDS, most), read=most)
        try:
            return self._pool(proof).request(
                verb,
                url,
                headers=shown,
                body=data,
                timeout=limits,
                # Whoever a redirect names would be shown the login.
                redirect=False,
                preload_content=preload,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(_why_unreachable(error), action) from error

    def allows(self, verb: str, group: str, resource: str, namespace: str) -> bool | None:
        """Ask the cluster whether the user may; None where it gives no answer.

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
        url = self._host + pods(namespace, pod, "exec") + "?" + urlencode(query)
        return self._endpoint("ws" + url.removeprefix("http"), self._credentials.proof())

    def _endpoint(self, url: str, proof: Proof) -> ExecEndpoint:
        def renew() -> ExecEndpoint | None:
            renewed = self._credentials.renewed(proof)
            return None if renewed is None else self._endpoint(url, renewed)

        return ExecEndpoint(
            url=url,
            headers=tuple(f"{key}: {value}" for key, value in self._headers(proof)),
            context=proof.tls,
            server_hostname=self._credentials.server_name,
            proxy=self._proxy,
            timeout=CONNECT_SECONDS,
            renew=renew,
        )


def _is_version(body: Json, path: str) -> bool:
    return answers.fits(body, answers.VERSION)


def _is_review(body: Json, path: str) -> bool:
    return answers.fits(body, answers.REVIEW)


def _is_table(body: Json, path: str) -> bool:
    """Say whether a body is a Table, or the list that a server gives which has no Tables."""
    if body.get("kind") == "Table":
        return answers.fits(body, answers.TABLE)
    return answers.check_list(body, path)


def _refusal(answer: urllib3.BaseHTTPResponse, data: bytes, action: str) -> ClusterError:
    try:
        answers.body_of(answer.status, data, action, answer.headers.get("Location"))
    except ClusterError as error:
        return error
    return answers.nonsense(answer.status, data, action)


def _changed(line: bytes, path: str, action: str) -> Json:
    """Return the object of a watch's event; raises ClusterError where that is none."""
    event = answers.parsed(line)
    found = event.get("object") if isinstance(event, dict) else None
    if not isinstance(found, dict) or not isinstance(event, dict):
        raise answers.nonsense(200, line, action)
    if event.get("type") == "ERROR":
        code = found.get("code")
        status = code if isinstance(code, int) and code >= 400 else 500
        raise answers.refusal(status, found, action)
    if not answers.check_object(found, path):
        raise answers.nonsense(200, line, action)
    return found


def _wait_of(answer: urllib3.BaseHTTPResponse) -> float | None:
    """Return after how many seconds a busy API server wants to be asked again, if it is busy."""
    after = answer.headers.get("Retry-After") if answer.status in BUSY else None
    if after is None or not after.strip().isdecimal():
        return None
    seconds = float(after)
    return max(seconds, SHORTEST_WAIT) if seconds <= LONGEST_WAIT else None


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# What http.client says where a proxy refuses.
TUNNEL = re.compile(r"Tunnel connection failed: (\d+ ?[^'\")]*)")


def _why_unreachable(error: BaseException) -> str:
    """Return the reason in words; urllib3 wraps it several times, and differently."""
    chain: list[BaseException] = [error]
    while (inner := _inner(chain[-1])) is not None and inner not in chain:
        chain.append(inner)
    for cause in reversed(chain):
        refused = TUNNEL.search(str(cause))
        if refused is not None:
            return f"its proxy answered {refused[1]}"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate can't be verified: {cause.verify_message}"
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "its name can't be resolved"
        if isinstance(cause, TimeoutError):
            return "it did not answer in time"
        if isinstance(cause, ssl.SSLError):
            return f"TLS fails: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
        if isinstance(cause, ConnectionError) and not cause.errno:
            return "it cut the connection"
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
    if any(isinstance(cause, urllib3.exceptions.TimeoutError) for cause in chain):
        return "it did not answer in time"
    return kubeconfig.without_login(reason_of(chain[-1]))


def _inner(error: BaseException) -> BaseException | None:
    wrapped = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((cause for cause in wrapped if isinstance(cause, BaseException)), None)
