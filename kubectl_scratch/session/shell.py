"""The shell of a session: which one, its helpers, its banner."""

from __future__ import annotations

from kubectl_scratch.plan.in_place_process import session_command
from kubectl_scratch.plan.model import APP, SessionTarget
from kubectl_scratch.toolkit.archive import BIN, BUSYBOX, RC, applets

# Helpers as functions, since any image with a shell takes them, and behind aliases, since
# dash refuses a dash in a function's name. They must hold after the target has restarted, and
# the API can't be asked from here: a container's processes are known by the source of its
# /dev/termination-log, .../pods/UID/containers/NAME/..., which any user may read in
# /proc/PID/mountinfo (kubernetes/kubernetes, pkg/kubelet/kubelet_getters.go). With hostPID the
# pod's own UID keeps others out. Without a target target_root names a folder that can't exist:
# $(target-root)/etc must never be our own /etc. What is typed is UTF-8, also where the app's
# variables don't say so; not exported, so that what is started from the prompt has the app's.
HELPERS = r"""
[ -n "$BASH_VERSION" ] && [ -r ~/.bashrc ] && . ~/.bashrc
target_pid() {
  u=
  while read -r l; do
    case $l in */pods/*/containers/*) u=${l#*/pods/}; u=${u%%/*}; break ;; esac
  done < /proc/self/mountinfo
  for p in $(cd /proc && ls -d [0-9]* | sort -n); do
    read -r l < /proc/"$p"/comm; case $l in runc*) continue ;; esac
    while read -r l; do
      case $l in */pods/"$u"/containers/@TARGET@/*) echo "$p"; return 0 ;; esac
    done < /proc/"$p"/mountinfo
  done 2> /dev/null
  echo "target-pid: container @TARGET@ does not run just now" >&2; return 1
}
target_root() { p=$(target_pid) || p=no-target; echo "/proc/$p/root"; }
target_env() { p=$(target_pid) && tr '\000' '\n' < "/proc/$p/environ"; }
alias target-pid=target_pid target-root=target_root target-env=target_env
[ -n "$LC_ALL$LC_CTYPE" ] || case $LANG in
  *[Uu][Tt][Ff]*) ;; *) { LC_CTYPE=C.UTF-8; } 2> /dev/null ;;
esac
PS1='@TARGET@:\w\$ '
"""

# By ENV a shell finds its rc; what it starts is to see the container's own again, which whoever set
# the other has carried along as it was, ENV=..., or as nothing (seed/program.c, _START).
OWN_ENV = r"""
case ${SCRATCH_ENV-none} in
  ENV=*) ENV=${SCRATCH_ENV#ENV=}; export ENV ;;
  "") unset ENV ;;
esac
unset SCRATCH_ENV
"""

# Its shell has busybox's programs built in, so that a prompt need not wait for hundreds of links;
# what is started from it may need them.
LINKS = f"""
({BUSYBOX} --install -s {BIN} > /dev/null 2>&1 &)
"""

# Debian's busybox prefers its own applets to what is on PATH, and the app's own come first. What
# a shell is made of can't be had from elsewhere, and echo, test and the like are its own as well.
OWN_FIRST = r"""
own_first() {
  [ -z "$BASH_VERSION" ] || return 0
  old=$IFS; IFS=:; there=
  for d in ${PATH%:*}; do [ -d "$d" ] && there=$there${there:+:}$d; done
  for a in @APPLETS@; do
    for d in $there; do
      if [ -f "$d/$a" ] && [ -x "$d/$a" ]; then alias "$a=$d/$a"; break; fi
    done
  done
  IFS=$old; unset old there a d
}
own_first; unset -f own_first
"""
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

# The first of bash, ash and sh that there is, with the helpers where any folder takes them.
_START = r"""
for d in "${TMPDIR:-/tmp}" /dev/shm "$HOME" .; do
  rc=$d/.scratch-rc-$$; { printf %s "$1" > "$rc"; } 2> /dev/null && break; rc=
done
[ -n "$rc" ] || { LANG=${LANG:-C.UTF-8}; export LANG; }
if command -v bash > /dev/null; then exec bash ${rc:+--rcfile "$rc"} -i; fi
[ -z "$rc" ] || { SCRATCH_ENV=${ENV+ENV=$ENV}; ENV=$rc; export SCRATCH_ENV ENV; }
if command -v ash > /dev/null; then exec ash -i; fi
exec sh -i
"""


# Shells that read commands from a file at their start: by a flag of their own, or where $ENV says.
RC_FLAGS = {"bash": "--rcfile"}
READ_ENV = ("ash", "dash", "ksh", "ksh93", "loksh", "mksh", "oksh", "sh", "yash")
# What the seed takes for itself before the words of a shell.
READS_RC = f"ENV={RC}"


def shell_command(
    place: SessionTarget, words: tuple[str, ...], tty: bool, own: str | None
) -> tuple[str, ...]:
    """Return the command of a session: ``words``, or a shell where there are none.

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
    return ("sh", "-c", _START, "sh", shell_helpers(place))


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
    found = HELPERS.replace("@TARGET@", place.target)
    if not place.has_seed:
        return OWN_ENV + found
    outside = (applet for applet in applets() if applet not in BUILT_IN)
    return OWN_ENV + found + LINKS + OWN_FIRST.replace("@APPLETS@", " ".join(outside))


def banner(place: SessionTarget) -> tuple[str, ...]:
    """Return where the session stands, and where the target's files are if not at /."""
    where = f"in {place.container} of {place.pod}"
    first = f"{where}, a copy of {place.source}; it is deleted when you leave"
    if place.in_place:
        first = f"{where}, the pod itself and no copy"
    if place.view == APP:
        return (first,)
    return (
        first,
        f"container {place.target}: its files are under $(target-root);"
        " see also target-pid, target-env",
    )
