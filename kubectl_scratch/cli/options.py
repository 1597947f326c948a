"""kubectl's flags, as named decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubectl_scratch.cli.completion import completers
from kubectl_scratch.cli.help import ConnectionFlag, Flag
from kubectl_scratch.runtime.names import ARCHITECTURES

Command = TypeVar("Command", bound=Callable[..., Any])


def flag(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return a decorator that adds a flag to a verb."""
    return click.option(*names, cls=Flag, **settings)


def _connection(*names: str, **settings: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=ConnectionFlag, **settings)


_CONNECTION: tuple[Callable[[Any], Any], ...] = (
    flag(
        "-n",
        "--namespace",
        metavar="NAME",
        help="The pod's namespace.",
        shell_complete=completers.complete_namespaces,
    ),
    _connection(
        "--context",
        metavar="NAME",
        help="The kubeconfig context to use.",
        shell_complete=completers.complete_contexts,
    ),
    _connection(
        "--kubeconfig",
        metavar="FILE",
        help="The kubeconfig file to use.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--cluster",
        metavar="NAME",
        help="The kubeconfig cluster to use.",
        shell_complete=completers.complete_clusters,
    ),
    _connection(
        "--user",
        metavar="NAME",
        help="The kubeconfig user to use.",
        shell_complete=completers.complete_users,
    ),
    _connection("-s", "--server", metavar="URL", help="The API server's address."),
    _connection("--token", metavar="TOKEN", help="A bearer token (arguments show in ps)."),
    _connection(
        "--certificate-authority",
        metavar="FILE",
        help="The API server's CA.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--client-certificate",
        metavar="FILE",
        help="The client certificate.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--client-key",
        metavar="FILE",
        help="The client certificate's key.",
        shell_complete=completers.complete_files,
    ),
    _connection(
        "--insecure-skip-tls-verify", is_flag=True, help="Do not check the server's certificate."
    ),
    _connection("--tls-server-name", metavar="NAME", help="The name in that certificate."),
    _connection("--as", "as_user", metavar="USER", help="The user to impersonate."),
    _connection("--as-uid", metavar="UID", help="The UID to impersonate."),
    _connection(
        "--as-group", "as_groups", metavar="GROUP", multiple=True, help="A group to impersonate."
    ),
    _connection(
        "--request-timeout", metavar="DURATION", default="0", help="How long a request may take."
    ),
    _connection(
        "--kuberc",
        metavar="FILE",
        help="kubectl's preferences, for their credential plugin policy.",
        shell_complete=completers.complete_files,
    ),
    # What kubectl's users type, and what says nothing to us.
    _connection("--cache-dir", metavar="DIR", hidden=True, help="Accepted and not used."),
    _connection("--disable-compression", is_flag=True, hidden=True, help="Accepted and not used."),
    _connection("--log-flush-frequency", metavar="DURATION", hidden=True, help="Not used."),
    _connection("-v", "--v", "v", type=int, metavar="LEVEL", hidden=True, help="Not used."),
    _connection("--vmodule", metavar="PATTERN", hidden=True, help="Accepted and not used."),
)


_EXTRA = click.argument("extra", nargs=-1, shell_complete=completers.complete_nothing)

_SESSION: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--tty/--no-tty",
        "-t/-T",
        default=None,
        help="With a terminal, or with pipes. [default: a terminal where stdin and stdout are one]",
    ),
    flag(
        "-i",
        "--stdin/--no-stdin",
        default=None,
        help="Pass stdin from the start, or never. [default: once the command reads it]",
    ),
    flag("-q", "--quiet", is_flag=True, help="Say only warnings and errors."),
    flag(
        "--timeout",
        metavar="DURATION",
        default="2m",
        show_default=True,
        help="How long to wait for a shell (90s, 5m, 1h30m).",
    ),
    flag(
        "--ttl",
        metavar="DURATION",
        help="How long the copy outlives a session that was cut off. [default: 5m]",
    ),
    flag(
        "--max",
        "longest",
        metavar="DURATION",
        default="8h",
        show_default=True,
        help="How long a session may last.",
    ),
    flag(
        "--transport",
        type=click.Choice(["auto", "websocket", "kubectl"]),
        default="auto",
        show_default=True,
        help="What carries the session.",
    ),
    flag("--shell", metavar="NAME", help="A shell of the container's own, instead of ours."),
    flag(
        "--toolkit-file",
        metavar="PATH",
        multiple=True,
        help="A static binary, or a folder of some, beside the toolkit's own.",
        shell_complete=completers.complete_files,
    ),
    _EXTRA,
)


PROFILE_NAMES = ("auto", "general", "baseline", "restricted", "netadmin", "sysadmin")

