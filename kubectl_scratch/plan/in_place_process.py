"""The processes of a container in place: one that idles, looks for sessions in /proc, and ends."""

from __future__ import annotations

import math
from typing import NamedTuple

from kubectl_scratch.toolkit.scripts import one_line, read_script


class InPlaceTerms(NamedTuple):
    """How long the container idles, in seconds: for a first session, after one, and in all."""

    first: float
    linger: float
    limit: float


def idle_command(session_id: str, terms: InPlaceTerms) -> tuple[str, ...]:
    """Return the container's first process: it waits for sessions, and ends by itself."""
    times = (terms.first, terms.linger, terms.limit)
    script = read_script("idle", session_id=session_id)
    return ("sh", "-c", script, session_id, *(str(math.ceil(seconds)) for seconds in times))


def session_command(session_id: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``words`` as a session that the container's first process knows; their code too."""
    return ("sh", "-c", one_line(read_script("session")), f"scratch-session-{session_id}", *words)


def unwatched_command(command: tuple[str, ...], session_id: str) -> tuple[str, ...]:
    """Return a session's command for a client that can have no watchdog."""
    return tuple(
        f"scratch-loose-{session_id}" if w == f"scratch-session-{session_id}" else w
        for w in command
    )


def watchdog_command(session_id: str) -> tuple[str, ...]:
    """Return what runs for as long as its stdin is open, and so its client is there."""
    return ("sh", "-c", one_line(read_script("watchdog")), f"scratch-watchdog-{session_id}")
