"""The API server: raw JSON verbs on paths. The only importer of urllib3, requests and yaml.

Typed models drop fields that they have never heard of (V1Pod of the Python client 31 to 36)
or refuse them (37), so pods travel as dicts.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

import urllib3
import yaml

from kubectl_scratch import __version__, kubeconfig, parallel
from kubectl_scratch.credentials import Credentials, reason_of
from kubectl_scratch.errors import ClusterError, InvalidRequest, Unreachable
from kubectl_scratch.execs import Dial
from kubectl_scratch.kubeconfig import Access
from kubectl_scratch.lease import server_time
from kubectl_scratch.podjson import Json
from kubectl_scratch.request import Connection, check_namespace

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# Of a log, and of one of its lines in characters: they may be of any length.
LOG_BYTES, LINE_LENGTH = "65536", 500
MERGE_PATCH = "application/merge-patch+json"
# https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


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


def config_maps(namespace: str) -> str:
    """Return the path of a namespace's ConfigMaps."""
    return _path("/api/v1/namespaces", namespace, "configmaps")


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
    return kubeconfig.resolve(read_config(connection, environ), connection)


def read_config(connection: Connection, environ: Mapping[str, str]) -> Json:
    """Return the kubeconfig files as one, or the kubeconfig of the pod that we run in.

    Raises InvalidRequest for a file that can't be read.
    """
    documents = [(path, _read_yaml(path)) for path in kubeconfig.config_paths(connection, environ)]
    own = None if documents or connection.server else kubeconfig.in_cluster(environ)
    return kubeconfig.merge(documents) if own is None else own


