"""Broken pods of the second half that reach a limit, crash, hang or end."""

from __future__ import annotations

from tests.cluster.why.case import (
    Case,
    app,
    beside,
    hardened,
    mounted,
    script,
    silent_node,
    silent_python,
)
from tests.support.manifests import Json

NEVER_READY: Json = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
LEAK = """
    import resource, socket
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    pool = []
    while True:
        pool.append(socket.socket())
"""
NAMESPACE = """
    import ctypes
    for path in ('/usr/bin/chrome-sandbox', '/opt/chrome/chrome_sandbox'):
        try:
            open(path)
        except OSError:
            pass
    if ctypes.CDLL(None).unshare(0x10000000):
        raise OSError
"""
FORK = """
import ctypes, os, sys
print('starting 1 worker', flush=True)
worker = os.fork()
if worker == 0:
    ctypes.string_at(16)
os.waitpid(worker, 0)
print('no worker left', flush=True)
sys.exit(3)
"""
LOCKS = """
import threading, time
lock = threading.Lock()
lock.acquire()
print('loading the catalog', flush=True)
lock.acquire()
"""
HEAP = "const kept = [];\nfor (;;) kept.push(new Array(1000).fill(kept.length));"


CASES = [
    Case(
        "sockets-leak",
        "too-many-files",
        (),
        lambda: [
            app("sockets-leak", "python", *silent_python(LEAK), securityContext=hardened()),
        ],
        restricted=True,
    ),
    Case(
        "few-files-by-ulimit",
        "too-many-files",
        (),
        lambda: [
            script(
                "few-files-by-ulimit",
                """
                ulimit -n 24
                exec /app/fail ?open:/etc/localtime read:/srv/app.conf files:400 serve::8080
                """,
            )
        ],
    ),
    Case(
        "few-threads-by-ulimit",
        "too-many-processes",
        (),
        lambda: [
            script(
                "few-threads-by-ulimit",
                """
                ulimit -u 12
                exec setpriv --reuid 33217 /app/fail threads:60 serve::8080 2>/dev/null
                """,
            )
        ],
    ),
    Case(
        "matrix-of-terabytes",
        "memory-request",
        ("memory",),
        lambda: [
            app(
                *("matrix-of-terabytes", "python", *silent_python("matrix = bytearray(1 << 48)")),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "heap-of-node",
        ("memory-limit", "abort"),
        ("heap",),
        lambda: [
            app(
                *("heap-of-node", "node", "-e", HEAP),
                env=[{"name": "NODE_OPTIONS", "value": "--max-old-space-size=24"}],
            )
        ],
    ),
    Case(
        "heap-of-java",
        ("memory-limit", "memory-request"),
        ("heap",),
        lambda: [
            app(
                *("heap-of-java", "java", "allocate:200", "listen:8080", "pause"),
                env=[{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx48m"}],
                resources={"limits": {"memory": "512Mi"}},
            )
        ],
    ),
    Case(
        "child-takes-all-memory",
        ("memory-limit", "oom-killed"),
        ("48",),
        lambda: [
            script(
                "child-takes-all-memory",
                """
                exec 2>/dev/null
                echo "resizing images"
                /app/fail read:/srv/app.conf allocate:300 || { echo "giving up"; exit 1; }
                exec sleep 3600
                """,
                resources={"limits": {"memory": "48Mi"}},
            )
        ],
    ),
    Case(
        "worker-of-python-crashes",
        "segfault",
        (),
        lambda: [
            app("worker-of-python-crashes", "python", "-c", FORK, securityContext=hardened()),
        ],
        restricted=True,
    ),
    Case(
        "node-aborts",
        "abort",
        (),
        lambda: [
            app(
                *("node-aborts", "node"),
                *silent_node("setTimeout(() => process.abort(), 300)"),
            )
        ],
    ),
    Case(
        "built-for-a-newer-cpu",
        "illegal-instruction",
        ("/app/fail",),
        lambda: [
            script(
                "built-for-a-newer-cpu",
                """
                exec 2>/dev/null
                /app/fail ?open:/etc/cpu.conf read:/srv/app.conf trap
                exit 1
                """,
                family="musl",
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "browser-wants-namespace",
        "system-call",
        ("unshare",),
        lambda: [
            app(
                *("browser-wants-namespace", "python", *silent_python(NAMESPACE)),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "watches-itself",
        ("self-tracing", "missing-file"),
        (),
        lambda: [
            app(
                *("watches-itself", "glibc", "traceme", "read:/srv/app.conf"),
                *("open:/etc/shop/licence.dat", "pause"),
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "sudo-without-escalation",
        ("setuid", "capability"),
        ("allowPrivilegeEscalation",),
        lambda: [
            app(
                *("sudo-without-escalation", "glibc", "read:/srv/app.conf", "setuid:0", "pause"),
                command=["/app/asroot"],
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
    Case(
        "helper-of-root",
        ("setuid", "missing-file"),
        (),
        lambda: [
            app(
                *("helper-of-root", "glibc", "setuid:0", "open:/root/.ssh/id_ed25519", "pause"),
                command=["/app/asroot"],
                securityContext={"runAsUser": 65532},
            )
        ],
    ),
    Case(
        "lock-of-its-own",
        "hang-lock",
        (),
        lambda: [
            app("lock-of-its-own", "python", "-c", LOCKS, readinessProbe=NEVER_READY),
        ],
        until="Unhealthy",
    ),
    Case(
        "threads-in-deadlock",
        "hang-lock",
        (),
        lambda: [
            app(
                *("threads-in-deadlock", "glibc", "read:/srv/app.conf", "deadlock"),
                readinessProbe=NEVER_READY,
                securityContext=hardened(),
            )
        ],
        restricted=True,
        until="Unhealthy",
    ),
    Case(
        "index-is-locked",
        ("hang-lock", "lock-held"),
        ("/data/index.lock",),
        lambda: [
            beside(
                app(
                    *("index-is-locked", "musl", "sleep:2", "lockwait:/data/index.lock", "pause"),
                    readinessProbe=NEVER_READY,
                    **mounted(data=("/data", {"emptyDir": {}})),
                ),
                *("indexer", "static", "lock:/data/index.lock", "pause"),
                securityContext={"runAsUser": 0},
                volumeMounts=[{"name": "data", "mountPath": "/data"}],
            )
        ],
        until="Unhealthy",
    ),
    Case(
        "left-for-debugging",
        ("hang-idle", "readiness-probe"),
        (),
        lambda: [
            script(
                *("left-for-debugging", "exec tail -f /dev/null"),
                readinessProbe=NEVER_READY,
                securityContext=hardened(),
            )
        ],
        restricted=True,
        until="Unhealthy",
    ),
    Case(
        "nginx-goes-to-background",
        "ends-by-itself",
        ("nginx",),
        lambda: [app("nginx-goes-to-background", "nginx", command=["nginx"])],
    ),
    Case(
        "nohup-in-the-script",
        "ends-by-itself",
        (),
        lambda: [
            script(
                "nohup-in-the-script",
                """
                nohup /app/fail ?open:/etc/shop.conf serve::8080 >/tmp/shop.log 2>&1 &
                sleep 1
                echo "shop was started"
                """,
            )
        ],
    ),
    Case(
        "watchdog-ends-server",
        "terminated",
        (),
        lambda: [
            script(
                "watchdog-ends-server",
                """
                exec 2>/dev/null
                /app/fail ?open:/etc/shop.conf serve::8080 & server=$!
                (sleep 2; kill $server) &
                wait $server
                exit $?
                """,
            )
        ],
    ),
    Case(
        "worker-takes-master-along",
        "missing-file",
        ("/etc/queue/consumer.yaml",),
        lambda: [
            script(
                "worker-takes-master-along",
                """
                exec 2>/dev/null
                /app/fail ?open:/etc/web.yaml serve::8080 &
                /app/fail sleep:1s ?list:/etc/queue.d open:/etc/queue/consumer.yaml pause &
                wait -n
                code=$?
                kill $(jobs -p)
                wait
                exit $code
                """,
                securityContext=hardened(),
            )
        ],
        restricted=True,
    ),
]
