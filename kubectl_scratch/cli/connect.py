"""What the verbs that run a session share."""

from __future__ import annotations

import getpass
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kubectl_scratch.cli import options
from kubectl_scratch.cli.process import Process
from kubectl_scratch.cli.values import check_ttl, take_connection
from kubectl_scratch.errors import ClusterError, InvalidRequest
from kubectl_scratch.request import SessionRequest
from kubectl_scratch.runtime.durations import parse_duration
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.session.context import Context, UserStreams

DEFAULT_TTL = "5m"
# As Kubernetes' own generated names: no vowels, and no digits that look like letters.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@contextmanager
def connect(values: dict[str, Any], process: Process) -> Iterator[Context]:
    """Connect to the cluster and own the signals for as long as a verb runs."""
    # It takes a while to import: a mistyped flag is told before that.
    from kubectl_scratch.kube.client import Client, read_access

    def save_terminal() -> Callable[[], None]:
        from kubectl_scratch.session.terminal import modes_of

        return modes_of(process.streams[0])

    connection = take_connection(values)
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
            # What a signal has broken off has not failed.
            interrupts.reopen()
            raise
        finally:
            process.console.hurried = interrupts.received is not None


def session_request(values: dict[str, Any], command: tuple[str, ...]) -> SessionRequest:
    """Check a session's flags; raises InvalidRequest."""
    options.refuse_extra(values, hint="a command goes after --")
    session = SessionRequest(
        ttl=parse_duration(values["ttl"] or DEFAULT_TTL, "--ttl"),
        timeout=parse_duration(values["timeout"], "--timeout"),
        longest=parse_duration(values["longest"], "--max"),
        command=command,
        tty=values["tty"],
        transport=values["transport"],
        shell=check_shell(values["shell"], command),
        toolkit_files=values["toolkit_file"],
        stdin=values["stdin"],
    )
    if not values.get("in_place"):
        check_ttl(session.ttl)
    if session.stdin is False and not command:
        raise InvalidRequest(
            "a shell needs stdin", "give a command after --, or omit --stdin=false"
        )
    if session.toolkit_files:
        from kubectl_scratch.toolkit import archive

        # Each file of a folder, before anything is created.
        for path in session.toolkit_files:
            archive.user_entries(path)
    return session


def check_shell(shell: str | None, command: tuple[str, ...]) -> str | None:
    """Return the shell; raises InvalidRequest beside a command."""
    if shell is not None and (command or not shell):
        raise InvalidRequest("--shell is for a session without a command")
    return shell


def random_suffix() -> str:
    """Return five characters that make a copy's name, or a seat in it, its own."""
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def author() -> str:
    """Return the local user's name, for the people who find a copy."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
