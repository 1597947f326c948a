"""Broken pods of the second half whose image, settings or volumes are not to be had."""

from __future__ import annotations

from typing import Any

from tests.cluster.why.case import (
    Case,
    app,
    broken_image,
    config_map,
    deployment,
    hardened,
    mounted,
)
from tests.support.manifests import Json, a_pod

DOCKER: Json = {"hostPath": {"path": "/var/run/docker.sock", "type": "Socket"}}


def _never_pulled(pod: Json) -> Json:
    pod["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    return pod


def _claim(name: str, **spec: Any) -> Json:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {**wanted, **spec},
    }


CASES = [
    Case(
        "registry-forbids",
        "image-denied",
        ("localhost:5000/denied/shop:4",),
        lambda: [a_pod("registry-forbids", "localhost:5000/denied/shop:4")],
    ),
    Case(
        "registry-wants-login",
        "image-denied",
        ("unauthorized/checkout:1.9", "imagePullSecret"),
        lambda: [
            deployment(
                a_pod(
                    *("registry-wants-login", "localhost:5000/unauthorized/checkout:1.9"),
                    labels={"app": "registry-wants-login"},
                )
            )
        ],
        target="deployment/registry-wants-login",
        until="Failed",
    ),
    Case(
        "registry-is-down",
        "registry-unreachable",
        ("localhost:5999",),
        lambda: [a_pod("registry-is-down", "localhost:5999/team/shop:2.1")],
    ),
    Case(
        "image-in-capitals",
        "image-name",
        ("registry.shop.internal/Shop-API:1.4",),
        lambda: [a_pod("image-in-capitals", "registry.shop.internal/Shop-API:1.4")],
    ),
    Case(
        "image-only-local",
        "image-never-pulled",
        ("shop-dev:latest", "imagePullPolicy"),
        lambda: [_never_pulled(a_pod("image-only-local", "shop-dev:latest"))],
    ),
    Case(
        "image-of-init-container",
        "image-not-found",
        ("localhost:5000/missing/migrate:7", "schema"),
        lambda: [
            app(
                *("image-of-init-container", "static", "serve::8080"),
                initContainers=[{"name": "schema", "image": "localhost:5000/missing/migrate:7"}],
            )
        ],
    ),
    Case(
        "projected-map-absent",
        "missing-config-map",
        ("feature-flags",),
        lambda: [
            app(
                *("projected-map-absent", "python", "-c", "input()"),
                **mounted(
                    settings=(
                        "/etc/settings",
                        {
                            "projected": {
                                "sources": [
                                    {"configMap": {"name": "kube-root-ca.crt"}},
                                    {"configMap": {"name": "feature-flags"}},
                                ]
                            }
                        },
                    )
                ),
            )
        ],
        until="FailedMount",
    ),
    Case(
        "key-of-items",
        "missing-key",
        ("proxy-settings", "haproxy.cfg"),
        lambda: [
            app(
                *("key-of-items", "static", "pause"),
                **mounted(
                    settings=(
                        "/etc/proxy",
                        {
                            "configMap": {
                                "name": "proxy-settings",
                                "items": [{"key": "haproxy.cfg", "path": "haproxy.cfg"}],
                            }
                        },
                    )
                ),
            ),
            config_map("proxy-settings", {"haproxy.conf": "global\n"}),
        ],
        until="FailedMount",
    ),
    Case(
        "secret-of-variable",
        "missing-secret",
        ("stripe-credentials",),
        lambda: [
            app(
                *("secret-of-variable", "node"),
                env=[
                    {
                        "name": "STRIPE_KEY",
                        "valueFrom": {
                            "secretKeyRef": {"name": "stripe-credentials", "key": "api-key"}
                        },
                    }
                ],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "claim-absent",
        "missing-claim",
        ("shop-uploads",),
        lambda: [
            app(
                *("claim-absent", "nginx"),
                **mounted(
                    uploads=("/uploads", {"persistentVolumeClaim": {"claimName": "shop-uploads"}})
                ),
            )
        ],
    ),
    Case(
        "claim-of-no-volume",
        "unbound-claim",
        ("ledger-data",),
        lambda: [
            app(
                *("claim-of-no-volume", "java", "pause"),
                **mounted(data=("/data", {"persistentVolumeClaim": {"claimName": "ledger-data"}})),
            ),
            _claim("ledger-data"),
        ],
    ),
    Case(
        "region-of-sub-path",
        ("sub-path", "missing-variable"),
        ("REGION",),
        lambda: [
            app(
                *("region-of-sub-path", "static", "pause"),
                volumes=[{"name": "logs", "emptyDir": {}}],
                volumeMounts=[
                    {"name": "logs", "mountPath": "/logs", "subPathExpr": "$(REGION)/shop"}
                ],
            )
        ],
    ),
    Case(
        "node-without-docker",
        "volume-mount",
        ("/var/run/docker.sock",),
        lambda: [
            app("node-without-docker", "full", **mounted(docker=("/var/run/docker.sock", DOCKER)))
        ],
        until="FailedMount",
    ),
    Case(
        "two-init-containers",
        "missing-config-map",
        ("wait-for-db", "db-hosts"),
        lambda: [
            app(
                *("two-init-containers", "python", "-c", "input()"),
                initContainers=[
                    {"name": "prepare", "image": broken_image("static"), "args": ["exit:0"]},
                    {
                        "name": "wait-for-db",
                        "image": broken_image("static"),
                        "args": ["exit:0"],
                        "envFrom": [{"configMapRef": {"name": "db-hosts"}}],
                    },
                ],
            )
        ],
    ),
    Case(
        "no-gunicorn",
        "command-not-found",
        ("gunicorn",),
        lambda: [
            app(
                *("no-gunicorn", "python", "--workers=4", "shop.wsgi"),
                command=["gunicorn"],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "working-dir-is-a-file",
        "working-dir",
        ("/srv/app.conf",),
        lambda: [app("working-dir-is-a-file", "node", workingDir="/srv/app.conf")],
    ),
]
