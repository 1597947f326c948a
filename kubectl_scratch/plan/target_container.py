"""Which container of the source pod is the target."""

from __future__ import annotations

from datetime import datetime

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.objects import (
    DEFAULT_CONTAINER,
    Json,
    all_containers,
    annotations_of,
    containers,
    find,
    init_containers,
    is_native_sidecar,
    is_windows,
    name,
    names_of,
    status_of,
)
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.metadata import says_copy
from kubectl_scratch.plan.podcopy import mesh
from kubectl_scratch.plan.podcopy.container_edits import skipped_init
from kubectl_scratch.plan.target_health import crash_words
from kubectl_scratch.request import CopyOptions, DebugRequest
from kubectl_scratch.runtime.names import COMMAND


def choose_target(source: Json, request: DebugRequest) -> tuple[Json, tuple[Finding, ...]]:
    """Return the target container, as kubectl exec chooses it, and what to report.

    If an init container fails, and is not omitted, it is that one, which keeps the others
    from starting. Raises InvalidRequest if the one that the user names is not in the copy.
    """
    options = request.options
    if request.container is not None:
        return named_target(source, request.container, options), ()
    left_out = {*_of_mesh(source, options), *skipped_init(source, options.skip_init)}
    failing = None if request.image else failing_init(source)
    if failing is not None and failing["name"] not in left_out:
        text = (
            f"init container {failing['name']} fails, so it is the target; use -c to choose another"
        )
        return failing, (Finding(Level.INFO, text),)
    default = annotations_of(source).get(DEFAULT_CONTAINER)
    annotated = find(all_containers(source), default) if default else None
    if annotated is not None and annotated["name"] not in left_out:
        return annotated, ()
    first, *others = [c for c in containers(source) if c["name"] not in left_out]
    if not others:
        return first, ()
    there = ", ".join(names_of([first, *others]))
    text = (
        f"container {first['name']} is the target, the first of {there}; use -c to choose another"
    )
    return first, (Finding(Level.INFO, text),)


def choose_failing(source: Json, request: DebugRequest, now: datetime) -> DebugRequest:
    """Return the request for a container that fails, if the one that it would take does not.

    A container that the user names is kept. Raises as ``choose_target`` does.
    """
    target, _ = choose_target(source, request)
    if request.container is not None or crash_words(source, target, now):
        return request
    left_out = _of_mesh(source, request.options)
    for other in containers(source):
        if other["name"] not in left_out and crash_words(source, other, now):
            return request._replace(container=other["name"])
    return request


def named_target(source: Json, wanted: str, options: CopyOptions) -> Json:
    """Return the container of that name; raises InvalidRequest if the copy has none."""
    found = find(all_containers(source), wanted)
    if found is None:
        there = ", ".join(names_of(all_containers(source)))
        problem = f"pod {name(source)!r} has no container {wanted!r}"
        raise InvalidRequest(problem, f"it has: {there}")
    of_mesh = _of_mesh(source, options).get(wanted)
    if of_mesh is not None:
        problem = f"container {wanted!r} belongs to {of_mesh}, which adds its own to the copy"
        raise InvalidRequest(problem, "use -c to choose a container of the app")
    if wanted in skipped_init(source, options.skip_init):
        problem = f"container {wanted!r} cannot be the target and be omitted by --skip-init"
        raise InvalidRequest(problem, "use -c to choose another, or keep this one")
    return found


def _of_mesh(source: Json, options: CopyOptions) -> dict[str, str]:
    return mesh.mesh_containers(source, keep_mesh=options.keep_mesh)


def failing_init(source: Json) -> Json | None:
    """Return the init container that fails, and so keeps all others from starting."""
    for container in init_containers(source):
        status = status_of(source, container["name"]) or {}
        states = (status.get("state") or {}, status.get("lastState") or {})
        codes = [(state.get("terminated") or {}).get("exitCode") for state in states]
        if not is_native_sidecar(container) and any(codes) and 0 not in codes:
            return container
    return None


def why_no_source(source: Json) -> str:
    """Return why a pod cannot be debugged, in a copy or in place; empty if it can."""
    if is_windows(source):
        return "it is a Windows pod, but the tools need Linux"
    if says_copy(source):
        return f"it is a copy; use {COMMAND} attach {name(source)}"
    return ""
