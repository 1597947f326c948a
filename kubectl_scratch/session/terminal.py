"""The user's terminal, and the loop between it and a remote command.

The only importer of termios.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from kubectl_scratch.errors import Interrupted, SessionError
from kubectl_scratch.runtime.sink import Sink

# A plugin that logs in at the terminal needs little of this, and needs it first.
if TYPE_CHECKING:
    from kubectl_scratch.runtime.console import Console
    from kubectl_scratch.runtime.interrupts import Interrupts
    from kubectl_scratch.session.context import UserStreams
    from kubectl_scratch.session.remote import RemoteCommand
    from kubectl_scratch.session.stdin_watch import StdinWatch

READ_BYTES = 65536
# Input is read only while less than this waits for the network: a pasted file then waits in
# the terminal instead of in our memory, and ^C is not behind megabytes.
MOST_BACKLOG = 1 << 17
TICK_SECONDS = 1.0
# A terminal may be ready, and have no room for the two bytes that it makes of a line's end.
NO_ROOM_SECONDS = 0.02


def modes_of(fd: int) -> Callable[[], None]:
    """Return what gives a terminal the modes again that it has now, if it has others then."""
    try:
        saved = termios.tcgetattr(fd)
    except (termios.error, OSError):
        return lambda: None

    def restore() -> None:
        # One that is gone has nothing to restore.
        with contextlib.suppress(termios.error, OSError):
            if termios.tcgetattr(fd) != saved:
                termios.tcsetattr(fd, termios.TCSANOW, saved)

    return restore


class RawTerminal:
    """Make a terminal raw, and what it was in every case; nothing if it is none.

    ``at_line_start`` says whether what was shown last ended a line.
    """

    def __init__(self, fd: int) -> None:
        self.at_line_start = True
        self._fd = fd
        self._saved: list[object] | None = None

    def __enter__(self) -> RawTerminal:
        if os.isatty(self._fd):
            self._saved = termios.tcgetattr(self._fd)
            self.again()
        return self

    def again(self) -> None:
        """Make it raw once more: a shell that stopped us has set its own modes."""
        if self._saved is not None:
            # One that is gone says so by its own signal, too, which comes with the one to go on.
            with contextlib.suppress(termios.error):
                tty.setraw(self._fd, termios.TCSANOW)

    def __exit__(self, *error: object) -> None:
        if self._saved is not None:
            # A terminal that is gone has nothing to restore.
            with contextlib.suppress(termios.error):
                # Not once all is shown: it may be stopped, and the copy is still to be deleted.
                termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)  # type: ignore[arg-type]


@contextmanager
def raw_session(
    remote: RemoteCommand, user: UserStreams, console: Console
) -> Iterator[RawTerminal]:
    """Make the user's terminal raw for as long as the remote terminal is used."""
    with RawTerminal(user.stdin) as raw:
        console.enter_raw()
        try:
            remote.setwinsize(*user.size())
            yield raw
        finally:
            console.leave_raw(raw.at_line_start)


def bridge(
    remote: RemoteCommand,
    user: UserStreams,
    interrupts: Interrupts,
    clock: Callable[[], float],
    tick: Callable[[], None],
    raw: RawTerminal | None = None,
    reads: bool = True,
    wanted: StdinWatch | None = None,
    seen: Callable[[bytes], None] = lambda said: None,
) -> None:
    """Carry bytes both ways until the remote side ends; ``raw`` if it has a terminal.

    Our stdin is left alone unless it ``reads``, and then until it is ``wanted``. ``tick`` is
    called about once a second, ``seen`` with what has come on stdout. Raises Interrupted for a
    signal, and, with SIGPIPE's number, when nobody reads our output any more.
    """
    with closing(Sink(user.stdout)) as out, closing(Sink(user.stderr)) as err:
        outlet = Outlet(out, err, interrupts, tick, seen)
        _carry(remote, user, outlet, clock, raw, reads, wanted)


