"""Whichever way a run ends, nothing is left behind."""

from __future__ import annotations

import itertools
import json
import os
import re
import select
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.api.harness import (
    A_COPY,
    A_LEASE,
    CONFIG_MAPS,
    EPHEMERAL,
    EXEC,
    JOBS,
    PODS,
    PROMPT,
    START,
    Cli,
    Ended,
    Terminal,
    a_cluster,
    asked_for,
    clean,
    copy_of,
    deleted_once,
    end_of,
    finish,
    kinds_made,
    line_of,
    nothing_left,
    nothing_sent,
    pid_of,
    release,
    sent,
    sessions_of,
    source_pod,
)
from tests.support.fakerules import Request
from tests.support.patience import PATIENCE

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def _starts(request: Request) -> bool:
    return request.command[: len(START)] == START


# Inside the target nobody waits for the debug container.
BESIDE = ("--view", "tools")
DEAF = ("sh", "-c", r"printf '\005'; exec sleep 60")

HELD: dict[str, dict[str, Any]] = {
    "source": {"method": "GET", "path": r"/pods/mypod$"},
    "lease": {"method": "POST", "path": JOBS},
    "lease-made": {"method": "POST", "path": JOBS, "after": True},
    "seed": {"method": "POST", "path": CONFIG_MAPS},
    "seed-made": {"method": "POST", "path": CONFIG_MAPS, "after": True},
    "copy": {"method": "POST", "path": PODS},
    "copy-made": {"method": "POST", "path": PODS, "after": True},
    "debug-container": {"method": "PATCH", "path": EPHEMERAL},
    "debug-container-made": {"method": "PATCH", "path": EPHEMERAL, "after": True},
    "session": {"method": "GET", "path": EXEC, "when": _starts},
    "delete": {"method": "DELETE", "path": A_COPY},
    "delete-lease": {"method": "DELETE", "path": A_LEASE},
}
NEVER = float("inf")


@pytest.mark.parametrize("code", [0, 1, 255])
def test_the_code_of_the_command_passes_through(cli: Cli, code: int) -> None:
    ended = cli.run("debug", "mypod", "--", "sh", "-c", f"echo out; echo err >&2; exit {code}")
    assert (ended.code, ended.out) == (code, b"out\n")
    assert "err\n" in ended.err
    assert ended.errors == ended.warnings == []
    clean(cli.api)
    assert kinds_made(cli.api) == ["jobs", "configmaps", "pods"]


# Where all four are told apart only by their number, one is enough.
SAME = ("seed", "seed-made", "copy-made", "session", "delete-lease")
IN_FLIGHT = [
    (held, signum) for held in HELD for signum in (SIGNALS[:1] if held in SAME else SIGNALS)
]


@pytest.mark.parametrize("row", IN_FLIGHT, ids=lambda r: f"{r[0]}-{r[1].name}")
def test_a_signal_while_a_request_is_in_flight(cli: Cli, row: tuple[str, signal.Signals]) -> None:
    held = cli.api.fault(**HELD[row[0]], hold=threading.Event())
    flags = BESIDE if row[0].startswith("debug-container") else ()
    process = cli.start("debug", "mypod", *flags, "--", "true")
    assert held.reached.wait(PATIENCE)
    process.send_signal(row[1])
    release(held)
    _ended_by(row[1], finish(process))
    clean(cli.api)
    assert held.hits == 1


def _ended_by(signum: int, ended: Ended) -> None:
    assert ended.code == 128 + signum, ended
    assert ended.errors == ended.warnings == []
    ended.is_well_formed()