_TARGET: tuple[Callable[[Any], Any], ...] = (
    flag(
        "-f",
        "--filename",
        metavar="FILE",
        help="Manifest that names the target (- is stdin); copied if the cluster has none.",
        shell_complete=completers.complete_files,
    ),
    flag(
        "-c",
        "--container",
        "--target",
        "container",
        metavar="NAME",
        help="The target container.",
        shell_complete=completers.complete_containers,
    ),
    flag(
        "--image",
        metavar="IMAGE",
        help="A toolkit image; it must have sh, sleep and true. [default: none is needed]",
    ),
    flag(
        "--profile",
        type=click.Choice(PROFILE_NAMES),
        default="auto",
        show_default=True,
        help="What the debug container may do; auto is the strongest that is admitted.",
    ),
    flag(
        "--custom",
        metavar="FILE",
        help="A partial container, merged into the debug container.",
        shell_complete=completers.complete_files,
    ),
    flag("--env", metavar="NAME=VALUE", multiple=True, help="A variable of the debug container."),
    flag(
        "--image-pull-policy",
        type=click.Choice(["Always", "IfNotPresent", "Never"]),
        help="When the toolkit image is pulled.",
    ),
    flag("--image-pull-secret", metavar="NAME", multiple=True, help="For the toolkit image."),
)

_INSIDE: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--view",
        type=click.Choice(["app", "tools"]),
        help="Stand inside the target, or in the debug container. [default: app without --image]",
    ),
    flag(
        "--hold/--no-hold",
        default=None,
        help="Hold the target until run-app starts the app."
        " [default: held unless it is healthy, behind a Service and writes to no shared volume]",
    ),
    flag("--hold-all", is_flag=True, help="Hold every container, not only the target."),
    flag("--command", metavar="WORDS", help="The app's command, where only its image knows it."),
    flag(
        "--learn/--no-learn",
        default=None,
        help="Watch one run to learn that command. [default: where it crash-loops]",
    ),
    flag("--arch", type=click.Choice(ARCHITECTURES), help="The node's, where it can't be read."),
)

_IN_PLACE: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--in-place",
        is_flag=True,
        help="No copy: a container in the pod itself, which stays listed there for ever.",
    ),
    flag(
        "--linger",
        metavar="DURATION",
        help="How long that container idles for a next session. [default: it ends with this one]",
    ),
)

_COPY: tuple[Callable[[Any], Any], ...] = (
    flag("--copy-name", metavar="NAME", help="The copy's name."),
    flag("--reason", metavar="TEXT", help="Why, for those who find the copy (an annotation)."),
    flag("--same-node", is_flag=True, help="The copy has to go to the source's node."),
    flag("--keep-labels", is_flag=True, help="All labels: Services and controllers may see it."),
    flag("--keep-annotations", is_flag=True, help="All annotations that a copy can have."),
    flag("--no-mesh", is_flag=True, help="Without the service mesh's proxy."),
    flag(
        "--share-processes/--no-share-processes",
        default=True,
        help="Whether the session sees the target's processes.",
    ),
    flag(
        "--resources",
        type=click.Choice(["copy", "none"]),
        default="copy",
        show_default=True,
        help="What the copy asks of a node.",
    ),
    flag(
        "--writable",
        metavar="VOLUME",
        multiple=True,
        help="Keep this shared volume writable, or this socket or device in the copy (repeatable).",
    ),
    flag("--skip-volume", metavar="VOLUME", multiple=True, help="A volume to do without."),
    flag("--skip-init", metavar="NAME", multiple=True, help="An init container to leave out, all."),
    flag(
        "--set-image",
        metavar="NAME=IMAGE",
        multiple=True,
        help="Another image for a container; * is all.",
    ),
)


def target_options(command: Command) -> Command:
    """Add the flags of the target and the debug container."""
    return _add(_TARGET, command)


def copy_options(command: Command) -> Command:
    """Add the flags of the copy."""
    return _add(_COPY, command)


def inside_options(command: Command) -> Command:
    """Add the flags of view and hold."""
    return _add(_INSIDE, command)


def in_place_options(command: Command) -> Command:
    """Add the flags of a debug container in the source pod."""
    return _add(_IN_PLACE, command)


def session_options(command: Command) -> Command:
    """Add the flags of what runs a session."""
    return _add(_SESSION, command)


def extra_words(command: Command) -> Command:
    """Add the words behind a verb's own, which `parse` refuses in words."""
    return _add((_EXTRA,), command)


def connection_options(command: Command) -> Command:
    """Add kubectl's connection flags."""
    return _add(_CONNECTION, command)


def _add(options: tuple[Callable[[Any], Any], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
