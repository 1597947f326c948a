"""Waiting, with a clock that only the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kubectl_scratch.errors import CopyNotReady
from kubectl_scratch.session.readiness import Failed, State, Waiting
from kubectl_scratch.session.waiting import (
    Patience,
    innermost_cause,
    poll,
    wait_for,
    without_numbers,
)
from tests.support.builders import Json
from tests.support.clock import FakeClock

STUCK = Waiting("no node can run the copy", unschedulable=True)
SCALING = [{"reason": "TriggeredScaleUp", "message": "pod triggered scale-up"}]


@dataclass
class FakeNews:
    """Word of a start at a time of the clock; ``deaf`` where nothing can be heard."""

    clock: FakeClock
    at: float
    deaf: bool

    def wait(self, seconds: float) -> bool:
        heard = not self.deaf and self.at <= self.clock.now + seconds
        self.clock.now = max(self.clock.now, self.at) if heard else self.clock.now + seconds
        return heard


@dataclass
class Scene:
    """A copy that starts: what it looks like, what its events are, when it answers."""

    state: State = field(default_factory=lambda: Waiting("the node is starting the copy"))
    events: list[Json] = field(default_factory=list)
    tries: int = 0
    better: State | None = None
    answers_at: float = float("inf")
    started_at: float = float("inf")
    deaf: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)

    def attempt(self, state: State) -> str | None:
        self.tries += 1
        return "a shell" if self.clock.now >= self.answers_at else None

    def wait(self, timeout: float = 120) -> str:
        return wait_for(
            self.attempt,
            lambda: self.state,
            lambda: (self.events, self.better),
            self.said.append,
            self.clock,
            Patience(timeout),
            FakeNews(self.clock, self.started_at, self.deaf),
        )


def test_the_first_answer_counts_whatever_the_status_says() -> None:
    assert Scene(answers_at=0.1).wait() == "a shell"


def test_a_start_that_is_told_of_is_tried_at_once_and_not_before() -> None:
    scene = Scene(Waiting("the copy starts", new_pod=True), deaf=False)
    scene.started_at = scene.answers_at = 0.4321
    scene.wait()
    assert (scene.clock.now, scene.tries) == (0.4321, 1)


def test_a_start_that_nobody_tells_of_is_found_out() -> None:
    scene = Scene(Waiting("the copy starts", new_pod=True), answers_at=2, deaf=False)
    assert scene.wait() == "a shell"


def test_what_is_waited_for_is_said() -> None:
    scene = Scene(
        answers_at=4, events=[{"type": "Warning", "reason": "FailedMount", "message": "x"}]
    )
    scene.wait()
    assert scene.said[0] == "the node is starting the copy"
    assert scene.said[-1] == "the node is starting the copy (FailedMount: x)"


def test_a_failure_ends_the_wait() -> None:
    with pytest.raises(CopyNotReady, match="no such image"):
        Scene(state=Failed("no such image")).wait()


def test_an_event_ends_the_wait() -> None:
    with pytest.raises(CopyNotReady, match="not found"):
        Scene(better=Failed("not found")).wait()


def test_the_timeout_carries_the_last_reason() -> None:
    scene = Scene(state=Waiting("the image cannot be pulled yet"))
    with pytest.raises(CopyNotReady) as caught:
        scene.wait(timeout=10)
    assert (caught.value.last, caught.value.waited) == ("the image cannot be pulled yet", 10)


def test_a_copy_that_no_node_takes_fails_before_the_timeout() -> None:
    scene = Scene(state=STUCK)
    with pytest.raises(CopyNotReady, match="no node can run the copy"):
        scene.wait()
    assert 30 <= scene.clock.now < 40


def test_an_autoscaler_that_has_answered_is_waited_for() -> None:
    assert Scene(state=STUCK, events=SCALING, answers_at=90).wait() == "a shell"


def raised(scene: Scene, timeout: float = 120) -> CopyNotReady:
    with pytest.raises(CopyNotReady) as caught:
        scene.wait(timeout)
    return caught.value


def test_the_end_of_a_wait_says_what_helps() -> None:
    hinted = raised(
        Scene(Waiting("init container setup is still running", hint="--skip-init setup")), 10
    )
    assert hinted.hint == "--skip-init setup; raise --timeout"
    plain = raised(Scene(Waiting("the image cannot be pulled yet")), 10)
    assert plain.hint == "raise --timeout"
    hopeless = Waiting("no such secret", hint="create it", hopeless=True)
    early = raised(Scene(hopeless), 4)
    assert (early.waited, early.hint) == (4, "create it")
    failed = raised(Scene(Failed("it ended", hint="--hold", beside=True)))
    assert (failed.waited, failed.hint, failed.beside) == (None, "--hold", True)
    nodeless = raised(Scene(STUCK._replace(hint="--resources none")))
    assert (nodeless.waited, nodeless.hint) == (None, "--resources none")


def test_what_does_not_come_by_itself_is_not_waited_for() -> None:
    scene = Scene(Waiting("no such secret", hint="create it", hopeless=True))
    assert raised(scene).waited is None
    assert 8 <= scene.clock.now < 12
    # Somebody may just be creating it.
    there = Scene(Waiting("no such secret", hopeless=True), answers_at=6)
    assert there.wait() == "a shell"


def test_what_events_are_taken_for_is_told_once() -> None:
    warning = {"type": "Warning", "reason": "FailedMount", "message": "x"}
    scene = Scene(answers_at=4, events=[warning], better=Waiting("no volume (FailedMount: x)"))
    scene.wait()
    assert scene.said[-1] == "no volume (FailedMount: x)"


PULL = (
    "the image cannot be pulled yet (ErrImagePull: failed to pull and unpack image"
    ' "localhost:5000/flaky/app:1": failed to resolve reference "localhost:5000/flaky/app:1":'
    " unexpected status from HEAD request to http://localhost:5000/v2/flaky/app/manifests/1:"
    " 503 Service Unavailable)"
)
PREEMPTION = (
    "no node can run the copy: 0/1 nodes are available: 1 Insufficient cpu. no new claims to"
    " deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
)
# As kube-scheduler 1.28 to 1.34 says it.
UNSCHEDULABLE = [
    (
        "0/4 nodes are available: 1 node(s) had untolerated taint"
        " {node-role.kubernetes.io/control-plane: }, 3 node(s) didn't match Pod's node"
        " affinity/selector. preemption: 0/4 nodes are available: 4 Preemption is not helpful for"
        " scheduling.",
        "no node can run the copy: 1 node(s) had untolerated taint"
        " {node-role.kubernetes.io/control-plane: }, 3 node(s) didn't match Pod's node"
        " affinity/selector",
    ),
    (
        "0/12 nodes are available: 11 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint"
        " {dedicated: gpu}. preemption: 0/12 nodes are available: 12 No preemption victims found.",
        "no node can run the copy: 11 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint"
        " {dedicated: gpu}",
    ),
    (
        "0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 1 node(s) had untolerated"
        " taint {node.kubernetes.io/unreachable: }, 1 node(s) were unschedulable. no new claims to"
        " deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful.",
        "no node can run the copy: 1 node(s) had untolerated taint {a: b}, 1 node(s) had"
        " untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) were unschedulable",
    ),
    (
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
        " not found preemption: 0/1 nodes are available: 1 Preemption is not helpful.",
        "no node can run the copy: pod has unbound immediate PersistentVolumeClaims. not found",
    ),
]


@pytest.mark.parametrize(
    "words, short",
    [
        ("the node is starting the copy", "the node is starting the copy"),
        (
            PULL,
            "the image cannot be pulled yet: unexpected status from HEAD request to"
            " http://localhost:5000/v2/flaky/app/manifests/1: 503 Service Unavailable",
        ),
        (
            "the image cannot be pulled yet (ErrImagePull: failed to pull and unpack image"
            ' "docker.io/none/none:1": failed to do request: lookup docker.io: no such host)'
            " (Failed: Error: ImagePullBackOff)",
            "the image cannot be pulled yet: lookup docker.io: no such host",
        ),
        (PREEMPTION, "no node can run the copy: 0/1 nodes are available: 1 Insufficient cpu"),
        *((f"no node can run the copy: {said}", short) for said, short in UNSCHEDULABLE),
        (
            'the volume is missing (FailedMount: MountVolume.SetUp failed for volume "a: b" :'
            ' secret "x: y" not found, and so it goes on for long)',
            'the volume is missing: secret "x: y" not found, and so it goes on for long',
        ),
        (
            f"the copy starts: {'w' * 60}: couldn't find key 'a: b' in the pod's ConfigMap:"
            f" {'z' * 30}",
            f"the copy starts: {'z' * 30}",
        ),
        (
            f"x: {'w' * 60}: it answered {{'a': {{'b': 1}}, 'c': 2}}, which is odd",
            "x: it answered {'a': {'b': 1}, 'c': 2}, which is odd",
        ),
        (f"x: {'y' * 300}", f"x: {'y' * 160}…"),
        ("z" * 300, f"{'z' * 160}…"),
    ],
    ids=lambda words: words[:30],
)
def test_a_long_reason_is_cut_to_its_innermost_cause(words: str, short: str) -> None:
    assert innermost_cause(words) == short


SAME = [
    ("back-off 10s restarting failed container", "back-off 1m20s restarting failed container"),
    ("waited 1.5s", "waited 300ms"),
    (
        "0/3 nodes are available: 2 Insufficient cpu",
        "0/12 nodes are available: 11 Insufficient cpu",
    ),
    ("(x3 over 12s)", "(x14 over 2m5s)"),
    ("is used by pod(s) web-7d9f8b6c5-xk2lp", "is used by pod(s) web-7d9f8b6c5-bcdfg"),
    ("task 0f4ce1a2b3 not found", "task 9e8d7c6b5a not found"),
    (
        "pod initfail_shop(061adfe8-1ccf-4e75-949e-8a0a25f96122)",
        "pod initfail_shop(ae91fbe3-3155-4b38-aa3c-f60a4290bda6)",
    ),
    ("read tcp 10.0.0.1:34567: i/o timeout", "read tcp 10.0.0.1:45678: i/o timeout"),
]
OTHERS = [
    ("app exited with code 1", "app exited with code 137"),
    ("app was killed by signal 9", "app was killed by signal 11"),
    ("unexpected status 401", "unexpected status 503"),
    ("init container setup is still running", "init container migrate runs"),
    ('secret "a" not found', 'secret "b" not found'),
]


@pytest.mark.parametrize("one, other", SAME, ids=lambda words: words[:30])
def test_a_reason_of_which_only_what_varies_differs_is_the_same(one: str, other: str) -> None:
    assert without_numbers(one) == without_numbers(other)


@pytest.mark.parametrize("one, other", OTHERS, ids=lambda words: words[:30])
def test_another_reason_is_another(one: str, other: str) -> None:
    assert without_numbers(one) != without_numbers(other)


def test_a_poll_gives_the_first_thing_that_comes() -> None:
    clock = FakeClock()
    assert poll(lambda: "it" if clock.now >= 1 else None, clock, 0.25, 3) == "it"
    assert clock.now == 1


def test_a_poll_gives_up_in_time_and_looks_once_at_least() -> None:
    clock, looks = FakeClock(), []
    assert poll(lambda: looks.append(clock.now), clock, 0.5, 1) is None
    assert poll(lambda: "it", clock, 0.5, 0) == "it"
    assert looks == [0, 0.5, 1]
