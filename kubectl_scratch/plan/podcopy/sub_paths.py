"""The parts of volumes that containers mount: those that the source has, and no new ones.

The kubelet makes a folder that is not there, in the volume, before the container starts, even
if the mount is read-only (makeMounts in pkg/kubelet/kubelet_pods.go of kubernetes/kubernetes).
With subPathExpr $(POD_NAME) that would be one for each copy, in production's volume, for good.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, all_containers, find, has_started, names_of, volumes
from kubectl_scratch.plan import remedies
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.podcopy import container_edits, downward_api
from kubectl_scratch.plan.podcopy.volume_edits import outlives_the_pod


def keep_sub_paths(
    pod: Json, *, source: Json, writable: frozenset[str], held: str | None = None
) -> Iterator[Edit | Finding]:
    """Mount the folders that the source mounts; block if one of another name would be made.

    A folder that the source names, and has not mounted yet, is most likely there: of a workload
    that ran for years, and whose new pod does not start. So that is a warning. What an expression
    gives differs from pod to pod, and so its folder is most likely new.
    """
    shared = {v["name"] for v in volumes(pod) if outlives_the_pod(v) and not _is_fixed(v)}
    there = _there(source)
    starting = names_of(container_edits.reached_containers(pod, held))
    blocked: dict[str, None] = {}
    doubtful: dict[tuple[str, str], None] = {}
    for container in all_containers(pod):
        was = find(all_containers(source), container["name"]) or container
        known = downward_api.environment(source, was)
        may_make = shared if container["name"] in starting else set()
        for mount in container.get("volumeMounts") or []:
            volume, where = mount["name"], f"{container['name']}:{mount['mountPath']}"
            expression = mount.get("subPathExpr")
            if expression:
                path = _expanded(expression, known)
                if path:
                    del mount["subPathExpr"]
                    mount["subPath"] = path
                    yield Edit(where, f"subPath {path}, as in the source, for {expression}")
                elif volume in may_make:
                    text = f"{where} mounts a folder of volume {volume} whose name is unknown"
                    blocked[f"{text} ({expression}); {remedies.skip_remedy([volume])}"] = None
                    continue
            path = mount.get("subPath")
            is_new = bool(path) and (volume, posixpath.normpath(path)) not in there
            if not is_new or volume not in may_make - writable:
                continue
            if expression:
                text = f"{where} mounts folder {path} of volume {volume}, which the source has not"
                text = f"{text} mounted yet, so the node would create it"
                ways = f"{remedies.skip_remedy([volume])}, or --writable {volume} to create it"
                blocked[f"{text}; {ways}"] = None
            else:
                doubtful[str(path), volume] = None
    for text in blocked:
        yield Finding(Level.BLOCKER, text)
    if doubtful:
        folders = ", ".join(f"{path} in volume {volume}" for path, volume in doubtful)
        text = f"the node creates these folders if they do not exist: {folders}"
        advice = remedies.skip_remedy(list(dict.fromkeys(volume for _, volume in doubtful)))
        yield Finding(Level.WARNING, f"{text}; {advice}")


def _is_fixed(volume: Json) -> bool:
    """Say whether nothing can be made in a volume, because its driver mounts it read-only."""
    return bool((volume.get("csi") or {}).get("readOnly"))


def _expanded(expression: str, known: dict[str, str | None]) -> str | None:
    """Return what an expression gives; the kubelet rejects an empty variable."""
    given = {name: value or None for name, value in known.items()}
    path = downward_api.expand(expression, given)
    return None if path is None or path.startswith("/") or ".." in path.split("/") else path


def _there(source: Json) -> set[tuple[str, str]]:
    """Return the folders that the source's node has mounted, each with its volume."""
    found = set()
    for container in all_containers(source):
        if not has_started(source, container["name"]):
            continue
        known = downward_api.environment(source, container)
        for mount in container.get("volumeMounts") or []:
            path = mount.get("subPath") or _expanded(mount.get("subPathExpr") or "", known)
            if path:
                found.add((mount["name"], posixpath.normpath(path)))
    return found
