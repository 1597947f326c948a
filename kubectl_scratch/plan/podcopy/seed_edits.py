"""The seed in the copy: its volumes, and a container that it holds."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    find,
    init_containers,
    is_native_sidecar,
    name,
    names_of,
    volumes,
)
from kubectl_scratch.plan.findings import Edit
from kubectl_scratch.plan.podcopy import scheduling
from kubectl_scratch.toolkit import archive

SEED_VOLUME, TOOLKIT_VOLUME = "scratch-seed", "scratch-toolkit"
# The debug container's own: it may have a user of its own, and be privileged, and then must not
# run what the app could write.
DEBUG_TOOLKIT_VOLUME = "scratch-toolkit-debug"
# Where a held container's command is known from.
SPEC, USER, IMAGE = "spec", "user", "image"


class Entrypoint(NamedTuple):
    """The words of the app, as far as they are known, and where from.

    The first ``command`` of the words are the command, the rest its arguments. Of IMAGE the
    command is not known, and the words are arguments.
    """

    known_from: str
    command: int
    words: tuple[str, ...]


class Seeding(NamedTuple):
    """What the seed does in a copy; ``held`` is None where the target runs."""

    config_map: str
    arch: str
    target: str
    held: Entrypoint | None = None
    hold_all: bool = False


def entrypoint(container: Json, said: tuple[str, ...] = ()) -> Entrypoint:
    """Return what the spec, or the user with ``said``, tells of a container's entrypoint.

    The kubelet expands the spec's words. An image's own it leaves as they are, and so it is to
    leave the user's, which stand for them: of $$ it makes $.
    """
    arguments = tuple(container.get("args") or ())
    command = tuple(container.get("command") or ())
    if said:
        verbatim = [word.replace("$", "$$") for word in said]
        return Entrypoint(USER, len(said), (*verbatim, *arguments))
    return Entrypoint(SPEC if command else IMAGE, len(command), (*command, *arguments))


def seed_copy(pod: Json, *, seeding: Seeding) -> Iterator[Edit]:
    """Bring the seed and the toolkit's folder into the target, and hold what is to be held."""
    target = seeding.target
    if seeding.hold_all:
        yield from _leave_out_init(pod, target)
    beside = {"name": DEBUG_TOOLKIT_VOLUME, "emptyDir": {}}
    ours = (*toolkit_volumes(seeding.config_map), beside)
    pod["spec"].setdefault("volumes", []).extend(ours)
    yield from scheduling.pin_architecture(pod, arch=seeding.arch)
    for container in all_containers(pod):
        if container["name"] == target:
            yield from _inject(container)
            if seeding.held is not None:
                yield from _hold(container, seeding.held)
        elif seeding.hold_all:
            yield from _idle(container)


def _inject(container: Json) -> Iterator[Edit]:
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), *mounts()]
    where = f"{archive.SEED_FOLDER} and {archive.FOLDER}"
    yield Edit(f"{container['name']}.volumeMounts", f"with {where}, through which the tools come")


def _idle(container: Json) -> Iterator[Edit]:
    """Let a neighbour idle; the toolkit's folder is the target's alone."""
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), mounts()[0]]
    container["command"], container["args"] = [archive.SEED, "idle", "0"], []
    container.pop("lifecycle", None)
    yield Edit(f"{container['name']}.command", "the seed idles in its place, as --hold-all asks")


def toolkit_volumes(config_map: str) -> list[Json]:
    """Return the volume by which the seed comes, and the empty one for what it receives."""
    seed = {"name": config_map, "defaultMode": 0o555}
    return [
        {"name": SEED_VOLUME, "configMap": seed},
        {"name": TOOLKIT_VOLUME, "emptyDir": {}},
    ]


def mounts(toolkit_volume: str = TOOLKIT_VOLUME) -> list[Json]:
    """Return the mounts of the seed and of a toolkit's folder."""
    return [
        {"name": SEED_VOLUME, "mountPath": archive.SEED_FOLDER, "readOnly": True},
        {"name": toolkit_volume, "mountPath": archive.FOLDER},
    ]


def _hold(container: Json, known: Entrypoint) -> Iterator[Edit]:
    """Let the seed be the container's first process.

    It gets the app's words as arguments, in which the kubelet then expands $(VARIABLES) as it
    does for the app (kubernetes/kubernetes, pkg/kubelet/container/helpers.go).
    """
    container["command"] = [archive.SEED, "hold", known.known_from, str(known.command), "--"]
    container["args"] = list(known.words)
    yield Edit(f"{container['name']}.command", "the seed idles in its place; run-app starts it")
    # A hook that fails would end the container; preStop is gone already.
    if container.pop("lifecycle", None) is not None:
        yield Edit(f"{container['name']}.lifecycle.postStart", "it is for an app that runs")


def _leave_out_init(pod: Json, target: str) -> Iterator[Edit]:
    """Leave out the plain init containers, but for the target."""
    there = init_containers(pod)
    kept = [c for c in there if is_native_sidecar(c) or c["name"] == target]
    for container in there:
        if container not in kept:
            yield Edit(f"init container {container['name']}", "left out, as --hold-all asks")
    if there:
        pod["spec"]["initContainers"] = kept


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
        # What it carries runs as the target. It can still be replaced as a whole: seedcheck.py.
        "immutable": True,
        "binaryData": {"seed": b64encode(binary).decode()},
    }
