"""Read what a plan needs of the cluster, at once as far as possible."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch import cluster as api
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.parallel import Task
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.retry import retried
from kubectl_scratch.source import Source, find_in_file, find_source
from kubectl_scratch.survey import Survey, Surveyed


class Read(NamedTuple):
    """What was read.

    ``arch`` is the architecture of the source's node, None where that can't be known.
    """

    source: Source
    surveyed: Surveyed
    arch: str | None


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
    arch = architecture(cluster, source.pod["spec"].get("nodeName"))
    return Read(source, survey.result(), arch)


def architecture(cluster: Cluster, node: str | None) -> str | None:
    """Return the architecture of a node; None where that can't be known."""
    if node is None:
        return None
    try:
        found = retried(lambda: cluster.get(api.nodes(node))).body
    except ClusterError:
        return None
    arch: str | None = ((found.get("status") or {}).get("nodeInfo") or {}).get("architecture")
    return arch
