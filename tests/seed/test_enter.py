"""seed enter, idle and the rest that a session begins with."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from kubectl_scratch.plan import Place
from kubectl_scratch.shell import helpers
from kubectl_scratch.toolkit import Entry, shipped
from kubectl_scratch.views import APP
from testbed.archive import architecture
from tests.seed.conftest import Seed, children, ended, idles, pending, wait_until

DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHOW = 'echo "$PATH $ENV $OTHER"'
ENV = 'echo "$ENV|${SCRATCH_ENV-none}|$OTHER"'


@pytest.mark.parametrize(
    "path, wanted", [({"PATH": "/bin:/x"}, "/bin:/x"), ({"PATH": ""}, DEFAULT), ({}, DEFAULT)]
)
def test_the_tools_come_last_on_the_path(seed: Seed, path: dict[str, str], wanted: str) -> None:
    seed.make_ready()
    environ = {"SCRATCH_TOOLKIT": str(seed.toolkit), "ENV": "other", "OTHER": "kept", **path}
    done = seed.run("enter", "--", "sh", "-c", SHOW, environ=environ)
    assert done.stdout.decode() == f"{wanted}:{seed.toolkit}/bin other kept\n"


@pytest.mark.parametrize(
    "own, carried", [({"ENV": "a=b"}, "ENV=a=b"), ({"ENV": ""}, "ENV="), ({}, "")]
)
def test_a_shell_that_is_to_read_rc_has_it_for_its_env_and_the_own_one_beside(
    seed: Seed, own: dict[str, str], carried: str
) -> None:
    seed.make_ready()
    environ = {**seed.environ(OTHER="kept"), **own}
    done = seed.run("enter", "--", f"ENV={seed.toolkit}/rc", "sh", "-c", ENV, environ=environ)
    assert done.stdout.decode() == f"{seed.toolkit}/rc|{carried}|kept\n"
    done = seed.run("enter", "--", "sh", "-c", ENV, environ=environ)
    assert done.stdout.decode() == f"{own.get('ENV', '')}|none|kept\n"


@pytest.mark.parametrize(
    "own, seen", [({"ENV": "a 'b"}, "[a 'b]"), ({"ENV": ""}, "[]"), ({}, "[-]")]
)
def test_what_a_shell_starts_has_the_app_s_env(
    native: Seed, own: dict[str, str], seen: str
) -> None:
    place = Place("default", "copy", "", "app", "default/app", APP, seeded=frozenset({"app"}))
    native.receive(*shipped(architecture()), Entry("rc", helpers(place).encode(), 0o644))
    ash = (f"{native.toolkit}/bin/busybox", "ash", "-i")
    script = b"""sh -c 'echo "[${ENV--}${SCRATCH_ENV+x}]"'; alias\n"""
    environ = {**native.environ(), **own}
    done = native.run(
        "enter", "--", f"ENV={native.toolkit}/rc", *ash, stdin=script, environ=environ
    )
    said = done.stdout.decode()
    assert f"{seen}\n" in said and "target-pid=" in said


def test_the_command_is_found_on_that_path(seed: Seed) -> None:
    script = b'#!/bin/sh\necho "ours: $*"\nexit 7\n'
    seed.receive(Entry("bin/only-ours", script), Entry("bin/sh", script))
    done = seed.run("enter", "--", "only-ours", "a b", "")
    assert (done.returncode, done.stdout) == (7, b"ours: a b \n")
    assert seed.run("enter", "--", "sh", "-c", "exit 3").returncode == 3


def test_it_waits_for_the_toolkit(seed: Seed) -> None:
    with ended(seed.start("enter", "--", "tool")) as waiting:
        seed.receive(Entry("bin/tool", b"#!/bin/sh\necho came\n"))
        assert waiting.communicate()[0] == b"came\n"


@pytest.mark.parametrize(
    "word, code, told",
    [
        ("no-such", 127, "no-such: not found"),
        ("/no/such", 127, "/no/such: not found"),
        ("/bin/sh/x", 127, "/bin/sh/x: not found"),
        ("", 127, ": not found"),
        ("/etc/passwd", 126, "/etc/passwd: permission denied"),
        ("/etc", 126, "/etc: permission denied"),
        ("plain", 126, "plain: not a program for this machine"),
        ("barred", 126, "barred: permission denied"),
        ("lonely", 127, "lonely is there, but its interpreter or loader is not"),
    ],
)
def test_what_can_t_be_run_is_told(native: Seed, word: str, code: int, told: str) -> None:
    native.receive(
        Entry("bin/plain", b"echo\n"),
        Entry("bin/barred", b"", 0o644),
        Entry("bin/lonely", b"#!/no/such\n"),
    )
    done = native.run("enter", "--", word)
    assert (done.returncode, done.stderr.decode()) == (code, f"seed: {told}\n")


@pytest.mark.parametrize("how", ["idle", "hold"])
@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGRTMIN + 3],
)
def test_it_idles_until_it_is_told_to_end(seed: Seed, how: str, number: int) -> None:
    words = {"idle": ("idle", "0"), "hold": ("hold", "image", "0", "--")}[how]
    with ended(seed.start(*words)) as process:
        wait_until(lambda: idles(process.pid), "that it idles")
        process.send_signal(number)
        assert process.wait() == 0


@pytest.mark.parametrize("how", ["idle", "hold"])
def test_what_ends_nobody_by_itself_does_not_end_it(native: Seed, how: str) -> None:
    words = {"idle": ("idle", "0"), "hold": ("hold", "image", "0", "--")}[how]
    with ended(native.start(*words)) as process:
        wait_until(lambda: idles(process.pid), "that it idles")
        harmless = (signal.SIGWINCH, signal.SIGCONT, signal.SIGCHLD, signal.SIGURG)
        for number in harmless:
            process.send_signal(number)
            wait_until(lambda n=number: has_come(process, n), "a signal")  # type: ignore[misc]
        # They wait for ever: what ends it is taken at once.
        assert process.poll() is None and all(pending(process.pid, n) for n in harmless)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0


def has_come(process: subprocess.Popen[bytes], number: int) -> bool:
    """Say whether a signal waits for the process, or that has ended."""
    return process.poll() is not None or pending(process.pid, number)


def test_it_idles_for_so_long(seed: Seed) -> None:
    began = time.monotonic()
    assert seed.run("idle", "1").returncode == 0
    # Less than that is never the machine's doing.
    assert time.monotonic() - began >= 1


def test_as_the_first_process_it_reaps(native: Seed) -> None:
    script = "( sleep 0 & ) ; exec $SEED idle 0"
    unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    environ = native.environ(SEED=str(native.folder / "seed"))
    with ended(subprocess.Popen([*unshare, "sh", "-c", script], env=environ)) as outer:
        (first,) = children(outer.pid)
        wait_until(lambda: idles(first), "the seed")
        wait_until(lambda: not Path(f"/proc/{first}/task/{first}/children").read_text(), "no child")


def test_without_a_toolkit_folder_it_holds_all_the_same(native: Seed) -> None:
    native.toolkit.rmdir()
    with native.held("spec", 2, "/bin/echo", "app") as process:
        assert native.run("run").stdout == b"app\n"
        process.terminate()
        assert process.wait() == 0


def test_holding_writes_nothing(seed: Seed) -> None:
    with seed.held("spec", 1, "app"):
        assert list(seed.toolkit.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("other",),
        ("hold",),
        ("hold", "spec", "x", "--", "app"),
        ("hold", "spec", "2", "--", "app"),
        ("idle",),
        ("idle", "-1"),
        ("enter", "sh"),
        ("enter", "--"),
        ("learn",),
        ("learn", "0"),
        ("learn", "x", "app"),
        ("recv", "x"),
        ("has", "x"),
    ],
)
def test_what_it_does_not_know_it_refuses(seed: Seed, words: tuple[str, ...]) -> None:
    done = seed.run(*words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"usage: seed ") and done.stderr.count(b"\n") == 1


def test_it_tells_its_version(seed: Seed) -> None:
    done = seed.run("version")
    assert done.returncode == 0 and done.stdout.strip().isdigit()
