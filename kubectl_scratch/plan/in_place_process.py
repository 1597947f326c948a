"""The processes of a container in place: one that idles, looks for sessions in /proc, and ends."""

from __future__ import annotations

import math
from typing import NamedTuple

# A process is known by a word in the first line of its command line, which is all that a shell
# can read of it without tools. A session that is shorter than a look tells of itself by CONT,
# which does no harm to who does not expect it; it does so again once it is no session any more.
# One whose client is gone may never end: it counts while it is tethered, for a while before and
# after, and always where it is a loose one, which has no tether. What is told during a look may
# be too late for it, so it is kept for the next one. A session on its way out would be killed
# with us, and its code lost, so it is waited for, and one look more is taken: in an exec a
# command line is empty for a moment, a longer one on a busy node. A redirection that fails must
# not end the shell, hence the braces.
_IDLE = """: scratch-idle-@ID@
linger=$2 all=$3 rest=$1 tied= told= quiet=
trap 'told=1' CONT
trap 'exit 0' TERM INT
look() {
  s= o= t= e=
  for p in /proc/[0-9]*/cmdline; do
    l=; { read -r l < "$p"; } 2> /dev/null
    case $l in
      *scratch-session-"$0"*) s=1 ;;
      *scratch-loose-"$0"*) s=1 o=1 ;;
      *scratch-tether-"$0"*) t=1 ;;
      *scratch-end-"$0"*) e=1 ;;
    esac
  done
  if [ -z "$s" ]; then tied=
  elif [ -n "$t" ]; then tied=10
  elif [ -n "$tied" ]; then tied=$((tied - 2))
  elif [ -z "$o" ]; then tied=10; fi
}
while [ "$all" -gt 0 ]; do
  if [ -n "$told" ]; then told= rest=$linger; fi
  look
  if [ -n "$s" ] && [ "${tied:-1}" -gt 0 ]; then rest=$linger quiet=
  elif [ "$rest" -le 0 ] && [ -z "$told" ]; then
    [ -n "$e" ] || [ -z "$quiet" ] || exit 0
    quiet=1; sleep 0.2 2> /dev/null; continue
  else rest=$((rest - 2)); fi
  sleep 2 &
  wait "$!"
  all=$((all - 2))
done
"""
TETHER = "while read -r l; do :; done"
SESSION = (
    'w=; for p in /proc/[0-9]*; do l=; { read -r l < "$p/cmdline"; } 2> /dev/null;'
    ' case $l in *scratch-idle-"${0##*-}"*) w="$w ${p#/proc/}" ;; esac; done;'
    ' k="kill -CONT $w 2> /dev/null"; [ -z "$w" ] && k=:; eval "$k";'
    ' trap : INT QUIT; "$@"; c=$?;'
    ' exec sh -c "$k; exit $c" "scratch-end-${0##*-}"'
)


class InPlaceTerms(NamedTuple):
    """How long the container idles, in seconds: for a first session, after one, and in all."""

    first: float
    linger: float
    limit: float


def idle_command(session_id: str, terms: InPlaceTerms) -> tuple[str, ...]:
    """Return the container's first process: it waits for sessions, and ends by itself."""
    times = (terms.first, terms.linger, terms.limit)
    script = _IDLE.replace("@ID@", session_id)
    return ("sh", "-c", script, session_id, *(str(math.ceil(seconds)) for seconds in times))


def session_command(session_id: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``words`` as a session that the container's first process knows; their code too."""
    return ("sh", "-c", SESSION, f"scratch-session-{session_id}", *words)


def unwatched_command(command: tuple[str, ...], session_id: str) -> tuple[str, ...]:
    """Return a session's command for a client that can have no tether."""
    return tuple(
        f"scratch-loose-{session_id}" if w == f"scratch-session-{session_id}" else w
        for w in command
    )


def tether_command(session_id: str) -> tuple[str, ...]:
    """Return what runs for as long as its stdin is open, and so its client is there."""
    return ("sh", "-c", TETHER, f"scratch-tether-{session_id}")
