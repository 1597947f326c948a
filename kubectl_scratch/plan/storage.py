"""What a cluster's storage does to volumes: on the source's node, and when a claim is gone."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, annotations_of, name, volumes

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"

SELINUX_FAMILIES = (
    *("AlmaLinux", "Bottlerocket", "CentOS", "CoreOS", "Fedora", "MicroOS", "Oracle Linux"),
    *("Red Hat", "Rocky Linux"),
)


class Storage(NamedTuple):
    """What is known of it; None is unknown.

    ``recursive`` says whether the source's node makes a mount read-only with all that is mounted
    below it, ``retaining`` names the StorageClasses that keep a volume whose claim is deleted, as
    far as the source needs any: the empty name is the default class. ``selinux`` says that the
    node's system is one that comes with SELinux: whether it is enforced, the API does not say.
    """

    recursive: bool | None = None
    # A kubelet of 1.30 starts no container of which that is asked, unless its gate is open
    # (RecursiveReadOnlyMounts); older ones have never heard of it.
    refuses_recursive: bool = False
    retaining: frozenset[str] | None = frozenset()
    selinux: bool = False


def is_recursive(node: Json | None, runtime_class: str | None) -> bool | None:
    """Say whether a node makes mounts recursively read-only (KEP-3857); None if unknown.

    A handler is named by its RuntimeClass, mostly as the class itself; the default has no name.
    """
    if node is None:
        return None
    handlers = (node.get("status") or {}).get("runtimeHandlers") or []
    found = [h for h in handlers if (h.get("name") or "") == (runtime_class or "")]
    return any((h.get("features") or {}).get("recursiveReadOnlyMounts") is True for h in found)


def refuses_recursive(node: Json | None, runtime_class: str | None) -> bool:
    """Say whether the node's kubelet fails on a mount of which that is asked."""
    info = ((node or {}).get("status") or {}).get("nodeInfo") or {}
    is_1_30 = str(info.get("kubeletVersion")).startswith("v1.30.")
    return is_1_30 and not is_recursive(node, runtime_class)


def has_selinux(node: Json | None) -> bool:
    """Say whether a node's system is of a family that enforces SELinux as it is installed."""
    info = ((node or {}).get("status") or {}).get("nodeInfo") or {}
    return any(family in str(info.get("osImage")) for family in SELINUX_FAMILIES)


def retaining(classes: list[Json]) -> frozenset[str]:
    """Return the classes that keep what they have provisioned."""
    kept = [c for c in classes if c.get("reclaimPolicy") == "Retain"]
    default = [c for c in kept if annotations_of(c).get(DEFAULT_CLASS) == "true"]
    return frozenset([*map(name, kept), *([""] if default else [])])


def has_claims_of_its_own(pod: Json) -> bool:
    """Say whether a claim is made for each copy of the pod (generic ephemeral volumes)."""
    return any("ephemeral" in volume for volume in volumes(pod))
