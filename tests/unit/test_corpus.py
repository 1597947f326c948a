"""Pods as an API server returns them, each with its plan, which was read by eye.

The plan is the one that ``debug`` makes without flags, in a namespace with what belongs to such
a pod. To write the plans anew, and then read what changed before it is committed:

    REVIEW=1 python -m pytest tests/unit/test_corpus.py
"""

from __future__ import annotations

import os
from copy import deepcopy
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

import pytest
import yaml

from kubectl_scratch.cli import plan_view
from kubectl_scratch.kube.objects import all_containers, find, init_containers, labels_of, volumes
from kubectl_scratch.kube.selectors import NamespaceSelectors, Selector, matches
from kubectl_scratch.plan.inputs import NamespaceFacts
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.plan.podcopy.container_edits import plain_init
from kubectl_scratch.plan.seed import DEBUG_TOOLKIT_VOLUME, SEED_VOLUME, TOOLKIT_VOLUME
from kubectl_scratch.plan.storage import Storage
from kubectl_scratch.request import Target
from tests.support.builders import Json, a_request, plan_for

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = sorted(CORPUS.glob("*.yaml"))
every_pod = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

# What has no copy, and why; no other is refused.
REFUSED = {
    "sub-path-unknown": "use --skip-volume data to copy without it",
    "unbound-claim": "claim pending-store is not bound yet",
    "windows": "it is a Windows pod",
}
NOW = datetime(2026, 3, 2, 9, 20, tzinfo=timezone.utc)
OURS = {SEED_VOLUME, TOOLKIT_VOLUME, DEBUG_TOOLKIT_VOLUME}


def load(path: Path) -> Json:
    return cast("Json", yaml.safe_load(path.read_text(encoding="utf-8")))


def neighbours_of(source: Json) -> NamespaceSelectors:
    """Return what selects such a pod in its namespace: its controller, a Service, a policy."""
    labels = labels_of(source)
    by_hash = ("app", "pod-template-hash", "batch.kubernetes.io/controller-uid")
    controllers = [
        Selector(owner["kind"], owner["name"], {"matchLabels": _some(labels, *by_hash)})
        for owner in source["metadata"].get("ownerReferences") or []
        if owner["kind"] != "Node"
    ]
    listens = any(container.get("ports") for container in source["spec"]["containers"])
    served = _some(labels, "app") if listens else {}
    services = [Selector("Service", "x", {"matchLabels": served})] if served else []
    part = {"matchLabels": {"app.kubernetes.io/part-of": "shop"}}
    return NamespaceSelectors(
        controllers=tuple(controllers),
        services=tuple(services),
        policies=(Selector("NetworkPolicy", "shop", part),),
    )


def _some(labels: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: labels[key] for key in keys if key in labels}


def claims_of(source: Json) -> dict[str, Json]:
    """Return the pod's claims; one whose name says so is not bound yet."""
    named = [(v.get("persistentVolumeClaim") or {}).get("claimName") for v in volumes(source)]
    phases = {name: "Pending" if name.startswith("pending-") else "Bound" for name in named if name}
    return {name: {"status": {"phase": phase}} for name, phase in phases.items()}


def plan_of(source: Json) -> Plan:
    request = a_request(target=Target("pod", source["metadata"]["name"]), image=None)
    facts = NamespaceFacts(neighbours_of(source), claims_of(source))
    return plan_for(
        source,
        request,
        now=NOW,
        namespace=facts,
        node_arch="amd64",
        storage=Storage(recursive=False),
    )


def test_the_corpus_is_there_and_no_plan_is_left_over() -> None:
    plans = {path.name.removesuffix(".plan.txt") for path in CORPUS.glob("*.plan.txt")}
    assert len(FILES) == 47
    assert plans == {path.stem for path in FILES} or "REVIEW" in os.environ


@every_pod
def test_a_plan_is_the_one_that_was_reviewed(path: Path) -> None:
    reviewed = path.with_suffix(".plan.txt")
    plan = "".join(f"{line}\n" for line in plan_view.plan_lines(plan_of(load(path))))
    if os.environ.get("REVIEW") == "1":
        reviewed.write_text(plan, encoding="utf-8")
    assert plan == reviewed.read_text(encoding="utf-8")


@every_pod
def test_what_has_no_copy_is_refused_and_nothing_else(path: Path) -> None:
    blockers = [finding.text for finding in plan_of(load(path)).blockers]
    assert bool(blockers) is (path.stem in REFUSED)
    assert all(REFUSED[path.stem] in text for text in blockers)


@every_pod
def test_a_copy_is_no_part_of_production(path: Path) -> None:
    source = load(path)
    before = deepcopy(source)
    plan = plan_of(source)
    copied = plan.copy
    assert source == before
    assert copied["metadata"].keys() == {"name", "namespace", "labels", "annotations"}
    forbidden = {"nodeName", "ephemeralContainers", "priority", "priorityClassName", "subdomain"}
    assert not forbidden & copied["spec"].keys()
    around = neighbours_of(source)
    harmful = (*around.controllers, *around.services)
    assert not [s.name for s in harmful if matches(s.selector, labels_of(copied))]
    for container in all_containers(copied):
        # Only what others wait for is asked whether it has started.
        sidecar = container in init_containers(copied) and container not in plain_init(copied)
        probes = {"livenessProbe", "readinessProbe", *(() if sidecar else ("startupProbe",))}
        assert not probes & container.keys()
        assert not any("hostPort" in port for port in container.get("ports") or [])


@every_pod
def test_every_mount_of_a_copy_has_its_volume(path: Path) -> None:
    copied = plan_of(load(path)).copy
    there = {volume["name"] for volume in volumes(copied)}
    for container in all_containers(copied):
        uses = (*(container.get("volumeMounts") or []), *(container.get("volumeDevices") or []))
        assert {use["name"] for use in uses} <= there


@every_pod
def test_the_target_has_the_tools_and_idles_where_the_plan_says_so(path: Path) -> None:
    plan = plan_of(load(path))
    if path.stem == "windows":
        assert not plan.place.has_seed and plan.seed is None
        return
    target = find(all_containers(plan.copy), plan.place.target)
    assert target is not None and {volume["name"] for volume in volumes(plan.copy)} >= OURS
    mounted = {mount["name"] for mount in target["volumeMounts"]}
    assert {SEED_VOLUME, TOOLKIT_VOLUME} <= mounted
    assert (target.get("command", [""])[0] == "/.scratch-seed/seed") is plan.place.held
