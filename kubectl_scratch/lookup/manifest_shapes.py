"""Check the shape of a manifest from a file, which no API server has looked at.

A key of the API has the same shape wherever it is, so one table is enough for all objects. What is
not in it is not used, and may have any shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubectl_scratch.kube.objects import REQUIRED_AFFINITY

# Keys of lists, each with what an item must have.
_LISTS: dict[str, tuple[str, ...]] = {
    "containers": ("name", "image"),
    "initContainers": ("name", "image"),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("name", "mountPath"),
    "volumeDevices": ("name", "devicePath"),
    "volumeClaimTemplates": ("metadata",),
    "env": ("name",),
    "envFrom": (),
    # A Service has others than a container.
    "ports": (),
    "imagePullSecrets": (),
    "resourceClaims": ("name",),
    "readinessGates": (),
    "schedulingGates": (),
    "tolerations": (),
    "topologySpreadConstraints": (),
    "ownerReferences": ("kind", "name", "uid"),
    "sources": (),
    "items": (),
    "nodeSelectorTerms": (),
    "matchExpressions": ("key", "operator"),
    "matchFields": ("key", "operator"),
    REQUIRED_AFFINITY: (),
    "preferredDuringSchedulingIgnoredDuringExecution": (),
    "containerStatuses": ("name",),
    "initContainerStatuses": ("name",),
    "ephemeralContainerStatuses": ("name",),
    "conditions": ("type",),
    "podIPs": (),
    "hostIPs": (),
}
TEXT_LISTS = ("add", "args", "command", "drop", "values")
_TEXTS = (
    *("claimName", "containerName", "driver", "fieldPath", "generateName", "image", "key", "kind"),
    *("mountPath", "name", "namespace", "operator", "path", "resource", "restartPolicy", "subPath"),
    *("subPathExpr", "nodeName", "storageClassName", "type", "uid", "phase", "reason", "message"),
    *("value", "hostname", "apiVersion", "finishedAt", "creationTimestamp", "ip", "hostIP"),
    *("podIP", "mountPropagation", "recursiveReadOnly", "serviceAccountName", "runtimeClassName"),
    "status",
)
TEXT_MAPS = ("annotations", "labels", "matchLabels", "nodeSelector")
# Of quantities, which may be numbers.
MAPS = ("limits", "requests", "overhead")
OBJECTS = (
    *("affinity", "configMap", "configMapKeyRef", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("fieldRef", "gitRepo", "hostPath", "image", "jobTemplate", "labelSelector", "lastState"),
    *("lifecycle", "livenessProbe", "metadata", "nodeAffinity", "os", "persistentVolumeClaim"),
    *("podAffinity", "podAntiAffinity", "postStart", "preStop", "preference", "projected"),
    *("readinessProbe", "resourceFieldRef", "resources", "running", "seLinuxOptions", "secret"),
    *("secretKeyRef", "selector", "serviceAccountToken", "spec", "startupProbe"),
    *("state", "status", "template", "terminated", "valueFrom", "volumeClaimTemplate", "waiting"),
    *("appArmorProfile", "seccompProfile", "securityContext", "windowsOptions"),
    *("httpGet", "tcpSocket", "exec", "grpc", "podAffinityTerm", "capabilities", "nfs"),
)


def without_nulls(value: Any) -> Any:
    """Return a manifest without the fields that are null, which the API server ignores."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def shape_fault(manifest: Any, where: str = "") -> str:
    """Return what is wrong with the shape of a manifest, in words; empty if nothing is."""
    return next(_faults(manifest, where), "")


def _faults(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _faults(each, f"{where}[{number}]")
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        path = f"{where}.{key}" if where else key
        if key in TEXT_MAPS or key in MAPS:
            yield from _faults_of_map(key, each, path)
            continue
        yield from _faults_of_field(key, each, path, value)
        yield from _faults(each, path)


def _faults_of_map(key: str, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is not a map"
        return
    kinds = (str,) if key in TEXT_MAPS else (str, int, float)
    wrong = [name for name, each in value.items() if not isinstance(each, kinds)]
    if wrong:
        yield f"{path}.{wrong[0]} is not a {'string' if key in TEXT_MAPS else 'quantity'}"


def _faults_of_field(key: str, value: Any, path: str, inside: dict[str, Any]) -> Iterator[str]:
    # The image of a volume is a map, that of a container a string; so is the status of a
    # condition.
    kinds: list[tuple[type, str]] = []
    # Of pods this is a list, of nodes a map with one.
    of_nodes = key == REQUIRED_AFFINITY and path.rpartition(".")[0].endswith("nodeAffinity")
    if (key in _LISTS or key in TEXT_LISTS) and not of_nodes:
        kinds.append((list, "list"))
    if key in OBJECTS or of_nodes:
        kinds.append((dict, "map"))
    if key in _TEXTS:
        kinds.append((str, "string"))
    if kinds and not any(isinstance(value, kind) for kind, _ in kinds):
        yield f"{path} is not a {' or a '.join(word for _, word in kinds)}"
    elif isinstance(value, list) and key in _LISTS:
        for number, item in enumerate(value):
            if not isinstance(item, dict):
                yield f"{path}[{number}] is not a map"
            else:
                missing = [need for need in _LISTS[key] if need not in item]
                if missing:
                    yield f"{path}[{number}] has no {missing[0]}"
    elif isinstance(value, list) and key in TEXT_LISTS:
        wrong = [n for n, item in enumerate(value) if not isinstance(item, str)]
        if wrong:
            yield f"{path}[{wrong[0]}] is not a string"
