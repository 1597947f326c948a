"""What the user asked for, checked before any request is sent."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import Connection, is_label, is_name
from kubectl_scratch.kube.kinds import KIND_NAMES, KINDS

MIN_TTL = 5.0
LONGEST = 365 * 86400.0

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")
_IMAGE = re.compile(
    r"[A-Za-z0-9][\w.\-]*(:\d+)?(/[\w.\-]+)*(:[\w][\w.\-]{0,127})?(@\w+:[0-9a-f]+)?", re.ASCII
)


class SessionRequest(NamedTuple):
    """One session; durations are in seconds.

    ``ttl`` is the lease's, ``longest`` the session's. ``tty`` None means "as the terminal says",
    ``stdin`` None "once the command reads it". ``command`` empty means a shell, ``shell`` one of
    the target's own. ``toolkit_files`` are paths of the user's own tools.
    """

    ttl: float
    timeout: float
    longest: float
    command: tuple[str, ...] = ()
    tty: bool | None = None
    transport: str = "auto"
    shell: str | None = None
    toolkit_files: tuple[str, ...] = ()
    stdin: bool | None = None


class Target(NamedTuple):
    """What the user names: a pod, or what has pods; ``kind`` is singular and lower-case."""

    kind: str
    name: str


class CopyOptions(NamedTuple):
    """What the user wants otherwise; the defaults are what disturbs production least.

    ``resources`` is "copy" or "none". ``images`` and ``env`` are pairs of names and values; the
    container ``*`` is every one. ``skip_init`` may hold "all", which spares native sidecars.
    """

    name: str | None = None
    reason: str | None = None
    same_node: bool = False
    keep_labels: bool = False
    keep_annotations: bool = False
    keep_mesh: bool = True
    share_processes: bool = True
    resources: str = "copy"
    writable: frozenset[str] = frozenset()
    skip_volumes: frozenset[str] = frozenset()
    skip_init: frozenset[str] = frozenset()
    images: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    pull_policy: str | None = None
    pull_secrets: tuple[str, ...] = ()


class ModeOptions(NamedTuple):
    """What the user says of view, hold and the app's command; None leaves it to the plan.

    ``only`` holds the other containers too; ``command`` are the words of the app's command;
    ``learn`` None is "where the app starts again and again anyway".
    """

    view: str | None = None
    hold: bool | None = None
    hold_all: bool = False
    command: tuple[str, ...] = ()
    learn: bool | None = None
    arch: str | None = None


class DebugRequest(NamedTuple):
    """One ``debug``; ``deadline`` (seconds) is the copy's where no lease can be had.

    ``target`` None: ``file`` names it. ``container`` None leaves the choice to the plan, and
    ``image`` None the tools to the seed; ``custom`` is a partial container. ``in_place`` goes
    into the source pod, ``linger`` (seconds) is how long that container then idles.
    """

    target: Target | None
    container: str | None
    image: str | None
    deadline: float
    session: SessionRequest
    file: str | None = None
    profile: str = "auto"
    custom: dict[str, Any] | None = None
    options: CopyOptions = CopyOptions()
    mode: ModeOptions = ModeOptions()
    in_place: bool = False
    linger: float = 0.0


def parse_duration(text: str, what: str) -> float:
    """Return the seconds that a Go duration ("90s", "1h30m") or a plain number says.

    Raises InvalidRequest for anything else, and for zero.
    """
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        seconds = float(text)
    elif _DURATION.fullmatch(text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    else:
        raise InvalidRequest(f"{what} {text!r} is not a duration", "write it like 90s, 5m or 1h30m")
    if not 0 < seconds <= LONGEST:
        raise InvalidRequest(f"{what} must be longer than zero and at most a year")
    return seconds


def duration_words(seconds: float) -> str:
    """Return a duration as a person would write it: 90s, 5m, 1h30m."""
    if seconds < 1 or seconds != int(seconds):
        return f"{seconds:.1f}s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def parse_target(text: str) -> Target:
    """Return what NAME or KIND/NAME names; a name alone is a pod's.

    Raises InvalidRequest for a kind that has no pods and for what nothing can be called.
    """
    written, slash, name = text.rpartition("/")
    # kubectl also takes deployment.apps/NAME.
    kind = KIND_NAMES.get(written.lower().partition(".")[0]) if slash else "pod"
    if kind is None:
        raise InvalidRequest(f"a {written!r} can't be debugged", f"there are: {', '.join(KINDS)}")
    if not is_name(name):
        raise InvalidRequest(f"{name!r} can't be the name of a {kind}")
    return Target(kind, name)


def parse_pod(text: str) -> str:
    """Return the pod's name from NAME, pod/NAME or po/NAME; raises InvalidRequest."""
    target = parse_target(text)
    if target.kind != "pod":
        raise InvalidRequest(f"{text!r} is no pod")
    return target.name


def parse_pairs(texts: tuple[str, ...], flag: str) -> tuple[tuple[str, str], ...]:
    """Return the names and values of NAME=VALUE texts; raises InvalidRequest.

    The values are not repeated in a message: they may be secrets.
    """
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidRequest(f"{flag} {name!r} has no value", "write it like NAME=VALUE")
        pairs.append((name, value))
    return tuple(pairs)


def check_container(name: str | None) -> None:
    """Raise InvalidRequest unless a container can have that name."""
    if name is not None and not is_label(name):
        raise InvalidRequest(f"{name!r} can't be the name of a container")


def check_name(name: str, flag: str) -> None:
    """Raise InvalidRequest unless a pod can have that name; it is also a hostname."""
    if not is_label(name):
        raise InvalidRequest(f"{flag} {name!r} can't be the name of a pod")


def check_image(image: str) -> None:
    """Raise InvalidRequest unless the text is an image reference."""
    if not _IMAGE.fullmatch(image):
        raise InvalidRequest(
            f"{image!r} is not an image reference", "write it like docker.io/library/busybox:1.37.0"
        )


def check_ttl(seconds: float) -> None:
    """Raise InvalidRequest where a lease would end before it could be renewed."""
    if seconds < MIN_TTL:
        raise InvalidRequest(f"--ttl must be {MIN_TTL:g}s or longer")


def take_connection(values: dict[str, Any]) -> Connection:
    """Take the connection flags out of a command's values; raises InvalidRequest."""
    for ignored in ("cache_dir", "disable_compression", "log_flush_frequency", "v", "vmodule"):
        del values[ignored]
    timeout = values.pop("request_timeout")
    fields = [name for name in Connection._fields if name != "request_timeout"]
    given = {name: values.pop(name) for name in fields}
    # As for kubectl, zero is no limit.
    unlimited = re.fullmatch(r"0+(h|m|s|ms)?", timeout)
    seconds = None if unlimited else parse_duration(timeout, "--request-timeout")
    return Connection(**given, request_timeout=seconds)
