"""The corpus of broken pods: ``why`` names the cause of each."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cluster.cases import enforce
from tests.cluster.conftest import Cluster, Json, make_namespace
from tests.cluster.why.case import Case

# Each answer is added to this file as a line of JSON, of which tools.why_table makes a table.
TABLE = "SCRATCH_WHY_TABLE"
HALVES = ("first_half", "second_half")
WORKLOADS = ("Pod", "Deployment")
# What is not explained rightly yet, and why; docs/why.md counts it as wrong.
UNEXPLAINED = {
    "script-of-no-interpreter": "the runtime says the same of a program for another architecture",
    "watches-itself": "it runs without the tracer, and says nothing",
    "helper-of-root": "it runs without the tracer, and says nothing",
}
# What a container waits with while nothing is wrong yet.
STARTING = ("ContainerCreating", "PodInitializing")


class Answered(NamedTuple):
    """What was answered about a case."""

    code: int
    answer: Json
    errors: str
    seconds: float

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of the causes, the first one first."""
        found = [cause["kind"] for cause in self.answer.get("causes", [])]
        return found or (["runs"] if self.answer.get("runs") else [])

    @property
    def text(self) -> str:
        """Return all that the first cause says, in small letters."""
        cause: Json = next(iter(self.answer.get("causes", [])), {})
        parts = [cause.get("sentence", ""), *cause.get("evidence", []), cause.get("remedy", "")]
        return "\n".join(parts).lower()

    def missing(self, case: Case) -> list[str]:
        """Return the words that should be in the first cause and are not."""
        return [word for word in case.says if word.lower() not in self.text]

    def is_right(self, case: Case) -> bool:
        """Say whether the first cause is the right one and has what repairs it."""
        return self.kinds[:1] in [[kind] for kind in case.kinds] and not self.missing(case)


def _halves() -> Iterator[tuple[str, Case]]:
    for half in HALVES:
        name = f"tests.cluster.why.{half}"
        if importlib.util.find_spec(name):
            for case in importlib.import_module(name).CASES:
                yield half, case


CORPUS = list(_halves())


@pytest.fixture(scope="session")
def spaces(kubeconfig: Path) -> Iterator[dict[bool, Cluster]]:
    """Give a namespace that enforces nothing and, under True, one that enforces restricted."""
    made = {restricted: make_namespace(kubeconfig) for restricted in (False, True)}
    enforce(made[True], "restricted")
    yield made
    for space in made.values():
        space.nothing_is_left()
        space.kubectl("delete", "namespace", space.namespace, "--wait=false")


@pytest.mark.parametrize(
    ("half", "case"), [pytest.param(*each, id=each[1].name) for each in CORPUS]
)
def test_the_cause_is_named(half: str, case: Case, spaces: dict[bool, Cluster]) -> None:
    space = spaces[case.restricted]
    objects = case.objects()
    try:
        _break(space, case, objects)
        answered = _ask(space, case, objects)
    finally:
        _delete(space, objects)
    _note(half, case, answered)
    if case.name in UNEXPLAINED:
        assert not answered.is_right(case), f"{case.name} is explained now"
        return
    shown = json.dumps(answered.answer, indent=1)
    assert answered.kinds[:1] in [[kind] for kind in case.kinds], f"{shown}\n{answered.errors}"
    assert not answered.missing(case), shown
    # As for grep, 1 says that there is nothing to report.
    assert answered.code == (1 if case.kinds == ("runs",) else 0), shown


def _break(space: Cluster, case: Case, objects: list[Json]) -> None:
    """Make a case's objects and wait until it fails as it should."""
    target, *around = objects
    # A workload comes after what it uses: without a Secret or a quota it would fail otherwise.
    needed = sorted(around, key=lambda item: item["kind"] in WORKLOADS)
    if needed:
        space.apply(*needed)
    for item in needed:
        _wait_for_effect(space, item, needed)
    space.apply(target)
    space.wait_until(lambda: _is_due(space, case, target), f"{case.name}: {case.until}")


