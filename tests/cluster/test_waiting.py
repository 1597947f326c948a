"""What can't get better fails as soon as the cluster says so, with its reason."""

from __future__ import annotations

import signal

import pytest

from kubectl_scratch.kube.exec_errors import is_over
from tests.cluster.conftest import Cluster, Json, release_slow_pulls, send, told
from tests.support.manifests import BUSYBOX, a_pod, a_volume


@pytest.fixture(scope="module", autouse=True)
def source(cluster: Cluster) -> None:
    """Make the pod that is debugged here."""
    cluster.apply(a_pod("web"))
    cluster.ready("web")


@pytest.mark.parametrize(
    "image, reason",
    [
        ("localhost:5000/missing/app:1", b"not found"),
        ("localhost:5000/denied/app:1", b"403 Forbidden"),
        ("localhost:5000/unauthorized/app:1", b"401 Unauthorized"),
        ("localhost:5000/UPPER/app:1", b"must be lowercase"),
        # It has no sleep, with which the debug container idles.
        ("docker.io/scratch-testbed/http:1", b"executable file not found"),
    ],
)
def test_an_image_that_will_not_do(clean: Cluster, image: str, reason: bytes) -> None:
    done = clean.scratch("debug", "-q", "web", "--image", image, "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: the debug container")
    assert reason in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_registry_s_hiccup_is_waited_for_until_the_timeout(clean: Cluster) -> None:
    words = ["debug", "-q", "web", "--image", "localhost:5000/flaky/app:1", "--timeout", "4s"]
    done = clean.scratch(*words, "--", "true")
    assert done.returncode == 1
    assert b"timed out after 4s" in done.stderr
    assert b"503 Service Unavailable" in done.stderr


def test_a_copy_that_no_node_takes(clean: Cluster) -> None:
    clean.apply(a_pod("picky", nodeSelector={"no": "such-node"}))
    done = clean.scratch("debug", "-q", "picky", "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: no node can run the copy: 0/1 nodes are available")


def test_a_wait_says_what_it_waits_for(clean: Cluster) -> None:
    child = clean.start("debug", "web", "--image", "localhost:5000/slow/app:1", "--", "true")
    assert child.stderr is not None
    told(child, b"waiting for web-scratch-")
    assert b"the node is preparing the container" in child.stderr.readline()
    assert send(child, signal.SIGINT)[0] == 130
    release_slow_pulls()


def test_a_command_that_the_toolkit_lacks(clean: Cluster) -> None:
    done = clean.scratch("debug", "-q", "web", "--", "no-such-tool")
    assert done.returncode == 127
    assert done.stderr == b"seed: no-such-tool: not found\n"


# A target that writes what the copy has read-only


def a_service(name: str) -> Json:
    """Return a Service that selects the pod of that name."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def served(cluster: Cluster, name: str, script: str, **fields: object) -> None:
    """Make a pod that a Service selects, so that its copy is not held for lack of one."""
    command = ["sh", "-c", script]
    pod = a_pod(name, BUSYBOX, {"app": name}, command=command, **fields)
    cluster.apply(a_service(name), pod)


ON_DATA = [{"name": "data", "mountPath": "/data"}]
APPENDS = "echo up >> /data/log && exec sleep 3600"


@pytest.mark.parametrize("kind", ["claim", "hostPath"])
def test_a_database_behind_a_service(clean: Cluster, kind: str) -> None:
    name = f"db-{kind.lower()}"
    folder = {"path": f"/var/local/{clean.namespace}", "type": "DirectoryOrCreate"}
    volume: Json = {"hostPath": folder}
    if kind == "claim":
        clean.apply(*a_volume(f"{clean.namespace}-db", clean.namespace, "db"))
        volume = {"persistentVolumeClaim": {"claimName": "db"}}
    served(clean, name, APPENDS, volumeMounts=ON_DATA, volumes=[{"name": "data", **volume}])
    clean.ready(name)
    done = clean.scratch("debug", name, "--", "true")
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert b"on hold (volume data is read-only in the copy" in done.stderr
    runs = clean.scratch("debug", "-q", name, "--no-hold", "--", "true")
    assert (runs.returncode, runs.stdout) == (1, b"")
    # A node that cannot make what is below a mount read-only is warned of before.
    (said,) = [line for line in runs.stderr.decode().splitlines() if line.startswith("error: ")]
    assert said.startswith("error: container app exited with code 1")
    for words in ("Read-only file system", "--hold", "--writable data", "--view tools"):
        assert words in said
    # The way out.
    child = clean.terminal("debug", name, "--no-hold")
    child.expect_exact("the session continues in the debug container")
    child.expect("[$#] ")
    child.sendline("exit 5")
    child.expect_exact("exit 5")
    child.wait()
    assert child.exitstatus == 5


def test_an_init_container_that_owns_a_folder_of_production(clean: Cluster) -> None:
    folder = {"path": f"/var/local/{clean.namespace}", "type": "DirectoryOrCreate"}
    own = ["sh", "-c", "chown -R 5:5 /data"]
    setup = {"name": "setup", "image": BUSYBOX, "command": own, "volumeMounts": ON_DATA}
    volumes = [{"name": "data", "hostPath": folder}]
    served(clean, "owns", "exec sleep 3600", initContainers=[setup], volumes=volumes)
    clean.ready("owns")
    done = clean.scratch("debug", "-q", "owns", "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    *_, error = done.stderr.decode().splitlines()
    for words in (
        "init container setup exited with code 1, so container app does not start: chown: /data",
        "Read-only file system; use --skip-init setup to omit it, or use -c setup to go inside it",
        "use --writable data to let it write to volume data, read-only in the copy",
    ):
        assert words in error
    assert clean.scratch("debug", "-q", "owns", "--writable", "data", "--", "true").returncode == 0


LIVES = [20, 40, 60, 90, 120, 200, 300, 400, 700]


@pytest.mark.parametrize("transport", ["auto", "kubectl"])
@pytest.mark.parametrize("milliseconds", LIVES)
def test_a_target_that_ends_while_it_is_reached(
    clean: Cluster, milliseconds: int, transport: str
) -> None:
    name = f"lives-{milliseconds}-{transport}"
    served(clean, name, f"sleep {milliseconds / 1000}; exit 3")
    words = ("debug", "-q", name, "--no-hold", "--transport", transport, "--", "true")
    done = clean.scratch(*words)
    said = done.stderr.decode()
    assert done.stdout == b"" and "tools" not in said.replace("--view tools", ""), said
    clean.kubectl("delete", "pod", name, "--wait=false")
    if done.returncode == 0 or (transport == "kubectl" and is_over(said)):
        # It lived for long enough; or kubectl has met its end, and says so.
        return
    ended = ("container app exited with code 3", "container app was ended")
    assert said.partition(": ")[2].startswith(ended) and "--hold" in said, said


# What keeps a copy from starting, and what can help


def a_claim(name: str, **spec: object) -> Json:
    """Return a claim for which the cluster has no volume."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": {**wanted, **spec}}


