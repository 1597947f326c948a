"""The HTTP proxy before an API server, chosen as Go's clients do. The only importer of requests."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.urls import without_login

if TYPE_CHECKING:
    import ssl


class Proxy(NamedTuple):
    """An HTTP proxy; ``login`` is a name and a password, ``context`` for one that speaks TLS."""

    host: str
    port: int
    login: tuple[str, str] | None = None
    context: ssl.SSLContext | None = None


def choose_proxy(
    server: str, configured: str, environ: Mapping[str, str], context: Callable[[], ssl.SSLContext]
) -> Proxy | None:
    """Return the proxy to a server: the ``configured`` one, else that of the environment.

    Raises InvalidRequest for one that is no URL of an HTTP proxy. ``context`` is for one that
    speaks TLS.
    """
    if configured:
        return _parsed(configured, context)
    # As Go's clients: a proxy could not reach this machine's loopback.
    if is_loopback(urlsplit(server).hostname or ""):
        return None
    known = {key.lower(): value for key, value in environ.items() if value}
    named = {s: known[f"{s}_proxy"] for s in ("http", "https") if f"{s}_proxy" in known}
    if not named:
        return None
    # All of requests comes with it.
    from requests.utils import select_proxy, should_bypass_proxies

    if should_bypass_proxies(server, no_proxy=known.get("no_proxy")):
        return None
    found = select_proxy(server, named)
    return _parsed(found, context) if found else None


def _parsed(text: str, context: Callable[[], ssl.SSLContext]) -> Proxy:
    """Return a proxy by its URL; without a scheme it is http, as for Go's clients."""
    shown = without_login(text)
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
    return Proxy(host, port or 443, login, context())


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
