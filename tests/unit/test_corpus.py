"""Pods as an API server returns them, each with its plan, which was read by eye.

REVIEW=1 writes the plans anew; read what changed before you commit it.
"""

from __future__ import annotations

import os
from copy import deepcopy
from pathlib import Path
from typing import cast

import pytest
import yaml

from kubectl_scratch.podcopy import Copied, make_copy
from kubectl_scratch.podjson import all_containers
from tests.support.builders import Json

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = sorted(CORPUS.glob("*.yaml"))
every_pod = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def load(path: Path) -> Json:
    return cast("Json", yaml.safe_load(path.read_text(encoding="utf-8")))


def copy_of(source: Json) -> Copied:
    labels = {"app.kubernetes.io/managed-by": "kubectl-scratch"}
    return make_copy(source, "copy-scratch-bcdfg", labels, {"kubectl-scratch/source": "shop/x"})


def plan_of(copied: Copied) -> str:
    edits = [f"edit {edit.field}: {edit.reason}" for edit in copied.edits]
    findings = [f"{finding.level.name}: {finding.text}" for finding in copied.findings]
    return "\n".join([*edits, *findings, ""])


def test_the_corpus_is_there_and_no_plan_is_left_over() -> None:
    plans = {path.name.removesuffix(".plan.txt") for path in CORPUS.glob("*.plan.txt")}
    assert len(FILES) >= 26
    assert plans == {path.stem for path in FILES} or "REVIEW" in os.environ


@every_pod
def test_a_plan_is_the_one_that_was_reviewed(path: Path) -> None:
    reviewed = path.with_suffix(".plan.txt")
    plan = plan_of(copy_of(load(path)))
    if os.environ.get("REVIEW") == "1":
        reviewed.write_text(plan, encoding="utf-8")
    assert plan == reviewed.read_text(encoding="utf-8")


@every_pod
def test_a_copy_is_no_part_of_production(path: Path) -> None:
    source = load(path)
    before = deepcopy(source)
    copied = copy_of(source).manifest
    assert source == before
    assert copied["metadata"].keys() == {"name", "namespace", "labels", "annotations"}
    forbidden = {"nodeName", "ephemeralContainers", "priority", "priorityClassName", "hostname"}
    assert not forbidden & copied["spec"].keys()
    for container in all_containers(copied):
        assert not {"livenessProbe", "readinessProbe", "startupProbe"} & container.keys()
        assert not any("hostPort" in port for port in container.get("ports") or [])


@every_pod
def test_every_mount_of_a_copy_has_its_volume(path: Path) -> None:
    spec = copy_of(load(path)).manifest["spec"]
    there = {volume["name"] for volume in spec.get("volumes") or []}
    for container in (*spec["containers"], *(spec.get("initContainers") or [])):
        uses = (*(container.get("volumeMounts") or []), *(container.get("volumeDevices") or []))
        assert {use["name"] for use in uses} <= there
