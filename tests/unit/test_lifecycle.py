"""A copy's life against a cluster that is a dict: what is created, what deleted, in which order."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kubectl_scratch.copies import heartbeat
from kubectl_scratch.copies.add_container import add_first_accepted
from kubectl_scratch.copies.create import CreatedCopy
from kubectl_scratch.copies.created_object import (
    JOB,
    POD,
    CreatedObject,
    Doubt,
    doubt_about,
    uid_of_created,
)
from kubectl_scratch.copies.deletion import Deletion, leftover_copy
from kubectl_scratch.copies.membership import BY_ANOTHER, CopyTerms
from kubectl_scratch.errors import ClusterError, Interrupted
from kubectl_scratch.kube.client import Answer, Client
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.metadata import is_same_creation, session_labels
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.interrupts import Interrupts
from tests.support.builders import Json, a_pod, a_request, plan_for

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
TERMS = CopyTerms(ttl=300.0, deadline=3600.0, longest=28800.0)
MINE: Json = {
    "kind": "Pod",
    "metadata": {
        "name": "x",
        "labels": session_labels("bcdfg"),
        "annotations": {"kubectl-scratch/source": "y"},
    },
}
AN_OBJECT = CreatedObject(POD, "default", "x", "u")
IN_DOUBT = AN_OBJECT._replace(uid="", doubt=Doubt(MINE, likely=True))


class FakeCluster:
    """Objects by their paths; ``calls`` are the changes, ``faults`` errors by verb and plural.

    ``lost`` are the kinds that are created without an answer.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: dict[tuple[str, str], BaseException] = {}
        self.lost: set[str] = set()
        self.access = SimpleNamespace(flags=("--context", "a b"))

    def _called(self, verb: str, path: str) -> None:
        plural = next(p for p in path.split("/") if p in ("jobs", "configmaps", "pods"))
        self.calls.append((verb, plural))
        fault = self.faults.get((verb, plural))
        if fault is not None:
            raise fault

    def create(self, path: str, body: Json) -> Answer:
        self._called("create", path)
        own = {"uid": f"uid-{len(self.objects)}", "namespace": "default"}
        made = {**body, "metadata": {**body["metadata"], **own}}
        self.objects[f"{path}/{body['metadata']['name']}"] = made
        if made["kind"] in self.lost:
            raise ClusterError(0, "Unreachable", "cut")
        return Answer(made, NOON)

    def get(self, path: str, timeout: float | None = None) -> Answer:
        if path not in self.objects:
            raise ClusterError(404, "NotFound", "not found")
        return Answer(self.objects[path], NOON)

    def patch(self, path: str, body: Json, *kind: str, **options: Any) -> Answer:
        self._called("patch", path)
        found = self.objects[path.removesuffix("/ephemeralcontainers")]
        for key, value in (body.get("metadata") or {}).get("annotations", {}).items():
            assert value is None
            found["metadata"]["annotations"].pop(key, None)
        return Answer(found, NOON)

    def delete(self, path: str, uid: str, grace: int, timeout: float) -> Answer:
        self._called("delete", path)
        assert self.get(path).body["metadata"]["uid"] == uid
        return Answer(self.objects.pop(path), NOON)

    def allows(self, *right: str) -> bool:
        return ("create", "jobs") not in self.faults

    def did(self, verb: str) -> list[str]:
        return [plural for called, plural in self.calls if called == verb]


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def a_plan() -> Plan:
    return plan_for(a_pod(), a_request())


def a_copy(cluster: FakeCluster, plan: Plan | None = None) -> CreatedCopy:
    console = Console(io.StringIO())
    return CreatedCopy(plan or a_plan(), TERMS, cast(Client, cluster), Interrupts(), console)


def a_deletion(cluster: FakeCluster) -> Deletion:
    return Deletion(cast(Client, cluster), Interrupts(), Console(io.StringIO()))


def refused(status: int) -> ClusterError:
    return ClusterError(status, "Because", f"it is a {status}")


def test_what_was_created_is_deleted_in_reverse(cluster: FakeCluster) -> None:
    with a_copy(cluster):
        assert cluster.did("create")[0] == "jobs"
        assert cluster.did("create")[-1] == "pods"
    assert cluster.did("delete") == ["pods", "jobs"]


@pytest.mark.parametrize(
    ("fails", "status", "deleted"),
    [
        (("create", "jobs"), 422, []),
        (("create", "configmaps"), 422, ["jobs"]),
        (("create", "pods"), 422, ["jobs"]),
        (("create", "pods"), 409, ["jobs"]),
    ],
)
def test_a_failed_beginning_deletes_what_there_is(
    cluster: FakeCluster, fails: tuple[str, str], status: int, deleted: list[str]
) -> None:
    cluster.faults[fails] = refused(status)
    plan = a_plan()._replace(seed={**MINE, "binaryData": {"seed": ""}})
    with pytest.raises(ClusterError), a_copy(cluster, plan):
        pass
    assert cluster.did("delete") == deleted


def test_a_signal_in_a_creation_deletes_what_there_is(cluster: FakeCluster) -> None:
    cluster.faults["create", "pods"] = Interrupted(2)
    with pytest.raises(Interrupted), a_copy(cluster):
        pass
    assert cluster.did("delete") == ["jobs"]


@pytest.mark.parametrize(("kind", "deleted"), [("Pod", ["pods", "jobs"]), ("Job", ["jobs"])])
def test_what_was_created_without_an_answer_is_deleted(
    cluster: FakeCluster, kind: str, deleted: list[str]
) -> None:
    cluster.lost = {kind}
    with pytest.raises(ClusterError), a_copy(cluster):
        pass
    assert cluster.did("delete") == deleted


