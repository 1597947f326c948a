"""The shell of a session: which one, its helpers, its banner."""

from __future__ import annotations

from kubectl_scratch.plan import Place

# Helpers as functions, since any image with a shell takes them, and behind aliases, since
# dash refuses a dash in a function's name. They must hold after the target has restarted, and
# the API can't be asked from here: a container's processes are known by the source of its
# /dev/termination-log, .../pods/UID/containers/NAME/..., which any user may read in
# /proc/PID/mountinfo (kubernetes/kubernetes, pkg/kubelet/kubelet_getters.go). With hostPID the
# pod's own UID keeps others out. Without a target target_root names a folder that can't exist:
# $(target-root)/etc must never be our own /etc.
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
PS1='@TARGET@:\w\$ '
"""

# The first of bash, ash and sh that there is, with the helpers where any folder takes them.
START = r"""
LANG=${LANG:-C.UTF-8}; export LANG
for d in "${TMPDIR:-/tmp}" /dev/shm "$HOME" .; do
  rc=$d/.scratch-rc-$$; { printf %s "$1" > "$rc"; } 2> /dev/null && break; rc=
done
if command -v bash > /dev/null; then exec bash ${rc:+--rcfile "$rc"} -i; fi
[ -z "$rc" ] || { ENV=$rc; export ENV; }
if command -v ash > /dev/null; then exec ash -i; fi
exec sh -i
"""


def command(target: str, interactive: bool) -> tuple[str, ...]:
    """Return the command of a session without one of its own."""
    if not interactive:
        return ("sh",)
    return ("sh", "-c", START, "sh", HELPERS.replace("@TARGET@", target))


def banner(place: Place) -> tuple[str, ...]:
    """Return two lines: where the session stands, and where the target's files are."""
    return (
        f"in {place.debug_container} of {place.copy_name}, a copy of {place.source};"
        " it is deleted when you leave",
        f"container {place.target}: its files are under $(target-root);"
        " see also target-pid, target-env",
    )
