"""Run the command line: as ``python -m kubectl_scratch``, and as the installed programs."""

from __future__ import annotations

import signal

# While the rest is imported ^C ends us as any program, without a word: nothing was created. What
# the caller ignores stays ignored.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from kubectl_scratch.cli.main import main, main_complete

__all__ = ["main", "main_complete"]

if __name__ == "__main__":
    main()
