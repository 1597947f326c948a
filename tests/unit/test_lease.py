"""The lease's arithmetic, by the cluster's clock alone."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from kubectl_scratch.plan import lease, metadata
from tests.support.builders import Json
from tests.support.lookalikes import BROKEN, a_pair

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)


def a_job(completed: str | None = "2026-01-01T12:00:00Z") -> Json:
    status = {"completionTime": completed} if completed else {}
    return {"metadata": {"name": "x", "uid": "u"}, "spec": {}, "status": status}


@pytest.mark.parametrize(
    "now, ttl", [("12:00:00", 300), ("12:01:40", 400), ("20:00:00", 28800 + 300), ("11:59:59", 299)]
)
def test_the_ttl_counts_from_the_completion(now: str, ttl: int) -> None:
    moment = datetime.fromisoformat(f"2026-01-01T{now}+00:00")
    assert lease.renewed_ttl(a_job(), moment, 300) == ttl


def test_before_the_job_controller_has_spoken_there_is_nothing_to_renew() -> None:
    assert lease.renewed_ttl(a_job(None), NOON, 300) is None


ENTRY = "session.kubectl-scratch/bcdfg"


def test_a_renewal_names_the_uid_and_keeps_the_entry() -> None:
    assert lease.renewal(a_job(), "bcdfg", NOON, 300) == {
        "metadata": {"uid": "u", "annotations": {ENTRY: "2026-01-01T12:05:00Z"}},
        "spec": {"ttlSecondsAfterFinished": 300},
    }


def test_a_renewal_never_shortens_what_another_session_asked_for() -> None:
    job = a_job()
    job["spec"] = {"ttlSecondsAfterFinished": 4000}
    renewal = lease.renewal(job, "bcdfg", NOON, 300)
    assert renewal["spec"] == {"ttlSecondsAfterFinished": 4000}


def test_before_the_completion_only_the_entry_is_kept() -> None:
    assert "spec" not in lease.renewal(a_job(None), "bcdfg", NOON, 300)


@pytest.mark.parametrize(
    "until, taken", [("2026-01-01T12:00:01Z", 1), ("2026-01-01T12:00:00Z", 0), ("", 0)]
)
def test_an_entry_counts_until_it_expires(until: str, taken: int) -> None:
    job = a_job()
    job["metadata"]["annotations"] = {ENTRY: until, "other": "9999"}
    assert metadata.sessions_in(job, NOON) == taken


def test_the_owner_does_not_control_the_copy() -> None:
    owner = lease.owner_reference(a_job())
    assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "u"}


def test_a_copy_and_its_lease_are_ours() -> None:
    assert lease.why_foreign(*a_pair()) == ""


@pytest.mark.parametrize("change, said", BROKEN.values(), ids=BROKEN)
def test_what_differs_in_one_property_is_not_ours(change: Any, said: str) -> None:
    pod, job = a_pair()
    change(pod, job)
    assert said in lease.why_foreign(pod, job)


def test_a_job_of_another_name_is_no_lease_of_a_pod() -> None:
    pod, job = a_pair()
    job["metadata"]["name"] = "report"
    pod["metadata"]["ownerReferences"] = [lease.owner_reference(job)]
    assert "does not have the pod's name" in lease.why_foreign(pod, job)


def test_a_lease_starts_no_pod_and_ends_by_itself() -> None:
    spec = lease.lease_manifest("x", "bcdfg", "image", 299.5, {})["spec"]
    # Complete at once, since there is nothing to complete; from then on the TTL counts.
    assert (spec["completions"], spec["parallelism"]) == (0, 0)
    assert spec["ttlSecondsAfterFinished"] == 300


def test_a_leave_names_the_uid_and_the_entry() -> None:
    assert lease.leaving("u", "bcdfg") == {"metadata": {"uid": "u", "annotations": {ENTRY: None}}}