def _wait_for_effect(space: Cluster, item: Json, needed: list[Json]) -> None:
    name = item["metadata"]["name"]
    if item["kind"] == "ResourceQuota":
        space.kubectl("wait", "--for=jsonpath={.status.hard}", f"resourcequota/{name}")
    if item["kind"] == "PersistentVolumeClaim" and _has_volume(item, needed):
        space.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", f"pvc/{name}")
    if item["kind"] == "Pod":
        space.ready(name)


def _has_volume(claim: Json, needed: list[Json]) -> bool:
    """Say whether a case brings the volume of a claim: a claim without one stays unbound."""
    volumes = [item for item in needed if item["kind"] == "PersistentVolume"]
    wanted = claim["spec"].get("storageClassName")
    return any(volume["spec"].get("storageClassName") == wanted for volume in volumes)


def _is_due(space: Cluster, case: Case, target: Json) -> bool:
    """Say whether a case is in the state in which it is asked about."""
    name = target["metadata"]["name"]
    if case.until not in ("failing", "running"):
        return _was_warned(space, name, case.until)
    status = space.read("pod", name)["status"]
    return _is_failing(status) if case.until == "failing" else _is_running(status)


def _was_warned(space: Cluster, name: str, reason: str) -> bool:
    """Say whether there is such an event of a pod, or of what a Deployment has made."""
    events = space.read("events", "--field-selector", f"type=Warning,reason={reason}")["items"]
    return any(event["involvedObject"]["name"].startswith(name) for event in events)


def _is_failing(status: Json) -> bool:
    return (
        status["phase"] == "Failed"
        or any(_cannot_be_scheduled(condition) for condition in status.get("conditions", []))
        or any(_has_failed(container) for container in _containers(status))
    )


def _cannot_be_scheduled(condition: Json) -> bool:
    # A node that is full for the moment is nothing that a case is about.
    is_full = "Too many pods" in condition.get("message", "")
    return condition["type"] == "PodScheduled" and condition["status"] == "False" and not is_full


def _has_failed(container: Json) -> bool:
    reason = container["state"].get("waiting", {}).get("reason", STARTING[0])
    return container["restartCount"] > 0 or reason not in STARTING


def _is_running(status: Json) -> bool:
    containers = _containers(status)
    return bool(containers) and all("running" in each["state"] for each in containers)


def _containers(status: Json) -> list[Json]:
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _ask(space: Cluster, case: Case, objects: list[Json]) -> Answered:
    target = case.target or objects[0]["metadata"]["name"]
    began = time.monotonic()
    done = space.scratch("why", target, "-v", "-o", "json", "--for", f"{case.seconds}s")
    seconds = time.monotonic() - began
    return Answered(done.returncode, _parse(done.stdout), done.stderr.decode(), seconds)


def _parse(text: bytes) -> Json:
    """Return the answer, or nothing if there is none."""
    try:
        found: Json = json.loads(text)
    except ValueError:
        return {}
    return found


def _delete(space: Cluster, objects: list[Json]) -> None:
    """Delete a case's objects, so that the next ones have the node to themselves."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    now = ("--ignore-not-found", "--grace-period=1", "--wait=false")
    space.kubectl("delete", *now, "-f", "-", stdin=listed)


def _note(half: str, case: Case, answered: Answered) -> None:
    """Add the answer to the file that the environment names."""
    row: dict[str, Any] = {
        "name": case.name,
        "half": half.removesuffix("_half"),
        "family": case.family,
        "restricted": case.restricted,
        "expected": list(case.kinds),
        "kinds": answered.kinds,
        "missing": answered.missing(case),
        "right": answered.is_right(case),
        "answered": bool(answered.kinds),
        "seconds": round(answered.seconds, 1),
    }
    if path := os.environ.get(TABLE):
        with Path(path).open("a") as table:
            table.write(f"{json.dumps(row)}\n")
