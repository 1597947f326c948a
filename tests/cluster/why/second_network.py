"""Broken pods of the second half that stumble over addresses, ports and names."""

from __future__ import annotations

from typing import Any

from tests.cluster.why.case import (
    Case,
    app,
    config_map,
    hardened,
    mounted,
    script,
    service,
    silent_node,
    silent_python,
)
from tests.support.manifests import Json

UPSTREAM = """upstream orders { server orders-api:8080; }
server { listen 8080; location / { proxy_pass http://orders; } }
"""
KAFKA = """
const net = require('net');
let left = 4;
function attempt() {
  net.connect(9092, process.env.KAFKA_HOST).on('error', () => {
    console.log(`broker not available, ${--left} tries left`);
    left ? setTimeout(attempt, 300) : process.exit(1);
  });
}
attempt();
"""
BASKET = """
let left = 3;
function attempt() {
  require('http').get('http://basket:7000/', () => {}).on('error', () => {
    if (--left === 0) process.exit(1);
    setTimeout(attempt, 400);
  });
}
attempt();
"""
REDIS = """
    import socket, time
    try:
        open('/etc/redis/sentinel.conf')
    except OSError as error:
        print('WARNING:', error, '- sentinel is off', flush=True)
    for attempt in range(3):
        try:
            socket.create_connection(('redis-master.cache', 6379), timeout=2)
        except socket.gaierror:
            print('WARNING: cache is not ready', flush=True)
            if attempt == 2:
                raise
            time.sleep(0.3)
"""
CONNECT = """
    import socket
    socket.create_connection(('{}', {}), timeout={})
"""
INVOICES = "import urllib.request\nurllib.request.urlopen('http://invoices/', timeout=3)"


def _egress(name: str, to: str) -> Json:
    """Return a NetworkPolicy that lets a pod ask for names and go to pods of one label."""
    peers = [{"podSelector": {"matchLabels": {"app": to}}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{name}-out"},
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Egress"],
            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}, {"to": peers}],
        },
    }


def _asks(server: str, **options: str) -> Json:
    """Return the fields of a pod that asks another server for names."""
    listed = [{"name": name, "value": value} for name, value in options.items()]
    settings = {"nameservers": [server], "options": listed}
    return {"dnsPolicy": "None", "dnsConfig": settings}


def _with(item: Json, **changes: Any) -> Json:
    """Return an object with other fields of its spec."""
    return {**item, "spec": {**item["spec"], **changes}}


def _backend(name: str, *args: str, **fields: Any) -> Json:
    return app(name, "static", *args, securityContext=hardened(), **fields)


