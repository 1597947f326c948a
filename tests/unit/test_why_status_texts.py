"""What other versions and other runtimes say of a pod that does not run.

The texts are those of containerd (core/remotes/docker), CRI-O (containers/image), runc, crun and of
kubernetes/kubernetes, as their sources and the issues about them have them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kubectl_scratch.why.facts import ClusterFacts, WorkloadFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.workload import explain_refusal
from kubectl_scratch.why.status_causes import explain_status, needs_run
from tests.support.builders import NOON, Json, a_container, a_pod

PULL = 'failed to pull and unpack image "IMAGE": failed to resolve reference "IMAGE": '
CRIO = "initializing source docker://IMAGE: "
RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc"
    " create failed: unable to start container process: "
)
HEAD = 'failed to do request: Head "https://r.example/v2/x/manifests/1": '


def explained(pod: Json, *events: Json, **more: Any) -> tuple[Cause, ...]:
    return explain_status(ClusterFacts(pod, "app", events, **{"now": NOON, **more}))


def waiting(reason: str, message: str, **fields: Any) -> Json:
    """Return a pod whose container waits."""
    container = a_container(**{"image": "r.example/x:1", **fields})
    state = {"waiting": {"reason": reason, "message": message}}
    status = {"phase": "Pending", "containerStatuses": [{"name": "app", "state": state}]}
    return a_pod(containers=[container], status=status, nodeName="node-1")


def not_started(message: str, **fields: Any) -> Json:
    """Return a pod whose container the runtime could not start."""
    pod = waiting("CrashLoopBackOff", "back-off 10s restarting failed container=app", **fields)
    ended = {"exitCode": 128, "reason": "StartError", "message": message}
    pod["status"]["containerStatuses"][0]["lastState"] = {"terminated": ended}
    return pod


def an_event(reason: str, message: str, at: str = "2026-01-01T11:59:00Z", **more: Any) -> Json:
    where = {"kind": "Pod", "name": "mypod", "fieldPath": "spec.containers{app}"}
    told = {"reason": reason, "message": message, "lastTimestamp": at, "involvedObject": where}
    return {"type": "Warning", **told, **more}


@pytest.mark.parametrize(
    "kind, message",
    [
        ("image-not-found", f"{PULL}IMAGE: not found"),
        ("image-not-found", f"{CRIO}reading manifest 1 in r.example/x: manifest unknown"),
        ("image-not-found", "manifest for IMAGE not found: manifest unknown: manifest unknown"),
        ("image-not-found", f"{CRIO}reading manifest 1 in r.example/x: name unknown: no such repo"),
        (
            "image-denied",
            f"{PULL}pull access denied, repository does not exist or may require authorization:"
            " server message: insufficient_scope: authorization failed",
        ),
        (
            "image-denied",
            f"{PULL}failed to authorize: failed to fetch anonymous token: unexpected status from"
            " GET request to https://r.example/token?scope=repository%3Ax%3Apull: 403 Forbidden",
        ),
        (
            "image-denied",
            f"{PULL}unexpected status from HEAD request to https://r.example/v2/x/manifests/1: 401"
            " Unauthorized",
        ),
        (
            "image-denied",
            f"{CRIO}reading manifest 1 in r.example/x: requested access to the resource is denied",
        ),
        (
            "image-denied",
            f"{CRIO}reading manifest 1 in r.example/x: unauthorized: access to the requested"
            " resource is not authorized",
        ),
        (
            "image-denied",
            "Requesting bearer token: invalid status code from registry 403 (Forbidden)",
        ),
        ("registry-unreachable", f"{PULL}{HEAD}dial tcp: lookup r.example: no such host"),
        (
            "registry-unreachable",
            f'{CRIO}pinging container registry r.example: Get "https://r.example/v2/": dial tcp:'
            " lookup r.example on 10.0.0.2:53: server misbehaving",
        ),
        ("registry-unreachable", f"{PULL}{HEAD}dial tcp 192.0.2.1:443: i/o timeout"),
        ("registry-unreachable", f"{PULL}{HEAD}net/http: TLS handshake timeout"),
        (
            "registry-unreachable",
            f"{PULL}{HEAD}tls: failed to verify certificate: x509: certificate signed by unknown"
            " authority",
        ),
        (
            "registry-unreachable",
            f"{PULL}{HEAD}http: server gave HTTP response to HTTPS client",
        ),
        (
            "registry-unreachable",
            f"{PULL}unexpected status from HEAD request to https://r.example/v2/x/manifests/1: 429"
            " Too Many Requests",
        ),
        (
            "registry-unreachable",
            f"{CRIO}reading manifest 1 in r.example/x: toomanyrequests: You have reached your pull"
            " rate limit. You may increase the limit by authenticating and upgrading",
        ),
        (
            "image-arch",
            'failed to pull and unpack image "IMAGE": no match for platform in manifest: not found',
        ),
        (
            "image-arch",
            'choosing image instance: no image found in image index for architecture "arm64",'
            ' variant "v8", OS "linux"',
        ),
        (
            "node-full",
            'failed to pull and unpack image "IMAGE": failed to extract layer sha256:0: write'
            " /var/lib/containerd/x: no space left on device: unknown",
        ),
        (
            "image-name",
            'short-name "x:1" did not resolve to an alias and no unqualified-search registries are'
            ' defined in "/etc/containers/registries.conf"',
        ),
        ("image-pull", "a reason of tomorrow"),
    ],
)
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_a_failed_pull(reason: str, kind: str, message: str) -> None:
    message = message.replace("IMAGE", "r.example/x:1")
    if reason == "ImagePullBackOff":
        message = f'Back-off pulling image "r.example/x:1": ErrImagePull: {message}'
    (cause,) = explained(waiting(reason, message))
    assert cause.kind == kind
    assert cause.weight >= 50


def test_the_name_of_an_image_is_no_reason() -> None:
    image = "r.example/unauthorized:/not found"
    message = f"{PULL.replace('IMAGE', image)}{HEAD}dial tcp 192.0.2.1:443: i/o timeout"
    (cause,) = explained(waiting("ErrImagePull", message, image=image))
    assert cause.kind == "registry-unreachable"


def test_an_older_kubelet_says_in_events_alone_why_a_pull_failed() -> None:
    pod = waiting("ImagePullBackOff", 'Back-off pulling image "r.example/x:1"')
    said = 'Failed to pull image "r.example/x:1": rpc error: code = NotFound desc = ...: not found'
    (cause,) = explained(pod, an_event("Failed", said), an_event("Failed", "Error: ErrImagePull"))
    assert cause.kind == "image-not-found"


@pytest.mark.parametrize(
    "kind, message, fields",
    [
        (
            "command-not-found",
            f'{RUNC}error during container init: exec: "nosuch": executable file not found in'
            " $PATH: unknown",
            {},
        ),
        (
            "command-not-found",
            "OCI runtime create failed: container_linux.go:345: starting container process caused"
            ' "exec: \\"sh\\": executable file not found in $PATH": unknown',
            {},
        ),
        (
            "command-not-found",
            "container create failed: executable file `nosuch` not found in $PATH: No such file or"
            " directory",
            {},
        ),
        (
            "command-not-executable",
            'container create failed: exec: "/app/x": permission denied',
            {},
        ),
        ("command-not-executable", f'{RUNC}exec: "/app": is a directory: unknown', {}),
        (
            "working-dir",
            f'{RUNC}chdir to cwd ("/root") set in config.json failed: permission denied: unknown',
            {"workingDir": "/root"},
        ),
        (
            "volume-mount",
            f'{RUNC}error during container init: error mounting "/var/x" to rootfs at "/etc/a":'
            " mount src=/var/x, dst=/etc/a, dstFd=/proc/thread-self/fd/8, flags=MS_BIND|MS_REC: not"
            " a directory: unknown: Are you trying to mount a directory onto a file (or"
            " vice-versa)? Check if the specified host path exists and is the expected type",
            {"volumeMounts": [{"name": "v", "mountPath": "/etc/a"}]},
        ),
        ("image-arch", f'{RUNC}exec: "/app/x": exec format error: unknown', {}),
        ("oom-killed", f"{RUNC}container init was OOM-killed (memory limit too low?): unknown", {}),
        (
            "oom-killed",
            "set memory limit 1048576 too low; should be at least 12582912 bytes",
            {"resources": {"limits": {"memory": "1Mi"}}},
        ),
        ("cannot-start", "a reason of tomorrow", {}),
    ],
)
def test_what_the_runtime_cannot_start(kind: str, message: str, fields: Any) -> None:
    (cause,) = explained(not_started(message, **fields))
    assert cause.kind == kind
    assert cause.weight >= 50


@pytest.mark.parametrize(
    "kind, reason, message",
    [
        (
            "image-user",
            "CreateContainerError",
            'failed to generate container "0123456789abcdef0123" spec: failed to generate spec:'
            " failed to apply OCI options: unable to find user app: no matching entries in passwd"
            " file",
        ),
        (
            "root-forbidden",
            "CreateContainerConfigError",
            "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is"
            ' non-root (pod: "mypod_default(0123)", container: app)',
        ),
        ("cannot-start", "CreateContainerError", "context deadline exceeded"),
    ],
)
def test_what_the_node_does_not_create(kind: str, reason: str, message: str) -> None:
    (cause,) = explained(waiting(reason, message))
    assert cause.kind == kind


@pytest.mark.parametrize(
    "line",
    [
        "standard_init_linux.go:228: exec user process caused: exec format error",
        "exec /app/x: exec format error",
        '{"msg":"exec container process `/app/x`: Exec format error","level":"error"}',
    ],
)
def test_a_program_of_another_architecture_in_the_log(line: str) -> None:
    pod = not_started("")
    pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] = "Error"
    node = {"status": {"nodeInfo": {"architecture": "arm64"}}}
    (cause,) = explained(pod, log=(line,), node=node)
    assert cause.kind == "image-arch"
    assert "arm64" in cause.sentence
    # The same words from the app itself say nothing.
    assert not explained(pod, log=(f"run: {line} of a plugin",), node=node)


def unscheduled(message: str, reason: str = "Unschedulable", **spec: Any) -> Json:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return a_pod(status={"phase": "Pending", "conditions": [condition]}, **spec)


@pytest.mark.parametrize(
    "message, kinds, words",
    [
        (
            "0/3 nodes are available: 1 Insufficient memory, 2 node(s) had taint"
            " {node-role.kubernetes.io/master: }, that the pod didn't tolerate.",
            ["unschedulable-resources", "unschedulable-node"],
            ["taint node-role.kubernetes.io/master", "add a toleration"],
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}. preemption:"
            " 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
            ["unschedulable-node"],
            ["taint dedicated", "kubectl taint node NODE dedicated-"],
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint"
            " {node.kubernetes.io/disk-pressure: }.",
            ["unschedulable-node"],
            ["repair the node", "node.kubernetes.io/disk-pressure"],
        ),
        (
            "0/1 nodes are available: 1 node(s) were unschedulable.",
            ["unschedulable-node"],
            ["cordoned", "kubectl uncordon NODE"],
        ),
        (
            "0/2 nodes are available: 2 node(s) had volume node affinity conflict.",
            ["unschedulable-node"],
            ["another node or zone"],
        ),
        (
            "0/2 nodes are available: 2 node(s) didn't match node selector.",
            ["unschedulable-node"],
            ["label a node"],
        ),
        (
            "0/1 nodes are available: 1 Too many pods.",
            ["unschedulable-resources"],
            ["maximum number of pods"],
        ),
        (
            "0/1 nodes are available: 1 cannot allocate all claims.",
            ["unschedulable-resources"],
            ["ResourceClaims"],
        ),
    ],
)
def test_why_no_node_takes_a_pod(message: str, kinds: list[str], words: list[str]) -> None:
    causes = explained(unscheduled(message))
    assert [cause.kind for cause in causes] == kinds
    said = "\n".join(f"{c.sentence}\n{c.evidence}\n{c.remedy}" for c in causes)
    for word in words:
        assert word in said
    assert "reemption" not in said


def test_a_newer_scheduler_does_not_say_which_taint_it_is() -> None:
    node = {"metadata": {"name": "n"}, "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}
    message = "0/1 nodes are available: 1 node(s) had untolerated taint(s)."
    (cause,) = explained(unscheduled(message), nodes=(node,))
    assert "taint gpu" in cause.sentence


@pytest.mark.parametrize(
    "message, words",
    [
        (
            'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one'
            " node and can't be attached to another",
            "still attached to another node",
        ),
        (
            'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0',
            "by pod db-0",
        ),
        (
            "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data"
            " kube-api-access-x]: timed out waiting for the condition",
            "cannot mount volume data",
        ),
    ],
)
def test_a_volume_that_the_pod_waits_for(message: str, words: str) -> None:
    pod = waiting("ContainerCreating", "")
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    (cause,) = explained(pod, an_event("FailedMount", message))
    assert cause.kind == "volume-mount"
    assert words in cause.sentence


def test_a_volume_that_was_waited_for_and_has_come_says_nothing() -> None:
    pod = waiting("ContainerCreating", "")
    mount = an_event("FailedMount", "timed out waiting for the condition", "2026-01-01T11:00:00Z")
    assert not explained(pod, mount, an_event("Pulled", "", "2026-01-01T11:00:05Z"))


def ready(status: str, reason: str = "", message: str = "") -> Json:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
    return {"status": {"conditions": [condition]}}


def running(**more: Any) -> Json:
    status = {"name": "app", "ready": True, "state": {"running": {}}, **more}
    return a_pod(status={"phase": "Running", "containerStatuses": [status]}, nodeName="node-1")


def test_a_node_that_is_not_ready() -> None:
    node = ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    (cause,) = explained(running(), node=node)
    assert cause.kind == "node-not-ready"
    assert "Kubelet stopped posting node status." in cause.evidence[0]
    assert not explained(running(), node=ready("True"))


def test_a_node_that_cannot_be_read_and_is_said_not_to_be_ready() -> None:
    (cause,) = explained(running(), an_event("NodeNotReady", "Node is not ready"))
    assert cause.kind == "node-not-ready"


def test_a_node_that_does_not_exist() -> None:
    (cause,) = explained(a_pod(nodeName="gone", status={"phase": "Pending"}), node={})
    assert cause.kind == "node-not-ready"
    assert "does not exist" in cause.sentence


def test_a_pod_that_was_evicted_for_its_memory() -> None:
    message = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 84Mi."
        " Container app was using 512Mi, request is 0, has larger consumption of memory. "
    )
    status = {"phase": "Failed", "reason": "Evicted", "message": message}
    (cause,) = explained(a_pod(status=status, nodeName="node-1"))
    assert cause.kind == "evicted"
    assert "low on memory" in cause.sentence


def test_a_pod_that_the_api_evicts() -> None:
    said = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    condition = {"type": "DisruptionTarget", "status": "True", **said}
    pod = a_pod(status={"phase": "Failed", "conditions": [condition]}, nodeName="node-1")
    (cause,) = explained(pod)
    assert cause.kind == "evicted"


@pytest.mark.parametrize("reason", ["OutOfcpu", "OutOfpods"])
def test_a_node_that_has_no_room_left_for_a_pod_bound_to_it(reason: str) -> None:
    message = f"Pod was rejected: Node didn't have enough resource: {reason}"
    status = {"phase": "Failed", "reason": reason, "message": message}
    (cause,) = explained(a_pod(status=status, nodeName="node-1"))
    assert cause.kind == "unschedulable-resources"


def test_a_network_that_cannot_be_set_up() -> None:
    message = (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for"
        ' sandbox "0123": plugin type="calico" failed (add): error getting ClusterInformation'
    )
    (cause,) = explained(
        waiting("ContainerCreating", ""), an_event("FailedCreatePodSandBox", message)
    )
    assert cause.kind == "pod-sandbox"
    assert "network" in cause.sentence


def test_an_image_that_is_pulled_for_long() -> None:
    pod, pulling = waiting("ContainerCreating", ""), an_event("Pulling", 'Pulling image "x"')
    (cause,) = explained(pod, pulling)
    assert cause.kind == "image-pulling"
    assert "for 1m" in cause.sentence
    assert not explained(pod, pulling, now=NOON - timedelta(seconds=50))


def test_a_hook_that_has_just_failed_says_why() -> None:
    message = (
        'Exec lifecycle hook ([sh -c false]) for Container "app" in Pod "mypod_default(0123)"'
        " failed - error: command 'sh -c false' exited with 1: , message: \"\""
    )
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "false"]}}}
    (cause,) = explained(waiting("PostStartHookError", message, lifecycle=hook))
    assert cause.kind == "hook-failed"
    assert "exited with 1" in cause.evidence[0]


def killed_by_probe(exit_code: int, restarts: int, kills: int, finished: str) -> tuple[Cause, ...]:
    pod = running(
        restartCount=restarts,
        ready=False,
        lastState={"terminated": {"exitCode": exit_code, "finishedAt": finished}},
    )
    pod["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"port": 80}}
    told = "Container app failed liveness probe, will be restarted"
    return explained(pod, an_event("Killing", told, count=kills))


@pytest.mark.parametrize(
    "exit_code, restarts, kills, finished, sure",
    [
        # Just as announced; most of the ends; told to stop; and none of it.
        (1, 9, 1, "2026-01-01T11:59:20Z", True),
        (1, 4, 3, "2026-01-01T11:40:00Z", True),
        (143, 9, 1, "2026-01-01T11:40:00Z", True),
        (1, 9, 1, "2026-01-01T11:40:00Z", False),
    ],
)
def test_whether_a_probe_has_ended_the_app(
    exit_code: int, restarts: int, kills: int, finished: str, sure: bool
) -> None:
    (cause,) = killed_by_probe(exit_code, restarts, kills, finished)
    assert cause.kind == "liveness-probe"
    assert (cause.weight >= 50) is sure


def test_an_app_that_was_out_of_memory_without_a_limit() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    pod = running(restartCount=1, lastState=last)
    (cause,) = explained(pod)
    assert "the node ran out of memory" in cause.sentence


def test_a_limit_is_raised_by_a_command_where_one_does() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    pod = running(restartCount=1, lastState=last)
    pod["spec"]["containers"][0]["resources"] = {"limits": {"memory": "1Gi"}}
    owner = {"kind": "ReplicaSet", "name": "web-5d4f", "uid": "1", "controller": True}
    pod["metadata"] |= {"ownerReferences": [owner], "labels": {"pod-template-hash": "5d4f"}}
    (cause,) = explained(pod)
    command = "kubectl -n default set resources deployment/web -c app --limits=memory=2048Mi"
    assert cause.remedy.endswith(command)


@pytest.mark.parametrize(
    "kind, said",
    [
        ("quota", "failed quota: small: must specify limits.cpu for: app; limits.memory for: app"),
        ("limit-range", "minimum cpu usage per Container is 100m, but request is 10m"),
        (
            "pod-rejected",
            'admission webhook "validate.kyverno.svc-fail" denied the request: no latest tag',
        ),
        (
            "pod-rejected",
            "ValidatingAdmissionPolicy 'no-latest' with binding 'x' denied request: no latest tag",
        ),
        ("pod-rejected", 'pod rejected: RuntimeClass "gvisor" not found'),
        ("pod-rejected", 'Pod "x" is invalid: spec.containers[0].image: Required value'),
    ],
)
def test_why_the_api_server_refuses_a_pod(kind: str, said: str) -> None:
    workload = WorkloadFacts({"metadata": {"name": "web", "namespace": "default"}}, "deployment")
    found = explain_refusal(said, workload)
    assert found.kind == kind
    assert found.sentence.startswith(("deployment web", "the API server rejected"))


def test_names_from_texts_are_quoted_in_commands() -> None:
    pod = waiting("CreateContainerConfigError", 'configmap "a;rm -rf x" not found')
    (cause,) = explained(pod)
    assert "'a;rm -rf x'" in cause.remedy


def test_a_healthy_pod_is_left_to_a_run() -> None:
    facts = ClusterFacts(running(), "app", now=datetime(2026, 1, 2, tzinfo=timezone.utc))
    causes = explain_status(facts)
    assert causes == ()
    assert needs_run(facts, causes)


def test_a_hook_that_failed_long_ago_is_not_why_the_app_ends_now() -> None:
    ended = {"exitCode": 1, "finishedAt": "2026-01-01T11:59:50Z"}
    pod = running(ready=False, restartCount=9, lastState={"terminated": ended})
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    old = an_event("FailedPostStartHook", "PostStartHook failed", "2026-01-01T11:20:00Z")
    assert not explained(pod, old)


def test_a_container_that_fails_beside_one_that_has_done_its_work() -> None:
    done, failed = {"exitCode": 0, "reason": "Completed"}, {"exitCode": 2, "reason": "Error"}
    statuses = [
        {"name": "app", "state": {"terminated": done}},
        {"name": "proxy", "state": {"terminated": failed}},
    ]
    status = {"phase": "Failed", "containerStatuses": statuses}
    (cause,) = explained(a_pod(containers=[a_container(), a_container("proxy")], status=status))
    assert cause.kind == "other-container"
    assert "container app has succeeded" in cause.sentence


def test_what_a_scheduler_of_tomorrow_says_is_passed_on() -> None:
    (cause,) = explained(unscheduled("0/1 nodes are available: 1 node(s) are on strike."))
    assert cause.kind == "unschedulable-node"
    assert cause.evidence == ("not scheduled: 0/1 nodes are available: 1 node(s) are on strike.",)


def test_the_longest_text_is_one_short_line() -> None:
    pod = waiting("CreateContainerError", "a\nb " * 9999)
    (cause,) = explained(pod)
    lines = (cause.sentence, *cause.evidence)
    assert all(len(line) < 600 and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    "reason, message",
    [
        ("CreateContainerConfigError", "failed to sync secret cache: timed out waiting"),
        ("ContainerCreating", ""),
    ],
)
def test_what_the_kubelet_has_not_yet_read_is_no_cause(reason: str, message: str) -> None:
    said = 'MountVolume.SetUp failed for volume "v" : object "default"/"x" not registered'
    assert not explained(waiting(reason, message), an_event("FailedMount", said))


@pytest.mark.parametrize(
    "ready, at, sure",
    [
        (True, "2026-01-01T02:00:00Z", True),
        (False, "2026-01-01T11:55:00Z", True),
        (False, "2026-01-01T02:00:00Z", False),
    ],
)
def test_memory_that_was_too_little_long_ago(ready: bool, at: str, sure: bool) -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": at}
    (cause,) = explained(running(ready=ready, lastState={"terminated": ended}))
    assert (cause.weight >= 50) is sure
