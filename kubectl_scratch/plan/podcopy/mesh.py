"""The parts that a service mesh's injector put into a pod.

An injector adds its containers, volumes and annotations when a pod is created. The copy is
created too, so what the source got is stripped, or there would be two of each. What asks for
the injection is kept, and what forbids it as well: a source that opted out must have a copy
that did.

Istio writes what it injected into the annotation sidecar.istio.io/status, and strips that itself
when it sees a pod again (stripPod in pkg/kube/inject/webhook.go of istio/istio); requests and
refusals: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/ and
https://istio.io/latest/docs/reference/config/annotations/, ambient mode:
https://istio.io/latest/docs/ambient/usage/add-workloads/. Linkerd adds fixed names and passes
over pods that have them (pkg/inject and pkg/healthcheck/sidecar.go of linkerd/linkerd2):
https://linkerd.io/2/features/proxy-injection/. It also writes what was injected by hand
(`linkerd inject --manual`), which is copied, because it would not be added again; Istio's
annotation says the same for `istioctl kube-inject` as for its injector.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    annotations_of,
    containers,
    labels_of,
    names_of,
    volumes,
)
from kubectl_scratch.plan.findings import Edit, Finding, Level

ISTIO_STATUS = "sidecar.istio.io/status"
ISTIO_CONTAINERS = frozenset({"istio-init", "istio-proxy", "istio-validation"})
ISTIO_TLS_MODE = "security.istio.io/tlsMode"

LINKERD_CREATED_BY = "linkerd.io/created-by"
LINKERD_VERSION = "linkerd.io/proxy-version"
LINKERD_CONTAINERS = frozenset(
    {"linkerd-debug", "linkerd-init", "linkerd-network-validator", "linkerd-proxy"}
)
LINKERD_VOLUMES = frozenset(
    {"linkerd-identity-end-entity", "linkerd-identity-token", "linkerd-proxy-init-xtables-lock"}
)

# What an injector or a mesh's node agent writes; it describes the source.
STATUS_ANNOTATIONS = frozenset(
    {
        ISTIO_STATUS,
        LINKERD_CREATED_BY,
        LINKERD_VERSION,
        "ambient.istio.io/redirection",
        "istio.io/rev",
        "linkerd.io/identity-mode",
        "linkerd.io/trust-root-sha256",
    }
)
# What asks an injector for its work, forbids it or shapes it. proxy.istio.io/overrides holds
# the user's own fields of an injected container.
REQUEST_ANNOTATIONS = (
    "config.alpha.linkerd.io/",
    "config.linkerd.io/",
    "inject.istio.io/",
    "linkerd.io/inject",
    "proxy.istio.io/",
    "sidecar.istio.io/",
    "traffic.sidecar.istio.io/",
)
REQUEST_LABELS = ("istio.io/dataplane-mode", "istio.io/rev", "sidecar.istio.io/inject")
OPT_OUT_ANNOTATIONS = {"linkerd.io/inject": "disabled", "sidecar.istio.io/inject": "false"}
OPT_OUT_LABELS = {"istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false"}


class _Parts(NamedTuple):
    """What one injector added."""

    mesh: str
    containers: frozenset[str]
    volumes: frozenset[str]

    def are_all_of(self, names: Iterable[str]) -> bool:
        """Say whether a pod of these containers has no other: it is the mesh's gateway."""
        return self.containers.issuperset(names)


def injection_labels(source: Json) -> dict[str, str]:
    """Return the labels of the source by which an injector knows that the pod is its."""
    labels = labels_of(source)
    return {key: labels[key] for key in REQUEST_LABELS if key in labels}


def is_request(annotation: str) -> bool:
    """Say whether an annotation asks an injector for its work, forbids it or shapes it."""
    return annotation not in STATUS_ANNOTATIONS and annotation.startswith(REQUEST_ANNOTATIONS)


