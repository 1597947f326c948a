"""The shell code that goes into containers, in the shells that run it there."""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path

import pytest

from kubectl_scratch.plan.in_place_process import InPlaceTerms, idle_command, session_command
from kubectl_scratch.toolkit.archive import DATA
from kubectl_scratch.toolkit.scripts import SCRIPTS, one_line, read_script
from testbed.archive import architecture
from tests.support.patience import PATIENCE

SHELLS = (("dash",), (str(DATA / f"busybox-{architecture()}"), "ash"))
SCRIPT_NAMES = sorted(path.stem for path in SCRIPTS.iterdir())

in_each_shell = pytest.mark.parametrize("shell", SHELLS, ids=["dash", "ash"])


@in_each_shell
@pytest.mark.parametrize("name", SCRIPT_NAMES)
def test_each_shell_can_read_it(name: str, shell: tuple[str, ...]) -> None:
    subprocess.run([*shell, "-n", "-c", read_script(name)], check=True)


@pytest.mark.parametrize("name", SCRIPT_NAMES)
def test_what_is_sent_has_no_comments(name: str) -> None:
    assert not re.search(r"^\s*#", read_script(name), re.MULTILINE)


def test_its_places_are_filled_in() -> None:
    script = read_script("tools", busybox="/b/busybox", bin="/b", applets="cat ls")
    assert "(/b/busybox --install -s /b " in script and "for a in cat ls;" in script
    assert "@" not in script


@in_each_shell
def test_a_session_s_script_is_the_same_on_one_line(shell: tuple[str, ...]) -> None:
    script = one_line(read_script("session"))
    assert "\n" not in script
    words = ("scratch-session-tttta", "sh", "-c", 'echo "$1"; exit 7', "sh", "a  b")
    done = subprocess.run([*shell, "-c", script, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (7, "a  b\n", "")


@in_each_shell
def test_what_idles_ends_after_its_session(shell: tuple[str, ...]) -> None:
    tag = f"ttt{Path(shell[0]).name[:2]}"
    idle, session = idle_command(tag, InPlaceTerms(3600, 0, 7200)), session_command(tag, ("true",))
    process = subprocess.Popen([*shell, *idle[1:]])
    try:
        # A session that begins before it listens is not seen by it.
        while process.poll() is None:
            subprocess.run([*shell, *session[1:]], check=True, timeout=PATIENCE)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
