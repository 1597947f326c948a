"""When a login is renewed, and that nobody waits for it who does not want to."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kubectl_scratch.kube import credentials
from kubectl_scratch.kube.access import Access
from kubectl_scratch.kube.credentials import Credentials
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.runtime.tasks import Task
from tests.support.patience import PATIENCE

PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)
# Each call gives the next token.
COUNTS = """echo x >> "$0"; n=$(wc -l < "$0" | tr -d ' ')
echo '{"status": {"token": "token-'$n'", "expirationTimestamp": "2999-01-01T00:00:00Z"}}'"""


SAME = COUNTS.replace("token-'$n'", "token")


def logged_in(folder: Path, script: str = COUNTS) -> Credentials:
    plugin = {"command": "sh", "args": ["-c", script, str(folder / "calls")]}
    clusters = [{"name": "it", "cluster": {"server": "http://one.example"}}]
    users = [{"name": "it", "user": {"exec": plugin}}]
    contexts = [{"name": "it", "context": {"cluster": "it", "user": "it"}}]
    config = {"clusters": clusters, "users": users, "contexts": contexts, "current-context": "it"}
    return Credentials(Access(config, "default"))


def test_a_login_that_lasts_is_kept(tmp_path: Path) -> None:
    found = logged_in(tmp_path)
    assert found.proof() is found.proof()
    assert found.headers() == [("Authorization", "Bearer token-1")]


@pytest.mark.parametrize("ends", [{"due": PAST}, {"due": None, "expires": PAST}], ids=str)
def test_a_login_is_renewed_when_it_ends_and_before(
    tmp_path: Path, ends: dict[str, datetime | None]
) -> None:
    found = logged_in(tmp_path)
    found._proof = found.proof()._replace(**ends)  # type: ignore[arg-type]
    assert found.proof().authorization == "Bearer token-2"
    assert found.proof().authorization == "Bearer token-2"


@pytest.mark.parametrize(("lasts", "early"), [(20, 2), (600, 60), (86400, 60), (-5, -0.5)])
def test_how_long_before_its_end(lasts: float, early: float) -> None:
    expires = datetime.now(timezone.utc) + timedelta(seconds=lasts)
    due = credentials._due(expires)
    assert due is not None
    assert abs((expires - due).total_seconds() - early) < 1


def test_what_was_refused_is_renewed_once_for_all(tmp_path: Path) -> None:
    found = logged_in(tmp_path)
    refused = found.proof()
    for _ in range(3):
        renewed = found.renewed(refused)
        assert renewed is not None and renewed.authorization == "Bearer token-2"


def test_who_has_waited_for_anothers_renewal_has_its_login(tmp_path: Path) -> None:
    found = logged_in(tmp_path)
    refused = found.proof()
    waiting: set[int] = set()
    both = threading.Event()

    def pause(seconds: float) -> bool:
        waiting.add(threading.get_ident())
        if len(waiting) == 2:
            both.set()
        return True

    found._pause = pause
    with found._renewing:
        tasks = [Task(lambda: found.renewed(refused)) for _ in range(2)]
        assert both.wait(PATIENCE)
    shown = [task.result() for task in tasks]
    assert [proof and proof.authorization for proof in shown] == ["Bearer token-2"] * 2


def test_a_login_that_stays_the_same_is_not_asked_for_at_once(tmp_path: Path) -> None:
    found = logged_in(tmp_path, SAME)
    # Each has been shown what the one before had got.
    assert [found.renewed(found.proof()) for _ in range(3)] == [None] * 3
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


def test_who_waits_for_anothers_renewal_can_be_told_to_stop(tmp_path: Path) -> None:
    found = logged_in(tmp_path)
    refused = found.proof()
    found._pause = lambda seconds: False
    with found._renewing:
        assert found.renewed(refused, PATIENCE) is None


def test_a_pause_ends_for_a_signal() -> None:
    """It doesn't raise, not even in the main thread: a request may have created something."""
    with Interrupts() as interrupts:
        assert interrupts.pause(0)
        os.kill(os.getpid(), signal.SIGTERM)
        assert not interrupts.pause(PATIENCE)
        told: list[bool] = []
        other = threading.Thread(target=lambda: told.append(interrupts.pause(PATIENCE)))
        other.start()
        other.join()
        assert told == [False]


def test_a_pause_while_we_leave_ends_for_the_second_signal() -> None:
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        interrupts.close()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.pause(0)
        os.kill(os.getpid(), signal.SIGINT)
        assert not interrupts.pause(PATIENCE)
