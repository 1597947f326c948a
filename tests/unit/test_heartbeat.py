"""The heartbeat's clocks."""

from __future__ import annotations

import pytest

from kubectl_scratch.copies import heartbeat
from kubectl_scratch.kube.yaml_files import to_yaml
from kubectl_scratch.runtime.tasks import Task
from tests.support.patience import PATIENCE


class Clocks:
    """A laptop's clocks, of which one stands still while it sleeps for two hours at each look."""

    def __init__(self, asleep: str) -> None:
        self.asleep = asleep
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self._of("monotonic")

    def time(self) -> float:
        return self._of("wall")

    def _of(self, clock: str) -> float:
        self.seconds += 7200.0
        return 0.0 if clock == self.asleep else self.seconds


@pytest.mark.parametrize("asleep", ["monotonic", "wall"])
def test_a_laptop_that_slept_renews_at_once(asleep: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "time", Clocks(asleep))
    job = {"metadata": {"namespace": "default", "name": "x", "uid": "u"}}
    beat = heartbeat.Heartbeat(None, job, "bcdfg", 300, print, heartbeat.now())  # type: ignore[arg-type]
    waits = Task(lambda: beat._wait(3600))
    waits._thread.join(PATIENCE / 10)
    assert waits.done() and waits.result()


SPEAKS = ["\x9b31m", "\x9d", "\x85", "\u202e", "\u2066", "\x1b[2J", "\u200b"]


@pytest.mark.parametrize("text", SPEAKS, ids=ascii)
def test_no_yaml_speaks_to_the_terminal(text: str) -> None:
    import yaml

    shown = to_yaml({"é": [f"a{text}b", f"{text}"], text: "x"})
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert yaml.safe_load(shown) == {"é": [f"a{text}b", text], text: "x"}


def test_yaml_keeps_what_people_can_read() -> None:
    assert to_yaml({"a": "é中"}) == "a: é中\n"
