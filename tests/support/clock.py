"""A clock that only the test moves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FakeClock:
    """Count the seconds that were slept."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
