"""The exec protocol over a WebSocket, without blocking: the only importer of websocket.

Each binary message starts with its channel's number. Subprotocol v4 has 0 to 4; v5 adds 255,
which closes a channel: without it the end of stdin cannot be said.
kubernetes/kubernetes, staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go.
"""

from __future__ import annotations

import contextlib
import json
import select
import time
from collections.abc import Callable
from typing import Any

import websocket

from kubectl_scratch.errors import ClusterError, Unreachable
from kubectl_scratch.kube import answers
from kubectl_scratch.kube.exec_errors import (
    MaybeStarted,
    NotStarted,
    NoWebSocket,
    is_not_started,
    outcome_of,
)
from kubectl_scratch.kube.exec_types import ExecEndpoint, ExecOutcome
from kubectl_scratch.kube.tunnel import WOULD_BLOCK, NoTunnel, Tunnel, reach
from kubectl_scratch.runtime import tasks

V4 = "v4.channel.k8s.io"
V5 = "v5.channel.k8s.io"

_STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
FRAME_BYTES = 16384
_READ_BYTES = 65536
# How much receive() gives at once: what it gives has to be written before more is read.
BATCH_BYTES = 1 << 18
# Of a Status: it quotes the command.
STATUS_BYTES = 1 << 21
SWITCHING_PROTOCOLS, _UNAUTHORIZED = 101, 401
MESSAGES = (
    websocket.ABNF.OPCODE_BINARY,
    websocket.ABNF.OPCODE_TEXT,
    websocket.ABNF.OPCODE_CONT,
)


def connect_exec(
    endpoint: ExecEndpoint, *subprotocols: str, reached: Tunnel | None = None
) -> ExecStream:
    """Open the stream; the first of ``subprotocols`` that the server knows is used.

    ``reached`` is a connection to that server. A login that is refused is renewed once.

    Raises one of UNREACHED, which are NotStarted, NoWebSocket, MaybeStarted and ClusterError.
    """
    try:
        return _open(endpoint, subprotocols, reached or _reach(endpoint))
    except ClusterError as error:
        renewed = endpoint.renew() if error.status == _UNAUTHORIZED else None
        if renewed is None:
            raise
    return _open(renewed, subprotocols, _reach(renewed))


def _reach(endpoint: ExecEndpoint) -> Tunnel:
    try:
        return reach(endpoint)
    except NoTunnel as error:
        raise NoWebSocket(str(error)) from error
    except OSError as error:
        raise Unreachable(str(error)) from error


def _open(endpoint: ExecEndpoint, subprotocols: tuple[str, ...], reached: Tunnel) -> ExecStream:
    ws = websocket.WebSocket(skip_utf8_validation=True)
    options: dict[str, Any] = {
        "header": list(endpoint.headers),
        "subprotocols": list(subprotocols),
        "suppress_origin": True,
        # The library knows no proxy that speaks TLS, and would show the login to whoever a
        # redirect names.
        "socket": reached,
        "redirect_limit": 0,
    }
    try:
        connect_to: Any = ws.connect
        connect_to(endpoint.url, timeout=endpoint.timeout, **options)
    except websocket.WebSocketBadStatusException as error:
        raise _bad_handshake(error.status_code, error.resp_body, error.resp_headers) from error
    except websocket.WebSocketException as error:
        answered = ws.getstatus()
        if answered is not None and answered != SWITCHING_PROTOCOLS:
            raise _bad_handshake(answered, b"", ws.getheaders()) from error
        # Cut, or an answer that is none: the request may have got through all the same.
        raise MaybeStarted(str(error)) from error
    except OSError as error:
        raise MaybeStarted(error.strerror or str(error)) from error
    except (ValueError, LookupError) as error:
        # The library reads an answer's head as if it always were one.
        raise MaybeStarted("the answer is malformed") from error
    sock, subprotocol = ws.sock, ws.getsubprotocol()
    if sock is None or subprotocol is None:
        raise MaybeStarted("no subprotocol was agreed on")
    return ExecStream(sock, subprotocol)


def _bad_handshake(code: int | None, body: bytes | None, headers: Any) -> Exception:
    if code is None:
        return MaybeStarted("the answer is malformed")
    if 300 <= code < 400:
        said = answers.redirection(code, (headers or {}).get("location"))
        return ClusterError(code, answers.REDIRECTED, said)
    status = answers.parsed(body or b"")
    if not isinstance(status, dict) or status.get("kind") != "Status":
        # The kubelet, to which the API server passes v4 on as it is, answers in plain text.
        text = (body or b"").decode(errors="replace")
        if code == _UNAUTHORIZED:
            return answers.refusal(code, {})
        return NotStarted(text) if is_not_started(text) else NoWebSocket(f"HTTP {code}")
    refused = answers.refusal(code, status)
    if is_not_started(refused.message):
        return NotStarted(refused.message)
    # A proxy that drops the Upgrade header leaves an API server that asks for one.
    if code == 400 and "upgrade" in refused.message.lower():
        return NoWebSocket(refused.message)
    return refused


