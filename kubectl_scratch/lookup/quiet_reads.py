"""Reads that never fail: what cannot be read is None, and what does not exist is empty."""

from __future__ import annotations

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json, name
from kubectl_scratch.kube.retry import retried


def object_or_none(cluster: Client, path: str) -> Json | None:
    """Return an object, {} if there is none of the name, None if it cannot be read."""
    try:
        return retried(lambda: cluster.get(path)).body
    except ClusterError as error:
        return {} if error.gone else None


def items_or_none(cluster: Client, path: str, **query: str) -> tuple[Json, ...] | None:
    """Return the items of a list, None if it cannot be read."""
    try:
        found = retried(lambda: cluster.get(path, None, **query)).body
    except ClusterError as error:
        # A cluster without this API has no such objects.
        return () if error.gone else None
    return tuple(found.get("items") or ())


def names_or_none(cluster: Client, path: str) -> tuple[str, ...] | None:
    """Return the names in a list, or that of one object, without reading anything else of them.

    None if they cannot be read, nothing if there are none.
    """
    try:
        found = retried(lambda: cluster.table(path))
    except ClusterError as error:
        return () if error.gone else None
    if found.get("kind") != "Table":
        return tuple(name(item) for item in found.get("items") or ())
    # The first column is the name, of every kind.
    return tuple(str(row["cells"][0]) for row in found.get("rows") or () if row["cells"])
