"""Read what a plan needs of the cluster, at once as far as possible."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import cluster as api
from kubectl_scratch.kube.cluster import Cluster
from kubectl_scratch.kube.podjson import Json
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.lookup.source import Source, find_in_file, find_source
from kubectl_scratch.lookup.survey import Survey, Surveyed
from kubectl_scratch.plan.storage import (
    Storage,
    has_claims_of_its_own,
    has_selinux,
    is_recursive,
    refuses_recursive,
    retaining,
)
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.runtime.parallel import Task


class Read(NamedTuple):
    """What was read.

    ``arch`` is the architecture of the source's node, None where that can't be known.
    """

    source: Source
    surveyed: Surveyed
    arch: str | None
    storage: Storage = Storage()


def begin(cluster: Cluster, request: DebugRequest) -> Task[Read]:
    """Read from now on, while the caller does something else, such as to import the rest.

    Its result raises InvalidRequest where there is nothing to copy, and ClusterError.
    """
    return Task(lambda: read(cluster, request))


def read(cluster: Cluster, request: DebugRequest) -> Read:
    """Read; raises InvalidRequest where there is nothing to copy, and ClusterError."""
    if request.target is None:
        assert request.file is not None
        # It may name another namespace.
        source = find_in_file(cluster, request.file)
        survey = Survey(cluster)
    else:
        survey = Survey(cluster)
        source = find_source(cluster, request.target)
    # Beside the node, and only where there is something to ask.
    asked = has_claims_of_its_own(source.pod)
    classes = Task(lambda: retaining_classes(cluster)) if asked else None
    node = read_node(cluster, source.pod["spec"].get("nodeName"))
    runtime = source.pod["spec"].get("runtimeClassName")
    storage = Storage(
        recursive=is_recursive(node, runtime),
        refuses_recursive=refuses_recursive(node, runtime),
        retaining=classes.result() if classes else frozenset(),
        selinux=has_selinux(node),
    )
    return Read(source, survey.result(), architecture(node), storage)


def retaining_classes(cluster: Cluster) -> frozenset[str] | None:
    """Read which StorageClasses keep volumes; None if they can't be read."""
    try:
        found = cluster.get(api.everywhere("/apis/storage.k8s.io/v1", "storageclasses")).body
    except ClusterError:
        return None
    return retaining(found.get("items") or [])


def read_node(cluster: Cluster, node: str | None) -> Json | None:
    """Read a node; None if there is none, or it can't be read."""
    if node is None:
        return None
    try:
        return retried(lambda: cluster.get(api.nodes(node))).body
    except ClusterError:
        return None


def architecture(node: Json | None) -> str | None:
    """Return the architecture of a node; None where that can't be known."""
    status = (node or {}).get("status") or {}
    arch: str | None = (status.get("nodeInfo") or {}).get("architecture")
    return arch
