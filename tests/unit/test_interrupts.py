"""A signal gives up what stands in a thread, and that thread does nothing more."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from kubectl_scratch.errors import Interrupted, InvalidRequest
from kubectl_scratch.runtime import tasks
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.interrupts import Interrupts
from tests.support.patience import PATIENCE


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """Own the signals of this process."""
    with Interrupts() as owned:
        yield owned


def test_what_is_run_gives_its_result_or_its_failure(interrupts: Interrupts) -> None:
    assert interrupts.run(lambda: 7) == 7

    def fail() -> None:
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        interrupts.run(fail)


class Worker:
    """Something that a signal gives up in its midst."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.console = Console(self.log)
        self.go_on, self.over, self.ended = (threading.Event() for _ in range(3))
        self.undone: list[str] = []

    def work(self) -> str:
        """Have the process interrupted, and then want to say, to begin and to give something."""
        try:
            with tasks.ended_by(self.ended.set):
                os.kill(os.getpid(), signal.SIGTERM)
                assert self.go_on.wait(PATIENCE)
            self.console.progress("progress")
            self.console.info("info")
            self.console.warning("warning")
            self.console.error("error")
            assert tasks.is_abandoned()
            return "late"
        finally:
            self.over.set()

    def undo(self, result: str) -> None:
        """Take the late result."""
        self.undone.append(result)
        self.over.set()


def test_a_signal_gives_it_up(interrupts: Interrupts) -> None:
    worker = Worker()
    with pytest.raises(Interrupted):
        interrupts.run(worker.work, worker.undo)
    # What it waits for is ended for it.
    assert worker.ended.is_set()
    worker.go_on.set()
    assert worker.over.wait(PATIENCE)
    for _ in range(1000):
        if worker.undone:
            break
        threading.Event().wait(0.01)
    assert worker.undone == ["late"]
    assert worker.log.getvalue() == ""


def test_who_is_given_up_waits_for_nothing_more(interrupts: Interrupts) -> None:
    begun, over = threading.Event(), threading.Event()
    waited: list[bool] = []

    def work() -> None:
        begun.set()
        waited.append(interrupts.pause(3600))
        over.set()

    task = tasks.Task(work)
    assert begun.wait(PATIENCE)
    task.abandon()
    assert over.wait(PATIENCE)
    assert waited == [False]


def test_who_is_given_up_begins_nothing_more(interrupts: Interrupts) -> None:
    seen: list[str] = []
    over = threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while not tasks.is_abandoned():
            over.wait(0.01)
        try:
            tasks.raise_if_abandoned()
            seen.append("began")
        finally:
            over.set()

    with pytest.raises(Interrupted):
        interrupts.run(work)
    assert over.wait(PATIENCE)
    assert seen == []


def test_what_lasts_too_long_is_given_up(interrupts: Interrupts) -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError):
        interrupts.run(lambda: never.wait(PATIENCE), seconds=0.01)
    never.set()


def test_after_a_signal_nothing_is_begun(interrupts: Interrupts) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Interrupted):
        interrupts.run(lambda: pytest.fail("it was begun"))


def test_a_task_that_ends_when_all_is_over_wakes_nobody() -> None:
    go_on = threading.Event()
    with Interrupts() as owned, pytest.raises(TimeoutError):
        owned.run(lambda: go_on.wait(PATIENCE), seconds=0.01)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    go_on.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.endswith("(_run)"):
            thread.join(PATIENCE)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)
    for end in (reader, writer):
        os.close(end)
