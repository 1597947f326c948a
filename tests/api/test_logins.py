"""Logins that end, change or fail while a session lasts."""

from __future__ import annotations

import base64
import json
import os
import shlex
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from tests.api.harness import (
    A_LEASE,
    EXEC,
    JOBS,
    PODS,
    REVIEWS,
    Cli,
    clean,
    copy_of,
    end_of,
    finish,
    line_of,
    sent,
)
from tests.api.test_bad_input import edited, plugin_config
from tests.api.test_connection import tls_cluster
from tests.support.fakeapi import FakeCluster
from tests.support.listener import Listener
from tests.support.logins import id_token, oidc
from tests.support.patience import PATIENCE

POD = "/pods/mypod$"
# It notes each call, and says what stands in a file.
PLUGIN = """#!/bin/sh
here=$(dirname "$0")
echo $$ >> "$here/calls"
n=$(wc -l < "$here/calls")
[ -f "$here/script-$n" ] && . "$here/script-$n"
[ -f "$here/script" ] && . "$here/script"
cat "$here/status"
"""
# A login for three seconds.
SHORT = """now=$(date +%s); end=$((now + 3)); stamp=$(date -u -d @$end +%Y-%m-%dT%H:%M:%SZ)
echo '{"status": {"token": "until-'$end'", "expirationTimestamp": "'$stamp'"}}'; exit
"""


class Plugin:
    """A credential plugin, and what the user of a kubeconfig is by it."""

    def __init__(self, cli: Cli, **more: Any) -> None:
        self.folder = cli.folder / "plugin"
        self.folder.mkdir()
        path = self.folder / "plugin"
        path.write_text(PLUGIN)
        path.chmod(0o755)
        user = {"exec": {**plugin_config(str(path)), **more}}
        edited(cli, lambda config: config["users"][0].update(user=user))

    def gives(self, **status: Any) -> None:
        """Let it give a status from now on, at once."""
        fresh = self.folder / "fresh"
        fresh.write_text(json.dumps({"status": status}))
        fresh.rename(self.folder / "status")

    def does(self, script: str, call: int | None = None) -> None:
        """Let it run a script before, at each call or at that one."""
        name = "script" if call is None else f"script-{call}"
        (self.folder / name).write_text(script)

    @property
    def calls(self) -> list[int]:
        """Return the processes of its calls."""
        path = self.folder / "calls"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


def beats(api: FakeCluster) -> list[str]:
    """Return who has renewed the lease."""
    return [r.headers.get("Authorization", "") for r in sent(api, "PATCH", A_LEASE)]


