"""The copy is faithful and harmless, as the cluster judges it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

import testbed
from tests.cluster.conftest import ROOT, Cluster, Json, make_namespace
from tests.support.manifests import BUSYBOX, CRASH, HARDENED, HTTP, a_pod, a_volume
from tests.support.patience import PATIENCE

LABELS = {"app": "shop", "tier": "web"}
# Inside the held target; what the app of CRASH ends with comes last.
TRY_TO_WRITE, CRASH_CODE = "touch /data/new || echo refused; run-app", 3


def a_workload(kind: str, name: str, image: str = HTTP, replicas: int = 1, **spec: object) -> Json:
    """Return a workload whose pods have LABELS."""
    container = {"name": "app", "image": image}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": template,
            **spec,
        },
    }


def a_service(name: str, selector: dict[str, str]) -> Json:
    """Return a Service."""
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"selector": selector, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def a_policy(name: str, selector: dict[str, str]) -> Json:
    """Return a NetworkPolicy."""
    spec = {"podSelector": {"matchLabels": selector}, "policyTypes": ["Ingress"]}
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**head, "metadata": {"name": name}, "spec": spec}


def a_budget(name: str, selector: dict[str, str]) -> Json:
    """Return a PodDisruptionBudget."""
    spec = {"selector": {"matchLabels": selector}, "minAvailable": 1}
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    return {**head, "metadata": {"name": name}, "spec": spec}


@contextmanager
def a_session(cluster: Cluster, *words: str) -> Iterator[Json]:
    """Hold a session; give its copy."""
    earlier = set(cluster.copies())  # one that is deleted may still be ending
    child = cluster.start("debug", *words, "--", "sh", "-c", "echo in; cat")
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert line == b"in\n", child.communicate()
        (copy,) = set(cluster.copies()) - earlier
        yield cluster.read("pod", copy)
    finally:
        _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err


def endpoints(cluster: Cluster, service: str) -> dict[str, bool]:
    """Return which pods a Service has as endpoints, and whether they are ready."""
    words = ["endpointslices", "-l", f"kubernetes.io/service-name={service}"]
    found = cluster.read(*words)["items"]
    return {
        point["targetRef"]["name"]: bool(point["conditions"]["ready"])
        for piece in found
        for point in piece.get("endpoints") or []
    }


def selected(cluster: Cluster, selector: dict[str, str]) -> list[str]:
    """Return the pods that a selector selects."""
    text = ",".join(f"{key}={value}" for key, value in selector.items())
    return [pod["metadata"]["name"] for pod in cluster.read("pods", "-l", text)["items"]]


def test_of_all_selectors_only_the_policy_sees_the_copy(space: Cluster) -> None:
    policy = {"tier": "web"}
    space.apply(
        a_workload("Deployment", "shop"),
        a_service("shop", {"app": "shop"}),
        a_policy("shop", policy),
        a_budget("shop", {"app": "shop"}),
    )
    space.kubectl("rollout", "status", "deployment/shop")
    (source,) = selected(space, LABELS)
    with a_session(space, "deployment/shop") as copy:
        name = copy["metadata"]["name"]
        assert set(selected(space, policy)) == {source, name}
        assert selected(space, {"app": "shop"}) == [source]
        assert set(endpoints(space, "shop")) == {source}
        assert [o["kind"] for o in copy["metadata"]["ownerReferences"]] == ["Job"]
        space.wait_until(
            lambda: space.read("pdb", "shop")["status"].get("expectedPods") == 1, "the budget"
        )
        replicas = space.read("deployment", "shop")["status"]
        assert (replicas["replicas"], replicas["readyReplicas"]) == (1, 1)


def test_a_label_that_service_and_policy_want_is_kept(space: Cluster) -> None:
    both = {"tier": "web"}
    space.apply(a_workload("Deployment", "shop"), a_service("shop", both), a_policy("shop", both))
    space.kubectl("rollout", "status", "deployment/shop")
    (source,) = selected(space, LABELS)
    with a_session(space, f"pod/{source}") as copy:
        name = copy["metadata"]["name"]
        assert set(selected(space, both)) == {source, name}
        space.wait_until(lambda: name in endpoints(space, "shop"), "the endpoint")
        assert endpoints(space, "shop") == {source: True, name: False}


def test_a_bare_replicaset_does_not_adopt_the_copy(space: Cluster) -> None:
    space.apply(a_workload("ReplicaSet", "bare"))
    space.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", "rs/bare")
    (source,) = selected(space, LABELS)
    with a_session(space, "rs/bare") as copy:
        assert "app" not in copy["metadata"]["labels"]
        # Nothing that it does comes after this: the controller has seen the copy's events.
        space.kubectl("scale", "rs/bare", "--replicas=2")
        ready = "--for=jsonpath={.status.readyReplicas}=2"
        space.kubectl("wait", ready, "rs/bare")
        assert len(selected(space, LABELS)) == 2
        now = space.read("pod", copy["metadata"]["name"])
        assert [o["kind"] for o in now["metadata"]["ownerReferences"]] == ["Job"]
    assert source in selected(space, LABELS)


def test_a_crashing_statefulsets_volume_stays_as_it_is(space: Cluster) -> None:
    name = f"data-{space.namespace}"
    volume, claim = a_volume(name, space.namespace, "data-db-0")
    template = {"metadata": {"name": "data"}, "spec": claim["spec"]}
    workload = a_workload("StatefulSet", "db", CRASH, volumeClaimTemplates=[template])
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    container["securityContext"] = HARDENED
    space.apply(volume, claim, workload)
    try:
        crashed = "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"
        space.kubectl("wait", "--for=create", "pod/db-0")
        space.kubectl("wait", crashed, "pod/db-0")
        folder = f"/var/local/{name}"
        testbed.node_exec(["sh", "-c", f"echo precious > {folder}/file"])
        before = contents(folder)
        held = space.scratch("debug", "statefulset/db", "--", "sh", "-c", TRY_TO_WRITE)
        assert (held.returncode, held.stdout) == (CRASH_CODE, b"refused\n"), held.stderr
        assert contents(folder) == before
        with a_session(space, "statefulset/db", "--no-hold", "--view", "tools") as copy:
            (mount,) = (
                m for m in copy["spec"]["containers"][0]["volumeMounts"] if m["name"] == "data"
            )
            assert mount["readOnly"] is True
            space.wait_until(lambda: restarts(space, copy) > 0, "the copy's app crashes, too")
        assert contents(folder) == before
    finally:
        space.kubectl("delete", "statefulset/db", "--wait=false")
        space.kubectl("delete", "pv", name, "--wait=false")


def restarts(cluster: Cluster, copy: Json) -> int:
    """Return how often the copy's app was started again."""
    found = cluster.read("pod", copy["metadata"]["name"])["status"].get("containerStatuses") or []
    return sum(status["restartCount"] for status in found)


