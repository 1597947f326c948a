"""Labels and annotations of ours, and the note of a container in place: written and read here.

What is read may come from an older version, or from anyone who may create pods: whatever is
absent or malformed, reading it does not raise.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    API_TIME,
    Json,
    all_containers,
    annotations_of,
    api_time,
    find,
    labels_of,
    name,
    namespace,
)
from kubectl_scratch.plan.model import APP, DEFAULT_ARCH, TOOLS, SessionTarget, TargetKind
from kubectl_scratch.plan.seed import has_toolkit, is_held
from kubectl_scratch.runtime.durations import LONGEST

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "kubectl-scratch"
# Of all annotations of ours, and of the labels but MANAGED_BY.
KEY_PREFIX = f"{MANAGER}/"
SESSION_LABEL = f"{KEY_PREFIX}session"

SOURCE_ANNOTATION = f"{KEY_PREFIX}source"
CONTAINER_ANNOTATION = f"{KEY_PREFIX}container"
CREATED_BY_ANNOTATION = f"{KEY_PREFIX}created-by"
CREATED_AT_ANNOTATION = f"{KEY_PREFIX}created-at"
REASON_ANNOTATION = f"{KEY_PREFIX}reason"
VIEW_ANNOTATION = f"{KEY_PREFIX}view"
ARCH_ANNOTATION = f"{KEY_PREFIX}arch"
# That no debug container will come beside the target.
ALONE_ANNOTATION = f"{KEY_PREFIX}alone"
# For how many seconds the session that created the copy may last.
LONGEST_ANNOTATION = f"{KEY_PREFIX}longest"
# The UID of the ConfigMap that the copy was created with: another one may come by its name.
SEED_ANNOTATION = f"{KEY_PREFIX}seed-uid"
# The annotations that carry what files of the downward API have, with a number.
DOWNWARD_ANNOTATION = f"{KEY_PREFIX}downward-"

# A session's entry in the lease, an annotation of the Job that says until when the session is
# there: the last one to leave deletes the copy.
SESSION_ENTRY = "session.kubectl-scratch/"

# A container in place has a name with this prefix, and a note in a variable.
IN_PLACE_PREFIX = "scratch-"
NOTE = "KUBECTL_SCRATCH"
# Longer than any container in place lasts.
MOST_SECONDS = 2 * LONGEST


class Creation(NamedTuple):
    """Who created a copy, when and why; empty if that is not said."""

    by: str = ""
    at: datetime | None = None
    reason: str = ""


class Note(NamedTuple):
    """What a container in place says of itself; ``form`` is the digest of what it was made of.

    Anyone may have written it. ``limit`` and ``linger`` are in seconds.
    """

    by: str
    form: str
    limit: float
    linger: float
    target: str


# Copies and their leases


def session_labels(session_id: str) -> dict[str, str]:
    """Return the labels of all that a session creates; nothing else selects them."""
    return {MANAGED_BY: MANAGER, SESSION_LABEL: session_id}


def creation_annotations(target: SessionTarget, creation: Creation) -> dict[str, str]:
    """Return the annotations by which people know a copy and its lease."""
    found = {
        SOURCE_ANNOTATION: target.source,
        CONTAINER_ANNOTATION: target.target,
        CREATED_BY_ANNOTATION: creation.by,
    }
    if creation.at is not None:
        found[CREATED_AT_ANNOTATION] = creation.at.strftime(API_TIME)
    if creation.reason:
        found[REASON_ANNOTATION] = creation.reason
    return found


def copy_annotations(target: SessionTarget, creation: Creation) -> dict[str, str]:
    """Return the annotations of a copy, by which later sessions find their way in it."""
    found = {
        **creation_annotations(target, creation),
        VIEW_ANNOTATION: target.view,
        ARCH_ANNOTATION: target.arch,
    }
    return found if target.debug_container else {**found, ALONE_ANNOTATION: "true"}


def creator_annotations(longest: float, seed_uid: str | None) -> dict[str, str]:
    """Return what a copy says of the session that creates it; ``longest`` is in seconds."""
    found = {LONGEST_ANNOTATION: str(math.ceil(longest))}
    return found if seed_uid is None else {**found, SEED_ANNOTATION: seed_uid}


def target_of_copy(copy: Json) -> SessionTarget:
    """Return the target of the first session in a copy, as the copy has it.

    Which of the source's volumes it cannot write, and whether the architecture was that of the
    source's node, only the session that created it knows.
    """
    known = annotations_of(copy)
    target = known.get(CONTAINER_ANNOTATION, "")
    container = find(all_containers(copy), target) or {}
    ephemeral = copy["spec"].get("ephemeralContainers") or []
    debug_container: Json = ephemeral[0] if ephemeral else {}
    return SessionTarget(
        kind=TargetKind.COPY,
        namespace=namespace(copy),
        pod=name(copy),
        session_id=session_of(copy),
        debug_container=str(debug_container.get("name", "")),
        target=target,
        source=known.get(SOURCE_ANNOTATION, ""),
        view=APP if known.get(VIEW_ANNOTATION) == APP else TOOLS,
        held=is_held(container),
        seeded=frozenset(str(c["name"]) for c in (container, debug_container) if has_toolkit(c)),
        arch=known.get(ARCH_ANNOTATION, DEFAULT_ARCH),
    )


def creation_of(copy: Json) -> Creation:
    """Return who created a copy, when and why, as far as it says so."""
    known = annotations_of(copy)
    at = api_time(known.get(CREATED_AT_ANNOTATION))
    return Creation(known.get(CREATED_BY_ANNOTATION, ""), at, known.get(REASON_ANNOTATION, ""))


def says_view(copy: Json) -> str:
    """Return the view of the first session as the copy says it; empty if it does not."""
    return annotations_of(copy).get(VIEW_ANNOTATION, "")


def says_copy(pod: Json) -> bool:
    """Say whether a pod says of itself that it is a copy."""
    return SOURCE_ANNOTATION in annotations_of(pod)


def is_alone(copy: Json) -> bool:
    """Say whether no debug container will come beside the copy's target."""
    return ALONE_ANNOTATION in annotations_of(copy)