@contextmanager
def a_session(cli: Cli, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a session that lasts, and check that its end is a good one."""
    command = ("sh", "-c", "echo ready; cat")
    process = cli.start("debug", "--ttl", "5s", *flags, "mypod", "--", *command)
    assert line_of(process.stdout) == b"ready\n", finish(process)
    yield process
    ended = finish(process)
    assert (ended.code, ended.errors, ended.warnings) == (0, [], []), ended
    clean(cli.api)


def _is_valid(shown: str, peer: str) -> bool:
    end = shown.partition("Bearer until-")[2]
    return end.isdecimal() and time.time() < int(end)


def test_a_session_over_several_expiries(cli: Cli) -> None:
    plugin = Plugin(cli)
    plugin.does(SHORT)
    cli.api.admits = _is_valid
    with a_session(cli):
        cli.api.wait_for(lambda api: len(set(beats(api))) >= 3, PATIENCE)


def test_a_renewal_that_fails_is_tried_again(cli: Cli) -> None:
    plugin = Plugin(cli)
    plugin.does(SHORT)
    for call in (2, 3):
        plugin.does("echo not now >&2; exit 1", call)
    cli.api.admits = _is_valid
    with a_session(cli):
        cli.api.wait_for(lambda api: len(set(beats(api))) >= 2, PATIENCE)
    assert len(plugin.calls) > 3


class Rotating:
    """A token without an end that is good until it is changed."""

    def __init__(self, cli: Cli, plugin: Plugin) -> None:
        self.number = 1
        self._plugin = plugin
        plugin.gives(token="token-1")
        cli.api.admits = lambda shown, peer: shown == f"Bearer token-{self.number}"

    def turn(self) -> None:
        """Change it."""
        self._plugin.gives(token=f"token-{self.number + 1}")
        self.number += 1


ROTATED = {
    "read": ("GET", POD),
    "lease": ("POST", JOBS),
    "copy": ("POST", PODS),
    "events": ("GET", "/events$"),
    "exec": ("GET", EXEC),
    "delete": ("DELETE", A_LEASE),
}


@pytest.mark.parametrize("where", ROTATED)
def test_what_refuses_a_login_is_asked_again_with_a_new_one(cli: Cli, where: str) -> None:
    method, path = ROTATED[where]
    plugin = Plugin(cli)
    rotating = Rotating(cli, plugin)
    turned: list[int] = []

    def turn(request: Any) -> bool:
        if not turned:
            turned.append(1)
            rotating.turn()
        return False

    cli.api.fault(method=method, path=path, when=turn)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], []), ended
    assert turned and len(plugin.calls) == 2
    clean(cli.api)


def test_a_login_that_stays_refused_is_asked_for_once(cli: Cli) -> None:
    plugin = Plugin(cli)
    plugin.gives(token="bad")
    cli.api.admits = lambda shown, peer: False
    cli.run("debug", "mypod", "--", "true").complains("rejected your credentials")
    # For the source, and not once more for each of the other requests beside it.
    assert len(plugin.calls) == 2


def test_a_heartbeat_has_a_rotated_token(cli: Cli) -> None:
    plugin = Plugin(cli)
    rotating = Rotating(cli, plugin)
    with a_session(cli):
        rotating.turn()
        cli.api.wait_for(lambda api: "Bearer token-2" in beats(api), PATIENCE)
        rotating.turn()


@pytest.mark.parametrize("ends", ["2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_renewed_certificate_is_shown_by_all_that_connects(tmp_path: Path, ends: str) -> None:
    """One that has ended, and one that is refused before."""
    ca = trustme.CA()

    def status(name: str) -> dict[str, str]:
        made = ca.issue_cert("x.example", common_name=name)
        chain, key = made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes()
        return {"clientCertificateData": chain.decode(), "clientKeyData": key.decode()}

    with tls_cluster(tmp_path, client_ca=ca.cert_pem.bytes().decode()) as cli:
        plugin = Plugin(cli)
        plugin.gives(**status("first"), expirationTimestamp=ends)
        plugin.does(f"cat '{plugin.folder}/second'; exit", 2)
        second = {**status("second"), "expirationTimestamp": "2999-01-01T00:00:00.123456789Z"}
        (plugin.folder / "second").write_text(json.dumps({"status": second}))
        cli.api.admits = lambda shown, peer: peer == "second"
        ended = cli.run("debug", "mypod", "--", "echo", "hi")
        assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", []), ended
        assert {r.peer for r in sent(cli.api, "GET", EXEC)} == {"second"}
        changed = [r for r in cli.api.requests if r.method != "GET"]
        assert changed and {r.peer for r in changed if not r.path.endswith(REVIEWS)} == {"second"}
        clean(cli.api)


def test_a_token_file_that_is_gone_for_a_moment(cli: Cli) -> None:
    path = cli.folder / "token"
    path.write_text("old")
    good = ["Bearer old"]
    edited(cli, lambda config: config["users"][0].update(user={"tokenFile": str(path)}))
    cli.api.admits = lambda shown, peer: shown in good
    with a_session(cli):
        for change in (lambda: path.write_text(""), path.unlink, lambda: path.write_text("b\0d")):
            change()
            before = len(beats(cli.api))
            cli.api.wait_for(lambda api, n=before: len(beats(api)) > n, PATIENCE)  # type: ignore[misc]
        path.write_text("new\n")
        good[:] = ["Bearer new"]
        cli.api.wait_for(lambda api: "Bearer new" in beats(api), PATIENCE)


@pytest.mark.parametrize("content", ["", " \n"])
def test_a_token_file_without_a_token(cli: Cli, content: str) -> None:
    (cli.folder / "token").write_text(content)
    edited(cli, lambda config: config["users"][0].update(user={"tokenFile": "token"}))
    cli.run("debug", "mypod", "--", "true").complains("token is empty")
    assert cli.api.requests == []


@pytest.mark.parametrize(
    "token", ["s3c\u00e9ret", "s3cret\r\nX-Evil: 1", "s3cret\x00", "s3cret\x7f"]
)
@pytest.mark.parametrize("how", ["plugin", "file"])
def test_a_token_that_no_header_can_carry(cli: Cli, token: str, how: str) -> None:
    if how == "plugin":
        Plugin(cli).gives(token=token)
    else:
        (cli.folder / "token").write_text(token)
        edited(cli, lambda config: config["users"][0].update(user={"tokenFile": "token"}))
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains("the token has a character that is not allowed in an HTTP header")
    assert "s3c" not in ended.err
    assert cli.api.requests == []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


HANGS = "sleep 600"


def test_a_plugin_that_hangs_at_the_end_is_waited_for_once(cli: Cli) -> None:
    plugin = Plugin(cli)
    rotating = Rotating(cli, plugin)
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    rotating.turn()
    plugin.does(HANGS)
    ended = finish(process)
    assert ended.code == 1 and "to delete it now: kubectl delete" in ended.err, ended
    assert len(plugin.calls) == 2
    _wait_until(lambda: not any(map(_is_alive, plugin.calls)))
    cli.api.admits = lambda shown, peer: True


def test_a_plugin_that_hangs_at_the_end_can_be_broken_off(cli: Cli) -> None:
    plugin = Plugin(cli)
    rotating = Rotating(cli, plugin)
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    rotating.turn()
    plugin.does(HANGS)
    assert process.stdin is not None
    process.stdin.close()
    _wait_until(lambda: len(plugin.calls) == 2)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        # Two that come at once are one.
        time.sleep(0.1)
    out, err = process.stdout, process.stderr
    assert out is not None and err is not None
    told = err.read().decode()
    assert process.wait(PATIENCE) == 130
    assert copy_of(cli.api) in told and "to delete it now" in told
    _wait_until(lambda: not any(map(_is_alive, plugin.calls)))


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda s: s.name)
def test_a_plugin_does_not_outlive_us(cli: Cli, signum: signal.Signals) -> None:
    plugin = Plugin(cli)
    plugin.does(HANGS)
    process = cli.start("debug", "mypod", "--", "true")
    _wait_until(lambda: len(plugin.calls) == 1)
    process.send_signal(signum)
    assert finish(process).code == 128 + signum
    _wait_until(lambda: not any(map(_is_alive, plugin.calls)))


@pytest.mark.parametrize("by_signal", [True, False], ids=["signal", "end"])
def test_a_plugin_that_a_heartbeat_waits_for_does_not_outlive_us(cli: Cli, by_signal: bool) -> None:
    plugin = Plugin(cli)
    rotating = Rotating(cli, plugin)
    process = cli.start("debug", "--ttl", "5s", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    rotating.turn()
    plugin.does(HANGS)
    _wait_until(lambda: len(plugin.calls) == 2)
    cli.api.admits = lambda shown, peer: True
    if by_signal:
        process.terminate()
    assert finish(process).code == (143 if by_signal else 0)
    _wait_until(lambda: not any(map(_is_alive, plugin.calls)))


TERMINAL = """{ [ -t 0 ] && echo stdin || echo no-stdin
 (: < /dev/tty) 2> /dev/null && echo tty || echo no-tty; } >> "$here/terminal"
"""


def test_a_plugin_has_no_terminal_during_a_session(cli: Cli) -> None:
    plugin = Plugin(cli, interactiveMode="IfAvailable")
    rotating = Rotating(cli, plugin)
    plugin.does(TERMINAL)
    child = cli.terminal("debug", "--ttl", "5s", "mypod", "--", "sh", "-c", "echo ready; cat")
    child.expect_exact("ready\r\n")
    rotating.turn()
    cli.api.wait_for(lambda api: "Bearer token-2" in beats(api), PATIENCE)
    # What is typed meanwhile is the session's.
    child.send("typed\r")
    child.expect_exact("typed\r\ntyped\r\n")
    child.sendeof()
    assert end_of(child) == 0
    seen = (plugin.folder / "terminal").read_text().split()
    assert seen[:2] == ["stdin", "tty"]
    assert set(seen[2:]) == {"no-stdin", "no-tty"}
    clean(cli.api)


class Issuer:
    """An OpenID Connect provider on loopback; ``answer`` is its token endpoint's."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.refreshed: list[bytes] = []
        self.asked = False
        self.location, self.moved = "", ""
        self.answer: tuple[int, dict[str, Any]] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked = True
                if outer.moved:
                    self.send_response(302)
                    self.send_header("Location", outer.moved)
                    self.end_headers()
                    return
                self._send(200, {"token_endpoint": f"{outer.url}/token"})

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.refreshed.append(self.rfile.read(length))
                if outer.answer is not None:
                    self._send(*outer.answer)
                    return
                if outer.location:
                    self.send_response(307)
                    self.send_header("Location", outer.location)
                    self.end_headers()
                    return
                token = id_token(exp=int(time.time()) + 4, n=len(outer.refreshed))
                given = {"id_token": token, "refresh_token": "again", "access_token": "x"}
                self._send(200, {**given, "token_type": "Bearer"})

            def _send(self, status: int, body: dict[str, Any]) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._server.server_address[1]}"
        if context is not None:
            listening = self._server.socket
            self._server.socket = context.wrap_socket(listening, server_side=True)

    def __enter__(self) -> Issuer:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _logs_in_at(cli: Cli, issuer: Issuer) -> None:
    user = oidc(1, **{"idp-issuer-url": issuer.url})
    edited(cli, lambda config: config["users"][0].update(user=user))
    cli.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def _has_not_ended(shown: str, peer: str) -> bool:
    claims = shown.split(".")[1]
    end: float = json.loads(base64.b64decode(claims + "=="))["exp"]
    return time.time() < end


