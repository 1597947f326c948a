"""The longest that a session may last."""

from __future__ import annotations

import math

from kubectl_scratch.errors import SessionError
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.session.context import Context

# How long before its end a session is warned.
WARNING_SECONDS = 300.0


class SessionLimit:
    """End a session that has been forgotten or whose copy is about to end; say so before."""

    def __init__(self, longest: float, deadline: float | None, context: Context) -> None:
        """Begin; ``deadline`` is the copy's, in seconds from now, if it has one."""
        self._longest, self._why = longest, "raise --max to allow longer ones"
        if deadline is not None and deadline < longest:
            self._longest, self._why = deadline, "the copy has no lease"
        self._context = context
        self._began = context.clock.monotonic()
        self._notice = min(WARNING_SECONDS, self._longest / 2)
        self._warned = False

    def check(self) -> None:
        """Warn, or raise SessionError, when it is time."""
        left = self._began + self._longest - self._context.clock.monotonic()
        if left <= 0:
            lasted = duration_words(self._longest)
            raise SessionError(f"the session has ended after {lasted}", self._why)
        if left <= self._notice and not self._warned:
            self._warned = True
            ends = f"this session ends in {duration_words(math.ceil(left))}"
            self._context.console.warning(f"{ends}; {self._why}")
