"""Builders of the objects that tests need, each with as little as it takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from kubectl_scratch.plan.build import make_plan
from kubectl_scratch.plan.inputs import NamespaceFacts, PlanInputs
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.plan.podcopy.manifest import Copied, CopyDecisions, make_copy
from kubectl_scratch.plan.storage import Storage
from kubectl_scratch.request import CopyOptions, DebugRequest, SessionRequest, Target
from kubectl_scratch.runtime.names import DEFAULT_IMAGE

Json = dict[str, Any]
NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
DEFAULTS = CopyOptions()


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


def plan_for(source: Json, request: DebugRequest, **inputs: Any) -> Plan:
    """Return the plan of a request at noon, by session bcdfg of user me."""
    return make_plan(request, PlanInputs(source, **{"now": NOON, **inputs}), "bcdfg", "me")


def copy_for(
    source: Json,
    name: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    options: CopyOptions = DEFAULTS,
    target: str | None = None,
    claims: Mapping[str, Json] | None = None,
    storage: Storage | None = None,
    **decisions: Any,
) -> Copied:
    """Return the copy of a source by some of what is decided about it."""
    facts = NamespaceFacts(claims=claims)
    inputs = PlanInputs(source, NOON, facts, storage=storage or Storage())
    chosen = target or source["spec"]["containers"][0]["name"]
    return make_copy(inputs, options, CopyDecisions(name, labels, annotations, chosen, **decisions))
