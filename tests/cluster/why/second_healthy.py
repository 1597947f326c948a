"""Pods of the second half that wait or do not trust, and healthy ones."""

from __future__ import annotations

from tests.cluster.why.case import (
    Case,
    app,
    beside,
    hardened,
    script,
    service,
)
from tests.support.manifests import Json

READY: Json = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
TLS = "require('https').get('https://kubernetes.default.svc/version')"
SHY_SERVER = """
const fs = require('fs');
for (const path of ['/etc/shop.json', '/srv/shop.json', '/root/.shop.json', '/etc/shadow']) {
  try { fs.readFileSync(path); } catch (error) { console.error(`ignored: ${error.message}`); }
}
try { require('bufferutil'); } catch { console.error('no bufferutil, a slower way is taken'); }
try { fs.writeFileSync('/srv/pid', '1'); } catch { }
require('http').createServer((_, answer) => answer.end('hello')).listen(8080);
"""
PATIENT = """
import os, socket, sys, time
try:
    socket.create_connection(('statsd-exporter', 8125), timeout=1)
except OSError as error:
    print('metrics are off:', error, file=sys.stderr, flush=True)
if os.fork() == 0:
    os._exit(1)
os.wait()
server = socket.create_server(('0.0.0.0', 8080))
while True:
    server.accept()
"""


def _backend(name: str, *args: str) -> Json:
    return app(name, "static", *args, securityContext=hardened())


CASES = [
    Case(
        "no-certificates-at-all",
        "tls-trust",
        ("certificate",),
        lambda: [
            app(
                *("no-certificates-at-all", "scratch", "?open:/etc/shop.toml", "limit:5s"),
                *("secure:kubernetes.default.svc:443", "pause"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "node-does-not-trust",
        "tls-trust",
        ("certificate",),
        lambda: [app("node-does-not-trust", "node", "-e", TLS)],
    ),
    Case(
        "curl-does-not-trust",
        ("tls-trust", "missing-file"),
        ("/etc/ssl/certs/ca-certificates.crt",),
        lambda: [
            script(
                "curl-does-not-trust",
                """
                set -e
                curl -sS https://kubernetes.default.svc/version >/tmp/version
                sleep 3600
                """,
            )
        ],
    ),
    Case(
        "waits-for-the-broker",
        "hang-network",
        ("rabbit", "5672"),
        lambda: [
            app(
                *("waits-for-the-broker", "java", "answer:rabbit:5672", "listen:8080", "pause"),
                readinessProbe=READY,
            ),
            _backend("rabbit", "listen::5672", "pause"),
            service("rabbit", 5672, to="rabbit"),
        ],
        until="Unhealthy",
    ),
    Case(
        "healthy-with-complaints",
        "runs",
        (),
        lambda: [
            app("healthy-with-complaints", "node", "-e", SHY_SERVER, securityContext=hardened()),
        ],
        restricted=True,
        until="running",
    ),
    Case(
        "healthy-after-refusals",
        "runs",
        (),
        lambda: [
            beside(
                app(
                    *("healthy-after-refusals", "static", "?open:/etc/app.toml"),
                    *("retry:connect:127.0.0.1:9000", "serve::8080"),
                ),
                *("proxy", "static", "sleep:1s", "serve::9000"),
            )
        ],
        until="running",
    ),
    Case(
        "healthy-job",
        "runs",
        (),
        lambda: [
            script(
                "healthy-job",
                """
                rm /tmp/export.old 2>/dev/null
                command -v aws >/dev/null || echo "no aws, a local export"
                cp /srv/app.conf /tmp/export; sleep 5; ls /tmp/export
                """,
                restartPolicy="Never",
            )
        ],
        until="running",
    ),
    Case(
        "healthy-script",
        "runs",
        (),
        lambda: [
            script(
                "healthy-script",
                """
                test -f /etc/default/shop && . /etc/default/shop
                jq --version || echo "no jq, plain logs"
                cat /docker-entrypoint.d/* 2>/dev/null
                /app/fail open:/etc/migrations || echo "nothing to migrate"
                chown 1000:1000 /var/lib/shop
                exec /app/fail serve::8080
                """,
                securityContext=hardened(),
            )
        ],
        restricted=True,
        until="running",
    ),
    Case(
        "healthy-without-metrics",
        "runs",
        (),
        lambda: [app("healthy-without-metrics", "python", "-c", PATIENT)],
        until="running",
    ),
    Case(
        "healthy-java",
        "runs",
        (),
        lambda: [
            app(
                *("healthy-java", "java", "open:/srv/app.conf", "listen:8080", "pause"),
                readinessProbe=READY,
            )
        ],
        until="running",
    ),
]
