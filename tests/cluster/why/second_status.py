"""Broken pods of the second half that the scheduler, a policy, a probe or a deadline stops."""

from __future__ import annotations

from typing import Any

from tests.cluster.why.case import (
    Case,
    app,
    deployment,
    hardened,
    script,
)
from tests.support.manifests import Json

SOON: Json = {"periodSeconds": 1, "failureThreshold": 2}


def _quota(name: str, **hard: str) -> Json:
    spec = {"hard": {key.replace("_", "."): value for key, value in hard.items()}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec}


def _limit_range(name: str, memory: str) -> Json:
    limits = [{"type": "Container", "max": {"memory": memory}}]
    spec = {"limits": limits}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name}, "spec": spec}


def _job(pod: Json, **spec: Any) -> Json:
    template = {"metadata": {"labels": pod["metadata"]["labels"]}, "spec": pod["spec"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": pod["metadata"]["name"]},
        "spec": {"template": template, **spec},
    }


def _near(label: str) -> Json:
    term = {
        "labelSelector": {"matchLabels": {"app": label}},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


CASES = [
    Case(
        "no-gpu",
        "unschedulable-resources",
        ("nvidia.com/gpu",),
        lambda: [app("no-gpu", "python", "-c", "0", resources={"limits": {"nvidia.com/gpu": "1"}})],
    ),
    Case(
        "wants-a-neighbour",
        "unschedulable-node",
        ("affinity",),
        lambda: [app("wants-a-neighbour", "static", "pause", affinity=_near("page-cache"))],
    ),
    Case(
        "two-on-a-host-port",
        "host-port",
        ("31917",),
        lambda: [
            app(
                *("two-on-a-host-port", "static", "serve::8080"),
                ports=[{"containerPort": 8080, "hostPort": 31917}],
            ),
            app(
                *("host-port-holder", "static", "serve::8080"),
                ports=[{"containerPort": 8080, "hostPort": 31917}],
            ),
        ],
    ),
    Case(
        "waits-for-approval",
        "scheduling-gate",
        ("shop.example/budget-approved",),
        lambda: [
            app(
                *("waits-for-approval", "scratch", "serve::8080"),
                schedulingGates=[{"name": "shop.example/budget-approved"}],
            )
        ],
    ),
    Case(
        "unsafe-sysctl",
        "pod-rejected",
        ("net.core.somaxconn",),
        lambda: [
            {
                **(pod := app("unsafe-sysctl", "static", "serve::8080")),
                "spec": {
                    **pod["spec"],
                    "securityContext": {
                        "sysctls": [{"name": "net.core.somaxconn", "value": "1024"}]
                    },
                },
            }
        ],
    ),
    Case(
        "over-limit-range",
        ("limit-range", "quota", "pod-rejected"),
        ("64Mi",),
        lambda: [
            deployment(
                app(
                    *("over-limit-range", "java", "pause"),
                    resources={"limits": {"memory": "512Mi"}},
                )
            ),
            _limit_range("small-containers", "64Mi"),
        ],
        target="deployment/over-limit-range",
        until="FailedCreate",
    ),
    Case(
        "not-restricted-enough",
        "pod-rejected",
        ("PodSecurity", "allowPrivilegeEscalation"),
        lambda: [deployment(app("not-restricted-enough", "nginx"))],
        restricted=True,
        target="deployment/not-restricted-enough",
        until="FailedCreate",
    ),
    Case(
        "quota-wants-limits",
        "quota",
        ("team-budget", "limits.cpu"),
        lambda: [
            deployment(app("quota-wants-limits", "python", "-c", "input()")),
            _quota("team-budget", limits_cpu="4"),
        ],
        target="deployment/quota-wants-limits",
        until="FailedCreate",
    ),
    Case(
        "ready-on-another-port",
        ("probe-port", "readiness-probe"),
        ("9090",),
        lambda: [
            app(
                *("ready-on-another-port", "static", "serve::8080"),
                ports=[{"name": "http", "containerPort": 8080}],
                readinessProbe={"httpGet": {"path": "/healthz", "port": 9090}, **SOON},
                securityContext=hardened(),
            )
        ],
        restricted=True,
        until="Unhealthy",
    ),
    Case(
        "import-too-slow",
        "deadline-exceeded",
        ("activeDeadlineSeconds",),
        lambda: [
            script(
                *("import-too-slow", "echo importing; sleep 600"),
                activeDeadlineSeconds=3,
                terminationGracePeriodSeconds=1,
                restartPolicy="Never",
            )
        ],
    ),
    Case(
        "job-cannot-end",
        ("terminating", "deadline-exceeded"),
        (),
        lambda: [
            _job(
                app(
                    *("job-cannot-end", "static", "deaf", "pause"),
                    restartPolicy="Never",
                    terminationGracePeriodSeconds=60,
                    # its event is the sign that the pod is being deleted
                    lifecycle={"preStop": {"exec": {"command": ["/opt/deregister"]}}},
                ),
                activeDeadlineSeconds=3,
            )
        ],
        target="job/job-cannot-end",
        until="FailedPreStopHook",
    ),
    Case(
        "job-out-of-time",
        "deadline-exceeded",
        ("activeDeadlineSeconds",),
        lambda: [
            _job(
                script(
                    *("job-out-of-time", "trap 'exit 1' TERM; sleep 600 & wait"),
                    restartPolicy="Never",
                ),
                activeDeadlineSeconds=3,
            )
        ],
        target="job/job-out-of-time",
        until="DeadlineExceeded",
    ),
    Case(
        "pod-is-root",
        "root-forbidden",
        ("runAsNonRoot",),
        lambda: [
            app(
                *("pod-is-root", "nginx"),
                securityContext={"runAsNonRoot": True, "runAsUser": 0},
            )
        ],
    ),
    Case(
        "probe-without-curl",
        "readiness-probe",
        ("curl",),
        lambda: [
            app(
                *("probe-without-curl", "static", "serve::8080"),
                readinessProbe={
                    "exec": {"command": ["curl", "-fsS", "http://localhost:8080/"]},
                    **SOON,
                },
                securityContext=hardened(),
            )
        ],
        restricted=True,
        until="Unhealthy",
    ),
    Case(
        "server-is-stuck",
        "liveness-probe",
        ("8080",),
        lambda: [
            app(
                *("server-is-stuck", "static", "stuck:8080", "pause"),
                livenessProbe={
                    "httpGet": {"path": "/live", "port": 8080},
                    "timeoutSeconds": 1,
                    **SOON,
                },
                terminationGracePeriodSeconds=1,
            )
        ],
    ),
    Case(
        "hook-before-the-server",
        "hook-failed",
        ("8080",),
        lambda: [
            app(
                *("hook-before-the-server", "static", "sleep:20s", "serve::8080"),
                lifecycle={"postStart": {"httpGet": {"path": "/warm-up", "port": 8080}}},
                terminationGracePeriodSeconds=1,
            )
        ],
    ),
    Case(
        "log-fills-the-disk",
        "evicted",
        ("ephemeral-storage", "8Mi"),
        lambda: [
            app(
                *("log-fills-the-disk", "static", "fill:/tmp/access.log=48", "pause"),
                resources={"limits": {"ephemeral-storage": "8Mi"}},
            )
        ],
    ),
]
