# shellcheck shell=sh disable=SC1007,SC2154
: scratch-idle-@SESSION_ID@
# The first process of a container in place: idle for $1 seconds for a first session, for $2 after
# one, for $3 in all. $0 is the session ID, which is also on the line above.
#
# A process is known by a word in the first line of its command line, which is all that a shell
# can read of it without tools. A session that is shorter than a look tells of itself by CONT,
# which does no harm to what does not expect it; it does so again once it is no session any more.
# One whose client is gone may never end: it counts while its watchdog is there, for a while before
# and after, and always if it is a loose one, which has no watchdog. What is told during a look may
# be too late for it, so it is kept for the next one. A session on its way out would be killed
# with us, and its code lost, so it is waited for, and one look more is taken: in an exec a
# command line is empty for a moment, a longer one on a busy node. A redirection that fails must
# not end the shell, hence the braces.
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
      *scratch-watchdog-"$0"*) t=1 ;;
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
