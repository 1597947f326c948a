"""The copy, field by field."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.findings import Level
from kubectl_scratch.podcopy import Copied, make_copy
from tests.support.builders import Json, a_container, a_pod

LABELS = {"app.kubernetes.io/managed-by": "kubectl-scratch"}
NODE_TERM = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}


def copy_of(source: Json) -> Copied:
    marks = {"kubectl-scratch/source": "default/mypod"}
    return make_copy(source, "mypod-scratch-bcdfg", LABELS, marks)


def spec_of(source: Json) -> Json:
    spec: Json = copy_of(source).manifest["spec"]
    return spec


def test_metadata_is_ours_alone() -> None:
    source = a_pod(
        metadata={
            "labels": {"app": "shop", "pod-template-hash": "abc"},
            "annotations": {"kubernetes.io/config.mirror": "x", "istio": "y"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "shop"}],
            "finalizers": ["example.com/hold"],
            "generateName": "shop-",
            "resourceVersion": "1",
            "managedFields": [{}],
        }
    )
    copied = copy_of(source).manifest
    assert copied["metadata"] == {
        "name": "mypod-scratch-bcdfg",
        "namespace": "default",
        "labels": LABELS,
        "annotations": {"kubectl-scratch/source": "default/mypod"},
    }
    assert "status" not in copied


@pytest.mark.parametrize(
    "field",
    [
        {"nodeName": "node-1"},
        {"ephemeralContainers": [a_container("debugger-x")]},
        {"priorityClassName": "high"},
        {"priority": 1000},
        {"preemptionPolicy": "Never"},
        {"topologySpreadConstraints": [{"maxSkew": 1}]},
        {"schedulingGates": [{"name": "x"}]},
        {"readinessGates": [{"conditionType": "x"}]},
        {"hostname": "db-0"},
        {"subdomain": "db"},
        {"activeDeadlineSeconds": 10},
    ],
    ids=lambda field: str(next(iter(field))),
)
def test_a_field_that_the_copy_must_not_have(field: Json) -> None:
    assert not field.keys() & spec_of(a_pod(**field)).keys()


@pytest.mark.parametrize(
    "field",
    [
        {"serviceAccountName": "shop"},
        {"imagePullSecrets": [{"name": "x"}]},
        {"securityContext": {"runAsUser": 1000}},
        {"dnsPolicy": "None"},
        {"dnsConfig": {"nameservers": ["10.0.0.1"]}},
        {"runtimeClassName": "gvisor"},
        {"hostAliases": [{"ip": "10.0.0.1"}]},
        {"tolerations": [{"operator": "Exists"}]},
        {"nodeSelector": {"disk": "ssd"}},
        {"aFieldOfTomorrow": {"with": ["what", "ever"]}},
    ],
    ids=lambda field: str(next(iter(field))),
)
def test_a_field_that_the_copy_keeps(field: Json) -> None:
    spec = spec_of(a_pod(**deepcopy(field)))
    assert {key: spec[key] for key in field} == field


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe", "startupProbe"])
@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_probes_go_from_containers_and_native_sidecars(probe: str, kind: str) -> None:
    probed = a_container("probed", restartPolicy="Always", **{probe: {"httpGet": {}}})
    source = a_pod()
    source["spec"][kind] = [probed]
    assert probe not in spec_of(source)[kind][0]


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_the_copy_outlives_its_app(policy: str) -> None:
    assert spec_of(a_pod(restartPolicy=policy))["restartPolicy"] == "Always"


def test_a_container_s_own_restart_policy_goes_and_a_sidecar_s_stays() -> None:
    spec = spec_of(
        a_pod(
            containers=[a_container(restartPolicy="Never", restartPolicyRules=[{}])],
            initContainers=[a_container("proxy", restartPolicy="Always")],
        )
    )
    assert not {"restartPolicy", "restartPolicyRules"} & spec["containers"][0].keys()
    assert spec["initContainers"][0]["restartPolicy"] == "Always"


def test_processes_are_shared_unless_the_node_s_are() -> None:
    assert spec_of(a_pod())["shareProcessNamespace"] is True
    assert "shareProcessNamespace" not in spec_of(a_pod(hostPID=True))


def test_stop_hooks_go_and_start_hooks_stay() -> None:
    both = a_container(lifecycle={"preStop": {"exec": {}}, "postStart": {"exec": {}}})
    stop = a_container("other", lifecycle={"preStop": {"exec": {}}})
    first, second = spec_of(a_pod(containers=[both, stop]))["containers"]
    assert first["lifecycle"] == {"postStart": {"exec": {}}}
    assert "lifecycle" not in second


def test_host_ports_go_and_container_ports_stay() -> None:
    source = a_pod(containers=[a_container(ports=[{"containerPort": 80, "hostPort": 80}])])
    assert spec_of(source)["containers"][0]["ports"] == [{"containerPort": 80}]


def test_in_the_host_s_network_every_port_is_a_host_port() -> None:
    source = a_pod(hostNetwork=True, containers=[a_container(ports=[{"containerPort": 80}])])
    copied = copy_of(source)
    assert "ports" not in copied.manifest["spec"]["containers"][0]
    assert any("hostNetwork" in finding.text for finding in copied.findings)


def test_the_injected_token_volume_goes_with_its_mounts() -> None:
    token = {"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {}}]}}
    own = {"name": "kube-api-access-mine", "configMap": {"name": "x"}}
    mounts = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in (token, own)]
    spec = spec_of(a_pod(volumes=[token, own], containers=[a_container(volumeMounts=mounts)]))
    assert spec["volumes"] == [own]
    assert spec["containers"][0]["volumeMounts"] == mounts[1:]


@pytest.mark.parametrize(
    "volume, read_only",
    [
        ({"persistentVolumeClaim": {"claimName": "data"}}, True),
        ({"hostPath": {"path": "/data"}}, True),
        ({"nfs": {"server": "x", "path": "/"}}, True),
        ({"aVolumeOfTomorrow": {}}, True),
        ({"emptyDir": {}}, False),
        ({"configMap": {"name": "x"}}, False),
        ({"ephemeral": {}}, False),
    ],
    ids=lambda value: str(next(iter(value))) if isinstance(value, dict) else "",
)
def test_what_outlives_the_pod_is_mounted_read_only(volume: Json, read_only: bool) -> None:
    mount = {"name": "data", "mountPath": "/data"}
    spec = spec_of(
        a_pod(
            volumes=[{"name": "data", **volume}],
            containers=[a_container(volumeMounts=[dict(mount)])],
            initContainers=[a_container("init", volumeMounts=[dict(mount)])],
        )
    )
    for container in (*spec["containers"], *spec["initContainers"]):
        assert container["volumeMounts"][0].get("readOnly", False) is read_only


def test_a_shared_block_device_is_left_out_and_said() -> None:
    copied = copy_of(
        a_pod(
            volumes=[{"name": "raw", "persistentVolumeClaim": {"claimName": "raw"}}],
            containers=[a_container(volumeDevices=[{"name": "raw", "devicePath": "/dev/x"}])],
        )
    )
    assert copied.manifest["spec"]["containers"][0]["volumeDevices"] == []
    assert any("block devices" in finding.text for finding in copied.findings)


def test_the_source_s_node_is_preferred() -> None:
    affinity = spec_of(a_pod(nodeName="node-1"))["affinity"]["nodeAffinity"]
    assert affinity["preferredDuringSchedulingIgnoredDuringExecution"] == [
        {"weight": 100, "preference": {"matchFields": [NODE_TERM]}}
    ]


def test_the_node_of_a_claim_is_required_beside_what_was_required() -> None:
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone"}]}, {}]}
    source = a_pod(
        nodeName="node-1",
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        affinity={
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required},
            "podAntiAffinity": {"x": []},
        },
    )
    affinity = spec_of(source)["affinity"]
    assert "podAntiAffinity" not in affinity
    terms = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms["nodeSelectorTerms"] == [
        {"matchExpressions": [{"key": "zone"}], "matchFields": [NODE_TERM]},
        {"matchFields": [NODE_TERM]},
    ]


def test_init_containers_that_run_again_are_a_warning() -> None:
    sidecar = a_container("proxy", restartPolicy="Always")
    found = copy_of(a_pod(initContainers=[a_container("migrate"), sidecar])).findings
    assert [(f.level, "migrate" in f.text, "proxy" in f.text) for f in found] == [
        (Level.WARNING, True, False)
    ]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
# Fields of which this code has never heard.
FOREIGN_NAMES = st.text(min_size=1, max_size=6).map("x-".__add__)
FOREIGN = st.dictionaries(FOREIGN_NAMES, JSON_VALUES, max_size=3)
PROBES = st.dictionaries(st.sampled_from(["livenessProbe", "startupProbe"]), st.just({"x": 1}))
POLICIES = st.sampled_from(["Always", "OnFailure", "Never"])


@st.composite
def containers(draw: st.DrawFn, name: str) -> Json:
    mounts = draw(st.lists(st.sampled_from(["data", "cache"]), max_size=2, unique=True))
    return {
        "name": name,
        "image": "x",
        "volumeMounts": [{"name": m, "mountPath": f"/{m}", **draw(FOREIGN)} for m in mounts],
        **draw(PROBES),
        **draw(FOREIGN),
    }


@st.composite
def pods(draw: st.DrawFn) -> Json:
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
    more: Json = draw(FOREIGN)
    return a_pod(
        containers=[draw(containers(name)) for name in names],
        initContainers=[draw(containers("init"))],
        volumes=[
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}, **draw(FOREIGN)},
            {"name": "cache", "emptyDir": draw(FOREIGN)},
        ],
        restartPolicy=draw(POLICIES),
        nodeName=draw(st.sampled_from(["", "node-1"])),
        **more,
    )


def foreign(value: Any, path: str = "") -> dict[str, Any]:
    """Return every foreign field below a value, by its path."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return {}
    found: dict[str, Any] = {}
    for key, inner in items:
        if str(key).startswith("x-"):
            found[f"{path}/{key}"] = inner
        else:
            found |= foreign(inner, f"{path}/{key}")
    return found


@given(pods())
def test_fields_that_nobody_has_heard_of_survive(source: Json) -> None:
    assert foreign(copy_of(source).manifest["spec"]) == foreign(source["spec"])


@given(pods())
def test_the_source_is_never_changed_and_the_copy_is_always_the_same(source: Json) -> None:
    before = deepcopy(source)
    first = copy_of(source)
    assert source == before
    assert copy_of(source) == first


@given(pods())
def test_a_copy_of_a_copy_changes_nothing_more(source: Json) -> None:
    once = copy_of(source).manifest
    assert copy_of(once).manifest == once
