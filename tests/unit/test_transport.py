"""Ways to a session's command, and what a seed says before it starts: no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubectl_scratch.errors import ClusterError, SessionError
from kubectl_scratch.kube.exec_errors import NotStarted, NoWebSocket
from kubectl_scratch.session.exec_command import Attempt, ExecCommand
from kubectl_scratch.session.readiness import KILLED, Ready, State
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.seed_delivery import (
    ENDS,
    ENDS_EVERY,
    Ends,
    Greeting,
    Lives,
    ends_with_its_container,
    read_greeting,
)
from kubectl_scratch.session.transport import only_websocket, websocket_or_else
from tests.support.builders import Json, a_pod
from tests.support.clock import FakeClock

REMOTE: Any = object()
DIGEST = "ab" * 32


def gives(result: RemoteCommand | None) -> Attempt:
    return lambda state: result


def fails(error: Exception) -> Attempt:
    def attempt(state: State) -> RemoteCommand | None:
        raise error

    return attempt


def test_without_a_websocket_kubectl_is_named_as_the_way() -> None:
    with pytest.raises(SessionError) as caught:
        only_websocket(fails(NoWebSocket("HTTP 200")))(Ready())
    assert "HTTP 200" in caught.value.problem and "kubectl" in caught.value.hint


@pytest.mark.parametrize("wrap", [only_websocket, lambda a: websocket_or_else(a, no_other, print)])
def test_what_a_websocket_gives_passes_through(
    wrap: Callable[[Attempt], Attempt],
) -> None:
    assert wrap(gives(REMOTE))(Ready()) is REMOTE
    assert wrap(gives(None))(Ready()) is None
    with pytest.raises(NotStarted):
        wrap(fails(NotStarted("no")))(Ready())


def no_other() -> Attempt:
    raise AssertionError("the other way is not needed")


def test_the_other_way_is_made_once_and_stays() -> None:
    said: list[str] = []
    made: list[Attempt] = []

    def another() -> Attempt:
        made.append(gives(REMOTE))
        return made[-1]

    attempt = websocket_or_else(fails(NoWebSocket("HTTP 200")), another, said.append)
    # The next look decides whether the container runs.
    assert attempt(Ready()) is None
    assert attempt(Ready()) is REMOTE and attempt(Ready()) is REMOTE
    assert (len(made), len(said)) == (1, 1) and "HTTP 200" in said[0]


@pytest.mark.parametrize(
    "said, greeting",
    [
        (f"{DIGEST} 23:4711".encode(), Greeting(DIGEST, "23:4711")),
        (b"noise of a runtime\n" + f"{DIGEST} 1:2".encode(), Greeting(DIGEST, "1:2")),
        (b"", Greeting()),
        (f"{DIGEST} 23:4711 more".encode(), Greeting()),
        (f"{DIGEST[1:]} 23:4711".encode(), Greeting()),
    ],
)
def test_a_greeting_is_at_the_end_of_what_is_said(said: bytes, greeting: Greeting) -> None:
    assert read_greeting(said) == greeting


@pytest.mark.parametrize(
    "code, problem, with_it",
    [
        (0, "", True),
        (KILLED, "", True),
        (1, "no space left on device", False),
        (None, "cannot exec in a stopped state", True),
        (None, "cannot exec in a deleted state: unknown", True),
        (None, 'exec: "/.scratch-seed/seed": permission denied', False),
    ],
)
def test_a_seed_ends_with_its_container_or_by_itself(
    code: int | None, problem: str, with_it: bool
) -> None:
    assert ends_with_its_container(code, problem) is with_it


def test_many_failures_of_one_end_count_once() -> None:
    clock = FakeClock()
    ends = Ends(clock.monotonic)
    for _ in range(3 * ENDS):
        ends.note("killed")
        clock.sleep(ENDS_EVERY / (4 * ENDS))


def test_a_seed_that_is_killed_each_time_is_given_up() -> None:
    clock = FakeClock(100)
    ends = Ends(clock.monotonic)
    for _ in range(ENDS - 1):
        ends.note("killed")
        clock.sleep(ENDS_EVERY)
    with pytest.raises(SessionError, match="killed each time: why"):
        ends.note("why")


class Pods:
    """A cluster that gives these statuses of a container, one a look; None: it does not answer."""

    def __init__(self, *statuses: Json | None) -> None:
        self._statuses = list(statuses)

    def get(self, path: str, timeout: float) -> Any:
        status = self._statuses.pop(0)
        if status is None:
            raise ClusterError(0, "", "no answer", "get")
        pod = a_pod(status={"containerStatuses": [{"name": "app", **status}]})
        return type("Answer", (), {"body": pod})


def running(container: str = "id-1") -> Json:
    return {"state": {"running": {}}, "containerID": container}


ENDED = {"state": {"terminated": {"exitCode": 0}}, "containerID": "id-1"}
BACKING_OFF = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
STARTING = {"state": {"waiting": {"reason": "ContainerCreating"}}}


@pytest.mark.parametrize(
    "statuses, lives",
    [
        ((running(), running()), [True, True]),
        ((ENDED,), [False]),
        ((BACKING_OFF,), [False]),
        # Its status comes late, and an API server that is busy says nothing of it.
        ((STARTING, running()), [True, True]),
        ((running(), None, running()), [True, True, True]),
        # Another one has been started in between.
        ((running(), running("id-2")), [True, False]),
    ],
)
def test_a_container_lives_until_it_or_another_is_seen(
    statuses: tuple[Json | None, ...], lives: list[bool]
) -> None:
    cluster: Any = Pods(*statuses)
    command = ExecCommand("default", "copy", "app", ("true",), False, (24, 80), True)
    look = Lives(cluster, command)
    assert [look() for _ in statuses] == lives
