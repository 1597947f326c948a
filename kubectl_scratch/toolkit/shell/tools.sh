# shellcheck shell=sh
# The rest of rc.sh if the toolkit's busybox is there: @BUSYBOX@, in @BIN@, with @APPLETS@.
#
# Its shell has busybox's programs built in, so a prompt need not wait for hundreds of links; what is
# started from it may need them.
(@BUSYBOX@ --install -s @BIN@ > /dev/null 2>&1 &)
# Debian's busybox prefers its own applets to what is on PATH, and the app's own come first.
own_first() {
  [ -z "$BASH_VERSION" ] || return 0
  old=$IFS; IFS=:; there=
  for d in ${PATH%:*}; do [ -d "$d" ] && there=$there${there:+:}$d; done
# shellcheck disable=SC2043
  for a in @APPLETS@; do
    for d in $there; do
# shellcheck disable=SC2139
      if [ -f "$d/$a" ] && [ -x "$d/$a" ]; then alias "$a=$d/$a"; break; fi
    done
  done
  IFS=$old; unset old there a d
}
own_first; unset -f own_first
