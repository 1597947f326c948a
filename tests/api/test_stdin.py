"""Whose stdin it is: the command's once it reads, and until then the caller's."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from tests.api.harness import (
    EXEC,
    WANTS,
    Cli,
    Ended,
    clean,
    copy_of,
    finish,
    line_of,
    nothing_sent,
    sent,
)

MEGABYTE = bytes(range(256)) * 4096


def watches(cli: Cli) -> list[Any]:
    """Return the execs that have asked who reads."""
    return [request for request in sent(cli.api, "GET", EXEC) if request.command[:2] == WANTS]


def with_pipe(cli: Cli, *words: str) -> tuple[Ended, bytes]:
    """Run with a pipe as stdin that stays open; return also what is left in it."""
    reading, writing = os.pipe()
    os.write(writing, b"the list")
    process = cli.start(*words, stdin=reading)
    ended = finish(process)
    os.close(writing)
    left = os.read(reading, 100)
    os.close(reading)
    return ended, left


@pytest.mark.parametrize("flags", [(), ("--stdin=false",), ("--no-stdin",), ("-i=false",)])
def test_a_command_that_does_not_read_leaves_it(cli: Cli, flags: tuple[str, ...]) -> None:
    words = ("debug", "mypod", *flags, "--", "sh", "-c", "sleep 0.5; echo done")
    ended, left = with_pipe(cli, *words)
    assert (ended.code, ended.out, ended.errors, left) == (0, b"done\n", [], b"the list")
    assert len(watches(cli)) == (0 if flags else 1)
    clean(cli.api)


def test_a_file_keeps_its_place(cli: Cli) -> None:
    # A loop's ``done < file`` shares the place with all that it runs.
    path = cli.folder / "list"
    path.write_text("one\ntwo\n")
    with path.open("rb") as file:
        for word in ("echo hi", "true"):
            ended = finish(cli.start("debug", "mypod", "--", "sh", "-c", word, stdin=file))
            assert (ended.code, ended.errors) == (0, [])
            assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0
        ended = finish(cli.start("debug", "mypod", "--", "cat", stdin=file))
        assert (ended.code, ended.out) == (0, b"one\ntwo\n")
    clean(cli.api)


def test_one_that_reads_takes_it(cli: Cli) -> None:
    ended, left = with_pipe(cli, "debug", "mypod", "--", "sh", "-c", "sleep 0.2; head -c 8")
    assert (ended.code, ended.out, ended.errors, left) == (0, b"the list", [], b"")
    clean(cli.api)


@pytest.mark.parametrize("flags", [(), ("-i",), ("--stdin",), ("--stdin=true",), ("-qi",)])
def test_all_of_it_comes(cli: Cli, flags: tuple[str, ...]) -> None:
    ended = cli.run("debug", "mypod", *flags, "--", "cat", data=MEGABYTE)
    assert (ended.code, ended.errors) == (0, []) and ended.out == MEGABYTE
    assert len(watches(cli)) == (0 if flags else 1)
    clean(cli.api)


@pytest.mark.parametrize("flags", [("--stdin=false",), ("-T", "--no-stdin"), ("-i=0",)])
def test_without_stdin_there_is_its_end_at_once(cli: Cli, flags: tuple[str, ...]) -> None:
    ended, left = with_pipe(cli, "debug", "mypod", *flags, "--", "cat")
    assert (ended.code, ended.out, ended.errors, left) == (0, b"", [], b"the list")
    clean(cli.api)


def test_a_stdin_with_nothing_in_it_is_not_watched_for(cli: Cli) -> None:
    ended = finish(cli.start("debug", "mypod", "--", "cat", stdin=subprocess.DEVNULL))
    assert (ended.code, ended.out, ended.errors, watches(cli)) == (0, b"", [], [])
    clean(cli.api)


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 500}, {"drop": True}], ids=str)
def test_where_it_can_t_be_found_out_it_is_read(cli: Cli, fault: dict[str, Any]) -> None:
    cli.api.fault(path=EXEC, when=lambda r: r.command[:2] == WANTS, times=None, **fault)
    ended = cli.run("debug", "mypod", "--", "cat", data=b"all")
    assert (ended.code, ended.out, ended.errors) == (0, b"all", [])
    clean(cli.api)


def test_a_watch_that_is_cut_begins_again(cli: Cli) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"the list")
    go_on = cli.folder / "go-on"
    os.mkfifo(go_on)
    process = cli.start("debug", "mypod", "--", "sh", "-c", f"read -r x < {go_on}", stdin=reading)
    cli.api.wait_for(lambda api: [e for e in api.execs if e.command[:2] == WANTS])
    cli.api.drop_exec(WANTS)
    cli.api.wait_for(lambda api: len(watches(cli)) == 2)
    go_on.write_text("x\n")
    assert finish(process).code == 0
    assert os.read(reading, 100) == b"the list"
    os.close(reading)
    os.close(writing)
    clean(cli.api)


def test_a_toolkit_image_s_command_has_it_from_the_start(cli: Cli) -> None:
    ended, left = with_pipe(cli, "debug", "mypod", "--image", "tools:1", "--", "sleep", "0.5")
    assert (ended.code, ended.errors, left, watches(cli)) == (0, [], b"", [])
    clean(cli.api)


def test_a_shell_that_is_fed_has_it_from_the_start(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "-T", data=b"echo fed\n")
    assert (ended.code, ended.out, ended.errors, watches(cli)) == (0, b"fed\n", [], [])
    clean(cli.api)


def test_a_shell_without_stdin_is_refused(cli: Cli) -> None:
    cli.run("debug", "mypod", "-T", "--stdin=false").complains("a shell needs stdin")
    nothing_sent(cli.api)


def test_a_later_session_leaves_it_as_well(cli: Cli) -> None:
    first = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(first.stdout) == b"ready\n"
    ended, left = with_pipe(cli, "attach", copy_of(cli.api), "--", "sleep", "0.5")
    assert (ended.code, ended.errors, left) == (0, [], b"the list")
    assert finish(first).code == 0
    clean(cli.api)


UNREAD = "has not read stdin yet; use -i to pass it from the start"


def test_input_that_nobody_has_asked_for_is_told_of_once(cli: Cli) -> None:
    go_on = cli.folder / "go-on"
    os.mkfifo(go_on)
    reading, writing = os.pipe()
    os.write(writing, b"the list")
    process = cli.start("debug", "mypod", "--", "sh", "-c", f"read -r x < {go_on}", stdin=reading)
    assert process.stderr is not None
    while (line := process.stderr.readline()) != f"sh {UNREAD}\n".encode():
        assert line, "it has ended"
    go_on.write_text("x\n")
    ended = finish(process)
    assert (ended.code, UNREAD in ended.err) == (0, False)
    assert os.read(reading, 100) == b"the list"
    os.close(reading)
    os.close(writing)
    clean(cli.api)


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (("--", "sh", "-c", "read -r x; sleep 6.5"), b"x\nmore"),
        (("-q", "--", "sleep", "6.5"), b"more"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else words.decode(),
)
def test_where_there_is_nothing_to_tell_it_is_not_told(
    cli: Cli, words: tuple[str, ...], data: bytes
) -> None:
    reading, writing = os.pipe()
    os.write(writing, data)
    ended = finish(cli.start("debug", "mypod", *words, stdin=reading))
    assert (ended.code, UNREAD in ended.err) == (0, False), ended
    os.close(reading)
    os.close(writing)
    clean(cli.api)


def test_a_terminal_with_no_stdin_takes_no_key(cli: Cli) -> None:
    child = cli.terminal(
        "debug",
        "mypod",
        "-t",
        "--stdin=false",
        "--",
        "sh",
        "-c",
        "echo r''eady; sleep 1; read -t 0.2 x; echo \"[$x]\"",
    )
    child.expect_exact("ready")
    child.sendline("typed")
    child.expect_exact("[]")
    clean_after(cli, child)


def clean_after(cli: Cli, child: Any) -> None:
    """Wait for the end of a terminal, and check what is left."""
    child.read()
    child.close()
    clean(cli.api)
