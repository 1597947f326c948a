"""The plan: a value that says everything that will be done, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kubectl_scratch import debugger, lease, mesh, podcopy
from kubectl_scratch.debugger import Choice
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.findings import Edit, Finding, Level
from kubectl_scratch.labels import Neighbours, anti_affinity_of, choose_labels, matches
from kubectl_scratch.names import COMMAND
from kubectl_scratch.podcopy import CopyOptions
from kubectl_scratch.podjson import (
    DEFAULT_CONTAINER,
    Json,
    all_containers,
    annotations_of,
    containers,
    find,
    is_going,
    labels_of,
    name,
    names_of,
    namespace,
)
from kubectl_scratch.request import DebugRequest, Wishes

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

    ``copy`` lacks only its owner, whose UID the cluster gives. ``choices`` are the debug
    container in the order in which the cluster is asked to accept it: the later ones ask for
    less.
    """

    place: Place
    session_id: str
    lease: Json
    copy: Json
    choices: tuple[Choice, ...]
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]
    # The source's, where it has one.
    node: str | None = None

    @property
    def blockers(self) -> list[Finding]:
        """Return what forbids the plan."""
        return [f for f in self.findings if f.level is Level.BLOCKER]


@dataclass(frozen=True)
class Circumstances:
    """What a plan depends on besides the source pod: who, when, and what else there is.

    ``suffix`` is five random characters, ``now`` the cluster's time; ``claims`` are the
    namespace's PersistentVolumeClaims by name, as far as they could be read; ``found`` tells
    how the source pod was found.
    """

    suffix: str
    author: str
    now: datetime
    neighbours: Neighbours = field(default_factory=Neighbours)
    claims: Mapping[str, Json] = field(default_factory=dict)
    found: tuple[Finding, ...] = ()


def make_plan(source: Json, request: DebugRequest, around: Circumstances) -> Plan:
    """Plan the copy of ``source``.

    Raises InvalidRequest where the container is not in the pod, or something else that a flag
    names.
    """
    wishes, suffix = request.wishes, around.suffix
    target, choice = choose_target(source, request.container)
    copy_name = wishes.name or name_of_copy(name(source), suffix)
    marks = marks_of(source, target, wishes.reason, around)
    ours = lease.labels(suffix)
    # What an injector asks for is not chosen: without the proxy the copy would be cut off.
    fixed = {**mesh.injection_labels(source), **ours}
    kept = choose_labels(
        labels_of(source), fixed, beside(source, around.neighbours), wishes.keep_labels
    )
    labels = {**kept.labels, **fixed}
    copied = podcopy.make_copy(
        source,
        copy_name,
        labels,
        marks,
        copy_options(wishes, target["name"]),
        kept.gate,
        around.claims,
    )
    tools = debugger.debug_containers(
        source,
        target,
        request.image,
        suffix,
        profile=request.profile,
        custom=request.custom,
        env=wishes.env,
        pull_policy=wishes.pull_policy,
    )
    seat = {lease.seat_of(suffix): lease.expiry(around.now, request.session.ttl)}
    return Plan(
        place=Place(
            namespace=namespace(source),
            copy_name=copy_name,
            debug_container=tools.choices[0].container["name"],
            target=target["name"],
            source=f"{namespace(source)}/{name(source)}",
        ),
        session_id=suffix,
        lease=lease.lease_manifest(
            copy_name, suffix, target["image"], request.session.ttl, {**marks, **seat}
        ),
        copy=copied.manifest,
        choices=tools.choices,
        edits=(*kept.edits, *copied.edits),
        findings=(
            *around.found,
            *choice,
            *source_findings(source),
            *consumer_findings(source, around.neighbours),
            *kept.findings,
            *copied.findings,
            *tools.findings,
        ),
        node=source["spec"].get("nodeName"),
    )


def beside(source: Json, neighbours: Neighbours) -> Neighbours:
    """Return the neighbours with the source itself, which may tolerate none of its kind."""
    controllers = (*neighbours.controllers, *anti_affinity_of(source))
    return replace(neighbours, controllers=controllers)


def marks_of(
    source: Json, target: Json, reason: str | None, around: Circumstances
) -> dict[str, str]:
    """Return the annotations by which people know a copy and its lease."""
    marks = {
        lease.SOURCE_ANNOTATION: f"{namespace(source)}/{name(source)}",
        lease.CONTAINER_ANNOTATION: target["name"],
        "kubectl-scratch/created-by": around.author,
        "kubectl-scratch/created-at": around.now.strftime(lease.TIME),
    }
    return {**marks, "kubectl-scratch/reason": reason} if reason else marks


def copy_options(wishes: Wishes, target: str) -> CopyOptions:
    """Return what the user wants otherwise in the copy's spec."""
    return CopyOptions(
        target=target,
        same_node=wishes.same_node,
        keep_annotations=wishes.keep_annotations,
        keep_mesh=wishes.mesh,
        share_processes=wishes.share_processes,
        resources=wishes.resources,
        writable=wishes.writable,
        skip_volumes=wishes.skip_volumes,
        skip_init=wishes.skip_init,
        images=dict(wishes.images),
        pull_secrets=wishes.pull_secrets,
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


def consumer_findings(source: Json, neighbours: Neighbours) -> tuple[Finding, ...]:
    """Return what there is to say of a pod to which no Service sends its work."""
    if "services" in neighbours.unknown:
        return ()
    if any(matches(service.selector, labels_of(source)) for service in neighbours.services):
        return ()
    text = "no Service selects the source: if it takes work from a queue, so does its copy"
    return (Finding(Level.INFO, text),)


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