CASES = [
    Case(
        "port-not-of-the-service",
        ("service-port", "connection-refused"),
        ("ledger", "9090"),
        lambda: [
            app(
                *("port-not-of-the-service", "static", "limit:3s", "connect:ledger:9090", "pause"),
                securityContext=hardened(),
            ),
            _backend("ledger", "serve::8080"),
            _with(service("ledger", 8080, to="ledger"), clusterIP="None"),
        ],
        restricted=True,
    ),
    Case(
        "service-of-a-port-name",
        ("service-port", "no-endpoints"),
        ("pricing",),
        lambda: [
            app("service-of-a-port-name", "full", "-c", "curl -sf http://pricing/ || exit 1"),
            _backend("pricing", "serve::8080", ports=[{"name": "web", "containerPort": 8080}]),
            _with(service("pricing", 80, to="pricing"), ports=[{"port": 80, "targetPort": "http"}]),
        ],
    ),
    Case(
        "service-to-another-port",
        ("service-port", "connection-refused"),
        ("invoices",),
        lambda: [
            app("service-to-another-port", "python", *silent_python(INVOICES)),
            _backend("invoices", "serve::8080"),
            service("invoices", 80, to="invoices", target=9000),
        ],
    ),
    Case(
        "kafka-of-variable",
        "connection-refused",
        ("127.0.0.1", "9092"),
        lambda: [
            app(
                *("kafka-of-variable", "node", "-e", KAFKA),
                env=[{"name": "KAFKA_HOST", "value": "127.0.0.1"}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "netcat-waits-in-vain",
        "connection-refused",
        ("11211",),
        lambda: [
            script(
                "netcat-waits-in-vain",
                """
                for attempt in 1 2 3; do
                    nc -z localhost 11211 && exec sleep 3600
                    test -f /etc/memcached.conf
                    sleep 1
                done
                exit 1
                """,
            )
        ],
    ),
    Case(
        "waits-under-timeout",
        ("connection-refused", "terminated"),
        ("7000",),
        lambda: [
            script(
                "waits-under-timeout",
                """
                timeout 3 /app/fail retry:connect:127.0.0.1:7000 || exit 1
                exec sleep 3600
                """,
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "label-of-another-version",
        "no-endpoints",
        ("basket", "7000"),
        lambda: [
            app("label-of-another-version", "node", "-e", BASKET),
            _backend("basket-v2", "serve::7000"),
            service("basket", 7000, to="basket"),
        ],
    ),
    Case(
        "java-on-443",
        "privileged-port",
        ("443",),
        lambda: [
            app(
                *("java-on-443", "java", "open:/srv/app.conf", "listen:443", "pause"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "agent-has-the-port",
        "port-in-use",
        ("9102",),
        lambda: [
            script(
                "agent-has-the-port",
                """
                /app/fail ?open:/etc/agent.conf serve::9102 &
                sleep 1
                exec /app/fail read:/srv/app.conf listen::8080 listen::9102 pause
                """,
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "address-of-another-pod",
        "address-not-available",
        ("10.244.77.5",),
        lambda: [
            app(
                *("address-of-another-pod", "node"),
                *silent_node("require('http').createServer().listen(8080, process.env.BIND)"),
                env=[{"name": "BIND", "value": "10.244.77.5"}],
            )
        ],
    ),
    Case(
        "warehouse-drops-it",
        "connection-timed-out",
        ("warehouse", "8080"),
        lambda: [
            script(
                "warehouse-drops-it",
                """
                curl -s --connect-timeout 3 http://warehouse:8080/stock >/tmp/stock || exit 1
                sleep 3600
                """,
            ),
            _backend("warehouse", "stuck:8080", "pause"),
            service("warehouse", 8080, to="warehouse"),
        ],
    ),
    Case(
        "policy-of-another-label",
        "network-policy",
        ("policy-of-another-label-out", "6432"),
        lambda: [
            app(
                *("policy-of-another-label", "python"),
                *silent_python(CONNECT.format("pgbouncer", 6432, 2)),
                securityContext=hardened(),
            ),
            _backend("pgbouncer", "stuck:6432", "pause"),
            service("pgbouncer", 6432, to="pgbouncer"),
            _egress("policy-of-another-label", to="postgres"),
        ],
        restricted=True,
    ),
    Case(
        "metrics-by-ipv6",
        "unreachable-network",
        ("fd00:10:96::25", "8125"),
        lambda: [
            app(
                *("metrics-by-ipv6", "python"),
                *silent_python(CONNECT.format("metrics.internal", 8125, 3)),
                hostAliases=[{"ip": "fd00:10:96::25", "hostnames": ["metrics.internal"]}],
            )
        ],
    ),
    Case(
        "resolver-of-the-host",
        "dns-server",
        ("127.0.0.53",),
        lambda: [
            app(
                *("resolver-of-the-host", "glibc", "connect:db.shop.svc.cluster.local:5432"),
                **_asks("127.0.0.53"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "resolver-is-gone",
        ("dns-server", "dns-failure"),
        ("10.244.0.254",),
        lambda: [
            app(
                *("resolver-is-gone", "node"),
                *silent_node("require('http').get('http://billing.shop.svc.cluster.local/')"),
                **_asks("10.244.0.254", timeout="1", attempts="2"),
            )
        ],
    ),
    Case(
        "upstream-of-nginx",
        "dns-name",
        ("orders-api", "order-api"),
        lambda: [
            app(
                *("upstream-of-nginx", "nginx"),
                **mounted(site=("/etc/nginx/conf.d", {"configMap": {"name": "upstream"}})),
            ),
            config_map("upstream", {"default.conf": UPSTREAM}),
            service("order-api", 8080, to="order-api"),
        ],
    ),
    Case(
        "redis-of-no-namespace",
        "dns-name",
        ("redis-master.cache",),
        lambda: [
            app(
                *("redis-of-no-namespace", "python", *silent_python(REDIS)),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
]
