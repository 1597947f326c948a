"""Paths of the node in a copy: which stay, which are left out, which are only told of."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_scratch.kube.objects import names_of, volumes
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.podcopy.manifest import Copied
from kubectl_scratch.plan.podcopy.volume_edits import left_out_by_us, read_only_by_us
from kubectl_scratch.plan.storage import Storage
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_container, a_pod, copy_for

MOUNT = {"name": "node", "mountPath": "/node"}
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def a_source(path: str, kind: str | None = None, **more: Any) -> Json:
    host_path = {"path": path, **({} if kind is None else {"type": kind})}
    status = {"containerStatuses": [{"name": "app", "state": {"running": {}}}]}
    return a_pod(
        containers=[a_container(volumeMounts=[dict(MOUNT)])],
        initContainers=[a_container("init", volumeMounts=[dict(MOUNT)])],
        volumes=[{"name": "node", "hostPath": host_path}, {"name": "tmp", "emptyDir": {}}],
        status=status,
        nodeName="node-1",
        **more,
    )


def copy_of(source: Json, recursive: bool | None = True, **wanted: Any) -> Copied:
    return copy_for(source, "x", {}, {}, CopyOptions(**wanted), storage=Storage(recursive))


def warnings(copied: Copied) -> str:
    return "\n".join(
        f.text for f in copied.findings if f.level is Level.WARNING and "init " not in f.text
    )


LEFT_OUT = [
    ("/var/run/docker.sock", None),
    ("/var/run/docker.sock", "Socket"),
    ("/run/docker.sock", "File"),
    ("//run/../run/docker.sock/", None),
    ("/run/containerd/containerd.sock", None),
    ("/run/containerd", "Directory"),
    ("/run/k3s/containerd/containerd.sock", None),
    ("/var/snap/microk8s/common/run/containerd.sock", None),
    ("/run/crio/crio.sock", ""),
    ("/var/run/crio", None),
    ("/run/podman/podman.sock", None),
    ("/var/lib/kubelet/device-plugins", "Directory"),
    ("/var/lib/kubelet/device-plugins/kubelet.sock", None),
    ("/var/lib/kubelet/pod-resources", None),
    ("/dev", None),
    ("/dev/", "Directory"),
    ("/dev/fuse", None),
    ("/dev/sda", "BlockDevice"),
    ("/opt/mydevice", "CharDevice"),
]
TOLD = [
    ("/", "contains sockets"),
    ("/run", "contains sockets"),
    ("/var/run/", "contains sockets"),
    ("/var/lib", "contains sockets"),
    ("/var/lib/kubelet", "contains sockets"),
    ("/opt/agent.sock", "the server behind it"),
]
TOLD += [
    (path, "the server behind it")
    for path in (
        *("/dev/log", "/run/systemd/notify", "/run/dbus/system_bus_socket"),
        *("/run/systemd/private", "/run/systemd/journal/socket", "/var/run/systemd/journal/stdout"),
    )
]
TOLD += [("/run/dbus", "contains sockets"), ("/run/systemd/journal", "contains sockets")]
# Devices that every container has.
OF_EVERYBODY = [f"/dev/{name}" for name in ("null", "zero", "random", "urandom", "tty", "full")]
HARMLESS = [
    *OF_EVERYBODY,
    *("/var/log", "/etc/localtime", "/dev/shm", "/dev/hugepages-2Mi", "/running", "/device"),
    "/run/systemd-else",
]


@pytest.mark.parametrize("path, kind", LEFT_OUT)
def test_what_commands_a_runtime_or_a_device_is_left_out(path: str, kind: str | None) -> None:
    source = a_source(path, kind)
    copied = copy_of(source)
    spec = copied.manifest["spec"]
    assert names_of(volumes(copied.manifest)) == ["tmp"]
    assert [c["volumeMounts"] for c in (*spec["containers"], *spec["initContainers"])] == [[], []]
    assert "volume node" in [edit.field for edit in copied.edits]
    assert "--writable node to keep it" in warnings(copied)
    (app,) = source["spec"]["containers"]
    assert left_out_by_us(source, CopyOptions(), app) == ["node"]
    assert read_only_by_us(source, CopyOptions(), app) == []
    asked = CopyOptions(writable=frozenset({"node"}))
    kept = copy_of(source, writable=asked.writable)
    assert names_of(volumes(kept.manifest)) == ["node", "tmp"]
    assert kept.manifest["spec"]["containers"][0]["volumeMounts"] == [MOUNT]
    assert left_out_by_us(source, asked, app) == []


@pytest.mark.parametrize("path, why", TOLD)
def test_what_reaches_further_than_its_mount_is_told(path: str, why: str) -> None:
    copied = copy_of(a_source(path, "Directory"))
    assert names_of(volumes(copied.manifest)) == ["node", "tmp"]
    assert why in warnings(copied) and "--skip-volume node" in warnings(copied)
    assert left_out_by_us(a_source(path), CopyOptions(), a_container(volumeMounts=[MOUNT])) == []


@pytest.mark.parametrize(
    "volume, is_missed",
    [
        *[
            ({"hostPath": {"path": path}}, False)
            for path in (
                *("/", "/proc", "/sys", "/sys/fs/cgroup", "/etc/localtime", "/etc/timezone"),
                *("/usr/share/zoneinfo", "/etc/ssl", "/etc/ssl/certs", "/etc/pki/ca-trust"),
                *("/lib/modules", "/usr/src", "/etc/machine-id", "/etc/os-release", "/etc/passwd"),
                *("/etc/group", "/usr/lib/os-release", "/var/run/nscd.socket", *OF_EVERYBODY),
                *("/dev/log", "/run/systemd/notify"),
            )
        ],
        ({"hostPath": {"path": "/opt/x", "type": "Socket"}}, False),
        ({"hostPath": {"path": "/dev/null", "type": "CharDevice"}}, False),
        *[
            ({"hostPath": {"path": path}}, True)
            for path in ("/var/log", "/srv", "/etc", "/etc/cron.d", "/dev/shm", "/procedures")
        ],
        ({"gitRepo": {"repository": "https://example.com/x"}}, False),
        ({"csi": {"driver": "secrets-store.csi.k8s.io"}}, False),
        ({"csi": {"driver": "nfs.csi.k8s.io"}}, True),
        ({"csi": {"driver": "nfs.csi.k8s.io", "readOnly": True}}, False),
    ],
    ids=str,
)
def test_what_nobody_writes_holds_no_app(volume: Json, is_missed: bool) -> None:
    source = a_source("/x")
    source["spec"]["volumes"][0] = {"name": "node", **volume}
    (app,) = source["spec"]["containers"]
    assert read_only_by_us(source, CopyOptions(), app) == ["node"] * is_missed
    assert left_out_by_us(source, CopyOptions(), app) == []


def test_several_volumes_are_told_in_one_line() -> None:
    paths = {"a": "/srv/a", "b": "/srv/b", "c": "/run", "d": "/", "e": "/dev/sda", "f": "/dev/sdb"}
    source = a_source("/x")
    source["spec"]["volumes"] = [
        {"name": name, "hostPath": {"path": path, "type": "Directory"}}
        for name, path in paths.items()
    ]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in paths]
    source["spec"]["containers"][0]["volumeMounts"] = mounts
    source["spec"]["initContainers"] = []
    told = warnings(copy_of(source, False)).split("\n")
    (below,) = (text for text in told if "mounted below" in text)
    (left_out,) = (text for text in told if "omitted" in text)
    (sockets,) = (text for text in told if "contain" in text)
    assert all(f"(volume {name})" in below for name in "abcd")
    assert "use --skip-volume NAME to copy without one: a, b, c, d" in below
    assert "e (/dev/sda), f (/dev/sdb)" in left_out and "--writable NAME" in left_out
    assert "c (/run), d (/)" in sockets


@pytest.mark.parametrize("path", HARMLESS)
def test_a_harmless_path_is_only_read_only(path: str) -> None:
    copied = copy_of(a_source(path, "Directory" if path != "/etc/localtime" else "File"))
    assert warnings(copied) == ""
    mount = copied.manifest["spec"]["containers"][0]["volumeMounts"][0]
    assert mount == {**MOUNT, "readOnly": True, "recursiveReadOnly": "IfPossible"}


def test_a_socket_of_any_other_is_told() -> None:
    copied = copy_of(a_source("/opt/agent", "Socket"))
    assert "the server behind it" in warnings(copied)
    assert names_of(volumes(copied.manifest)) == ["node", "tmp"]


@pytest.mark.parametrize(
    "kind, path, expected",
    [("DirectoryOrCreate", "/srv/x", "Directory"), ("FileOrCreate", "/srv/x", "File")],
)
def test_nothing_is_made_on_a_node(kind: str, path: str, expected: str) -> None:
    copied = copy_of(a_source(path, kind))
    assert copied.manifest["spec"]["volumes"][0]["hostPath"] == {"path": path, "type": expected}
    assert "volume node" in [edit.field for edit in copied.edits]


@pytest.mark.parametrize("kind, told", [(None, True), ("", True), ("Directory", False)])
def test_a_path_that_the_runtime_may_make_is_told(kind: str | None, told: bool) -> None:
    source = a_source("/srv/x", kind)
    assert "creates /srv/x" not in warnings(copy_of(source))
    source["status"] = {"containerStatuses": [{"name": "app", "state": {"waiting": {}}}]}
    assert ("creates /srv/x if it does not exist" in warnings(copy_of(source))) is told
    left = copy_of(source, skip_volumes=frozenset({"node"}))
    assert "creates" not in warnings(left)


def test_a_path_of_the_node_needs_that_node() -> None:
    source = a_source("/srv/x")
    assert [*copy_of(source).manifest["spec"]["affinity"]["nodeAffinity"]] == [REQUIRED]
    skipped = copy_of(source, skip_volumes=frozenset({"node"}))
    for copied in (skipped, copy_of(a_source("/dev/fuse"))):
        assert [*copied.manifest["spec"]["affinity"]["nodeAffinity"]] == [PREFERRED]


@pytest.mark.parametrize(
    "before, after",
    [
        ({}, {"readOnly": True, "recursiveReadOnly": "IfPossible"}),
        ({"readOnly": True}, {"readOnly": True, "recursiveReadOnly": "IfPossible"}),
        (
            {"readOnly": True, "recursiveReadOnly": "Enabled"},
            {"readOnly": True, "recursiveReadOnly": "Enabled"},
        ),
        (
            {"readOnly": True, "recursiveReadOnly": "Disabled"},
            {"readOnly": True, "recursiveReadOnly": "IfPossible"},
        ),
        (
            {"readOnly": True, "recursiveReadOnly": "IfPossible", "mountPropagation": "None"},
            {"readOnly": True, "recursiveReadOnly": "IfPossible", "mountPropagation": "None"},
        ),
        (
            {"mountPropagation": "HostToContainer"},
            {"readOnly": True, "recursiveReadOnly": "IfPossible"},
        ),
        (
            {"readOnly": True, "mountPropagation": "HostToContainer"},
            {"readOnly": True, "recursiveReadOnly": "IfPossible"},
        ),
        (
            {"mountPropagation": "Bidirectional"},
            {"readOnly": True, "recursiveReadOnly": "IfPossible"},
        ),
    ],
)
def test_what_is_below_a_mount_is_read_only_as_well(before: Json, after: Json) -> None:
    source = a_source("/srv/x")
    source["spec"]["containers"][0]["volumeMounts"] = [{**MOUNT, **before}]
    copied = copy_of(source)
    assert copied.manifest["spec"]["containers"][0]["volumeMounts"] == [{**MOUNT, **after}]
    assert ("app:/node" in [edit.field for edit in copied.edits]) is (before != after)
    kept = copy_of(source, writable=frozenset({"node"})).manifest["spec"]["containers"][0]
    assert kept["volumeMounts"] == [{**MOUNT, **before}]


def test_a_private_volume_s_mount_is_as_in_the_source() -> None:
    mount = {"name": "tmp", "mountPath": "/tmp", "mountPropagation": "HostToContainer"}
    source = a_source("/srv/x")
    source["spec"]["containers"][0]["volumeMounts"] = [mount]
    assert copy_of(source).manifest["spec"]["containers"][0]["volumeMounts"] == [mount]


@pytest.mark.parametrize(
    "recursive, kind, wanted, told",
    [
        (True, None, {}, False),
        (False, None, {}, True),
        (None, None, {}, False),
        (False, "Directory", {}, True),
        (False, "DirectoryOrCreate", {}, True),
        (False, "File", {}, False),
        (False, "Socket", {}, False),
        (False, None, {"writable": frozenset({"node"})}, False),
        (False, None, {"skip_volumes": frozenset({"node"})}, False),
    ],
)
def test_what_a_node_leaves_writable_is_told(
    recursive: bool | None, kind: str | None, wanted: Json, told: bool
) -> None:
    copied = copy_of(a_source("/srv/x", kind), recursive, **wanted)
    assert ("mounted below /srv/x" in warnings(copied)) is told
    # What is not known is a detail.
    details = [f.text for f in copied.findings if f.level is Level.DETAIL]
    unknown = recursive is None
    assert any("mounted below /srv/x" in text for text in details) is unknown


def test_a_claim_has_no_mounts_below() -> None:
    source = a_source("/srv/x")
    source["spec"]["volumes"][0] = {"name": "node", "persistentVolumeClaim": {"claimName": "x"}}
    assert "below" not in warnings(copy_of(source, False))


def test_what_no_mount_prevents_is_told() -> None:
    source = a_source("/srv/x", hostIPC=True)
    source["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    told = warnings(copy_of(source))
    assert "hostIPC" in told and "privileged containers" in told and "app" in told