def contents(folder: str) -> str:
    """Return all that a folder of the node has: names, owners, modes, times, bytes."""
    script = f"cd {folder} && find . -printf '%p %u %m %T@ %C@\\n' | sort && cat file"
    return testbed.node_exec(["sh", "-c", script]).stdout


def test_of_several_pods_the_crashing_one_is_used(space: Cluster) -> None:
    space.apply(
        a_service("shop", {"app": "shop"}),
        a_pod("good", labels=LABELS),
        a_pod("bad", CRASH, labels=LABELS),
    )
    space.ready("good")
    space.kubectl("wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/bad")
    done = space.scratch("debug", "svc/shop", "--", "true")
    assert done.returncode == 0, done.stderr
    assert re.search(
        rb"service shop: using pod bad \(1 of 2\): it is crashing \(\w+\)", done.stderr
    )


@pytest.mark.parametrize("kind", ["job", "cronjob", "daemonset", "deployment"])
def test_a_workload_without_a_pod_is_copied_from_its_template(space: Cluster, kind: str) -> None:
    template = a_workload("Deployment", "idle")["spec"]["template"]
    jobs = {"spec": {**template["spec"], "restartPolicy": "Never"}}
    batch = {"apiVersion": "batch/v1", "metadata": {"name": "idle"}}
    nowhere = {"nodeSelector": {"nowhere": "true"}}
    made: dict[str, Callable[[], Json]] = {
        "job": lambda: {**batch, "kind": "Job", "spec": {"suspend": True, "template": jobs}},
        "cronjob": lambda: {
            **batch,
            "kind": "CronJob",
            "spec": {
                "schedule": "0 0 1 1 *",
                "suspend": True,
                "jobTemplate": {"spec": {"template": jobs}},
            },
        },
        "daemonset": lambda: {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "idle"},
            "spec": {
                "selector": {"matchLabels": {"app": "shop"}},
                "template": {**template, "spec": {**template["spec"], **nowhere}},
            },
        },
        "deployment": lambda: a_workload("Deployment", "idle", replicas=0),
    }
    space.apply(made[kind]())
    # No node has what the DaemonSet asks for, and so none takes its copy either.
    words = ["--dry-run=server"] if kind == "daemonset" else ["--", "true"]
    done = space.scratch("debug", f"{kind}/idle", *words)
    assert done.returncode == 0, done.stderr
    assert b"has no pods: the copy is made from its template" in done.stderr + done.stdout


