"""seed enter, idle and the rest that a session begins with."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest

from kubectl_scratch.plan.model import APP, SessionTarget, TargetKind
from kubectl_scratch.session.shell import shell_helpers
from kubectl_scratch.toolkit.archive import Entry, shipped_entries
from testbed.archive import architecture
from tests.seed.conftest import Seed, children, ended, idles, pending, wait_until
from tests.support.patience import PATIENCE

DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHOW = 'echo "$PATH $ENV $OTHER"'
ENV = 'echo "$ENV|${SCRATCH_ENV-none}|$OTHER"'


def bring_tools(seed: Seed) -> None:
    """Bring what a session inside the target brings: busybox, and the shell's helpers."""
    place = SessionTarget(
        TargetKind.COPY, "default", "copy", "bcdfg", "", "app", "default/app", APP
    )
    helpers = Entry("rc", shell_helpers(place._replace(seeded=frozenset({"app"}))).encode(), 0o644)
    seed.receive(*shipped_entries(architecture()), helpers)


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
    bring_tools(native)
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
        ("/etc/passwd", 126, "/etc/passwd: Permission denied"),
        ("/etc", 126, "/etc: Permission denied"),
        ("plain", 126, "plain: Exec format error"),
        ("barred", 126, "barred: Permission denied"),
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
    [
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGRTMIN,
        signal.SIGRTMAX,
    ],
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
        assert native.run("run-app").stdout == b"app\n"
        process.terminate()
        assert process.wait() == 0


def test_holding_writes_nothing(seed: Seed) -> None:
    with seed.held("spec", 1, "app"):
        assert list(seed.toolkit.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
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
        ("show-app", "x"),
    ],
)
def test_a_wrong_use_prints_the_command_s_usage(seed: Seed, words: tuple[str, ...]) -> None:
    done = seed.run(*words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"usage: seed {words[0]}".encode())
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("words", [(), ("other",), ("--help",)])
def test_without_a_command_all_are_listed(seed: Seed, words: tuple[str, ...]) -> None:
    done = seed.run(*words)
    first, *commands = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, first) == (1, b"", "usage: seed COMMAND")
    assert {"hold", "recv", "start", "run-app"} <= {
        line.split()[0].rstrip(":") for line in commands
    }


