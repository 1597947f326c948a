"""Accessors for pods as the API gives them: dicts, edited and never re-modelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

Json = dict[str, Any]

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
# As the API writes times; of one length, so that they sort as text.
REQUIRED_AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"
API_TIME = "%Y-%m-%dT%H:%M:%SZ"
# Why a container has ended that never ran, in the words of containerd and of others.
NOT_STARTED = ("StartError", "ContainerCannotRun")


def unshared(value: Any) -> Any:
    """Return a copy in which no two places are one object, as a manifest's anchors make them."""
    if isinstance(value, dict):
        return {key: unshared(inner) for key, inner in value.items()}
    return [unshared(inner) for inner in value] if isinstance(value, list) else value


def name(obj: Json) -> str:
    """Return metadata.name."""
    return str(obj["metadata"]["name"])


def namespace(obj: Json) -> str:
    """Return metadata.namespace."""
    return str(obj["metadata"]["namespace"])


def uid(obj: Json) -> str:
    """Return metadata.uid."""
    return str(obj["metadata"]["uid"])


def annotations_of(obj: Json) -> dict[str, str]:
    """Return metadata.annotations, empty if there are none."""
    return obj["metadata"].get("annotations") or {}


def labels_of(obj: Json) -> dict[str, str]:
    """Return metadata.labels, empty if there are none."""
    return obj["metadata"].get("labels") or {}


def api_time(text: str | None) -> datetime | None:
    """Return a time that the API has written; None if there is none, or no time."""
    try:
        return datetime.strptime(text or "", API_TIME).replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return None


def is_going(obj: Json) -> bool:
    """Say whether the object is being deleted."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def has_ended(pod: Json) -> bool:
    """Say whether all of the pod's containers have ended, and none is started again."""
    return (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded")


def is_windows(pod: Json) -> bool:
    """Say whether a pod's containers are of Windows."""
    return (pod["spec"].get("os") or {}).get("name") == "windows"


def is_native_sidecar(container: Json) -> bool:
    """Say whether an init container runs beside the app, as restartPolicy Always makes it."""
    return container.get("restartPolicy") == "Always"


def containers(pod: Json) -> list[Json]:
    """Return the regular containers."""
    return pod["spec"].get("containers") or []


def init_containers(pod: Json) -> list[Json]:
    """Return the init containers, native sidecars among them."""
    return pod["spec"].get("initContainers") or []


def all_containers(pod: Json) -> list[Json]:
    """Return every container that is not ephemeral, the regular ones first."""
    return [*containers(pod), *init_containers(pod)]


def names_of(items: list[Json]) -> list[str]:
    """Return the names of containers."""
    return [str(item["name"]) for item in items]


def find(items: list[Json], wanted: str) -> Json | None:
    """Return the item of that name, or None."""
    return next((item for item in items if item.get("name") == wanted), None)


def volumes(pod: Json) -> list[Json]:
    """Return the volumes."""
    return pod["spec"].get("volumes") or []


def container_statuses(pod: Json) -> Iterator[Json]:
    """Yield the statuses of regular, init and ephemeral containers."""
    status = pod.get("status") or {}
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        yield from status.get(kind) or []


def status_of(pod: Json, container: str) -> Json | None:
    """Return the status of one container, or None if the kubelet has not said any."""
    return next((s for s in container_statuses(pod) if s.get("name") == container), None)


def state_of(pod: Json, container: str) -> Json:
    """Return the state of one container, empty if the kubelet has not said any."""
    return (status_of(pod, container) or {}).get("state") or {}


def last_termination(status: Json | None) -> Json:
    """Return how a container has ended last, by its status; empty if it never has."""
    states = ((status or {}).get("state") or {}, (status or {}).get("lastState") or {})
    return next((state["terminated"] for state in states if state.get("terminated")), {})


def has_started(pod: Json, container: str) -> bool:
    """Say whether a container has ever run, so that the node has prepared its mounts."""
    status = status_of(pod, container) or {}
    states = (status.get("state") or {}, status.get("lastState") or {})
    return any(
        state.get(kind) is not None for state in states for kind in ("running", "terminated")
    )


def condition(pod: Json, kind: str) -> Json | None:
    """Return the condition of that type, or None."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind), None)


def innermost(message: str) -> str:
    """Return the end of a runtime's nested complaint, which says what is wrong."""
    for start in ("unable to start container process: ", "error executing command in container: "):
        message = message.rpartition(start)[2]
    return message.removesuffix(": unknown")
