"""What a verb gets from the process that it runs in."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.runtime.console import Console


class Process(NamedTuple):
    """The process that a verb runs in: its descriptors, its console, the words after ``--``."""

    command: tuple[str, ...]
    streams: tuple[int, int, int]
    console: Console
