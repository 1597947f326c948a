"""In place: an ephemeral container in the source pod itself, and what to report about it.

Such a container cannot be removed from its pod, so all that can be done is to end its process.
That idles, looks for sessions of ours in /proc, and ends when there is none: no client is
needed for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    annotations_of,
    api_time,
    find,
    has_ended,
    is_going,
    state_of,
)
from kubectl_scratch.plan import debug_container
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.in_place_process import InPlaceTerms, idle_command
from kubectl_scratch.plan.metadata import (
    Note,
    target_in_place,
    targets_in_place,
    with_note,
    without_note,
)
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.plan.podcopy.annotations import MIRROR
from kubectl_scratch.plan.target_container import choose_target, why_no_source
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.runtime.names import DEFAULT_IMAGE

# A container that ends sooner is not worth going into.
SOON = 60.0

# The position of the time for a first session in the container's command.
FIRST = 4
# What the API server writes into a container that does not say it.
DEFAULTED = frozenset(
    {"imagePullPolicy", "resources", "terminationMessagePath", "terminationMessagePolicy"}
)


class InPlaceContainer(NamedTuple):
    """A container of ours in a pod, its terms, and the seconds until its limit, if it runs."""

    place: SessionTarget
    linger: float
    left: float


class InPlacePlan(NamedTuple):
    """What one ``debug --in-place`` will do.

    ``idle`` is a container that is there and serves as well; else ``choices`` are the new one,
    in the order in which the cluster is asked to accept it.
    """

    place: SessionTarget
    terms: InPlaceTerms
    choices: tuple[Candidate, ...]
    findings: tuple[Finding, ...]
    idle: InPlaceContainer | None = None

    @property
    def blockers(self) -> list[Finding]:
        """Return what forbids the plan."""
        return [f for f in self.findings if f.level is Level.BLOCKER]


def plan_in_place(
    source: Json, request: DebugRequest, session_id: str, author: str, now: datetime
) -> InPlacePlan:
    """Plan an ephemeral container in ``source``; ``session_id`` is five random characters.

    ``now`` is the cluster's time. Raises InvalidRequest if the container is not in the pod.
    """
    target, chosen = _target(source, request)
    image = request.image or DEFAULT_IMAGE
    form = debug_container.container_of_image(
        target, image, request.options.env, request.options.pull_policy
    )
    tools = debug_container.debug_containers(
        source, target, form, session_id, profile=request.profile, custom=request.custom
    )
    session = request.session
    terms = InPlaceTerms(session.ttl, request.linger, session.longest + request.linger)
    runs = _runs(source, target["name"])
    bare = [(choice, _bare(choice, target["name"] if runs else None)) for choice in tools.choices]
    place = target_in_place(source, target["name"], session_id)
    idle = _idle_container(source, place, [container for _, container in bare], now)
    choices = tuple(
        choice._replace(container=_complete(container, place, terms, author))
        for choice, container in bare
    )
    findings = (
        *_refusals(source),
        *chosen,
        *_told(idle.place if idle else place, idle is not None, runs),
        *tools.findings,
    )
    return InPlacePlan(place, terms, choices, findings, idle)


def _target(source: Json, request: DebugRequest) -> tuple[Json, tuple[Finding, ...]]:
    """Return the target container; the pod itself has all of them, also those of a mesh."""
    named = find(all_containers(source), request.container or "")
    return choose_target(source, request) if named is None else (named, ())


def _runs(pod: Json, container: str) -> bool:
    return "running" in state_of(pod, container)


def _bare(choice: Candidate, target: str | None) -> Json:
    """Return the container without what is its own; a target that does not run is not joined."""
    left = {key: value for key, value in choice.container.items() if key not in ("name", "command")}
    return left if target is None else {**left, "targetContainerName": target}


def container_digest(container: Json) -> str:
    """Return a digest by which equal containers are found."""
    return hashlib.sha256(json.dumps(container, sort_keys=True).encode()).hexdigest()[:12]


def _complete(container: Json, place: SessionTarget, terms: InPlaceTerms, author: str) -> Json:
    """Return the container with its name, its process and the note of what it is."""
    note = Note(author, container_digest(container), terms.limit, terms.linger, place.target)
    return {
        **with_note(container, note),
        "name": place.debug_container,
        "command": list(idle_command(place.session_id, terms)),
    }


def runs_since(pod: Json, container: str) -> datetime | None:
    """Return since when a container runs; None if it does not."""
    return api_time((state_of(pod, container).get("running") or {}).get("startedAt"))


def _idle_container(
    source: Json, place: SessionTarget, wanted: list[Json], now: datetime
) -> InPlaceContainer | None:
    """Return the container of ours that runs and is as good as a new one, one of ``wanted``."""
    for there, note in targets_in_place(source):
        since = runs_since(source, there.container)
        if since is None or there.target != place.target:
            continue
        container = find(source["spec"]["ephemeralContainers"], there.container) or {}
        if not any(_is_like(container, one, note, there.session_id) for one in wanted):
            continue
        left = note.limit - (now - since).total_seconds()
        if note.linger > 0 and left >= SOON:
            return InPlaceContainer(there, note.linger, left)
    return None


def _is_like(there: Json, wanted: Json, note: Note, session_id: str) -> bool:
    """Say whether a container is what its note says, and what is wanted.

    The note is not enough: whoever may add containers to the pod can write one.
    """
    terms = InPlaceTerms(0, note.linger, note.limit)
    # For how long it has waited for a first session is in no note, and of no matter.
    idles = [w for at, w in enumerate(there.get("command") or []) if at != FIRST]
    if idles != [w for at, w in enumerate(idle_command(session_id, terms)) if at != FIRST]:
        return False
    ignored = {"name", "command", *(DEFAULTED - wanted.keys())}
    env = without_note(there)
    found = {k: v for k, v in {**there, "env": env}.items() if v and k not in ignored}
    return note.form == container_digest(wanted) and found == {k: v for k, v in wanted.items() if v}


def _told(place: SessionTarget, again: bool, runs: bool) -> Iterator[Finding]:
    """Say what will happen to the pod."""
    what = f"container {place.debug_container}"
    if again:
        yield Finding(Level.INFO, f"in place: using {what} of pod {place.pod}, which is idle")
    else:
        text = f"in place: adding {what} to pod {place.pod}; Kubernetes cannot remove its entry"
        yield Finding(Level.INFO, text)
    if not runs:
        text = f"container {place.target} is not running, so its processes and files cannot be seen"
        yield Finding(Level.WARNING, text)


def _refusals(source: Json) -> Iterator[Finding]:
    """Yield what forbids an ephemeral container in that pod, at most one reason."""
    why = _refusal(source)
    if why:
        yield Finding(Level.BLOCKER, why)


def _refusal(source: Json) -> str:
    phase = (source.get("status") or {}).get("phase")
    if not source["metadata"].get("uid"):
        return "there is no such pod in the cluster"
    if MIRROR in annotations_of(source):
        return "it is the mirror of a static pod, which cannot have ephemeral containers"
    why = why_no_source(source)
    if why:
        return why
    if is_going(source):
        return "it is being deleted"
    if has_ended(source):
        return f"it has ended ({phase})"
    return "" if source["spec"].get("nodeName") else "it is on no node yet"
