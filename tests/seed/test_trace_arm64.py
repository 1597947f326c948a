"""The tracer on arm64: a virtual machine runs it, since qemu-user cannot trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from kubectl_scratch.why.report import Run
from tests.seed.machine import App, traced_apps

RUNNING = "running"
REFUSED = {"call": "connect", "error": "ECONNREFUSED", "address": "127.0.0.1", "port": 5432}
ACT = "/bin/act"
UNTRACED = {"traces": App(("fail", "traceme", "say:traced", "exit:4"))}


class Case(NamedTuple):
    """An app, its code, its signal or that it runs, and members of what a list of the run has."""

    app: App
    end: object
    found: Mapping[str, Mapping[str, object]]


CASES = {
    "missing-file": Case(
        App(("sh", "-c", "cat /srv/app.yaml; exit 3")),
        3,
        {
            "calls": {"call": "openat", "error": "ENOENT", "path": "/srv/app.yaml", "access": "r"},
            "processes": {"words": ("cat", "/srv/app.yaml"), "code": 1},
        },
    ),
    "refused": Case(App(("fail", "connect:127.0.0.1:5432")), 1, {"calls": REFUSED}),
    "refused-later": Case(App(("act", "connect-later")), 4, {"calls": REFUSED}),
    "port-in-use": Case(
        App(("fail", "listen:127.0.0.1:80", "connect:127.0.0.1:80", "listen:127.0.0.1:80")),
        1,
        {
            "calls": {"call": "bind", "error": "EADDRINUSE", "address": "127.0.0.1", "port": 80},
            "listening": {"address": "127.0.0.1", "port": 80},
            "connected": {"address": "127.0.0.1", "port": 80, "protocol": "tcp"},
        },
    ),
    "no-name": Case(
        App(("fail", "resolve:db.prod")),
        1,
        {
            "questions": {
                "name": "db.prod",
                "type": "A",
                "server": "127.0.0.1",
                "code": "NXDOMAIN",
            }
        },
    ),
    "segfault": Case(
        App(("fail", "fault")),
        "SIGSEGV",
        {"signals": {"code": "SEGV_MAPERR", "address": "0x8", "fatal": True}},
    ),
    "no-code": Case(
        App(("act", "data")), "SIGSEGV", {"signals": {"code": "SEGV_ACCERR", "fatal": True}}
    ),
    "illegal": Case(
        App(("act", "no-instruction")), "SIGILL", {"signals": {"code": "ILL_ILLOPC", "fatal": True}}
    ),
    "trap": Case(
        App(("fail", "trap")), "SIGTRAP", {"signals": {"code": "TRAP_BRKPT", "fatal": True}}
    ),
    "abort": Case(App(("fail", "abort")), "SIGABRT", {"signals": {"code": "SI_TKILL"}}),
    # Each that came as it should counts.
    "signals": Case(App(("act", "signals")), 10, {}),
    "threads": Case(
        App(("fail", "threads:8", "open:/no/file")), 1, {"calls": {"path": "/no/file"}}
    ),
    "thread-becomes": Case(
        App(("act", "thread-becomes", "/bin/sh", "-c", "cat /no/file; exit 6")),
        6,
        {
            "processes": {"words": ("/bin/sh", "-c", "cat /no/file; exit 6"), "code": 6},
            "calls": {"path": "/no/file", "error": "ENOENT"},
        },
    ),
    "fork": Case(
        App(("sh", "-c", "(exit 4) & wait; fail fault; exit 5")),
        5,
        {
            "processes": {"words": ("fail", "fault"), "signal": "SIGSEGV"},
            "signals": {"fatal": True},
        },
    ),
    "no-program": Case(
        App(("fail", "run:/no/program")),
        1,
        {"calls": {"call": "execve", "error": "ENOENT", "path": "/no/program"}},
    ),
    "user": Case(
        App(("fail", "write:/srv/data"), (ACT, "as-user")),
        1,
        {"calls": {"call": "openat", "error": "EACCES", "path": "/srv/data", "create": True}},
    ),
    "full": Case(
        App(("sh", "-c", "mkdir /tmp/v; mount -t tmpfs -o size=64k v /tmp/v; fail fill:/tmp/v/f")),
        1,
        {"calls": {"call": "write", "error": "ENOSPC", "path": "/tmp/v/f"}},
    ),
    "memory": Case(
        App(("sh", "-c", "ulimit -v 20000; exec act allocate")),
        1,
        {"calls": {"call": "mmap", "error": "ENOMEM", "size": 1 << 28}},
    ),
    "memory-limit": Case(
        App(("act", "allocate"), ("/bin/contain",)),
        "SIGKILL",
        {"signals": {"signal": "SIGKILL", "fatal": True}},
    ),
    "denied": Case(
        App(("sh", "-c", "mount -t tmpfs x /tmp; exit 2"), (ACT, "deny")),
        2,
        {"calls": {"call": "mount", "error": "EPERM", "path": "/tmp"}},
    ),
    "hang": Case(
        App(("fail", "deadlock"), seconds=3), RUNNING, {"waits": {"call": "futex", "path": ""}}
    ),
    "hang-lock": Case(
        App(("sh", "-c", "exec 9> /tmp/l; flock 9; exec fail lockwait:/tmp/l"), seconds=3),
        RUNNING,
        {"waits": {"call": "flock", "path": "/tmp/l"}},
    ),
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Boot once, and give what was reported of each app."""
    apps = {name: case.app for name, case in CASES.items()}
    return traced_apps(tmp_path_factory.mktemp("machine"), {**apps, **UNTRACED})


@pytest.mark.parametrize("name", CASES)
def test_what_an_app_does_is_told(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert (RUNNING if run.running else run.signal or run.code) == CASES[name].end
    assert (run.arch, run.untraced, run.dropped) == ("arm64", "", 0)
    for member, wanted in CASES[name].found.items():
        assert [item for item in getattr(run, member) if has(item, wanted)], getattr(run, member)


def has(item: object, wanted: Mapping[str, object]) -> bool:
    """Say whether an item of a report has these members."""
    return all(getattr(item, name) == value for name, value in wanted.items())


def test_where_a_fault_is_is_told(runs: dict[str, Run]) -> None:
    for name, program in {"segfault": "fail", "illegal": "act", "trap": "fail"}.items():
        (signal,) = runs[name].signals
        assert signal.inside.startswith(f"/bin/{program}+0x") and signal.address != ""


def test_threads_are_no_processes(runs: dict[str, Run]) -> None:
    assert len(runs["threads"].processes) == len(runs["hang"].processes) == 1
    assert len(runs["hang"].waits) == 2


def test_who_runs_the_app_is_told(runs: dict[str, Run]) -> None:
    assert (runs["user"].uid, runs["user"].gid, runs["user"].capabilities) == (54321, 54321, 0)
    (call,) = runs["user"].calls
    assert call.nearest is not None and (call.nearest.path, call.nearest.mode) == ("/srv", 0o755)


def test_the_limits_of_the_second_version_of_cgroups_are_told(runs: dict[str, Run]) -> None:
    run = runs["memory-limit"]
    assert (run.limit_memory, run.limit_pids, run.oom_kills) == (32 << 20, 50, 1)
    assert 16 << 20 < run.peak_memory <= 33 << 20


def test_a_call_that_is_denied_fails(runs: dict[str, Run]) -> None:
    assert "permission denied" in runs["denied"].output["stderr"]


def test_a_program_that_traces_itself_is_run_without(runs: dict[str, Run]) -> None:
    run = runs["traces"]
    assert (run.untraced, run.code, run.output["stdout"]) == ("it traces itself", 4, "traced\n")
