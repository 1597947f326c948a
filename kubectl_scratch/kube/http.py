"""HTTP requests to one API server, as one user. The only importer of urllib3."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import urllib3

from kubectl_scratch import __version__
from kubectl_scratch.errors import ClusterError, Unreachable, reason_of
from kubectl_scratch.kube import answers
from kubectl_scratch.kube.access import Access
from kubectl_scratch.kube.credentials import Credentials, Proof
from kubectl_scratch.kube.exec_types import ExecEndpoint
from kubectl_scratch.kube.proxies import choose_proxy
from kubectl_scratch.kube.urls import without_login

CONNECT_SECONDS = 10.0
# An API server that has no time says when it may have: what it answers so it has not done.
# How often that is heeded, and for how many seconds at once.
BUSY, BUSY_TRIES, SHORTEST_WAIT, LONGEST_WAIT = (429, 503), 5, 0.1, 10.0
_UNAUTHORIZED = 401
UNSURE = "it is unknown whether it was created"
DRY_RUN = {"dryRun": "All"}


class HttpRequest(NamedTuple):
    """A request; ``seconds`` are for its answer, which is read line by line if it ``streams``."""

    verb: str
    path: str
    query: Mapping[str, str]
    seconds: float
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    streams: bool = False

    @property
    def action(self) -> str:
        """Return what to call it in a message."""
        return f"{'WATCH' if self.streams else self.verb} {self.path}"


class HttpConnection:
    """Connections to one API server. Safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        login_timeout: float | None,
        pause: Callable[[float], bool],
        save_terminal: Callable[[], Callable[[], None]],
    ) -> None:
        """Load the credentials; raises InvalidRequest if they cannot be loaded."""
        self._pause = pause
        self._credentials = Credentials(access, login_timeout, pause, save_terminal)
        self._host = self._credentials.host
        own = str(access.cluster.get("proxy-url") or "")
        self._proxy = choose_proxy(self._host, own, os.environ, self._credentials.proxy_context)
        self._pools = threading.Lock()
        self._pool_of = self._make_pool(self._credentials.proof())

    def _make_pool(self, proof: Proof) -> tuple[ssl.SSLContext | None, urllib3.PoolManager]:
        """Return connections that show a certificate, and the context that they have of it."""
        tls, server_name = proof.tls, self._credentials.server_name
        common: dict[str, Any] = {"maxsize": 12, "retries": False, "ssl_context": tls}
        if server_name:
            # Not assert_hostname, too: the context, which an exec shares, would then check no name.
            common["server_hostname"] = server_name
        if not self._credentials.verifies:
            # The user has asked for it: a warning at each request would be noise.
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

    def send(self, request: HttpRequest) -> urllib3.BaseHTTPResponse:
        """Send a request, and again what has certainly not been done; raises ClusterError.

        With a renewed login if the old one is refused, and a while later if the API server
        is busy, as long as the request's time lasts.
        """
        deadline, tries = time.monotonic() + request.seconds, 0
        proof, refused = self._credentials.proof(request.seconds), False
        while True:
            answer = self._ask(request, proof)
            if answer.status == _UNAUTHORIZED and not refused:
                refused, renewed = True, self._credentials.renewed(proof, request.seconds)
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
            creates = request.verb == "POST" and request.query != DRY_RUN
            if tries and creates and answer.status >= 300:
                # One of those before may have been done in spite of its answer.
                said = f"{error_of(answer, answer.data, request.action).message} ({UNSURE})"
                raise ClusterError(0, "Unsure", said)
            return answer

    def _ask(self, request: HttpRequest, proof: Proof) -> urllib3.BaseHTTPResponse:
        query = f"?{urlencode(request.query)}" if request.query else ""
        headers = [*request.headers.items(), *self._headers(proof)]
        connect = min(CONNECT_SECONDS, request.seconds)
        try:
            return self._pool(proof).request(
                request.verb,
                self._host + request.path + query,
                headers=urllib3.HTTPHeaderDict(headers),
                body=request.body,
                timeout=urllib3.Timeout(connect=connect, read=request.seconds),
                # Whoever a redirect names would be shown the login.
                redirect=False,
                preload_content=not request.streams,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(why_unreachable(error)) from error

    def lines(self, request: HttpRequest) -> Iterator[bytes]:
        """Yield the lines of an answer as they come; raises ClusterError."""
        try:
            with contextlib.closing(self.send(request)) as answer:
                if not 200 <= answer.status < 300:
                    raise error_of(answer, answer.read(), request.action)
                yield from _lines(answer.stream())
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(why_unreachable(error)) from error

    def exec_endpoint(self, path: str, query: list[tuple[str, str]]) -> ExecEndpoint:
        """Return how to reach an exec, with what the user shows now."""
        url = f"ws{self._host.removeprefix('http')}{path}?{urlencode(query)}"
        return self._endpoint(url, self._credentials.proof())

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


def error_of(answer: urllib3.BaseHTTPResponse, data: bytes, action: str) -> ClusterError:
    """Return the error of an answer that is no success."""
    try:
        answers.body_of(answer.status, data, action, answer.headers.get("Location"))
    except ClusterError as error:
        return error
    return answers.nonsense(answer.status, data, action)


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


# What http.client says if a proxy refuses.
TUNNEL = re.compile(r"Tunnel connection failed: (\d+ ?[^'\")]*)")


def why_unreachable(error: BaseException) -> str:
    """Return the reason in words; urllib3 wraps it several times, and differently."""
    chain: list[BaseException] = [error]
    while (inner := _inner(chain[-1])) is not None and inner not in chain:
        chain.append(inner)
    for cause in reversed(chain):
        refused = TUNNEL.search(str(cause))
        if refused is not None:
            return f"its proxy answered {refused[1]}"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate cannot be verified: {cause.verify_message}"
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "its name cannot be resolved"
        if isinstance(cause, TimeoutError):
            return "it timed out"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
        if isinstance(cause, ConnectionError) and not cause.errno:
            return "it closed the connection"
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
    if any(isinstance(cause, urllib3.exceptions.TimeoutError) for cause in chain):
        return "it timed out"
    return without_login(reason_of(chain[-1]))


def _inner(error: BaseException) -> BaseException | None:
    wrapped = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((cause for cause in wrapped if isinstance(cause, BaseException)), None)