def test_a_manifest_names_the_target_or_is_copied_itself(space: Cluster, tmp_path: Path) -> None:
    manifest = tmp_path / "pod.yaml"
    manifest.write_text(yaml.safe_dump(a_pod("filed", labels=LABELS)))
    path = str(manifest)
    command = ["cat", "/proc/1/comm"]
    done = space.scratch("debug", "-f", path, "--", *command)
    assert (done.returncode, done.stdout) == (0, b"pause\n"), done.stderr
    assert b"pod 'filed' not found: the copy is made from" in done.stderr
    space.apply(a_pod("filed", labels=LABELS))
    space.ready("filed")
    done = space.scratch("debug", "-f", path, "--", *command)
    assert (done.returncode, done.stdout) == (0, b"pause\n"), done.stderr
    assert b"not found" not in done.stderr


def test_anti_affinity_keeps_no_copy_off_its_node(space: Cluster) -> None:
    term = {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    space.apply(a_pod("lone", labels=LABELS, affinity=affinity))
    space.ready("lone")
    with a_session(space, "lone") as copy:
        node = copy["spec"]["nodeName"]
    assert node == space.read("pod", "lone")["spec"]["nodeName"]


def test_a_native_sidecar_keeps_only_the_probe_that_gates(space: Cluster) -> None:
    pod = a_pod("web")
    pod["spec"]["initContainers"] = [
        {
            "name": "side",
            "image": "docker.io/library/busybox:1.37.0",
            "command": ["sleep", "2147483647"],
            "restartPolicy": "Always",
            "livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1},
            "startupProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
        }
    ]
    space.apply(pod)
    space.ready("web")
    with a_session(space, "web") as copy:
        (kept,) = copy["spec"]["initContainers"]
        assert kept["restartPolicy"] == "Always"
        assert [field for field in kept if field.endswith("Probe")] == ["startupProbe"]
        (status,) = copy["status"]["initContainerStatuses"]
        assert "running" in status["state"] and status["restartCount"] == 0


def test_a_static_pod_has_an_ordinary_copy(kubeconfig: Path) -> None:
    system = Cluster(kubeconfig, "kube-system")
    (source,) = system.read("pods", "-l", "component=kube-scheduler")["items"]
    assert marks_of_a_mirror(source) == {"annotations", "owner"}
    text = system.scratch("debug", source["metadata"]["name"], "--dry-run=server", "-o", "json")
    assert text.returncode == 0, text.stderr
    (copy,) = (item for item in json.loads(text.stdout)["items"] if item["kind"] == "Pod")
    assert marks_of_a_mirror(copy) == set()


def marks_of_a_mirror(pod: Json) -> set[str]:
    """Return by what the API server and the node know the pod as a mirror of a static one."""
    metadata = pod["metadata"]
    kinds = [owner["kind"] for owner in metadata.get("ownerReferences", [])]
    keys = [key for key in metadata["annotations"] if key.startswith("kubernetes.io/config.")]
    return {*(["annotations"] if keys else []), *(["owner"] if "Node" in kinds else [])}


def test_a_claim_for_one_pod_is_a_blocker(space: Cluster) -> None:
    name = f"once-{space.namespace}"
    volume, claim = a_volume(name, space.namespace, "once")
    for item in (volume, claim):
        item["spec"]["accessModes"] = ["ReadWriteOncePod"]
    mounts = [{"name": "data", "mountPath": "/data"}]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "once"}}]
    space.apply(volume, claim, a_pod("web", volumeMounts=mounts, volumes=volumes))
    space.ready("web")
    try:
        done = space.scratch("debug", "web", "--", "true")
        assert done.returncode == 1 and b"--skip-volume" in done.stderr, done.stderr
        assert space.copies() == []
        done = space.scratch("debug", "-q", "web", "--skip-volume", "data", "--", "true")
        assert done.returncode == 0, done.stderr
    finally:
        space.kubectl("delete", "pod/web", "--wait=false")
        space.kubectl("delete", "pv", name, "--wait=false")


