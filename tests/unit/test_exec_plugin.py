"""Exec credential plugins, as small shell scripts."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.access import Access
from kubectl_scratch.kube.exec_plugin import HungPlugin, PluginLogin, log_in
from kubectl_scratch.kube.objects import Json
from tests.support.patience import PATIENCE

STATUS = '{"status": {"token": "abc", "expirationTimestamp": "2026-01-01T12:00:00Z"}}'


def run(
    script: str,
    cluster: Json | None = None,
    interactive: bool = False,
    pause: Callable[[float], bool] = lambda seconds: True,
    **more: Any,
) -> PluginLogin:
    plugin = {"command": "sh", "args": ["-c", script], "apiVersion": "v1", **more}
    config = {"clusters": [{"cluster": cluster or {}}], "users": [{"user": {"exec": plugin}}]}
    return log_in(Access(config, "default"), interactive, timeout=20, pause=pause)


def test_it_gives_a_token_and_its_end() -> None:
    login = run(f"echo '{STATUS}'")
    assert login.user == {"token": "abc"}
    assert login.expires == datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)


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


NOTHING = "returned no credential"


@pytest.mark.parametrize(
    "script, says",
    [
        ("echo 'log in first' >&2; exit 3", "exited with code 3: log in first"),
        ("echo nonsense", NOTHING),
        ("""echo '{"status": {}}'""", NOTHING),
        ("""echo '{"status": {"clientKeyData": 5}}'""", NOTHING),
        ("""echo '{"status": {"token": 5}}'""", NOTHING),
        ("""echo '{"status": {"token": {}}}'""", NOTHING),
        ("""echo '[]'""", NOTHING),
        ("""echo '{"status": {"token": "a", "expirationTimestamp": 5}}'""", NOTHING),
        ("""echo '{"status": {"token": "a", "expirationTimestamp": "x"}}'""", NOTHING),
        ("head -c 100000 /dev/zero | tr '\\0' '['", NOTHING),
        (
            """echo '{"status": {"clientKeyData": "k"}}'""",
            "returned a certificate or a key, not both",
        ),
        ("printf 'one\\n\\n  two\\n' >&2; exit 3", "exited with code 3: one two"),
    ],
)
def test_why_it_gives_none_is_told(script: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(script)
    assert caught.value.hint == f"credential plugin sh {says}"


HINT = "Install it:\n\n  brew install x\r\n\tor see https://x.example\n"


def test_all_lines_of_the_hint_to_install_it_are_told() -> None:
    with pytest.raises(InvalidRequest) as caught:
        run("", command="no-such-plugin", installHint=HINT)
    told = "Install it: brew install x or see https://x.example"
    assert caught.value.hint == f"credential plugin no-such-plugin cannot be run: {told}"


def told(cluster: Json, **more: Any) -> Json:
    """Return what a plugin is told."""
    script = """printf '{"status": {"token": "%s"}}' "$(printenv $NAME | base64 -w0)"
"""
    env = [{"name": "NAME", "value": "KUBERNETES_EXEC_INFO"}]
    token = run(script, cluster, env=env, **more).user["token"]
    found: Json = json.loads(base64.b64decode(token))
    return found


CONFIG = {"audience": "x", "nested": {"a": [1, 2.5, True, None]}}
EXTENSIONS = [
    {"name": "other", "extension": "y"},
    {"name": "client.authentication.k8s.io/exec", "extension": CONFIG},
]


def test_a_plugin_is_told_of_the_cluster_as_by_kubectl(tmp_path: Path) -> None:
    """The field names and values are those of kubectl 1.37 for the same kubeconfig."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(b"PEM\n")
    plain = {
        "server": "https://one.example/path/",
        "tls-server-name": "other.example",
        "proxy-url": "http://u:p@127.0.0.1:2",
        "disable-compression": True,
    }
    given = {**plain, "certificate-authority": str(ca), "extensions": EXTENSIONS}
    data = base64.b64encode(b"PEM\n").decode()
    assert told(given, provideClusterInfo=True) == {
        "apiVersion": "v1",
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {**plain, "certificate-authority-data": data, "config": CONFIG},
        },
    }


@pytest.mark.parametrize(
    ("cluster", "info"),
    [
        ({"server": "https://a"}, {"server": "https://a", "config": None}),
        ({"server": "s", "insecure-skip-tls-verify": True},
         {"server": "s", "insecure-skip-tls-verify": True, "config": None}),
        ({"server": "s", "certificate-authority-data": "ZGF0YQ==", "certificate-authority": "/x"},
         {"server": "s", "certificate-authority-data": "ZGF0YQ==", "config": None}),
        ({"server": "s", "extensions": [EXTENSIONS[0], 5, {}]}, {"server": "s", "config": None}),
        ({"server": "s", "certificate-authority": "/nowhere"}, {"server": "s", "config": None}),
    ],
)  # fmt: skip
def test_what_of_a_cluster_is_told(cluster: Json, info: Json) -> None:
    assert told(cluster, provideClusterInfo=True)["spec"]["cluster"] == info
    assert "cluster" not in told(cluster)["spec"]


def test_a_plugin_that_nobody_waits_for_any_more_is_ended() -> None:
    plugin = {"command": "sleep", "args": ["600"]}
    config = {"clusters": [{"cluster": {}}], "users": [{"user": {"exec": plugin}}]}
    waits: list[float] = []

    def pause(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) < 2

    with pytest.raises(HungPlugin, match="was interrupted"):
        log_in(Access(config, "default"), interactive=False, timeout=None, pause=pause)


CHILD = """sleep 600 > /dev/null 2>&1 < /dev/null & echo $! > "$CHILD"
"""


@pytest.mark.parametrize("ends", [f"echo '{STATUS}'", "exit 1", "wait"])
def test_what_a_plugin_has_started_does_not_outlive_it(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "child"
    env = [{"name": "CHILD", "value": str(path)}]
    with contextlib.suppress(InvalidRequest):
        run(f"{CHILD}{ends}", env=env, pause=lambda seconds: not path.exists())
    _is_over(int(path.read_text()))


def test_nor_does_that_of_one_at_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "child"
    env = [{"name": "CHILD", "value": str(path)}]
    with pytest.raises(HungPlugin):
        run(f"{CHILD}wait", env=env, interactive=True, pause=lambda s: not path.exists())
    _is_over(int(path.read_text()))


def _is_over(pid: int) -> None:
    end = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists() and ") Z" not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
