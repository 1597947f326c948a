"""A session without a cluster: what it carries, when it ends, and why."""

from __future__ import annotations

import io
import os
import signal
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.errors import ClusterError, Interrupted, SessionError
from kubectl_scratch.kube.exec_stream import V5, ExecStream
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.plan.model import APP, SessionTarget, TargetKind
from kubectl_scratch.request import SessionRequest
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.session import opening
from kubectl_scratch.session.context import Context, UserStreams
from kubectl_scratch.session.post_mortem import DEATH_SECONDS, death_of_target
from kubectl_scratch.session.remote import WebSocketCommand
from kubectl_scratch.session.session import Session, Uploads
from kubectl_scratch.session.session_limit import WARNING_SECONDS, SessionLimit
from tests.support.builders import Json, a_pod
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE

PLACE = SessionTarget(
    TargetKind.COPY, "default", "copy", "bcdfg", "scratch", "app", "default/mypod", APP
)
NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)


class Scene:
    """A user whose stdout is a pipe, and whose stdin is empty."""

    def __init__(self, interrupts: Interrupts, cluster: Any = None) -> None:
        self.clock = FakeClock()
        self.stderr = io.StringIO()
        self.shown, stdout = os.pipe()
        nowhere = os.open(os.devnull, os.O_RDWR)
        self._open = (self.shown, stdout, nowhere)
        user = UserStreams(nowhere, stdout, nowhere)
        console = Console(self.stderr)
        self.context = Context(
            cluster, console, user, interrupts, self.clock, lambda: "bcdfg", "me"
        )

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def session(self, limit: SessionLimit, uploads: Uploads, **request: Any) -> Session:
        asked = SessionRequest(ttl=300, timeout=120, longest=3600, **request)
        return Session(asked, self.context, PLACE, False, limit, uploads)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Interrupts() as interrupts:
        made = Scene(interrupts)
        yield made
        made.close()


def frame(channel: int, data: bytes) -> bytes:
    """Return a message of the exec protocol, as a server sends it."""
    return bytes([0x82, len(data) + 1, channel]) + data


CAUSE = b'{"causes":[{"reason":"ExitCode","message":"7"}]}'
STATUS = b'{"status":"Failure","reason":"NonZeroExitCode","details":' + CAUSE + b"}"


def test_what_is_carried_ends_with_its_code(scene: Scene) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        session = scene.session(SessionLimit(60, None, scene.context), Uploads(), stdin=False)
        remote = WebSocketCommand(ExecStream(ours, V5), tty=False)
        theirs.sendall(frame(1, b"out") + frame(3, STATUS) + b"\x88\x00")
        assert session.carry(remote).code == 7
        assert os.read(scene.shown, 10) == b"out"


class LateRemote:
    """A remote command that has come when nobody waits for it any more."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_a_command_that_comes_after_a_signal_is_closed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given_up, late = threading.Event(), LateRemote()

    def come_late(*_: Any) -> LateRemote:
        os.kill(os.getpid(), signal.SIGTERM)
        assert given_up.wait(PATIENCE)
        return late

    monkeypatch.setattr(opening, "choose_transport", lambda *_: None)
    monkeypatch.setattr(opening, "wait_for", come_late)
    session = scene.session(SessionLimit(60, None, scene.context), Uploads())
    with pytest.raises(Interrupted):
        session.open(tmp_path)
    given_up.set()
    assert late.closed.wait(PATIENCE)


def test_a_second_command_can_be_carried_after_the_first_was_lost(scene: Scene) -> None:
    session = scene.session(SessionLimit(60, None, scene.context), Uploads(), stdin=False)
    outcomes: list[ExecOutcome] = []
    for ending in (b"", frame(3, b'{"status":"Success"}') + b"\x88\x00"):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(frame(1, b"x") + ending)
            theirs.shutdown(socket.SHUT_WR)
            outcomes.append(session.carry(WebSocketCommand(ExecStream(ours, V5), tty=False)))
    assert [outcome.lost for outcome in outcomes] == [True, False]
    assert outcomes[1].code == 0
    assert os.read(scene.shown, 10) == b"xx"


def test_a_session_that_has_lasted_too_long_ends(scene: Scene) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        limit = SessionLimit(60, None, scene.context)
        session = scene.session(limit, Uploads(), stdin=False)
        scene.clock.sleep(60)
        theirs.sendall(frame(1, b"out"))
        with pytest.raises(SessionError, match="1m") as caught:
            session.carry(WebSocketCommand(ExecStream(ours, V5), tty=False))
        assert "--max" in caught.value.hint


@pytest.mark.parametrize(
    "deadline, at, why",
    [(None, 3600 - WARNING_SECONDS, "--max"), (1200, 1200 - WARNING_SECONDS, "lease")],
)
def test_the_end_is_announced_once_and_in_time(
    scene: Scene, deadline: float | None, at: float, why: str
) -> None:
    limit = SessionLimit(3600, deadline, scene.context)
    scene.clock.sleep(at - 1)
    limit.check()
    assert scene.stderr.getvalue() == ""
    scene.clock.sleep(1)
    limit.check()
    limit.check()
    (line,) = scene.stderr.getvalue().splitlines()
    assert line.startswith("warning: ") and "5m" in line and why in line


def test_begin_tells_the_copy_and_shows_a_command_s_user_nothing(scene: Scene) -> None:
    begun: list[bool] = []
    uploads = Uploads(begins=lambda: begun.append(True))
    limit = SessionLimit(60, None, scene.context)
    scene.session(limit, uploads, command=("true",)).begin()
    assert begun == [True] and scene.stderr.getvalue() == ""


class Pods:
    """A cluster in which the copy is as it says, and an exec never reaches a container."""

    def __init__(self, pod: Json | None) -> None:
        self._pod = pod
        self.looks = 0

    def get(self, path: str, timeout: float) -> Any:
        self.looks += 1
        if self._pod is None:
            raise ClusterError(404, "NotFound", "no such pod", "get")
        return type("Answer", (), {"body": self._pod, "at": NOW})


def a_copy(ended: datetime | None, **fields: Any) -> Json:
    at = ended.strftime("%Y-%m-%dT%H:%M:%SZ") if ended else None
    state = {"terminated": {"exitCode": 137, "finishedAt": at}} if at else {"running": {}}
    status = {"containerStatuses": [{"name": "app", "state": state}]}
    return a_pod("copy", status=status, **fields)


JUST_NOW, LONG_AGO = NOW - timedelta(seconds=1), NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    "pod, told, looks",
    [
        (a_copy(JUST_NOW), "container app exited with code 137", 1),
        # An earlier end is none of this session's.
        (a_copy(LONG_AGO), "", None),
        (a_copy(None), "", None),
        # With its copy it has certainly ended, and that is told elsewhere.
        (a_copy(JUST_NOW, metadata={"deletionTimestamp": "2030-01-01T00:00:00Z"}), "", 1),
        (None, "", 1),
    ],
)
def test_the_end_of_a_target_that_ended_the_session_is_told(
    scene: Scene, pod: Json | None, told: str, looks: int | None
) -> None:
    cluster: Any = Pods(pod)
    found = death_of_target(scene.context._replace(cluster=cluster), PLACE)
    assert told in found and bool(found) is bool(told)
    assert cluster.looks == looks if looks else scene.clock.now >= DEATH_SECONDS
