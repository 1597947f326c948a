"""Broken pods of the first half whose cause is told by their status, events or spec."""

from __future__ import annotations

from tests.cluster.why.case import (
    Case,
    app,
    config_map,
    deployment,
    hardened,
    mounted,
    script,
    secret,
    silent_python,
)
from tests.support.manifests import a_pod

ALWAYS_UP = {"periodSeconds": 1, "failureThreshold": 2}


def _probe(path: str, port: int) -> dict[str, object]:
    return {"httpGet": {"path": path, "port": port}, **ALWAYS_UP}


CASES = [
    Case(
        "image-of-no-registry",
        "image-not-found",
        ("localhost:5000/missing/shop:2",),
        lambda: [a_pod("image-of-no-registry", "localhost:5000/missing/shop:2")],
    ),
    Case(
        "settings-absent",
        "missing-config-map",
        ("app-settings",),
        lambda: [
            app(
                *("settings-absent", "scratch", "pause"),
                envFrom=[{"configMapRef": {"name": "app-settings"}}],
            ),
        ],
    ),
    Case(
        "password-key",
        "missing-key",
        ("db-login", "password"),
        lambda: [
            app(
                *("password-key", "glibc", "pause"),
                env=[
                    {
                        "name": "PASSWORD",
                        "valueFrom": {"secretKeyRef": {"name": "db-login", "key": "password"}},
                    }
                ],
                securityContext=hardened(),
            ),
            secret("db-login", {"user": "shop", "passwd": "correct-horse"}),
        ],
        restricted=True,
    ),
    Case(
        "certificate-absent",
        "missing-secret",
        ("shop-tls",),
        lambda: [
            app(
                *("certificate-absent", "nginx"),
                **mounted(tls=("/etc/tls", {"secret": {"secretName": "shop-tls"}})),
            )
        ],
        until="FailedMount",
    ),
    Case(
        "too-much-memory",
        "unschedulable-resources",
        ("memory", "900Gi"),
        lambda: [
            app("too-much-memory", "java", "pause", resources={"requests": {"memory": "900Gi"}})
        ],
    ),
    Case(
        "no-such-node",
        "unschedulable-node",
        ("disktype", "ssd"),
        lambda: [app("no-such-node", "scratch", "pause", nodeSelector={"disktype": "ssd"})],
    ),
    Case(
        "claim-unbound",
        "unbound-claim",
        ("shop-data", "fast-ssd"),
        lambda: [
            app(
                *("claim-unbound", "scratch", "pause"),
                **mounted(data=("/data", {"persistentVolumeClaim": {"claimName": "shop-data"}})),
            ),
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "shop-data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "fast-ssd",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            },
        ],
    ),
    Case(
        "node-file-absent",
        "volume-mount",
        ("/etc/shop/licence",),
        lambda: [
            app(
                *("node-file-absent", "scratch", "pause"),
                **mounted(
                    licence=(
                        "/licence",
                        {"hostPath": {"path": "/etc/shop/licence", "type": "File"}},
                    )
                ),
            )
        ],
        until="FailedMount",
    ),
    Case(
        "takes-all-memory",
        ("oom-killed", "memory-limit"),
        ("32",),
        lambda: [
            app(
                *("takes-all-memory", "static", "allocate:200", "pause"),
                resources={"limits": {"memory": "32Mi"}},
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "probe-of-old-path",
        "liveness-probe",
        ("/missing/healthz", "404"),
        lambda: [
            app(
                *("probe-of-old-path", "scratch", "serve::8080"),
                livenessProbe=_probe("/missing/healthz", 8080),
                terminationGracePeriodSeconds=1,
            )
        ],
    ),
    Case(
        "slow-start",
        "startup-probe",
        ("8080",),
        lambda: [
            app(
                *("slow-start", "python", "-c", "import time; time.sleep(3600)"),
                startupProbe={"tcpSocket": {"port": 8080}, **ALWAYS_UP},
                terminationGracePeriodSeconds=1,
            )
        ],
    ),
    Case(
        "shell-of-scratch",
        "command-not-found",
        ("/bin/sh",),
        lambda: [script("shell-of-scratch", "exec /app/fail", family="scratch")],
    ),
    Case(
        "entrypoint-no-mode",
        "command-not-executable",
        ("/app/no-mode",),
        lambda: [
            app("entrypoint-no-mode", "full", command=["/app/no-mode"], securityContext=hardened())
        ],
        restricted=True,
    ),
    Case(
        "image-is-root",
        "root-forbidden",
        ("runAsUser",),
        lambda: [
            app(
                *("image-is-root", "scratch", "pause"),
                securityContext=hardened(runAsUser=None),
            )
        ],
        restricted=True,
    ),
    Case(
        "other-machine",
        ("image-arch", "exec-format"),
        ("/app/foreign",),
        lambda: [app("other-machine", "static", command=["/app/foreign"])],
    ),
    Case(
        "over-quota",
        "quota",
        ("small-team", "requests.memory"),
        lambda: [
            deployment(
                app(
                    *("over-quota", "scratch", "pause"),
                    resources={"requests": {"memory": "128Mi"}},
                )
            ),
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "small-team"},
                "spec": {"hard": {"requests.memory": "64Mi"}},
            },
        ],
        target="deployment/over-quota",
        until="FailedCreate",
    ),
    Case(
        "account-absent",
        "service-account",
        ("shop-runner",),
        lambda: [
            deployment(app("account-absent", "node", serviceAccountName="shop-runner")),
        ],
        target="deployment/account-absent",
        until="FailedCreate",
    ),
    Case(
        "migration-fails",
        "missing-file",
        ("migrate", "/migrations/schema.sql"),
        lambda: [
            app(
                *("migration-fails", "scratch", "serve::8080"),
                initContainers=[
                    {
                        "name": "migrate",
                        "image": "docker.io/scratch-testbed/broken-scratch:1",
                        "args": ["?open:/etc/localtime", "open:/migrations/schema.sql"],
                    }
                ],
            )
        ],
    ),
    Case(
        "hook-of-no-program",
        "hook-failed",
        ("/opt/register",),
        lambda: [
            app(
                *("hook-of-no-program", "full", "-c", "sleep 3600"),
                lifecycle={"postStart": {"exec": {"command": ["/opt/register"]}}},
                terminationGracePeriodSeconds=1,
            )
        ],
    ),
    Case(
        "key-of-sub-path",
        ("sub-path", "is-a-directory"),
        ("/etc/app/app.yaml", "app.yml"),
        lambda: [
            app(
                *("key-of-sub-path", "python", *silent_python("open('/etc/app/app.yaml')")),
                volumes=[{"name": "config", "configMap": {"name": "sub-path-config"}}],
                volumeMounts=[
                    {"name": "config", "mountPath": "/etc/app/app.yaml", "subPath": "app.yaml"}
                ],
            ),
            config_map("sub-path-config", {"app.yml": "a: 1\n"}),
        ],
    ),
    Case(
        "cache-too-big",
        "evicted",
        ("cache", "8Mi"),
        lambda: [
            app(
                *("cache-too-big", "static", "fill:/cache/x=64", "pause"),
                securityContext=hardened(),
                **mounted(cache=("/cache", {"emptyDir": {"sizeLimit": "8Mi"}})),
            )
        ],
        restricted=True,
    ),
]
