"""The parts of volumes that containers mount: those that the source has, and no new ones.

The kubelet makes a folder that is not there, in the volume, before the container starts, even
where the mount is read-only (makeMounts in pkg/kubelet/kubelet_pods.go of kubernetes/kubernetes).
With subPathExpr $(POD_NAME) that would be one for each copy, in production's volume, for good.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from kubectl_scratch import downward
from kubectl_scratch.copyvolumes import outlives_the_pod
from kubectl_scratch.findings import Edit, Finding, Level
from kubectl_scratch.podjson import Json, all_containers, find, has_started, volumes


def keep_sub_paths(
    pod: Json, *, source: Json, writable: frozenset[str]
) -> Iterator[Edit | Finding]:
    """Mount the folders that the source mounts; block if one would be made."""
    shared = {v["name"] for v in volumes(pod) if outlives_the_pod(v)}
    there = _there(source)
    blocked: dict[tuple[str, str], None] = {}
    for container in all_containers(pod):
        was = find(all_containers(source), container["name"]) or container
        known = downward.environment(source, was)
        for mount in container.get("volumeMounts") or []:
            volume, where = mount["name"], f"{container['name']}:{mount['mountPath']}"
            expression = mount.get("subPathExpr")
            if expression:
                path = _expanded(expression, known)
                if path:
                    del mount["subPathExpr"]
                    mount["subPath"] = path
                    yield Edit(where, f"subPath {path}, as in the source, for {expression}")
                elif volume in shared:
                    text = f"{where} mounts a folder of volume {volume} whose name is not known"
                    blocked[f"{text} ({expression})", volume] = None
                    continue
            path = mount.get("subPath")
            is_new = bool(path) and (volume, posixpath.normpath(path)) not in there
            if is_new and volume in shared - writable:
                text = f"{where} mounts folder {path} of volume {volume}, which the node would make"
                blocked[f"{text}: the source has not mounted it yet", volume] = None
    for text, volume in blocked:
        yield Finding(Level.BLOCKER, f"{text}; --skip-volume {volume} copies without it")


def _expanded(expression: str, known: dict[str, str | None]) -> str | None:
    """Return what an expression gives; the kubelet takes no variable that is empty."""
    given = {name: value or None for name, value in known.items()}
    path = downward.expand(expression, given)
    return None if path is None or path.startswith("/") or ".." in path.split("/") else path


def _there(source: Json) -> set[tuple[str, str]]:
    """Return the folders that the source's node has mounted, each with its volume."""
    found = set()
    for container in all_containers(source):
        if not has_started(source, container["name"]):
            continue
        known = downward.environment(source, container)
        for mount in container.get("volumeMounts") or []:
            path = mount.get("subPath") or _expanded(mount.get("subPathExpr") or "", known)
            if path:
                found.add((mount["name"], posixpath.normpath(path)))
    return found