def test_a_daemonset_does_not_adopt_the_copy(space: Cluster) -> None:
    workload = a_workload("DaemonSet", "agent")
    del workload["spec"]["replicas"]
    space.apply(workload)
    space.kubectl("rollout", "status", "ds/agent")
    (source,) = selected(space, LABELS)
    with a_session(space, "ds/agent") as copy:
        assert [o["kind"] for o in copy["metadata"]["ownerReferences"]] == ["Job"]
        assert selected(space, {"app": "shop"}) == [source]
        status = space.read("ds", "agent")["status"]
        assert (status["currentNumberScheduled"], status["numberMisscheduled"]) == (1, 0)


LEVELS = {"privileged": "general", "baseline": "baseline", "restricted": "restricted"}


@pytest.mark.parametrize("level", LEVELS)
def test_auto_uses_the_strongest_admitted_profile(kubeconfig: Path, level: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level}
    space = make_namespace(kubeconfig, labels)
    pod = a_pod("web")
    if level == "restricted":
        pod = a_pod("web", securityContext=HARDENED)
    space.apply(pod)
    space.ready("web")
    done = space.scratch("debug", "web", "--image", BUSYBOX, "--", "id", "-u")
    assert done.returncode == 0, done.stderr
    if level == "restricted":
        assert done.stdout == b"1000\n"
    else:
        said = f"using profile {LEVELS[level]}, the strongest that is accepted".encode()
        assert said in done.stderr and done.stdout == b"0\n"
    refused = space.scratch("debug", "web", "--profile", "sysadmin", "--", "id", "-u")
    assert refused.returncode == (0 if level == "privileged" else 1)
    if level != "privileged":
        assert b"PodSecurity" in refused.stderr
    space.nothing_is_left()
    space.kubectl("delete", "namespace", space.namespace, "--wait=false")


def test_custom_profile_and_variable_reach_the_debug_container(
    space: Cluster, tmp_path: Path
) -> None:
    partial = tmp_path / "custom.yaml"
    partial.write_text(yaml.safe_dump({"env": [{"name": "FROM", "value": "custom"}]}))
    path = str(partial)
    space.apply(a_pod("web"))
    space.ready("web")
    script = "echo $FROM $FLAG"
    words = ["--custom", path, "--env", "FLAG=given", "--", "sh", "-c", script]
    done = space.scratch("debug", "-q", "web", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"custom given\n", b"")


def test_manifests_of_a_dry_run_can_be_created(space: Cluster) -> None:
    space.apply(a_pod("web", labels=LABELS))
    space.ready("web")
    told = space.scratch("debug", "web", "--dry-run")
    assert (told.returncode, told.stderr) == (0, b"")
    for part in (b"What will be created:", b"What is changed in the copy, and why:"):
        assert part in told.stdout
    for where in ("client", "server"):
        for form, load in (("json", json.loads), ("yaml", yaml.safe_load)):
            done = space.scratch("debug", "web", f"--dry-run={where}", "-o", form)
            assert done.returncode == 0 and b"error: " not in done.stderr, done.stderr
            kinds = [item["kind"] for item in load(done.stdout)["items"]]
            assert kinds == ["Job", "ConfigMap", "Pod"]
    assert space.copies() == []
    manifests = space.scratch("debug", "web", "--dry-run=client", "-o", "yaml").stdout
    space.kubectl("create", "-f", "-", stdin=manifests.decode())
    (copy,) = space.copies()
    space.ready(copy)
    space.kubectl("delete", "job,configmap,pod", copy, "--wait=false")


