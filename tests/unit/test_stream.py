"""What an exec says while the tools come: the order of its channels is nobody's promise."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from kubectl_scratch.stream import STDERR, STDOUT, V5, ExecStream, expect
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


def test_what_a_command_says_on_stderr_may_overtake_the_seed_s_byte(
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
