"""Manifests for the real cluster."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

HTTP = "docker.io/scratch-testbed/http:1"
CRASH = "docker.io/scratch-testbed/crash:1"
ARGS = "docker.io/scratch-testbed/args:1"
BASH = "docker.io/scratch-testbed/bash:1"
BUSYBOX = "docker.io/library/busybox:1.37.0"
FOREIGN = "docker.io/scratch-testbed/foreign:1"

# What PodSecurity's restricted level asks of a container.
HARDENED = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}

OF_A_CONTAINER = (
    *("args", "command", "env", "envFrom", "lifecycle", "livenessProbe", "ports", "readinessProbe"),
    *("resources", "securityContext", "startupProbe", "volumeMounts", "workingDir"),
)


def a_pod(name: str, image: str = HTTP, labels: Json | None = None, **fields: Any) -> Json:
    """Return a pod of one container; ``fields`` that are a container's go there."""
    container = {key: fields.pop(key) for key in OF_A_CONTAINER if key in fields}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"containers": [{"name": "app", "image": image, **container}], **fields},
    }


def app_image(base: str, variant: str) -> str:
    """Return an image of the program ``args`` on scratch, distroless, busybox or full (Debian).

    ``variant`` is root, nonroot or, without the program, empty.
    """
    return f"docker.io/scratch-testbed/app-{base}:{variant}"


def a_volume(name: str, namespace: str, claim: str) -> tuple[Json, Json]:
    """Return a ReadWriteOnce volume in a folder of the node, and the claim that it is for."""
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": "standard"}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            **common,
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": f"/var/local/{name}", "type": "DirectoryOrCreate"},
            "claimRef": {"namespace": namespace, "name": claim},
        },
    }
    wanted = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim},
        "spec": {**common, "resources": {"requests": {"storage": "1Gi"}}},
    }
    return volume, wanted
