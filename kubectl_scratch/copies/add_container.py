"""Add the debug container to a pod: the first of its forms that the cluster accepts."""

from __future__ import annotations

from collections.abc import Callable

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import STRATEGIC_PATCH, Client
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.model import SessionTarget


def add_first_accepted(
    choices: tuple[Candidate, ...], add: Callable[[Candidate], object]
) -> Candidate:
    """Add the first choice that is accepted; raises the ClusterError for the last one."""
    *stronger, last = choices
    for choice in stronger:
        try:
            add(choice)
            return choice
        except ClusterError as error:
            if not error.refused:
                raise
    add(last)
    return last


def patch_in(
    cluster: Client, place: SessionTarget, choice: Candidate, dry_run: bool = False
) -> None:
    """Add an ephemeral container to a pod; the same once more changes nothing."""
    path = paths.pods(place.namespace, place.pod, "ephemeralcontainers")
    patch = {"spec": {"ephemeralContainers": [choice.container]}}
    cluster.patch(path, patch, STRATEGIC_PATCH, dry_run=dry_run)
