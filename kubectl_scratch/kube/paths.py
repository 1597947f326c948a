"""Paths of the API server's objects."""

from __future__ import annotations

from urllib.parse import quote


def pods(namespace: str, *more: str) -> str:
    """Return the path of a namespace's pods, of one pod, or of its subresource."""
    return _path("/api/v1/namespaces", namespace, "pods", *more)


def jobs(namespace: str, *name: str) -> str:
    """Return the path of a namespace's Jobs, or of one."""
    return _path("/apis/batch/v1/namespaces", namespace, "jobs", *name)


def config_maps(namespace: str, *name: str) -> str:
    """Return the path of a namespace's ConfigMaps, or of one."""
    return _path("/api/v1/namespaces", namespace, "configmaps", *name)


def events(namespace: str) -> str:
    """Return the path of a namespace's events."""
    return _path("/api/v1/namespaces", namespace, "events")


def namespaces(*name: str) -> str:
    """Return the path of all namespaces, or of one."""
    return _path("/api/v1/namespaces", *name)


def nodes(name: str) -> str:
    """Return the path of a node."""
    return _path("/api/v1/nodes", name)


def objects(root: str, namespace: str, plural: str, *name: str) -> str:
    """Return the path of a namespace's objects of a kind, or of one; ``root`` as /apis/apps/v1."""
    return _path(f"{root}/namespaces", namespace, plural, *name)


def everywhere(root: str, plural: str) -> str:
    """Return the path of all namespaces' objects of a kind; ``root`` as /apis/apps/v1."""
    return _path(root, plural)


def _path(root: str, *parts: str) -> str:
    return "/".join((root, *(quote(part, safe="") for part in parts)))
