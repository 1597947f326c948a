"""What the app reads of its own pod, in the copy: every path that Kubernetes allows."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from kubectl_scratch.kube.objects import all_containers, annotations_of, find, volumes
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.podcopy.downward_api import format_map
from kubectl_scratch.plan.podcopy.manifest import Copied
from kubectl_scratch.plan.seed import Entrypoint, Seeding
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_container, a_pod, copy_for

LABELS, MARKS = {"ours": "yes"}, {"kubectl-scratch/source": "default/db-0"}
METADATA: Json = {
    "uid": "7c9",
    "labels": {"app": "db", "apps.kubernetes.io/pod-index": "0", "price": "$(HOME)$$"},
    "annotations": {"team": 'a "b"\n\u00e9\u200b', "Mixed.case/Key": "x"},
}
STATUS: Json = {
    "hostIP": "10.0.0.1",
    "hostIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
    "podIP": "10.1.0.9",
    "podIPs": [{"ip": "10.1.0.9"}, {"ip": "fd01::9"}],
}
RESOURCES: Json = {
    "limits": {"cpu": "1500m", "memory": "1Gi", "ephemeral-storage": "3k", "hugepages-2Mi": "4Mi"},
    "requests": {"cpu": "250m", "memory": "100M", "ephemeral-storage": "1", "hugepages-2Mi": "4Mi"},
}
OWN = "the copy's own"


def a_source(**fields: Any) -> Json:
    return a_pod("db-0", metadata=METADATA, status=STATUS, nodeName="node-1", **fields)


def copy_of(
    source: Json,
    held: bool = False,
    hold_all: bool = False,
    target: str = "app",
    target_runs: bool = False,
    **wanted: Any,
) -> Copied:
    entry = Entrypoint("spec", 1, ("/app",)) if held else None
    seeding = Seeding("x", "amd64", target, entry, hold_all)
    options = CopyOptions(**wanted)
    return copy_for(
        *(source, "db-0-copy", LABELS, MARKS, options, target),
        seeding=seeding,
        target_runs=target_runs,
    )


def texts(copied: Copied, level: Level) -> str:
    return "\n".join(finding.text for finding in copied.findings if finding.level is level)


def by_field(path: str) -> Json:
    return {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}


def by_resource(resource: str, **more: str) -> Json:
    return {"resourceFieldRef": {"resource": resource, **more}}


def read_env(item: Json) -> str:
    """Return what the kubelet gives an app, as far as it is not the copy's own."""
    if "valueFrom" in item:
        return OWN
    return str(item["value"]).replace("$$", "$")


def read_file(copied: Copied, volume: str) -> str:
    """Return what the kubelet writes into the one file, as far as it is not the copy's own."""
    found = find(volumes(copied.manifest), volume)
    assert found is not None
    projected = found.get("projected", {"sources": [found]})
    (item,) = projected["sources"][0]["downwardAPI"]["items"]
    assert item["path"] == "file" and item["mode"] == 0o400
    path = item.get("fieldRef", {}).get("fieldPath", "")
    if not path.startswith("metadata.annotations['kubectl-scratch/"):
        return OWN
    assert "resourceFieldRef" not in item
    return annotations_of(copied.manifest)[path.split("'")[1]]


