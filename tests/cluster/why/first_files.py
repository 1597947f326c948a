"""Broken pods of the first half that stumble over files, programs and identity."""

from __future__ import annotations

from tests.cluster.why.case import (
    Case,
    app,
    beside,
    config_map,
    hardened,
    mounted,
    script,
    secret,
    silent_node,
    silent_python,
)
from tests.support.manifests import Json

SHARED: Json = {"emptyDir": {}}
IN_MEMORY = {"emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}
CRLF_SCRIPT = "#!/bin/sh\r\nset -e\r\nexec sleep 3600\r\n"
RUBY_SCRIPT = "#!/usr/bin/ruby\nputs 'started'\n"
NGINX_SITE = "server {\n  listenn 8080;\n  root /usr/share/nginx/html;\n}\n"


def _config(name: str, mode: int = 0o644) -> dict[str, object]:
    return {"configMap": {"name": name, "defaultMode": mode}}


CASES = [
    Case(
        "config-nearly-named",
        ("near-name", "missing-file"),
        ("/etc/app/config.yaml", "shop-config", "conf.yml"),
        lambda: [
            app(
                *("config-nearly-named", "scratch", "?stat:/etc/localtime"),
                *("read:/etc/app/users.txt", "open:/etc/app/config.yaml"),
                securityContext=hardened(),
                **mounted(config=("/etc/app", _config("shop-config"))),
            ),
            config_map("shop-config", {"conf.yml": "port: 8080\n", "users.txt": "shop\n"}),
        ],
        restricted=True,
    ),
    Case(
        "licence-absent",
        "missing-file",
        ("/etc/shop/licence.key",),
        lambda: [
            app(
                *("licence-absent", "glibc", "?open:/usr/lib/locale/locale-archive"),
                *("?open:/etc/shop.conf", "?stat:/home/nonroot/.shop", "read:/srv/app.conf"),
                *("?locale:de_DE.UTF-8", "open:/etc/shop/licence.key"),
            )
        ],
    ),
    Case(
        "key-of-root-alone",
        "file-permission",
        ("/etc/tls/tls.key", "65532"),
        lambda: [
            app(
                *("key-of-root-alone", "python", *silent_python("open('/etc/tls/tls.key').read()")),
                securityContext=hardened(),
                **mounted(
                    tls=("/etc/tls", {"secret": {"secretName": "key", "defaultMode": 0o400}})
                ),
            ),
            secret("key", {"tls.key": "-----BEGIN KEY-----\nwrong\n", "tls.crt": "none"}),
        ],
        restricted=True,
    ),
    Case(
        "image-file-of-root",
        "file-permission",
        ("/app/private.key",),
        lambda: [
            app("image-file-of-root", "static", "read:/srv/app.conf", "read:/app/private.key")
        ],
    ),
    Case(
        "cache-in-the-image",
        "read-only-root",
        ("/srv/cache", "emptyDir"),
        lambda: [
            app(
                "cache-in-the-image",
                *("python", *silent_python("import os\nos.mkdir('/srv/cache')")),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "java-temporary-file",
        "read-only-root",
        ("/tmp",),
        lambda: [
            app(
                *("java-temporary-file", "java", "temporary", "pause"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "state-without-folder",
        "missing-folder",
        ("/var/lib/shop",),
        lambda: [
            script(
                "state-without-folder",
                """
                exec 2>/dev/null
                echo started > /var/lib/shop/state || exit 1
                sleep 3600
                """,
            )
        ],
    ),
    Case(
        "library-absent",
        "missing-library",
        ("libpart.so.1",),
        lambda: [
            app("library-absent", "glibc", command=["/app/linked"], securityContext=hardened())
        ],
        restricted=True,
    ),
    Case(
        "script-of-ruby",
        "missing-interpreter",
        ("/usr/bin/ruby",),
        lambda: [
            app(
                *("script-of-ruby", "full"),
                command=["/scripts/start"],
                **mounted(scripts=("/scripts", _config("ruby-script", 0o755))),
            ),
            config_map("ruby-script", {"start": RUBY_SCRIPT}),
        ],
    ),
    Case(
        "glibc-on-musl",
        "missing-interpreter",
        ("/app/glibc", "ld-linux"),
        lambda: [
            script("glibc-on-musl", "/app/glibc pause 2>/dev/null || exit 1", family="musl"),
        ],
    ),
    Case(
        "script-of-windows",
        "script-line-ends",
        ("/scripts/start.sh",),
        lambda: [
            app(
                *("script-of-windows", "full"),
                command=["/scripts/start.sh"],
                securityContext=hardened(),
                **mounted(scripts=("/scripts", _config("crlf-script", 0o755))),
            ),
            config_map("crlf-script", {"start.sh": CRLF_SCRIPT}),
        ],
        restricted=True,
    ),
    Case(
        "script-needs-jq",
        "missing-program",
        ("jq",),
        lambda: [
            script(
                "script-needs-jq",
                """
                exec 2>/dev/null
                set -e
                port=$(echo '{"port": 8080}' | jq .port)
                sleep 3600
                """,
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "python-module",
        "missing-module",
        ("flask",),
        lambda: [
            app(
                # Python finds a module in folders that it has listed: silent, it leaves no trace.
                *("python-module", "python", "-c", "import json, flask"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "node-module",
        "missing-module",
        ("express",),
        lambda: [
            app("node-module", "node", *silent_node("require('http'); require('express')")),
        ],
    ),
    Case(
        "variable-absent",
        "missing-variable",
        ("DATABASE_URL",),
        lambda: [
            # only what an app says tells which variable it looked for
            app(
                *("variable-absent", "python"),
                *("-c", "import os\nprint('starting')\nurl = os.environ['DATABASE_URL']"),
            )
        ],
    ),
    Case(
        "nginx-directive",
        "bad-config",
        ("listenn", "/etc/nginx/conf.d/site.conf"),
        lambda: [
            app(
                *("nginx-directive", "nginx"),
                **mounted(site=("/etc/nginx/conf.d", _config("nginx-site"))),
            ),
            config_map("nginx-site", {"site.conf": NGINX_SITE}),
        ],
    ),
    Case(
        "cache-is-full",
        "no-space",
        ("/cache",),
        lambda: [
            app(
                *("cache-is-full", "glibc", "fill:/cache/index", "pause"),
                securityContext=hardened(),
                **mounted(cache=("/cache", IN_MEMORY)),
            )
        ],
        restricted=True,
    ),
    Case(
        "root-without-chown",
        "capability",
        ("chown", "/data"),
        lambda: [
            script(
                "root-without-chown",
                """
                exec 2>/dev/null
                chown 1000:1000 /data || exit 1
                sleep 3600
                """,
                securityContext={"capabilities": {"drop": ["ALL"]}},
                **mounted(data=("/data", SHARED)),
            )
        ],
    ),
    Case(
        "null-pointer",
        "segfault",
        ("/app/fail",),
        lambda: [
            app(
                *("null-pointer", "glibc", "read:/srv/app.conf", "?open:/etc/app", "fault"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "lock-of-neighbour",
        "lock-held",
        ("/data/shop.lock",),
        lambda: [
            beside(
                app(
                    *("lock-of-neighbour", "static", "sleep:2s", "lock:/data/shop.lock", "pause"),
                    securityContext=hardened(),
                    **mounted(data=("/data", SHARED)),
                ),
                *("holder", "static", "lock:/data/shop.lock", "pause"),
                securityContext=hardened(),
                volumeMounts=[{"name": "data", "mountPath": "/data"}],
            )
        ],
        restricted=True,
    ),
    Case(
        "waits-for-a-pipe",
        "hang-input",
        ("/tmp/orders",),
        lambda: [
            script(
                "waits-for-a-pipe",
                """
                mkfifo /tmp/orders
                read order < /tmp/orders
                """,
            )
        ],
        until="running",
    ),
    Case(
        "does-its-work",
        "ends-by-itself",
        ("Job",),
        lambda: [script("does-its-work", "cp /srv/app.conf /tmp/copy; ls / > /tmp/list; exit 0")],
    ),
    Case(
        "worker-is-killed",
        "killed",
        ("sleep",),
        lambda: [
            script(
                "worker-is-killed",
                """
                exec 2>/dev/null
                sleep 3600 & worker=$!
                (sleep 1; kill -9 $worker) &
                wait $worker
                exit $?
                """,
            )
        ],
    ),
]
