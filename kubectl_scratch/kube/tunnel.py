"""A connection to a server, through a proxy if there is one.

A proxy may speak TLS itself: then there is TLS in TLS, which Python's sockets cannot do.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import time
from urllib.parse import urlsplit

from kubectl_scratch.kube.exec_types import ExecEndpoint
from kubectl_scratch.kube.proxies import Proxy

# What a TLS record holds at most, and how long a proxy's answer may be.
RECORD_BYTES, HEAD_BYTES = 16384, 65536
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class NoTunnel(OSError):
    """The proxy does not let us through."""


def reach(endpoint: ExecEndpoint) -> Tunnel:
    """Connect to the server, through the proxy if there is one; raises OSError."""
    try:
        return _connected(endpoint)
    except ValueError as error:
        # Of a name: too long, or empty.
        raise OSError(f"its name cannot be used: {error}") from error


def _connected(endpoint: ExecEndpoint) -> Tunnel:
    where = urlsplit(endpoint.url)
    host, port = where.hostname or "", where.port or (443 if endpoint.context else 80)
    if endpoint.proxy is None:
        sock = _connect(host, port, endpoint.timeout)
    else:
        sock = _through(endpoint.proxy, host, port, endpoint.timeout)
    if endpoint.context is None:
        return sock
    name = endpoint.server_hostname or host
    try:
        if isinstance(sock, ssl.SSLSocket):
            return TlsInTls(sock, endpoint.context, name)
        return endpoint.context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    sock = socket.create_connection((host, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _through(proxy: Proxy, host: str, port: int, timeout: float) -> socket.socket:
    sock = _connect(proxy.host, proxy.port, timeout)
    try:
        if proxy.context is not None:
            sock = proxy.context.wrap_socket(sock, server_hostname=proxy.host)
        _ask_for_tunnel(sock, proxy, host, port, timeout)
        sock.settimeout(timeout)
    except BaseException:
        sock.close()
        raise
    return sock


def _ask_for_tunnel(
    sock: socket.socket, proxy: Proxy, host: str, port: int, seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    to = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = [f"CONNECT {to} HTTP/1.1", f"Host: {to}"]
    if proxy.login is not None:
        login = base64.b64encode(":".join(proxy.login).encode()).decode()
        head.append(f"Proxy-Authorization: Basic {login}")
    sock.sendall("\r\n".join([*head, "", ""]).encode())
    answer = b""
    # Byte by byte: what comes behind it is not the proxy's any more.
    while not answer.endswith(b"\r\n\r\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoTunnel("the proxy timed out")
        sock.settimeout(left)
        byte = sock.recv(1)
        if not byte or len(answer) > HEAD_BYTES:
            raise NoTunnel("the proxy did not answer")
        answer += byte
    status = answer.split(b"\r\n")[0].decode(errors="replace").split(" ", 1)
    if len(status) != 2 or status[1][:3] != "200":
        raise NoTunnel(f"the proxy answered {status[-1]}")


class TlsInTls:
    """TLS within a connection that is TLS already, as far as a stream needs a socket.

    https://docs.python.org/3/library/ssl.html#memory-bio-support
    """

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, server_name: str) -> None:
        """Shake hands; raises OSError."""
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._inner = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._sending = b""
        while True:
            try:
                self._inner.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                self._flush()
                return

    @property
    def unsent(self) -> int:
        """Return how many bytes have been taken, and wait for the network."""
        return len(self._sending) + self._outgoing.pending

    def send(self, data: bytes) -> int:
        """Take some of the data; raises one of WOULD_BLOCK if the network takes nothing."""
        self._flush()
        sent = self._inner.write(data[:RECORD_BYTES]) if data else 0
        with contextlib.suppress(*WOULD_BLOCK):
            self._flush()
        return sent

    def recv(self, size: int) -> bytes:
        """Return what has come, nothing at the end; raises one of WOULD_BLOCK."""
        while True:
            try:
                return self._inner.read(size)
            except ssl.SSLWantReadError:
                with contextlib.suppress(*WOULD_BLOCK):
                    self._flush()
                self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def pending(self) -> int:
        """Return how much has been read from the network, and not been given yet."""
        return self._inner.pending() + self._incoming.pending + self._outer.pending()

    def _flush(self) -> None:
        self._sending += self._outgoing.read()
        while self._sending:
            sent = self._outer.send(self._sending[:RECORD_BYTES])
            self._sending = self._sending[sent:]

    def _fill(self) -> None:
        data = self._outer.recv(RECORD_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._outer.fileno()

    def gettimeout(self) -> float | None:
        """Return the socket's timeout."""
        return self._outer.gettimeout()

    def settimeout(self, seconds: float | None) -> None:
        """Set the socket's timeout."""
        self._outer.settimeout(seconds)

    def setblocking(self, flag: bool) -> None:
        """Say whether to wait for the network."""
        self._outer.setblocking(flag)

    def close(self) -> None:
        """Close the connection."""
        self._outer.close()


Tunnel = socket.socket | TlsInTls
