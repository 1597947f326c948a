"""What the cluster says of the pod and of its surroundings, as far as it may be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json


class ClusterFacts(NamedTuple):
    """The source pod, its target container, and what was read around them.

    ``events`` are those of the pod, and of what owns it, the oldest first. ``config_maps`` and
    ``secrets`` name the keys of those that the pod uses, None for one that does not exist; one that
    is missing here could not be read. ``claims`` are the PersistentVolumeClaims that it names, in
    the same way. ``endpoints`` counts the ready addresses of a Service by NAMESPACE/NAME. What is
    None as a whole could not be read. ``read_only`` names the volumes of the target that are
    written in the source and cannot be in the copy.
    """

    pod: Json
    target: str
    events: tuple[Json, ...] = ()
    node: Json | None = None
    config_maps: Mapping[str, frozenset[str] | None] = {}
    secrets: Mapping[str, frozenset[str] | None] = {}
    claims: Mapping[str, Json | None] = {}
    services: tuple[Json, ...] | None = None
    endpoints: Mapping[str, int] | None = None
    network_policies: tuple[Json, ...] | None = None
    neighbours: tuple[Json, ...] | None = None
    read_only: tuple[str, ...] = ()