def mesh_containers(source: Json, *, keep_mesh: bool) -> dict[str, str]:
    """Return the names of the containers that ``strip_mesh`` takes out, each with its mesh."""
    found: dict[str, str] = {}
    left = set(names_of(containers(source)))
    for parts in _injected(source, by_hand=not keep_mesh):
        if not parts.are_all_of(left):
            left -= parts.containers
            there = parts.containers.intersection(names_of(all_containers(source)))
            found |= dict.fromkeys(there, parts.mesh)
    return found


def strip_mesh(pod: Json, *, keep_mesh: bool) -> Iterator[Edit | Finding]:
    """Strip what an injector added, so that it adds it again, or that none is there."""
    again = "the injector adds its own" if keep_mesh else "as asked"
    for parts in _injected(pod, by_hand=not keep_mesh):
        if parts.are_all_of(names_of(containers(pod))):
            text = f"the source is a gateway of {parts.mesh}: its proxy is the app and is copied"
            yield Finding(Level.DETAIL, text)
            continue
        there = _told(pod, parts)
        _drop(pod, parts)
        if there:
            yield Edit(f"mesh {parts.mesh}", f"without {', '.join(there)}: {again}")
    for annotation in STATUS_ANNOTATIONS & annotations_of(pod).keys():
        del pod["metadata"]["annotations"][annotation]
    # Clients of the pod read this label as the promise of a proxy.
    if pod["metadata"]["labels"].pop(ISTIO_TLS_MODE, None) is not None:
        yield Edit(f"metadata.labels.{ISTIO_TLS_MODE}", "the injector sets it")


def opt_out_of_mesh(pod: Json) -> Iterator[Edit]:
    """Opt the copy out, by what the injectors read."""
    pod["metadata"]["labels"].update(OPT_OUT_LABELS)
    pod["metadata"]["annotations"].update(OPT_OUT_ANNOTATIONS)
    pod["metadata"]["labels"].pop("istio.io/rev", None)
    yield Edit("mesh", "opted out by the injectors' labels and annotations, as asked")


def _injected(pod: Json, by_hand: bool) -> Iterator[_Parts]:
    status = annotations_of(pod).get(ISTIO_STATUS)
    if status is not None:
        yield _istio(status)
    version = annotations_of(pod).get(LINKERD_VERSION)
    author = annotations_of(pod).get(LINKERD_CREATED_BY)
    # What `linkerd inject --manual` wrote is the user's own: no injector adds it again.
    if (version or author) and (by_hand or not (author or "").startswith("linkerd/cli")):
        yield _Parts("Linkerd", LINKERD_CONTAINERS, LINKERD_VOLUMES)


def _istio(status: str) -> _Parts:
    try:
        told = json.loads(status)
    except ValueError:
        told = None
    lists = told if isinstance(told, dict) else {}
    names = [*(lists.get("containers") or []), *(lists.get("initContainers") or [])]
    found = ISTIO_CONTAINERS | {str(name) for name in names}
    return _Parts("Istio", found, frozenset(str(name) for name in lists.get("volumes") or []))


def _told(pod: Json, parts: _Parts) -> list[str]:
    there = [name for name in names_of(all_containers(pod)) if name in parts.containers]
    count = len(parts.volumes & set(names_of(volumes(pod))))
    return [*there, *([f"{count} volumes"] if count else [])]


def _drop(pod: Json, parts: _Parts) -> None:
    spec = pod["spec"]
    for kind in ("containers", "initContainers"):
        if kind in spec:
            spec[kind] = [c for c in spec[kind] or [] if c["name"] not in parts.containers]
    if parts.volumes & set(names_of(volumes(pod))):
        spec["volumes"] = [v for v in volumes(pod) if v["name"] not in parts.volumes]
    for container in all_containers(pod):
        mounts = container.get("volumeMounts") or []
        kept = [mount for mount in mounts if mount["name"] not in parts.volumes]
        if len(kept) < len(mounts):
            container["volumeMounts"] = kept
