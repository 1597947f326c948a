"""Find the object with pods in a manifest's file, which no API server has looked at."""

from __future__ import annotations

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import is_name
from kubectl_scratch.kube.kinds import KINDS
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.lookup import manifest_shapes
from kubectl_scratch.lookup.pod_template import template_of


def kind_of(manifest: Json) -> str | None:
    """Return the key in KINDS of an object, or None, as for a Service of another API."""
    wanted = (manifest.get("kind"), manifest.get("apiVersion") or "v1")
    return next((k for k, v in KINDS.items() if (v.title, v.version) == wanted), None)


def choose_manifest(objects: list[Json], path: str) -> Json:
    """Return the one object of a file that has pods; raises InvalidRequest.

    A Service is used only if there is nothing else. No API server has looked at a file, so what
    is used of it is checked here.
    """
    found = [item for item in objects if kind_of(item)]
    found = [item for item in found if kind_of(item) != "service"] or found
    if not any(item.get("kind") for item in objects):
        raise InvalidRequest(f"{path!r} has no object")
    if not found:
        raise InvalidRequest(f"{path!r} has no pod and no workload")
    if len(found) > 1:
        there = ", ".join(f"{kind_of(item)}" for item in found)
        raise InvalidRequest(f"{path!r} has several objects with pods: {there}", "use one")
    manifest: Json = manifest_shapes.without_nulls(found[0])
    fault = manifest_shapes.shape_fault(manifest)
    if fault or not _is_sound(manifest):
        text = f"the {kind_of(manifest)} in {path!r} is not valid"
        raise InvalidRequest(f"{text}: {fault}" if fault else text)
    return manifest


def generated_name(manifest: Json) -> str:
    """Return the name to use if the API server generates the object's; empty for others."""
    metadata = manifest["metadata"]
    return "" if metadata.get("name") else str(metadata["generateName"]).rstrip("-.")


def _is_sound(manifest: Json) -> bool:
    metadata, spec = manifest.get("metadata"), manifest.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict) or not _is_named(metadata):
        return False
    if not isinstance(manifest.get("status", {}), dict):
        return False
    if kind_of(manifest) == "service":
        return True
    if not all(each["metadata"].get("name") for each in spec.get("volumeClaimTemplates", [])):
        return False
    pod = manifest if kind_of(manifest) == "pod" else template_of(manifest)
    inner = pod.get("spec") if isinstance(pod, dict) else None
    inside = (pod or {}).get("metadata") or {}
    return isinstance(inner, dict) and isinstance(inside, dict) and _has_containers(inner)


def _is_named(metadata: Json) -> bool:
    own = metadata.get("name")
    if not own and isinstance(metadata.get("generateName"), str):
        own = generated_name({"metadata": metadata})
    given = [own, metadata.get("namespace", "default")]
    maps = [metadata.get("labels") or {}, metadata.get("annotations") or {}]
    named = all(isinstance(text, str) and is_name(text) for text in given)
    return named and all(isinstance(each, dict) for each in maps)


def _has_containers(spec: Json) -> bool:
    regular, init = spec.get("containers"), spec.get("initContainers") or []
    if not isinstance(regular, list) or not isinstance(init, list) or not regular:
        return False
    return all(
        isinstance(c, dict) and isinstance(c.get("name"), str) and isinstance(c.get("image"), str)
        for c in (*regular, *init)
    )
