"""The flags of the verbs, in groups, as decorators; their spellings are kubectl's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubectl_scratch.cli.completion import completers
from kubectl_scratch.cli.help import Flag
from kubectl_scratch.runtime.names import ARCHITECTURES

Command = TypeVar("Command", bound=Callable[..., Any])


def flag(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return a decorator that adds a flag to a verb."""
    return click.option(*names, cls=Flag, **settings)


_EXTRA = click.argument("extra", nargs=-1, shell_complete=completers.complete_nothing)

_QUIET = flag("-q", "--quiet", is_flag=True, help="Print only warnings and errors.")
_TTL = flag(
    "--ttl",
    metavar="DURATION",
    help="Time after which Kubernetes deletes the copy if the client is gone. [default: 5m]",
)
_TRANSPORT = flag(
    "--transport",
    type=click.Choice(["auto", "websocket", "kubectl"]),
    default="auto",
    help="Way to reach the container; auto: a WebSocket or, if that fails, kubectl exec."
    " [default: auto]",
)

_SESSION: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--tty/--no-tty",
        "-t/-T",
        default=None,
        help="Allocate a terminal, or use pipes."
        " [default: a terminal if stdin and stdout are terminals]",
    ),
    flag(
        "-i",
        "--stdin/--no-stdin",
        default=None,
        help="Pass stdin from the start, or never. [default: once the command reads it]",
    ),
    _QUIET,
    flag(
        "--timeout",
        metavar="DURATION",
        default="2m",
        help="Time to wait for a shell, such as 90s or 1h30m. [default: 2m]",
    ),
    _TTL,
    flag(
        "--max",
        "longest",
        metavar="DURATION",
        default="8h",
        help="Maximum duration of the session. [default: 8h]",
    ),
    _TRANSPORT,
    flag("--shell", metavar="NAME", help="Shell of the container to use instead of the toolkit's."),
    flag(
        "--toolkit-file",
        metavar="PATH",
        multiple=True,
        help="Static binary, or a directory of them, to add to the toolkit (repeatable).",
        shell_complete=completers.complete_files,
    ),
    _EXTRA,
)


PROFILE_NAMES = ("auto", "general", "baseline", "restricted", "netadmin", "sysadmin")

_FILENAME = flag(
    "-f",
    "--filename",
    metavar="FILE",
    help="Manifest that names the target (- for stdin); copied if the object does not exist.",
    shell_complete=completers.complete_files,
)
_CONTAINER = flag(
    "-c",
    "--container",
    "--target",
    "container",
    metavar="NAME",
    help="Target container. [default: a failing init container, else as for kubectl]",
    shell_complete=completers.complete_containers,
)
_TARGET: tuple[Callable[[Any], Any], ...] = (
    _FILENAME,
    _CONTAINER,
    flag(
        "--image",
        metavar="IMAGE",
        help="Toolkit image; it must have sh, sleep and true. [default: no image is needed]",
    ),
    flag(
        "--profile",
        type=click.Choice(PROFILE_NAMES),
        default="auto",
        help="Security profile of the debug container; auto: the strongest that is admitted."
        " [default: auto]",
    ),
    flag(
        "--custom",
        metavar="FILE",
        help="JSON or YAML file with a partial container, merged into the debug container.",
        shell_complete=completers.complete_files,
    ),
    flag(
        "--env",
        metavar="NAME=VALUE",
        multiple=True,
        help="Environment variable of the debug container (repeatable).",
    ),
    flag(
        "--image-pull-policy",
        type=click.Choice(["Always", "IfNotPresent", "Never"]),
        help="When to pull the toolkit image. [default: the cluster's]",
    ),
    flag(
        "--image-pull-secret",
        metavar="NAME",
        multiple=True,
        help="Pull secret for the toolkit image (repeatable).",
    ),
)

_COMMAND = flag("--command", metavar="WORDS", help="Command of the app, if the pod spec has none.")
_ARCH = flag(
    "--arch",
    type=click.Choice(ARCHITECTURES),
    help="Architecture of the node, if it cannot be detected. [default: amd64]",
)
_INSIDE: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--view",
        type=click.Choice(["app", "tools"]),
        help="Run the session inside the target (app) or beside it, in the debug container (tools)."
        " [default: app; tools with --image, --profile, --custom or --env]",
    ),
    flag(
        "--hold/--no-hold",
        default=None,
        help="Hold the target until run-app starts the app."
        " [default: held unless the target is healthy, behind a Service and writes to no volume"
        " that outlives the pod]",
    ),
    flag("--hold-all", is_flag=True, help="Hold every container, not only the target."),
    _COMMAND,
    flag(
        "--learn/--no-learn",
        default=None,
        help="Discover the app's command, if the pod spec has none, by starting it once in a"
        " temporary pod. [default: if the app crash-loops]",
    ),
    _ARCH,
)

