"""How far the debug container is, and what can't get better."""

from __future__ import annotations

import pytest

from kubectl_scratch.status import Failed, Ready, Waiting, judge, last_trouble
from tests.support.builders import Json, a_pod, a_waiting_container


def judged(*statuses: Json, **more: object) -> object:
    status = {"ephemeralContainerStatuses": list(statuses), **more}
    return judge(a_pod(status=status, nodeName="node-1"), "scratch")


def test_running_is_ready() -> None:
    assert judged({"name": "scratch", "state": {"running": {}}}) == Ready()


@pytest.mark.parametrize(
    "reason, message",
    [
        ("InvalidImageName", "couldn't parse image reference"),
        ("ErrImageNeverPull", "not present with pull policy of Never"),
        ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
        ("ErrImagePull", 'failed to resolve reference "x": x: not found'),
        ("ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: ... x: not found'),
        ("ErrImagePull", "pull access denied, repository does not exist or may require auth"),
        ("ErrImagePull", "failed to authorize: authorization failed: no basic auth credentials"),
        ("ErrImagePull", "unexpected status code 401 Unauthorized"),
        ("CreateContainerError", 'exec: "sleep": executable file not found in $PATH'),
    ],
)
def test_what_cannot_get_better_fails_with_its_reason(reason: str, message: str) -> None:
    state = judged(a_waiting_container(reason, message))
    assert isinstance(state, Failed)
    assert message in state.why


@pytest.mark.parametrize(
    "reason, message",
    [
        ("ContainerCreating", ""),
        ("ErrImagePull", "dial tcp: lookup registry: i/o timeout"),
        ("ErrImagePull", "unexpected status code 503 Service Unavailable"),
        ("ImagePullBackOff", "Back-off pulling image: toomanyrequests"),
        ("CreateContainerError", "context deadline exceeded"),
        ("AReasonOfTomorrow", "who knows"),
    ],
)
def test_what_may_get_better_is_waited_for(reason: str, message: str) -> None:
    state = judged(a_waiting_container(reason, message))
    assert isinstance(state, Waiting)
    assert message in state.what


def test_a_debug_container_that_ended_tells_its_code() -> None:
    state = judged({"name": "scratch", "state": {"terminated": {"exitCode": 127, "message": "no"}}})
    assert state == Failed("the debug container ended with code 127: no")


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_copy_that_has_ended_takes_no_debugger(phase: str) -> None:
    state = judged(phase=phase, reason="Evicted", message="low on memory")
    assert state == Failed("the copy has ended (Evicted: low on memory)")


def test_a_copy_that_is_being_deleted_fails() -> None:
    pod = a_pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert isinstance(judge(pod, "scratch"), Failed)


def test_an_unschedulable_copy_may_get_a_node() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes available"}
    state = judge(a_pod(status={"conditions": [condition]}), "scratch")
    assert state == Waiting("no node takes the copy: 0/1 nodes available", True)


def test_the_newest_warning_is_the_trouble() -> None:
    events = [
        {"type": "Warning", "reason": "B", "message": "new", "lastTimestamp": "2026-01-02"},
        {"type": "Normal", "reason": "C", "message": "newest", "lastTimestamp": "2026-01-03"},
        {"type": "Warning", "reason": "A", "message": "old", "eventTime": "2026-01-01"},
    ]
    assert last_trouble(events) == "B: new"
