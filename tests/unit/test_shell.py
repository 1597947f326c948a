"""The shell of a session, as the container is asked for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kubectl_scratch.plan.model import APP, SessionTarget, TargetKind
from kubectl_scratch.session.shell import shell_command, shell_helpers
from kubectl_scratch.toolkit.archive import DATA
from testbed.archive import architecture

BUSYBOX = "/.scratch/bin/busybox"
READS_RC = "ENV=/.scratch/rc"


def a_place(seeded: bool = True) -> SessionTarget:
    """Return the place of a session inside a target."""
    names = frozenset({"app"} if seeded else ())
    return SessionTarget(
        TargetKind.COPY,
        "default",
        "copy",
        "bcdfg",
        "scratch",
        "app",
        "default/app",
        APP,
        seeded=names,
    )


@pytest.mark.parametrize(
    "own, words",
    [
        (None, (READS_RC, BUSYBOX, "ash", "-i")),
        ("sh", (READS_RC, "sh", "-i")),
        ("/bin/dash", (READS_RC, "/bin/dash", "-i")),
        ("/bin/bash", ("/bin/bash", "--rcfile", "/.scratch/rc", "-i")),
        ("fish", ("fish", "-i")),
    ],
)
def test_only_a_shell_that_restores_env_is_given_ours(
    own: str | None, words: tuple[str, ...]
) -> None:
    assert shell_command(a_place(), (), True, own) == words


@pytest.mark.parametrize("own, words", [(None, (BUSYBOX, "ash")), ("sh", ("sh",))])
def test_a_shell_that_is_fed_has_no_rc(own: str | None, words: tuple[str, ...]) -> None:
    assert shell_command(a_place(), (), False, own) == words


@pytest.mark.parametrize("tty", [True, False])
def test_a_command_is_the_user_s_alone(tty: bool) -> None:
    assert shell_command(a_place(), ("sh", "-i"), tty, None) == ("sh", "-i")


@pytest.mark.parametrize(
    "own, seen", [({"ENV": "a 'b"}, "[a 'b]"), ({"ENV": ""}, "[]"), ({}, "[-]")]
)
def test_what_a_toolkit_image_s_shell_starts_has_the_image_s_env(
    own: dict[str, str], seen: str, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ash").symlink_to(DATA / f"busybox-{architecture()}")
    (tools / "sh").symlink_to("ash")
    done = subprocess.run(
        [tools / "sh", *shell_command(a_place(seeded=False), (), True, None)[1:]],
        env={"PATH": str(tools), "TMPDIR": str(tmp_path), **own},
        input="""sh -c 'echo "[${ENV--}${SCRATCH_ENV+x}]"'; alias\n""",
        capture_output=True,
        text=True,
    )
    assert f"{seen}\n" in done.stdout and "target-pid=" in done.stdout


SHELLS = (("dash",), ("bash",), (str(DATA / f"busybox-{architecture()}"), "sh"))


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: Path(words[0]).name)
def test_without_a_target_its_root_is_none_that_there_is(
    shell: tuple[str, ...], tmp_path: Path
) -> None:
    place = a_place(seeded=False)._replace(target="no-such-target")
    done = subprocess.run(
        [*shell, "-c", f"{shell_helpers(place)}\ntarget_root"],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    # Above all it is not empty, which would make $(target-root)/etc the session's own.
    assert done.stdout == "/proc/no-target/root\n"
    assert "container no-such-target is not running" in done.stderr
