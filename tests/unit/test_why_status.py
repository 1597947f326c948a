"""What Kubernetes itself says of a pod that does not run.

``tests/statuses`` has pods and events as a cluster has told them, one document a case.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_scratch.plan.target_container import failing_init
from kubectl_scratch.why.facts import ClusterFacts, WorkloadFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status_causes import explain_no_pods, explain_status, needs_run
from tests.support.builders import Json, a_container, a_pod

STATUSES = Path(__file__).parents[1] / "statuses"
# When they were captured.
NOW = datetime(2026, 11, 28, 18, 9, 30, tzinfo=timezone.utc)


def _documents() -> Mapping[str, Json]:
    files = sorted(STATUSES.glob("*.yaml"))
    every = (doc for file in files for doc in yaml.safe_load_all(file.read_text()))
    return {doc["case"]: doc for doc in every}


CAPTURED = _documents()


def facts_of(case: str, **more: Any) -> ClusterFacts:
    """Return what is known of a captured pod."""
    told = CAPTURED[case]
    pod = told["pod"]
    target = (failing_init(pod) or pod["spec"]["containers"][0])["name"]
    log = tuple(told.get("log", ()))
    return ClusterFacts(pod, target, tuple(told["events"]), now=NOW, log=log, **more)


def text_of(cause: Cause) -> str:
    """Return all that a cause says."""
    return "\n".join((cause.sentence, *cause.evidence, cause.remedy))


# Of each case the kind, and words that the answer has.
FINAL: dict[str, tuple[str, ...]] = {
    "image-not-found": ("image-not-found", "localhost:5000/missing/x:1", "set image"),
    "image-denied": ("image-denied", "403 Forbidden", "create secret docker-registry"),
    "image-unauthorized": ("image-denied", "401 Unauthorized"),
    "image-flaky": ("registry-unreachable", "returns a server error", "503 Service Unavailable"),
    "registry-no-host": ("registry-unreachable", "does not resolve", "registry.invalid"),
    "registry-refused": ("registry-unreachable", "cannot reach", "localhost:5999"),
    "image-name": ("image-name", "must be lowercase"),
    "image-never": ("image-never-pulled", "node-1", "IfNotPresent"),
    "pull-secret": ("image-denied", "create secret docker-registry regcred"),
    "init-image": ("image-not-found", "init container migrate"),
    "two-containers": ("image-not-found", "container proxy"),
    "foreign": ("image-arch", "exec /bin/sh: exec format error"),
    "no-cm-env": ("missing-config-map", "app-confg", "create configmap app-confg"),
    "no-cm-key": ("missing-key", "loglevel", "variable LEVEL"),
    "no-secret-env": ("missing-secret", "db-secrt", "--from-literal=password=VALUE"),
    "no-secret-key": ("missing-key", "passwd", "Secret db-secret"),
    "no-cm-vol": ("missing-config-map", "app-confg", "volume v"),
    "no-cm-item": ("missing-key", "config.yml", "ConfigMap app-config"),
    "no-secret-vol": ("missing-secret", "db-secrt"),
    "no-secret-item": ("missing-key", "passwd", "Secret db-secret"),
    "no-projected": ("missing-secret", "nosuch"),
    "sub-path-expr": ("sub-path", "NOSUCH"),
    "sub-path-escape": ("sub-path", "conf.yml/inner"),
    "sub-path-item": ("sub-path", "subPath a of volume v"),
    "sub-path-file-on-dir": ("sub-path", "a file on a folder", "/etc/conf.yml"),
    "no-claim": ("missing-claim", "data-clam"),
    "unbound": ("unbound-claim", "data-claim"),
    "unbound-class": ("unbound-claim", "StorageClass fast-ssd does not exist"),
    "hostpath-type": ("volume-mount", "/nonexistent/dir", "node-1"),
    "nfs": ("volume-mount", "unknown filesystem type", "nfs-common"),
    "csi": ("volume-mount", "nosuch.csi.example"),
    "mount-on-file": ("volume-mount", "a folder on a file"),
    "big-cpu": ("unschedulable-resources", "cpu 64 and memory 1Ti"),
    "big-gpu": ("unschedulable-resources", "nvidia.com/gpu 1"),
    "node-selector": ("unschedulable-node", "disk=ssd", "kubectl label node NODE disk=ssd"),
    "affinity": ("unschedulable-node", "zone In a b"),
    "pod-affinity": ("unschedulable-node", "pod affinity rules"),
    "spread": ("unschedulable-node", "topology spread constraints"),
    "host-port2": ("host-port", "19191"),
    "gate": ("scheduling-gate", "example.com/quota-check"),
    "no-scheduler": ("no-scheduler", "my-scheduler"),
    "oom2": ("oom-killed", "32Mi", "exit code 137"),
    "oom-child": ("oom-killed", "a process of container app"),
    "oom-tiny": ("oom-killed", "1Mi", "too low"),
    "liveness": ("liveness-probe", "HTTP GET :8181/", "connection refused"),
    "liveness-tcp": ("liveness-probe", "TCP :8181", "nothing listens there"),
    "liveness-exec2": ("liveness-probe", "not ready yet", "why the command"),
    "liveness-exec-slow": ("liveness-probe", "timed out", "timeoutSeconds (1)"),
    "startup": ("startup-probe", "HTTP GET :8080/", "6 s"),
    "startup-exec": ("startup-probe", "/bin/nosuch", "correct the startup probe"),
    "deadline": ("deadline-exceeded", "activeDeadlineSeconds (8)"),
    "ephemeral": ("evicted", "10Mi", "ephemeral-storage"),
    "emptydir-limit": ("evicted", "emptyDir v", "5Mi"),
    "finalizer": ("terminating", "example.com/keep", "kubectl -n norun patch pod finalizer"),
    "preempted": ("preempted", "priority"),
    "hook": ("hook-failed", "bash -c echo hook broke; exit 7"),
    "init-hang": ("init-container", "init container migrate", "-c migrate"),
    "two-crash": ("other-container", "container proxy exited with code 3", "-c proxy"),
    "root-forbidden": ("root-forbidden", "image will run as root", "runAsUser"),
    "root-forbidden-0": ("root-forbidden", "runAsUser is 0"),
    "cmd-not-found": ("command-not-found", "nosuchprog", "on the PATH"),
    "cmd-not-found-abs": ("command-not-found", "/app/nosuch"),
    "cmd-empty": ("command-not-found", "/app/args", "which sets it as its command"),
    "cmd-shell": ("command-not-found", "without a shell"),
    "cmd-one-word": ("command-not-found", "['sleep', '10']"),
    "image-arch2": ("command-not-found", "no command specified"),
    "cmd-not-exec": ("command-not-executable", "/etc/passwd"),
    "cmd-dir": ("command-not-executable", "cannot execute /etc"),
    "workdir": ("working-dir", "/etc/passwd", "not a directory"),
    "seccomp": ("security-profile", "nosuch.json"),
    "apparmor": ("pod-rejected", "AppArmor is not enabled"),
    "sysctl": ("pod-rejected", "kernel.msgmax"),
}


@pytest.mark.parametrize("case", FINAL)
def test_what_kubernetes_says_is_the_answer(case: str) -> None:
    facts = facts_of(case)
    causes = explain_status(facts)
    kind, *words = FINAL[case]
    assert causes[0].kind == kind
    for word in words:
        assert word in text_of(causes[0])
    assert not needs_run(facts, causes)


# These have to be run; some have a note.
TO_RUN = {
    "crash": None,
    "completed": None,
    "init-crash": None,
    "healthy": None,
    "liveness-crash": "liveness-probe",
    "liveness-exec": None,
    "readiness": "readiness-probe",
    "pod-deadline-restart": "deadline-exceeded",
    "cmd-interp": "exec-format",
    "sub-path": None,
}


@pytest.mark.parametrize("case", TO_RUN)
def test_what_the_app_does_itself_needs_a_run(case: str) -> None:
    facts = facts_of(case)
    causes = explain_status(facts)
    assert needs_run(facts, causes)
    assert [cause.kind for cause in causes] == ([TO_RUN[case]] if TO_RUN[case] else [])


def test_every_captured_pod_has_its_test() -> None:
    pods = {case for case, told in CAPTURED.items() if "pod" in told}
    assert pods == FINAL.keys() | TO_RUN.keys()


WITHOUT_PODS: dict[str, tuple[str, ...]] = {
    "quota-mem": ("quota", "quota small", "requests.memory=100Mi", "describe quota small"),
    "quota-pods": ("quota", "pods=1"),
    "sts-quota": ("quota", "statefulset sts-quota"),
    "quota-limitrange": ("limit-range", "maximum memory usage per Container is 128Mi"),
    "psa": ("pod-rejected", "PodSecurity restricted", "seccompProfile.type", "edit deployment/psa"),
    "ds-psa": ("pod-rejected", "PodSecurity restricted"),
    "job-psa": ("pod-rejected", "create job/job-psa again"),
    "cron-psa": ("pod-rejected", "cronjob cron-psa"),
    "hooked": ("pod-rejected", "webhook policy.example.com", "connection refused"),
    "prio": ("pod-rejected", "PriorityClass nosuch"),
    "no-sa": ("service-account", "kubectl -n norun create serviceaccount nosuch"),
    "zero": ("scaled-to-zero", "scale deployment/zero --replicas=1"),
    "paused": ("paused", "rollout resume deployment/paused"),
    "job-suspended": ("suspended", "job/job-suspended"),
    "cron-suspended": ("suspended", "cronjob/cron-suspended"),
    "cron-never": ("not-scheduled-yet", "0 0 1 1 *", "--from=cronjob/cron-never"),
    "job-deadline": ("deadline-exceeded", "activeDeadlineSeconds (10)"),
    "job-backoff": ("job-failed", "BackoffLimitExceeded"),
    "job-backoff-onfail": ("job-failed", "BackoffLimitExceeded"),
}


def workload_of_case(case: str) -> WorkloadFacts:
    told = CAPTURED[case]
    return WorkloadFacts(told["owner"], told["kind"], told.get("child"), tuple(told["events"]))


@pytest.mark.parametrize("case", WITHOUT_PODS)
def test_a_workload_without_pods_says_why(case: str) -> None:
    (cause,) = explain_no_pods(workload_of_case(case))
    kind, *words = WITHOUT_PODS[case]
    assert cause.kind == kind
    for word in words:
        assert word in text_of(cause)
    # Why the pods of a Job have failed is seen in a run.
    assert (cause.weight < 50) == (kind == "job-failed")


def test_every_captured_workload_has_its_test() -> None:
    assert {c for c, told in CAPTURED.items() if "owner" in told} == WITHOUT_PODS.keys()


def test_a_pod_that_fails_is_asked_before_its_workload_that_gets_no_more() -> None:
    facts = facts_of("crash", workload=workload_of_case("quota-pods"))
    causes = explain_status(facts)
    assert [cause.kind for cause in causes] == ["quota"]
    assert needs_run(facts, causes)


def test_a_missing_config_map_has_near_names() -> None:
    names = {"configmap": ("app-config", "kube-root-ca.crt")}
    (cause,) = explain_status(facts_of("no-cm-env", names=names))
    assert "ConfigMap with a similar name: app-config" in cause.evidence
    assert cause.remedy.startswith("use app-config, or create app-confg: ")


@pytest.mark.parametrize(
    "case, there",
    [
        ("no-cm-key", {"config_maps": {"app-config": frozenset({"conf.yml", "log.level"})}}),
        ("no-secret-key", {"secrets": {"db-secret": frozenset({"password", "username"})}}),
    ],
)
def test_a_missing_key_has_the_keys_that_there_are(case: str, there: Any) -> None:
    (cause,) = explain_status(facts_of(case, **there))
    keys = sorted(next(iter(next(iter(there.values())).values())))
    assert any(cause.evidence[1].endswith(f"has keys {' and '.join(keys)}") for _ in keys)
    near = "log.level" if case == "no-cm-key" else "password"
    assert f"but it has {near}" in cause.sentence
    assert cause.remedy.startswith(f"use key {near} in the pod, or add the key: kubectl")


def test_what_was_missing_and_is_there_by_now_is_said_so() -> None:
    facts = facts_of("no-cm-env", config_maps={"app-confg": frozenset({"a"})})
    (cause,) = explain_status(facts)
    assert cause.remedy.startswith("wait: it exists now")


def test_a_sub_path_that_is_no_key_is_noted() -> None:
    keys = frozenset({"conf.yml", "log.level"})
    facts = facts_of("sub-path", config_maps={"app-config": keys})
    (cause,) = explain_status(facts)
    assert cause.kind == "sub-path"
    assert "/etc/app/nosuch.yml is an empty folder" in cause.sentence
    assert needs_run(facts, (cause,))


def test_the_largest_node_is_compared() -> None:
    nodes = tuple({"status": {"allocatable": {"cpu": n, "memory": "8Gi"}}} for n in ("2", "4"))
    (cause,) = explain_status(facts_of("big-cpu", nodes=nodes))
    assert "no node is large enough" in cause.sentence
    assert "maximum per node: cpu 4 and memory 8Gi" in cause.evidence


def test_a_resource_that_no_node_has_at_all() -> None:
    nodes = ({"status": {"allocatable": {"cpu": "2"}}},)
    (cause,) = explain_status(facts_of("big-gpu", nodes=nodes))
    assert cause.sentence.startswith("no node has nvidia.com/gpu, and")
    assert "device plugin" in cause.remedy


def test_the_values_of_a_label_that_is_asked_for() -> None:
    nodes = ({"metadata": {"name": "n", "labels": {"disk": "hdd"}}},)
    (cause,) = explain_status(facts_of("node-selector", nodes=nodes))
    assert "values of label disk on the nodes: hdd" in cause.evidence


def test_who_has_the_host_port() -> None:
    other = a_pod("web", [a_container(ports=[{"hostPort": 19191}])], nodeName="node-1")
    (cause,) = explain_status(facts_of("host-port2", neighbours=(other,)))
    assert "used by pod web (port 19191) in namespace norun" in cause.evidence


# The answers of the API server are checked for these.
_CHECKED = ("metadata", "spec", "containers", "name", "namespace", "mountPath", "type", "key")


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where there is something in an object that may be missing, outermost first."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(key, str) and key not in _CHECKED:
            yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from _paths(inner, (*path, key))


@pytest.mark.parametrize("case", [*FINAL, *TO_RUN])
def test_any_field_may_be_missing(case: str) -> None:
    for part in ("pod", "events"):
        for *outer, last in _paths(CAPTURED[case][part]):
            facts = facts_of(case)
            told: Json = copy.deepcopy({"pod": facts.pod, "events": list(facts.events)})
            where = told[part]
            for key in outer:
                where = where[key]
            del where[last]
            explain_status(facts._replace(pod=told["pod"], events=tuple(told["events"])))
