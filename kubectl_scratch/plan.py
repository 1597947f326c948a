"""The plan: a value that says everything that will be done, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubectl_scratch import debugger, lease, podcopy
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.findings import Edit, Finding, Level
from kubectl_scratch.names import COMMAND
from kubectl_scratch.podjson import (
    DEFAULT_CONTAINER,
    Json,
    all_containers,
    annotations_of,
    containers,
    find,
    is_going,
    name,
    names_of,
    namespace,
)
from kubectl_scratch.request import DebugRequest

# 63 is the longest name of which the pod's hostname and a label value can be made.
LONGEST_NAME = 63


@dataclass(frozen=True)
class Place:
    """Where a session stands: a debug container in a copy, and what it is a copy of."""

    namespace: str
    copy_name: str
    debug_container: str
    target: str
    source: str


@dataclass(frozen=True)
class Plan:
    """What one ``debug`` will do.

    ``copy`` lacks only its owner, whose UID the cluster gives. ``debug_containers`` are the
    debug container in the order in which the cluster is asked to accept it: the later ones
    ask for less.
    """

    place: Place
    session_id: str
    lease: Json
    copy: Json
    debug_containers: tuple[Json, ...]
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]

    @property
    def blockers(self) -> list[Finding]:
        """Return what forbids the plan."""
        return [f for f in self.findings if f.level is Level.BLOCKER]


def make_plan(source: Json, request: DebugRequest, suffix: str, author: str, now: datetime) -> Plan:
    """Plan the copy of ``source``; ``suffix`` is five random characters, ``now`` the cluster's.

    Raises InvalidRequest where the container is not in the pod.
    """
    target, choice = choose_target(source, request.container)
    copy_name = name_of_copy(name(source), suffix)
    marks = {
        lease.SOURCE_ANNOTATION: f"{namespace(source)}/{name(source)}",
        lease.CONTAINER_ANNOTATION: target["name"],
        "kubectl-scratch/created-by": author,
        "kubectl-scratch/created-at": now.strftime(lease.TIME),
    }
    seat = {lease.seat_of(suffix): lease.expiry(now, request.session.ttl)}
    copied = podcopy.make_copy(source, copy_name, lease.labels(suffix), marks)
    tools = debugger.debug_containers(source, target, request.image, suffix)
    return Plan(
        place=Place(
            namespace=namespace(source),
            copy_name=copy_name,
            debug_container=tools.choices[0]["name"],
            target=target["name"],
            source=f"{namespace(source)}/{name(source)}",
        ),
        session_id=suffix,
        lease=lease.lease_manifest(
            copy_name, suffix, target["image"], request.session.ttl, {**marks, **seat}
        ),
        copy=copied.manifest,
        debug_containers=tools.choices,
        edits=copied.edits,
        findings=(*choice, *source_findings(source), *copied.findings, *tools.findings),
    )


def name_of_copy(source: str, suffix: str) -> str:
    """Return ``<source>-scratch-<suffix>``, cut so that it can be a hostname."""
    tail = f"-scratch-{suffix}"
    return source[: LONGEST_NAME - len(tail)].rstrip("-.") + tail


def choose_target(source: Json, wanted: str | None) -> tuple[Json, tuple[Finding, ...]]:
    """Return the target container, as kubectl exec chooses it, and what there is to say.

    Raises InvalidRequest where ``wanted`` is not in the pod.
    """
    if wanted is not None:
        found = find(all_containers(source), wanted)
        if found is None:
            there = ", ".join(names_of(all_containers(source)))
            raise InvalidRequest(
                f"pod {name(source)!r} has no container {wanted!r}", f"it has: {there}"
            )
        return found, ()
    default = annotations_of(source).get(DEFAULT_CONTAINER)
    annotated = find(all_containers(source), default) if default else None
    if annotated is not None:
        return annotated, ()
    first, *others = containers(source)
    if not others:
        return first, ()
    there = ", ".join(names_of([first, *others]))
    text = f"container {first['name']} is the target, the first of {there}; -c chooses another"
    return first, (Finding(Level.INFO, text),)


def source_findings(source: Json) -> tuple[Finding, ...]:
    """Return what the source pod itself forbids or makes worth a word."""
    findings = []
    if (source["spec"].get("os") or {}).get("name") == "windows":
        findings.append(Finding(Level.BLOCKER, "it is a Windows pod, and the tools run on Linux"))
    if lease.SOURCE_ANNOTATION in annotations_of(source):
        text = f"it is a copy already: {COMMAND} attach {name(source)}"
        findings.append(Finding(Level.BLOCKER, text))
    if is_going(source):
        findings.append(Finding(Level.WARNING, "the pod is being deleted; its copy lives on"))
    return tuple(findings)
