"""Find the pod that the user names, or say which they may have meant."""

from __future__ import annotations

import difflib

from kubectl_scratch import cluster as api
from kubectl_scratch.cluster import Answer, Cluster
from kubectl_scratch.errors import ClusterError, InvalidRequest
from kubectl_scratch.podjson import name


def read_pod(cluster: Cluster, pod: str) -> Answer:
    """Read the pod; raises InvalidRequest with near names where it is not there."""
    namespace = cluster.namespace
    try:
        return cluster.get(api.pods(namespace, pod))
    except ClusterError as error:
        if error.status != 404 or error.kind != "pods":
            raise
    if not namespace_exists(cluster):
        raise InvalidRequest(f"there is no namespace {namespace!r}", "-n chooses another")
    raise InvalidRequest(
        f"there is no pod {pod!r} in namespace {namespace!r}", near_names(cluster, pod)
    )


def namespace_exists(cluster: Cluster) -> bool:
    """Say whether the namespace is there; where that can't be known, that it is."""
    try:
        cluster.get(api.namespaces(cluster.namespace))
    except ClusterError as error:
        return error.status != 404 or error.kind != "namespaces"
    return True


def near_names(cluster: Cluster, wanted: str) -> str:
    """Return a hint with the names that ``wanted`` may be meant for."""
    try:
        found = cluster.get(api.pods(cluster.namespace), limit="500").body
    except ClusterError:
        return ""
    names = [name(pod) for pod in found.get("items") or []]
    near = [n for n in names if n.startswith(wanted)][:3]
    near = near or difflib.get_close_matches(wanted, names, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "" if names else "that namespace has no pods; -n chooses another"
