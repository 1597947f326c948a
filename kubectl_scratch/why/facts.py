"""What the cluster says of the pod and of its surroundings, as far as it may be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json


class WorkloadFacts(NamedTuple):
    """A workload, the newest ReplicaSet or Job that it made, and the events of both."""

    owner: Json
    kind: str
    child: Json | None = None
    events: tuple[Json, ...] = ()


class ClusterFacts(NamedTuple):
    """The source pod, its target container, and what was read around them.

    ``events`` are those of the pod, and of what owns it, the oldest first. ``config_maps`` and
    ``secrets`` name the keys of those that the pod uses, None for one that does not exist; one that
    is missing here could not be read. ``claims`` are the PersistentVolumeClaims that it names, in
    the same way. ``endpoints`` counts the ready addresses of a Service by NAMESPACE/NAME. What is
    None as a whole could not be read. ``read_only`` names the volumes of the target that are
    written in the source and cannot be in the copy. ``node`` is empty if there is none of the name,
    ``log`` the end of what the target's last run printed, and ``nodes`` are all, read only if none
    takes the pod. ``names`` lists by kind (singular, lower-case) what there is, read only if
    something of that kind is missing. ``now`` is the cluster's time. ``workload`` is what the user
    has named, if it is no pod.
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
    log: tuple[str, ...] = ()
    nodes: tuple[Json, ...] | None = None
    names: Mapping[str, tuple[str, ...]] = {}
    now: datetime | None = None
    workload: WorkloadFacts | None = None
