"""Broken pods of the second half that stumble over programs, modules and settings."""

from __future__ import annotations

from tests.cluster.why.case import (
    Case,
    app,
    config_map,
    hardened,
    mounted,
    script,
    silent_python,
)
from tests.support.manifests import Json

NEVER_READY: Json = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
BASH_OF_WINDOWS = "#!/usr/bin/env bash\r\nset -eu\r\nexec sleep 3600\r\n"
PYTHON_SCRIPT = "#!/usr/bin/env python3\nimport time\ntime.sleep(3600)\n"
NGINX_OF_ANOTHER = """user www-data;
error_log /dev/stderr;
pid /run/nginx.pid;
events {}
http { server { listen 8080; } }
"""
CLONE = """
    import os, subprocess, tempfile
    folder = tempfile.mkdtemp()
    subprocess.run(['git', 'clone', '/srv/rules.git', folder], check=True)
"""
LIBRARY = """
    import ctypes
    for name in ('libpq-static.so', 'libpq.so'):
        try:
            ctypes.CDLL(name)
        except OSError:
            pass
    ctypes.CDLL('libpq.so.5')
"""
PAYMENT = """
const key = process.env.PAYMENT_API_KEY;
if (!key) { console.error('Fatal: PAYMENT_API_KEY is required'); process.exit(1); }
"""


def _scripts(name: str, mode: int) -> Json:
    return {"configMap": {"name": name, "defaultMode": mode}}


def _data(name: str, key: str, text: str) -> Json:
    return config_map(name, {key: text})