FIELDS = [
    # path, in a running target, in a held one
    ("metadata.name", OWN, "db-0"),
    ("metadata.namespace", OWN, OWN),
    ("metadata.uid", OWN, OWN),
    ("metadata.labels['app']", "db", "db"),
    ("metadata.labels['apps.kubernetes.io/pod-index']", "0", "0"),
    ("metadata.labels['price']", "$(HOME)$$", "$(HOME)$$"),
    ("metadata.labels['gone']", "", ""),
    ("metadata.labels['ours']", "", ""),
    ("metadata.annotations['team']", 'a "b"\n\u00e9\u200b', 'a "b"\n\u00e9\u200b'),
    ("metadata.annotations['Mixed.case/Key']", "x", "x"),
    ("metadata.annotations['gone']", "", ""),
]
OF_ENV = [
    ("spec.nodeName", OWN, OWN),
    ("spec.host", OWN, OWN),
    ("spec.serviceAccountName", OWN, OWN),
    ("status.hostIP", OWN, OWN),
    ("status.hostIPs", OWN, OWN),
    ("status.podIP", OWN, OWN),
    ("status.podIPs", OWN, OWN),
    ("status.of-tomorrow", OWN, OWN),
]
OF_VOLUMES = [
    (
        "metadata.labels",
        'app="db"\napps.kubernetes.io/pod-index="0"\nprice="$(HOME)$$"',
        'app="db"\napps.kubernetes.io/pod-index="0"\nprice="$(HOME)$$"',
    ),
    (
        "metadata.annotations",
        'Mixed.case/Key="x"\nkubernetes.io/config.source="api"\nteam="a \\"b\\"\\n\u00e9\\u200b"',
        'Mixed.case/Key="x"\nkubernetes.io/config.source="api"\nteam="a \\"b\\"\\n\u00e9\\u200b"',
    ),
]


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
@pytest.mark.parametrize("path, running, held", [*FIELDS, *OF_ENV])
def test_a_variable_has_the_source_s_value(kind: str, path: str, running: str, held: str) -> None:
    env = [{"name": "FIRST", "value": "$(X)"}, {"name": "X", "valueFrom": by_field(path)}]
    last = {"name": "LAST", "value": "of $(X)"}
    source = a_source()
    source["spec"].setdefault(kind, []).append(a_container("reader", env=[*env, last]))
    before = deepcopy(source)
    for holds, expected in ((False, running), (True, held)):
        target = "reader" if kind == "containers" else "app"
        copied = copy_of(source, holds, target=target)
        (reader,) = (c for c in all_containers(copied.manifest) if c["name"] == "reader")
        assert [item["name"] for item in reader["env"]] == ["FIRST", "X", "LAST"]
        assert reader["env"][1]["name"] == "X" and read_env(reader["env"][1]) == expected
        if expected is not OWN:
            # What the kubelet expands must be escaped.
            assert "$(" not in str(reader["env"][1]["value"]).replace("$$", "")
            assert "reader.env" in [edit.field for edit in copied.edits]
    assert source == before


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("path, running, held", [*FIELDS, *OF_VOLUMES])
def test_a_file_has_the_source_s_value(projected: bool, path: str, running: str, held: str) -> None:
    volume: Json = {"downwardAPI": {"items": [{"path": "file", "mode": 0o400, **by_field(path)}]}}
    volume = (
        {"projected": {"sources": [volume, {"configMap": {"name": "x"}}]}} if projected else volume
    )
    mounts = [{"name": "podinfo", "mountPath": "/etc/podinfo"}]
    source = a_source(
        containers=[a_container(volumeMounts=mounts)], volumes=[{"name": "podinfo", **volume}]
    )
    before = deepcopy(source)
    for holds, expected in ((False, running), (True, held)):
        assert read_file(copy_of(source, holds), "podinfo") == expected
    assert source == before


RESOURCE_ROWS = [
    ("limits.cpu", {}, "2"),
    ("limits.cpu", {"divisor": "0"}, "2"),
    ("limits.cpu", {"divisor": "1m"}, "1500"),
    ("limits.memory", {}, "1073741824"),
    ("limits.memory", {"divisor": "1Mi"}, "1024"),
    ("limits.memory", {"divisor": "1G"}, "2"),
    ("limits.ephemeral-storage", {"divisor": "1Ki"}, "3"),
    ("limits.hugepages-2Mi", {"divisor": "1Mi"}, "4"),
    ("requests.cpu", {}, "1"),
    ("requests.cpu", {"divisor": "1m"}, "250"),
    ("requests.memory", {"divisor": "1k"}, "100000"),
    ("requests.ephemeral-storage", {}, "1"),
    ("requests.hugepages-2Mi", {}, "4194304"),
    ("limits.of-tomorrow", {}, OWN),
]


@pytest.mark.parametrize("resource, more, expected", RESOURCE_ROWS)
def test_a_resource_is_the_source_s_without_any(resource: str, more: Json, expected: str) -> None:
    reference = by_resource(resource, **more)
    env = [
        {"name": "MINE", "valueFrom": reference},
        {"name": "HIS", "valueFrom": by_resource(resource, containerName="app", **more)},
    ]
    item = {"path": "file", "mode": 0o400, **by_resource(resource, containerName="app", **more)}
    source = a_source(
        containers=[a_container(resources=RESOURCES, env=env), a_container("other", env=env[1:])],
        volumes=[{"name": "podinfo", "downwardAPI": {"items": [item]}}],
    )
    copied = copy_of(source, resources="none")
    app, other = all_containers(copied.manifest)
    assert [read_env(each) for each in (*app["env"], *other["env"])] == [expected] * 3
    assert read_file(copied, "podinfo") == expected
    # Who keeps the resources keeps what refers to them.
    kept = copy_of(source).manifest["spec"]
    assert kept["containers"][0]["env"] == env
    assert kept["volumes"][0]["downwardAPI"]["items"] == [item]


