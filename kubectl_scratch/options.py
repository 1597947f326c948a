"""kubectl's flags, as named decorators."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from kubectl_scratch.console import Console
from kubectl_scratch.errors import InvalidRequest
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
    click.option("--token", metavar="TOKEN", help="A bearer token (arguments show in ps)."),
    click.option("--certificate-authority", metavar="FILE", help="The API server's CA."),
    click.option("--client-certificate", metavar="FILE", help="The client certificate."),
    click.option("--client-key", metavar="FILE", help="The client certificate's key."),
    click.option(
        "--insecure-skip-tls-verify", is_flag=True, help="Do not check the server's certificate."
    ),
    click.option("--tls-server-name", metavar="NAME", help="The name in that certificate."),
    click.option("--as", "as_user", metavar="USER", help="The user to impersonate."),
    click.option("--as-uid", metavar="UID", help="The UID to impersonate."),
    click.option(
        "--as-group", "as_groups", metavar="GROUP", multiple=True, help="A group to impersonate."
    ),
    click.option(
        "--request-timeout", metavar="DURATION", default="0", help="How long a request may take."
    ),
    click.option("--cache-dir", metavar="DIR", hidden=True, help="Accepted and not used."),
)


_SESSION: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--tty/--no-tty",
        "-t/-T",
        default=None,
        help="With a terminal, or with pipes. [default: a terminal where stdin and stdout are one]",
    ),
    click.option("-i", "--stdin", is_flag=True, hidden=True, help="Accepted; it is passed anyway."),
    click.option("-q", "--quiet", is_flag=True, help="Say only warnings and errors."),
    click.option(
        "--timeout",
        metavar="DURATION",
        default="2m",
        show_default=True,
        help="How long to wait for a shell (90s, 5m, 1h30m).",
    ),
    click.option(
        "--ttl",
        metavar="DURATION",
        help="How long the copy outlives a session that was cut off. [default: 5m]",
    ),
    click.option(
        "--max",
        "longest",
        metavar="DURATION",
        default="8h",
        show_default=True,
        help="How long a session may last.",
    ),
    click.option(
        "--transport",
        type=click.Choice(["auto", "websocket", "kubectl"]),
        default="auto",
        show_default=True,
        help="What carries the session.",
    ),
    click.argument("extra", nargs=-1),
)


class SessionCommand(click.Command):
    """A verb that takes a command after ``--``; its help tells connection flags apart."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage line."""
        pieces = [p for p in super().collect_usage_pieces(ctx) if not p.startswith("[EXTRA]")]
        return [*pieces, "[-- COMMAND [ARG]...]"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags in two groups."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": [], "Connection, as kubectl's": []}
        own, connection = groups.values()
        for parameter in self.get_params(ctx):
            # click.Argument has a record too, of no use here.
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                known = parameter.name in (*Connection.__dataclass_fields__, "request_timeout")
                (connection if known else own).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


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


def refuse_extra(values: dict[str, Any]) -> None:
    """Raise InvalidRequest for what stands behind the name: a command goes after ``--``."""
    extra = values.pop("extra")
    if extra:
        raise InvalidRequest(f"{extra[0]!r} is one word too many", "a command goes after --")


def take_connection(values: dict[str, Any]) -> Connection:
    """Take the connection flags out of a command's values."""
    del values["cache_dir"]
    timeout = values.pop("request_timeout")
    fields = [name for name in Connection.__dataclass_fields__ if name != "request_timeout"]
    given = {name: values.pop(name) for name in fields}
    # As for kubectl, zero is no limit.
    unlimited = re.fullmatch(r"0+(h|m|s|ms)?", timeout)
    seconds = None if unlimited else parse_duration(timeout, "--request-timeout")
    return Connection(**given, request_timeout=seconds)
