"""What a session gets from its process: the cluster, the user's streams, signals and time.

Imports none of them: a verb has its context, and asks the cluster, before the rest is imported.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kubectl_scratch.errors import InvalidRequest

if TYPE_CHECKING:
    from kubectl_scratch.kube.client import Client
    from kubectl_scratch.request import SessionRequest
    from kubectl_scratch.runtime.console import Console
    from kubectl_scratch.runtime.interrupts import Interrupts
    from kubectl_scratch.session.waiting import Clock

# The size of a terminal that reports none (0x0).
DEFAULT_SIZE = (24, 80)


class UserStreams(NamedTuple):
    """The descriptors of stdin, stdout and stderr."""

    stdin: int
    stdout: int
    stderr: int

    def is_terminal(self) -> bool:
        """Return whether stdin and stdout are both terminals."""
        return os.isatty(self.stdin) and os.isatty(self.stdout)

    def size(self) -> tuple[int, int]:
        """Return rows and columns."""
        for fd in (self.stdout, self.stdin, self.stderr):
            with contextlib.suppress(OSError):
                size = os.get_terminal_size(fd)
                if size.lines and size.columns:
                    return size.lines, size.columns
        return DEFAULT_SIZE


class Context(NamedTuple):
    """What a session needs from the process that it runs in."""

    cluster: Client
    console: Console
    user: UserStreams
    interrupts: Interrupts
    clock: Clock
    suffix: Callable[[], str]
    author: str


def wants_terminal(request: SessionRequest, user: UserStreams) -> bool:
    """Return whether the session has a terminal.

    Raises InvalidRequest for a shell without a terminal.
    """
    if request.command and request.tty is not None:
        return request.tty
    if user.is_terminal() or request.tty is False:
        return request.tty is not False
    if not request.command:
        raise InvalidRequest(
            "a shell needs a terminal, but stdin or stdout is not one",
            "pass a command after --, or use -T to feed the shell from stdin",
        )
    return False
