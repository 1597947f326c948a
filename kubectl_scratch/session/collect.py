"""Collect what a command in a container says, beside signals and a limit of time."""

from __future__ import annotations

import select
from collections.abc import Callable

from kubectl_scratch.session.context import Context
from kubectl_scratch.session.remote import RemoteCommand

WAKE_SECONDS = 1.0


def collect_output(
    remote: RemoteCommand, context: Context, seconds: float, most: int, tick: Callable[[], None]
) -> tuple[bytes, bytes]:
    """Return what the command says on stdout and stderr until it ends, or for so many seconds.

    Of each at most ``most`` bytes are kept. ``tick`` is called about once a second. Raises
    Interrupted for a signal.
    """
    out, err, interrupts = bytearray(), bytearray(), context.interrupts
    end = context.clock.monotonic() + seconds
    while not remote.ended() and context.clock.monotonic() < end:
        remote.flush()
        writable = [remote.fileno()] if remote.backlog else []
        wait = 0 if remote.more else WAKE_SECONDS
        ready, _, _ = select.select([remote.fileno(), interrupts.fileno()], writable, [], wait)
        if interrupts.fileno() in ready:
            interrupts.clear()
        interrupts.check()
        _keep(remote, out, err, most)
        remote.keep_alive(context.clock.monotonic())
        tick()
    _keep(remote, out, err, most)
    return bytes(out), bytes(err)


def _keep(remote: RemoteCommand, out: bytearray, err: bytearray, most: int) -> None:
    for kept, said in zip((out, err), remote.drain(), strict=True):
        kept += said[: most - len(kept)]