CASES = [
    Case(
        "library-too-old",
        "library-version",
        ("libpart.so.1", "PART_2"),
        lambda: [
            app(
                *("library-too-old", "glibc"),
                command=["/app/linked"],
                env=[{"name": "LD_LIBRARY_PATH", "value": "/opt/plugins:/opt/old"}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "driver-of-postgres",
        "missing-library",
        ("libpq.so.5",),
        lambda: [app("driver-of-postgres", "python", *silent_python(LIBRARY))],
    ),
    Case(
        "class-not-on-the-path",
        ("missing-module", "missing-file"),
        ("postgresql",),
        lambda: [
            app(
                *("class-not-on-the-path", "java", "say:connecting", "class:org.postgresql.Driver"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "node-was-not-built",
        ("missing-file", "missing-module"),
        ("/srv/dist/server.js",),
        lambda: [app("node-was-not-built", "node", "dist/server.js", securityContext=hardened())],
        restricted=True,
    ),
    Case(
        "celery-not-installed",
        "missing-module",
        ("celery",),
        lambda: [app("celery-not-installed", "python", "-m", "celery", "-A", "shop", "worker")],
    ),
    Case(
        "foreign-helper",
        ("exec-format", "image-arch"),
        ("/app/foreign",),
        lambda: [
            script(
                "foreign-helper",
                """
                exec 2>/dev/null
                cat /srv/app.conf
                config=$(/app/foreign) || exit 1
                exec sleep 3600
                """,
            )
        ],
    ),
    Case(
        "script-of-no-interpreter",
        "exec-format",
        ("/app/no-magic",),
        lambda: [app("script-of-no-interpreter", "full", command=["/app/no-magic"])],
    ),
    Case(
        "bash-of-windows",
        "script-line-ends",
        ("/scripts/entry.sh",),
        lambda: [
            app(
                *("bash-of-windows", "full"),
                command=["/scripts/entry.sh"],
                **mounted(scripts=("/scripts", _scripts("windows-bash", 0o755))),
            ),
            _data("windows-bash", "entry.sh", BASH_OF_WINDOWS),
        ],
    ),
    Case(
        "report-of-python",
        ("missing-interpreter", "missing-program"),
        ("python3",),
        lambda: [
            app(
                *("report-of-python", "full"),
                command=["/scripts/report.py"],
                securityContext=hardened(),
                **mounted(scripts=("/scripts", _scripts("python-report", 0o555))),
            ),
            _data("python-report", "report.py", PYTHON_SCRIPT),
        ],
        restricted=True,
    ),
    Case(
        "child-script-no-mode",
        "not-executable",
        ("/scripts/wait.sh",),
        lambda: [
            script(
                "child-script-no-mode",
                """
                exec 2>/dev/null
                /scripts/wait.sh && exec sleep 3600
                exit 1
                """,
                securityContext=hardened(),
                **mounted(scripts=("/scripts", _scripts("wait-script", 0o644))),
            ),
            _data("wait-script", "wait.sh", "#!/bin/sh\nexit 0\n"),
        ],
        restricted=True,
    ),
    Case(
        "java-runs-ffmpeg",
        "missing-program",
        ("ffmpeg",),
        lambda: [app("java-runs-ffmpeg", "java", "open:/srv/app.conf", "run:ffmpeg -version")],
    ),
    Case(
        "waits-for-postgres",
        "missing-program",
        ("pg_isready",),
        lambda: [
            script(
                "waits-for-postgres",
                """
                until pg_isready -h localhost >/dev/null 2>&1; do sleep 1; done
                exec /app/fail pause
                """,
                family="musl",
                readinessProbe=NEVER_READY,
            )
        ],
        until="Unhealthy",
    ),
    Case(
        "python-runs-git",
        "missing-program",
        ("git",),
        lambda: [app("python-runs-git", "python", *silent_python(CLONE))],
    ),
    Case(
        "options-of-java-8",
        "bad-argument",
        ("UseConcMarkSweepGC",),
        lambda: [
            app(
                *("options-of-java-8", "java", "listen:8080", "pause"),
                env=[
                    {"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx64m -XX:+UseConcMarkSweepGC"},
                ],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "json-with-comma",
        "bad-config",
        ("/etc/shop/config.json",),
        lambda: [
            app(
                *("json-with-comma", "node", "-e"),
                "JSON.parse(require('fs').readFileSync('/etc/shop/config.json', 'utf8'))",
                **mounted(config=("/etc/shop", {"configMap": {"name": "comma-config"}})),
            ),
            _data("comma-config", "config.json", '{\n  "port": 8080,\n}\n'),
        ],
    ),
    Case(
        "nginx-of-unknown-user",
        "bad-config",
        ("www-data", "/etc/nginx/nginx.conf"),
        lambda: [
            app(
                *("nginx-of-unknown-user", "nginx"),
                volumes=[{"name": "config", "configMap": {"name": "main-config"}}],
                volumeMounts=[
                    {
                        "name": "config",
                        "mountPath": "/etc/nginx/nginx.conf",
                        "subPath": "nginx.conf",
                    }
                ],
            ),
            _data("main-config", "nginx.conf", NGINX_OF_ANOTHER),
        ],
    ),
    Case(
        "key-is-required",
        "missing-variable",
        ("PAYMENT_API_KEY",),
        lambda: [
            app(
                *("key-is-required", "node", "-e", PAYMENT),
                env=[{"name": "PAYMENTS_API_KEY", "value": "of-another-name"}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "shell-wants-variable",
        "missing-variable",
        ("DATABASE_URL",),
        lambda: [
            script(
                "shell-wants-variable",
                """
                set -eu
                : "${LOG_LEVEL:=info}"
                echo "log level: $LOG_LEVEL"
                exec /app/fail "say:$DATABASE_URL" pause
                """,
                family="musl",
            )
        ],
    ),
    Case(
        "host-of-config-map-is-empty",
        "empty-variable",
        ("API_HOST",),
        lambda: [
            script(
                "host-of-config-map-is-empty",
                """
                exec 2>/dev/null
                curl -s "http://$API_HOST:8080/session" || exit 1
                sleep 3600
                """,
                env=[
                    {
                        "name": "API_HOST",
                        "valueFrom": {
                            "configMapKeyRef": {"name": "frontend-settings", "key": "api-host"}
                        },
                    }
                ],
            ),
            config_map("frontend-settings", {"api-host": "", "theme": "dark"}),
        ],
    ),
]
