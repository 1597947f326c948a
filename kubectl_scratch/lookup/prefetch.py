"""Read what a plan needs from the cluster, all at once as far as possible."""

from __future__ import annotations

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.lookup.namespace_scan import NamespaceScan
from kubectl_scratch.lookup.source import find_in_file, find_source
from kubectl_scratch.plan.inputs import PlanInputs
from kubectl_scratch.plan.storage import (
    Storage,
    has_claims_of_its_own,
    has_selinux,
    is_recursive,
    refuses_recursive,
    retaining,
)
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.runtime.tasks import Task


def begin_prefetch(cluster: Client, request: DebugRequest) -> Task[PlanInputs]:
    """Read from now on, while the caller does something else, such as to import the rest.

    Its result raises InvalidRequest if there is nothing to copy, and ClusterError.
    """
    return Task(lambda: prefetch(cluster, request))


def prefetch(cluster: Client, request: DebugRequest) -> PlanInputs:
    """Read; raises InvalidRequest if there is nothing to copy, and ClusterError."""
    if request.target is None:
        assert request.file is not None
        # It may name another namespace.
        source = find_in_file(cluster, request.file)
        scan = NamespaceScan(cluster)
    else:
        scan = NamespaceScan(cluster)
        source = find_source(cluster, request.target)
    # While the node is read, and only if there is something to ask.
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
    return PlanInputs(
        source=source.pod,
        now=source.at,
        namespace=scan.result(),
        node_arch=architecture(node),
        storage=storage,
        findings=source.findings,
    )


def retaining_classes(cluster: Client) -> frozenset[str] | None:
    """Read which StorageClasses keep volumes; None if they cannot be read."""
    try:
        found = cluster.get(paths.everywhere("/apis/storage.k8s.io/v1", "storageclasses")).body
    except ClusterError:
        return None
    return retaining(found.get("items") or [])


def read_node(cluster: Client, node: str | None) -> Json | None:
    """Read a node; None if there is none, or it cannot be read."""
    if node is None:
        return None
    try:
        return retried(lambda: cluster.get(paths.nodes(node))).body
    except ClusterError:
        return None


def architecture(node: Json | None) -> str | None:
    """Return the architecture of a node; None if that is unknown."""
    status = (node or {}).get("status") or {}
    arch: str | None = (status.get("nodeInfo") or {}).get("architecture")
    return arch
