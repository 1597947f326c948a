"""Signals: noted at once, acted on only where that is safe.

A handler that raises anywhere would lose an object between its creation and the note of it, and
leave a lock of a library held. So ours only note the signal: ``check`` raises between two steps,
and ``run`` gives up what waits in a thread of its own, a read or a wait.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from kubectl_scratch.errors import Interrupted
from kubectl_scratch.runtime.tasks import Task, is_abandoned

_T = TypeVar("_T")

_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
# How often a pause looks for a signal.
_LOOK_SECONDS = 0.1


class Interrupts:
    """Own the signals that end a session, and those that change its terminal.

    ``fileno`` is readable after each signal; ``resized`` and ``resumed`` say that the
    window's size changed and that we were continued after a stop.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.resized = False
        self.resumed = False
        self._count = 0
        self._counted = 0
        self._closing = False
        self._previous: dict[int, Any] = {}
        self._wakeup = -1
        self._reader = -1
        self._writer = -1
        self._waking = threading.Lock()

    def __enter__(self) -> Interrupts:
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for signum in _ENDING:
            # What the caller ignores (nohup, a job of a script) stays ignored.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self._previous[signum] = signal.signal(signum, self._note)
        self._previous[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._note_resize)
        self._previous[signal.SIGCONT] = signal.signal(signal.SIGCONT, self._note_resume)
        return self

    def __exit__(self, *error: object) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._wakeup)
        with self._waking:
            os.close(self._reader)
            os.close(self._writer)
            self._writer = -1

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._count += 1
        if self.received is None:
            self.received = signum

    def _note_resize(self, signum: int, frame: FrameType | None) -> None:
        self.resized = True

    def _note_resume(self, signum: int, frame: FrameType | None) -> None:
        self.resumed = True
        self.resized = True

    def fileno(self) -> int:
        """Return a descriptor that is readable once a signal has come."""
        return self._reader

    def clear(self) -> None:
        """Empty the descriptor."""
        try:
            while os.read(self._reader, 512):
                pass
        except BlockingIOError:
            pass

    def check(self) -> None:
        """Raise Interrupted if a signal has asked us to end."""
        if self.received is not None and not self._closing:
            raise Interrupted(self.received)

    def run(
        self,
        function: Callable[[], _T],
        undo: Callable[[_T], object] = lambda result: None,
        seconds: float | None = None,
    ) -> _T:
        """Return what ``function`` gives, which must not create anything; a signal gives it up.

        It then continues in its thread to where it asks whether it is still wanted, and ``undo``
        gets what it gives. Raises what it raises, Interrupted, and TimeoutError after so many
        ``seconds``.
        """
        self.check()
        task = Task(function, self._wake, undo)
        end = None if seconds is None else time.monotonic() + seconds
        while not task.done():
            left = None if end is None else max(end - time.monotonic(), 0)
            ready, _, _ = select.select([self._reader], [], [], left)
            self.clear()
            if (self.received is not None and not self._closing) or not ready:
                task.abandon()
                self.check()
                raise TimeoutError
        return task.result()

    def _wake(self) -> None:
        """Make the descriptor readable; called from other threads, perhaps when all is over."""
        with self._waking, contextlib.suppress(BlockingIOError):
            if self._writer >= 0:
                os.write(self._writer, b"\0")

    def close(self) -> None:
        """From now on let nothing break off: what remains is to clean up."""
        self._closing = True
        self._counted = self._count

    @property
    def impatient(self) -> bool:
        """Say whether signals have come twice since ``close``: someone will not wait."""
        return self._count - self._counted >= 2

    def pause(self, seconds: float) -> bool:
        """Wait; return false as soon as nobody waits any more.

        It never raises: what is paused in may have created something.
        """
        end = time.monotonic() + seconds
        while True:
            signalled = self.impatient if self._closing else self.received is not None
            if signalled or is_abandoned():
                return False
            left = end - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _LOOK_SECONDS))

    def reopen(self) -> None:
        """Raise Interrupted for what came while nothing could break off."""
        self._closing = False
        self.check()
