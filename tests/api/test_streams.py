"""What goes through a session, with pipes and on a terminal, arrives as it was sent."""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import termios
import threading
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.toolkit.archive import SEED
from tests.api.harness import (
    A_COPY,
    A_LEASE,
    EPHEMERAL,
    EXEC,
    PROBE,
    PROMPT,
    START,
    Cli,
    asked_for,
    clean,
    end_of,
    finish,
    line_of,
    sent,
    session_of,
)
from tests.support.patience import PATIENCE

MEGABYTE = 1 << 20
NOISE = bytes(5000) + bytes(range(256)) + b"\r\n\x04\x03" + random.Random(7).randbytes(MEGABYTE)


@pytest.mark.parametrize("data", [NOISE, b""], ids=["1MB", "empty"])
def test_pipes_carry_any_bytes_both_ways(cli: Cli, data: bytes) -> None:
    ended = cli.run("debug", "mypod", "--", "cat", data=data)
    assert (ended.code, ended.errors) == (0, [])
    assert hashlib.sha256(ended.out).digest() == hashlib.sha256(data).digest()
    clean(cli.api)


def test_stdout_and_stderr_stay_apart_and_whole(cli: Cli) -> None:
    script = "head -c 300000 /dev/zero; head -c 200000 /dev/zero | tr '\\0' e >&2; echo end; exit 9"
    process = cli.start("debug", "mypod", "-q", "--", "sh", "-c", script)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 9, err[-300:]
    assert (len(out), out[-4:], out[:-4].strip(b"\0")) == (300004, b"end\n", b"")
    assert err == b"e" * 200000


def test_stdin_at_its_end_at_once(cli: Cli) -> None:
    ended = finish(cli.start("debug", "mypod", "--", "cat", stdin=subprocess.DEVNULL))
    assert (ended.code, ended.out, ended.errors) == (0, b"", [])
    clean(cli.api)


