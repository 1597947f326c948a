# shellcheck shell=sh
# Run for as long as stdin is open, and so the client is there.
# shellcheck disable=SC2034
while read -r l; do :; done
