"""Which pod is taken of several, and the pod that a template makes."""

from __future__ import annotations

import pytest

from kubectl_scratch.lookup.pod_selection import candidate_pods, crash_reason, why_chosen
from kubectl_scratch.lookup.pod_template import pod_of
from tests.support.builders import Json, a_pod

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
UNREADY = {"conditions": [{"type": "Ready", "status": "False"}]}


def a_status(**container: Json | bool) -> Json:
    return {**UNREADY, "containerStatuses": [{"name": "app", **container}]}


LOOPING = a_status(state={"waiting": {"reason": "CrashLoopBackOff"}})
ENDED = a_status(state={"terminated": {"exitCode": 3, "reason": "Error"}})
BETWEEN = a_status(
    state={"running": {}}, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
)
RECOVERED = {
    **READY,
    "containerStatuses": [
        {"name": "app", "ready": True, "lastState": {"terminated": {"exitCode": 1}}}
    ],
}
DONE = {**UNREADY, "phase": "Succeeded"}


def made_at(minute: int, **metadata: object) -> Json:
    return {"creationTimestamp": f"2026-01-01T12:{minute:02}:00Z", **metadata}


@pytest.mark.parametrize(
    "status, word",
    [
        (LOOPING, "CrashLoopBackOff"),
        (ENDED, "Error"),
        (BETWEEN, "OOMKilled"),
        (RECOVERED, ""),
        (DONE, ""),
        (READY, ""),
        ({}, ""),
    ],
)
def test_how_a_pod_crashes(status: Json, word: str) -> None:
    assert crash_reason(a_pod(status=status)) == word


def test_crashing_comes_before_not_ready_before_the_newest() -> None:
    pods = [
        a_pod("old", status=READY, metadata=made_at(1)),
        a_pod("new", status=READY, metadata=made_at(2)),
        a_pod("starting", status=UNREADY, metadata=made_at(0)),
        a_pod("crashing", status=LOOPING, metadata=made_at(0)),
        a_pod("done", status=DONE, metadata=made_at(3)),
        a_pod("going", status=LOOPING, metadata=made_at(9, deletionTimestamp="2026")),
    ]
    names = [pod["metadata"]["name"] for pod in candidate_pods(pods)]
    assert names == ["crashing", "starting", "done", "new", "old", "going"]
    words = [why_chosen(pod) for pod in candidate_pods(pods)]
    assert words[0] == "it is crashing (CrashLoopBackOff)"
    assert words[1:3] == ["it is not ready", "it is the newest"]


def test_a_copy_is_never_a_candidate() -> None:
    marks = {"annotations": {"kubectl-scratch/source": "default/mypod"}}
    assert candidate_pods([a_pod(metadata=marks)]) == []


def test_the_first_member_of_a_statefulset_has_its_claims() -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "app"}]}}
    claims = [{"metadata": {"name": "data"}}]
    spec = {"template": template, "volumeClaimTemplates": claims}
    pod = pod_of({"metadata": {"name": "db"}, "spec": spec}, "shop")
    assert pod is not None
    assert pod["metadata"] == {"labels": {"app": "db"}, "name": "db", "namespace": "shop"}
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}
    assert pod["spec"]["volumes"] == [claim]


def test_a_cronjob_s_template_lies_in_its_job_s() -> None:
    template = {"spec": {"containers": [{"name": "app"}], "restartPolicy": "Never"}}
    spec = {"jobTemplate": {"spec": {"template": template}}}
    pod = pod_of({"metadata": {"name": "nightly"}, "spec": spec}, "shop")
    assert pod is not None and pod["spec"] == template["spec"]


def test_a_service_has_no_template() -> None:
    assert pod_of({"metadata": {"name": "web"}, "spec": {"selector": {}}}, "shop") is None