def test_a_copy_with_another_session_in_it_is_kept(cluster: FakeCluster) -> None:
    with a_copy(cluster):
        (job,) = (each for each in cluster.objects.values() if each["kind"] == "Job")
        job["metadata"]["annotations"]["session.kubectl-scratch/zzzzz"] = "2999-01-01T00:00:00Z"
    assert cluster.did("delete") == []


def test_without_a_lease_the_copy_alone_is_deleted(cluster: FakeCluster) -> None:
    cluster.faults["create", "jobs"] = refused(403)
    with a_copy(cluster) as copy:
        assert copy.deadline == TERMS.deadline
    assert cluster.did("delete") == ["pods"]


def test_what_can_not_be_deleted_is_left_over(cluster: FakeCluster) -> None:
    cluster.faults["delete", "pods"] = refused(403)
    with a_copy(cluster) as copy:
        pass
    assert cluster.did("delete") == ["pods", "jobs"]
    assert copy.leftover is not None
    assert copy.leftover.command.endswith(f"--now pod/{copy.place.pod}")
    assert "5m" in copy.leftover.otherwise


def test_why_a_copy_is_gone(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_copy(cluster) as copy:
        assert copy.why_gone() == BY_ANOTHER
        monkeypatch.setattr(heartbeat, "_elapsed", lambda since: TERMS.ttl)
        assert "lease of 5m" in copy.why_gone()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422, 429])
def test_after_a_refusal_nothing_is_looked_for(status: int) -> None:
    assert doubt_about(refused(status), MINE) is None


@pytest.mark.parametrize("status", [0, 408, 409, 499, 500, 502, 503, 504])
def test_other_answers_leave_a_doubt(status: int) -> None:
    assert doubt_about(refused(status), MINE) == Doubt(MINE, likely=status != 409)


@pytest.mark.parametrize("error", [Interrupted(2), ValueError()], ids=repr)
def test_what_is_no_answer_leaves_a_doubt(error: BaseException) -> None:
    assert doubt_about(error, MINE) == Doubt(MINE, likely=True)


@pytest.mark.parametrize("other", [{"kind": "Job"}, {"metadata": {"name": "z", "uid": "u"}}])
def test_an_answer_about_another_object_is_an_error(other: Json) -> None:
    made = {**MINE, "metadata": {"name": "x", "uid": "u"}}
    assert uid_of_created(made, MINE) == "u"
    with pytest.raises(ClusterError):
        uid_of_created({**made, **other}, MINE)


def test_a_creation_is_known_by_its_labels_and_marks() -> None:
    known = MINE["metadata"]
    more = {**known, "labels": {**known["labels"], "a": "b"}}
    assert is_same_creation({"metadata": more}, MINE)
    for part in ("labels", "annotations"):
        assert not is_same_creation({"metadata": {**known, part: {}}}, MINE)


@pytest.mark.parametrize("kept", [False, True])
def test_in_doubt_only_what_is_ours_is_deleted(cluster: FakeCluster, kept: bool) -> None:
    metadata = {**MINE["metadata"], "uid": "u", **({"labels": {}} if kept else {})}
    cluster.objects[IN_DOUBT.path] = {"metadata": metadata}
    assert a_deletion(cluster).delete(IN_DOUBT) == ""
    assert bool(cluster.objects) is kept


def test_in_doubt_what_is_not_there_is_no_leftover(cluster: FakeCluster) -> None:
    assert a_deletion(cluster).delete_all([IN_DOUBT]) == []
    assert cluster.calls == []


def test_one_that_stays_keeps_no_other(cluster: FakeCluster) -> None:
    job = AN_OBJECT._replace(kind=JOB)
    cluster.objects[job.path] = {"metadata": {"uid": "u"}}
    cluster.objects[AN_OBJECT.path] = {"metadata": {"uid": "u"}}
    cluster.faults["delete", "pods"] = refused(403)
    assert a_deletion(cluster).delete_all([job, AN_OBJECT]) == [(AN_OBJECT, "it is a 403")]
    assert list(cluster.objects) == [AN_OBJECT.path]


def test_the_command_names_all_that_is_left() -> None:
    left = [(AN_OBJECT, "because"), (AN_OBJECT._replace(kind=JOB), "later")]
    error = leftover_copy(left, ("--context", "a b"), "else")
    assert error.command == "kubectl delete --context 'a b' -n default --now pod/x job/x"
    assert (error.cause, error.otherwise) == ("because", "else")


@pytest.mark.parametrize(
    ("codes", "taken"), [([0], 0), ([403, 0], 1), ([422, 400, 0], 2), ([403, 403], None)]
)
def test_the_first_accepted_form_is_added(codes: list[int], taken: int | None) -> None:
    choices = tuple(Candidate(str(n), {}) for n, _ in enumerate(codes))

    def add(choice: Candidate) -> None:
        code = codes[int(choice.profile)]
        if code:
            raise refused(code)

    if taken is None:
        with pytest.raises(ClusterError):
            add_first_accepted(choices, add)
    else:
        assert add_first_accepted(choices, add) is choices[taken]


def test_an_error_that_is_no_refusal_ends_the_tries() -> None:
    tried = []

    def add(choice: Candidate) -> None:
        tried.append(choice)
        raise refused(500)

    with pytest.raises(ClusterError):
        add_first_accepted((Candidate("a", {}), Candidate("b", {})), add)
    assert len(tried) == 1
