"""What ls tells of copies and of containers in pods."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kubectl_scratch.cli.ls_view import age_words, listing_document, listing_table
from kubectl_scratch.copies.listing import find_listed
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.entrypoint_discovery import discovery_pod_manifest
from tests.support.builders import Json, a_pod
from tests.unit.test_in_place import NOW, planned, with_added

COPY = "mypod-scratch-x7k2p"


def a_copy(name: str = COPY, **fields: Any) -> Json:
    annotations = {
        metadata.SOURCE_ANNOTATION: "default/mypod",
        metadata.CONTAINER_ANNOTATION: "app",
        metadata.VIEW_ANNOTATION: "app",
        "kubectl-scratch/created-by": "alice",
        "kubectl-scratch/reason": "ticket 7",
    }
    described = {
        "labels": metadata.session_labels("x7k2p"),
        "annotations": annotations,
        "creationTimestamp": "2026-01-02T03:01:05Z",
        "ownerReferences": [lease.owner_reference(a_lease(name))],
        **fields.pop("metadata", {}),
    }
    return a_pod(name, metadata=described, status={"phase": "Running"}, **fields)


def a_lease(name: str = COPY, seats: int = 2) -> Json:
    entries: dict[str, str | None] = {}
    for n in range(seats):
        entries |= metadata.session_entry(f"s{n}", NOW + timedelta(seconds=60))
    entries |= metadata.session_entry("old", NOW - timedelta(seconds=60))
    source = {metadata.SOURCE_ANNOTATION: "default/mypod"}
    job = lease.lease_manifest(name, "x7k2p", "i", 300, {**source, **entries})
    job["metadata"].update(namespace="default", uid=f"job-{name}")
    return {**job, "status": {"completionTime": "2026-01-02T03:01:05Z"}}


def told(pods: list[Json], jobs: list[Json], wide: bool = False) -> list[list[str]]:
    """Return the cells of the table."""
    shown = listing_table(find_listed(pods, jobs, NOW), NOW, False, wide).splitlines()
    return [[cell for cell in line.split("  ") if cell] for line in shown]


def test_a_copy_has_the_sessions_and_the_end_of_its_lease() -> None:
    (_, row) = told([a_copy(), a_pod("other")], [a_lease()])
    cells = [cell.strip() for cell in row]
    assert cells == [COPY, "default/mypod", "app", "2", "2m", "3m", "alice"]


def test_without_a_lease_the_sessions_are_unknown() -> None:
    copy = a_copy(activeDeadlineSeconds=3600, metadata={"ownerReferences": []})
    copy["status"]["startTime"] = "2026-01-02T03:04:05Z"
    (_, row) = told([copy], [])
    assert [cell.strip() for cell in row][3:5] == ["<unknown>", "60m"]


def test_a_discovery_pod_is_no_copy_and_a_copy_may_have_any_name() -> None:
    named = a_copy("shop-learn")
    learning = discovery_pod_manifest(
        named, named["spec"]["containers"][0], "shop-learn-learn", "shop-learn"
    )
    (row,) = find_listed([named, learning], [a_lease("shop-learn")], NOW)
    assert row.name == "shop-learn"


def test_a_copy_that_is_being_deleted_is_told_as_such() -> None:
    (_, row) = told([a_copy(metadata={"deletionTimestamp": "2026-01-02T03:04:00Z"})], [a_lease()])
    assert row[4].strip() == "ending"


def test_containers_in_pods_are_told_as_long_as_the_pod_is_there() -> None:
    running = find_listed([with_added(planned(linger=60.0))], [], NOW + timedelta(seconds=5))
    ended = find_listed([with_added(planned(), ended=True)], [], NOW)
    (row,), (gone,) = running, ended
    assert (row.name, row.state, row.by) == ("mypod/scratch-bcdfg", "running", "alice")
    assert row.expires == NOW + timedelta(hours=8, minutes=1)
    assert (gone.state, gone.sessions) == ("ended", 0)
    assert listing_table(ended, NOW, False, False).splitlines()[1].split()[3:5] == ["0", "ended"]


def test_columns_stand_below_their_heads_three_spaces_apart() -> None:
    found = find_listed([a_copy(), a_copy("b")], [a_lease()], NOW)
    head, *rows = listing_table(found, NOW, True, True).splitlines()
    assert head.split()[:2] == ["NAMESPACE", "NAME"] and head.split()[-1] == "REASON"
    for row in rows:
        assert row[head.index("REASON") :] == "ticket 7"
        assert row[head.index("SOURCE") - 3 : head.index("SOURCE")] == "   "


def test_times_are_the_api_s_for_programs() -> None:
    (item,) = listing_document(find_listed([a_copy()], [a_lease()], NOW))["items"]
    assert (item["expires"], item["since"]) == ("2026-01-02T03:06:05Z", "2026-01-02T03:01:05Z")
    assert (item["name"], item["sessions"]) == (COPY, 2)


@pytest.mark.parametrize(
    "seconds, words",
    [
        (-5, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (9 * 3600 + 60, "9h"),
        (50 * 3600, "2d2h"),
        (9 * 86400, "9d"),
    ],
)
def test_an_age_is_written_as_kubectl_does(seconds: int, words: str) -> None:
    assert age_words(timedelta(seconds=seconds)) == words


def test_now_is_the_cluster_s() -> None:
    later = datetime(2026, 1, 2, 4, 4, 5, tzinfo=timezone.utc)
    (row,) = find_listed([a_copy()], [a_lease()], later)
    assert row.sessions == 0