def is_ours(obj: Json) -> bool:
    """Say whether an object has the label of all that is ours."""
    return labels_of(obj).get(MANAGED_BY) == MANAGER


def session_of(obj: Json) -> str:
    """Return the session that created an object; empty if it does not say so."""
    return labels_of(obj).get(SESSION_LABEL, "")


def longest_of(copy: Json) -> int:
    """Return for how many seconds its first session may last, as the copy says; else 0."""
    said = annotations_of(copy).get(LONGEST_ANNOTATION, "")
    return int(said) if re.fullmatch("[0-9]{1,9}", said) else 0


def seed_uid_of(copy: Json) -> str:
    """Return the UID of the ConfigMap with the seed; empty if the copy does not say it."""
    return annotations_of(copy).get(SEED_ANNOTATION, "")


def is_same_creation(found: Json, manifest: Json) -> bool:
    """Say whether an object has the labels and annotations of ours that a manifest has."""
    labels = {k: labels_of(manifest)[k] for k in (MANAGED_BY, SESSION_LABEL)}
    annotations = {k: v for k, v in annotations_of(manifest).items() if k.startswith(KEY_PREFIX)}
    return (
        labels.items() <= labels_of(found).items()
        and annotations.items() <= annotations_of(found).items()
    )


def why_no_copy(pod: Json) -> str:
    """Return why a pod is no copy of ours; empty if it says of itself that it is one."""
    if not is_ours(pod):
        return f"the pod has no label {MANAGED_BY}={MANAGER}"
    if not session_of(pod):
        return f"the pod has no label {SESSION_LABEL}"
    if not annotations_of(pod).get(SOURCE_ANNOTATION):
        return f"the pod has no annotation {SOURCE_ANNOTATION}"
    return ""


def why_other_session(pod: Json, job: Json) -> str:
    """Return why a Job is not of the session that created a copy; empty if it is."""
    if not is_ours(job):
        return f"job {name(job)} has no label {MANAGED_BY}={MANAGER}"
    if session_of(job) != session_of(pod):
        return f"job {name(job)} and the pod have different labels {SESSION_LABEL}"
    if annotations_of(job).get(SOURCE_ANNOTATION) != annotations_of(pod).get(SOURCE_ANNOTATION):
        return f"job {name(job)} and the pod have different annotations {SOURCE_ANNOTATION}"
    return ""


def session_entry(session_id: str, until: datetime | None) -> dict[str, str | None]:
    """Return a session's entry in the lease, in the cluster's time; None removes it."""
    return {f"{SESSION_ENTRY}{session_id}": None if until is None else until.strftime(API_TIME)}


def sessions_in(job: Json, now: datetime, without: str = "") -> int:
    """Return how many sessions are in a copy by its lease, not counting ``without``."""
    own = f"{SESSION_ENTRY}{without}"
    entries = {k: v for k, v in annotations_of(job).items() if k.startswith(SESSION_ENTRY)}
    return sum(value > now.strftime(API_TIME) for key, value in entries.items() if key != own)


# Containers in place


def target_in_place(source: Json, target: str, session_id: str) -> SessionTarget:
    """Return the target of a session in place, beside a container of the source pod."""
    return SessionTarget(
        kind=TargetKind.IN_PLACE,
        namespace=namespace(source),
        pod=name(source),
        session_id=session_id,
        debug_container=f"{IN_PLACE_PREFIX}{session_id}",
        target=target,
        source=f"{namespace(source)}/{name(source)}",
    )


def with_note(container: Json, note: Note) -> Json:
    """Return a container in place with its note."""
    item = {"name": NOTE, "value": json.dumps(note._asdict(), sort_keys=True)}
    return {**container, "env": [*without_note(container), item]}


def without_note(container: Json) -> list[Json]:
    """Return the variables of a container but its note."""
    return [item for item in container.get("env") or [] if item.get("name") != NOTE]


def note_of(container: Json) -> Note | None:
    """Return the note of a container in place; None for any other container."""
    if not str(container.get("name", "")).startswith(IN_PLACE_PREFIX):
        return None
    texts = [item.get("value") for item in container.get("env") or [] if item.get("name") == NOTE]
    try:
        said = json.loads(str(texts[-1]))
        note = Note(
            by=str(said["by"]),
            form=str(said["form"]),
            limit=float(said["limit"]),
            linger=float(said["linger"]),
            target=str(said["target"]),
        )
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    return note if all(0 <= t <= MOST_SECONDS for t in (note.limit, note.linger)) else None


def targets_in_place(pod: Json) -> Iterator[tuple[SessionTarget, Note]]:
    """Yield the containers in place of a pod, each as a target of sessions, with its note."""
    for container in pod["spec"].get("ephemeralContainers") or []:
        note = note_of(container)
        if note is not None:
            session_id = str(container["name"]).removeprefix(IN_PLACE_PREFIX)
            yield target_in_place(pod, note.target, session_id), note
