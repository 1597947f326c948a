"""From what the user names to a pod: which one of several, or one made of a template."""

from __future__ import annotations

from copy import deepcopy

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import is_name
from kubectl_scratch.kube.kinds import KINDS
from kubectl_scratch.kube.objects import Json, condition, container_statuses, is_going, name
from kubectl_scratch.lookup import manifest_shapes
from kubectl_scratch.plan import metadata

CRASHES, UNREADY, HEALTHY = range(3)


def candidate_pods(pods: list[Json]) -> list[Json]:
    """Return the pods that may be debugged, who needs it most first; copies are none of them.

    Crashing before not ready before the newest; a pod that is being deleted comes last.
    """
    found = [pod for pod in pods if not metadata.says_copy(pod)]
    newest = sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))[::-1]
    return sorted(newest, key=lambda pod: (is_going(pod), health_of(pod)))


def health_of(pod: Json) -> int:
    """Return CRASHES, UNREADY or HEALTHY."""
    if crash_reason(pod):
        return CRASHES
    ready = condition(pod, "Ready")
    # A pod that has ended well is not ready either, and healthy.
    ended = (pod.get("status") or {}).get("phase") == "Succeeded"
    return HEALTHY if ended or (ready or {}).get("status") == "True" else UNREADY


def crash_reason(pod: Json) -> str:
    """Return how a container of the pod fails, in the cluster's word; empty where none does."""
    for status in container_statuses(pod):
        state = status.get("state") or {}
        waiting = (state.get("waiting") or {}).get("reason", "")
        if waiting == "CrashLoopBackOff":
            return str(waiting)
        if (state.get("terminated") or {}).get("exitCode"):
            return str(state["terminated"].get("reason") or "Error")
        last = (status.get("lastState") or {}).get("terminated") or {}
        if last.get("exitCode") and not status.get("ready"):
            return str(last.get("reason") or "Error")
    return ""


def why_chosen(pod: Json) -> str:
    """Return why this pod was taken, for a line after its name."""
    failure = crash_reason(pod)
    if failure:
        return f"it crashes ({failure})"
    return "it is not ready" if health_of(pod) == UNREADY else "it is the newest"


def kind_of(manifest: Json) -> str | None:
    """Return the key in KINDS of an object, or None; a Service of another API is none."""
    wanted = (manifest.get("kind"), manifest.get("apiVersion") or "v1")
    return next((k for k, v in KINDS.items() if (v.title, v.version) == wanted), None)


def choose_manifest(objects: list[Json], path: str) -> Json:
    """Return the one object of a file that has pods; raises InvalidRequest.

    A Service is taken where there is nothing else. No API server has looked at a file, so what
    is used of it is checked here.
    """
    found = [item for item in objects if kind_of(item)]
    found = [item for item in found if kind_of(item) != "service"] or found
    if not any(item.get("kind") for item in objects):
        raise InvalidRequest(f"{path!r} has no object")
    if not found:
        raise InvalidRequest(f"{path!r} has no pod and nothing that makes pods")
    if len(found) > 1:
        there = ", ".join(f"{kind_of(item)}" for item in found)
        raise InvalidRequest(f"{path!r} has several that have pods: {there}", "give one")
    manifest: Json = manifest_shapes.without_nulls(found[0])
    fault = manifest_shapes.shape_fault(manifest)
    if fault or not _is_sound(manifest):
        text = f"the {kind_of(manifest)} in {path!r} is not one that a cluster takes"
        raise InvalidRequest(f"{text}: {fault}" if fault else text)
    return manifest


def generated_name(manifest: Json) -> str:
    """Return what an object is to be called whose name the API server makes; empty for others."""
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


def template_of(workload: Json) -> Json | None:
    """Return the pod template of a workload; None for what has none."""
    spec = workload.get("spec") or {}
    spec = (spec.get("jobTemplate") or {}).get("spec") or spec
    template: Json | None = spec.get("template") if isinstance(spec, dict) else None
    return template


def pod_of(workload: Json, namespace: str) -> Json | None:
    """Return the pod that a workload would make, as far as its template tells."""
    template = template_of(workload)
    if template is None:
        return None
    metadata = deepcopy(template.get("metadata") or {})
    own = {"name": name(workload), "namespace": namespace}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, **own}}
    pod["spec"] = {**deepcopy(template["spec"]), **_claimed(workload, template)}
    return pod


def _claimed(workload: Json, template: Json) -> Json:
    """Return the volumes with those that a StatefulSet's controller adds to its first member."""
    claims = (workload.get("spec") or {}).get("volumeClaimTemplates") or []
    if not claims:
        return {}
    first = [
        {
            "name": name(claim),
            "persistentVolumeClaim": {"claimName": f"{name(claim)}-{name(workload)}-0"},
        }
        for claim in claims
    ]
    return {"volumes": [*deepcopy(template["spec"].get("volumes") or []), *first]}