@pytest.mark.parametrize("resource", ["limits.cpu", "requests.memory"])
def test_a_resource_that_is_not_set_is_the_node_s_to_say(resource: str) -> None:
    env = [{"name": "X", "valueFrom": by_resource(resource)}]
    source = a_source(containers=[a_container(env=env, resources={"limits": {"x.y/gpu": "1"}})])
    assert copy_of(source, resources="none").manifest["spec"]["containers"][0]["env"] == env


def test_the_pod_s_own_limit_counts_where_a_container_has_none() -> None:
    env = [{"name": "X", "valueFrom": by_resource("limits.memory", divisor="1Mi")}]
    source = a_source(containers=[a_container(env=env)], resources={"limits": {"memory": "64Mi"}})
    assert copy_of(source).manifest["spec"]["containers"][0]["env"] == env
    (app,) = copy_of(source, resources="none").manifest["spec"]["containers"]
    assert app["env"] == [{"name": "X", "value": "64"}]


def test_a_container_that_is_left_out_is_still_read() -> None:
    env = [{"name": "X", "valueFrom": by_resource("limits.cpu", containerName="init")}]
    init = a_container("init", resources={"limits": {"cpu": "3"}})
    source = a_source(containers=[a_container(env=env)], initContainers=[init])
    copied = copy_of(source, skip_init=frozenset({"init"}))
    assert copied.manifest["spec"]["containers"][0]["env"] == [{"name": "X", "value": "3"}]


NAME_ENV = [{"name": "POD_NAME", "valueFrom": by_field("metadata.name")}]


@pytest.mark.parametrize(
    "held, hold_all, target_runs, source_s_name",
    [
        (False, False, True, set()),
        (False, False, False, set()),
        (True, False, False, {"app", "init"}),
        (True, True, False, {"app", "other", "proxy"}),
        # After run-app there would be two of that name.
        (True, False, True, set()),
        (True, True, True, set()),
    ],
)
def test_two_that_run_never_share_an_identity(
    held: bool, hold_all: bool, target_runs: bool, source_s_name: set[str]
) -> None:
    # One list, as an anchor of YAML makes it.
    source = a_source(
        containers=[a_container(env=NAME_ENV), a_container("other", env=NAME_ENV)],
        initContainers=[
            a_container("init", env=NAME_ENV),
            a_container("proxy", env=NAME_ENV, restartPolicy="Always"),
        ],
    )
    copied = copy_of(source, held, hold_all, target_runs=target_runs)
    there = all_containers(copied.manifest)
    named = {c["name"] for c in there if c["env"] == [{"name": "POD_NAME", "value": "db-0"}]}
    assert named == source_s_name
    told = texts(copied, Level.INFO).split("\n")
    own = " ".join(text for text in told if "its own identity" in text)
    of_source = " ".join(text for text in told if "if the source starts again" in text)
    for container in there:
        assert (f"{container['name']}:POD_NAME" in own) is (container["name"] not in named)
        assert (f"{container['name']}:POD_NAME" in of_source) is (container["name"] in named)


def test_a_source_that_has_ended_does_not_start_again() -> None:
    source = a_source(containers=[a_container(env=NAME_ENV)])
    source["status"] = {**STATUS, "phase": "Failed"}
    assert "starts again" not in texts(copy_of(source, held=True), Level.INFO)


@pytest.mark.parametrize("reader, expected", [("app", "db-0"), ("other", OWN)])
def test_a_file_that_a_running_neighbour_reads_has_the_copy_s_own_name(
    reader: str, expected: str
) -> None:
    item = {"path": "file", "mode": 0o400, **by_field("metadata.name")}
    source = a_source(
        containers=[a_container(), a_container("other")],
        volumes=[{"name": "podinfo", "downwardAPI": {"items": [item]}}],
    )
    container = find(source["spec"]["containers"], reader)
    assert container is not None
    container["volumeMounts"] = [{"name": "podinfo", "mountPath": "/x"}]
    assert read_file(copy_of(source, held=True), "podinfo") == expected
    assert read_file(copy_of(source, held=True, target_runs=True), "podinfo") == OWN


def test_what_is_the_copy_s_own_is_said() -> None:
    env = [
        {"name": "ME", "valueFrom": by_field("metadata.name")},
        {"name": "IP", "valueFrom": by_field("status.podIP")},
        {"name": "ID", "valueFrom": by_field("metadata.uid")},
        {"name": "APP", "valueFrom": by_field("metadata.labels['app']")},
        {"name": "NODE", "valueFrom": by_field("spec.nodeName")},
    ]
    copied = copy_of(a_source(containers=[a_container(env=env)]))
    assert "app:NODE" in texts(copied, Level.DETAIL)
    told = texts(copied, Level.INFO)
    for words in ("metadata.name in app:ME", "status.podIP in app:IP", "metadata.uid in app:ID"):
        assert words in told
    assert "APP" not in told and "NODE" not in told


