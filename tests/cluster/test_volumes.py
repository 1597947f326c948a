"""What outlives a copy is as it was: no folder more, no byte written, no claim bound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Cluster, Json
from tests.support.manifests import BUSYBOX, a_pod

SLEEP = ["sleep", "100000"]


@pytest.fixture
def folder(space: Cluster) -> Iterator[str]:
    """Give an empty folder of the node, in which a pod named ``node`` stands."""
    path = f"/var/local/{space.namespace}"
    mount = {"name": "node", "mountPath": "/node", "mountPropagation": "Bidirectional"}
    volume = {"name": "node", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}
    space.apply(
        a_pod(
            "node",
            BUSYBOX,
            command=SLEEP,
            volumeMounts=[mount],
            volumes=[volume],
            securityContext={"privileged": True},
            terminationGracePeriodSeconds=0,
        )
    )
    space.ready("node")
    yield path
    on_the_node(space, "umount /node/sub 2>/dev/null; rm -rf /node/*")
    space.kubectl("delete", "pod/node", "--wait=false")


def on_the_node(space: Cluster, script: str) -> str:
    """Run a shell in the folder's pod."""
    return space.kubectl("exec", "node", "--", "sh", "-c", script)


def contents(space: Cluster) -> str:
    """Return all that the folder has: names, modes, sizes, times."""
    return on_the_node(space, "cd /node && find . -exec stat -c '%n %a %s %Y %Z' {} + | sort")


def a_source(name: str, path: str, mount: Json) -> Json:
    """Return a pod that mounts a part of a folder of the node."""
    env = [
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "PART", "value": "of-$(POD_NAME)"},
    ]
    return a_pod(
        name,
        BUSYBOX,
        command=["sh", "-c", "echo kept > /data/file; sleep 100000"],
        env=env,
        volumeMounts=[{"name": "data", "mountPath": "/data", **mount}],
        volumes=[{"name": "data", "hostPath": {"path": path}}],
        terminationGracePeriodSeconds=0,
    )


