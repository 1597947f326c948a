"""Entrypoint discovery: a temporary pod in which the image's own command is seen.

The API does not say what an image runs by itself. A watching container, a native sidecar, which
the kubelet starts first, sees the first process of the app's container, notes its words and
kills it at once; it has none of the app's volumes, and of the pod's variables PATH alone.
"""

from __future__ import annotations

from copy import deepcopy

from kubectl_scratch.kube.objects import (
    NOT_STARTED,
    Json,
    all_containers,
    find,
    innermost,
    namespace,
)
from kubectl_scratch.plan.podcopy import mesh
from kubectl_scratch.plan.seed import seed_mounts, toolkit_volumes
from kubectl_scratch.toolkit import archive

WATCHER = "scratch-watch"
# The kubelet ends the watcher as soon as the app has ended; it stays until it was asked.
_GRACE_SECONDS = 20
# It ends by then, even if it is not deleted and the app is started again and again.
LIFE_SECONDS = 600

# What the seed's tell returns if the app could not be killed (seed/app/discovery.c).
NOT_STOPPED = 3

# What says where and how a pod runs. All else has effects, or is for an app that works.
KEPT = (
    "affinity",
    "hostUsers",
    "imagePullSecrets",
    "nodeSelector",
    "readinessGates",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
)
CONTAINER_KEPT = ("args", "image", "imagePullPolicy", "name", "securityContext")
# The app's part of it; the watcher's own files are elsewhere.
APP_KEPT = ("workingDir",)
# What a container may have without a claim to a device.
COMPUTE = ("cpu", "memory", "ephemeral-storage")
# The watcher's own, since the app's limit may throttle it so that it misses the app. A kind and a
# resource are set only if the app's are: there a quota may demand them of every container.
WATCHER_NEEDS = {
    "limits": {"cpu": "500m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
    "requests": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "1Mi"},
}


def discovery_pod_manifest(copy: Json, target: Json, name: str, config_map: str) -> Json:
    """Return the pod in which ``target``, a container as the source has it, is watched.

    ``copy`` is the manifest of the copy, of which it takes labels and place.
    """
    common = {field: deepcopy(target[field]) for field in CONTAINER_KEPT if field in target}
    resources = (find(all_containers(copy), target["name"]) or target).get("resources") or {}
    spec = {field: deepcopy(copy["spec"][field]) for field in KEPT if field in copy["spec"]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace(copy),
            "labels": _labels(copy),
            "annotations": deepcopy(copy["metadata"].get("annotations") or {}),
        },
        "spec": {
            **spec,
            "activeDeadlineSeconds": LIFE_SECONDS,
            "automountServiceAccountToken": False,
            "containers": [_app(common, target, resources)],
            "enableServiceLinks": False,
            "initContainers": [_watcher(common, target, resources)],
            # An app that ends within a millisecond may be missed on a busy node, and is not lost.
            "restartPolicy": "OnFailure",
            "shareProcessNamespace": True,
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "volumes": toolkit_volumes(config_map),
        },
    }
    # Nothing goes out of it, and a proxy's own containers would only delay it.
    list(mesh.opt_out_of_mesh(pod))
    return pod


def _app(common: Json, target: Json, resources: Json) -> Json:
    """Return the app's container as far as it decides what is run."""
    app = common | {field: target[field] for field in APP_KEPT if field in target}
    paths = [item for item in target.get("env") or [] if _is_literal_path(item)]
    if paths:
        app["env"] = deepcopy(paths)
    return app | _resources({kind: _compute(resources.get(kind)) for kind in WATCHER_NEEDS})


def _watcher(common: Json, target: Json, resources: Json) -> Json:
    asked = {kind: _compute(resources.get(kind)) for kind in WATCHER_NEEDS}
    # A limit alone would be the request as well.
    asked["requests"] |= asked["limits"]
    needs = {kind: {name: WATCHER_NEEDS[kind][name] for name in asked[kind]} for kind in asked}
    return {key: deepcopy(value) for key, value in common.items() if key != "args"} | {
        "name": WATCHER,
        "command": [archive.SEED, "learn", str(len(target.get("args") or ())), target["name"]],
        "restartPolicy": "Always",
        "volumeMounts": seed_mounts(),
        **_resources(needs),
    }


def _compute(amounts: Json | None) -> Json:
    return {name: amount for name, amount in (amounts or {}).items() if name in COMPUTE}


def _resources(kinds: Json) -> Json:
    """Return the field of a container; none if it says nothing."""
    said = {kind: amounts for kind, amounts in kinds.items() if amounts}
    return {"resources": said} if said else {}


def _is_literal_path(item: Json) -> bool:
    """Say whether a variable is the PATH, and not made from others, which are not there."""
    return item["name"] == "PATH" and "$(" not in str(item.get("value") or "$(")


def _labels(copy: Json) -> dict[str, str]:
    """Return the copy's labels: the same policies hold."""
    return dict(copy["metadata"]["labels"])


def discovery_failure(pod: Json, target: str) -> str:
    """Return why the app's container cannot have been seen; empty if it still may be."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    status = find(statuses, target) or {}
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    for ended in (state.get("terminated"), (status.get("lastState") or {}).get("terminated")):
        if ended and ended.get("reason") in NOT_STARTED:
            return innermost(str(ended.get("message") or ended["reason"]))
    if waiting.get("reason") in ("CreateContainerError", "ErrImageNeverPull", "InvalidImageName"):
        return innermost(str(waiting.get("message") or waiting["reason"]))
    return ""
