"""The shell of a session: which one, its helpers, its banner."""

from __future__ import annotations

from kubectl_scratch.plan.in_place_process import session_command
from kubectl_scratch.plan.model import APP, SessionTarget
from kubectl_scratch.toolkit.archive import BIN, BUSYBOX, RC, applets
from kubectl_scratch.toolkit.scripts import read_script

# What a shell is made of cannot come from elsewhere; echo, test and the like are its own as well.
BUILT_IN = (
    "[",
    "[[",
    "ash",
    "echo",
    "false",
    "kill",
    "printf",
    "pwd",
    "sh",
    "test",
    "time",
    "true",
)

# Shells that read commands from a file at their start: by a flag of their own, or from $ENV.
RC_FLAGS = {"bash": "--rcfile"}
READ_ENV = ("ash", "dash", "ksh", "ksh93", "loksh", "mksh", "oksh", "sh", "yash")
# What the seed takes for itself before the words of a shell.
READS_RC = f"ENV={RC}"


def shell_command(
    place: SessionTarget, words: tuple[str, ...], tty: bool, own: str | None
) -> tuple[str, ...]:
    """Return the command of a session: ``words``, or a shell if there are none.

    ``own`` is a shell of the container's own. The seed finds it among the tools that it brings.
    """
    found = _command(place, words, tty, own)
    return session_command(place.session_id, found) if place.in_place else found


def _command(
    place: SessionTarget, words: tuple[str, ...], tty: bool, own: str | None
) -> tuple[str, ...]:
    if place.has_seed:
        return words or _inner_shell(tty, own)
    if words:
        return words
    if own:
        return (own, "-i") if tty else (own,)
    if not tty:
        return ("sh",)
    return ("sh", "-c", read_script("start"), "sh", shell_helpers(place))


def _inner_shell(tty: bool, own: str | None) -> tuple[str, ...]:
    shell = (own,) if own else (BUSYBOX, "ash")
    if not tty:
        return shell
    name = shell[-1].rpartition("/")[2]
    if name in READ_ENV:
        return (READS_RC, *shell, "-i")
    flag = RC_FLAGS.get(name)
    return (*shell, *((flag, RC) if flag else ()), "-i")


def shell_helpers(place: SessionTarget) -> str:
    """Return the commands that a session's shell reads at its start."""
    found = read_script("rc", target=place.target)
    if not place.has_seed:
        return found
    outside = " ".join(applet for applet in applets() if applet not in BUILT_IN)
    return found + read_script("tools", busybox=BUSYBOX, bin=BIN, applets=outside)


def banner(place: SessionTarget) -> tuple[str, ...]:
    """Return the banner: the session's pod, and where the target's files are if not at /.

    That the session is inside the target is said before: by the plan, or as attach begins.
    """
    copy = f"{place.pod}, a copy of {place.source}; it is deleted when you leave"
    if place.view == APP:
        return (f"in {copy}",)
    inside = f"in container {place.container} of pod {place.pod}; there is no copy"
    files = f"the files of container {place.target} are under $(target-root)"
    return (
        inside if place.in_place else f"in the debug container of {copy}",
        f"{files}; see also target-pid, target-env",
    )
