"""A descriptor of the user's that is written without blocking: nobody may read it."""

from __future__ import annotations

import contextlib
import os
import select

# A pipe that is writable takes so many bytes at once, and a terminal so few, of which each may be
# the end of a line and become two: Linux has room for 256 bytes, or for none.
AT_ONCE, OF_A_TERMINAL = select.PIPE_BUF, 128


class Sink:
    """Write to a pipe, a file or a terminal as much as it takes now."""

    def __init__(self, fd: int) -> None:
        self._given = fd
        self._fd = _reopened(fd)
        # It is another user's, as under sudo.
        blocks = self._fd == fd and os.isatty(fd)
        self._most = OF_A_TERMINAL if blocks else AT_ONCE

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._fd

    def write(self, data: bytes | memoryview) -> int:
        """Write what goes without waiting; return how many bytes; raises OSError."""
        done = 0
        while done < len(data) and select.select([], [self._fd], [], 0)[1]:
            try:
                wrote = os.write(self._fd, data[done : done + self._most])
            except BlockingIOError:
                break
            done += wrote
        return done

    def close(self) -> None:
        """Close what is its own."""
        if self._fd != self._given:
            os.close(self._fd)
            self._fd = self._given


def _reopened(fd: int) -> int:
    """Return a terminal's descriptor that never blocks; of anything else the same.

    A terminal that is stopped, or is not read, blocks whoever writes more than it has room for. The
    descriptor itself is shared with the shell that started us, which must not find it changed.
    """
    with contextlib.suppress(OSError):
        if os.isatty(fd):
            return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    return fd
