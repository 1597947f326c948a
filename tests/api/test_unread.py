"""Nobody reads what we say: a stopped terminal, a full pipe. The way out waits for neither."""

from __future__ import annotations

import fcntl
import itertools
import os
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.harness import (
    Cli,
    Terminal,
    clean,
    copy_of,
    finish,
    line_of,
    pid_of,
)
from tests.support.fakeapi import FakeCluster
from tests.support.patience import PATIENCE

VERBS = ("debug", "attach", "in-place")
TALK = ("--", "sh", "-c", "echo ready; cat")


def full_pipe() -> tuple[int, int]:
    """Return the ends of a pipe that takes no more."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
    os.set_blocking(writer, False)
    while select.select([], [writer], [], 0)[1]:
        os.write(writer, bytes(select.PIPE_BUF))
    os.set_blocking(writer, True)
    return reader, writer


def words_of(verb: str, cli: Cli) -> tuple[list[str], list[subprocess.Popen[bytes]]]:
    """Return how the verb is called, and the sessions that it needs."""
    if verb == "debug":
        return ["debug", "mypod"], []
    if verb == "in-place":
        return ["debug", "mypod", "--in-place"], []
    first = cli.start("debug", "-q", "mypod", *TALK)
    assert line_of(first.stdout) == b"ready\n"
    return ["attach", copy_of(cli.api)], [first]


def end(cli: Cli, others: list[subprocess.Popen[bytes]]) -> None:
    """End the others, and check that all is gone."""
    for process in others:
        assert finish(process, b"bye").code == 0
    clean(cli.api)


def wait_until_full(pid: int) -> None:
    """Wait until its stdout takes no more."""
    deadline = time.monotonic() + PATIENCE
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
    writer = os.open(f"/proc/{pid}/fd/1", flags)
    try:
        while select.select([], [writer], [], 0)[1]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.close(writer)


def code_of(child: Terminal) -> int:
    """Wait for the end of a run of which nobody reads the terminal; return its code."""
    deadline = time.monotonic() + PATIENCE
    while True:
        pid, status = os.waitpid(pid_of(child), os.WNOHANG)
        if pid:
            child.terminated = True
            return os.waitstatus_to_exitcode(status)
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.01)


@pytest.mark.parametrize("row", [*itertools.product(VERBS, ("2", "12"))], ids="-".join)
def test_a_signal_ends_it_where_a_pipe_is_full(cli: Cli, row: tuple[str, str]) -> None:
    verb, which = row
    words, others = words_of(verb, cli)
    reader, writer = full_pipe()
    streams: dict[str, Any] = {"stderr": writer, **({"stdout": writer} if "1" in which else {})}
    process = cli.start(*words, *TALK, **streams)
    cli.api.wait_for(lambda api: _sessions(api) > len(others), PATIENCE)
    process.terminate()
    assert process.wait(PATIENCE) == 143
    end(cli, others)
    for fd in (reader, writer):
        os.close(fd)


def _sessions(api: FakeCluster) -> int:
    return sum("echo ready" in " ".join(e.command) for e in api.execs)


def _unread(child: Terminal) -> None:
    wait_until_full(pid_of(child))


def _stopped(child: Terminal) -> None:
    """Stop the terminal, as ^S does."""
    slave = os.open(f"/proc/{pid_of(child)}/fd/1", os.O_RDWR | os.O_NOCTTY)
    termios.tcflow(slave, termios.TCOOFF)
    os.close(slave)


HOW = (_unread, _stopped)


@pytest.mark.parametrize(
    "row", [*itertools.product(VERBS, HOW)], ids=lambda r: f"{r[0]}{r[1].__name__}"
)
def test_a_signal_ends_it_where_a_terminal_takes_nothing(
    cli: Cli, row: tuple[str, Callable[[Terminal], None]]
) -> None:
    verb, stop = row
    words, others = words_of(verb, cli)
    child = cli.terminal(*words, "--", "yes")
    before = termios.tcgetattr(child.child_fd)
    child.expect_exact("y\r\ny\r\n")
    stop(child)
    wait_until_full(pid_of(child))
    os.kill(pid_of(child), signal.SIGTERM)
    assert code_of(child) == 143
    assert termios.tcgetattr(child.child_fd) == before
    end(cli, others)


def test_a_signal_ends_a_wait_of_which_nobody_reads_the_progress(cli: Cli) -> None:
    cli.api.pod_start_delay = float("inf")
    reader, writer = full_pipe()
    process = cli.start("debug", "mypod", "--", "true", stderr=writer)
    cli.api.wait_for(lambda api: any(r.path.endswith("/exec") for r in api.requests), PATIENCE)
    process.terminate()
    assert process.wait(PATIENCE) == 143
    clean(cli.api)
    for fd in (reader, writer):
        os.close(fd)


@pytest.mark.parametrize("verb", ["debug", "in-place"])
def test_the_copy_is_deleted_before_anything_is_said(cli: Cli, verb: str) -> None:
    words, _ = words_of(verb, cli)
    reader, writer = full_pipe()
    process = cli.start(*words, "--", "sh", "-c", "exit 3", stderr=writer)
    os.close(writer)
    cli.api.wait_for(_is_over, PATIENCE)
    # It waits for whoever reads.
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.0)
    # Nothing is lost of what is said: whoever reads late reads all of it.
    said = b"".join(iter(lambda: os.read(reader, 65536), b"")).strip(b"\0").decode()
    assert process.wait(PATIENCE) == 3
    assert ("of pod mypod" in said) == (verb == "in-place"), said
    clean(cli.api)
    os.close(reader)


def _is_over(api: FakeCluster) -> bool:
    return api.names("pods", "default") == ["mypod"] and any(
        r.path.endswith("/exec") for r in api.requests
    )
