#!/bin/sh
# kubectl's own completion runs this for `kubectl @PLUGIN@ <TAB>`; @MARK@.
command -v @PROGRAM@ >/dev/null 2>&1 && exec @PROGRAM@ __complete "$@"
echo ":4"
