"""Which values of the app's are secret, and so masked in a report before it leaves the pod."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, all_containers, find, volumes


def mask_arguments(pod: Json, target: str) -> tuple[str, ...]:
    """Return the flags by which the seed masks the values of the container's Secrets.

    They name variables and paths, never values: the seed reads those where they are.
    """
    container = find(all_containers(pod), target) or {}
    return (*_variables(container), *_files(pod, container))


def _variables(container: Json) -> Iterator[str]:
    """Yield flags for the variables; of a Secret taken as a whole the API names none."""
    env = container.get("env") or []
    if any("secretRef" in source for source in container.get("envFrom") or []):
        for entry in env:
            if not _is_secret(entry):
                yield from ("--mask-env-except", str(entry["name"]))
        # There may be no other variable, and the flag says that they are secret.
        yield from ("--mask-env-except", "PATH")
        return
    for entry in env:
        if _is_secret(entry):
            yield from ("--mask-env", str(entry["name"]))


def _is_secret(entry: Json) -> bool:
    return "secretKeyRef" in (entry.get("valueFrom") or {})


def _files(pod: Json, container: Json) -> Iterator[str]:
    """Yield flags for what the container mounts of Secrets and tokens."""
    for mount in container.get("volumeMounts") or []:
        volume = find(volumes(pod), mount["name"]) or {}
        for path in _secret_paths(volume):
            yield from ("--mask-folder", f"{mount['mountPath'].rstrip('/')}{path}")


def _secret_paths(volume: Json) -> Iterator[str]:
    """Yield where a volume has secrets, below its mount."""
    if "secret" in volume:
        yield ""
    for source in (volume.get("projected") or {}).get("sources") or []:
        if "secret" in source:
            yield ""
        token = source.get("serviceAccountToken")
        if token:
            yield f"/{token.get('path', 'token')}"
