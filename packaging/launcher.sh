#!/bin/sh
# Run the plugin with the newest suitable Python, apart from what else that Python has installed.

fail() {
  echo "error: $1" >&2
  exit 1
}

# krew calls this through a link; `readlink -f` is younger than the macOS versions in use.
self=$0
case $self in
  */*) ;;
  *) self=./$self ;;
esac
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
done
lib=${self%/*}/lib

# Print the first program of that name on PATH: with "lasting", none of a virtual environment's or a
# version manager's (pyenv, asdf, mise). Those go with the projects that use them, and are slow: a
# manager compiles without a profile, and has a script for each version that any project uses, often
# without effect. What it would run is taken instead.
find_program() {
  IFS=:
  set -f
# shellcheck disable=SC2086
  set -- "$1" "$2" $PATH
  set +f
  unset IFS
  name=$1 which=$2
  shift 2
  for folder; do
    folder=${folder%/}
    [ -n "$folder" ] && [ -f "$folder/$name" ] && [ -x "$folder/$name" ] || continue
    [ "$which" = any ] || lasts "$folder" || continue
    case $folder in
      */shims) find_managed "${folder%/shims}" "$name" && return ;;
      *) echo "$folder/$name" && return ;;
    esac
  done
  return 1
}

lasts() {
  case $1 in
    */shims | */versions/*/bin | */installs/python/*/bin) return 1 ;;
  esac
  [ ! -f "${1%/*}/pyvenv.cfg" ]
}

# Print a version manager's program of that name. What begins with a number is plain Python.
find_managed() {
  found=
  for real in "$1"/versions/*/bin/"$2" "$1"/installs/python/*/bin/"$2" \
    "$1"/versions/[0-9]*/bin/"$2" "$1"/installs/python/[0-9]*/bin/"$2"; do
    [ -x "$real" ] && [ ! -f "${real%/bin/*}/pyvenv.cfg" ] && found=$real
  done
  [ -n "$found" ] && echo "$found"
}

find_python() {
  for which in lasting any; do
    for minor in 14 13 12 11 10; do
      find_program "python3.$minor" "$which" && return
    done
    other=$(find_program python3 "$which") || continue
    "$other" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null &&
      echo "$other" && return
  done
}

python=${KUBECTL_SCRATCH_PYTHON:-$(find_python)}
[ -n "$python" ] || fail "Python 3.10 or later is needed; install python3 and have it on PATH"
command -v "$python" >/dev/null || fail "KUBECTL_SCRATCH_PYTHON names no program"

# Where lib/ can't be written, Python would compile it anew at each start.
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
if [ ! -w "$lib" ] && [ -n "$cache" ]; then
  set -- -X "pycache_prefix=$cache/kubectl-scratch" "$lib/start.py" "$@"
else
  set -- "$lib/start.py" "$@"
fi
# -I: no PYTHON* variable and no user's packages; -S: nor those of the system.
exec "$python" -I -S "$@"
