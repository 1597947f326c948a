"""kubectl's connection flags, as decorators of the verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kubectl_scratch.cli.completion import completers
from kubectl_scratch.cli.help import ConnectionFlag
from kubectl_scratch.cli.options import Command, add_flags, flag


def _connection(*names: str, **settings: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=ConnectionFlag, **settings)


_CONNECTION: tuple[Callable[[Any], Any], ...] = (
    flag(
        "-n",
        "--namespace",
        metavar="NAME",
        help="Namespace to use. [default: the context's]",
        shell_complete=completers.complete_namespaces,
    ),
    _connection(
        "--context",
        metavar="NAME",
        help="Name of the kubeconfig context to use.",
        shell_complete=completers.complete_contexts,
    ),
    _connection(
        "--kubeconfig",
        metavar="FILE",
        help="Path to the kubeconfig file to use.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--cluster",
        metavar="NAME",
        help="Name of the kubeconfig cluster to use.",
        shell_complete=completers.complete_clusters,
    ),
    _connection(
        "--user",
        metavar="NAME",
        help="Name of the kubeconfig user to use.",
        shell_complete=completers.complete_users,
    ),
    _connection("-s", "--server", metavar="URL", help="Address and port of the API server."),
    _connection(
        "--token",
        metavar="TOKEN",
        help="Bearer token for the API server (visible in the list of processes).",
    ),
    _connection(
        "--certificate-authority",
        metavar="FILE",
        help="Path to the certificate of the API server's authority.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--client-certificate",
        metavar="FILE",
        help="Path to a client certificate for TLS.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--client-key",
        metavar="FILE",
        help="Path to the key of the client certificate.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--insecure-skip-tls-verify",
        is_flag=True,
        help="Do not verify the server's certificate; the connection is then insecure.",
    ),
    _connection(
        "--tls-server-name",
        metavar="NAME",
        help="Host name that the server's certificate must have. [default: the server's]",
    ),
    _connection("--as", "as_user", metavar="USER", help="Username to impersonate."),
    _connection("--as-uid", metavar="UID", help="UID to impersonate."),
    _connection(
        "--as-group",
        "as_groups",
        metavar="GROUP",
        multiple=True,
        help="Group to impersonate (repeatable).",
    ),
    _connection(
        "--request-timeout",
        metavar="DURATION",
        default="0",
        help="Time to wait for the answer to one request; 0 is no limit. [default: 0]",
    ),
    _connection(
        "--kuberc",
        metavar="FILE",
        help="Path to kubectl's preferences; only their policy for credential plugins is used.",
        shell_complete=completers.complete_files,
    ),
    # What kubectl's users type, accepted and ignored.
    _connection("--cache-dir", metavar="DIR", hidden=True),
    _connection("--disable-compression", is_flag=True, hidden=True),
    _connection("--log-flush-frequency", metavar="DURATION", hidden=True),
    _connection("--vmodule", metavar="PATTERN", hidden=True),
)
# The same, of verbs that have no -v of their own.
_LOG_LEVEL = (_connection("-v", "--v", "v", type=int, metavar="LEVEL", hidden=True),)


def connection_options(command: Command) -> Command:
    """Add kubectl's connection flags."""
    return add_flags((*_CONNECTION, *_LOG_LEVEL), command)


def verbose_connection_options(command: Command) -> Command:
    """Add kubectl's connection flags to a verb whose -v is its own."""
    return add_flags(_CONNECTION, command)