@pytest.mark.parametrize("path", [JOBS, PODS])
def test_a_signal_while_a_busy_api_server_is_waited_for(tmp_path: Path, path: str) -> None:
    """What answers that it was busy may have done it all the same."""
    with a_cluster(tmp_path) as cli:
        busy = {"status": 503, "reason": "ServiceUnavailable", "headers": {"Retry-After": "10"}}
        held = cli.api.fault(method="POST", path=path, after=True, **busy)
        process = cli.start("debug", "mypod", "--", "true")
        assert held.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        _ended_by(signal.SIGINT, finish(process))
        assert kinds_made(cli.api)[-1] == ("jobs" if path == JOBS else "pods")
        clean(cli.api)


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda s: s.name)
def test_a_signal_while_the_target_starts(cli: Cli, signum: signal.Signals) -> None:
    cli.api.pod_start_delay = NEVER
    process = cli.start("debug", "mypod", "--", "true")
    cli.api.wait_for(asked_for("GET", EXEC), PATIENCE)
    process.send_signal(signum)
    _ended_by(signum, finish(process))
    clean(cli.api)


def test_a_signal_while_the_debug_container_starts(cli: Cli) -> None:
    cli.api.ephemeral_delay = NEVER
    process = cli.start("debug", "--view", "tools", "mypod", "--", "true")
    cli.api.wait_for(asked_for("GET", EXEC), PATIENCE)
    process.terminate()
    _ended_by(signal.SIGTERM, finish(process))
    clean(cli.api)


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda s: s.name)
def test_a_signal_while_the_toolkit_is_sent(cli: Cli, signum: signal.Signals) -> None:
    # A seed that asks, and takes nothing.
    cli.api.rewrite = lambda name, argv: DEAF if argv[:3] == START else argv
    process = cli.start("debug", "mypod", "--", "true")
    cli.api.wait_for(sessions_of, PATIENCE)
    process.send_signal(signum)
    _ended_by(signum, finish(process))
    clean(cli.api)


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda s: s.name)
def test_a_signal_during_a_piped_session(cli: Cli, signum: signal.Signals) -> None:
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    process.send_signal(signum)
    _ended_by(signum, finish(process))
    clean(cli.api)


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda s: s.name)
def test_a_signal_during_a_session_with_a_terminal(cli: Cli, signum: signal.Signals) -> None:
    child = cli.terminal("debug", "mypod")
    before = termios.tcgetattr(child.child_fd)
    child.expect(PROMPT)
    assert termios.tcgetattr(child.child_fd) != before
    os.kill(pid_of(child), signum)
    assert end_of(child) == 128 + signum
    assert termios.tcgetattr(child.child_fd) == before
    assert b"error" not in (child.before or b"")
    clean(cli.api)


KEYS = [(b"\x03", "INT"), (b"\x1c", "QUIT"), (b"\x1a", "TSTP")]


@pytest.mark.parametrize("row", KEYS, ids=lambda k: k[1])
def test_a_typed_signal_is_the_remote_commands(cli: Cli, row: tuple[bytes, str]) -> None:
    key, name = row
    script = f"trap 'echo got-{name}; exit 7' {name}; echo ready; while :; do sleep 0.02; done"
    child = cli.terminal("debug", "mypod", "--", "sh", "-c", script)
    child.expect_exact("ready")
    child.send(key)
    child.expect_exact(f"got-{name}")
    assert end_of(child) == 7
    clean(cli.api)


