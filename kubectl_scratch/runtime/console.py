"""stderr: progress, warnings, errors; never stdout."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from typing import TextIO

from kubectl_scratch.runtime import tasks
from kubectl_scratch.runtime.sink import Sink

# If lines cannot be replaced (a log), a wait is reported this often, in seconds.
LOG_EVERY = 5.0
# What is kept for a stderr that takes nothing just now, in bytes, and how long an end that
# someone has asked for waits until it does, in seconds.
MOST_UNWRITTEN, LAST_SECONDS = 1 << 16, 1.0
_LOOK_EVERY = 0.05


def printable(text: str) -> str:
    """Return ``text`` with control characters escaped: what a cluster sends is untrusted."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Console:
    """Speak to the person at stderr, one line at a time; safe to use from several threads.

    A closed terminal is no reason to stop cleaning up, so nothing here raises; nor does anything
    wait, for one that is stopped, or a pipe that nobody reads. An abandoned task is silent.
    ``hurried`` says that someone has asked us to end.
    """

    def __init__(
        self, stream: TextIO, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.quiet = quiet
        self.hurried = False
        self._stream = stream
        self._sink: Sink | None = None
        self._unwritten = bytearray()
        self._writing = False
        self._clock = clock
        self._logged = -LOG_EVERY
        self._live = _isatty(stream)
        self._shown = ""
        self._told: set[str] = set()
        self._raw = False
        self._fresh = True
        self._lock = threading.RLock()

    def progress(self, text: str, log: bool = True, key: str = "") -> None:
        """Show what is waited for, on one line that the next one replaces.

        In a log each line stays, so there only what is still true after a while is shown, once, and
        nothing that is not worth a line of its own (``log``). Texts of one ``key`` say the same.
        """
        text = printable(text)
        if self.quiet or text == self._shown or tasks.is_abandoned():
            return
        with self._lock:
            if self._live:
                self._write(f"\r\x1b[K{_cut(text)}")
            elif log and self._is_news(key or text):
                self._write(f"{text}\n")
            else:
                return
            self._shown = text

    def _is_news(self, key: str) -> bool:
        """Say whether a line of a log is due that has not been there, and note it."""
        if key in self._told or self._clock() - self._logged < LOG_EVERY:
            return False
        self._told.add(key)
        self._logged = self._clock()
        return True

    def settle(self) -> None:
        """Remove the progress line."""
        with self._lock:
            if self._shown and self._live:
                self._write("\r\x1b[K")
            self._shown = ""

    def info(self, text: str) -> None:
        """Say something that -q silences."""
        if not self.quiet:
            self._line(text)

    def warning(self, text: str) -> None:
        """Say something that must be known."""
        self._line(f"warning: {text}")

    def error(self, text: str) -> None:
        """Say why it did not work."""
        self._line(f"error: {text}")

    def enter_raw(self) -> None:
        """Note that the terminal is raw: lines then need a carriage return, on both sides."""
        self._raw = True

    def leave_raw(self, at_line_start: bool) -> None:
        """Note that it is no longer, and whether the next line has to begin with a new one."""
        self._raw = False
        self._fresh = at_line_start

    def finish(self) -> None:
        """Wait until all is written; not for long if someone has asked us to end."""
        end = time.monotonic() + LAST_SECONDS
        while self._unwritten and not (self.hurried and time.monotonic() > end):
            time.sleep(_LOOK_EVERY)

    def _line(self, text: str) -> None:
        if tasks.is_abandoned():
            return
        with self._lock:
            self.settle()
            text = printable(text)
            before = "" if self._fresh or not self._live else "\n"
            self._write(f"\r\n{text}\r\n" if self._raw else f"{before}{text}\n")
            self._fresh = True

    def _write(self, text: str) -> None:
        try:
            if self._sink is None:
                self._sink = Sink(self._stream.fileno())
        except (OSError, ValueError):
            # It has none: it is a test's.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(text)
            return
        if len(self._unwritten) < MOST_UNWRITTEN:
            self._unwritten += text.encode(errors="backslashreplace")
        self._push(self._sink)
        if self._unwritten and not self._writing:
            self._writing = True
            threading.Thread(target=self._push_later, args=[self._sink], daemon=True).start()

    def _push(self, sink: Sink) -> None:
        """Write what goes at once; a stderr that cannot be written takes nothing any more."""
        try:
            del self._unwritten[: sink.write(bytes(self._unwritten))]
        except (OSError, ValueError):
            self._unwritten.clear()

    def _push_later(self, sink: Sink) -> None:
        """Write the rest as soon as it goes."""
        while self._writing:
            with contextlib.suppress(OSError, ValueError):
                select.select([], [sink], [])
            with self._lock:
                self._push(sink)
                self._writing = bool(self._unwritten)
            time.sleep(_LOOK_EVERY)


def _isatty(stream: TextIO) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return stream.isatty()
    return False


def columns(descriptor: int) -> int:
    """Return the width of the terminal at a descriptor; 80 if there is none."""
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(descriptor).columns or 80
    return 80


def _cut(text: str) -> str:
    width = columns(2)
    return text if len(text) < width else text[: max(width - 2, 10)] + "…"