def read_objects(path: str) -> list[Json]:
    """Return the objects of a YAML or JSON file, those of its Lists too.

    Raises InvalidRequest for a file that can't be read or has none.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # The API knows no dates, only texts that look like one.
    texts = type("Texts", (loader,), {"yaml_implicit_resolvers": _without_dates(loader)})
    try:
        documents = list(yaml.load_all(Path(path).read_text(), Loader=texts))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidRequest(f"file {path!r} can't be read", reason_of(error)) from error
    found = []
    for document in documents:
        items = document.get("items") if isinstance(document, dict) else None
        found += items if isinstance(items, list) else [document]
    objects = [item for item in found if isinstance(item, dict)]
    if not objects or not all(map(_has_texts_as_keys, objects)):
        raise InvalidRequest(f"file {path!r} has no object")
    return objects


def _without_dates(loader: Any) -> dict[str, list[Any]]:
    known = loader.yaml_implicit_resolvers.items()
    return {key: [r for r in those if "timestamp" not in r[0]] for key, those in known}


def _has_texts_as_keys(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_texts_as_keys(v) for key, v in value.items())
    return not isinstance(value, list) or all(map(_has_texts_as_keys, value))


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
    except (OSError, ValueError, yaml.YAMLError) as error:
        problem = f"kubeconfig {str(path)!r} can't be read"
        raise InvalidRequest(problem, reason_of(error)) from error
    if not kubeconfig.is_kubeconfig(document or {}):
        raise InvalidRequest(f"{str(path)!r} is not a kubeconfig")
    return document or {}


class Cluster:
    """One API server, as one user. Safe to use from several threads."""

    def __init__(
        self, access: Access, timeout: float | None = None, login_timeout: float | None = None
    ) -> None:
        """Load the credentials; raises InvalidRequest where they can't be had.

        ``timeout`` is in seconds, for a request that names none, ``login_timeout`` for a
        credential plugin.
        """
        self.access = access
        self.namespace = access.namespace
        self._timeout = timeout
        self._credentials = Credentials(access, login_timeout)
        self._host = self._credentials.host
        self._proxy = self._choose_proxy()
        self._pool = self._make_pool()

    def _choose_proxy(self) -> str | None:
        own = self.access.cluster.get("proxy-url")
        if own:
            return _proxy_url(str(own))
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
        return _proxy_url(found) if found else None

    def _make_pool(self) -> urllib3.PoolManager:
        tls, server_name = self._credentials.tls, self._credentials.server_name
        common: dict[str, Any] = {"maxsize": 12, "retries": False, "ssl_context": tls}
        if server_name:
            common.update(server_hostname=server_name, assert_hostname=server_name)
        if not self._credentials.verifies:
            # The user has asked for it, and need not be told at each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if self._proxy is None:
            return urllib3.PoolManager(**common)
        login = urlsplit(self._proxy)
        basic = ":".join(_login(login)) if login.username else None
        headers = urllib3.make_headers(proxy_basic_auth=basic) if basic else None
        return urllib3.ProxyManager(self._proxy, proxy_headers=headers, **common)

    def _headers(self) -> list[tuple[str, str]]:
        return [("User-Agent", f"kubectl-scratch/{__version__}"), *self._credentials.headers()]

    def get(self, path: str, timeout: float | None = None, **query: str) -> Answer:
        """Read an object or a list; ``timeout`` is in seconds."""
        return self._call("GET", path, query, timeout=timeout)

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
        return self.get("/version").at

    def dry_run(self, path: str, body: Json) -> Answer:
        """Let the API server judge a creation that does not happen."""
        return self._call("POST", path, {"dryRun": "All"}, body)

    def table(self, path: str, **query: str) -> Json:
        """Read a list as the few columns that kubectl prints of it, where the server can."""
        query = {"includeObject": "None", **query}
        return self._call("GET", path, query, accept=TABLE).body

    def log(self, namespace: str, pod: str, container: str, lines: int, **query: str) -> list[str]:
        """Read a log's last lines, each no longer than people read."""
        path = pods(namespace, pod, "log")
        some = {"container": container, "tailLines": str(lines), "limitBytes": LOG_BYTES}
        url = f"{self._host}{path}?{urlencode({**some, **query})}"
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        headers = urllib3.HTTPHeaderDict(self._headers())
        try:
            answer = self._pool.request("GET", url, headers=headers, timeout=limits)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(_why_unreachable(error), f"GET {path}") from error
        if answer.status >= 400:
            _read_answer(answer.status, answer.data, None, f"GET {path}")
        said = answer.data.decode(errors="replace").removesuffix("\n")
        # What a progress bar writes is one line, whatever else Python takes for the end of one.
        found = said.split("\n")[-lines:] if said else []
        return [f"{line[:LINE_LENGTH]}..." if line[LINE_LENGTH:] else line for line in found]

    def watch(self, path: str, seconds: int, **query: str) -> Iterator[Json]:
        """Yield the objects of a list, and each change of one, for so many seconds at most.

        https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
        """
        query = {**query, "watch": "true", "timeoutSeconds": str(seconds)}
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds + READ_SECONDS)
        url, action = f"{self._host}{path}?{urlencode(query)}", f"WATCH {path}"
        headers = urllib3.HTTPHeaderDict(self._headers())
        try:
            answer = self._pool.request(
                "GET", url, headers=headers, timeout=limits, preload_content=False
            )
            with contextlib.closing(answer):
                if answer.status >= 400:
                    _read_answer(answer.status, answer.read(), None, action)
                for line in _lines(answer.stream()):
                    yield json.loads(line)["object"]
        except (urllib3.exceptions.HTTPError, OSError, ValueError, KeyError) as error:
            raise Unreachable(_why_unreachable(error), action) from error

    def create(self, path: str, body: Json) -> Answer:
        """Create an object."""
        return self._call("POST", path, {}, body)

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
        return self._call("PATCH", path, query, body, kind, timeout)

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
        return self._call("DELETE", path, {}, body, timeout=timeout)

    def _call(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str],
        body: Json | None = None,
        kind: str = "application/json",
        timeout: float | None = None,
        accept: str = "application/json",
    ) -> Answer:
        # Who is abandoned asks for nothing more.
        parallel.check()
        action = f"{verb} {path}"
        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        headers = urllib3.HTTPHeaderDict([("Accept", accept), *self._headers()])
        if body is not None:
            headers["Content-Type"] = kind
        most = timeout or self._timeout or READ_SECONDS
        limits = urllib3.Timeout(connect=min(CONNECT_SECONDS, most), read=most)
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(verb, url, headers=headers, body=data, timeout=limits)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(_why_unreachable(error), action) from error
        return _read_answer(answer.status, answer.data, answer.headers.get("Date"), action)

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Ask the cluster whether the user may; an answer that is no answer is a no."""
        return bool(self.allows(verb, group, resource, namespace))

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
        try:
            answer = self.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        except ClusterError:
            return None
        return bool((answer.body.get("status") or {}).get("allowed"))

    def exec_dial(
        self, namespace: str, pod: str, container: str, command: tuple[str, ...], tty: bool
    ) -> Dial:
        """Return how to reach an exec of ``command`` with stdin, and stderr apart without tty."""
        query = [("container", container), *(("command", word) for word in command)]
        query += [("stdin", "true"), ("stdout", "true")]
        query += [("tty", "true")] if tty else [("stderr", "true")]
        url = self._host + pods(namespace, pod, "exec") + "?" + urlencode(query)
        proxy = urlsplit(self._proxy) if self._proxy else None
        login = _login(proxy) if proxy and proxy.username else None
        return Dial(
            url="ws" + url.removeprefix("http"),
            headers=tuple(f"{key}: {value}" for key, value in self._headers()),
            context=self._credentials.tls,
            server_hostname=self._credentials.server_name,
            proxy=(proxy.hostname or "", proxy.port or 80, login) if proxy else None,
            timeout=CONNECT_SECONDS,
        )


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _read_answer(status: int, data: bytes, date: str | None, action: str) -> Answer:
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        # A proxy's page, and what it stands for is not known: status 0.
        text = data[:200].decode(errors="replace").strip()
        raise ClusterError(0, "NotKubernetes", f"HTTP {status}: {text}", action)
    if status >= 400:
        message = str(body.get("message") or f"HTTP {status}")
        kind = str((body.get("details") or {}).get("kind") or "")
        raise ClusterError(status, str(body.get("reason") or status), message, action, kind)
    return Answer(body, _time_of(date))


def _time_of(date: str | None) -> datetime:
    try:
        return server_time(date or "")
    except ValueError:
        # No API server leaves it out; a proxy may.
        return datetime.now(timezone.utc)


def _login(url: SplitResult) -> tuple[str, str]:
    return unquote(url.username or ""), unquote(url.password or "")


def _proxy_url(text: str) -> str:
    """Return a proxy's URL; without a scheme it is http, as for Go's clients."""
    url = text if "://" in text else f"http://{text}"
    if urlsplit(url).scheme.lower() not in ("http", "https"):
        raise InvalidRequest(f"proxy {text!r} is neither http nor https", "SOCKS is not supported")
    return url


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _why_unreachable(error: BaseException) -> str:
    """Return the reason in words; urllib3 wraps it several times, and differently."""
    chain: list[BaseException] = [error]
    while (inner := _inner(chain[-1])) is not None and inner not in chain:
        chain.append(inner)
    for cause in reversed(chain):
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
    return reason_of(error)


def _inner(error: BaseException) -> BaseException | None:
    wrapped = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((cause for cause in wrapped if isinstance(cause, BaseException)), None)
