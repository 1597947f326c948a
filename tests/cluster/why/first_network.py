"""Broken pods of the first half that stumble over the network, and healthy ones."""

from __future__ import annotations

from tests.cluster.why.case import (
    Case,
    app,
    beside,
    hardened,
    script,
    service,
    silent_node,
    silent_python,
)
from tests.support.manifests import Json

READY = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
CONNECT = "import socket\nsocket.create_connection(('{}', {}), timeout=3)"
LOOP = "import time\nwhile True:\n    open('/tmp/beat', 'w').close()\n    time.sleep(1)"
NODE_SERVER = "require('http').createServer((_, answer) => answer.end('hello')).listen(8080)"


def _only_dns(name: str) -> Json:
    """Return a NetworkPolicy that lets a pod ask for names and do nothing else."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{name}-egress"},
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Egress"],
            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}],
        },
    }


def _silent_server(name: str, port: int) -> Json:
    """Return a pod that lets connections come in and drops them unanswered, as a firewall does."""
    return app(name, "static", f"stuck:{port}", "pause", securityContext=hardened())


CASES = [
    Case(
        "port-80-of-nonroot",
        "privileged-port",
        ("80",),
        lambda: [
            app(
                *("port-80-of-nonroot", "static", "listen:0.0.0.0:80", "pause"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "two-servers-on-8080",
        "port-in-use",
        ("8080",),
        lambda: [
            beside(
                app(
                    "two-servers-on-8080",
                    "python",
                    *silent_python(
                        """
                        import socket, time
                        time.sleep(2)
                        socket.socket().bind(('0.0.0.0', 8080))
                        """
                    ),
                ),
                *("proxy", "scratch", "serve::8080"),
            )
        ],
    ),
    Case(
        "redis-beside-absent",
        "connection-refused",
        ("127.0.0.1", "6379"),
        lambda: [
            app(
                "redis-beside-absent",
                *("node", *silent_node("require('net').connect(6379, '127.0.0.1')")),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "database-on-localhost",
        "connection-refused",
        ("5432",),
        lambda: [app("database-on-localhost", "java", "connect:localhost:5432", "pause")],
    ),
    Case(
        "database-without-pods",
        "no-endpoints",
        ("orders-db", "5432"),
        lambda: [
            app(
                *("database-without-pods", "scratch", "connect:orders-db:5432", "pause"),
                securityContext=hardened(),
            ),
            service("orders-db", 5432, to="orders-database"),
        ],
        restricted=True,
    ),
    Case(
        "silent-database",
        "connection-timed-out",
        ("silent-db", "5432"),
        lambda: [
            app(
                *("silent-database", "python", *silent_python(CONNECT.format("silent-db", 5432))),
                securityContext=hardened(),
            ),
            _silent_server("silent-db", 5432),
            service("silent-db", 5432, to="silent-db"),
        ],
        restricted=True,
    ),
    Case(
        "policy-of-dns-alone",
        "network-policy",
        ("policy-of-dns-alone-egress", "8443"),
        lambda: [
            app(
                *("policy-of-dns-alone", "static", "limit:3s", "connect:payments:8443", "pause"),
                securityContext=hardened(),
            ),
            _silent_server("payments", 8443),
            service("payments", 8443, to="payments"),
            _only_dns("policy-of-dns-alone"),
        ],
        restricted=True,
    ),
    Case(
        "name-nearly-right",
        "dns-name",
        ("catalog-apl", "catalog-api"),
        lambda: [
            app("name-nearly-right", "musl", "connect:catalog-apl:8080", "pause"),
            service("catalog-api", 8080, to="catalog"),
        ],
    ),
    Case(
        "name-of-no-namespace",
        "dns-name",
        ("queue.production.svc.cluster.local",),
        lambda: [
            script(
                "name-of-no-namespace",
                """
                exec 2>/dev/null
                curl -s http://queue.production.svc.cluster.local:5672/ || exit 1
                sleep 3600
                """,
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "host-is-empty",
        "empty-variable",
        ("DB_HOST",),
        lambda: [
            app(
                *("host-is-empty", "scratch", "connect:$(DB_HOST):5432", "pause"),
                env=[{"name": "DB_HOST", "value": ""}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "waits-for-an-answer",
        "hang-network",
        ("broker", "5672"),
        lambda: [
            app(
                *("waits-for-an-answer", "static", "retry:answer:broker:5672", "serve::8080"),
                securityContext=hardened(),
                readinessProbe=READY,
            ),
            app("broker", "static", "listen:0.0.0.0:5672", "pause", securityContext=hardened()),
            service("broker", 5672, to="broker"),
        ],
        restricted=True,
        until="Unhealthy",
    ),
    Case(
        "retries-for-ever",
        ("no-endpoints", "hang-network"),
        ("cache-db", "6379"),
        lambda: [
            app(
                *("retries-for-ever", "static", "retry:connect:cache-db:6379", "serve::8080"),
                readinessProbe=READY,
            ),
            service("cache-db", 6379, to="nobody"),
        ],
        until="Unhealthy",
    ),
    Case(
        "healthy-go",
        "runs",
        (),
        lambda: [
            app(
                *("healthy-go", "scratch", "?open:/etc/app.conf", "serve::8080"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
        until="running",
    ),
    Case("healthy-nginx", "runs", (), lambda: [app("healthy-nginx", "nginx")], until="running"),
    Case(
        "healthy-python",
        "runs",
        (),
        lambda: [app("healthy-python", "python", "-c", LOOP)],
        until="running",
    ),
    Case(
        "healthy-node",
        "runs",
        (),
        lambda: [
            app("healthy-node", "node", "-e", NODE_SERVER, securityContext=hardened()),
        ],
        restricted=True,
        until="running",
    ),
]
