"""kubectl's flags, as named decorators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from kubectl_scratch.console import Console
from kubectl_scratch.kubeconfig import Connection
from kubectl_scratch.request import parse_duration


@dataclass(frozen=True)
class Process:
    """The process that a verb runs in: its descriptors, its console, what stands behind --."""

    command: tuple[str, ...]
    streams: tuple[int, int, int]
    console: Console


Command = TypeVar("Command", bound=Callable[..., Any])

_CONNECTION: tuple[Callable[[Any], Any], ...] = (
    click.option("-n", "--namespace", metavar="NAME", help="The pod's namespace."),
    click.option("--context", metavar="NAME", help="The kubeconfig context to use."),
    click.option("--kubeconfig", metavar="FILE", help="The kubeconfig file to use."),
    click.option("--cluster", metavar="NAME", help="The kubeconfig cluster to use."),
    click.option("--user", metavar="NAME", help="The kubeconfig user to use."),
    click.option("-s", "--server", metavar="URL", help="The API server's address."),
    click.option("--token", metavar="TOKEN", help="A bearer token; others see arguments in ps."),
    click.option("--certificate-authority", metavar="FILE", help="The API server's CA."),
    click.option("--client-certificate", metavar="FILE", help="A client certificate."),
    click.option("--client-key", metavar="FILE", help="Its key."),
    click.option("--insecure-skip-tls-verify", is_flag=True, help="Trust any API server."),
    click.option("--tls-server-name", metavar="NAME", help="The name in its certificate."),
    click.option("--as", "as_user", metavar="USER", help="The user to impersonate."),
    click.option("--as-uid", metavar="UID", help="The UID to impersonate."),
    click.option("--as-group", "as_groups", metavar="GROUP", multiple=True, help="Its groups."),
    click.option("--request-timeout", metavar="DURATION", default="0", help="For one request."),
    click.option("--cache-dir", metavar="DIR", hidden=True, help="Accepted and not used."),
)


_SESSION: tuple[Callable[[Any], Any], ...] = (
    click.option("--tty/--no-tty", "-t/-T", default=None, help="With a terminal, or without."),
    click.option("-i", "--stdin", is_flag=True, hidden=True, help="Accepted; it is passed anyway."),
    click.option("-q", "--quiet", is_flag=True, help="Say only what must be known."),
    click.option(
        "--transport",
        type=click.Choice(["auto", "websocket", "kubectl"]),
        default="auto",
        show_default=True,
        help="What carries the session.",
    ),
    click.option(
        "--timeout",
        metavar="DURATION",
        default="2m",
        show_default=True,
        help="How long to wait for a shell.",
    ),
    click.option(
        "--ttl",
        metavar="DURATION",
        help="The cluster removes the copy so long after we are gone. [default: 5m]",
    ),
    click.option(
        "--max",
        "longest",
        metavar="DURATION",
        default="8h",
        show_default=True,
        help="The longest session.",
    ),
)


def session_options(command: Command) -> Command:
    """Add the flags of what runs a session."""
    for option in reversed(_SESSION):
        command = option(command)
    return command


def connection_options(command: Command) -> Command:
    """Add kubectl's connection flags."""
    for option in reversed(_CONNECTION):
        command = option(command)
    return command


def take_connection(values: dict[str, Any]) -> Connection:
    """Take the connection flags out of a command's values."""
    del values["cache_dir"]
    timeout = values.pop("request_timeout")
    fields = [name for name in Connection.__dataclass_fields__ if name != "request_timeout"]
    given = {name: values.pop(name) for name in fields}
    seconds = None if timeout == "0" else parse_duration(timeout, "--request-timeout")
    return Connection(**given, request_timeout=seconds)