def test_it_needs_no_file_but_itself(native: Seed) -> None:
    # No library, no /dev, no /proc, nothing to write to, and no user of that number.
    empty = native.folder / "empty"
    empty.mkdir()
    shutil.copy(native.folder / "seed", empty)
    nobody = ("--setuid=54321", "--setgid=54321")
    command = ["unshare", f"--root={empty}", *nobody, "/seed", "version"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.strip().isdigit()


def test_it_tells_its_version(seed: Seed) -> None:
    done = seed.run("version")
    assert done.returncode == 0 and done.stdout.strip().isdigit()


def at_prompt(seed: Seed, shell: tuple[str, ...], typed: str, **environ: str) -> str:
    """Type into a shell on a terminal; return what it has shown."""
    bring_tools(seed)
    words = seed.command("enter", "--", *shell)
    child: pexpect.spawn[bytes] = pexpect.spawn(
        words[0],
        words[1:],
        env={**seed.environ(), "HOME": "/nonexistent", "TERM": "xterm", **environ},
        timeout=PATIENCE,
    )
    child.delaybeforesend = None
    child.expect_exact("app:")
    child.send(typed)
    # What is typed ahead is shown among what is said.
    child.expect(rb"\n(\x1b\[\?2004h)?app:")
    said: bytes = child.before or b""
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
    # bash asks the terminal to mark what is pasted.
    return re.sub(r"\x1b\[\?2004[hl]\r?", "", f"{said.decode()}\n")


def shells(seed: Seed) -> dict[str, tuple[str, ...]]:
    """Return what a session starts for our shell, and for those of an image."""
    rc = f"{seed.toolkit}/rc"
    return {
        "ours": (f"ENV={rc}", f"{seed.toolkit}/bin/busybox", "ash", "-i"),
        "bash": ("bash", "--rcfile", rc, "-i"),
        "dash": (f"ENV={rc}", "dash", "-i"),
    }


E_ACUTE, HAN = "\u00e9", "\u6f22"
TYPED = [
    (f"{E_ACUTE}\x7fx", b"x"),
    (f"{HAN}\x7fx", b"x"),
    (f"{HAN}{E_ACUTE}\x7f", HAN.encode()),
    (f"{E_ACUTE}{HAN}", (E_ACUTE + HAN).encode()),
    # The key to the left, twice, then something before both.
    (f"{E_ACUTE}{HAN}\x1b[D\x1b[Dx", f"x{E_ACUTE}{HAN}".encode()),
    ("\U0001f600\x7fx", b"x"),
]
OWN_LOCALES: list[dict[str, str]] = [{}, {"LANG": "C"}, {"LANG": "POSIX"}, {"LANG": "C.UTF-8"}]


@pytest.mark.parametrize("own", OWN_LOCALES, ids=str)
@pytest.mark.parametrize("name", ["ours", "bash"])
@pytest.mark.parametrize(("typed", "taken"), TYPED)
def test_a_key_is_a_character(
    native: Seed, typed: str, taken: bytes, name: str, own: dict[str, str]
) -> None:
    line = f"printf %s {typed}\x05 | od -An -tx1 | tr -d ' \\n'; echo .\n"
    said = at_prompt(native, shells(native)[name], line, **own)
    assert f"\n{taken.hex()}." in said


@pytest.mark.parametrize("own", [{"LC_ALL": "C"}, {"LC_CTYPE": "C"}], ids=str)
def test_ours_edits_characters_whatever_the_app_has_set(native: Seed, own: dict[str, str]) -> None:
    line = f"printf %s {E_ACUTE}\x7fx | od -An -tx1 | tr -d ' \\n'; echo .\n"
    assert "\n78." in at_prompt(native, shells(native)["ours"], line, **own)


@pytest.mark.parametrize("own", OWN_LOCALES, ids=str)
@pytest.mark.parametrize("name", ["ours", "bash", "dash"])
def test_what_is_started_has_the_app_s_own_locale(
    native: Seed, name: str, own: dict[str, str]
) -> None:
    line = "env | grep -E '^(LANG|LC_)' | tr '\\n' ,; echo e''nd\n"
    wanted = "".join(f"{key}={value}," for key, value in own.items())
    assert f"\n{wanted}end" in at_prompt(native, shells(native)[name], line, **own)


ODD = {"discovery.type": "single node", "a-b": "", "BASH_FUNC_x%%": "() { :; }"}


@pytest.mark.parametrize("name", ["ours", "bash"])
def test_variables_of_any_name_are_passed_on(native: Seed, name: str) -> None:
    line = "env -0 | tr '\\0' '\\n' | grep -E '^(disc|a-b)' | sort | tr '\\n' ,; echo e''nd\n"
    said = at_prompt(native, shells(native)[name], line, **ODD)
    assert "\na-b=,discovery.type=single node,end" in said
    assert "may drop" not in said


def test_busybox_passes_them_on_to_its_own_programs_as_well(native: Seed) -> None:
    line = "printenv discovery.type; x=1 printenv discovery.type; sh -c 'printenv discovery.type'\n"
    said = at_prompt(native, shells(native)["ours"], line, **ODD)
    assert said.count("\nsingle node\r") == 3


def test_of_a_shell_that_may_drop_them_that_is_told(native: Seed) -> None:
    native.make_ready()
    rc = f"ENV={native.toolkit}/rc"
    done = native.run("enter", "--", rc, "dash", "-c", ":", environ={**native.environ(), **ODD})
    assert done.stderr.decode() == (
        "seed: dash may drop these variables, whose names are not valid in a shell:"
        " discovery.type, a-b, BASH_FUNC_x%%; run-app and commands after -- have them\n"
    )
    done = native.run("enter", "--", rc, "dash", "-c", ":")
    assert done.stderr == b""