def test_a_reader_that_closes_ends_it(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--", "yes")
    assert line_of(process.stdout) == b"y\n"
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(PATIENCE) == 128 + signal.SIGPIPE
    process.stdout = None
    assert finish(process).errors == []
    clean(cli.api)


@pytest.mark.parametrize("signum", SIGNALS[:2], ids=lambda s: s.name)
def test_a_signal_while_nobody_reads_the_output(cli: Cli, signum: signal.Signals) -> None:
    process = cli.start("debug", "-q", "mypod", "--", "yes")
    _wait_until_full(process.pid)
    process.send_signal(signum)
    assert process.wait(PATIENCE) == 128 + signum
    clean(cli.api)


def _wait_until_full(pid: int) -> None:
    """Wait until the pipe that is its stdout takes no more; nobody is told of that.

    Not by its bytes: it may have no page left, and room in some.
    """
    deadline = time.monotonic() + PATIENCE
    writer = os.open(f"/proc/{pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while select.select([], [writer], [], 0)[1]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.close(writer)


def test_in_a_pipeline_head_ends_it(cli: Cli) -> None:
    line = '"$@" | head -1; echo "${PIPESTATUS[0]}"'
    argv = ["bash", "-c", line, "bash", *cli.argv("debug", "mypod", "-q", "--", "yes")]
    done = subprocess.run(argv, env=cli.environ, capture_output=True, stdin=subprocess.DEVNULL)
    assert (done.stdout, done.stderr) == (b"y\n141\n", b"")
    clean(cli.api)


def test_a_closed_terminal_ends_it(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod")
    child.expect(PROMPT)
    assert _code_when_closed(child) == 128 + signal.SIGHUP
    clean(cli.api)


def test_a_closed_terminal_ends_it_if_the_signal_is_ignored(cli: Cli) -> None:
    argv = cli.argv("debug", "mypod", "-t", "--", "yes")
    child = cli.on_terminal("bash", "-c", 'trap "" HUP; exec "$@"', "bash", *argv)
    child.expect("y\r\ny\r\n")
    assert _code_when_closed(child) == 128 + signal.SIGHUP
    clean(cli.api)


def _code_when_closed(child: Terminal) -> int:
    # Not its number, which the object would close again later, when it is another file's.
    child.ptyproc.fileobj.close()  # type: ignore[attr-defined]
    _, status = os.waitpid(pid_of(child), 0)
    child.closed = child.terminated = True
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("how", ["2>&-", "2>/dev/full"])
def test_stderr_that_can_not_be_written_changes_nothing(cli: Cli, how: str) -> None:
    argv = cli.argv("debug", "mypod", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    line = ["sh", "-c", f'exec "$@" {how}', "sh", *argv]
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    done = subprocess.run(line, env=cli.environ, timeout=PATIENCE, **streams)
    assert (done.returncode, done.stdout) == (3, b"out\n")
    clean(cli.api)


def test_stdout_that_can_not_be_written_is_an_error(cli: Cli) -> None:
    line = [
        "sh",
        "-c",
        'exec "$@" >/dev/full',
        "sh",
        *cli.argv("debug", "mypod", "--", "echo", "x"),
    ]
    ended = finish(subprocess.Popen(line, env=cli.environ, stdin=-3, stderr=-1))
    ended.complains("(?i)no space left on device")
    clean(cli.api)


@pytest.mark.parametrize(
    "words, line, why",
    [
        ("debug --help", 'exec "$@" >/dev/full', "No space left on device"),
        ("debug mypod --dry-run", 'exec "$@" >/dev/full', "No space left on device"),
        ("debug --help", 'ulimit -f 0; exec "$@" >"$FILE"', "File too large"),
    ],
)
def test_an_answer_that_can_not_be_written_is_an_error(
    cli: Cli, tmp_path: Path, words: str, line: str, why: str
) -> None:
    cli.environ |= {"KUBECONFIG": str(cli.kubeconfig), "FILE": str(tmp_path / "out")}
    argv = ["sh", "-c", line, "sh", *cli.argv(*words.split())]
    ended = finish(subprocess.Popen(argv, env=cli.environ, stdin=-3, stderr=-1))
    ended.complains(f"stdout.*: {why}")
    assert cli.api.created == []


@pytest.mark.parametrize("tty", ["-t", "-T"])
def test_a_lost_connection_is_an_error(cli: Cli, tty: str) -> None:
    process = cli.start("debug", "mypod", tty, "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout).strip() == b"ready"
    cli.api.drop_exec()
    finish(process).complains("connection was lost")
    clean(cli.api)


def test_a_lost_connection_leaves_the_terminal_as_it_was(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod")
    before = termios.tcgetattr(child.child_fd)
    child.expect(PROMPT)
    cli.api.drop_exec()
    child.expect_exact("\nerror: the connection was lost")
    assert end_of(child) == 1
    assert termios.tcgetattr(child.child_fd) == before
    clean(cli.api)


def test_a_lost_connection_is_told_also_where_the_copy_stays(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    cli.api.fault(method="DELETE", status=403, reason="Forbidden", times=None)
    cli.api.drop_exec()
    ended = finish(process)
    assert ended.code == 1
    assert any("connection was lost" in line for line in ended.errors)
    assert any("kubectl delete " in line for line in ended.warnings)


BUG = """
from kubectl_scratch.session.session import Session
def carry(*_):
    raise RuntimeError("a bug")
Session.carry = carry
import sys
from kubectl_scratch.cli.main import main
sys.argv[0] = "kubectl-scratch"
main()
"""


@pytest.mark.parametrize("refused", [False, True], ids=["deleted", "left"])
def test_after_a_bug_everything_is_deleted_or_named(cli: Cli, refused: bool) -> None:
    if refused:
        cli.api.fault(method="DELETE", status=403, reason="Forbidden", times=None)
    program, _, _, *words = cli.argv("debug", "mypod", "--", "true")
    line = [program, "-c", BUG, *words]
    ended = finish(subprocess.Popen(line, env=cli.environ, stdin=-3, stdout=-1, stderr=-1))
    assert (ended.code, len(ended.errors)) == (1, 1), ended
    assert "this is a bug; the traceback is in" in ended.errors[0]
    named = any("kubectl delete " in line for line in ended.warnings)
    assert named == refused
    if not refused:
        clean(cli.api)


def test_after_a_kill_the_lease_removes_the_copy(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--ttl", "5s", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    process.kill()
    finish(process)
    assert len(cli.api.names("pods", "default")) == 2
    cli.api.advance(11)
    cli.api.wait_for(lambda a: a.names("pods", "default") == ["mypod"])
    nothing_left(cli.api)


@dataclass(frozen=True)
class Wrong:
    """Say what goes wrong, and what is said of it."""

    id: str
    faults: list[dict[str, Any]]
    said: tuple[str, ...]
    created: int = 0
    prepare: Callable[[Cli], object] = lambda cli: None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cut(Wrong):
    """Be an answer that never came, to something that was done or was not."""

    said: tuple[str, ...] = field(default=("cannot be reached",))


def _post(path: str, **what: Any) -> list[dict[str, Any]]:
    return [{"method": "POST", "path": path, **what}]


def _patch(**what: Any) -> list[dict[str, Any]]:
    return [{"method": "PATCH", "path": EPHEMERAL, "times": None, **what}]


def _terminate_namespace(cli: Cli) -> None:
    cli.api.patch("namespaces", "", "default", {"status": {"phase": "Terminating"}})


QUOTA = 'pods "x" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=9'
HTML = "<html><body>\x1b[31mBad Gateway</body></html>"
FORBIDDEN = {"status": 403, "reason": "Forbidden"}
INVALID = {"status": 422, "reason": "Invalid"}
WRONG = [
    Wrong("quota", _post(PODS, **FORBIDDEN, message=QUOTA), ("exceeded quota",), 2),
    Wrong("copy-422", _post(PODS, **INVALID, message="spec.x: no"), ("spec.x",), 2),
    Wrong("copy-500", _post(PODS, status=500, message="etcdserver: no leader"), ("etcd",), 2),
    Wrong("copy-html", _post(PODS, text=HTML, status=502), (r"\\x1b\[31mBad Gateway",), 2),
    Wrong("lease-422", _post(JOBS, **INVALID, message="spec.y: no"), ("spec.y",)),
    Wrong("lease-500", _post(JOBS, status=500, message="webhook failed"), ("webhook",)),
    Wrong("lease-html", _post(JOBS, text=HTML, status=502), ("Bad Gateway",)),
    Wrong("lease-403", _post(JOBS, **FORBIDDEN, message="a webhook says no"), ("webhook",)),
    Wrong("terminating", [], ("being terminated",), 0, _terminate_namespace),
    Wrong("patch-403", _patch(**FORBIDDEN, message="no!"), ("no!",), 3, flags=BESIDE),
    Wrong("patch-422", _patch(**INVALID, message="policy"), ("policy",), 3, flags=BESIDE),
    Wrong("patch-500", _patch(status=500, message="internal"), ("internal",), 3, flags=BESIDE),
    Wrong("patch-html", _patch(text=HTML, status=502), ("Bad Gateway",), 3, flags=BESIDE),
    Wrong("patch-html-200", _patch(text=HTML), ("Bad Gateway",), 3, flags=BESIDE),
    Cut("patch-cut", _patch(drop=True), created=3, flags=BESIDE),
    Cut("lease-cut", _post(JOBS, drop=True)),
    Cut("lease-made-and-cut", _post(JOBS, drop=True, after=True), created=1),
    Cut("copy-cut", _post(PODS, drop=True), created=2),
    Cut("copy-made-and-cut", _post(PODS, drop=True, after=True), created=3),
    Wrong("seed-403", _post(CONFIG_MAPS, **FORBIDDEN, message=QUOTA), ("exceeded quota",), 1),
    Wrong("seed-422", _post(CONFIG_MAPS, **INVALID, message="data: no"), ("data: no",), 1),
    Wrong("seed-500", _post(CONFIG_MAPS, status=500, message="etcdserver: x"), ("etcd",), 1),
    Wrong("seed-html", _post(CONFIG_MAPS, text=HTML, status=502), ("Bad Gateway",), 1),
    Cut("seed-cut", _post(CONFIG_MAPS, drop=True), created=1),
    Cut("seed-made-and-cut", _post(CONFIG_MAPS, drop=True, after=True), created=2),
]  # fmt: skip


OTHER = {"metadata": {"name": "other", "uid": "u"}, "spec": {"containers": []}}
POD = {"kind": "Pod", "apiVersion": "v1", **OTHER}
NONSENSE: dict[str, dict[str, Any]] = {
    "empty": {"text": "{}"},
    "list": {"text": "[]"},
    "page": {"text": "<html>"},
    "other-object": {"text": json.dumps(POD)},
    "no-metadata": {"text": '{"kind": "Pod", "metadata": null}'},
    "status": {"text": '{"kind": "Status", "metadata": {}, "status": "Success"}'},
    "408": {"status": 408, "reason": "Timeout"},
    "409": {"status": 409, "reason": "AlreadyExists"},
    "499": {"status": 499, "reason": "Cut"},
    "504": {"status": 504, "reason": "Timeout"},
}


@pytest.mark.parametrize(
    "row", [*itertools.product(NONSENSE, (JOBS, PODS), (True, False))], ids=lambda r: str(r)
)
def test_an_answer_to_a_creation_that_makes_no_sense(cli: Cli, row: tuple[str, str, bool]) -> None:
    what, path, done = row
    cli.api.fault(method="POST", path=path, after=done, **NONSENSE[what])
    cli.run("debug", "mypod", "--", "true").complains()
    clean(cli.api)


# Neither is a proof alone: our annotations, or our labels, of which a session's is one.
NOT_OURS = {"labels": "kubectl-scratch/session", "annotations": "kubectl-scratch/source"}


@pytest.mark.parametrize("part", NOT_OURS)
def test_what_was_perhaps_created_by_another_is_left_alone(cli: Cli, part: str) -> None:
    """The answer was lost, and the name is another's."""
    held = cli.api.fault(method="POST", path=PODS, drop=True, hold=threading.Event())
    process = cli.start("debug", "mypod", "--", "true")
    assert held.reached.wait(PATIENCE)
    (asked,) = sent(cli.api, "POST", PODS)
    wanted = asked.body["metadata"]
    name, marks = wanted["name"], {**wanted[part], NOT_OURS[part]: "zzzzz"}
    cli.api.add({**source_pod(name), "metadata": {**wanted, "ownerReferences": [], part: marks}})
    release(held)
    finish(process).complains("cannot be reached")
    assert cli.api.names("pods", "default") == ["mypod", name]
    assert [change.plural for change in cli.api.deleted] == ["jobs"]


@pytest.mark.parametrize("row", WRONG, ids=lambda w: w.id)
def test_what_the_cluster_does_not_do_is_an_error(cli: Cli, row: Wrong) -> None:
    row.prepare(cli)
    for fault in row.faults:
        cli.api.fault(**fault)
    cli.run("debug", "mypod", *row.flags, "--", "true").complains(*row.said)
    clean(cli.api)
    assert len(cli.api.created) == row.created


def test_what_was_certainly_not_created_is_not_looked_for(cli: Cli) -> None:
    cli.api.fault(method="POST", path=PODS, **FORBIDDEN, message="no pods")
    cli.api.fault(method="GET", path=A_COPY, status=500, reason="X", times=None)
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains("no pods")
    assert sent(cli.api, "GET", A_COPY) == [] and "kubectl delete " not in ended.err
    clean(cli.api)


def test_a_cluster_that_hangs_up_everywhere_is_told_once(cli: Cli) -> None:
    cli.api.fault(method="POST", path=JOBS, drop=True, after=True)
    gone = cli.api.fault(method="GET", path=A_LEASE, drop=True, times=None)
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains("cannot be reached")
    gone.times = 0
    (job,) = cli.api.names("jobs", "default")
    assert re.search(f"kubectl delete .*-n default .*job/{job}$", ended.err, re.MULTILINE)
    assert f"pod/{job}" not in ended.err


@pytest.mark.parametrize("flags", [(), BESIDE], ids=["beside", "tools"])
def test_a_conflict_with_the_kubelet_is_tried_again(cli: Cli, flags: tuple[str, ...]) -> None:
    conflict = {"status": 409, "reason": "Conflict", "message": "has been modified"}
    cli.api.fault(method="PATCH", path=EPHEMERAL, times=2, **conflict)
    process = cli.start("debug", "mypod", *flags, "--", "cat")
    cli.api.wait_for(lambda api: len(sent(api, "PATCH", EPHEMERAL)) == 3, PATIENCE)
    ended = finish(process)
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    clean(cli.api)


def test_a_second_form_of_the_debug_container_asks_for_less(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, status=403, reason="Forbidden")
    process = cli.start("debug", "mypod", "--", "cat")
    cli.api.wait_for(lambda api: len(sent(api, "PATCH", EPHEMERAL)) == 2, PATIENCE)
    ended = finish(process)
    assert (ended.code, ended.errors) == (0, [])
    first, second = sent(cli.api, "PATCH", EPHEMERAL)
    assert "SYS_PTRACE" in str(first.body) and "SYS_PTRACE" not in str(second.body)
    clean(cli.api)


def test_a_copy_deleted_by_another_before_the_session(cli: Cli) -> None:
    cli.api.pod_start_delay = NEVER
    process = cli.start("debug", "mypod", "--", "true")
    cli.api.wait_for(asked_for("GET", EXEC), PATIENCE)
    cli.api.delete("pods", "default", copy_of(cli.api))
    finish(process).complains("deleted by someone else|not found")
    nothing_left(cli.api)
    deleted_once(cli.api, but=1)


def test_a_copy_deleted_by_another_during_the_session(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    cli.api.delete("pods", "default", copy_of(cli.api))
    ended = finish(process)
    assert (ended.code, ended.out) == (137, b"")
    nothing_left(cli.api)
    deleted_once(cli.api, but=1)


REFUSED = [
    ("pod/{0}", A_COPY, 0, 1),
    ("pod/{0} job/{0}", "", 0, 1),
    ("pod/{0} job/{0}", "", 3, 3),
    ("job/{0}", A_LEASE, 0, 1),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda r: f"{r[0]}-{r[2]}")
def test_what_may_not_be_deleted_is_named(cli: Cli, row: tuple[str, str, int, int]) -> None:
    what, path, session, code = row
    refused = {"status": 403, "reason": "Forbidden", "message": "no deletion"}
    cli.api.fault(method="DELETE", path=path, times=None, **refused)
    ended = cli.run("debug", "mypod", "--", "sh", "-c", f"echo out; exit {session}")
    assert (ended.code, ended.out, ended.errors) == (code, b"out\n", [])
    name = next(change.name for change in cli.api.created)
    # The command reaches the same cluster from anywhere.
    command = f"--kubeconfig={cli.kubeconfig} -n default --now {what.format(name)}"
    assert any("kubectl delete " in line and line.endswith(command) for line in ended.warnings)
    assert "no deletion" in ended.err
    ended.is_well_formed()


FLAKY = [
    ("pods", "500", 3),
    ("pods", "drop", 0),
    ("pods", "drop-done", 0),
    ("jobs", "429", 3),
    ("jobs", "drop-done", 0),
]


@pytest.mark.parametrize("row", FLAKY, ids=lambda r: "-".join(map(str, r)))
def test_a_deletion_that_fails_twice_is_tried_again(
    tmp_path: Path, row: tuple[str, str, int]
) -> None:
    plural, how, code = row
    what: dict[str, Any] = {"drop": True, "after": how == "drop-done"}
    if how.isdigit():
        what = {"status": int(how), "reason": "Busy"}
    with a_cluster(tmp_path) as cli:
        cli.api.fault(method="DELETE", path=rf"/{plural}/mypod-scratch", times=2, **what)
        ended = cli.run("debug", "mypod", "--", "sh", "-c", f"exit {code}")
        assert (ended.code, ended.errors, ended.warnings) == (code, [], [])
        clean(cli.api)


def test_a_conflict_is_no_deletion(cli: Cli) -> None:
    conflict = {"status": 409, "reason": "Conflict", "message": "has been modified"}
    cli.api.gc_delay = NEVER
    cli.api.fault(method="DELETE", path=A_COPY, times=None, **conflict)
    ended = cli.run("debug", "mypod", "--", "true")
    assert (ended.code, ended.errors) == (1, [])
    assert "has been modified" in ended.err
    assert any(line.endswith(f"--now pod/{copy_of(cli.api)}") for line in ended.warnings)


def test_a_namesake_is_not_deleted(cli: Cli) -> None:
    held = cli.api.fault(method="DELETE", path=A_COPY, hold=threading.Event())
    process = cli.start("debug", "mypod", "--", "true")
    assert held.reached.wait(PATIENCE)
    copy = cli.api.get("pods", "default", copy_of(cli.api))
    cli.api.delete("pods", "default", copy["metadata"]["name"])
    for field_ in ("uid", "ownerReferences", "resourceVersion"):
        copy["metadata"].pop(field_, None)
    cli.api.add(copy)
    release(held)
    assert finish(process).code == 0
    assert cli.api.names("pods", "default") == ["mypod", copy["metadata"]["name"]]


def test_a_name_that_is_taken_is_not_ours(cli: Cli) -> None:
    cli.api.fault(method="POST", path=PODS, status=409, reason="AlreadyExists", message="exists")
    ended = cli.run("debug", "mypod", "--", "true")
    assert ended.code in (0, 1), ended
    ended.is_well_formed()
    clean(cli.api)


def test_a_command_that_is_missing_inside_the_target(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "--", "no-such-tool")
    assert (ended.code, ended.out, ended.errors) == (127, b"", [])
    assert "seed: no-such-tool: not found\n" in ended.err
    clean(cli.api)


def test_a_command_that_is_missing(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "--image", "busybox", "--", "no-such-tool")
    ended.complains("no-such-tool", "not found", code=127)
    clean(cli.api)


def test_help_needs_no_cluster(cli: Cli) -> None:
    ended = finish(cli.start("debug", "--help"))
    assert (ended.code, ended.err) == (0, "") and b"Examples:" in ended.out
    nothing_sent(cli.api)
