"""Kinds of objects: where the API has them, and what they are called."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """Where the API has a kind of objects; ``version`` is as in apiVersion, ``short`` kubectl's."""

    title: str
    version: str
    plural: str
    short: str = ""

    @property
    def root(self) -> str:
        """Return the path of the API's group."""
        return f"/apis/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def group(self) -> str:
        """Return the API's group as rights name it, empty for the core."""
        return self.version.rpartition("/")[0]


_WITH_PODS = (
    Kind("Pod", "v1", "pods", "po"),
    Kind("Deployment", "apps/v1", "deployments", "deploy"),
    Kind("StatefulSet", "apps/v1", "statefulsets", "sts"),
    Kind("DaemonSet", "apps/v1", "daemonsets", "ds"),
    Kind("ReplicaSet", "apps/v1", "replicasets", "rs"),
    Kind("ReplicationController", "v1", "replicationcontrollers", "rc"),
    Kind("Job", "batch/v1", "jobs"),
    Kind("CronJob", "batch/v1", "cronjobs", "cj"),
    Kind("Service", "v1", "services", "svc"),
)
# What has pods to debug, by its singular, lower-case name.
KINDS = {kind.title.lower(): kind for kind in _WITH_PODS}
# The same names by all that kubectl knows.
KIND_NAMES = {
    word: known
    for known, kind in KINDS.items()
    for word in (known, kind.plural, kind.short)
    if word
}

# Of Deployments only the ReplicaSets adopt pods.
CONTROLLERS = tuple(
    KINDS[known]
    for known in ("replicaset", "replicationcontroller", "daemonset", "statefulset", "job")
)
SERVICE = KINDS["service"]
BUDGET = Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
POLICY = Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies")
SELECTING = (*CONTROLLERS, SERVICE, BUDGET, POLICY)
CLAIM = Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims")
