"""Connect a verb to the cluster, the user and the signals."""

from __future__ import annotations

import getpass
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube.connection import Connection
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.session.context import Context, UserStreams

# As in Kubernetes' generated names: no vowels, and no digits that look like letters.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@contextmanager
def connect(connection: Connection, process: Process) -> Iterator[Context]:
    """Connect to the cluster, and handle signals while a verb runs."""
    # Slow to import: a mistyped flag is reported before.
    from kubectl_scratch.kube.access import read_access
    from kubectl_scratch.kube.client import Client

    def save_terminal() -> Callable[[], None]:
        from kubectl_scratch.session.terminal import modes_of

        return modes_of(process.streams[0])

    with Interrupts() as interrupts:
        try:
            # A credential plugin may wait for a person.
            cluster = interrupts.run(
                lambda: Client(
                    read_access(connection, os.environ),
                    connection.request_timeout,
                    pause=interrupts.pause,
                    save_terminal=save_terminal,
                )
            )
            user = UserStreams(*process.streams)
            yield Context(cluster, process.console, user, interrupts, time, random_suffix, author())
        except ClusterError:
            # A request that a signal has cut off has not failed.
            interrupts.reopen()
            raise
        finally:
            process.console.hurried = interrupts.received is not None


def random_suffix() -> str:
    """Return five characters that make the name of a copy, or of a session in it, unique."""
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def author() -> str:
    """Return the local user's name, for the people who find a copy."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
