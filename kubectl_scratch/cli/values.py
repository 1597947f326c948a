"""Read one value of a flag or an argument; what it cannot be is an InvalidRequest."""

from __future__ import annotations

import re

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import is_label, is_name
from kubectl_scratch.kube.kinds import KIND_NAMES, KINDS
from kubectl_scratch.request import Target

MIN_TTL = 5.0

_IMAGE = re.compile(
    r"[A-Za-z0-9][\w.\-]*(:\d+)?(/[\w.\-]+)*(:[\w][\w.\-]{0,127})?(@\w+:[0-9a-f]+)?", re.ASCII
)


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
