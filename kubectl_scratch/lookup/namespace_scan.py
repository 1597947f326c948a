"""Read the namespace while the source pod is read: selectors, claims, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.kinds import BUDGET, CLAIM, CONTROLLERS, POLICY, SELECTING, SERVICE, Kind
from kubectl_scratch.kube.objects import Json, name
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.kube.selectors import NamespaceSelectors, Selector, selector_of
from kubectl_scratch.plan.inputs import NamespaceFacts
from kubectl_scratch.runtime.tasks import TaskGroup

# Permissions that a debug works without, in another way.
_RIGHTS = (("create", "configmaps"), ("patch", "pods/ephemeralcontainers"))


class NamespaceScan:
    """Lists of a namespace and permissions in it, all asked for at once."""

    def __init__(self, cluster: Client) -> None:
        """Start the requests."""
        lists = {
            kind: paths.objects(kind.root, cluster.namespace, kind.plural)
            for kind in (*SELECTING, CLAIM)
        }
        self._kinds = list(lists)
        self._tasks: TaskGroup[Any] = TaskGroup(
            [
                *(partial(_list, cluster, path) for path in lists.values()),
                *(partial(_may, cluster, cluster.namespace, *right) for right in _RIGHTS),
            ]
        )

    def result(self) -> NamespaceFacts:
        """Wait for the last answer; return what was found."""
        results = self._tasks.results()
        may_create_config_maps, may_add_containers = results[len(self._kinds) :]
        found = dict(zip(self._kinds, results, strict=False))
        selectors = NamespaceSelectors(
            controllers=_selecting(found, *CONTROLLERS),
            services=_selecting(found, SERVICE),
            budgets=_selecting(found, BUDGET),
            policies=_selecting(found, POLICY),
            unknown=tuple(kind.plural for kind in SELECTING if found[kind] is None),
        )
        listed = found[CLAIM]
        claims = None if listed is None else {name(claim): claim for claim in listed}
        return NamespaceFacts(selectors, claims, may_create_config_maps, may_add_containers)


def _may(cluster: Client, namespace: str, verb: str, kind: str) -> bool:
    return cluster.allows(verb, "", kind, namespace) is not False


def _list(cluster: Client, path: str) -> list[Json] | None:
    try:
        return retried(lambda: cluster.get(path)).body.get("items") or []
    except ClusterError as error:
        # A cluster that has no such API has no such objects; all else is unknown.
        return [] if error.gone else None


def _selecting(found: Mapping[Kind, list[Json] | None], *kinds: Kind) -> tuple[Selector, ...]:
    each = (
        selector_of({"kind": kind.title, **item}) for kind in kinds for item in found[kind] or []
    )
    return tuple(selecting for selecting in each if selecting is not None)