def test_a_login_of_openid_connect_is_renewed_during_a_session(cli: Cli) -> None:
    with Issuer() as issuer:
        _logs_in_at(cli, issuer)
        cli.api.admits = _has_not_ended
        with a_session(cli):
            cli.api.wait_for(lambda api: len(set(beats(api))) >= 2, PATIENCE)
        assert len(issuer.refreshed) >= 2


def test_a_refresh_token_goes_to_the_issuer_alone(cli: Cli) -> None:
    with Issuer() as issuer, Listener() as listener:
        _logs_in_at(cli, issuer)
        issuer.location = f"http://127.0.0.1:{listener.port}/"
        ended = cli.run("debug", "mypod", "--", "true")
        assert (ended.code, len(ended.errors)) == (1, 1), ended
        ended.is_well_formed()
        assert issuer.refreshed and listener.heard == []
        assert cli.api.requests == []


REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "refused": (400, {"error": "invalid_grant", "error_description": "it has ended"}),
    "no-token": (200, {"access_token": "x", "token_type": "Bearer"}),
    "no-object": (200, {}),
}


@pytest.mark.parametrize("how", ["refused", "no-token"])
def test_an_issuer_that_gives_nothing_prevents_no_cleanup(cli: Cli, how: str) -> None:
    with Issuer() as issuer:
        _logs_in_at(cli, issuer)
        # The old login still does.
        with a_session(cli):
            issuer.answer, issuer.asked = REFUSALS[how], False
            _wait_until(lambda: issuer.asked)
    assert cli.private_files() == []


