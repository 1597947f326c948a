# shellcheck shell=sh
# Run "$@" as a session that the first process of its container (idle.sh) knows by $0,
# scratch-session-SESSION_ID; wake that process at the start and at the end, and pass the code on.
#
# Its lines are joined to one, because $0 must be in the first line of the command line: hence
# each semicolon.
w=;
for p in /proc/[0-9]*; do
  l=;
  { read -r l < "$p/cmdline"; } 2> /dev/null;
  case $l in *scratch-idle-"${0##*-}"*) w="$w ${p#/proc/}" ;; esac;
done;
k="kill -CONT $w 2> /dev/null";
[ -z "$w" ] && k=:;
eval "$k";
trap : INT QUIT;
"$@"; c=$?;
exec sh -c "$k; exit $c" "scratch-end-${0##*-}"
