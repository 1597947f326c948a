"""Signals at any moment: every run ends, with the signal's code, and nothing is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from kubectl_scratch.kube.client import Answer, Client, read_access
from kubectl_scratch.kube.connection import Connection
from kubectl_scratch.runtime.tasks import Abandoned, Task
from tests.api.harness import (
    A_COPY,
    A_LEASE,
    PROMPT,
    Cli,
    a_cluster,
    clean,
    end_of,
    finish,
    line_of,
    nothing_left,
    pid_of,
    release,
    sent,
    sessions_of,
)
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
TALK = ("--", "sh", "-c", "echo ready; cat")
# As many requests as a session has until it runs, and more.
MOMENTS = 36


@pytest.mark.parametrize("moment", range(1, MOMENTS + 1))
def test_a_signal_at_any_moment_of_slow_answers(cli: Cli, moment: int) -> None:
    chance = random.Random(moment)
    flags = chance.choice([(), ("--view", "tools"), ("--image", "busybox")])
    cli.api.fault(times=None, delay=chance.uniform(0, 0.03))
    process = cli.start("debug", "mypod", *flags, "--", "sleep", "600")
    cli.api.wait_for(
        lambda api: len(api.requests) >= moment or sessions_of(api, "sleep", "600"), PATIENCE
    )
    time.sleep(chance.uniform(0, 0.03))
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert (ended.code, ended.errors, ended.warnings) == (130, [], []), ended
    assert cli.private_files() == []
    clean(cli.api)


MAIN = "from kubectl_scratch.__main__ import main; main()"
STARTS = {
    "module": ["-m", "kubectl_scratch"],
    "installed": ["-c", MAIN],
    "archive": [str(ROOT / "packaging" / "start.py")],
}


@pytest.mark.parametrize("row", STARTS)
def test_a_signal_while_the_program_is_imported_says_nothing(row: str, tmp_path: Path) -> None:
    slow = "import time; print('importing', flush=True); time.sleep(600)"
    (tmp_path / "click.py").write_text(slow)
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    words = [sys.executable, *STARTS[row], "debug", "mypod"]
    process = subprocess.Popen(words, env=environ, stdout=-1, stderr=-1)
    assert line_of(process.stdout) == b"importing\n"
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert (ended.code, ended.err) == (-signal.SIGINT, "")


def test_what_the_caller_ignores_during_the_import_stays_so(tmp_path: Path) -> None:
    slow = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN, flush=True)"
    (tmp_path / "click.py").write_text(slow)
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    line = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "kubectl_scratch"]
    process = subprocess.Popen(line, env=environ, stdout=-1, stderr=-1)
    assert line_of(process.stdout) == b"True\n"
    finish(process)


IGNORED = (signal.SIGHUP, signal.SIGINT)


@pytest.mark.parametrize("signum", IGNORED, ids=lambda s: s.name)
def test_what_the_caller_ignores_ends_no_session(tmp_path: Path, signum: signal.Signals) -> None:
    """As under nohup, or as a job in the background of a script."""
    with a_cluster(tmp_path) as cli:
        trap = f'trap "" {signum.name.removeprefix("SIG")}; exec "$@"'
        line = ["sh", "-c", trap, "sh", *cli.argv("debug", "mypod", *TALK)]
        process = subprocess.Popen(line, env=cli.environ, stdin=-1, stdout=-1, stderr=-1)
        cli.started.append(process)
        assert line_of(process.stdout) == b"ready\n"
        process.send_signal(signum)
        ended = finish(process, b"bye")
        assert (ended.code, ended.out, ended.errors) == (0, b"bye", []), ended
        clean(cli.api)


def test_who_will_not_wait_is_not_kept(cli: Cli) -> None:
    """The second ^C on the way out: what fails is not tried again."""
    held = cli.api.fault(method="DELETE", status=500, hold=threading.Event(), times=None)
    process = cli.start("debug", "mypod", *TALK)
    assert line_of(process.stdout) == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert held.reached.wait(PATIENCE)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        # Two at once are one.
        time.sleep(0.05)
    release(held)
    ended = finish(process)
    assert ended.code == 130 and "to delete it now: kubectl delete" in ended.err
    assert [len(sent(cli.api, "DELETE", path)) for path in (A_COPY, A_LEASE)] == [1, 1]


def test_who_is_given_up_asks_the_cluster_for_nothing_more(cli: Cli) -> None:
    cluster = Client(read_access(Connection(kubeconfig=str(cli.kubeconfig)), cli.environ))
    go_on = threading.Event()

    def work() -> Answer:
        assert go_on.wait(PATIENCE)
        return cluster.get("/api/v1/namespaces/default/pods")

    task = Task(work)
    task.abandon()
    go_on.set()
    with pytest.raises(Abandoned):
        task.result()
    assert cli.api.requests == []


def test_who_waits_has_it_tried_again(cli: Cli) -> None:
    cli.api.fault(method="DELETE", status=500, times=None)
    process = cli.start("debug", "mypod", *TALK)
    assert line_of(process.stdout) == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 130
    assert [len(sent(cli.api, "DELETE", path)) for path in (A_COPY, A_LEASE)] == [3, 3]


def test_the_terminal_is_raw_again_after_a_stop(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod")
    cooked = termios.tcgetattr(child.child_fd)
    child.expect(PROMPT)
    raw = termios.tcgetattr(child.child_fd)
    assert raw != cooked
    os.kill(pid_of(child), signal.SIGSTOP)
    os.waitpid(pid_of(child), os.WUNTRACED)
    # As a shell does that gets its terminal back.
    termios.tcsetattr(child.child_fd, termios.TCSANOW, cooked)
    os.kill(pid_of(child), signal.SIGCONT)
    end = time.monotonic() + PATIENCE
    while termios.tcgetattr(child.child_fd) != raw:
        assert time.monotonic() < end, "it is not raw again"
        time.sleep(0.01)
    child.sendline("exit 6")
    assert end_of(child) == 6
    assert termios.tcgetattr(child.child_fd) == cooked
    nothing_left(cli.api)