def _carry(
    remote: RemoteCommand,
    user: UserStreams,
    outlet: Outlet,
    clock: Callable[[], float],
    raw: RawTerminal | None,
    reads: bool,
    wanted: StdinWatch | None,
) -> None:
    reading, waiting, interrupts = reads and remote.takes_input, wanted, outlet.interrupts
    while not remote.ended():
        remote.flush()
        selected = [remote.fileno(), interrupts.fileno()]
        if reading and waiting is not None:
            selected.append(waiting.fileno())
        elif reading and remote.backlog < MOST_BACKLOG:
            selected.append(user.stdin)
        writable = [remote.fileno()] if remote.backlog else []
        ready, _, _ = select.select(selected, writable, [], 0 if remote.more else TICK_SECONDS)
        if interrupts.fileno() in ready:
            interrupts.clear()
        interrupts.check()
        if interrupts.resized and raw is not None:
            _follow_terminal(remote, user, interrupts, raw)
        if waiting is not None and waiting.fileno() in ready:
            waiting = None
        elif user.stdin in ready:
            reading = _pass_input(remote, user.stdin)
        _show(remote, raw, outlet)
        remote.keep_alive(clock())
        outlet.tick()
    _show(remote, raw, outlet)


def _follow_terminal(
    remote: RemoteCommand, user: UserStreams, interrupts: Interrupts, raw: RawTerminal
) -> None:
    interrupts.resized = False
    if interrupts.resumed:
        interrupts.resumed = False
        raw.again()
    remote.setwinsize(*user.size())


class Outlet(NamedTuple):
    """Write to a reader who may not read: signals and ticks continue meanwhile."""

    out: Sink
    err: Sink
    interrupts: Interrupts
    tick: Callable[[], None]
    seen: Callable[[bytes], None] = lambda said: None

    def write(self, sink: Sink, data: bytes) -> None:
        """Write all of ``data``; raises OSError, Interrupted, and what ``tick`` raises."""
        view, ready = memoryview(data), False
        while view:
            self.interrupts.check()
            wrote = sink.write(view)
            view = view[wrote:]
            # What is ready and takes nothing would be asked again and again.
            ready = bool(view) and not wrote and self._wait([] if ready else [sink])

    def _wait(self, wanted: list[Sink]) -> bool:
        """Wait until it can be written; return whether it can. Without it wait for a moment."""
        heard, most = self.interrupts.fileno(), TICK_SECONDS if wanted else NO_ROOM_SECONDS
        woken, ready, _ = select.select([heard], wanted, [], most)
        if woken:
            self.interrupts.clear()
        elif wanted and not ready:
            self.tick()
        return bool(ready)


def _show(remote: RemoteCommand, raw: RawTerminal | None, outlet: Outlet) -> None:
    out, err = remote.drain()
    outlet.seen(out)
    if out and raw is not None:
        raw.at_line_start = out.endswith(b"\n")
    try:
        outlet.write(outlet.out, out)
    except BrokenPipeError as error:
        raise Interrupted(signal.SIGPIPE) from error
    except OSError as error:
        if raw is not None and error.errno == errno.EIO:
            # The kernel makes a terminal deaf before it sends the signal that says so.
            raise Interrupted(signal.SIGHUP) from error
        raise SessionError(f"cannot write to stdout: {os.strerror(error.errno or 0)}") from error
    # A stderr that cannot be written ends no session.
    with contextlib.suppress(OSError):
        outlet.write(outlet.err, err)


def _pass_input(remote: RemoteCommand, stdin: int) -> bool:
    """Queue what the user has typed; return False at its end."""
    try:
        data = os.read(stdin, READ_BYTES)
    except BlockingIOError:
        return True
    except OSError:
        # EIO: the terminal is gone, or we are in its background.
        data = b""
    if data:
        remote.queue(data)
    else:
        remote.sendeof()
    return bool(data)
