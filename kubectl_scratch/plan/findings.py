"""The lines of a plan: what is changed and why, and what the user should know."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Level(Enum):
    """How much a finding matters; a blocker stops the plan before anything is created.

    A detail is shown in a plan and a check, and not when a session starts.
    """

    DETAIL = "detail"
    INFO = "info"
    WARNING = "warning"
    BLOCKER = "blocker"


class Finding(NamedTuple):
    """One line of a plan."""

    level: Level
    text: str


class Edit(NamedTuple):
    """One change between the source pod and its copy, with its reason."""

    field: str
    reason: str
