"""Read what a plan needs of the cluster, at once as far as possible."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch import cluster as api
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.parallel import Task
from kubectl_scratch.podjson import Json
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.source import Source, find_in_file, find_source
from kubectl_scratch.survey import Survey, Surveyed


class Read(NamedTuple):
    """What was read.

    ``arch`` is the architecture of the source's node, ``recursive`` says whether it makes mounts
    read-only with all that is mounted below them; None where that can't be known.
    """

    source: Source
    surveyed: Surveyed
    arch: str | None
    recursive: bool | None = None


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
    node = read_node(cluster, source.pod["spec"].get("nodeName"))
    runtime = source.pod["spec"].get("runtimeClassName")
    return Read(source, survey.result(), architecture(node), recursive_read_only(node, runtime))


def read_node(cluster: Cluster, node: str | None) -> Json | None:
    """Read a node; None if there is none, or it can't be read."""
    if node is None:
        return None
    try:
        return cluster.get(api.nodes(node)).body
    except ClusterError:
        return None


def architecture(node: Json | None) -> str | None:
    """Return the architecture of a node; None where that can't be known."""
    arch: str | None = (_status(node).get("nodeInfo") or {}).get("architecture")
    return arch


def recursive_read_only(node: Json | None, runtime_class: str | None) -> bool | None:
    """Say whether a node makes mounts recursively read-only (KEP-3857); None if unknown.

    A handler is named by its RuntimeClass, mostly as the class itself; the default has no name.
    """
    if node is None:
        return None
    handlers = _status(node).get("runtimeHandlers") or []
    found = [h for h in handlers if (h.get("name") or "") == (runtime_class or "")]
    return any((h.get("features") or {}).get("recursiveReadOnlyMounts") is True for h in found)


def _status(node: Json | None) -> Json:
    return (node or {}).get("status") or {}
