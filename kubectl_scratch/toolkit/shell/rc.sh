# shellcheck shell=sh
# What a session's shell reads at its start; @TARGET@ is the target container.
#
# By $ENV a shell finds this file. What it starts must see the container's own ENV again: whoever set
# ours has kept the other in SCRATCH_ENV, as ENV=..., or empty if there was none (seed/session/start.c).
case ${SCRATCH_ENV-none} in
  ENV=*) ENV=${SCRATCH_ENV#ENV=}; export ENV ;;
  "") unset ENV ;;
esac
unset SCRATCH_ENV
# shellcheck disable=SC1090
[ -n "$BASH_VERSION" ] && [ -r ~/.bashrc ] && . ~/.bashrc
# Functions, because any image with a shell takes them, behind aliases, because dash refuses a dash
# in a function's name. They must hold after the target has restarted, and the API can't be asked
# from here: a container's processes are known by the source of its /dev/termination-log,
# .../pods/UID/containers/NAME/..., which any user may read in /proc/PID/mountinfo
# (kubernetes/kubernetes, pkg/kubelet/kubelet_getters.go). With hostPID the pod's own UID keeps
# others out.
target_pid() {
  u=
  while read -r l; do
    case $l in */pods/*/containers/*) u=${l#*/pods/}; u=${u%%/*}; break ;; esac
  done < /proc/self/mountinfo
# shellcheck disable=SC2012
  for p in $(cd /proc && ls -d [0-9]* | sort -n); do
    read -r l < /proc/"$p"/comm; case $l in runc*) continue ;; esac
    while read -r l; do
      case $l in */pods/"$u"/containers/@TARGET@/*) echo "$p"; return 0 ;; esac
    done < /proc/"$p"/mountinfo
  done 2> /dev/null
  echo "target-pid: container @TARGET@ is not running" >&2; return 1
}
# Without a target it names a folder that can't exist: $(target-root)/etc must never be our own /etc.
target_root() { p=$(target_pid) || p=no-target; echo "/proc/$p/root"; }
target_env() { p=$(target_pid) && tr '\000' '\n' < "/proc/$p/environ"; }
alias target-pid=target_pid target-root=target_root target-env=target_env
# What is typed is UTF-8, also if the app's variables don't say so; not exported, so that what is
# started from the prompt has the app's.
# shellcheck disable=SC2034
[ -n "$LC_ALL$LC_CTYPE" ] || case $LANG in
  *[Uu][Tt][Ff]*) ;; *) { LC_CTYPE=C.UTF-8; } 2> /dev/null ;;
esac
# shellcheck disable=SC2025
PS1='@TARGET@:\w\$ '