def test_a_command_that_ends_does_not_wait_for_stdin(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--", "echo", "done")
    assert line_of(process.stdout) == b"done\n"
    assert process.wait(PATIENCE) == 0
    clean(cli.api)


def test_a_command_that_reads_no_input_gets_a_lot_of_it(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "--", "head", "-c", "3", data=NOISE)
    assert (ended.code, ended.out) == (0, NOISE[:3])
    clean(cli.api)


def test_a_slow_reader_gets_everything(cli: Cli) -> None:
    script = "head -c 6000000 /dev/zero | tr '\\0' z; exit 4"
    process = cli.start("debug", "mypod", "-q", "--", "sh", "-c", script)
    assert process.stdout is not None
    first = b"".join(os.read(process.stdout.fileno(), 997) for _ in range(500))
    assert (first + finish(process).out).strip(b"z") == b""
    assert process.returncode == 4
    clean(cli.api)


def test_a_slow_reader_gets_all_bytes_in_number(cli: Cli) -> None:
    line = ["sh", "-c", '"$@" | (read x; echo "$x"; wc -c)', "sh"]
    argv = [
        *line,
        *cli.argv("debug", "mypod", "-q", "--", "sh", "-c", "echo a; head -c 4000000 /dev/zero"),
    ]
    done = subprocess.run(argv, env=cli.environ, stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.stdout.split(), done.stderr) == ([b"a", b"4000000"], b"")


def test_a_shell_is_fed_from_a_pipe(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "-T", data=b"echo one\necho two >&2\nexit 5\n")
    assert (ended.code, ended.out) == (5, b"one\n")
    assert ended.err.endswith("two\n")
    clean(cli.api)


def test_quiet_says_nothing(cli: Cli) -> None:
    ended = cli.run("debug", "-q", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.err) == (0, b"hi\n", "")


def test_arguments_arrive_as_they_were_given(cli: Cli) -> None:
    args = ["", "a b", "--", "-n", "$HOME", "é€𝄞", "a&b=c+d%20", "x\ny", "*", "-c", "--help"]
    ended = cli.run("debug", "mypod", "--", "printf", "<%s>", *args)
    assert (ended.code, ended.out) == (0, "".join(f"<{arg}>" for arg in args).encode())


def _raw(cli: Cli, *command: str) -> None:
    """Wait until the session has the terminal: its size is told after that is raw."""
    session_of(cli.api, *command)
    cli.api.wait_for(lambda a: [e for e in a.execs if e.size], PATIENCE)


def test_a_shell_on_a_terminal(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod")
    before = termios.tcgetattr(child.child_fd)
    child.expect_exact("a copy of default/mypod; it is deleted when you leave\r\n")
    child.expect(PROMPT)
    child.sendline("echo $((40 + 2)) \u00e9\u20ac; tty".encode())
    child.expect_exact("42 \u00e9\u20ac\r\n/dev/pts/".encode())
    child.sendline("exit 6")
    assert end_of(child) == 6
    assert termios.tcgetattr(child.child_fd) == before
    clean(cli.api)


def test_utf8_is_echoed_as_it_is_typed(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod", "--", "cat")
    _raw(cli, "cat")
    for part in ("h\u00e9", "\u20ac", "\U0001d11e"):
        child.send(part.encode())
        child.expect_exact(part.encode())
    child.send("\r")
    child.expect_exact("\r\nh\u00e9\u20ac\U0001d11e\r\n".encode())
    child.sendeof()
    assert end_of(child) == 0
    clean(cli.api)


SIZES = [((40, 132), (132, 40)), ((0, 0), (80, 24)), ((1, 1), (1, 1))]


@pytest.mark.parametrize(("given", "told"), SIZES, ids=str)
def test_the_windows_size_at_the_start(cli: Cli, given: Any, told: Any) -> None:
    child = cli.terminal("debug", "mypod", "--", "sh", "-c", "read x; stty size", size=given)
    _raw(cli)
    assert session_of(cli.api).size == told
    child.send("\r")
    child.expect_exact(f"{told[1]} {told[0]}\r\n")
    assert end_of(child) == 0


def test_the_windows_size_is_followed(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod", "--", "sh", "-c", "while read x; do stty size; done")
    _raw(cli)
    for rows, columns in ((30, 100), (50, 70)):
        child.setwinsize(rows, columns)
        cli.api.wait_for(lambda a, size=(columns, rows): a.execs[0].size == size, PATIENCE)  # type: ignore[misc]
        child.send("\r")
        child.expect_exact(f"{rows} {columns}\r\n")
    child.sendeof()
    assert end_of(child) == 0


def test_a_paste_arrives_whole(cli: Cli, tmp_path: Path) -> None:
    lines = [f"{n:06} {'é' * (n % 40)} {'x' * (n % 57)}" for n in range(1500)]
    paste = "".join(line + "\n" for line in lines).encode()
    assert len(paste) > 100_000
    there = tmp_path / "there"
    child = cli.terminal("debug", "mypod", "--", "sh", "-c", f"stty -echo; echo ok; cat > {there}")
    _raw(cli)
    child.expect_exact("ok\r\n")
    child.send(paste)
    child.sendeof()
    assert end_of(child) == 0
    assert there.read_bytes() == paste
    clean(cli.api)


def test_a_paste_is_echoed_whole(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod", "--", "cat")
    _raw(cli, "cat")
    for n in range(200):
        child.send(f"{n} {'y' * 300}\n")
        child.expect_exact(f"{n} {'y' * 300}\r\n{n} {'y' * 300}\r\n")
    child.sendeof()
    assert end_of(child) == 0


def test_the_end_of_input_ends_a_shell(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod")
    child.expect(PROMPT)
    child.sendeof()
    assert end_of(child) == 0
    clean(cli.api)


def test_a_terminal_without_stdin_of_one(cli: Cli) -> None:
    """As in `echo x | kubectl scratch debug -t`: the remote has a terminal, and so gets a ^D."""
    ended = cli.run("debug", "-t", "mypod", "--", "sh", "-c", "tty; cat", data=b"hello\n")
    assert ended.code == 0
    assert re.match(rb"(hello\r\n)?/dev/pts/\d+\r\n(.*\r\n)?hello\r\n", ended.out), ended
    clean(cli.api)


def test_no_terminal_where_none_is_wanted(cli: Cli) -> None:
    child = cli.terminal("debug", "-T", "mypod", "--", "sh", "-c", "test -t 0 || echo none")
    child.expect_exact("none\r\n")
    assert end_of(child) == 0


def test_what_is_said_in_a_session_stands_on_a_line_of_its_own(cli: Cli) -> None:
    cli.api.gc_delay = NEVER
    child = cli.terminal("debug", "--ttl", "5s", "mypod", "--", "sh", "-c", "printf half; cat")
    child.expect_exact("half")
    name = cli.api.names("jobs", "default")[0]
    cli.api.delete("jobs", "default", name)
    child.expect(rb"\r\nwarning: the lease is lost [^\r\n]*\r\n")
    child.sendeof()
    assert end_of(child) == 0
    assert cli.api.names("pods", "default") == ["mypod"]


TWICE = [(), ("-t",)]
# Each way has its harmless request that finds out whether the container runs.
WAYS = [((), START), (("--image", "busybox"), PROBE)]


@pytest.mark.parametrize("flags", TWICE, ids=["pipes", "terminal"])
@pytest.mark.parametrize(("way", "first"), WAYS, ids=["seed", "image"])
def test_a_command_is_sent_once(
    cli: Cli, flags: tuple[str, ...], way: tuple[str, ...], first: tuple[str, ...], tmp_path: Path
) -> None:
    # Long enough for a first try on a busy machine, too.
    cli.api.pod_start_delay = cli.api.ephemeral_delay = 5.0
    cli.api.status_lag = 0.3
    # Without word of its start a container is tried again and again.
    cli.api.fault(method="GET", path="/events$", status=403, reason="Forbidden", times=None)
    there = tmp_path / "there"
    script = f"echo x >> {there}"
    ended = cli.run("debug", *flags, "mypod", *way, "--", "sh", "-c", script)
    assert (ended.code, ended.errors) == (0, [])
    assert there.read_text() == "x\n"
    tries = [r for r in sent(cli.api, "GET", EXEC) if r.command[: len(first)] == first]
    assert len(tries) > 1
    clean(cli.api)


@pytest.mark.parametrize("flags", TWICE, ids=["pipes", "terminal"])
def test_a_command_whose_start_is_unsure_is_not_sent_again(
    cli: Cli, flags: tuple[str, ...], tmp_path: Path
) -> None:
    def is_real(request: Any) -> bool:
        return bool(request.command) and request.command != PROBE

    fault = cli.api.fault(path=EXEC, drop=True, when=is_real, times=None)
    words = ("--image", "busybox", "--", "touch", str(tmp_path / "there"))
    ended = cli.run("debug", *flags, "mypod", *words)
    ended.complains("cannot be reached|connection")
    assert fault.hits == 1
    clean(cli.api)


@pytest.mark.parametrize("flags", TWICE, ids=["pipes", "terminal"])
def test_an_exec_that_is_refused(cli: Cli, flags: tuple[str, ...]) -> None:
    refusal = {"status": 403, "reason": "Forbidden", "message": "no exec for you"}
    fault = cli.api.fault(path=EXEC, times=None, **refusal)
    cli.run("debug", *flags, "mypod", "--", "true").complains("no exec for you")
    assert fault.hits == 1
    clean(cli.api)


def test_a_failure_before_the_container_runs_is_tried_again(cli: Cli) -> None:
    dialing = "error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused"
    cli.api.fault(path=EXEC, times=3, status=500, reason="InternalError", message=dialing)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    clean(cli.api)


NEVER = float("inf")
FATAL = [
    ("ErrImagePull", "failed to pull: not found", "not found"),
    ("RunContainerError", 'exec: "sleep": executable file not found in $PATH', "sleep"),
]


@pytest.mark.parametrize(("reason", "message", "said"), FATAL, ids=lambda x: str(x)[:12])
def test_a_debug_container_that_never_starts(
    cli: Cli, reason: str, message: str, said: str
) -> None:
    waiting = {"reason": reason, "message": message}
    entry = {"name": "scratch", "state": {"waiting": waiting}}
    cli.api.kubelet = lambda pod: {"phase": "Running", "ephemeralContainerStatuses": [entry]}
    cli.run("debug", "mypod", "--image", "busybox", "--", "true").complains(said)
    clean(cli.api)


def test_a_target_that_never_starts(cli: Cli) -> None:
    waiting = {"reason": "CreateContainerError", "message": "exec format error"}
    entry = {"name": "app", "state": {"waiting": waiting}}
    cli.api.wait_for(lambda api: api.started("default", "mypod", "app"))
    cli.api.kubelet = lambda pod: {"phase": "Running", "containerStatuses": [entry]}
    cli.run("debug", "mypod", "--", "true").complains("container app", "exec format", "--arch")
    clean(cli.api)


def test_a_wait_for_a_target_has_an_end(cli: Cli) -> None:
    cli.api.pod_start_delay = NEVER
    ended = cli.run("debug", "--timeout", "1s", "mypod", "--", "true")
    ended.complains("timed out after 1s", "raise --timeout")
    clean(cli.api)


def test_a_wait_has_an_end(cli: Cli) -> None:
    cli.api.ephemeral_delay = NEVER
    ended = cli.run("debug", "--timeout", "1s", "--view", "tools", "mypod", "--", "true")
    ended.complains("timed out after 1s", "raise --timeout")
    clean(cli.api)


SLEEPS = ("sleep", "600")
ASKS = ("sh", "-c", r"stty raw -echo 2>/dev/null; printf '\005'; exec sleep 600")
SILENT = [
    (lambda cli: _instead(cli, SLEEPS), "the seed has not answered yet"),
    (lambda cli: _instead(cli, ASKS), "MB of tools"),
    (lambda cli: cli.api.fault(path=EXEC, hold=threading.Event(), times=None), "is starting"),
    (lambda cli: cli.api.fault(path=A_COPY, hold=threading.Event(), method="GET"), "is starting"),
]


def _instead(cli: Cli, what: tuple[str, ...]) -> None:
    cli.api.rewrite = lambda name, argv: what if argv[: len(START)] == START else argv


@pytest.mark.parametrize("flags", TWICE, ids=["pipes", "terminal"])
@pytest.mark.parametrize(("how", "said"), SILENT, ids=["no-ask", "no-take", "no-exec", "no-look"])
def test_a_wait_has_its_end_whatever_is_waited_for(
    cli: Cli, how: Any, said: str, flags: tuple[str, ...]
) -> None:
    how(cli)
    ended = cli.run("debug", *flags, "--timeout", "1s", "mypod", "--", "true")
    ended.complains(f"timed out after 1s: .*{said}", "raise --timeout")
    clean(cli.api)


def test_what_is_said_of_a_wait_can_not_speak_to_the_terminal(cli: Cli) -> None:
    said = "\x1b]0;owned\x07\x9b31m\u202ered"
    cli.api.wait_for(lambda api: api.started("default", "mypod", "app"))
    pending = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": said,
    }
    cli.api.kubelet = lambda pod: {"phase": "Pending", "conditions": [pending]}
    child = cli.terminal("debug", "mypod", "--timeout", "2s", "--", "true", size=(24, 500))
    child.expect_exact(r"\x1b]0;owned\x07\x9b31m\u202ered")
    before = bytes(child.before or b"")
    assert end_of(child) == 1
    shown = before + bytes(child.before or b"")
    assert set(re.findall(rb"\x1b[^K]*.", shown)) <= {b"\x1b[K"}
    assert not any(c in shown.decode() for c in "\x07\x9b\u202e")
    clean(cli.api)


def test_a_longest_session_ends(cli: Cli) -> None:
    child = cli.terminal("debug", "--max", "1s", "mypod", "--", "cat")
    before = termios.tcgetattr(child.child_fd)
    child.expect(rb"error: the session has ended after 1s; raise --max to allow longer ones\r\n")
    assert end_of(child) == 1
    assert termios.tcgetattr(child.child_fd) == before
    clean(cli.api)


@pytest.mark.parametrize("flags", TWICE, ids=["pipes", "terminal"])
def test_a_seed_that_has_not_asked_yet_is_tried_again(
    cli: Cli, flags: tuple[str, ...], tmp_path: Path
) -> None:
    fault = cli.api.fault(path=EXEC, drop=True, times=2)
    there = tmp_path / "there"
    ended = cli.run("debug", *flags, "mypod", "--", "sh", "-c", f"echo x >> {there}")
    assert (ended.code, ended.errors, fault.hits) == (0, [], 2)
    assert there.read_text() == "x\n"
    clean(cli.api)


def test_a_progress_line_is_replaced_on_a_terminal(cli: Cli) -> None:
    cli.api.ephemeral_delay = 0.2
    child = cli.terminal("debug", "mypod", "--", "echo", "hi")
    child.expect(rb"\r\x1b\[Kwaiting for mypod-scratch-\w{5}: [^\r\n]*\r\x1b\[Khi\r\n")
    assert end_of(child) == 0


IDLE, SEED_IDLE = ["sleep", "2147483647"], [SEED, "idle", "0"]
FORMS = [
    ((), (*START, "cat", "-"), "app", SEED_IDLE),
    (("--view", "tools"), (*START, "cat", "-"), "scratch", SEED_IDLE),
    (("--image", "busybox"), ("cat", "-"), "scratch", IDLE),
]


@pytest.mark.parametrize(
    ("way", "command", "container", "idle"), FORMS, ids=["app", "tools", "image"]
)
def test_the_session_is_asked_for_as_it_is_wanted(
    cli: Cli, way: tuple[str, ...], command: tuple[str, ...], container: str, idle: list[str]
) -> None:
    process = cli.start("debug", "mypod", *way, "--", "cat", "-")
    cli.api.wait_for(asked_for("PATCH", EPHEMERAL), PATIENCE)
    finish(process)
    (pipes,) = [r for r in sent(cli.api, "GET", EXEC) if r.command == command]
    wanted = {"stdin": "true", "stdout": "true", "stderr": "true", "container": container}
    assert {name: pipes.query.get(name) for name in wanted} == wanted and "tty" not in pipes.query
    (patch,) = sent(cli.api, "PATCH", EPHEMERAL)
    (added,) = patch.body["spec"]["ephemeralContainers"]
    assert added["command"] == idle
    assert len(sent(cli.api, "DELETE", A_LEASE)) == 1


def test_cuts_count_in_a_row(cli: Cli) -> None:
    """What says that the container does not run yet has come through a WebSocket."""
    cli.api.fault(path=EXEC, drop=True, times=2)
    cli.api.fault(path=EXEC, status=500, message='container not found ("app")')
    cli.api.fault(path=EXEC, drop=True, times=2)
    ended = cli.run("debug", "mypod", "-T", data=b"echo hi\n")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], []), ended
    clean(cli.api)
