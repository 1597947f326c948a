"""Durations as people write them, in Go's form."""

from __future__ import annotations

import re

from kubectl_scratch.errors import InvalidRequest

LONGEST = 365 * 86400.0

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")


def parse_duration(text: str, what: str) -> float:
    """Return the seconds that a Go duration ("90s", "1h30m") or a plain number says.

    Raises InvalidRequest for anything else, and for zero.
    """
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        seconds = float(text)
    elif _DURATION.fullmatch(text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    else:
        raise InvalidRequest(f"{what} {text!r} is not a duration", "write it like 90s, 5m or 1h30m")
    if not 0 < seconds <= LONGEST:
        raise InvalidRequest(f"{what} must be longer than zero and at most a year")
    return seconds


def duration_words(seconds: float) -> str:
    """Return a duration as a person would write it: 90s, 5m, 1h30m."""
    if seconds < 1 or seconds != int(seconds):
        return f"{seconds:.1f}s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
