"""What an exec says while the tools come: the order of its channels is nobody's promise."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_scratch.kube import tunnel
from kubectl_scratch.kube.exec_errors import NO_REASON, MaybeStarted, outcome_of
from kubectl_scratch.kube.exec_stream import (
    ERROR,
    STDERR,
    STDOUT,
    V5,
    ExecStream,
    connect_exec,
    converse,
    expect,
)
from kubectl_scratch.kube.exec_types import ExecEndpoint, ExecOutcome
from kubectl_scratch.kube.proxies import Proxy
from tests.support.patience import PATIENCE

FINAL_BINARY = 0x82


def frame(channel: int, data: bytes) -> bytes:
    """Return a frame as a server sends it; short ones only."""
    return bytes([FINAL_BINARY, len(data) + 1, channel]) + data


@pytest.fixture
def server() -> Iterator[tuple[ExecStream, socket.socket]]:
    """Give a stream, and the other side of its connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ExecStream(ours, V5), theirs


def test_stderr_may_overtake_the_byte_of_the_seed(
    server: tuple[ExecStream, socket.socket],
) -> None:
    stream, theirs = server
    told = frame(STDERR, b"no such file") + frame(STDOUT, b"\x06out")
    theirs.sendall(told)
    assert expect(stream, b"\x06", PATIENCE)[0]
    assert stream.receive() == [(STDERR, b"no such file"), (STDOUT, b"out")]


def test_what_a_seed_that_fails_says_is_its_reason(
    server: tuple[ExecStream, socket.socket],
) -> None:
    stream, theirs = server
    theirs.sendall(frame(STDERR, b"no space left"))
    theirs.close()
    assert expect(stream, b"\x06", PATIENCE) == (False, b"no space left")


BINARY, CONTINUED, FINAL, PING, CLOSE = 2, 0, 0x80, 9, 8
EXIT_7 = json.dumps(
    {
        "kind": "Status",
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": "command terminated with non-zero exit code",
        "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
    }
).encode()


def raw(opcode: int, data: bytes, final: bool = True) -> bytes:
    """Return a frame of any kind; short ones only."""
    return bytes([opcode | (FINAL if final else 0), len(data)]) + data


def pieces(channel: int, data: bytes, size: int) -> bytes:
    """Return a message in frames of so many bytes, with pings in between."""
    whole = bytes([channel]) + data
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    last = len(parts) - 1
    return b"".join(
        raw(CONTINUED if number else BINARY, part, number == last) + raw(PING, b"x")
        for number, part in enumerate(parts)
    )


def messages(channel: int, data: bytes, size: int) -> bytes:
    """Return data in messages of so many bytes."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(raw(BINARY, bytes([channel]) + part) for part in parts)


EMPTY_FIRST = raw(BINARY, b"", False) + raw(CONTINUED, bytes([ERROR]) + EXIT_7[:90], False)
STATUSES = {
    "whole": pieces(ERROR, EXIT_7[:0], 9) + messages(ERROR, EXIT_7, 120),
    "in-frames": pieces(ERROR, EXIT_7, 50),
    "byte-by-byte": pieces(ERROR, EXIT_7, 1),
    "in-messages": messages(ERROR, EXIT_7, 40),
    "empty-first-frame": EMPTY_FIRST + raw(CONTINUED, EXIT_7[90:]),
}


@pytest.mark.parametrize("sent", STATUSES)
def test_an_exit_code_arrives_in_whatever_pieces(
    server: tuple[ExecStream, socket.socket], sent: str
) -> None:
    stream, theirs = server
    theirs.sendall(pieces(STDOUT, b"out", 1) + STATUSES[sent] + raw(CLOSE, b""))
    assert converse(stream, b"", PATIENCE) == (ExecOutcome(7), b"out")


LOST = ExecOutcome(None, "the connection was lost", lost=True)
FAILED = {"status": "Failure", "reason": "NonZeroExitCode", "message": "ended"}
CODES: list[Any] = [None, True, [], "x", "\u00b2", "-1", "0", "256", "9" * 5000]
CAUSES: list[Any] = ["x", {}, ["x", None, []]]
CAUSES += [[{"reason": "ExitCode", "message": code}] for code in CODES]
DETAILS: list[Any] = ["x", [], *({"causes": causes} for causes in CAUSES)]
NO_STATUS: list[object] = [None, [], "x", 5]
WORDLESS: list[object] = [{}, {"status": ["Success"]}, {"message": {"a": 1}}]
NOTHING = ExecOutcome(None, NO_REASON)
ANY: list[tuple[object, ExecOutcome]] = [
    *((status, LOST) for status in NO_STATUS),
    *((status, NOTHING) for status in WORDLESS),
    (FAILED, ExecOutcome(None, "ended")),
    *(({**FAILED, "details": details}, ExecOutcome(None, "ended")) for details in DETAILS),
]


@pytest.mark.parametrize(("status", "outcome"), ANY, ids=lambda value: str(value)[:60])
def test_a_status_of_any_shape_is_an_outcome(status: object, outcome: ExecOutcome) -> None:
    assert outcome_of(status) == outcome


HEADS = [b"\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"x\r\n\r\n", b"\xff\xfe\r\n\r\n", b"",
         b"HTTP/1.1 400 Bad\r\nContent-Length: x\r\n\r\n"]  # fmt: skip


@pytest.mark.parametrize("head", HEADS, ids=repr)
def test_an_answer_that_is_none_leaves_it_open_what_was_started(head: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(head)
        theirs.shutdown(socket.SHUT_WR)
        endpoint = ExecEndpoint("ws://one.example/exec", (), None, None, None, PATIENCE)
        with pytest.raises(MaybeStarted):
            connect_exec(endpoint, V5, reached=ours)


def test_a_proxy_s_answer_comes_in_time_as_a_whole() -> None:
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def dribble() -> None:
        while not over.wait(0.02):
            theirs.sendall(b"x")

    with ours, theirs:
        teller = threading.Thread(target=dribble)
        teller.start()
        try:
            with pytest.raises(OSError, match=r"took too long|timed out"):
                tunnel._ask_for_tunnel(ours, Proxy("proxy", 1), "host", 1, 0.3)
        finally:
            over.set()
            teller.join()
