"""The copy, field by field."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.objects import all_containers, annotations_of, names_of, volumes
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.podcopy.manifest import Copied
from kubectl_scratch.plan.podcopy.volume_edits import read_only_by_us
from kubectl_scratch.plan.seed import Entrypoint, Seeding
from kubectl_scratch.plan.storage import (
    Storage,
    has_selinux,
    is_recursive,
    refuses_recursive,
    retaining,
)
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_container, a_pod, copy_for

LABELS = {"app.kubernetes.io/managed-by": "kubectl-scratch"}
NODE_TERM = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}


MARKS = {"kubectl-scratch/source": "default/mypod"}
A_CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}
A_MOUNT = {"name": "data", "mountPath": "/data"}
A_SIDECAR = a_container("proxy", restartPolicy="Always")


def copy_of(source: Json, target: str | None = None, **wanted: Any) -> Copied:
    return copy_for(source, "mypod-scratch-bcdfg", LABELS, MARKS, CopyOptions(**wanted), target)


def spec_of(source: Json, **options: Any) -> Json:
    spec: Json = copy_of(source, **options).manifest["spec"]
    return spec


def texts(copied: Copied, level: Level) -> str:
    return "\n".join(finding.text for finding in copied.findings if finding.level is level)


def fields(copied: Copied) -> list[str]:
    return [edit.field for edit in copied.edits]


def test_metadata_is_ours_alone() -> None:
    source = a_pod(
        metadata={
            "labels": {"app": "shop", "pod-template-hash": "abc"},
            "annotations": {"kubernetes.io/config.mirror": "x", "example.com/team": "y"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "shop"}],
            "finalizers": ["example.com/hold"],
            "generateName": "shop-",
            "resourceVersion": "1",
            "managedFields": [{}],
        }
    )
    copied = copy_of(source)
    assert copied.manifest["metadata"] == {
        "name": "mypod-scratch-bcdfg",
        "namespace": "default",
        "labels": LABELS,
        "annotations": MARKS,
    }
    assert "status" not in copied.manifest
    assert fields(copied)[:2] == ["metadata.ownerReferences", "metadata.finalizers"]


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
        {"overhead": {"cpu": "250m"}},
        {"workloadRef": {"name": "gang"}},
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
        {"resources": {"limits": {"cpu": "1"}}},
        {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]},
        {"hostUsers": False},
        {"aFieldOfTomorrow": {"with": ["what", "ever"]}},
    ],
    ids=lambda field: str(next(iter(field))),
)
def test_a_field_that_the_copy_keeps(field: Json) -> None:
    spec = spec_of(a_pod(**deepcopy(field)))
    assert {key: spec[key] for key in field} == field


PROBE_FIELDS = ("livenessProbe", "readinessProbe", "startupProbe")


@pytest.mark.parametrize("probe", PROBE_FIELDS)
@pytest.mark.parametrize("name, kind", [("app", "containers"), ("proxy", "initContainers")])
def test_the_target_has_no_probe(probe: str, name: str, kind: str) -> None:
    probed = a_container(name, restartPolicy="Always", **{probe: {"httpGet": {}}})
    source = a_pod()
    source["spec"][kind] = [probed]
    assert probe not in copy_of(source, target=name).manifest["spec"][kind][0]


@pytest.mark.parametrize(
    "place, more, kept",
    [
        ("containers", {}, []),
        ("initContainers", {}, []),
        ("initContainers", {"restartPolicy": "Always"}, ["startupProbe"]),
    ],
)
def test_a_probe_stays_where_what_comes_after_waits_for_it(
    place: str, more: Json, kept: list[str]
) -> None:
    probes = {probe: {"exec": {"command": ["x"]}} for probe in PROBE_FIELDS}
    source = a_pod(containers=[a_container(), a_container("x")])
    source["spec"].setdefault(place, []).append(a_container("other", **probes, **more))
    copied = copy_of(source)
    (found,) = (c for c in all_containers(copied.manifest) if c["name"] == "other")
    assert [key for key in found if key.endswith("Probe")] == kept
    told = [edit.field for edit in copied.edits if edit.reason.startswith("kept: ")]
    assert told == [f"other.{probe}" for probe in kept]


def test_a_sidecar_that_idles_is_asked_nothing() -> None:
    sidecar = a_container("proxy", restartPolicy="Always", startupProbe={"exec": {}})
    source = a_pod(initContainers=[sidecar])
    held = Seeding("x", "amd64", "app", Entrypoint("spec", 1, ("/app",)), hold_all=True)
    spec = copy_for(source, "x", LABELS, MARKS, seeding=held).manifest["spec"]
    assert "startupProbe" not in spec["initContainers"][0]


def test_a_probe_s_port_is_a_number_where_the_list_of_ports_goes() -> None:
    sidecar = a_container(
        "proxy",
        restartPolicy="Always",
        ports=[{"name": "health", "containerPort": 8086}],
        startupProbe={"httpGet": {"port": "health"}},
    )
    spec = spec_of(a_pod(initContainers=[sidecar], hostNetwork=True))
    assert spec["initContainers"][0]["startupProbe"] == {"httpGet": {"port": 8086}}


def test_a_start_hook_s_port_is_a_number_where_the_list_of_ports_goes() -> None:
    app = a_container(
        ports=[{"name": "web", "containerPort": 8080}, {"name": "other", "containerPort": 1}],
        lifecycle={"postStart": {"httpGet": {"port": "web"}}},
    )
    spec = spec_of(a_pod(containers=[app], hostNetwork=True))
    assert spec["containers"][0]["lifecycle"] == {"postStart": {"httpGet": {"port": 8080}}}


def test_an_init_container_that_writes_to_what_is_read_only_is_told_beforehand() -> None:
    inits = [a_container("chown", volumeMounts=[A_MOUNT]), a_container("wait")]
    source = a_pod(volumes=[A_CLAIM], initContainers=inits)
    told = texts(copy_of(source), Level.WARNING)
    assert "run again in the copy: chown, wait; chown writes to volume data, read-only in" in told
    assert "wait writes" not in told
    written = copy_of(source, writable=frozenset({"data"}))
    assert "chown writes" not in texts(written, Level.WARNING)


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_the_copy_outlives_its_app(policy: str) -> None:
    assert spec_of(a_pod(restartPolicy=policy))["restartPolicy"] == "Always"


def test_a_copy_ends_quickly_whoever_deletes_it() -> None:
    assert spec_of(a_pod(terminationGracePeriodSeconds=600))["terminationGracePeriodSeconds"] == 1


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


UNMASKED = [a_container(securityContext={"procMount": "Unmasked"})]


@pytest.mark.parametrize(
    "source, options, shared, warned",
    [
        (a_pod(), {}, True, False),
        (a_pod(shareProcessNamespace=False), {}, True, False),
        (a_pod(shareProcessNamespace=True), {"share_processes": False}, True, False),
        (a_pod(), {"share_processes": False}, None, True),
        (a_pod(shareProcessNamespace=False), {"share_processes": False}, False, True),
        (a_pod(containers=UNMASKED), {}, None, True),
        (a_pod(hostPID=True), {}, None, True),
        (a_pod(os={"name": "windows"}), {}, None, False),
    ],
)
def test_who_shares_its_processes(
    source: Json, options: Json, shared: bool | None, warned: bool
) -> None:
    copied = copy_of(source, **options)
    assert copied.manifest["spec"].get("shareProcessNamespace") is shared
    assert bool(texts(copied, Level.WARNING)) is warned


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


@pytest.mark.parametrize(
    "volume, mount, options, found",
    [
        ({"persistentVolumeClaim": {"claimName": "x"}}, {}, {}, True),
        ({"persistentVolumeClaim": {"claimName": "x", "readOnly": True}}, {}, {}, False),
        ({"persistentVolumeClaim": {"claimName": "x"}}, {"readOnly": True}, {}, False),
        ({"hostPath": {"path": "/x"}}, {}, {}, True),
        ({"csi": {"driver": "x", "readOnly": True}}, {}, {}, False),
        ({"aVolumeOfTomorrow": {}}, {}, {}, True),
        ({"emptyDir": {}}, {}, {}, False),
        ({"ephemeral": {}}, {}, {}, False),
        ({"hostPath": {"path": "/x"}}, {}, {"writable": frozenset({"data"})}, False),
        ({"hostPath": {"path": "/x"}}, {}, {"skip_volumes": frozenset({"data"})}, False),
    ],
)
def test_which_volumes_a_container_can_write_no_more(
    volume: Json, mount: Json, options: Json, found: bool
) -> None:
    mounts = [{**A_MOUNT, **mount}, {**A_MOUNT, **mount, "mountPath": "/b"}]
    container = a_container(volumeMounts=mounts)
    source = a_pod(volumes=[{"name": "data", **volume}], containers=[container, a_container("x")])
    expected = ["data"] if found else []
    assert read_only_by_us(source, CopyOptions(**options), container) == expected
    assert read_only_by_us(source, CopyOptions(**options), source["spec"]["containers"][1]) == []


def test_a_shared_block_device_is_left_out_and_said() -> None:
    copied = copy_of(
        a_pod(
            volumes=[{"name": "raw", "persistentVolumeClaim": {"claimName": "raw"}}],
            containers=[a_container(volumeDevices=[{"name": "raw", "devicePath": "/dev/x"}])],
        )
    )
    assert copied.manifest["spec"]["containers"][0]["volumeDevices"] == []
    assert "none of these: raw" in texts(copied, Level.WARNING)


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
    ]


def test_the_same_node_can_be_asked_for() -> None:
    affinity = spec_of(a_pod(nodeName="node-1"), same_node=True)["affinity"]["nodeAffinity"]
    required = {"nodeSelectorTerms": [{"matchFields": [NODE_TERM]}]}
    assert affinity == {"requiredDuringSchedulingIgnoredDuringExecution": required}


def test_a_node_that_is_required_already_is_not_required_twice() -> None:
    required = {"nodeSelectorTerms": [{"matchFields": [NODE_TERM]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    source = a_pod(nodeName="node-1", affinity=affinity, volumes=[A_CLAIM])
    assert spec_of(source)["affinity"] == affinity


def test_a_volume_that_is_left_out_asks_for_no_node() -> None:
    source = a_pod(nodeName="node-1", volumes=[A_CLAIM])
    affinity = spec_of(source, skip_volumes=frozenset({"data"}))["affinity"]["nodeAffinity"]
    assert [*affinity] == ["preferredDuringSchedulingIgnoredDuringExecution"]


def test_a_gate_of_ours_replaces_those_of_the_source() -> None:
    source = a_pod(readinessGates=[{"conditionType": "example.com/x"}])
    copied = copy_for(source, "x", LABELS, MARKS, gate=True)
    gates = copied.manifest["spec"]["readinessGates"]
    assert gates == [{"conditionType": "kubectl-scratch/never-ready"}]
    assert "spec.readinessGates.kubectl-scratch/never-ready" in fields(copied)


def test_default_priority_is_nothing_to_tell() -> None:
    assert "spec.priorityClassName" not in fields(copy_of(a_pod(priority=0)))
    assert "spec.priorityClassName" in fields(copy_of(a_pod(priority=7)))


@pytest.mark.parametrize(
    "key, by_default, if_asked",
    [
        ("container.apparmor.security.beta.kubernetes.io/app", True, True),
        ("container.apparmor.security.beta.kubernetes.io/gone", False, False),
        ("container.seccomp.security.alpha.kubernetes.io/app", True, True),
        ("seccomp.security.alpha.kubernetes.io/pod", True, True),
        ("k8s.v1.cni.cncf.io/networks", True, True),
        ("v1.multus-cni.io/default-network", True, True),
        ("kubernetes.io/ingress-bandwidth", True, True),
        ("kubernetes.io/egress-bandwidth", True, True),
        ("io.kubernetes.cri-o.userns-mode", True, True),
        ("kubectl.kubernetes.io/default-container", True, True),
        ("sidecar.istio.io/inject", True, True),
        ("proxy.istio.io/config", True, True),
        ("linkerd.io/inject", True, True),
        ("config.linkerd.io/skip-outbound-ports", True, True),
        ("example.com/team", False, True),
        ("prometheus.io/scrape", False, True),
        ("cluster-autoscaler.kubernetes.io/safe-to-evict", False, True),
        ("sidecar.istio.io/status", False, False),
        ("linkerd.io/proxy-version", False, False),
        ("kubernetes.io/config.mirror", False, False),
        ("kubernetes.io/config.source", False, False),
        ("kubectl.kubernetes.io/last-applied-configuration", False, False),
        ("cni.projectcalico.org/containerID", False, False),
        ("cni.projectcalico.org/podIP", False, False),
        ("cni.projectcalico.org/podIPs", False, False),
        ("cni.projectcalico.org/ipAddrs", False, False),
        ("k8s.v1.cni.cncf.io/network-status", False, False),
        ("k8s.v1.cni.cncf.io/networks-status", False, False),
        ("kubectl-scratch/of-another", False, False),
        ("argocd.argoproj.io/tracking-id", False, False),
        ("kueue.x-k8s.io/workload", False, False),
    ],
)
def test_which_annotations_come_along(key: str, by_default: bool, if_asked: bool) -> None:
    source = a_pod(metadata={"annotations": {key: "x"}})
    assert (key in annotations_of(copy_of(source).manifest)) is by_default
    asked = copy_of(source, keep_annotations=True).manifest
    assert (key in annotations_of(asked)) is if_asked
    assert annotations_of(asked).items() >= MARKS.items()


def test_our_marks_win_over_those_of_a_copy_s_copy() -> None:
    source = a_pod(metadata={"annotations": {"kubectl-scratch/source": "default/other"}})
    assert annotations_of(copy_of(source, keep_annotations=True).manifest) == MARKS


@pytest.mark.parametrize(
    "networks, kept",
    [
        ("shop/fast@net1", "shop/fast@net1"),
        ('[{"name": "fast"}]', '[{"name": "fast"}]'),
        ('[{"name": "fast", "ips": ["10.9.0.4"], "mac": "02:00"}]', '[{"name": "fast"}]'),
        ("7", "7"),
        ("[7]", "[7]"),
    ],
)
def test_a_network_comes_along_and_its_fixed_address_does_not(networks: str, kept: str) -> None:
    key = "k8s.v1.cni.cncf.io/networks"
    source = a_pod(metadata={"annotations": {key: networks}})
    assert annotations_of(copy_of(source).manifest)[key] == kept


def test_a_static_pod_s_copy_is_an_ordinary_pod() -> None:
    source = a_pod(metadata={"annotations": {"kubernetes.io/config.source": "file"}})
    assert "static pod" in texts(copy_of(source), Level.DETAIL)


def test_a_volume_that_is_named_stays_writable_and_that_is_a_warning() -> None:
    container = a_container(
        volumeMounts=[A_MOUNT], volumeDevices=[{"name": "data", "devicePath": "/dev/x"}]
    )
    source = a_pod(volumes=[A_CLAIM], containers=[container])
    copied = copy_of(source, writable=frozenset({"data"}))
    assert copied.manifest["spec"]["containers"] == [container]
    assert "volume data is writable" in texts(copied, Level.WARNING)


def test_a_mount_never_propagates_to_the_node() -> None:
    mount = {**A_MOUNT, "readOnly": True, "mountPropagation": "Bidirectional"}
    source = a_pod(
        volumes=[{"name": "data", "hostPath": {"path": "/x"}}],
        containers=[a_container(volumeMounts=[mount])],
    )
    (container,) = spec_of(source)["containers"]
    read_only = {"readOnly": True, "recursiveReadOnly": "IfPossible"}
    assert container["volumeMounts"] == [{**A_MOUNT, **read_only}]


def test_a_volume_can_be_left_out_with_its_mounts_and_devices() -> None:
    other = {"name": "tmp", "mountPath": "/tmp"}
    container = a_container(
        volumeMounts=[A_MOUNT, other], volumeDevices=[{"name": "data", "devicePath": "/dev/x"}]
    )
    source = a_pod(
        volumes=[A_CLAIM, {"name": "tmp", "emptyDir": {}}],
        containers=[container],
        initContainers=[a_container("init", volumeMounts=[A_MOUNT])],
    )
    copied = copy_of(source, skip_volumes=frozenset({"data"}))
    assert names_of(volumes(copied.manifest)) == ["tmp"]
    app, init = all_containers(copied.manifest)
    assert (app["volumeMounts"], app["volumeDevices"], init["volumeMounts"]) == ([other], [], [])
    assert "volume data" in fields(copied)


@pytest.mark.parametrize(
    "modes, blocked", [(["ReadWriteOncePod"], True), (["ReadWriteOnce"], False)]
)
def test_a_claim_for_one_pod_alone_blocks(modes: list[str], blocked: bool) -> None:
    source = a_pod(volumes=[A_CLAIM])
    claims = {"data-0": {"spec": {"accessModes": modes}}}
    found = texts(copy_for(source, "x", LABELS, MARKS, claims=claims), Level.BLOCKER)
    assert ("use --skip-volume data to copy without it" in found) is blocked
    skipped = CopyOptions(skip_volumes=frozenset({"data"}))
    assert not texts(copy_for(source, "x", LABELS, MARKS, skipped, claims=claims), Level.BLOCKER)


def a_claim(phase: str | None, **spec: Any) -> Json:
    return {"spec": spec, **({"status": {"phase": phase}} if phase else {})}


@pytest.mark.parametrize(
    "claims, node, level, words",
    [
        ({"data-0": a_claim("Bound", volumeName="x")}, None, None, ""),
        ({"data-0": a_claim("Pending")}, None, Level.BLOCKER, "is not bound yet"),
        ({"data-0": a_claim("Pending", volumeName="x")}, "n", Level.BLOCKER, "is not bound yet"),
        ({"data-0": a_claim("Lost", volumeName="x")}, "n", Level.BLOCKER, "has lost its volume"),
        ({"other": a_claim("Bound")}, "n", Level.WARNING, "claim data-0 does not exist"),
        ({}, None, Level.WARNING, "claim data-0 does not exist"),
        # A pod that has a node has its claims bound, but one may be for one pod alone.
        (None, "n", Level.WARNING, "claims cannot be listed"),
        (None, None, Level.BLOCKER, "claims cannot be listed"),
    ],
)
def test_a_copy_binds_no_claim(
    claims: dict[str, Json] | None, node: str | None, level: Level | None, words: str
) -> None:
    source = a_pod(volumes=[A_CLAIM])
    source["spec"]["nodeName"] = node
    copied = copy_for(source, "x", LABELS, MARKS, claims=claims)
    found = [f for f in copied.findings if "--skip-volume data" in f.text]
    assert [f.level for f in found] == ([level] if level else [])
    assert all(words in f.text for f in found)
    skipped = CopyOptions(skip_volumes=frozenset({"data"}))
    without = copy_for(source, "x", LABELS, MARKS, skipped, claims=claims)
    assert not [f for f in without.findings if "claim" in f.text]
    # That it may be written to is no reason to bind it.
    written = copy_for(
        source, "x", LABELS, MARKS, CopyOptions(writable=frozenset({"data"})), claims=claims
    )
    assert [f for f in written.findings if "--skip-volume data" in f.text] == found


@pytest.mark.parametrize(
    "volume, context, of_pod, told",
    [
        (A_CLAIM, {}, {}, True),
        (A_CLAIM, {"seLinuxOptions": {"level": "s0:c1,c2"}}, {}, False),
        (A_CLAIM, {}, {"seLinuxOptions": {"level": "s0:c1,c2"}}, False),
        (A_CLAIM, {"seLinuxOptions": {"type": "x_t"}}, {}, True),
        (A_CLAIM, {"privileged": True}, {}, False),
        ({"name": "data", "hostPath": {"path": "/x", "type": "Directory"}}, {}, {}, False),
        ({"name": "data", "emptyDir": {}}, {}, {}, False),
    ],
)
@pytest.mark.parametrize("selinux", [True, False])
def test_the_source_s_files_may_get_another_label(
    volume: Json, context: Json, of_pod: Json, told: bool, selinux: bool
) -> None:
    app = a_container(volumeMounts=[A_MOUNT], securityContext=context)
    source = a_pod(volumes=[volume], containers=[app], securityContext=of_pod)
    copied = copy_for(source, "x", LABELS, MARKS, storage=Storage(selinux=selinux))
    assert ("SELinux" in texts(copied, Level.WARNING)) is (told and selinux)


def test_all_volumes_that_are_relabelled_are_told() -> None:
    more = {"name": "more", "persistentVolumeClaim": {"claimName": "more-0"}}
    mounts = [{**A_MOUNT, "readOnly": True}, {"name": "more", "mountPath": "/more"}]
    source = a_pod(containers=[a_container(volumeMounts=mounts)], volumes=[A_CLAIM, more])
    copied = copy_for(source, "x", LABELS, MARKS, storage=Storage(selinux=True))
    told = texts(copied, Level.WARNING)
    assert "use --skip-volume NAME to copy without one: data, more" in told
    assert "seLinuxOptions.level" in told


@pytest.mark.parametrize(
    "image, expected",
    [
        ("Red Hat Enterprise Linux CoreOS 9.6", True),
        ("Fedora CoreOS 42", True),
        ("Rocky Linux 9.4 (Blue Onyx)", True),
        ("Debian GNU/Linux 12 (bookworm)", False),
        ("Ubuntu 24.04 LTS", False),
        (None, False),
    ],
)
def test_which_nodes_have_selinux(image: str | None, expected: bool) -> None:
    assert has_selinux({"status": {"nodeInfo": {"osImage": image}}}) is expected
    assert has_selinux(None) is False


HANDLERS = [
    {"name": "", "features": {"recursiveReadOnlyMounts": True}},
    {"name": "gvisor", "features": {"recursiveReadOnlyMounts": False}},
    {"name": "kata"},
]


@pytest.mark.parametrize(
    "node, runtime_class, expected",
    [
        (None, None, None),
        ({}, None, False),
        ({"status": {"runtimeHandlers": None}}, None, False),
        ({"status": {"runtimeHandlers": HANDLERS}}, None, True),
        ({"status": {"runtimeHandlers": HANDLERS}}, "gvisor", False),
        ({"status": {"runtimeHandlers": HANDLERS}}, "kata", False),
        ({"status": {"runtimeHandlers": HANDLERS}}, "other", False),
        ({"status": {"runtimeHandlers": HANDLERS[1:]}}, None, False),
    ],
)
def test_which_nodes_mount_all_read_only(
    node: Json | None, runtime_class: str | None, expected: bool | None
) -> None:
    assert is_recursive(node, runtime_class) is expected


@pytest.mark.parametrize(
    "version, handlers, refuses",
    [
        ("v1.30.14", None, True),
        ("v1.30.14", HANDLERS, False),
        ("v1.29.9", None, False),
        ("v1.31.0", None, False),
        ("v1.3.0", None, False),
        (None, None, False),
    ],
)
def test_a_kubelet_that_refuses_what_it_cannot_do_is_not_asked(
    version: str | None, handlers: list[Json] | None, refuses: bool
) -> None:
    info = {"kubeletVersion": version}
    node = {"status": {"nodeInfo": info, "runtimeHandlers": handlers}}
    assert refuses_recursive(node, None) is refuses
    app = a_container(volumeMounts=[A_MOUNT])
    storage = Storage(refuses_recursive=refuses)
    source = a_pod(volumes=[A_CLAIM], containers=[app])
    (copied,) = copy_for(source, "x", LABELS, MARKS, storage=storage).manifest["spec"]["containers"]
    (mount,) = copied["volumeMounts"]
    assert mount["readOnly"] is True and ("recursiveReadOnly" in mount) is not refuses


def an_ephemeral(**spec: Any) -> Json:
    return {"name": "tmp", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}


A_CLASS = {"metadata": {"name": "fast"}, "reclaimPolicy": "Delete"}
KEEPS = {"metadata": {"name": "keeps"}, "reclaimPolicy": "Retain"}
DEFAULT_KEEPS = {
    "metadata": {
        "name": "default",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "reclaimPolicy": "Retain",
}


@pytest.mark.parametrize(
    "volume, classes, level",
    [
        (an_ephemeral(storageClassName="fast"), [A_CLASS, KEEPS], None),
        (an_ephemeral(storageClassName="keeps"), [A_CLASS, KEEPS], Level.BLOCKER),
        (an_ephemeral(), [A_CLASS, KEEPS], None),
        (an_ephemeral(), [A_CLASS, DEFAULT_KEEPS], Level.BLOCKER),
        (an_ephemeral(storageClassName="fast"), None, Level.WARNING),
        (an_ephemeral(), None, Level.WARNING),
        ({"name": "tmp", "emptyDir": {}}, None, None),
    ],
)
def test_no_volume_is_left_behind_for_ever(
    volume: Json, classes: list[Json] | None, level: Level | None
) -> None:
    storage = Storage(retaining=None if classes is None else retaining(classes))
    copied = copy_for(a_pod(volumes=[volume]), "x", LABELS, MARKS, storage=storage)
    found = [f for f in copied.findings if "use --skip-volume tmp to copy without it" in f.text]
    assert [f.level for f in found] == ([level] if level else [])


@pytest.mark.parametrize(
    "names, left",
    [
        (set(), ["migrate", "proxy", "warm-up"]),
        ({"migrate"}, ["proxy", "warm-up"]),
        ({"all"}, ["proxy"]),
        ({"all", "proxy"}, []),
    ],
)
def test_which_init_containers_are_left_out(names: set[str], left: list[str]) -> None:
    inits = [a_container("migrate"), A_SIDECAR, a_container("warm-up")]
    copied = copy_of(a_pod(initContainers=inits), skip_init=frozenset(names))
    assert names_of(copied.manifest["spec"]["initContainers"]) == left
    assert len([f for f in fields(copied) if f.startswith("init container ")]) == 3 - len(left)


def test_there_need_be_no_init_container_to_leave_all_out() -> None:
    assert "initContainers" not in spec_of(a_pod(), skip_init=frozenset({"all"}))


@pytest.mark.parametrize(
    "options, problem, hint",
    [
        ({"writable": frozenset({"x"})}, "volume 'x'", "it has: data"),
        ({"skip_volumes": frozenset({"x"})}, "volume 'x'", "it has: data"),
        ({"skip_init": frozenset({"x"})}, "init container 'x'", "it has none"),
        ({"images": (("x", "y"),)}, "container 'x'", "it has: app"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(options: Json, problem: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        copy_of(a_pod(volumes=[A_CLAIM]), **options)
    assert caught.value.problem == f"the copy has no {problem}"
    assert caught.value.hint == hint


def test_resources_can_be_left_out_with_claims() -> None:
    source = a_pod(
        containers=[a_container(resources={"limits": {"nvidia.com/gpu": "1"}})],
        initContainers=[a_container("init", resources={"requests": {"cpu": "1"}})],
        resources={"limits": {"cpu": "1"}},
        resourceClaims=[{"name": "gpu"}],
    )
    copied = copy_of(source, resources="none")
    spec = copied.manifest["spec"]
    assert not {"resources", "resourceClaims"} & spec.keys()
    assert not any("resources" in container for container in all_containers(copied.manifest))
    assert "requests the devices" not in texts(copied, Level.WARNING)


@pytest.mark.parametrize(
    "images, expected",
    [
        ([("app", "y")], ["y", "x", "x"]),
        ([("init", "y")], ["x", "x", "y"]),
        ([("*", "y")], ["y", "y", "y"]),
        ([("*", "y"), ("helper", "z")], ["y", "z", "y"]),
        ([("*", "x")], ["x", "x", "x"]),
    ],
)
def test_which_images_are_set(images: list[tuple[str, str]], expected: list[str]) -> None:
    source = a_pod(
        containers=[a_container("app", image="x"), a_container("helper", image="x")],
        initContainers=[a_container("init", image="x")],
    )
    copied = copy_of(source, images=tuple(images))
    assert [c["image"] for c in all_containers(copied.manifest)] == expected
    changed = [field for field in fields(copied) if field.endswith(".image")]
    assert len(changed) == len([image for image in expected if image != "x"])


def test_secrets_to_pull_with_are_added_once() -> None:
    source = a_pod(imagePullSecrets=[{"name": "old"}], initContainers=[a_container("init")])
    copied = copy_of(source, pull_secrets=("new", "old", "new"))
    assert copied.manifest["spec"]["imagePullSecrets"] == [{"name": "old"}, {"name": "new"}]


@pytest.mark.parametrize("field, there", [({"volumes": [A_CLAIM]}, True), ({}, False)])
def test_owners_of_files_are_kept_where_there_are_files(field: Json, there: bool) -> None:
    context = spec_of(a_pod(securityContext={"fsGroup": 1}, **field))["securityContext"]
    assert ("fsGroupChangePolicy" in context) is there


TWO = [a_container(), a_container("helper")]
HOOKED = [a_container(lifecycle={"postStart": {"exec": {}}})]


def using(**resources: Any) -> list[Json]:
    return [a_container(resources=resources)]


@pytest.mark.parametrize(
    "fields, level, part",
    [
        (
            {"initContainers": [a_container("migrate")]},
            Level.WARNING,
            "run again in the copy: migr",
        ),
        ({"initContainers": [A_SIDECAR]}, Level.DETAIL, "other containers also start: proxy"),
        ({"containers": TWO}, Level.DETAIL, "other containers also start: helper"),
        ({"containers": HOOKED}, Level.WARNING, "postStart hooks run again in the copy: app"),
        ({"containers": using(limits={"nvidia.com/gpu": 1})}, Level.WARNING, "nvidia.com/gpu"),
        ({"containers": using(requests={"example.com/x": 1})}, Level.WARNING, "example.com/x"),
        ({"resourceClaims": [{"name": "gpu"}]}, Level.WARNING, "claim gpu; use --resources none"),
        ({"volumes": [{"name": "a", "emptyDir": {}}]}, Level.DETAIL, "start empty: a"),
        ({"volumes": [{"name": "a", "ephemeral": {}}]}, Level.DETAIL, "new claim"),
        ({"restartPolicy": "Never"}, Level.WARNING, "is restarted whenever it ends"),
        ({"hostNetwork": True}, Level.WARNING, "cannot listen"),
        ({"hostPID": True}, Level.WARNING, "all processes of the node"),
    ],
)
def test_what_the_user_should_know(fields: Json, level: Level, part: str) -> None:
    (finding,) = copy_of(a_pod(**deepcopy(fields))).findings
    assert finding.level is level
    assert part in finding.text


@pytest.mark.parametrize(
    "resources",
    [{"limits": {"cpu": 1, "hugepages-2Mi": 1}}, {"requests": {"kubernetes.io/batch-cpu": 1}}, {}],
)
def test_ordinary_resources_are_nothing_to_tell(resources: Json) -> None:
    assert not copy_of(a_pod(containers=using(**resources))).findings


@pytest.mark.parametrize(
    "target, others", [(None, "helper, proxy"), ("helper", "app, proxy"), ("proxy", "app, helper")]
)
def test_the_target_is_not_one_of_the_others(target: str | None, others: str) -> None:
    copied = copy_of(a_pod(containers=TWO, initContainers=[A_SIDECAR]), target=target)
    assert texts(copied, Level.DETAIL) == f"other containers also start: {others}"


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
PROBES = st.dictionaries(
    st.sampled_from(["livenessProbe", "readinessProbe", "startupProbe"]), st.just({"x": 1})
)
# Every kind of volume: those that a pod has to itself, and those that outlive it.
PRIVATE = ("configMap", "downwardAPI", "emptyDir", "ephemeral", "image", "projected", "secret")
SHARED = ("persistentVolumeClaim", "hostPath", "nfs", "csi", "x-of-tomorrow")
VOLUMES = {f"v-{kind}": kind for kind in (*PRIVATE, *SHARED)}
NAMES_OF_VOLUMES = st.sampled_from(sorted(VOLUMES))
POLICIES = st.sampled_from(["Always", "OnFailure", "Never"])


@st.composite
def some_container(draw: st.DrawFn, /, name: str, **more: Any) -> Json:
    mounts = draw(st.lists(NAMES_OF_VOLUMES, max_size=3, unique=True))
    ports = draw(st.lists(st.integers(1, 9), max_size=2, unique=True))
    return {
        "name": name,
        "image": "x",
        "volumeMounts": [{"name": m, "mountPath": f"/{m}", **draw(FOREIGN)} for m in mounts],
        "ports": [{"containerPort": port, "hostPort": port, **draw(FOREIGN)} for port in ports],
        **more,
        **draw(PROBES),
        **draw(FOREIGN),
    }


@st.composite
def pods(draw: st.DrawFn) -> Json:
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
    more: Json = draw(FOREIGN)
    return a_pod(
        containers=[draw(some_container(name)) for name in names],
        initContainers=[
            draw(some_container("init")),
            draw(some_container("beside", restartPolicy="Always")),
        ],
        ephemeralContainers=draw(st.sampled_from([[], [a_container("old")]])),
        volumes=[{"name": name, kind: draw(FOREIGN)} for name, kind in VOLUMES.items()],
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


OPTIONS = st.fixed_dictionaries(
    {
        "same_node": st.booleans(),
        "keep_annotations": st.booleans(),
        "keep_mesh": st.booleans(),
        "share_processes": st.booleans(),
        "writable": st.frozensets(NAMES_OF_VOLUMES, max_size=2),
        "skip_init": st.frozensets(st.sampled_from(["all", "init", "beside"])),
        "resources": st.sampled_from(["copy", "none"]),
        "images": st.sampled_from([(), (("*", "y"),), (("init", "y"),)]),
        "pull_secrets": st.sampled_from([(), ("x",)]),
    }
)


@given(pods(), OPTIONS)
def test_the_source_is_never_changed_and_the_copy_is_always_the_same(
    source: Json, options: Json
) -> None:
    if "init" in dict(options["images"]):
        options["skip_init"] = frozenset()
    before = deepcopy(source)
    first = copy_of(source, **options)
    assert source == before
    assert copy_of(source, **options) == first


@given(pods(), st.booleans(), st.frozensets(NAMES_OF_VOLUMES, max_size=2))
def test_no_copy_is_what_production_is(source: Json, same: bool, writable: frozenset[str]) -> None:
    copied = copy_of(source, same_node=same, writable=writable).manifest
    assert not {"nodeName", "ephemeralContainers"} & copied["spec"].keys()
    outlives = {name for name, kind in VOLUMES.items() if kind in SHARED}
    for container in all_containers(copied):
        gates = container["name"] == "beside" and "startupProbe" in container
        assert [key for key in container if key.endswith("Probe")] == ["startupProbe"] * gates
        assert not any("hostPort" in port for port in container.get("ports", []))
        for mount in container["volumeMounts"]:
            protected = mount["name"] in outlives - writable
            assert mount.get("readOnly", False) is protected


@given(pods())
def test_a_copy_of_a_copy_changes_nothing_more(source: Json) -> None:
    once = copy_of(source).manifest
    assert copy_of(once).manifest == once
