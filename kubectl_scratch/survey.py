"""Look around in the namespace while the source pod is read: selectors and claims."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from kubectl_scratch import cluster as api
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.labels import Neighbours, Selecting, selector_of
from kubectl_scratch.podjson import Json, name

# Of Deployments only the ReplicaSets adopt pods.
CONTROLLERS = {
    "replicasets": ("ReplicaSet", "/apis/apps/v1"),
    "replicationcontrollers": ("ReplicationController", "/api/v1"),
    "daemonsets": ("DaemonSet", "/apis/apps/v1"),
    "statefulsets": ("StatefulSet", "/apis/apps/v1"),
    "jobs": ("Job", "/apis/batch/v1"),
}
SERVICES = {"services": ("Service", "/api/v1")}
BUDGETS = {"poddisruptionbudgets": ("PodDisruptionBudget", "/apis/policy/v1")}
POLICIES = {"networkpolicies": ("NetworkPolicy", "/apis/networking.k8s.io/v1")}
CLAIMS = "persistentvolumeclaims"
SELECTING = {**CONTROLLERS, **SERVICES, **BUDGETS, **POLICIES}


@dataclass(frozen=True)
class Surveyed:
    """What was found; ``claims`` are the PersistentVolumeClaims by name, as far as readable."""

    neighbours: Neighbours
    claims: dict[str, Json]


class Survey:
    """Lists of a namespace, all asked for at once: together they take as long as the longest."""

    def __init__(self, cluster: Cluster) -> None:
        """Start to ask."""
        self._cluster = cluster
        self._namespace = cluster.namespace
        self._found: dict[str, list[Json] | None] = {}
        kinds = {**SELECTING, CLAIMS: ("PersistentVolumeClaim", "/api/v1")}
        self._threads = [
            threading.Thread(target=self._list, args=(plural, root), daemon=True)
            for plural, (_, root) in kinds.items()
        ]
        for thread in self._threads:
            thread.start()

    def result(self) -> Surveyed:
        """Wait for the last answer, and return what was found."""
        for thread in self._threads:
            thread.join()
        unknown = [plural for plural in SELECTING if self._found.get(plural) is None]
        neighbours = Neighbours(
            controllers=self._selecting(CONTROLLERS),
            services=self._selecting(SERVICES),
            budgets=self._selecting(BUDGETS),
            policies=self._selecting(POLICIES),
            unknown=tuple(unknown),
        )
        return Surveyed(neighbours, {name(claim): claim for claim in self._found.get(CLAIMS) or []})

    def _list(self, plural: str, root: str) -> None:
        try:
            answer = self._cluster.get(api.objects(root, self._namespace, plural))
            self._found[plural] = answer.body.get("items") or []
        except ClusterError as error:
            # A cluster that has no such API has no such objects; all else is not known.
            self._found[plural] = [] if error.status == 404 else None

    def _selecting(self, kinds: dict[str, tuple[str, str]]) -> tuple[Selecting, ...]:
        found = (
            selector_of({"kind": title, **item})
            for plural, (title, _) in kinds.items()
            for item in self._found.get(plural) or []
        )
        return tuple(selecting for selecting in found if selecting is not None)
