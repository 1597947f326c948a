"""What a plan depends on besides the request: the source pod, and what was read around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.selectors import NamespaceSelectors
from kubectl_scratch.plan.findings import Finding
from kubectl_scratch.plan.storage import Storage


class NamespaceFacts(NamedTuple):
    """What there is in the namespace, and what the user may do in it.

    ``claims`` are the PersistentVolumeClaims by name, None if they cannot be read. An unknown
    right counts as granted: the request itself shows it.
    """

    selectors: NamespaceSelectors = NamespaceSelectors()
    claims: Mapping[str, Json] | None = None
    may_create_config_maps: bool = True
    may_add_containers: bool = True


class PlanInputs(NamedTuple):
    """What was read for a plan; ``now`` is the cluster's time.

    ``node_arch`` is the architecture of the source's node, None if it is unknown; ``storage``
    what that node and the cluster do to volumes; ``findings`` say how the source was found.
    """

    source: Json
    now: datetime
    namespace: NamespaceFacts = NamespaceFacts()
    node_arch: str | None = None
    storage: Storage = Storage()
    findings: tuple[Finding, ...] = ()
