"""Make, check and delete this checkout's clusters, and look into their nodes."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed import brokenimages, debian, engine, nodeimage, testimages, users
from testbed.cache import HERE, folder, log_file
from testbed.engine import Engine
from testbed.proc import Failed, Steps, attempt, locked, run, say

ROOT = HERE.parent
STATE = ROOT / ".testbed"
OWN_CLUSTER = "SCRATCH_TEST_KUBECONFIG"
# kind v0.33.0's own node image, for a docker that can pull
KIND_IMAGE = "kindest/node:v1.37.0"
BASH_DOCKERFILE = "FROM debian:12-slim\nRUN apt-get update && apt-get install -y procps vim-tiny\n"
NAMESPACE = users.NAMESPACE
LOCK_TIMEOUT = CREATE_TIMEOUT = 900.0
READY_TIMEOUT = 120.0
HEALTH_TRIES, HEALTH_PAUSE = 4, 3.0


@dataclass(frozen=True)
class Cluster:
    """A cluster of this checkout: the usual one, or one with workers beside it."""

    workers: int = 0

    @property
    def name(self) -> str:
        """Return kind's name for it, which differs between checkouts."""
        return f"{_prefix()}{self._suffix}"

    @property
    def kubeconfig(self) -> Path:
        """Return where its kubeconfig is."""
        return STATE / f"kubeconfig{self._suffix}"

    @property
    def made_from(self) -> Path:
        """Return the file that tells what the cluster was made from."""
        return STATE / f"made-from{self._suffix}.json"

    @property
    def _suffix(self) -> str:
        return f"-w{self.workers}" if self.workers else ""

    def kubectl(self, *words: str | Path, timeout: float = 60, stdin: str | None = None) -> str:
        """Run kubectl as the cluster's admin and return its stdout."""
        command = [kubectl(), "--kubeconfig", self.kubeconfig, *words]
        return run(command, timeout=timeout, stdin=stdin)


def _prefix() -> str:
    return f"scratch-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"


def kubectl() -> Path | str:
    """Return the kubectl beside the interpreter, else the one on PATH."""
    beside = Path(sys.executable).parent / "kubectl"
    return beside if beside.exists() else "kubectl"


def up(workers: int) -> Path:
    """Bring the cluster up, or find it up, and return its kubeconfig."""
    if external := os.environ.get(OWN_CLUSTER):
        return _check_external(Path(external))
    cluster = Cluster(workers)
    steps = Steps()
    with _checkout_lock():
        STATE.mkdir(exist_ok=True)
        docker = engine.find()
        if not (docker and _is_wanted(cluster) and _is_healthy_soon(cluster)):
            docker = _create(cluster, steps)
        _bring_up_to_date(cluster, docker, steps)
    return cluster.kubeconfig


def _checkout_lock() -> contextlib.AbstractContextManager[None]:
    return locked(ROOT, "another up or down of this checkout", LOCK_TIMEOUT)


def _check_external(kubeconfig: Path) -> Path:
    if not kubeconfig.is_file():
        raise Failed(f"${OWN_CLUSTER}: there is no file {kubeconfig}")
    run([kubectl(), "--kubeconfig", kubeconfig, "get", "--raw", "/readyz"], timeout=30)
    return kubeconfig.resolve()


def _is_wanted(cluster: Cluster) -> bool:
    """Tell whether a cluster was made here, and from the node image that is of now."""
    made_from = _made_from(cluster).get("image")
    return cluster.kubeconfig.exists() and made_from in (nodeimage.tag(), KIND_IMAGE)


def _is_healthy_soon(cluster: Cluster) -> bool:
    """Look more than once: a busy machine is no reason to throw a cluster away."""
    for tries_left in reversed(range(HEALTH_TRIES)):
        if _is_healthy(cluster):
            return True
        if tries_left:
            say(f"{cluster.name} is not healthy; looking again")
            time.sleep(HEALTH_PAUSE)
    return False


