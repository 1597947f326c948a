"""The lease's arithmetic, by the cluster's clock alone."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kubectl_scratch import lease
from tests.support.builders import Json

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)


def a_job(completed: str | None = "2026-01-01T12:00:00Z") -> Json:
    status = {"completionTime": completed} if completed else {}
    return {"metadata": {"name": "x", "uid": "u"}, "status": status}


@pytest.mark.parametrize(
    "now, ttl", [("12:00:00", 300), ("12:01:40", 400), ("20:00:00", 28800 + 300), ("11:59:59", 299)]
)
def test_the_ttl_counts_from_the_completion(now: str, ttl: int) -> None:
    moment = lease.server_time(f"Thu, 01 Jan 2026 {now} GMT")
    assert lease.renewed_ttl(a_job(), moment, 300) == ttl


def test_before_the_job_controller_has_spoken_there_is_nothing_to_renew() -> None:
    assert lease.renewed_ttl(a_job(None), NOON, 300) is None


def test_a_renewal_names_the_uid() -> None:
    assert lease.renewal_patch(a_job(), 400) == {
        "metadata": {"uid": "u"},
        "spec": {"ttlSecondsAfterFinished": 400},
    }


def test_the_owner_does_not_control_the_copy() -> None:
    owner = lease.owner_reference(a_job())
    assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "u"}
