"""The crash summary: how the target ended last, and the warnings about it."""

from __future__ import annotations

import pytest

from kubectl_scratch.session.crash_summary import crash_warnings, termination_lines
from tests.support.builders import Json, a_pod

NOON = "2026-01-01T12:00:00Z"


def source(**status: object) -> Json:
    return a_pod(status={"containerStatuses": [{"name": "app", **status}]})


def ended(**fields: object) -> Json:
    return {"terminated": {"exitCode": 3, "finishedAt": NOON, **fields}}


@pytest.mark.parametrize(
    "pod, line",
    [
        (
            source(state={"waiting": {}}, lastState=ended(), restartCount=7),
            f"app exited with code 3 at {NOON}, restarts: 7",
        ),
        (source(state=ended(exitCode=0)), f"app exited with code 0 at {NOON}, restarts: 0"),
        (
            source(state=ended(exitCode=1), lastState=ended(exitCode=2), restartCount=1),
            f"app exited with code 1 at {NOON}, restarts: 1",
        ),
        (
            source(state={"running": {}}, lastState=ended(exitCode=137, reason="OOMKilled")),
            f"app ran out of memory (OOMKilled) at {NOON}, restarts: 0",
        ),
        (source(state=ended(signal=9)), f"app was killed by signal 9 at {NOON}, restarts: 0"),
        (source(state=ended(finishedAt=None)), "app exited with code 3, restarts: 0"),
    ],
)
def test_how_the_target_ended_last(pod: Json, line: str) -> None:
    assert termination_lines(pod, "app") == [line]


@pytest.mark.parametrize(
    "pod", [a_pod(), source(state={"running": {}}), source(), source(state={"waiting": {}})]
)
def test_of_a_target_that_never_ended_there_is_nothing_to_say(pod: Json) -> None:
    assert termination_lines(pod, "app") == []


def an_event(reason: str, at: str, kind: str = "Warning", **more: object) -> Json:
    return {"type": kind, "reason": reason, "message": "m", "lastTimestamp": at, **more}


def test_the_newest_three_warnings_come_the_newest_last() -> None:
    events = [an_event(reason, f"2026-01-0{day}") for day, reason in enumerate("EDCBA", 1)]
    events += [an_event("N", "2026-01-09", "Normal")]
    found = crash_warnings(list(reversed(events)))
    assert found == ["event: C: m", "event: B: m", "event: A: m"]


def test_a_warning_that_comes_again_and_again_is_told_once() -> None:
    events = [an_event("BackOff", f"2026-01-0{day}") for day in range(1, 6)]
    assert crash_warnings(events) == ["event: BackOff: m"]


def test_a_warning_without_a_time_or_words_is_told_too() -> None:
    assert crash_warnings([{"type": "Warning", "lastTimestamp": None}]) == ["event: : "]
    assert crash_warnings([]) == []
