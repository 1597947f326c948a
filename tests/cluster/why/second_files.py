"""Broken pods of the second half that stumble over files, folders and sockets."""

from __future__ import annotations

from typing import Any

from tests.cluster.why.case import (
    Case,
    app,
    broken_image,
    config_map,
    hardened,
    mounted,
    script,
    secret,
    silent_node,
    silent_python,
)
from tests.support.manifests import Json

EMPTY: Json = {"emptyDir": {}}
TLS_SITE = """server {
  listen 8443 ssl;
  ssl_certificate /etc/nginx/tls/tls.crt;
  ssl_certificate_key /etc/nginx/tls/tls.key;
}
"""
SEARCH = """
    import configparser, os, tomllib
    settings = configparser.ConfigParser()
    settings.read(['/etc/billing.ini', os.path.expanduser('~/.billing.ini'), 'billing.ini'])
    for path in ('/etc/localtime', '/etc/timezone'):
        os.path.exists(path)
    tomllib.load(open(os.environ['BILLING_CONFIG'], 'rb'))
"""
DOCKER = """
    import socket, time
    for attempt in range(3):
        try:
            socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')
        except OSError:
            if attempt == 2:
                raise
            time.sleep(0.5)
"""


def _before(*args: str, family: str = "full", **fields: Any) -> list[Json]:
    """Return an init container that does something to /data as root."""
    init = {"name": "prepare", "image": broken_image(family), "args": list(args), **fields}
    mounts = [{"name": "data", "mountPath": "/data"}]
    return [{**init, "volumeMounts": mounts}]


CASES = [
    Case(
        "credentials-in-projection",
        ("near-name", "missing-file"),
        ("/var/run/orders/credentials.json", "credential.json"),
        lambda: [
            app(
                *("credentials-in-projection", "static", "?open:/etc/orders/orders.toml"),
                *("?open:/home/nonroot/.orders.toml", "read:/srv/app.conf", "?list:/plugins"),
                *("?read:/var/run/orders/override.json", "read:/var/run/orders/ca.crt"),
                "open:/var/run/orders/credentials.json",
                securityContext=hardened(10001),
                **mounted(
                    identity=(
                        "/var/run/orders",
                        {
                            "projected": {
                                "sources": [
                                    {"secret": {"name": "orders-identity"}},
                                    {
                                        "configMap": {
                                            "name": "kube-root-ca.crt",
                                            "items": [{"key": "ca.crt", "path": "ca.crt"}],
                                        }
                                    },
                                ]
                            }
                        },
                    )
                ),
            ),
            secret("orders-identity", {"credential.json": '{"user": "orders-service"}'}),
        ],
        restricted=True,
    ),
    Case(
        "token-not-mounted",
        ("missing-file", "missing-folder"),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token",),
        lambda: [
            app(
                *("token-not-mounted", "python"),
                *silent_python(
                    "open('/var/run/secrets/kubernetes.io/serviceaccount/token').read()"
                ),
                automountServiceAccountToken=False,
            )
        ],
    ),
    Case(
        "config-of-variable",
        ("missing-file", "near-name"),
        ("/config/prod.toml",),
        lambda: [
            app(
                *("config-of-variable", "python", *silent_python(SEARCH)),
                env=[{"name": "BILLING_CONFIG", "value": "/config/prod.toml"}],
                securityContext=hardened(),
                **mounted(config=("/config", {"configMap": {"name": "billing"}})),
            ),
            config_map("billing", {"production.toml": "port = 8080\n"}),
        ],
        restricted=True,
    ),
    Case(
        "migration-of-a-script",
        "missing-file",
        ("/srv/migrations/0001.sql",),
        lambda: [
            script(
                "migration-of-a-script",
                """
                echo "running migrations"
                test -f /etc/default/shop && . /etc/default/shop
                /app/fail read:/srv/app.conf ?stat:/etc/localtime open:/srv/migrations/0001.sql
                code=$?
                echo "cleaning up"
                rm -f /tmp/migration.lock
                exit $code
                """,
                family="musl",
            )
        ],
    ),
    Case(
        "certificate-has-another-name",
        ("near-name", "missing-file"),
        ("/etc/nginx/tls/tls.crt", "cert.pem"),
        lambda: [
            app(
                *("certificate-has-another-name", "nginx"),
                **mounted(
                    site=("/etc/nginx/conf.d", {"configMap": {"name": "tls-site"}}),
                    tls=("/etc/nginx/tls", {"secret": {"secretName": "site-tls"}}),
                ),
            ),
            config_map("tls-site", {"site.conf": TLS_SITE}),
            secret("site-tls", {"cert.pem": "-----BEGIN-----", "key.pem": "-----BEGIN-----"}),
        ],
    ),
    Case(
        "docker-socket-absent",
        "missing-socket",
        ("/var/run/docker.sock",),
        lambda: [
            app(
                *("docker-socket-absent", "python", *silent_python(DOCKER)),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "mysql-socket-by-default",
        "missing-socket",
        ("/run/mysqld/mysqld.sock",),
        lambda: [
            app(
                *("mysql-socket-by-default", "node"),
                *silent_node("require('net').connect(process.env.DB_SOCKET)"),
                env=[{"name": "DB_SOCKET", "value": "/run/mysqld/mysqld.sock"}],
            )
        ],
    ),
    Case(
        "socket-left-behind",
        ("connection-refused", "missing-socket"),
        ("/data/api.sock",),
        lambda: [
            app(
                *("socket-left-behind", "musl", "unix:/data/api.sock", "pause"),
                initContainers=_before("bindunix:/data/api.sock", "exit:0", family="static"),
                **mounted(data=("/data", EMPTY)),
            )
        ],
    ),
    Case(
        "data-dir-is-a-file",
        "not-a-directory",
        ("/srv/app.conf",),
        lambda: [
            app(
                *("data-dir-is-a-file", "java", "open:/srv/app.conf", "mkdir:$(DATA_DIR)/orders"),
                env=[{"name": "DATA_DIR", "value": "/srv/app.conf"}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "config-is-a-folder",
        "is-a-directory",
        ("/etc/shop",),
        lambda: [
            app(
                *("config-is-a-folder", "node"),
                *silent_node("JSON.parse(require('fs').readFileSync(process.env.CONFIG_FILE))"),
                env=[{"name": "CONFIG_FILE", "value": "/etc/shop"}],
                securityContext=hardened(),
                **mounted(config=("/etc/shop", {"configMap": {"name": "folder-config"}})),
            ),
            config_map("folder-config", {"config.json": '{"port": 8080}'}),
        ],
        restricted=True,
    ),
    Case(
        "shared-memory-is-full",
        "no-space",
        ("/dev/shm",),
        lambda: [
            app(
                *("shared-memory-is-full", "static", "?stat:/dev/nvidia0"),
                *("fill:/dev/shm/batch-0=120", "pause"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "log-without-folder",
        "missing-folder",
        ("/var/log/shop",),
        lambda: [
            script(
                "log-without-folder",
                """
                trap 'exit 0' TERM
                /app/fail read:/srv/app.conf append:/var/log/shop/access.log pause &
                wait $! || exit 1
                """,
                family="musl",
            )
        ],
    ),
]