_WHY: tuple[Callable[[Any], Any], ...] = (
    _FILENAME,
    _CONTAINER,
    flag(
        "--for",
        "seconds",
        metavar="DURATION",
        default="60s",
        help="Maximum time to run the app, such as 90s; then it is killed. [default: 60s]",
    ),
    _COMMAND,
    flag(
        "--learn/--no-learn",
        default=None,
        help="Discover the app's command, if the pod spec has none, by starting it once in a"
        " temporary pod. [default: true]",
    ),
    _ARCH,
    flag(
        "-o", "--output", type=click.Choice(["yaml", "json"]), help="Output format. [default: text]"
    ),
    flag("-v", "--verbose", is_flag=True, help="Also print what the app did, in order."),
    _QUIET,
    flag(
        "--timeout",
        metavar="DURATION",
        default="2m",
        help="Time to wait for the copy, such as 90s or 1h30m. [default: 2m]",
    ),
    _TTL,
    _TRANSPORT,
)

_IN_PLACE: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--in-place",
        is_flag=True,
        help="Add an ephemeral container to the running pod instead of making a copy; Kubernetes"
        " cannot remove its entry.",
    ),
    flag(
        "--linger",
        metavar="DURATION",
        help="Keep the container of --in-place idle for another session."
        " [default: it ends with the session]",
    ),
)

_COPY: tuple[Callable[[Any], Any], ...] = (
    flag(
        "--copy-name",
        metavar="NAME",
        help="Name of the copy. [default: POD-scratch- and 5 random characters]",
    ),
    flag(
        "--reason",
        metavar="TEXT",
        help="Reason for the copy, for people who find it (an annotation).",
    ),
    flag("--same-node", is_flag=True, help="Schedule the copy on the node of the source pod."),
    flag(
        "--keep-labels",
        is_flag=True,
        help="Keep all labels; Services and controllers may then select the copy.",
    ),
    flag("--keep-annotations", is_flag=True, help="Keep all annotations that a copy can have."),
    flag("--no-mesh", is_flag=True, help="Omit the proxy of a service mesh."),
    flag(
        "--share-processes/--no-share-processes",
        default=True,
        help="Share the processes of all containers of the copy, so that the session sees the app."
        " [default: shared]",
    ),
    flag(
        "--resources",
        type=click.Choice(["copy", "none"]),
        default="copy",
        help="Resources that the copy requests: those of the source pod, or none. [default: copy]",
    ),
    flag(
        "--writable",
        metavar="VOLUME",
        multiple=True,
        help="Mount this volume writable, or keep this socket or device (repeatable).",
    ),
    flag(
        "--skip-volume",
        metavar="VOLUME",
        multiple=True,
        help="Omit this volume and its mounts (repeatable).",
    ),
    flag(
        "--skip-init",
        metavar="NAME",
        multiple=True,
        help='Omit this init container; "all" omits every one (repeatable).',
    ),
    flag(
        "--set-image",
        metavar="NAME=IMAGE",
        multiple=True,
        help="Use another image for a container, * for all containers (repeatable).",
    ),
)


def target_options(command: Command) -> Command:
    """Add the flags of the target and the debug container."""
    return add_flags(_TARGET, command)


def copy_options(command: Command) -> Command:
    """Add the flags of the copy."""
    return add_flags(_COPY, command)


def inside_options(command: Command) -> Command:
    """Add the flags of view and hold."""
    return add_flags(_INSIDE, command)


def in_place_options(command: Command) -> Command:
    """Add the flags of a debug container in the source pod."""
    return add_flags(_IN_PLACE, command)


def session_options(command: Command) -> Command:
    """Add the flags of what runs a session."""
    return add_flags(_SESSION, command)


def extra_words(command: Command) -> Command:
    """Add the unexpected arguments, which `parse` refuses."""
    return add_flags((_EXTRA,), command)


def why_options(command: Command) -> Command:
    """Add the flags of what ``why`` runs."""
    return add_flags(_WHY, command)


def add_flags(options: tuple[Callable[[Any], Any], ...], command: Command) -> Command:
    """Add flags to a verb, listed in their order."""
    for option in reversed(options):
        command = option(command)
    return command