def _is_healthy(cluster: Cluster) -> bool:
    """Tell whether all nodes are Ready and pods can be made."""
    command = [kubectl(), "--kubeconfig", cluster.kubeconfig, "--request-timeout=5s"]
    command += ["get", "nodes,serviceaccounts", "-n", "default", "-o", "json"]
    try:
        answer = attempt(command, timeout=15)
    except Failed:
        return False
    if answer.returncode != 0:
        return False
    items = json.loads(answer.stdout)["items"]
    ready = [item for item in items if item["kind"] == "Node" and _is_ready(item)]
    accounts = [item["metadata"]["name"] for item in items if item["kind"] == "ServiceAccount"]
    return len(ready) == cluster.workers + 1 and "default" in accounts


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _made_from(cluster: Cluster) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(cluster.made_from.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _note(cluster: Cluster, **changes: str) -> None:
    cluster.made_from.write_text(json.dumps({**_made_from(cluster), **changes}))


def _create(cluster: Cluster, steps: Steps) -> Engine:
    docker = engine.find()
    engine.check_possible(docker)
    kind = nodeimage.kind_program().ensure(steps) / "kind"
    image = KIND_IMAGE if docker and _can_use_kinds_image(docker, steps) else nodeimage.tag()
    archive = None if image == KIND_IMAGE else _node_archive(docker, steps)
    _images(image, steps)
    _broken_images(steps)
    with engine.machine_lock():
        docker = engine.find_or_start(steps)
        if archive and not docker.has_image(image):
            with steps.step("docker load of the node image"):
                docker.docker("load", "-q", "-i", archive, timeout=CREATE_TIMEOUT)
        _forget(cluster)
        with steps.step(f"kind create cluster {cluster.name}"):
            _kind_create(cluster, kind, docker, image)
    _note(cluster, image=image)
    return docker


def _node_archive(docker: Engine | None, steps: Steps) -> Path:
    artifact = nodeimage.node_image()
    if not artifact.built and not _can_build():
        there = "docker cannot pull kind's node image" if docker else "no docker daemon answers"
        raise Failed(
            f"{there}, and building a node image needs root on Debian: start a docker that can "
            f"pull {KIND_IMAGE}, or run this as root on Debian"
        )
    return artifact.ensure(steps) / "node.tar"


def _can_build() -> bool:
    return debian.is_root_on_debian()


def _can_use_kinds_image(docker: Engine, steps: Steps) -> bool:
    if docker.private:
        return False
    if docker.has_image(KIND_IMAGE):
        return True
    if nodeimage.node_image().built:
        return False
    with steps.step(f"docker pull {KIND_IMAGE}"):
        pull = attempt(["docker", "pull", "-q", KIND_IMAGE], env=docker.env, timeout=CREATE_TIMEOUT)
    return pull.returncode == 0


def _images(node: str, steps: Steps) -> Path:
    """Return the archive of those test images that are made here."""
    artifact = testimages.app_images() if node == KIND_IMAGE else testimages.test_images()
    return artifact.ensure(steps) / "images.tar"


def _broken_images(steps: Steps) -> Path | None:
    """Return the archive of the broken pods' images, if it can be built here."""
    if not _can_build():
        say("no images of broken pods: building them needs root on Debian")
        return None
    return brokenimages.broken_images().ensure(steps) / "images.tar"


def _kind_create(cluster: Cluster, kind: Path, docker: Engine, image: str) -> None:
    log = log_file("kind-create")
    name = ["--name", cluster.name]
    delete = [kind, "delete", "cluster", *name, "--kubeconfig", cluster.kubeconfig]
    # one that is there but not healthy, after a restart of the machine for example
    run(delete, env=docker.env, log=log, timeout=120)
    roles = ["control-plane", *["worker"] * cluster.workers]
    # a pull of one test that hangs must not hold up those of the others
    kubelet = {
        "kind": "KubeletConfiguration",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "serializeImagePulls": False,
        # the tests of four workers, and what is still ending of theirs
        "maxPods": 200,
    }
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": role} for role in roles],
        "kubeadmConfigPatches": [json.dumps(kubelet)],
    }
    create = [kind, "create", "cluster", *name, "--image", image, "--config", "-", "--retain"]
    create += ["--kubeconfig", cluster.kubeconfig, "--wait", f"{READY_TIMEOUT:.0f}s"]
    try:
        run(create, env=docker.env, log=log, timeout=CREATE_TIMEOUT, stdin=json.dumps(config))
        cluster.kubeconfig.chmod(0o600)
    except Failed:
        kept = folder() / "log" / "nodes"
        shutil.rmtree(kept, ignore_errors=True)
        attempt([kind, "export", "logs", *name, kept], env=docker.env, timeout=120)
        attempt(delete, env=docker.env, timeout=120)
        say(f"the nodes' logs are kept in {kept}")
        raise


def _bring_up_to_date(cluster: Cluster, docker: Engine, steps: Steps) -> None:
    """Load the images, and make the RBAC users, unless those in the cluster are of now."""
    noted = _made_from(cluster)
    images = _images(noted["image"], steps)
    if noted.get("images") != str(images):
        with steps.step("the test images into the nodes"):
            if noted["image"] == KIND_IMAGE:
                _pull_images(cluster, docker)
            _kind_load(cluster, docker, images)
        with steps.step("waiting for the default ServiceAccount, the registry and DNS"):
            _wait_for_account(cluster, "default")
            _run_registry(cluster)
            dns = ("-n", "kube-system", "rollout", "status", "deploy/coredns")
            cluster.kubectl(*dns, f"--timeout={READY_TIMEOUT:.0f}s", timeout=READY_TIMEOUT + 10)
        _note(cluster, images=str(images))
    broken = _broken_images(steps)
    if broken and noted.get("broken") != str(broken):
        with steps.step("the broken pods' images into the nodes"):
            _kind_load(cluster, docker, broken)
        _note(cluster, broken=str(broken))
    if noted.get("role") != users.role_key(ROOT):
        with steps.step("RBAC users"):
            users.make(cluster.kubectl, cluster.kubeconfig, ROOT)
        _note(cluster, role=users.role_key(ROOT))