SLEEPS = ["sh", "-c", "exec sleep 3600"]
MOUNTED = {"volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}]}
FROM_SECRET = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "nope", "key": "pw"}}}
ROOT_CA = {"name": "kube-root-ca.crt", "key": "nope"}
FROM_KEY = {"name": "CA", "valueFrom": {"configMapKeyRef": ROOT_CA}}
HANGS = {"name": "setup", "image": BUSYBOX, "command": SLEEPS}
GENERIC = {"volumeClaimTemplate": {"spec": a_claim("x")["spec"]}}

STUCK: dict[str, tuple[Json, list[str]]] = {
    "selector": ({"nodeSelector": {"no": "such"}}, ["node affinity/selector"]),
    "no-claim": (
        {**MOUNTED, "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "nope"}}]},
        ['persistentvolumeclaim "nope" not found', "use --skip-volume data to copy without it"],
    ),
    "generic": (
        {**MOUNTED, "volumes": [{"name": "data", "ephemeral": GENERIC}]},
        ["no node can run the copy", "use --skip-volume data to copy without it"],
    ),
    "secret": (
        {"env": [FROM_SECRET]},
        ["create secret nope, which sets variable PASSWORD (key pw)"],
    ),
    "key": (
        {"env": [FROM_KEY]},
        ["add key nope to configmap kube-root-ca.crt, which sets variable CA"],
    ),
    "secret-of-init": (
        {"initContainers": [{**HANGS, "env": [FROM_SECRET]}]},
        ["init container setup cannot start", "create secret nope", "--skip-init setup"],
    ),
    "secret-volume": (
        {**MOUNTED, "volumes": [{"name": "data", "secret": {"secretName": "nope"}}]},
        ['secret "nope" not found', "create secret nope, or use --skip-volume data"],
    ),
    "map-volume": (
        {**MOUNTED, "volumes": [{"name": "data", "configMap": {"name": "nope"}}]},
        ['configmap "nope" not found', "create configmap nope, or use --skip-volume data"],
    ),
    "folder": (
        {**MOUNTED, "volumes": [{"name": "data", "hostPath": {"path": "/nope", "type": "File"}}]},
        ["hostPath type check failed", "; use --skip-volume data to copy without it"],
    ),
    "hanging-init": (
        {"initContainers": [HANGS]},
        [
            "init container setup is still running",
            "use -c setup to go inside it, or use --skip-init setup to omit it",
        ],
    ),
}
# Nobody need wait for what these name.
SURE = ("secret", "key", "secret-of-init", "secret-volume", "map-volume", "folder")


@pytest.mark.parametrize("name", STUCK)
def test_what_keeps_a_copy_from_starting_names_only_what_can_help(
    clean: Cluster, name: str
) -> None:
    fields, wanted = STUCK[name]
    clean.apply(a_pod(name, BUSYBOX, command=SLEEPS, **fields))
    timeout = "60s" if name in SURE else "6s"
    done = clean.scratch("debug", "-q", name, "--arch", "amd64", "--timeout", timeout, "--", "true")
    *_, error = done.stderr.decode().splitlines()
    assert done.returncode == 1 and error.startswith("error: ")
    for words in wanted:
        assert words in error, error
    # Whether it is the architecture that no node has, nobody knows.
    for useless in ("--set-image", "--image", *(["--arch"] if name != "selector" else [])):
        assert useless not in error
    assert ("--timeout" in error) is (name not in SURE)


def test_a_node_that_nothing_fits_on_is_seen_by_the_check(clean: Cluster) -> None:
    asks = {"requests": {"cpu": "500"}}
    big = a_pod("big", BUSYBOX, command=SLEEPS)
    big["spec"]["containers"][0]["resources"] = asks
    clean.apply(big, a_pod("nowhere", BUSYBOX, command=SLEEPS, nodeSelector={"no": "such"}))
    for name, words in (("big", b"requests too much cpu"), ("nowhere", b"affinity does not match")):
        done = clean.scratch("check", name)
        assert done.returncode == 1 and b"no node can take the copy" in done.stdout
        assert words in done.stdout
        assert (b"--resources none" in done.stdout) is (name == "big")
    done = clean.scratch("debug", "-q", "big", "--timeout", "5s", "--", "true")
    assert b"Insufficient cpu" in done.stderr and b"--resources none" in done.stderr
    assert clean.scratch("debug", "-q", "big", "--resources", "none", "--", "true").returncode == 0