@pytest.mark.parametrize("hold", ["--hold", "--no-hold"])
@pytest.mark.parametrize("expression", ["$(POD_NAME)", "a/$(PART)/$$(PART)"])
def test_a_copy_sees_the_source_s_folder_and_makes_none(
    space: Cluster, folder: str, expression: str, hold: str
) -> None:
    source = a_source("db", folder, {"subPathExpr": expression})
    init = {**source["spec"]["containers"][0], "name": "init", "command": ["true"]}
    source["spec"]["initContainers"] = [init]
    space.apply(source)
    space.ready("db")
    space.wait_until(lambda: "/file " in contents(space), "the source's file")
    before = contents(space)
    script = "cat /data/file; touch /data/new 2>/dev/null || echo refused"
    done = space.scratch("debug", "-q", "db", hold, "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, b"kept\nrefused\n"), done.stderr
    assert contents(space) == before


@pytest.mark.parametrize(
    "how, code, said",
    [
        (
            {"subPath": "new"},
            0,
            b"if they do not exist: new in volume data; use --skip-volume data",
        ),
        ({"subPathExpr": "$(UNKNOWN)"}, 1, b"--skip-volume data"),
    ],
)
def test_a_folder_that_a_copy_would_make_is_told_or_refused(
    space: Cluster, folder: str, how: Json, code: int, said: bytes
) -> None:
    source = a_source("db", folder, how)
    container = source["spec"]["containers"][0]
    container["env"].append(
        {"name": "UNKNOWN", "valueFrom": {"configMapKeyRef": {"name": "part", "key": "part"}}}
    )
    space.apply(source)
    # Its ConfigMap is not there, so its container never starts, and the kubelet has mounted none.
    space.wait_until(lambda: "CreateContainerConfigError" in states(space, "db"), "the failure")
    before = contents(space)
    dry = ("--dry-run",) if code == 0 else ()
    done = space.scratch("debug", "db", "--hold", *dry, "--", "true")
    assert done.returncode == code and said in done.stdout + done.stderr, done.stderr
    assert space.copies() == []
    assert contents(space) == before


def states(space: Cluster, pod: str) -> str:
    """Return what the containers of a pod wait for."""
    return space.kubectl("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[*].state}")


def test_what_is_mounted_below_is_writable_only_where_that_is_said(
    space: Cluster, folder: str
) -> None:
    on_the_node(space, "mkdir /node/sub && mount -t tmpfs none /node/sub")
    space.apply(a_source("db", folder, {"mountPropagation": "HostToContainer"}))
    space.ready("db")
    script = "touch /data/new 2>/dev/null; touch /data/sub/new 2>/dev/null; ls /data /data/sub"
    done = space.scratch("debug", "db", "--hold", "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    top, _, below = done.stdout.decode().partition("/data/sub:\n")
    assert "new" not in top
    (node,) = space.read("nodes")["items"]
    handlers = node["status"].get("runtimeHandlers") or []
    able = any((h.get("features") or {}).get("recursiveReadOnlyMounts") for h in handlers)
    assert ("new" in below) is not able
    assert (b"mounted below" in done.stderr) is not able
    (container,) = (c for c in space.read("pod", "db")["spec"]["containers"] if c["name"] == "app")
    assert container["volumeMounts"][0]["mountPropagation"] == "HostToContainer"


def test_a_runtime_s_socket_and_devices_are_left_out(space: Cluster) -> None:
    paths = {
        "runtime": "/run/containerd/containerd.sock",
        "fuse": "/dev/kmsg",
        "null": "/dev/null",
        "logs": "/var/log",
    }
    volumes = [{"name": name, "hostPath": {"path": path}} for name, path in paths.items()]
    mounts = [{"name": name, "mountPath": f"/node/{name}"} for name in paths]
    space.apply(a_pod("agent", BUSYBOX, command=SLEEP, volumeMounts=mounts, volumes=volumes))
    space.ready("agent")
    done = space.scratch("debug", "agent", "--", "ls", "/node")
    assert (done.returncode, done.stdout) == (0, b"logs\nnull\n"), done.stderr
    for name in ("runtime", "fuse"):
        assert f"--writable {name} to keep it".encode() in done.stderr
    done = space.scratch("debug", "agent", "--writable", "runtime", "--", "ls", "/node")
    assert (done.returncode, done.stdout) == (0, b"logs\nnull\nruntime\n"), done.stderr


def test_a_claim_that_waits_for_its_first_consumer_stays_unbound(space: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    gate = [{"name": "example.com/wait"}]
    space.apply(claim, a_pod("web", volumes=volumes, schedulingGates=gate))
    done = space.scratch("debug", "web", "--", "true")
    assert done.returncode == 1 and b"--skip-volume data" in done.stderr, done.stderr
    assert space.copies() == []
    assert space.read("pvc", "data")["status"]["phase"] == "Pending"
    done = space.scratch("debug", "-q", "web", "--skip-volume", "data", "--", "true")
    assert done.returncode == 0, done.stderr


def test_a_sidecar_s_startup_probe_holds_up_what_waits_for_it(space: Cluster) -> None:
    probe = {"exec": {"command": ["cat", "/shared/up"]}, "periodSeconds": 1}
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    late = "trap exit TERM; sleep 2; touch /shared/up; sleep 100000 & wait"
    sidecar = {
        "name": "proxy",
        "image": BUSYBOX,
        "restartPolicy": "Always",
        "command": ["sh", "-c", late],
        "startupProbe": probe,
        "volumeMounts": mounts,
    }
    init = {
        "name": "migrate",
        "image": BUSYBOX,
        "command": ["cat", "/shared/up"],
        "volumeMounts": mounts,
    }
    volumes = [{"name": "shared", "emptyDir": {}}]
    web = a_pod("web", volumes=volumes, initContainers=[sidecar, init], restartPolicy="Always")
    space.apply(web)
    space.ready("web")
    for how in ("--no-hold", "--hold"):
        done = space.scratch("debug", "web", how, "--", "true")
        assert done.returncode == 0, done.stderr
    done = space.scratch("debug", "web", "--hold", "-c", "proxy", "--", "true")
    assert done.returncode == 0, done.stderr


def test_a_volume_that_its_class_would_keep_is_not_made(space: Cluster) -> None:
    name = f"keeps-{space.namespace}"
    head = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    keeps = {"provisioner": "kubernetes.io/no-provisioner", "reclaimPolicy": "Retain"}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": name,
    }
    volume = {"name": "tmp", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    space.apply({**head, **keeps, "metadata": {"name": name}}, a_pod("web", volumes=[volume]))
    try:
        done = space.scratch("debug", "web", "--", "true")
        assert done.returncode == 1 and b"retains volumes" in done.stderr, done.stderr
        assert b"--skip-volume tmp" in done.stderr
        # Who may not read classes is told that it is not known.
        done = space.scratch("debug", "web", "--dry-run", "--context", "developer")
        assert b"cannot be read" in done.stdout, done.stdout
    finally:
        space.kubectl("delete", "storageclass", name, "--wait=false")
