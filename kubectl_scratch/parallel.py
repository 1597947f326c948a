"""Do several things at once, where each waits for the cluster."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

# Threads that begin, and after how long, in seconds, each function has one.
FEW = 1
SLOW = 0.1


class Task(Generic[T]):
    """A function that runs from now on, in a thread of its own; it doesn't hold up the exit."""

    def __init__(self, function: Callable[[], T]) -> None:
        """Start it."""
        self._function = function
        self._results: list[T] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:
            self._failure = error

    def done(self) -> bool:
        """Say whether it has ended, in whatever way."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for its end, and return what it returned; raises what it raised."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        (result,) = self._results
        return result


class Crew(Generic[T]):
    """Functions that run from now on, in threads that share the work.

    Each thread makes a connection. The handshakes of ten cost more than the answers of a
    cluster that is near, and less than to wait in turn for those of one that is far: so there
    are few threads at first, and one for each function once the answers are slow.
    """

    def __init__(self, functions: Iterable[Callable[[], T]]) -> None:
        """Start."""
        self._results: dict[int, T] = {}
        self._todo = deque(enumerate(functions))
        self._count = len(self._todo)
        self._taken = threading.Event()
        self._workers = [Task(self._work) for _ in range(FEW)]
        self._foreman = Task(self._hire)

    def _work(self) -> None:
        while True:
            try:
                number, function = self._todo.popleft()
            except IndexError:
                self._taken.set()
                return
            self._results[number] = function()

    def _hire(self) -> None:
        if not self._taken.wait(SLOW):
            self._workers += [Task(self._work) for _ in range(len(self._todo))]

    def results(self) -> list[T]:
        """Wait for all, and return in order what they returned; raises what one has raised."""
        self._foreman.result()
        for worker in self._workers:
            worker.result()
        return [self._results[number] for number in range(self._count)]
