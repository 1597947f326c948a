"""Do several things at once that each wait for the cluster."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

_T = TypeVar("_T")

# Threads that begin, and after how long, in seconds, each function has one.
FEW = 1
SLOW = 0.1


class Abandoned(BaseException):
    """Nobody waits any more for what this thread does; no ``except Exception`` may go on."""


_here = threading.local()


def is_abandoned() -> bool:
    """Say whether nobody waits any more for what this thread does."""
    task: Task[object] | None = getattr(_here, "task", None)
    return task is not None and task.abandoned


def raise_if_abandoned() -> None:
    """Raise Abandoned if nobody waits any more for what this thread does."""
    if is_abandoned():
        raise Abandoned


@contextmanager
def ended_by(end: Callable[[], object]) -> Iterator[None]:
    """Have ``end`` called by whoever abandons this thread meanwhile: it ends what is waited for."""
    task: Task[object] | None = getattr(_here, "task", None)
    if task is None:
        yield
        return
    task.add_end(end)
    try:
        yield
    finally:
        task.remove_end(end)


class Task(Generic[_T]):
    """A function that runs from now on, in a thread of its own; it doesn't hold up the exit.

    ``told`` is called at its end, in its thread; ``undo`` gets a result that came when it was
    abandoned.
    """

    def __init__(
        self,
        function: Callable[[], _T],
        told: Callable[[], object] = lambda: None,
        undo: Callable[[_T], object] = lambda result: None,
    ) -> None:
        """Start it."""
        self.abandoned = False
        self._function = function
        self._told = told
        self._undo = undo
        self._results: list[_T] = []
        self._failure: BaseException | None = None
        self._over = False
        self._ends: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        _here.task = self
        try:
            self._take(self._function())
        except BaseException as error:
            self._failure = error
        finally:
            self._over = True
            self._told()

    def _take(self, result: _T) -> None:
        with self._lock:
            if not self.abandoned:
                self._results.append(result)
                return
        self._undo(result)

    def add_end(self, end: Callable[[], object]) -> None:
        """Have ``end`` called if it is abandoned; raises Abandoned if it is already."""
        with self._lock:
            if not self.abandoned:
                self._ends.append(end)
                return
        end()
        raise Abandoned

    def remove_end(self, end: Callable[[], object]) -> None:
        """Have ``end`` called no more."""
        with self._lock:
            self._ends.remove(end)

    def abandon(self) -> None:
        """Leave it alone: it ends where it asks whether it is wanted, and its result is undone."""
        with self._lock:
            self.abandoned = True
            results, ends = list(self._results), list(self._ends)
            self._results.clear()
        for end in ends:
            end()
        for result in results:
            self._undo(result)

    def done(self) -> bool:
        """Say whether it has ended, in whatever way."""
        return self._over

    def result(self) -> _T:
        """Wait for its end, and return what it returned; raises what it raised."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        (result,) = self._results
        return result


class TaskGroup(Generic[_T]):
    """Functions that run from now on, in threads that share the work.

    Each thread makes a connection. The handshakes of ten cost more than the answers of a
    cluster that is near, and less than to wait in turn for those of one that is far: so there
    are few threads at first, and one for each function once the answers are slow.
    """

    def __init__(self, functions: Iterable[Callable[[], _T]]) -> None:
        """Start."""
        self._results: dict[int, _T] = {}
        self._todo = deque(enumerate(functions))
        self._count = len(self._todo)
        self._taken = threading.Event()
        self._workers = [Task(self._work) for _ in range(FEW)]
        self._starter = Task(self._add_workers)

    def _work(self) -> None:
        while True:
            try:
                number, function = self._todo.popleft()
            except IndexError:
                self._taken.set()
                return
            self._results[number] = function()

    def _add_workers(self) -> None:
        if not self._taken.wait(SLOW):
            self._workers += [Task(self._work) for _ in range(len(self._todo))]

    def results(self) -> list[_T]:
        """Wait for all, and return in order what they returned; raises what one has raised."""
        self._starter.result()
        for worker in self._workers:
            worker.result()
        return [self._results[number] for number in range(self._count)]
