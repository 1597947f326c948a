"""kubectl scratch debug."""

from __future__ import annotations

import getpass
import os
import secrets
import time
from typing import Any

from kubectl_scratch import options
from kubectl_scratch.cluster import Cluster, read_access
from kubectl_scratch.console import Console
from kubectl_scratch.interrupts import Interrupts
from kubectl_scratch.request import (
    DebugRequest,
    check_container,
    check_image,
    check_ttl,
    parse_duration,
    parse_target,
)
from kubectl_scratch.session import Desk, debug
from kubectl_scratch.terminal import UserStreams

DEFAULT_TTL = "5m"
# Without a lease nothing can prolong a copy's life.
DEFAULT_DEADLINE = 3600.0
# As Kubernetes' own generated names: no vowels, and no digits that look like letters.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def run(
    values: dict[str, Any],
    command: tuple[str, ...],
    streams: tuple[int, int, int],
    console: Console,
) -> int:
    """Debug a copy of a pod; ``values`` are the flags as Click read them."""
    user = UserStreams(*streams)
    connection = options.take_connection(values)
    request = make_request(values, command)
    with Interrupts() as interrupts:
        cluster = Cluster(read_access(connection, os.environ), connection.request_timeout)
        desk = Desk(cluster, console, user, interrupts, time, random_suffix, author())
        return debug(request, desk)


def make_request(values: dict[str, Any], command: tuple[str, ...]) -> DebugRequest:
    """Check the flags; raises InvalidRequest."""
    ttl = parse_duration(values["ttl"] or DEFAULT_TTL, "--ttl")
    request = DebugRequest(
        pod=parse_target(values["pod"]),
        container=values["container"],
        image=values["image"],
        ttl=ttl,
        deadline=min(ttl, DEFAULT_DEADLINE) if values["ttl"] else DEFAULT_DEADLINE,
        timeout=parse_duration(values["timeout"], "--timeout"),
        longest=parse_duration(values["longest"], "--max"),
        command=command,
        tty=values["tty"],
        transport=values["transport"],
    )
    check_container(request.container)
    check_image(request.image)
    check_ttl(request.ttl)
    return request


def random_suffix() -> str:
    """Return five characters that make a copy's name its own."""
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def author() -> str:
    """Return the local user's name, for the people who find a copy."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