@pytest.mark.parametrize(
    "user, code, told",
    [
        ("developer", 0, "all permissions are granted"),
        ("no-jobs", 0, "no permission to create jobs"),
        ("no-ephemeral", 0, "no permission to patch pods/ephemeralcontainers"),
        ("viewer", 1, "no permission to create pods"),
    ],
)
def test_the_check_tells_each_user_what_lacks(
    space: Cluster, user: str, code: int, told: str
) -> None:
    space.apply(a_pod("web"))
    space.ready("web")
    done = space.scratch("check", "web", "--context", user)
    assert (done.returncode, done.stderr) == (code, b""), done
    assert told in done.stdout.decode()
    found = json.loads(space.scratch("check", "web", "--context", user, "-o", "json").stdout)
    assert found["blocked"] is bool(code)
    role = found["missingRole"]
    if role is None:
        return
    # The Role that it prints is one that an administrator can create, and that is enough.
    space.apply(role)
    account = f"system:serviceaccount:scratch-testbed:{user}"
    names = ["--role=kubectl-scratch", f"--user={account}"]
    space.kubectl("create", "rolebinding", "helped", *names)
    again = space.scratch("check", "web", "--context", user)
    assert again.returncode == 0 and b"all permissions are granted" in again.stdout


def test_a_refusal_is_explained(space: Cluster) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}}
    space.apply(a_pod("web"))
    space.ready("web")
    space.apply({**quota, "spec": {"hard": {"pods": "1"}}})
    space.wait_until(
        lambda: space.read("quota", "full").get("status", {}).get("used", {}).get("pods") == "1",
        "the quota",
    )
    done = space.scratch("debug", "web", "--", "true")
    assert done.returncode == 1
    assert b"exceeded quota: full" in done.stderr
    checked = space.scratch("check", "web")
    assert checked.returncode == 1
    assert re.search(rb"admission +blocker +.*exceeded quota", checked.stdout)


def test_a_quota_that_demands_limits(space: Cluster) -> None:
    pod = a_pod("web")
    pod["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "100m", "memory": "32Mi"}}
    hard = {"limits.cpu": "200m", "limits.memory": "64Mi"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"}}
    space.apply({**quota, "spec": {"hard": hard}}, pod)
    space.ready("web")
    used = "--for=jsonpath={.status.used.limits\\.cpu}=100m"
    space.kubectl("wait", used, "resourcequota/tight")
    # There is room for the copy, and an ephemeral container takes none.
    checked = space.scratch("check", "web", "--view", "tools")
    assert b"the copy is accepted" in checked.stdout, checked.stdout


@pytest.fixture
def sandbox(space: Cluster) -> Iterator[None]:
    """Make the RuntimeClass that a pod of the corpus names, where it is not there."""
    head = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
    space.apply({**head, "metadata": {"name": "sandbox"}, "handler": "runc"})
    yield
    space.kubectl("delete", "runtimeclass", "sandbox", "--ignore-not-found")


@pytest.mark.usefixtures("sandbox")
def test_every_corpus_pod_has_a_copy_that_is_admitted(space: Cluster, tmp_path: Path) -> None:
    corpus = sorted((ROOT / "tests" / "corpus").glob("*.yaml"))
    assert len(corpus) == 47
    refused = {}
    for path in corpus:
        done = space.scratch("debug", "-f", copied(path, space, tmp_path), "--dry-run=server")
        told = done.stdout + done.stderr
        if done.returncode:
            refused[path.stem] = told.decode().strip().splitlines()[-1]
    # What stops these is said, and by a blocker: nothing was sent.
    assert set(refused) == {"sub-path-unknown", "windows"}, refused


def copied(path: Path, space: Cluster, folder: Path) -> str:
    """Return a manifest of the corpus, in the test's namespace."""
    pod = yaml.safe_load(path.read_text())
    pod["metadata"]["namespace"] = space.namespace
    made = folder / path.name
    made.write_text(yaml.safe_dump(pod))
    return str(made)
