"""The seed in a pod: its volumes, and the first process of a container that it holds."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, find, name, names_of, volumes
from kubectl_scratch.toolkit import archive

SEED_VOLUME, TOOLKIT_VOLUME = "scratch-seed", "scratch-toolkit"
# The debug container's own: it may have a user of its own, and be privileged, and then must not
# run what the app could write.
DEBUG_TOOLKIT_VOLUME = "scratch-toolkit-debug"
# How a held container's command is known.
SPEC, USER, IMAGE = "spec", "user", "image"


class Entrypoint(NamedTuple):
    """The words of the app, as far as they are known, and how.

    The first ``command`` of the words are the command, the rest its arguments. Of IMAGE the
    command is unknown, and the words are arguments.
    """

    known_from: str
    command: int
    words: tuple[str, ...]


class Seeding(NamedTuple):
    """What the seed does in a copy; ``held`` is None if the target runs."""

    config_map: str
    arch: str
    target: str
    held: Entrypoint | None = None
    hold_all: bool = False


def entrypoint(container: Json, said: tuple[str, ...] = ()) -> Entrypoint:
    """Return what the spec, or the user with ``said``, says about a container's entrypoint.

    The kubelet expands the spec's words. An image's own it leaves as they are, and so it is to
    leave the user's, which replace them: of $$ it makes $.
    """
    arguments = tuple(container.get("args") or ())
    command = tuple(container.get("command") or ())
    if said:
        verbatim = [word.replace("$", "$$") for word in said]
        return Entrypoint(USER, len(said), (*verbatim, *arguments))
    return Entrypoint(SPEC if command else IMAGE, len(command), (*command, *arguments))


def toolkit_volumes(config_map: str) -> list[Json]:
    """Return the volume by which the seed comes, and the empty one for what it receives."""
    seed = {"name": config_map, "defaultMode": 0o555}
    return [
        {"name": SEED_VOLUME, "configMap": seed},
        {"name": TOOLKIT_VOLUME, "emptyDir": {}},
    ]


def seed_mounts(toolkit_volume: str = TOOLKIT_VOLUME) -> list[Json]:
    """Return the mounts of the seed and of a toolkit's folder."""
    return [
        {"name": SEED_VOLUME, "mountPath": archive.SEED_FOLDER, "readOnly": True},
        {"name": toolkit_volume, "mountPath": archive.FOLDER},
    ]


def is_held(container: Json) -> bool:
    """Say whether the seed holds a container."""
    return (container.get("command") or [])[:2] == [archive.SEED, "hold"]


def has_toolkit(container: Json) -> bool:
    """Say whether the toolkit comes into a container through the seed."""
    names = names_of(container.get("volumeMounts") or [])
    return TOOLKIT_VOLUME in names or DEBUG_TOOLKIT_VOLUME in names


def seed_config_map_name(pod: Json) -> str:
    """Return the name of the ConfigMap by which the seed comes into a pod."""
    mounted = find(volumes(pod), SEED_VOLUME) or {}
    return str((mounted.get("configMap") or {}).get("name") or name(pod))


def config_map(called: str, binary: bytes, labels: dict[str, str]) -> Json:
    """Return the ConfigMap that carries the seed, without its owner."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": called, "labels": labels},
        # What it carries runs as the target. It can still be replaced as a whole:
        # copies/seed_check.py.
        "immutable": True,
        "binaryData": {"seed": b64encode(binary).decode()},
    }
