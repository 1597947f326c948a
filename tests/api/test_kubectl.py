"""Where no WebSocket comes through, kubectl exec carries the session."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import termios
import threading
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.toolkit.archive import SEED
from tests.api.harness import (
    ENTER,
    EXEC,
    RECEIVE,
    Cli,
    clean,
    end_of,
    finish,
    line_of,
    sent,
)
from tests.api.test_bad_input import edited
from tests.support.fakeexec import localized
from tests.support.patience import PATIENCE

SECRET = "s3cret-t0ken"
# A kubectl that notes how it was called and runs the command on this machine.
KUBECTL = """#!/bin/sh
for word; do case $word in --kubeconfig=*) config=${word#*=}; esac; done
printf '%s\\n' "$@" >> "$NOTES/arguments"
stat -c %a "$config" > "$NOTES/mode"; stat -c %a "$(dirname "$config")" > "$NOTES/folder-mode"
cp "$config" "$NOTES/config"
while [ "$1" != -- ]; do shift; done
shift
case $1 in /.scratch-seed/seed) echo "$2" ;; *) echo "$1" ;; esac >> "$NOTES/calls"
for word; do
  case $word in
    /.scratch-seed/seed) word=$SEED ;;
    /.scratch/*) word=$SCRATCH_TOOLKIT/${word#/.scratch/} ;;
    ENV=/.scratch/*) word=ENV=$SCRATCH_TOOLKIT/${word#ENV=/.scratch/} ;;
  esac
  shift; set -- "$@" "$word"
done
exec "$@"
"""
BOTH = "recv\nenter"


class Notes:
    """What the kubectl of a test has noted."""

    def __init__(self, cli: Cli) -> None:
        self._folder = cli.folder / "notes"
        self._folder.mkdir()
        there = self._folder / "toolkit"
        there.mkdir()
        own = {"NOTES": self._folder, "SCRATCH_TOOLKIT": there, "SEED": localized(SEED, there)}
        cli.environ |= {name: str(value) for name, value in own.items()}

    def __getitem__(self, name: str) -> str:
        return (self._folder / name).read_text().strip()


@pytest.fixture
def notes(cli: Cli) -> Notes:
    """Put a kubectl first on PATH, and a token into the kubeconfig."""
    folder = cli.folder / "bin"
    folder.mkdir()
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "kubectl").chmod(0o755)
    cli.environ["PATH"] = f"{folder}:{cli.environ['PATH']}"
    edited(cli, lambda config: config["users"][0].update(user={"token": SECRET}))
    return Notes(cli)


# What stands between: a proxy that refuses, one that answers by itself, one that drops the
# Upgrade header, and a server that knows no subprotocol of ours.
UPGRADE = "Upgrade request required"
BETWEEN: dict[str, dict[str, Any]] = {
    "403": {"status": 403, "text": "<html>Blocked by policy</html>"},
    "200": {"status": 200, "text": "Welcome"},
    "upgrade": {"status": 400, "reason": "BadRequest", "message": UPGRADE},
}


def _block(cli: Cli, how: str = "403") -> None:
    cli.api.fault(path=EXEC, times=None, **BETWEEN[how])


@pytest.mark.parametrize("how", BETWEEN)
def test_pipes_through_kubectl(cli: Cli, notes: Notes, how: str) -> None:
    _block(cli, how)
    data = bytes(range(256)) * 2000
    ended = cli.run("debug", "mypod", "--", "sh", "-c", "cat; echo err >&2; exit 9", data=data)
    assert (ended.code, ended.out, ended.errors) == (9, data, [])
    assert ended.err.endswith("err\n") and "using kubectl exec" in ended.err
    assert notes["calls"] == BOTH
    clean(cli.api)


def test_v5_is_missing(cli: Cli, notes: Notes) -> None:
    cli.api.subprotocols = ("v4.channel.k8s.io",)
    ended = cli.run("debug", "mypod", "--", "cat", data=b"\x00hello")
    assert (ended.code, ended.out, ended.errors) == (0, b"\x00hello", [])
    assert notes["calls"] == BOTH
    clean(cli.api)


def test_v4_is_enough_for_a_terminal(cli: Cli, notes: Notes) -> None:
    cli.api.subprotocols = ("v4.channel.k8s.io",)
    child = cli.terminal("debug", "mypod", "--", "cat")
    cli.api.wait_for(lambda a: [e for e in a.execs if e.size], PATIENCE)
    child.send("typed\r")
    child.expect_exact("typed\r\ntyped\r\n")
    child.sendeof()
    assert end_of(child) == 0
    assert not (cli.folder / "notes" / "calls").exists()
    clean(cli.api)


def test_credentials_go_through_a_private_file(cli: Cli, notes: Notes) -> None:
    _block(cli)
    ended = cli.run("debug", "mypod", "--as", "someone", "--", "echo", "hi")
    assert (ended.code, ended.out) == (0, b"hi\n")
    assert SECRET not in notes["arguments"] + ended.err
    assert (notes["mode"], notes["folder-mode"]) == ("600", "700")
    config = json.loads(notes["config"])
    assert config["users"][0]["user"] == {"token": SECRET, "as": "someone"}
    assert config["clusters"][0]["cluster"]["server"] == cli.api.url
    (argument,) = {line for line in notes["arguments"].splitlines() if "--kubeconfig=" in line}
    assert Path(argument.partition("=")[2]).is_relative_to(cli.private)
    assert cli.private_files() == []
    clean(cli.api)


def test_what_kubectl_is_asked_for(cli: Cli, notes: Notes) -> None:
    _block(cli)
    assert cli.run("debug", "mypod", "--", "echo", "a b", "-n", "--").code == 0
    (copy,) = (change.name for change in cli.api.created if change.plural == "pods")
    asked = [w for w in notes["arguments"].splitlines() if not w.startswith("--kubeconfig=")]
    wanted = ["exec", "-i", "-n", "default", copy, "-c", "app", "--"]
    assert asked == [*wanted, *RECEIVE, *wanted, *ENTER, "echo", "a b", "-n", "--"]


def test_a_toolkit_image_needs_only_the_command_of_kubectl(cli: Cli, notes: Notes) -> None:
    _block(cli)
    assert cli.run("debug", "mypod", "--image", "busybox", "--", "echo", "hi").out == b"hi\n"
    assert notes["calls"] == "echo" and "scratch" in notes["arguments"].splitlines()


def test_tools_that_kubectl_can_not_bring_are_an_error(cli: Cli, notes: Notes) -> None:
    _block(cli)
    cli.environ["SCRATCH_TOOLKIT"] = str(cli.folder / "nowhere")
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains("cannot copy the tools", "nowhere: No such file", "--image")
    assert notes["calls"] == "recv"
    clean(cli.api)


def test_a_terminal_through_kubectl(cli: Cli, notes: Notes) -> None:
    _block(cli)
    child = cli.terminal("debug", "mypod", "--", "sh", "-c", "echo go; cat; stty size; exit 4",
                         size=(31, 99))  # fmt: skip
    before = termios.tcgetattr(child.child_fd)
    child.expect_exact("go\r\n")
    child.send("typed\r")
    child.expect_exact("typed\r\ntyped\r\n")
    child.setwinsize(40, 111)
    child.send("\x04")
    child.expect_exact("40 111\r\n")
    assert end_of(child) == 4
    assert termios.tcgetattr(child.child_fd) == before
    assert "-it" in notes["arguments"].splitlines()
    assert cli.private_files() == []
    clean(cli.api)


def test_a_shell_through_kubectl(cli: Cli, notes: Notes) -> None:
    child = cli.terminal("debug", "--transport", "kubectl", "mypod")
    child.expect(rb"app:\S*[#$] ")
    child.sendline("exit 8")
    assert end_of(child) == 8
    assert not sent(cli.api, "GET", EXEC)
    clean(cli.api)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_piped_session_through_kubectl(
    cli: Cli, notes: Notes, signum: signal.Signals
) -> None:
    _block(cli)
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    process.send_signal(signum)
    ended = finish(process)
    assert (ended.code, ended.errors) == (128 + signum, [])
    assert cli.private_files() == []
    clean(cli.api)


def test_a_reader_that_closes_ends_kubectl(cli: Cli, notes: Notes) -> None:
    _block(cli)
    process = cli.start("debug", "mypod", "--", "yes")
    assert line_of(process.stdout) == b"y\n"
    assert process.stdout
    process.stdout.close()
    assert process.wait(PATIENCE) == 128 + signal.SIGPIPE
    clean(cli.api)


def test_the_kubectl_that_runs_us_is_used(cli: Cli, notes: Notes) -> None:
    _block(cli)
    own = cli.folder / "bin" / "own-kubectl"
    shutil.move(cli.folder / "bin" / "kubectl", own)
    cli.environ["KUBECTL_PATH"] = str(own)
    assert cli.run("debug", "mypod", "--", "true").code == 0
    assert notes["calls"] == BOTH


def test_without_a_kubectl(cli: Cli) -> None:
    _block(cli)
    cli.environ["PATH"] = str(cli.home)
    cli.run("debug", "mypod", "--", "true").complains("kubectl was not found on PATH")
    clean(cli.api)


def test_a_kubectl_that_can_not_be_run(cli: Cli) -> None:
    _block(cli)
    cli.environ["KUBECTL_PATH"] = str(cli.home / "nothing")
    cli.run("debug", "mypod", "--", "true").complains("nothing")
    clean(cli.api)


def test_websocket_only_is_an_error_without(cli: Cli, notes: Notes) -> None:
    _block(cli)
    cli.run("debug", "--transport", "websocket", "mypod", "--", "true").complains("403|WebSocket")
    assert not (cli.folder / "notes" / "calls").exists()
    clean(cli.api)


def test_the_private_file_is_gone_when_the_session_was_killed(cli: Cli, notes: Notes) -> None:
    _block(cli)
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    process.kill()
    finish(process)
    assert len(cli.private_files()) == 1
    cli.run("debug", "mypod", "--", "true")
    assert cli.private_files() == []


WAITED_FOR = [((), "app", BOTH), (("--image", "busybox"), "scratch", "echo")]


@pytest.mark.parametrize(("flags", "container", "calls"), WAITED_FOR, ids=["app", "image"])
def test_the_wait_goes_on_with_kubectl(
    cli: Cli, notes: Notes, flags: tuple[str, ...], container: str, calls: str
) -> None:
    """kubectl is started only once the session's container runs: it would not wait."""
    _block(cli)
    cli.api.pod_start_delay = cli.api.ephemeral_delay = 0.4
    held = cli.api.fault(method="DELETE", hold=threading.Event())
    process = cli.start("debug", "mypod", *flags, "--", "echo", "hi")
    assert held.reached.wait(PATIENCE) and held.hold
    name = next(change.name for change in cli.api.created if change.plural == "pods")
    assert cli.api.started("default", name, container)
    held.hold.set()
    assert (finish(process).out, notes["calls"]) == (b"hi\n", calls)


OTHER_BLOCKS = {
    "upgrade": BETWEEN["upgrade"],
    "forbidden": {"status": 403, "text": "<html>Blocked by policy</html>"},
}


@pytest.mark.parametrize("how", OTHER_BLOCKS)
def test_what_stops_kubectl_too_is_told_with_what_can_help(cli: Cli, how: str) -> None:
    """With the real kubectl, for it is its words that are told."""
    cli.api.fault(path=EXEC, times=None, **OTHER_BLOCKS[how])
    cli.environ["KUBECTL_PATH"] = str(Path(sys.executable).with_name("kubectl"))
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains("kubectl exec failed", "Upgrade headers", "NO_PROXY")
    assert "--image" not in ended.err and "--transport" not in ended.err
    clean(cli.api)
