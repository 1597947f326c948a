"""A manifest of a file gives a plan, or words: whatever it has in whatever place."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.objects import REQUIRED_AFFINITY
from kubectl_scratch.lookup.manifest_file import choose_manifest, kind_of
from kubectl_scratch.lookup.manifest_shapes import shape_fault, without_nulls
from kubectl_scratch.lookup.pod_template import pod_of
from kubectl_scratch.plan.inputs import NamespaceFacts
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.plan.storage import Storage
from kubectl_scratch.request import Target
from tests.support.builders import Json, a_container, a_pod, a_request, plan_for
from tests.unit.test_corpus import CORPUS, FILES, NOW, load, neighbours_of

OTHERS: tuple[Any, ...] = (None, "text", "", 7, True, [], {}, [None], ["x"], [{}], {"x": "y"})
DELETED = object()


@cache
def corpus(name: str) -> Json:
    return load(CORPUS / name)


def plan_from_file(manifest: Json, original: Json) -> Plan:
    """Return the plan of ``debug -f`` where the cluster has no such object."""
    chosen = choose_manifest([manifest], "pod.yaml")
    pod = chosen if kind_of(chosen) == "pod" else pod_of(chosen, "shop")
    assert pod is not None
    pod["metadata"].update({"namespace": "shop", "name": pod["metadata"].get("name", "generated")})
    return plan_for(
        pod,
        a_request(target=Target("pod", "x"), image=None),
        now=NOW,
        namespace=NamespaceFacts(neighbours_of(original), {}),
        node_arch="amd64",
        storage=Storage(recursive=False, selinux=True),
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all nodes below the root."""
    if isinstance(value, dict):
        inner = list(value.items())
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    return [found for key, each in inner for found in [(*path, key), *places(each, (*path, key))]]


def changed(manifest: Json, path: tuple[Any, ...], other: Any) -> Json:
    copied = deepcopy(manifest)
    at: Any = copied
    for key in path[:-1]:
        at = at[key]
    if other is DELETED:
        del at[path[-1]]
    else:
        at[path[-1]] = deepcopy(other)
    return copied


def as_workload(pod: Json, kind: str) -> Json:
    """Return a pod as it is, or as the template of a workload."""
    if kind == "Pod":
        return pod
    metadata = {key: pod["metadata"].get(key, {}) for key in ("labels", "annotations")}
    spec: Json = {"template": {"metadata": metadata, "spec": pod["spec"]}}
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    claims = {"volumeClaimTemplates": [{"metadata": {"name": "more"}, "spec": {}}]}
    spec = {**spec, **(claims if kind == "StatefulSet" else {})}
    version = "batch/v1" if kind == "CronJob" else "apps/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "shop"}, "spec": spec}


@given(st.data())
# The same each time: what it finds is no surprise of another change.
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_manifest_gives_a_plan_or_words(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FILES))
    original = corpus(path.name)
    kind = data.draw(st.sampled_from(["Pod", "Pod", "Deployment", "StatefulSet", "CronJob"]))
    manifest = as_workload(original, kind)
    for _ in range(data.draw(st.integers(1, 2))):
        node = data.draw(st.sampled_from(places(manifest)))
        manifest = changed(manifest, node, data.draw(st.sampled_from([DELETED, *OTHERS])))
    try:
        plan_from_file(manifest, original)
    except InvalidRequest as refused:
        assert "\n" not in str(refused)


ENV = {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}


@pytest.mark.parametrize("field", ["volumes", "initContainers", "imagePullSecrets", "tolerations"])
def test_an_empty_list_of_a_pod_is_none(field: str) -> None:
    pod = a_pod()
    pod["spec"][field] = None
    plan_from_file(pod, a_pod())


@pytest.mark.parametrize("field", ["env", "envFrom", "volumeMounts", "ports", "args", "resources"])
def test_an_empty_field_of_a_container_is_none(field: str) -> None:
    plan_from_file(a_pod(containers=[{**a_container(), field: None}]), a_pod())


def test_null_fields_are_ignored() -> None:
    env = [{"name": "X", "valueFrom": {"fieldRef": None}}]
    pod = a_pod(containers=[a_container(env=env)], metadata={"namespace": None, "labels": None})
    plan_from_file(pod, a_pod())


@pytest.mark.parametrize(
    "change, words",
    [
        ({"env": {"X": "1"}}, "spec.containers[0].env is not a list"),
        ({"env": [{"value": "1"}]}, "spec.containers[0].env[0] has no name"),
        ({"env": [None]}, "spec.containers[0].env[0] is not a map"),
        ({"volumeMounts": [{"mountPath": "/x"}]}, "spec.containers[0].volumeMounts[0] has no name"),
        ({"volumeMounts": [{"name": "x"}]}, "has no mountPath"),
        ({"args": [1]}, "spec.containers[0].args[0] is not a string"),
        ({"securityContext": "x"}, "spec.containers[0].securityContext is not a map"),
    ],
)
def test_what_a_cluster_does_not_take_is_named(change: Json, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        plan_from_file(a_pod(containers=[a_container(**change)]), a_pod())
    assert "is not valid" in str(refused.value) and words in str(refused.value)


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_labels_and_annotations_are_texts(field: str) -> None:
    pod = a_pod(containers=[a_container(env=[ENV])], metadata={field: {"app": 7}})
    with pytest.raises(InvalidRequest, match=f"metadata.{field}.app is not a string"):
        plan_from_file(pod, a_pod())


def test_a_claim_s_template_has_a_name() -> None:
    workload = as_workload(a_pod(), "StatefulSet")
    workload["spec"]["volumeClaimTemplates"] = [{"metadata": {}}]
    with pytest.raises(InvalidRequest, match="is not valid"):
        plan_from_file(workload, a_pod())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_manifest_that_a_cluster_takes_is_taken(path: Path) -> None:
    assert shape_fault(without_nulls(load(path))) == ""


@pytest.mark.parametrize(
    "affinity",
    [
        {"nodeAffinity": {REQUIRED_AFFINITY: [{"nodeSelectorTerms": []}]}},
        {"podAffinity": {REQUIRED_AFFINITY: {"topologyKey": "zone"}}},
        {"podAntiAffinity": {REQUIRED_AFFINITY: {}}},
    ],
    ids=lambda value: str(value),
)
def test_an_affinity_is_of_nodes_or_of_pods(affinity: Json) -> None:
    assert REQUIRED_AFFINITY in shape_fault(a_pod(affinity=affinity))
