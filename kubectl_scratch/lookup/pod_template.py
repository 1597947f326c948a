"""Make the pod that a workload would make, from its template."""

from __future__ import annotations

from copy import deepcopy

from kubectl_scratch.kube.objects import Json, name


def template_of(workload: Json) -> Json | None:
    """Return the pod template of a workload; None for what has none."""
    spec = workload.get("spec") or {}
    spec = (spec.get("jobTemplate") or {}).get("spec") or spec
    template: Json | None = spec.get("template") if isinstance(spec, dict) else None
    return template


def pod_of(workload: Json, namespace: str) -> Json | None:
    """Return the pod that a workload would make, as far as its template says."""
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
