"""The API server: raw JSON verbs on paths. The only importer of kubernetes and urllib3.

Typed models drop fields that they have never heard of (V1Pod of the Python client 31 to 36)
or refuse them (37), so pods travel as dicts; the client gives configuration and credentials.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_kube_config_from_dict
from requests.utils import select_proxy, should_bypass_proxies

from kubectl_scratch import __version__, kubeconfig
from kubectl_scratch.errors import ClusterError, InvalidRequest, Unreachable
from kubectl_scratch.kubeconfig import Access, Connection
from kubectl_scratch.lease import server_time
from kubectl_scratch.podjson import Json
from kubectl_scratch.private import private_folder
from kubectl_scratch.stream import Dial

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Answer:
    """An object, and the API server's own time when it gave it."""

    body: Json
    at: datetime


def pods(namespace: str, *more: str) -> str:
    """Return the path of a namespace's pods, of one pod, or of its subresource."""
    return _path("/api/v1/namespaces", namespace, "pods", *more)


def jobs(namespace: str, *more: str) -> str:
    """Return the path of a namespace's Jobs, or of one."""
    return _path("/apis/batch/v1/namespaces", namespace, "jobs", *more)


def events(namespace: str) -> str:
    """Return the path of a namespace's events."""
    return _path("/api/v1/namespaces", namespace, "events")


def namespaces(name: str) -> str:
    """Return the path of a namespace."""
    return _path("/api/v1/namespaces", name)


def _path(root: str, *parts: str) -> str:
    return "/".join((root, *(quote(part, safe="") for part in parts)))


def read_access(connection: Connection, environ: Mapping[str, str]) -> Access:
    """Return the kubeconfig that kubectl would use for these flags.

    Raises InvalidRequest for a file that can't be read and for names that are not in it.
    """
    documents = [(path, _read_yaml(path)) for path in kubeconfig.config_paths(connection, environ)]
    if not documents and not connection.server:
        own = kubeconfig.in_cluster(environ)
        if own is not None:
            return kubeconfig.resolve(own, connection)
    return kubeconfig.resolve(kubeconfig.merge(documents), connection)


