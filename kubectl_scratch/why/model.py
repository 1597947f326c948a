"""What ``why`` answers: causes, and what was seen."""

from __future__ import annotations

from typing import NamedTuple


class Cause(NamedTuple):
    """One reason why the app does not run.

    ``kind`` is an id of ``kinds``. ``sentence`` says what is wrong, ``evidence`` what shows it, one
    line each, ``remedy`` what to do. ``weight`` (0 to 100) ranks it among the others: from 50 on it
    is a finding, below it is only evidence.
    """

    kind: str
    sentence: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    weight: int = 50


class Explanation(NamedTuple):
    """What was found, the most likely cause first, three at most.

    ``outcome`` says how the app ended, or why it was not run. ``runs`` says that the app works:
    there is nothing to explain. ``evidence`` is what was seen, where no cause was found.
    ``timeline`` is what the run did, in order.
    """

    causes: tuple[Cause, ...]
    outcome: str
    runs: bool = False
    evidence: tuple[str, ...] = ()
    timeline: tuple[str, ...] = ()
