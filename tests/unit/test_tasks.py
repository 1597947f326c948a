"""Things that are done at once."""

from __future__ import annotations

import threading

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.runtime.tasks import Task, TaskGroup
from tests.support.patience import PATIENCE


def test_all_run_at_once_from_the_beginning() -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def meet(word: str) -> str:
        meeting.wait()
        return word

    first, second = Task(lambda: meet("one")), Task(lambda: meet("two"))
    assert [first.result(), second.result()] == ["one", "two"]


def test_a_failure_is_told_to_whoever_wants_the_result() -> None:
    def fail() -> None:
        raise InvalidRequest("no")

    task = Task(fail)
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="no"):
            task.result()
    assert task.done()


def test_a_task_is_done_when_it_has_a_result() -> None:
    door = threading.Event()
    task = Task(lambda: door.wait(PATIENCE))
    assert not task.done()
    door.set()
    assert task.result()
    assert task.done()


def test_a_group_answers_in_order() -> None:
    group = TaskGroup([lambda number=number: number for number in range(20)])  # type: ignore[misc]
    assert group.results() == list(range(20))


def test_a_group_grows_where_the_answers_are_slow() -> None:
    meeting = threading.Barrier(12, timeout=PATIENCE)
    group = TaskGroup([meeting.wait] * 12)
    assert sorted(group.results()) == list(range(12))


def test_a_group_tells_the_failure_of_one() -> None:
    def fail() -> None:
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest, match="no"):
        TaskGroup([fail, lambda: None]).results()