def _pull_images(cluster: Cluster, docker: Engine) -> None:
    """Get the two images that are otherwise cut out of Debian; not run where this was written."""
    docker.docker("pull", testimages.BUSYBOX, timeout=CREATE_TIMEOUT)
    build = ["docker", "build", "-t", testimages.BASH, "-"]
    run(build, env=docker.env, stdin=BASH_DOCKERFILE, timeout=CREATE_TIMEOUT)
    kind = nodeimage.kind_program().path / "kind"
    names = (testimages.BUSYBOX, testimages.BASH)
    load = [kind, "load", "docker-image", *names, "--name", cluster.name]
    run(load, env=docker.env, timeout=CREATE_TIMEOUT)


def _kind_load(cluster: Cluster, docker: Engine, archive: Path) -> None:
    kind = nodeimage.kind_program().path / "kind"
    load = [kind, "load", "image-archive", archive, "--name", cluster.name]
    run(load, env=docker.env, timeout=CREATE_TIMEOUT)


def _wait_for_account(cluster: Cluster, namespace: str) -> None:
    """Wait for a namespace's default ServiceAccount: no pod can be made before it is there."""
    get = ("-n", namespace, "get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
    end = time.monotonic() + READY_TIMEOUT
    while not cluster.kubectl(*get):
        if time.monotonic() > end:
            raise Failed(f"no ServiceAccount {namespace}/default after {READY_TIMEOUT:.0f} s")
        time.sleep(0.2)


def _run_registry(cluster: Cluster) -> None:
    """Run the failing registry on each node's 127.0.0.1:5000; containerd asks it without TLS."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
    _wait_for_account(cluster, NAMESPACE)
    delete = ("-n", NAMESPACE, "delete", "pod", "-l", "app=registry", "--now")
    cluster.kubectl(*delete, timeout=READY_TIMEOUT)
    nodes = cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()
    pods = [_registry_pod(number, node) for number, node in enumerate(sorted(nodes))]
    items = {"apiVersion": "v1", "kind": "List", "items": pods}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(items))
    ready = ("wait", "--for=condition=Ready", "pod", "-l", "app=registry")
    limit = f"--timeout={READY_TIMEOUT:.0f}s"
    cluster.kubectl("-n", NAMESPACE, *ready, limit, timeout=READY_TIMEOUT + 10)


def _registry_pod(number: int, node: str) -> dict[str, Any]:
    name = f"registry-{number}" if number else "registry"
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"app": "registry"}}
    container = {"name": "registry", "image": testimages.REGISTRY}
    # given its node here, not by the scheduler: the control plane's taint has no say then
    spec = {"nodeName": node, "hostNetwork": True, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _forget(cluster: Cluster) -> None:
    cluster.kubeconfig.unlink(missing_ok=True)
    cluster.made_from.unlink(missing_ok=True)


def down() -> None:
    """Delete this checkout's clusters; the last one on the machine takes the daemon with it."""
    steps = Steps()
    with _checkout_lock(), engine.machine_lock():
        STATE.mkdir(exist_ok=True)
        docker = engine.find()
        for name in _own_clusters(docker) if docker else []:
            with steps.step(f"kind delete cluster {name}"):
                _delete(name, docker)
        if docker is None or docker.private:
            _stop_if_unused(docker, steps)
        shutil.rmtree(STATE)


def _delete(name: str, docker: Engine | None) -> None:
    assert docker
    kind = nodeimage.kind_program().ensure(Steps()) / "kind"
    kubeconfig = STATE / "kubeconfig-of-deleted"
    command = [kind, "delete", "cluster", "--name", name, "--kubeconfig", kubeconfig]
    run(command, env=docker.env, timeout=180)


def _stop_if_unused(docker: Engine | None, steps: Steps) -> None:
    others = _node_names(docker, "label=io.x-k8s.kind.cluster") if docker else []
    if others:
        say(f"the private dockerd goes on: it also runs {', '.join(others)}")
    elif engine.has_remains() and os.geteuid() == 0:
        with steps.step("stopping the private dockerd and taking away what it made"):
            engine.stop(docker)


def _node_names(docker: Engine, label: str) -> list[str]:
    form = "{{.Names}}"
    return sorted(docker.docker("ps", "-a", "--filter", label, "--format", form).split())


def _own_clusters(docker: Engine) -> list[str]:
    form = '{{.Label "io.x-k8s.kind.cluster"}}'
    every = docker.docker("ps", "-a", "--filter", "label=io.x-k8s.kind.cluster", "--format", form)
    own = _prefix()
    return sorted({name for name in every.split() if name == own or name.startswith(f"{own}-w")})


def _running(workers: int) -> tuple[Cluster, Engine, list[str]]:
    """Return a cluster that is up, with its engine and the names of its nodes."""
    if os.environ.get(OWN_CLUSTER):
        raise Failed(f"the nodes of ${OWN_CLUSTER}'s cluster cannot be looked into")
    cluster = Cluster(workers)
    docker = engine.find()
    nodes = _node_names(docker, f"label=io.x-k8s.kind.cluster={cluster.name}") if docker else []
    if not docker or not nodes:
        raise Failed("the cluster is not up: python -m testbed up")
    return cluster, docker, nodes


def load(archives: Sequence[Path], workers: int = 0) -> None:
    """Load docker-archives into the cluster's nodes."""
    cluster, docker, _ = _running(workers)
    for archive in archives:
        _kind_load(cluster, docker, archive)


def node_exec(
    command: list[str], *, node: str | None = None, workers: int = 0, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command on a node (the control plane unless named) and return its result."""
    _, docker, nodes = _running(workers)
    return _exec(docker, _pick(nodes, node), command, timeout)


def node_exec_through(command: list[str], node: str | None, workers: int) -> int:
    """Run a command on a node with this process's own stdin, stdout and stderr."""
    _, docker, nodes = _running(workers)
    words = ["docker", "exec", "-i", _pick(nodes, node), *command]
    return subprocess.call(words, env={**os.environ, **docker.env})


def _pick(nodes: list[str], wanted: str | None) -> str:
    if wanted and wanted not in nodes:
        raise Failed(f"no node {wanted}: there are {', '.join(nodes)}")
    return wanted or next(node for node in nodes if node.endswith("control-plane"))


def _exec(
    docker: Engine, node: str, command: list[str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    return attempt(["docker", "exec", node, *command], env=docker.env, timeout=timeout)


def containers(workers: int = 0) -> list[dict[str, Any]]:
    """Return the containers that run on the nodes by what the nodes' runtime itself says."""
    _, docker, nodes = _running(workers)
    return [item for node in nodes for item in _containers_of(docker, node)]


def _containers_of(docker: Engine, node: str) -> list[dict[str, Any]]:
    script = "crictl ps -o json && echo --- && ctr -n k8s.io tasks ls"
    answer = _exec(docker, node, ["sh", "-c", script])
    if answer.returncode != 0:
        raise Failed(f"{node}: {answer.stderr.strip()}")
    listed, _, tasks = answer.stdout.partition("\n---\n")
    rows = [row.split() for row in tasks.splitlines()]
    pids = {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
    return [
        {
            "node": node,
            "id": item["id"],
            "name": item["metadata"]["name"],
            "namespace": item["labels"].get("io.kubernetes.pod.namespace", ""),
            "pod": item["labels"].get("io.kubernetes.pod.name", ""),
            "pid": pids.get(item["id"]),
        }
        for item in json.loads(listed)["containers"]
        if item["state"] == "CONTAINER_RUNNING"
    ]


def status(workers: int) -> bool:
    """Print what is there and tell whether the cluster is up."""
    print(f"cache:      {folder()}")
    nodes_own = (nodeimage.kind_program(), nodeimage.node_image())
    for artifact in (*nodes_own, testimages.test_images(), brokenimages.broken_images()):
        print(f"  {artifact.name:14}{'built' if artifact.built else 'not built'}")
    try:
        cluster, docker, nodes = _running(workers)
    except Failed as failure:
        print(f"cluster:    {failure}")
        return False
    healthy = _is_healthy(cluster)
    where = "a private dockerd" if docker.private else "this machine's docker"
    print(f"provider:   kind {nodeimage.KIND.split('@')[1]} in {where}")
    print(f"cluster:    {cluster.name}, {'up' if healthy else 'not healthy'}")
    print(f"kubeconfig: {cluster.kubeconfig}")
    for node in nodes:
        print(f"node:       {node}")
        for image in _image_names(docker, node):
            print(f"  image     {image}")
    return healthy


def _image_names(docker: Engine, node: str) -> list[str]:
    answer = _exec(docker, node, ["crictl", "images", "-o", "json"])
    if answer.returncode != 0:
        return [f"not to be had: {answer.stderr.strip()}"]
    images = json.loads(answer.stdout)["images"]
    return sorted(name for image in images for name in image.get("repoTags") or [])