def _read_yaml(path: Path) -> Json:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(path.read_text(), Loader=loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        problem = f"kubeconfig {str(path)!r} can't be read"
        raise InvalidRequest(problem, _first_line(error)) from error
    if not kubeconfig.is_kubeconfig(document or {}):
        raise InvalidRequest(f"{str(path)!r} is not a kubeconfig")
    return document or {}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class Cluster:
    """One API server, as one user. Safe to use from several threads."""

    def __init__(self, access: Access, timeout: float | None = None) -> None:
        """Load the credentials; raises InvalidRequest where they can't be had."""
        self.access = access
        self.namespace = access.namespace
        self._timeout = timeout
        self._settings = Configuration()
        self._auth_lock = threading.Lock()
        with private_folder() as folder, _client_errors() as errors:
            try:
                load_kube_config_from_dict(
                    access.config,
                    client_configuration=self._settings,
                    persist_config=False,
                    temp_file_path=str(folder),
                )
                self._tls = self._tls_context()
            except (ConfigException, OSError, ssl.SSLError, ValueError) as error:
                raise InvalidRequest(
                    "the cluster's credentials can't be loaded", _first_line(error)
                ) from error
        if errors:
            raise InvalidRequest("the cluster's credentials can't be loaded", errors[0])
        self._host = self._settings.host.rstrip("/")
        self._proxy = self._choose_proxy()
        self._pool = self._make_pool()

    def _tls_context(self) -> ssl.SSLContext | None:
        """Build the context once, so that no key file has to outlive this call."""
        settings = self._settings
        if not settings.host.startswith("https"):
            return None
        context = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
        if not settings.verify_ssl:
            # The user has asked for it, and need not be told at each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        # The CAs of many clusters lack key usage and identifier extensions, which 3.13 asks for.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None)
        return context

    def _choose_proxy(self) -> str | None:
        own = self.access.cluster.get("proxy-url")
        if own:
            return _proxy_url(str(own))
        # As Go's clients: a proxy could not reach this machine's loopback.
        if is_loopback(urlsplit(self._host).hostname or ""):
            return None
        environ = {key.lower(): value for key, value in os.environ.items() if value}
        if should_bypass_proxies(self._host, no_proxy=environ.get("no_proxy")):
            return None
        named = {s: environ[f"{s}_proxy"] for s in ("http", "https") if f"{s}_proxy" in environ}
        found = select_proxy(self._host, named)
        return _proxy_url(found) if found else None

    def _make_pool(self) -> urllib3.PoolManager:
        common: dict[str, Any] = {"maxsize": 4, "retries": False, "ssl_context": self._tls}
        if self._settings.tls_server_name:
            common["server_hostname"] = self._settings.tls_server_name
            common["assert_hostname"] = self._settings.tls_server_name
        if self._proxy is None:
            return urllib3.PoolManager(**common)
        login = urlsplit(self._proxy)
        basic = f"{login.username}:{login.password or ''}" if login.username else None
        headers = urllib3.make_headers(proxy_basic_auth=basic) if basic else None
        return urllib3.ProxyManager(self._proxy, proxy_headers=headers, **common)

    def _headers(self) -> list[tuple[str, str]]:
        headers = [("User-Agent", f"kubectl-scratch/{__version__}")]
        token_file = self.access.user.get("tokenFile")
        with self._auth_lock:
            # A pod's own token is renewed on disk within the hour.
            if token_file and not self.access.user.get("token"):
                token: str | None = f"Bearer {Path(token_file).read_text().strip()}"
            else:
                token = self._settings.get_api_key_with_prefix("authorization")
        if token:
            if not kubeconfig.fits_a_header(token):
                raise InvalidRequest("the token has a character that no header can carry")
            headers.append(("Authorization", token))
        return headers + kubeconfig.impersonation_headers(self.access.user)

    def get(self, path: str, **query: str) -> Answer:
        """Read an object or a list."""
        return self._call("GET", path, query)

    def create(self, path: str, body: Json) -> Answer:
        """Create an object."""
        return self._call("POST", path, {}, body)

    def patch(
        self, path: str, body: Json, kind: str = MERGE_PATCH, timeout: float | None = None
    ) -> Answer:
        """Patch an object."""
        return self._call("PATCH", path, {}, body, kind, timeout)

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
    ) -> Answer:
        action = f"{verb} {path}"
        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        headers = urllib3.HTTPHeaderDict([("Accept", "application/json"), *self._headers()])
        if body is not None:
            headers["Content-Type"] = kind
        most = timeout or self._timeout or READ_SECONDS
        limits = urllib3.Timeout(connect=min(CONNECT_SECONDS, most), read=most)
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(verb, url, headers=headers, body=data, timeout=limits)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(_why_unreachable(error), action) from error
        return _read_answer(answer.status, answer.data, answer.headers.get("Date"), action)

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Ask the cluster whether the user may; an answer that is no answer is a no."""
        wanted = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        try:
            answer = self.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        except ClusterError:
            return False
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
        login = (proxy.username, proxy.password or "") if proxy and proxy.username else None
        return Dial(
            url="ws" + url.removeprefix("http"),
            headers=tuple(f"{key}: {value}" for key, value in self._headers()),
            context=self._tls,
            server_hostname=self._settings.tls_server_name,
            proxy=(proxy.hostname or "", proxy.port or 80, login) if proxy else None,
            timeout=CONNECT_SECONDS,
        )


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
    return Answer(body, server_time(date) if date else datetime.now(timezone.utc))


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
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
    if any(isinstance(cause, urllib3.exceptions.TimeoutError) for cause in chain):
        return "it did not answer in time"
    return _first_line(error)


def _inner(error: BaseException) -> BaseException | None:
    wrapped = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((cause for cause in wrapped if isinstance(cause, BaseException)), None)


@contextmanager
def _client_errors() -> Iterator[list[str]]:
    """Collect what the Python client only logs, such as a credential plugin's failure."""
    lines: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
