"""The command of a session, as every transport is given it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.session.readiness import State
from kubectl_scratch.session.remote import RemoteCommand

# A try to reach it, in a container that is that far; None if the container does not run yet.
Attempt = Callable[[State], RemoteCommand | None]


class ExecCommand(NamedTuple):
    """A command, and where it runs; ``size`` is the terminal's rows and columns.

    ``repeatable`` says that starting it twice does no harm, as with a shell. ``toolkit`` is
    what the seed in the container receives before, which then becomes the command; None if
    the tools are there. ``unwatched`` is the command without a WebSocket, and so without a
    watchdog. ``check`` proves that it is our seed, before it receives anything. ``reads`` says
    that the command may have our stdin, ``collected`` that its output is for us alone.
    """

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    tty: bool
    size: tuple[int, int]
    repeatable: bool
    toolkit: bytes | None = None
    unwatched: tuple[str, ...] | None = None
    check: SeedCheck | None = None
    reads: bool = True
    collected: bool = False
