"""A network that takes nothing does not fill our memory with what waits for it."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from kubectl_scratch.kube.exec_stream import V5, ExecStream
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.session.context import UserStreams
from kubectl_scratch.session.remote import WebSocketCommand
from kubectl_scratch.session.terminal import MOST_BACKLOG, READ_BYTES, bridge

A_LOT = 8 << 20
LOOKS = 3


class Stalled(Exception):
    """Nothing moves any more."""


def feed(fd: int) -> None:
    """Write a lot, for as long as somebody takes it."""
    with os.fdopen(fd, "wb") as pipe:
        try:
            pipe.write(bytes(A_LOT))
        except OSError:
            return


def test_what_waits_for_a_stalled_network_is_bounded() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    stdin, feeding = os.pipe()
    nowhere = os.open(os.devnull, os.O_RDWR)
    writer = threading.Thread(target=feed, args=(feeding,), daemon=True)
    seen: list[int] = []
    with ours, theirs, Interrupts() as interrupts:
        remote = WebSocketCommand(ExecStream(ours, V5), tty=False)

        def tick() -> None:
            seen.append(remote.backlog)
            if len(seen) > LOOKS and len(set(seen[-LOOKS:])) == 1 and seen[-1]:
                raise Stalled

        writer.start()
        with pytest.raises(Stalled):
            bridge(remote, UserStreams(stdin, nowhere, nowhere), interrupts, time.monotonic, tick)
    os.close(stdin)
    os.close(nowhere)
    writer.join()
    # One more read than the bound, with the heads of its frames.
    assert MOST_BACKLOG <= max(seen) < MOST_BACKLOG + READ_BYTES + 1024