ADDRESS = "k8s.v1.cni.cncf.io/network-status"


def test_an_address_that_a_network_wrote_is_the_copy_s_own() -> None:
    env = [{"name": "X", "valueFrom": by_field(f"metadata.annotations['{ADDRESS}']")}]
    item = {"path": "file", "mode": 0o400, **by_field("metadata.annotations")}
    source = a_source(
        containers=[a_container(env=env)],
        volumes=[{"name": "podinfo", "downwardAPI": {"items": [item]}}],
    )
    notes = {ADDRESS: "10.1.0.9", "cni.projectcalico.org/podIP": "10.1.0.9/32", "team": "x"}
    source["metadata"] = {**METADATA, "name": "db-0", "namespace": "x", "annotations": notes}
    copied = copy_of(source)
    assert copied.manifest["spec"]["containers"][0]["env"] == env
    assert read_file(copied, "podinfo") == 'kubernetes.io/config.source="api"\nteam="x"'
    # Who has networks of his own reads there what he got.
    notes["k8s.v1.cni.cncf.io/networks"] = "fast"
    copied = copy_of(source)
    assert read_file(copied, "podinfo") == OWN
    assert f"metadata.annotations['{ADDRESS}'] in app:X" in texts(copied, Level.INFO)


def test_what_the_kubelet_adds_is_its_own() -> None:
    env = [
        {"name": "X", "valueFrom": by_field("metadata.annotations['kubernetes.io/config.seen']")}
    ]
    copied = copy_of(a_source(containers=[a_container(env=env)]))
    assert copied.manifest["spec"]["containers"][0]["env"] == env


def test_values_that_are_too_large_stay_the_copy_s_own_and_that_is_said() -> None:
    item = {"path": "file", "mode": 0o400, **by_field("metadata.annotations")}
    source = a_source(volumes=[{"name": "podinfo", "downwardAPI": {"items": [item]}}])
    source["metadata"] = {**source["metadata"], "annotations": {"big": '"' * 130_000}}
    copied = copy_of(source)
    assert read_file(copied, "podinfo") == OWN
    assert "volume podinfo" in texts(copied, Level.WARNING)
    assert len(json.dumps(copied.manifest["metadata"]["annotations"])) < 256 * 1024


def test_files_of_the_same_value_share_one_annotation() -> None:
    items = [{"path": f"file-{i}", **by_field("metadata.labels['app']")} for i in range(3)]
    source = a_source(volumes=[{"name": "podinfo", "downwardAPI": {"items": items}}])
    carried = {**annotations_of(copy_of(source).manifest)}
    assert carried == {**MARKS, "kubectl-scratch/downward-1": "db"}


def test_a_template_does_not_say_what_its_controller_will() -> None:
    env = [
        {"name": "INDEX", "valueFrom": by_field("metadata.labels['apps.kubernetes.io/pod-index']")},
        {"name": "APP", "valueFrom": by_field("metadata.labels['app']")},
        {"name": "GONE", "valueFrom": by_field("metadata.labels['gone']")},
        *NAME_ENV,
    ]
    source = a_pod("db", metadata={"labels": {"app": "db"}}, containers=[a_container(env=env)])
    del source["metadata"]["uid"]
    copied = copy_of(source, held=True)
    _, app, gone, name = copied.manifest["spec"]["containers"][0]["env"]
    assert (app["value"], gone["value"]) == ("db", "")
    assert read_env(name) == OWN
    told = texts(copied, Level.WARNING)
    assert "app:INDEX" in told and "GONE" not in told
    assert "app:POD_NAME" in texts(copied, Level.INFO)


@pytest.mark.parametrize(
    "text, written",
    [
        ("plain", "plain"),
        ('"', '\\"'),
        ("\\", "\\\\"),
        ("\a\b\f\n\r\t\v", "\\a\\b\\f\\n\\r\\t\\v"),
        ("\x00\x1f\x7f", "\\x00\\x1f\\x7f"),
        ("\u00e9\u4e16\U0001f600", "\u00e9\u4e16\U0001f600"),
        ("\u0085\u00a0\u200b\ufeff", "\\u0085\\u00a0\\u200b\\ufeff"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_a_value_is_written_as_go_writes_it(text: str, written: str) -> None:
    assert format_map({"b": text, "a": "1"}) == f'a="1"\nb="{written}"'
