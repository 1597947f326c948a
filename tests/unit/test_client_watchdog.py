"""The watchdog's connection: held while something is heard of it."""

from __future__ import annotations

import socket
import threading
import time

from kubectl_scratch.kube.exec_stream import V4, ExecStream
from kubectl_scratch.session.client_watchdog import keep_exec_open

# Longer than a stream may be silent, in seconds.
LONG_AGO = 1000.0


def test_a_silent_connection_ends_as_one_that_is_cut() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        silent = ExecStream(ours, V4, clock=lambda: time.monotonic() - LONG_AGO)
        keep_exec_open(silent, threading.Event())
        assert silent.ended
        # It was asked for a sign of life before.
        assert theirs.recv(100)
