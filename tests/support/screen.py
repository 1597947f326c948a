"""A terminal that can be read: a shell on a pty, and the screen that a person would see."""

from __future__ import annotations

import re
import time
from typing import Any

import pexpect
import pyte

from tests.support.patience import PATIENCE

PROMPT = "you>"


class Terminal:
    """A program on a pty of ``rows`` x ``columns``, with its screen kept up to date."""

    def __init__(
        self,
        command: list[str],
        environ: dict[str, str],
        rows: int = 40,
        columns: int = 100,
        cwd: str | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self.child: Any = pexpect.spawn(
            command[0],
            command[1:],
            env={**environ, "TERM": "xterm"},
            dimensions=(rows, columns),
            encoding="utf-8",
            codec_errors="replace",
            cwd=cwd,
        )
        self.child.delaybeforesend = None

    def text(self) -> str:
        """Return what stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def wait_for(self, pattern: str, timeout: float = PATIENCE) -> str:
        """Wait until the screen shows a pattern; return the screen's text."""
        return self.wait_for_more("", pattern, timeout)

    def wait_for_more(self, before: str, pattern: str, timeout: float = PATIENCE) -> str:
        """Wait until the screen shows a pattern below ``before``; return the screen's text."""
        end = time.monotonic() + timeout
        while not re.search(pattern, self.text()[len(before) :], re.MULTILINE):
            assert time.monotonic() < end, f"{pattern!r} did not come:\n{self.text()}"
            try:
                self._stream.feed(self.child.read_nonblocking(65536, timeout=1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert re.search(pattern, self.text()[len(before) :], re.MULTILINE), self.text()
                break
        return self.text()

    def type(self, text: str) -> None:
        """Type keys."""
        self.child.send(text)

    def clear(self) -> None:
        """Forget what was shown."""
        self.screen.reset()

    def close(self) -> None:
        """End the program."""
        self.child.close(force=True)