@pytest.mark.parametrize("how", REFUSALS)
def test_an_issuer_that_gives_nothing_is_one_clear_line(cli: Cli, how: str) -> None:
    with Issuer() as issuer:
        _logs_in_at(cli, issuer)
        issuer.answer = REFUSALS[how]
        cli.run("debug", "mypod", "--", "true").complains("credentials cannot be loaded")
    assert cli.api.requests == []


def test_an_issuer_is_asked_nowhere_else(cli: Cli) -> None:
    with Issuer() as issuer, Listener() as listener:
        _logs_in_at(cli, issuer)
        issuer.moved = f"http://127.0.0.1:{listener.port}/"
        cli.run("debug", "mypod", "--", "true").complains("credentials cannot be loaded")
        assert issuer.asked and listener.heard == []


@pytest.mark.parametrize("fields", [{}, {"idp-certificate-authority": ""}], ids=["none", "empty"])
@pytest.mark.parametrize("trusted", [True, False])
def test_an_issuer_has_to_be_verified(cli: Cli, fields: dict[str, str], trusted: bool) -> None:
    """Where no CA is named it is the system's."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(cli.folder / "ca"))
    if trusted:
        cli.environ["SSL_CERT_FILE"] = str(cli.folder / "ca")
    with Issuer(context) as issuer:
        user = oidc(1, **{"idp-issuer-url": issuer.url, **fields})
        edited(cli, lambda config: config["users"][0].update(user=user))
        ended = cli.run("version")
        assert (ended.code == 0, issuer.asked, bool(issuer.refreshed)) == (trusted,) * 3, ended
        ended.is_well_formed()


ASKS = """stty -echo < /dev/tty; echo Password: > /dev/tty
read -r x < /dev/tty; exit 1
"""


def test_the_terminal_echoes_again_after_a_password_prompt(cli: Cli) -> None:
    plugin = Plugin(cli, interactiveMode="IfAvailable")
    plugin.does(ASKS)
    words = " ".join(map(shlex.quote, cli.argv("ls")))
    told = "stty -a | grep -oE -- '-?\\becho\\b'; echo over"
    child = cli.on_terminal("sh", "-c", f"trap : INT; {words}; echo code=$?; {told}")
    child.expect_exact("Password:")
    child.send("\x03")
    child.expect_exact("code=130")
    child.expect_exact("over")
    assert child.before is not None and child.before.split()[-1] == b"echo"
    end_of(child)
    _wait_until(lambda: not any(map(_is_alive, plugin.calls)))
