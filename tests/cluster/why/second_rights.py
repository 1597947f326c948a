"""Broken pods of the second half that have no right to what they use."""

from __future__ import annotations

from typing import Any

from tests.cluster.why.case import (
    Case,
    app,
    beside,
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
CACHE = """
    const fs = require('fs'), path = require('path');
    try { fs.readFileSync('/etc/npmrc'); } catch (error) { console.log('no npmrc, defaults'); }
    fs.mkdirSync(path.join(process.env.HOME, '.cache', 'shop'), { recursive: true });
"""
LEGACY = """
    const fs = require('fs');
    try { fs.readFileSync('/etc/legacy.conf'); } catch (error) { console.error(String(error)); }
    console.error('legacy settings are ignored since 2.0, going on');
    fs.readFileSync('/etc/ssl/private/signing.key');
"""
DATABASE = """
    import sqlite3
    sqlite3.connect('/data/orders.db').execute('create table if not exists orders (id)')
"""


def _disk(name: str) -> list[Json]:
    """Return a volume in a folder of the node that is root's, and the claim that it is for."""
    common = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": name,
        "volumeMode": "Filesystem",
    }
    folder = {"path": f"/var/local/{name}", "type": "DirectoryOrCreate"}
    volume = {**common, "capacity": {"storage": "1Gi"}, "hostPath": folder}
    claim = {**common, "resources": {"requests": {"storage": "1Gi"}}}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": volume,
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": claim,
        },
    ]


def _before(*args: str, family: str = "full", **fields: Any) -> list[Json]:
    """Return an init container that does something to /data as root."""
    init = {"name": "prepare", "image": broken_image(family), "args": list(args), **fields}
    mounts = [{"name": "data", "mountPath": "/data"}]
    return [{**init, "volumeMounts": mounts}]


CASES = [
    Case(
        "signing-key-of-sub-path",
        "file-permission",
        ("/etc/ssl/private/signing.key", "10001"),
        lambda: [
            app(
                *("signing-key-of-sub-path", "node", *silent_node(LEGACY)),
                securityContext=hardened(10001),
                volumes=[
                    {"name": "keys", "secret": {"secretName": "signing", "defaultMode": 0o400}}
                ],
                volumeMounts=[
                    {
                        "name": "keys",
                        "mountPath": "/etc/ssl/private/signing.key",
                        "subPath": "signing.key",
                    }
                ],
            ),
            secret("signing", {"signing.key": "-----BEGIN KEY-----\nnothing\n"}),
        ],
        restricted=True,
    ),
    Case(
        "state-made-by-root",
        "file-permission",
        ("/data/state.db", "1000"),
        lambda: [
            app(
                *("state-made-by-root", "glibc", "?stat:/etc/state.conf", "read:/srv/app.conf"),
                *("read:/data/version", "append:/data/state.db", "pause"),
                securityContext={"runAsUser": 1000, "runAsGroup": 1000},
                initContainers=_before("-c", "echo 7 > /data/version; echo > /data/state.db"),
                **mounted(data=("/data", EMPTY)),
            )
        ],
    ),
    Case(
        "disk-of-root",
        "folder-permission",
        ("/var/lib/orders", "10001"),
        lambda: [
            app(
                *("disk-of-root", "static", "list:/var/lib/orders"),
                *("?read:/var/lib/orders/current", "create:/var/lib/orders/current.tmp", "pause"),
                securityContext={"runAsUser": 10001, "runAsGroup": 10001},
                **mounted(
                    data=(
                        "/var/lib/orders",
                        {"persistentVolumeClaim": {"claimName": "why-orders-disk"}},
                    )
                ),
            ),
            *_disk("why-orders-disk"),
        ],
    ),
    Case(
        "folder-of-root-alone",
        ("folder-permission", "file-permission"),
        ("/app/private",),
        lambda: [
            app(
                *("folder-of-root-alone", "static", "?open:/etc/shop", "read:/srv/app.conf"),
                *("read:/app/private/file", "pause"),
                securityContext=hardened(20000),
            )
        ],
        restricted=True,
    ),
    Case(
        "socket-of-root",
        "socket-permission",
        ("/run/shop/agent.sock",),
        lambda: [
            beside(
                app(
                    *("socket-of-root", "glibc", "sleep:2", "stat:/run/shop/agent.sock"),
                    *("unix:/run/shop/agent.sock", "pause"),
                    securityContext={"runAsUser": 65532},
                    **mounted(run=("/run/shop", EMPTY)),
                ),
                *("agent", "static", "bindunix:/run/shop/agent.sock", "pause"),
                securityContext={"runAsUser": 0},
                volumeMounts=[{"name": "run", "mountPath": "/run/shop"}],
            )
        ],
    ),
    Case(
        "nginx-on-read-only-root",
        "read-only-root",
        ("/var/lib/nginx", "emptyDir"),
        lambda: [
            app(
                *("nginx-on-read-only-root", "nginx"),
                securityContext={"readOnlyRootFilesystem": True},
            )
        ],
    ),
    Case(
        "nginx-of-nonroot",
        ("folder-permission", "file-permission"),
        ("/var/lib/nginx",),
        lambda: [
            app(
                *("nginx-of-nonroot", "nginx"),
                securityContext=hardened(101, readOnlyRootFilesystem=False),
            )
        ],
        restricted=True,
    ),
    Case(
        "cache-in-home",
        "read-only-root",
        ("/home/nonroot",),
        lambda: [
            app(
                *("cache-in-home", "node", *silent_node(CACHE)),
                env=[{"name": "HOME", "value": "/home/nonroot"}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "template-in-config-map",
        "read-only-volume",
        ("/etc/shop",),
        lambda: [
            script(
                "template-in-config-map",
                """
                exec 2>/dev/null
                : "${SHOP_PORT:=8080}"
                cat /etc/shop/shop.local.ini
                sed -i "s/@PORT@/$SHOP_PORT/" /etc/shop/shop.ini || exit 1
                exec sleep 3600
                """,
                **mounted(config=("/etc/shop", {"configMap": {"name": "shop-template"}})),
            ),
            config_map("shop-template", {"shop.ini": "[http]\nport = @PORT@\n"}),
        ],
    ),
    Case(
        "database-mounted-read-only",
        "read-only-volume",
        ("/data",),
        lambda: [
            app(
                *("database-mounted-read-only", "python", *silent_python(DATABASE)),
                volumes=[{"name": "data", "emptyDir": {}}],
                volumeMounts=[{"name": "data", "mountPath": "/data", "readOnly": True}],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "nginx-without-chown",
        "capability",
        ("chown", "/var/lib/nginx"),
        lambda: [
            app(
                *("nginx-without-chown", "nginx"),
                securityContext={"capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID"]}},
            )
        ],
    ),
    Case(
        "ping-without-raw",
        "capability",
        ("NET_RAW",),
        lambda: [
            app(
                *("ping-without-raw", "scratch", "?open:/etc/hosts.deny", "raw", "pause"),
                securityContext={"capabilities": {"drop": ["ALL"]}},
            )
        ],
    ),
]
