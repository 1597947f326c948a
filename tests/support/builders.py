"""Builders of the objects that tests need, each with as little as it takes."""

from __future__ import annotations

from typing import Any

from kubectl_scratch.request import DebugRequest, SessionRequest, Target
from kubectl_scratch.runtime.names import DEFAULT_IMAGE

Json = dict[str, Any]


def a_container(name: str = "app", **fields: Any) -> Json:
    """Return a container."""
    return {"name": name, "image": "docker.io/scratch-testbed/http:1", **fields}


def a_pod(
    name: str = "mypod",
    containers: list[Json] | None = None,
    namespace: str = "default",
    metadata: Json | None = None,
    status: Json | None = None,
    **spec: Any,
) -> Json:
    """Return a pod as the API gives it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            **(metadata or {}),
        },
        "spec": {"containers": containers or [a_container()], **spec},
        "status": status or {},
    }


def a_request(**fields: Any) -> DebugRequest:
    """Return a request for a shell."""
    session = SessionRequest(ttl=300.0, timeout=120.0, longest=28800.0)
    given = {
        "target": Target("pod", "mypod"),
        "container": None,
        "image": DEFAULT_IMAGE,
        "deadline": 3600.0,
        "session": session,
        **fields,
    }
    return DebugRequest(**given)


def a_waiting_container(reason: str, message: str = "", name: str = "scratch") -> Json:
    """Return a container's status that waits."""
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}
