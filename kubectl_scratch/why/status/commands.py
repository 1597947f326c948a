"""kubectl commands that help, made from names that the cluster knows."""

from __future__ import annotations

import shlex

from kubectl_scratch.kube.objects import Json, labels_of, name, namespace

# What makes pods and can be told to make others.
_EDITABLE = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")


def kubectl(where: str, *words: str) -> str:
    """Return a command in a namespace, as a shell reads it."""
    return shlex.join(["kubectl", "-n", where, *words])


def for_pod(pod: Json, *words: str) -> str:
    """Return a command in the pod's namespace."""
    return kubectl(namespace(pod), *words)


def workload_of(pod: Json) -> str:
    """Return what has to be changed to change the pod, as KIND/NAME."""
    for reference in pod["metadata"].get("ownerReferences") or []:
        kind, owner = str(reference.get("kind")), str(reference.get("name"))
        hashed = labels_of(pod).get("pod-template-hash")
        if kind == "ReplicaSet" and hashed and owner.endswith(f"-{hashed}"):
            return f"deployment/{owner.removesuffix(f'-{hashed}')}"
        if reference.get("controller"):
            return f"{kind.lower()}/{owner}"
    return f"pod/{name(pod)}"


def can_be_changed(pod: Json) -> bool:
    """Say whether something makes the pod anew if its template is changed."""
    kind = workload_of(pod).partition("/")[0]
    return kind in {known.lower() for known in _EDITABLE}


def change(pod: Json, what: str, *words: str) -> str:
    """Return what to change of the pod, and the command for it; without ``words`` an editor.

    A pod, and that of a Job, cannot be changed and has to be created again.
    """
    owner = workload_of(pod)
    if not can_be_changed(pod):
        return f"{what}, and create {owner} again"
    return f"{what}: {for_pod(pod, *(words or ('edit', owner)))}"


def change_image(pod: Json, what: str, container: str) -> str:
    """Return what to do about an image; that of a pod can be changed."""
    owner = workload_of(pod)
    if not (can_be_changed(pod) or owner.startswith("pod/")):
        return change(pod, what)
    return f"{what}: {for_pod(pod, 'set', 'image', owner, f'{container}=IMAGE')}"