class ExecStream:
    """One exec: queue to it, receive from it, and ask for its outcome."""

    def __init__(
        self, sock: Tunnel, subprotocol: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.subprotocol = subprotocol
        self.ended = False
        # It may come in several frames, and in several messages.
        self._status = b""
        self._sock = sock
        self._sock.setblocking(False)
        self._frames = websocket.frame_buffer(self._read, skip_utf8_validation=True)
        self._unsent = bytearray()
        self._unread = b""
        self._untaken: list[tuple[int, bytes]] = []
        self._channel: int | None = None
        self._clock = clock
        self.heard = clock()

    def fileno(self) -> int:
        """Return the socket's descriptor, to select on."""
        return self._sock.fileno()

    @property
    def outcome(self) -> ExecOutcome:
        """Return how it ended; lost if the other side never said."""
        return outcome_of(answers.parsed(self._status))

    @property
    def unsent(self) -> int:
        """Return how many bytes wait for the network."""
        return len(self._unsent) + getattr(self._sock, "unsent", 0)

    def queue(self, data: bytes, channel: int = _STDIN) -> None:
        """Queue data for the other side, in frames that every server takes."""
        for start in range(0, len(data), FRAME_BYTES):
            chunk = bytes([channel]) + data[start : start + FRAME_BYTES]
            self._frame(chunk, websocket.ABNF.OPCODE_BINARY)

    def close_stdin(self) -> None:
        """Say that stdin has ended, if the subprotocol can."""
        if self.subprotocol == V5:
            self._frame(bytes([CLOSE, _STDIN]), websocket.ABNF.OPCODE_BINARY)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the terminal's size."""
        self.queue(json.dumps({"Width": columns, "Height": rows}).encode(), RESIZE)

    def ping(self) -> None:
        """Ask for a sign of life; proxies cut streams that idle."""
        self._frame(b"", websocket.ABNF.OPCODE_PING)

    def _frame(self, payload: bytes, opcode: int) -> None:
        self._unsent += websocket.ABNF.create_frame(payload, opcode).format()

    def flush(self) -> None:
        """Send what the network takes now."""
        try:
            while self.unsent and not self.ended:
                sent = self._sock.send(bytes(self._unsent[:65536]))
                del self._unsent[:sent]
        except WOULD_BLOCK:
            pass
        except OSError:
            # The reason may still be in what can be read: let receive() find the end.
            self._unsent.clear()

    def receive(self) -> list[tuple[int, bytes]]:
        """Return what has come on stdout and stderr, without waiting.

        The stream has ended when ``ended`` is true; ``more`` says that the next call will
        find something, though the socket may have nothing to select on.
        """
        got, self._untaken = self._untaken, []
        while not self.ended and sum(len(data) for _, data in got) < BATCH_BYTES:
            try:
                frame = self._frames.recv_frame()
            except WOULD_BLOCK:
                break
            except (OSError, websocket.WebSocketException):
                self.ended = True
                break
            self._take(frame, got)
        return got

    @property
    def more(self) -> bool:
        """Say whether something has been read from the socket and not been given yet."""
        pending = getattr(self._sock, "pending", None)
        return bool(self._untaken) or (
            not self.ended and bool(self._unread or (pending and pending()))
        )

    def give_back(self, got: list[tuple[int, bytes]]) -> None:
        """Have the next ``receive`` return this first."""
        self._untaken = got + self._untaken

    def _read(self, size: int) -> bytes:
        if not self._unread:
            self._unread = self._sock.recv(_READ_BYTES)
            self.heard = self._clock()
        if not self._unread:
            raise websocket.WebSocketConnectionClosedException("the other side closed")
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _take(self, frame: Any, got: list[tuple[int, bytes]]) -> None:
        opcode, data = frame.opcode, frame.data
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.ended = True
        elif opcode == websocket.ABNF.OPCODE_PING:
            self._frame(data, websocket.ABNF.OPCODE_PONG)
        elif opcode in MESSAGES:
            # Of a message in several frames only the first byte is the channel.
            if opcode != websocket.ABNF.OPCODE_CONT:
                self._channel = None
            if data and self._channel is None:
                self._channel, data = data[0], data[1:]
            self._put(data, got)

    def _put(self, data: bytes, got: list[tuple[int, bytes]]) -> None:
        if self._channel == ERROR:
            self._status += data[: STATUS_BYTES - len(self._status)]
        elif data and self._channel in (STDOUT, STDERR):
            got.append((self._channel, data))

    def close(self) -> None:
        """Close the connection; what this does to the command is the runtime's business."""
        self.ended = True
        with contextlib.suppress(OSError):
            self._sock.close()


def converse(stream: ExecStream, stdin: bytes, seconds: float) -> tuple[ExecOutcome, bytes]:
    """Send stdin, wait for the end for so long, and return it with what was said."""
    stream.queue(stdin)
    said, deadline = b"", time.monotonic() + seconds
    while not stream.ended and time.monotonic() < deadline:
        said += b"".join(data for _, data in run_exec(stream))
    stream.close()
    return stream.outcome, said


def expect(stream: ExecStream, byte: bytes, seconds: float) -> tuple[bool, bytes]:
    """Wait for a byte on stdout; return whether it has come, and what was said before it.

    What comes behind it stays to be received; so does what was said on stderr, for the order of
    the two is not kept on their way: it may be the word of the command that comes behind.
    """
    seen: list[tuple[int, bytes]] = []
    deadline = time.monotonic() + seconds
    while not stream.ended and time.monotonic() < deadline:
        got = run_exec(stream)
        for at, (channel, data) in enumerate(got):
            before, found, behind = data.partition(byte) if channel == STDOUT else (data, b"", b"")
            if found:
                errors = [piece for piece in seen if piece[0] == STDERR]
                stream.give_back([*errors, *[(STDOUT, behind)] * bool(behind), *got[at + 1 :]])
                return True, b"".join(said for _, said in seen) + before
            seen.append((channel, data))
    said = b"".join(data for _, data in seen)
    stream.give_back(seen)
    return False, said


def run_exec(stream: ExecStream) -> list[tuple[int, bytes]]:
    """Wait up to a second until something can be sent or received, and do that."""
    tasks.raise_if_abandoned()
    stream.flush()
    if not stream.more:
        select.select([stream], [stream] if stream.unsent else [], [], 1.0)
    return stream.receive()
