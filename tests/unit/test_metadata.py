"""Labels, annotations and notes of ours: what is written is read, and nothing raises."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.copies.listing import listed_copy
from kubectl_scratch.plan import metadata
from kubectl_scratch.plan.lease import lease_manifest
from kubectl_scratch.plan.metadata import Creation, Note
from kubectl_scratch.plan.model import SessionTarget, TargetKind
from kubectl_scratch.plan.seed import seed_mounts
from kubectl_scratch.runtime.names import ARCHITECTURES
from kubectl_scratch.toolkit.archive import SEED
from tests.support.builders import Json, a_container, a_pod

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
IDS = st.text("bcdfghjklmnpqrstvwxz2456789", min_size=5, max_size=5)
TEXTS = st.text(max_size=12)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2900, 1, 1)).map(
    lambda at: at.replace(microsecond=0, tzinfo=timezone.utc)
)
CREATIONS = st.builds(Creation, TEXTS, st.none() | TIMES, TEXTS)


@st.composite
def targets(draw: st.DrawFn) -> SessionTarget:
    target, namespace = draw(NAMES), draw(NAMES)
    beside = draw(st.sampled_from(["", f"scratch-{draw(IDS)}"]))
    there = [target, *([beside] if beside else [])]
    return SessionTarget(
        kind=TargetKind.COPY,
        namespace=namespace,
        pod=draw(NAMES),
        session_id=draw(IDS),
        debug_container=beside,
        target=target,
        source=f"{namespace}/{draw(NAMES)}",
        view=draw(st.sampled_from(["app", "tools"])),
        held=draw(st.booleans()),
        seeded=draw(st.frozensets(st.sampled_from(there))),
        arch=draw(st.sampled_from(ARCHITECTURES)),
    )


def copy_of(target: SessionTarget, creation: Creation) -> Json:
    """Return a copy as it is created for a session, by the parts of it that are read again."""

    def container(name: str, **fields: Any) -> Json:
        seeded = {"volumeMounts": seed_mounts()} if name in target.seeded else {}
        return a_container(name, **seeded, **fields)

    held = {"command": [SEED, "hold", "spec", "1", "--"]} if target.held else {}
    described = {
        "labels": metadata.session_labels(target.session_id),
        "annotations": metadata.copy_annotations(target, creation),
    }
    beside = [container(target.debug_container)] if target.debug_container else []
    return a_pod(
        target.pod,
        [container(target.target, **held)],
        target.namespace,
        described,
        ephemeralContainers=beside,
    )


@given(targets(), CREATIONS)
def test_what_is_written_for_a_session_is_read_as_that_session(
    target: SessionTarget, creation: Creation
) -> None:
    copy = copy_of(target, creation)
    assert metadata.target_of_copy(copy) == target
    assert metadata.creation_of(copy) == creation
    assert metadata.why_no_copy(copy) == ""
    assert metadata.is_alone(copy) is not bool(target.debug_container)
    annotations = metadata.creation_annotations(target, creation)
    job = lease_manifest(target.pod, target.session_id, "i", 300, annotations)
    assert metadata.why_other_session(copy, job) == ""
    assert metadata.is_same_creation(copy, copy)


@given(NAMES, NAMES, IDS, TEXTS, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_container_in_place_is_read_as_it_is_written(
    namespace: str, pod: str, session_id: str, by: str, limit: float, linger: float
) -> None:
    source = a_pod(pod, namespace=namespace)
    target = metadata.target_in_place(source, "app", session_id)
    note = Note(by, "f", limit, linger, "app")
    container = metadata.with_note(a_container(target.container), note)
    source["spec"]["ephemeralContainers"] = [a_container("debugger-x"), container]
    assert list(metadata.targets_in_place(source)) == [(target, note)]


KEYS = [value for key, value in vars(metadata).items() if key.endswith("_ANNOTATION")]
STRANGE = st.dictionaries(st.sampled_from(KEYS), TEXTS | st.sampled_from(["app", "9" * 12]))
LABELS = st.dictionaries(
    st.sampled_from([metadata.MANAGED_BY, metadata.SESSION_LABEL]),
    TEXTS | st.just(metadata.MANAGER),
)


@given(st.none() | STRANGE, st.none() | LABELS, st.lists(st.none() | TEXTS, max_size=2))
def test_what_a_stranger_writes_is_read_without_an_error(
    annotations: dict[str, str] | None, labels: dict[str, str] | None, notes: list[str | None]
) -> None:
    env = [{"name": metadata.NOTE, "value": text} for text in notes]
    added = [{"name": f"scratch-{number}", "env": env} for number in range(2)]
    described = {"annotations": annotations, "labels": labels}
    pod = a_pod(metadata=described, ephemeralContainers=added)
    found = metadata.target_of_copy(pod)
    assert found.view in ("app", "tools") and found.kind is TargetKind.COPY
    assert metadata.longest_of(pod) >= 0
    assert listed_copy(pod, pod, NOW).source == found.source
    assert list(metadata.targets_in_place(pod)) == []
    metadata.creation_of(pod)
    metadata.is_alone(pod)
    metadata.why_no_copy(pod)
    metadata.seed_uid_of(pod)


def test_a_session_is_in_the_lease_until_it_leaves_or_its_time_is_up() -> None:
    entries = {
        **metadata.session_entry("aaaaa", NOW + timedelta(seconds=1)),
        **metadata.session_entry("bbbbb", NOW),
        **metadata.session_entry("ccccc", NOW + timedelta(hours=1)),
    }
    job = lease_manifest("x", "aaaaa", "i", 300, entries)
    assert metadata.sessions_in(job, NOW) == 2
    assert metadata.sessions_in(job, NOW, without="ccccc") == 1
    assert metadata.session_entry("aaaaa", None) == {"session.kubectl-scratch/aaaaa": None}
