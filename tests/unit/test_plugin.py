"""Exec credential plugins, as small shell scripts."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kubeconfig import Access
from kubectl_scratch.plugin import Login, log_in

STATUS = '{"status": {"token": "abc", "expirationTimestamp": "2026-01-01T12:00:00Z"}}'


def run(script: str) -> Login:
    plugin = {"command": "sh", "args": ["-c", script], "apiVersion": "v1"}
    config = {"clusters": [{"cluster": {}}], "users": [{"user": {"exec": plugin}}]}
    return log_in(Access(config, "default"), interactive=False, timeout=20)


def test_it_gives_a_token_and_its_end() -> None:
    login = run(f"echo '{STATUS}'")
    assert login.user == {"token": "abc"}
    assert login.is_over(datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc))
    assert not login.is_over(datetime(2026, 1, 1, 11, 59, 59, tzinfo=timezone.utc))


def test_a_plugin_that_may_not_ask_reads_nothing_of_our_stdin() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"typed")
    os.close(writer)
    own = os.dup(0)
    os.dup2(reader, 0)
    try:
        assert run(f"""[ -z "$(cat)" ] && echo '{STATUS}'""").user == {"token": "abc"}
        assert os.read(0, 10) == b"typed"
    finally:
        os.dup2(own, 0)
        os.close(own)
        os.close(reader)


@pytest.mark.parametrize(
    "script, says",
    [
        ("echo 'log in first' >&2; exit 3", "ended with code 3: log in first"),
        ("echo nonsense", "gave no credential"),
        ("""echo '{"status": {}}'""", "gave no credential"),
        ("""echo '{"status": {"clientKeyData": 5}}'""", "gave no credential"),
    ],
)
def test_why_it_gives_none_is_told(script: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(script)
    assert caught.value.hint == f"credential plugin sh {says}"
