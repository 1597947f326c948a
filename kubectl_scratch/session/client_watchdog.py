"""A second exec by which an in-place container knows that its client lives.

A client that is killed leaves the process of a terminal's exec running: containerd hangs up no
terminal when a stream ends. Without a terminal it closes the process's stdin, which is enough.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time

from kubectl_scratch.kube import exec_stream
from kubectl_scratch.kube.client import Client
from kubectl_scratch.plan.in_place_process import watchdog_command
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.session.remote import WebSocketCommand

# In seconds; the longest is shorter than the time for which a session counts without it.
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0
# How often an exec that idles looks whether it is to end, or has to give a sign of life.
_SLICE_SECONDS = 1.0


class ClientWatchdog:
    """Hold an exec in the container from a thread of its own, if one can be had."""

    def __init__(self, cluster: Client, place: SessionTarget) -> None:
        self._cluster = cluster
        self._place = place
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client-watchdog", daemon=True)

    def __enter__(self) -> ClientWatchdog:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()

    def _run(self) -> None:
        """Connect, and again when it is cut."""
        pause = FIRST_PAUSE
        while not self._stopped.wait(pause):
            try:
                keep_exec_open(self._connect(), self._stopped)
                pause = FIRST_PAUSE
            except Exception:
                # The session may be carried all the same, and is not to be taken for a lost one.
                pause = min(2 * pause, LONGEST_PAUSE)

    def _connect(self) -> exec_stream.ExecStream:
        place = self._place
        command = watchdog_command(place.session_id)
        where = (place.namespace, place.pod, place.container)
        return exec_stream.connect_exec(
            self._cluster.exec_endpoint(*where, command, False), exec_stream.V4
        )


def keep_exec_open(connected: exec_stream.ExecStream, stopped: threading.Event) -> None:
    """Keep an exec open until it is cut, or nothing is heard of it, or ``stopped`` is set."""
    with contextlib.closing(WebSocketCommand(connected, tty=False)) as remote:
        while not stopped.is_set():
            remote.keep_alive(time.monotonic())
            # It has closed a stream of which nothing was heard: there is none to select on.
            if remote.ended():
                return
            remote.flush()
            if not remote.more:
                select.select([remote], [], [], _SLICE_SECONDS)
            remote.drain()
