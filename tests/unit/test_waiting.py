"""Waiting, with a clock that only the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kubectl_scratch.errors import CopyNotReady
from kubectl_scratch.status import Failed, State, Waiting
from kubectl_scratch.waiting import Patience, wait_for
from tests.support.builders import Json

STUCK = Waiting("no node takes the copy", unschedulable=True)
SCALING = [{"reason": "TriggeredScaleUp", "message": "pod triggered scale-up"}]


@dataclass
class FakeClock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeNews:
    """Word of a start at a time of the clock; ``deaf`` where nothing can be heard."""

    clock: FakeClock
    at: float
    deaf: bool

    def wait(self, seconds: float) -> bool:
        heard = not self.deaf and self.at <= self.clock.now + seconds
        self.clock.now = max(self.clock.now, self.at) if heard else self.clock.now + seconds
        return heard


@dataclass
class Scene:
    """A copy that starts: what it looks like, what its events are, when it answers."""

    state: State = field(default_factory=lambda: Waiting("the node starts the copy"))
    events: list[Json] = field(default_factory=list)
    tries: int = 0
    fatal: Failed | None = None
    answers_at: float = float("inf")
    started_at: float = float("inf")
    deaf: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)

    def attempt(self, state: State) -> str | None:
        self.tries += 1
        return "a shell" if self.clock.now >= self.answers_at else None

    def wait(self, timeout: float = 120) -> str:
        return wait_for(
            self.attempt,
            lambda: self.state,
            lambda: (self.events, self.fatal),
            self.said.append,
            self.clock,
            Patience(timeout),
            FakeNews(self.clock, self.started_at, self.deaf),
        )


def test_the_first_answer_counts_whatever_the_status_says() -> None:
    assert Scene(answers_at=0.1).wait() == "a shell"


def test_a_start_that_is_told_of_is_tried_at_once_and_not_before() -> None:
    scene = Scene(Waiting("the copy starts", new_pod=True), deaf=False)
    scene.started_at = scene.answers_at = 0.4321
    scene.wait()
    assert (scene.clock.now, scene.tries) == (0.4321, 1)


def test_a_start_that_nobody_tells_of_is_found_out() -> None:
    scene = Scene(Waiting("the copy starts", new_pod=True), answers_at=2, deaf=False)
    assert scene.wait() == "a shell"


def test_what_is_waited_for_is_said() -> None:
    scene = Scene(
        answers_at=4, events=[{"type": "Warning", "reason": "FailedMount", "message": "x"}]
    )
    scene.wait()
    assert scene.said[0] == "the node starts the copy"
    assert scene.said[-1] == "the node starts the copy (FailedMount: x)"


def test_a_failure_ends_the_wait() -> None:
    with pytest.raises(CopyNotReady, match="no such image"):
        Scene(state=Failed("no such image")).wait()


def test_an_event_ends_the_wait() -> None:
    with pytest.raises(CopyNotReady, match="not found"):
        Scene(fatal=Failed("not found")).wait()


def test_the_timeout_carries_the_last_reason() -> None:
    scene = Scene(state=Waiting("the image can't be pulled yet"))
    with pytest.raises(CopyNotReady) as caught:
        scene.wait(timeout=10)
    assert (caught.value.last, caught.value.waited) == ("the image can't be pulled yet", 10)


def test_a_copy_that_no_node_takes_fails_before_the_timeout() -> None:
    scene = Scene(state=STUCK)
    with pytest.raises(CopyNotReady, match="no node takes the copy"):
        scene.wait()
    assert 30 <= scene.clock.now < 40


def test_an_autoscaler_that_has_answered_is_waited_for() -> None:
    assert Scene(state=STUCK, events=SCALING, answers_at=90).wait() == "a shell"
