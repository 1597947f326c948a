"""Bring the seed into the copy, and hold what is to be held."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    init_containers,
    is_native_sidecar,
)
from kubectl_scratch.plan.findings import Edit
from kubectl_scratch.plan.podcopy import scheduling
from kubectl_scratch.plan.seed import (
    DEBUG_TOOLKIT_VOLUME,
    Entrypoint,
    Seeding,
    seed_mounts,
    toolkit_volumes,
)
from kubectl_scratch.toolkit import archive


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
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), *seed_mounts()]
    where = f"{archive.SEED_FOLDER} and {archive.FOLDER}"
    yield Edit(f"{container['name']}.volumeMounts", f"with {where}, for the tools")


def _idle(container: Json) -> Iterator[Edit]:
    """Let another container idle; the toolkit's folder is the target's alone."""
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), seed_mounts()[0]]
    container["command"], container["args"] = [archive.SEED, "idle", "0"], []
    container.pop("lifecycle", None)
    yield Edit(f"{container['name']}.command", "the seed idles instead, because of --hold-all")


def _hold(container: Json, known: Entrypoint) -> Iterator[Edit]:
    """Let the seed be the container's first process.

    It gets the app's words as arguments, in which the kubelet then expands $(VARIABLES) as it
    does for the app (kubernetes/kubernetes, pkg/kubelet/container/helpers.go).
    """
    container["command"] = [archive.SEED, "hold", known.known_from, str(known.command), "--"]
    container["args"] = list(known.words)
    yield Edit(f"{container['name']}.command", "the seed idles instead; run-app starts the app")
    # A hook that fails would end the container; preStop is gone already.
    if container.pop("lifecycle", None) is not None:
        yield Edit(f"{container['name']}.lifecycle.postStart", "it needs a running app")


def _leave_out_init(pod: Json, target: str) -> Iterator[Edit]:
    """Omit the plain init containers, except the target."""
    there = init_containers(pod)
    kept = [c for c in there if is_native_sidecar(c) or c["name"] == target]
    for container in there:
        if container not in kept:
            yield Edit(f"init container {container['name']}", "omitted, because of --hold-all")
    if there:
        pod["spec"]["initContainers"] = kept
