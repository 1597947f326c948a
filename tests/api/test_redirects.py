"""A redirect is never followed: whoever it names would be shown the login."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.api.harness import EXEC, Cli, a_cluster, clean
from tests.api.test_bad_input import edited
from tests.support.listener import Listener

SECRET = "s3cret-t0ken"
STATUSES = (301, 302, 303, 307, 308)
TO = {
    "http": "http://127.0.0.1:{port}/x",
    "https": "https://127.0.0.1:{port}/x",
    "ws": "ws://127.0.0.1:{port}/x",
    "other-host": "http://localhost:{port}/x?token=t0p",
    "no-scheme": "//127.0.0.1:{port}/x",
    "same-host": "{api}/elsewhere",
    "path": "/elsewhere",
}


class Row(NamedTuple):
    """A status, where to, and which request of the debug is answered with it."""

    status: int
    to: str
    path: str
    method: str = "GET"
    flags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return what tells it from the others."""
        what = self.path.strip("/$").replace("/", "-").replace("\\", "") or "any"
        return f"{self.status}-{self.to}-{self.method}-{what}"


POD = "/pods/mypod$"
ROWS = [
    *(Row(status, "ws", EXEC) for status in STATUSES),
    *(Row(302, to, EXEC) for to in TO if to != "ws"),
    *(Row(status, "http", POD) for status in STATUSES),
    *(Row(307, to, POD) for to in TO if to != "http"),
    Row(308, "http", "/jobs$", "POST"),
    Row(307, "http", "/pods$", "POST"),
    Row(302, "ws", EXEC, flags=("--image", "busybox")),
    Row(302, "ws", EXEC, flags=("--in-place",)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.id}{''.join(r.flags)}")
def test_nobody_is_shown_the_login(tmp_path: Path, row: Row) -> None:
    with Listener() as listener, a_cluster(tmp_path) as cli:
        user = {"token": SECRET, "as": "jane"}
        edited(cli, lambda config: config["users"][0].update(user=user))
        _redirect(cli, listener, row.status, row.to, path=row.path, method=row.method)
        ended = cli.run("debug", *row.flags, "mypod", "--", "true")
        assert (ended.code, ended.out, len(ended.errors)) == (1, b"", 1), ended
        assert f"HTTP {row.status}: redirected" in ended.errors[0], ended
        assert "t0p" not in ended.err and SECRET not in ended.err
        _nothing_arrived(cli, listener)


def _redirect(cli: Cli, listener: Listener, status: int, to: str, **where: str) -> None:
    location = TO[to].format(port=listener.port, api=cli.api.url)
    body = b'{"kind": "Pod", "metadata": {"name": "mypod", "uid": "u"}, "spec": {"containers": []}}'
    cli.api.fault(
        status=status, data=body, headers={"Location": location}, times=None, **where
    )  # fmt: skip


def _nothing_arrived(cli: Cli, listener: Listener) -> None:
    assert listener.heard == []
    assert not [r for r in cli.api.requests if "elsewhere" in r.path]


# What a debug does without: its requests are not followed either.
BESIDE = ["/log$", "/events$", "/services$", "/nodes/", "/selfsubjectaccessreviews$"]


@pytest.mark.parametrize("path", BESIDE)
def test_nor_by_requests_that_a_session_does_without(tmp_path: Path, path: str) -> None:
    with Listener() as listener, a_cluster(tmp_path) as cli:
        edited(cli, lambda config: config["users"][0].update(user={"token": SECRET}))
        _redirect(cli, listener, 302, "http", path=path)
        ended = cli.run("debug", "mypod", "--", "echo", "hi")
        assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
        _nothing_arrived(cli, listener)
        clean(cli.api)


@pytest.mark.parametrize(
    "verb", [("version",), ("ls",), ("check", "mypod"), ("attach", "mypod", "--", "true")]
)
def test_nor_by_any_verb(cli: Cli, verb: tuple[str, ...]) -> None:
    with Listener() as listener:
        edited(cli, lambda config: config["users"][0].update(user={"token": SECRET}))
        _redirect(cli, listener, 302, "http")
        ended = cli.run(*verb)
        assert ended.code == 1 and "redirected" in ended.err, ended
        _nothing_arrived(cli, listener)
