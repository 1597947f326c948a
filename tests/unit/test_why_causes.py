"""What a run shows: the first cause, and what its answer says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kubectl_scratch.why import kinds
from kubectl_scratch.why.answer import explain_run
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Explanation
from kubectl_scratch.why.report import Run
from tests.support.builders import Json, a_container, a_pod
from tests.support.runs import (
    APP,
    a_pod_with,
    a_policy,
    a_run,
    a_service,
    call,
    connect,
    connected,
    dns,
    end,
    env,
    folder,
    listening,
    opened,
    process,
    running,
    signal,
    some_facts,
    stderr,
    stdout,
    there,
    wait,
)

PACKAGE = Path(kinds.__file__).parent
CONFIG = "/etc/app/config.yaml"
CONFIG_MAP: Json = {"configMap": {"name": "app-config"}}
HAS_YML = {"app-config": frozenset({"conf.yml"})}
HAS_CONFIG_YML = {"app-config": frozenset({"config.yml"})}
IN_MAP = a_pod_with(CONFIG_MAP)
READ_ONLY = a_pod(containers=[a_container(securityContext={"readOnlyRootFilesystem": True})])
RESTARTED: Json = {
    "containerStatuses": [{"name": "app", "ready": False, "restartCount": 4, "state": {}}],
    "conditions": [{"type": "Ready", "status": "False"}],
}
PLAIN = some_facts()


class Case(NamedTuple):
    """Lines of a report, what the cluster says, and the kind and words of the answer."""

    kind: str
    run: Run
    words: tuple[str, ...] = ()
    facts: ClusterFacts = PLAIN
    absent: tuple[str, ...] = ()


def missing(path: str = CONFIG, *names: str, **more: Any) -> Json:
    parent = path.rpartition("/")[0]
    return call("openat", "ENOENT", path, access="r", nearest=folder(parent, *names), **more)


PYTHON_NOISE = (
    call("newfstatat", "ENOENT", "/usr/lib/python311.zip", 20),
    call("openat", "ENOENT", "/usr/bin/pyvenv.cfg", 21),
    call("openat", "ENOENT", "/etc/ld.so.preload", 2),
    call("readlink", "EINVAL", "/usr/bin/python3", 22),
    call("openat", "ENOENT", "/usr/lib/locale/C.utf8/LC_CTYPE", 25),
    call("ioctl", "ENOTTY", "", 290),
    call("newfstatat", "ENOENT", "/app/__pycache__", 291),
)
SEARCH = tuple(
    call("execve", "ENOENT", f"{folder_}/foo", 290, pid=9)
    for folder_ in ("/usr/local/bin", "/usr/bin", "/bin")
)

FILES = [
    Case("missing-file", a_run(missing()), (CONFIG, "No such file or directory", "5 ms before")),
    Case("missing-file", a_run(*PYTHON_NOISE, missing()), (CONFIG,)),
    Case(
        "missing-file",
        a_run(missing(), call("openat", "ENOENT", "/opt/other", 100), stderr("cannot start")),
        (CONFIG,),
    ),
    Case(
        "missing-file",
        a_run(
            missing("/srv/rules.txt", at=100),
            call("openat", "ENOENT", "/opt/other", 299),
            stderr("Traceback (most recent call last):", '  File "/app/m.py", line 3, in <module>',
                   "FileNotFoundError: [Errno 2] No such file or directory: '/srv/rules.txt'"),
        ),
        ("/srv/rules.txt",), absent=("/opt/other",),
    ),
    Case(
        "missing-file",
        a_run(missing(CONFIG, "other")),
        ("ConfigMap app-config has the key settings.ini", "kubectl edit configmap app-config"),
        some_facts(IN_MAP, config_maps={"app-config": frozenset({"settings.ini"})}),
    ),
    Case(
        "near-name",
        a_run(missing(CONFIG, "config.yml")),
        ("config.yml", "ConfigMap app-config", "key: config.yml, path: config.yaml"),
        some_facts(IN_MAP, config_maps=HAS_CONFIG_YML),
    ),
    Case("near-name", a_run(missing("/srv/Data.csv", "data.csv", "x")), ("there is data.csv",)),
    Case(
        "missing-folder",
        a_run(call("openat", "ENOENT", "/data/cache/x.db", access="rw", create=True,
                   nearest=folder("/data"))),
        ("/data/cache",),
    ),
    Case("missing-folder", a_run(call("mkdir", "ENOENT", "/data/a/b", nearest=folder("/"))),
         ("/data",)),
    Case("missing-folder", a_run(call("chdir", "ENOENT", "/work", nearest=folder("/"))),
         ("/work",)),
    Case("is-a-directory", a_run(call("open", "EISDIR", CONFIG, here=folder(CONFIG))),
         ("subPath", "ConfigMap app-config has no config.yaml"),
         some_facts(a_pod_with(CONFIG_MAP, CONFIG, subPath="config.yaml"), config_maps=HAS_YML)),
    Case("not-a-directory", a_run(call("openat", "ENOTDIR", "/etc/app/x/y",
         nearest=there("/etc/app/x"))), ("/etc/app/x",)),
    Case("file-permission", a_run(call("openat", "EACCES", CONFIG, access="r",
         here=there(CONFIG, mode="0600"))),
         ("owned by 0:0 with mode 0600", "user 65532", "chown")),
    Case("file-permission", a_run(call("openat", "EACCES", "/etc/key/tls.key", access="r",
         here=there("/etc/key/tls.key", mode="0400"))),
         ("Secret tls", "defaultMode", "fsGroup"),
         some_facts(a_pod_with({"secret": {"secretName": "tls"}}, "/etc/key"))),
    Case("folder-permission", a_run(call("mkdir", "EACCES", "/var/lib/app",
         nearest=folder("/var/lib"))), ("/var/lib is owned by 0:0", "emptyDir")),
    Case("folder-permission", a_run(call("openat", "EACCES", "/data/x", access="w", create=True,
         nearest=folder("/data"))), ("fsGroup: 65532", "claim data"),
         some_facts(a_pod_with({"persistentVolumeClaim": {"claimName": "data"}}, "/data"))),
    Case("read-only-root", a_run(call("openat", "EROFS", "/tmp/x.pid", access="w", create=True,
         nearest=folder("/tmp", mode="1777"))), ("emptyDir at /tmp", "mountPath: /tmp"),
         some_facts(READ_ONLY)),
    Case("read-only-root", a_run(call("mkdir", "EROFS", "/var/cache/nginx/client_temp"),
         stderr('nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file'
                " system)")), ("/var/cache/nginx/client_temp",), some_facts(READ_ONLY)),
    Case("read-only-volume", a_run(call("openat", "EROFS", CONFIG, access="w",
         nearest=folder("/etc/app"))), ("ConfigMap app-config", "read-only"),
         some_facts(IN_MAP, config_maps=HAS_YML)),
]  # fmt: skip

PROGRAMS = [
    Case("missing-library", a_run(end(127), stderr(
        "/app/server: error while loading shared libraries: libpq.so.5: cannot open shared object"
        " file: No such file or directory")), ("server needs the shared library libpq.so.5",)),
    Case("missing-library", a_run(end(127), stderr(
        "Error loading shared library libcurl.so.4: No such file or directory (needed by"
        " /app/server)")), ("libcurl.so.4",)),
    Case("missing-library", a_run(end(127),
         call("openat", "ENOENT", "/lib/libfoo.so.1", 290),
         call("openat", "ENOENT", "/usr/lib/libfoo.so.1", 291)), ("libfoo.so.1", "/usr/lib")),
    Case("library-version", a_run(stderr(
        "/app/server: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by"
        " /app/server)")), ("GLIBC_2.38", "libc.so.6")),
    Case("missing-interpreter", a_run(end(127), call("execve", "ENOENT", "/app/run.sh",
         words=["/app/run.sh"], here=there("/app/run.sh", mode="0755"),
         program={"format": "script", "interpreter": "/bin/bash", "interpreter_exists": False})),
         ("/bin/bash",)),
    Case("missing-interpreter", a_run(end(127), call("execve", "ENOENT", "/app/server",
         here=there("/app/server", mode="0755"), program={"format": "elf",
         "machine": "x86_64", "interpreter": "/lib64/ld-linux-x86-64.so.2",
         "interpreter_exists": False})), ("ld-linux-x86-64.so.2", "glibc")),
    Case("script-line-ends", a_run(end(127), call("execve", "ENOENT", "/app/run.sh",
         here=there("/app/run.sh", mode="0755"), program={"format": "script",
         "interpreter": "/bin/sh\r", "interpreter_exists": False, "crlf": True})), ("CRLF",)),
    Case("script-line-ends", a_run(end(127), stderr("/app/run.sh: 2: echo\r: not found")),
         ("CRLF",)),
    Case("exec-format", a_run(end(126), call("execve", "ENOEXEC", "/app/server",
         program={"format": "elf", "machine": "aarch64"})), ("aarch64", "x86_64")),
    Case("not-executable", a_run(end(126), call("execve", "EACCES", "/app/run.sh",
         here=there("/app/run.sh", mode="0644"))), ("0644", "chmod 0755")),
    Case("missing-program", a_run(end(127), stderr("sh: 1: foo: not found"),
         process(9, "/bin/sh", end=291, code=127), *SEARCH), ("foo", "/usr/local/bin")),
    Case("missing-program", a_run(end(127), process(9, "/bin/sh", end=291, code=127), *SEARCH),
         ("the command foo",)),
    Case("missing-program", a_run(end(127), call("execve", "ENOENT", "/app/server",
         nearest=folder("/app", "srv"))), ("/app/server, which does not exist",)),
    Case("missing-program", a_run(stderr('panic: exec: "git": executable file not found in $PATH'),
         call("faccessat2", "ENOENT", "/usr/bin/git"), call("faccessat2", "ENOENT", "/bin/git"),
         end(2)), ("git",)),
    Case("missing-module", a_run(*PYTHON_NOISE, stderr("Traceback (most recent call last):",
         '  File "/app/m.py", line 1, in <module>', "    import yaml",
         "ModuleNotFoundError: No module named 'yaml'")), ("yaml",)),
    Case("missing-module", a_run(stderr("node:internal/modules/cjs/loader:1137", "  throw err;",
         "Error: Cannot find module 'express'", "Require stack:", "- /app/server.js",
         "    at Module._resolveFilename (node:internal)", "Node.js v20.1.0")), ("express",)),
    Case("missing-module", a_run(stderr(
        'Exception in thread "main" java.lang.NoClassDefFoundError: com/foo/Bar',
        "\tat Main.main(Main.java:3)",
        "Caused by: java.lang.ClassNotFoundException: com.foo.Bar", "\t... 1 more")),
        ("com.foo.Bar",)),
]  # fmt: skip

DB = a_service("db")
NETWORK = [
    Case("connection-refused", a_run(connect("127.0.0.1", 5432)), ("127.0.0.1:5432", "localhost")),
    Case("connection-refused", a_run(connect("127.0.0.1", 9000)), ("container cache",),
         some_facts(a_pod(containers=[a_container(), a_container("cache",
                    ports=[{"containerPort": 9000}])]))),
    Case("no-endpoints", a_run(dns("db.default.svc.cluster.local", "NOERROR", "10.96.3.4"),
         connect("10.96.3.4", 5432)), ("db:5432 (10.96.3.4)", "Service db", "no ready endpoint"),
         some_facts(services=(DB,), endpoints={"default/db": 0})),
    Case("service-port", a_run(connect("10.96.3.4", 5433)), ("no port 5433", "5432"),
         some_facts(services=(DB,), endpoints={"default/db": 1})),
    Case("service-port", a_run(connect("10.96.3.4", 5432)), ("6000", "targetPort"),
         some_facts(services=(DB,), endpoints={"default/db": 1}, neighbours=(
             a_pod("db-0", [a_container(ports=[{"containerPort": 6000}])],
                   metadata={"labels": {"app": "db"}}),))),
    Case("connection-refused", a_run(connect("10.244.0.9", 80)), ("pod web-0",),
         some_facts(neighbours=(a_pod("web-0", status={"podIP": "10.244.0.9"}),))),
    Case("connection-timed-out", a_run(end(1, 31_000), connect("10.9.9.9", 80, "ETIMEDOUT",
         at=30_900, waited=30_000)), ("10.9.9.9:80", "30 s")),
    Case("network-policy", a_run(end(1, 31_000), connect("10.96.3.4", 5432, "ETIMEDOUT",
         at=30_900, waited=30_000)), ("NetworkPolicy deny",),
         some_facts(services=(DB,), endpoints={"default/db": 1}, network_policies=(a_policy(),))),
    Case("network-policy", a_run(dns("db", "", at=20_000), end(1, 30_000)),
         ("NetworkPolicy deny", "port 53"),
         some_facts(network_policies=(a_policy(),))),
    Case("connection-timed-out", a_run(end(1, 31_000), connect("8.8.8.8", 443, "ETIMEDOUT",
         at=30_900)), ("8.8.8.8:443",), some_facts(network_policies=(a_policy(egress=[{}]),))),
    Case("unreachable-network", a_run(connect("192.0.2.1", 80, "ENETUNREACH")), ("192.0.2.1",)),
    Case("dns-name", a_run(dns("dbb.default.svc.cluster.local"), dns("dbb.svc.cluster.local"),
         dns("dbb.cluster.local"), dns("dbb"), dns("dbb", type="AAAA")),
         ("cannot resolve dbb", "Service db"), some_facts(services=(DB,))),
    Case("dns-name", a_run(dns("db.prod"), dns("db.prod.svc.cluster.local"),
         stderr("dial tcp: lookup db.prod on 10.96.0.10:53: no such host")),
         ("db.default",), some_facts(services=(DB,))),
    Case("no-endpoints", a_run(dns("db"), dns("db.default.svc.cluster.local")), ("headless",),
         some_facts(services=(a_service("db", "None"),), endpoints={"default/db": 0})),
    Case("dns-server", a_run(dns("db", "", server="10.1.1.1", at=10_000), end(1, 20_000)),
         ("10.1.1.1",)),
    Case("dns-failure", a_run(dns("db", "SERVFAIL")), ("SERVFAIL",)),
    Case("missing-socket", a_run(call("connect", "ENOENT", "/run/app/x.sock", family="unix",
         nearest=folder("/run"))), ("/run/app/x.sock",)),
    Case("socket-permission", a_run(call("connect", "EACCES", "/run/x.sock", family="unix",
         here=there("/run/x.sock", "socket", "0660"))), ("0660",)),
    Case("privileged-port", a_run(call("bind", "EACCES", family="inet", protocol="tcp",
         address="0.0.0.0", port=80)), ("port 80", "8080")),
    Case("port-in-use", a_run(call("bind", "EADDRINUSE", family="inet", protocol="tcp",
         address="0.0.0.0", port=8080)), ("container proxy",),
         some_facts(a_pod(containers=[a_container(ports=[{"containerPort": 8080}]),
                    a_container("proxy", ports=[{"containerPort": 8080}])]))),
    Case("address-not-available", a_run(call("bind", "EADDRNOTAVAIL", family="inet",
         protocol="tcp", address="10.0.0.5", port=8080)), ("10.0.0.5", "0.0.0.0")),
    Case("hang-network", a_run(running(wait("connect", address="10.9.9.9", port=80))),
         ("10.9.9.9:80",)),
    Case("no-endpoints", a_run(running(wait("connect", address="10.96.3.4", port=5432))),
         ("Service db",), some_facts(services=(DB,), endpoints={"default/db": 0})),
    Case("connection-refused", a_run(running(), connect("127.0.0.1", 5432, at=59_000, count=60)),
         ("127.0.0.1:5432",)),
    Case("tls-trust", a_run(connected("10.9.9.9", 443), stderr(
        "Get https://x/: tls: failed to verify certificate: x509: certificate signed by unknown"
        " authority"), call("openat", "ENOENT", "/etc/ssl/certs/ca-certificates.crt", 290)),
        ("no certificate authorities",)),
    Case("tls-trust", a_run(connected("10.9.9.9", 443, 280), *(
        call("openat", "ENOENT", path, 290) for path in ("/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"))),
        ("10.9.9.9:443",)),
]  # fmt: skip

WORDS = [
    Case("missing-variable", a_run(stderr("Traceback (most recent call last):",
         '  File "<frozen os>", line 679, in __getitem__', "KeyError: 'DB_HOST'")), ("DB_HOST",)),
    Case("missing-variable", a_run(stderr("/app/run.sh: line 3: DB_HOST: unbound variable")),
         ("needs the variable DB_HOST, which is not set",)),
    Case("missing-variable", a_run(end(2), stderr("sh: 1: DB_HOST: parameter not set")),
         ("DB_HOST",)),
    Case("missing-variable", a_run(stderr("environment variable DB_HOST is required")),
         ("DB_HOST",)),
    Case("missing-variable", a_run(stderr("Error: DB_HOST must be set"), env("DB_HOTS")),
         ("there is DB_HOTS",)),
    Case("missing-variable", a_run(stderr("fatal: missing required env var: DATABASE_URL")),
         ("DATABASE_URL",)),
    Case("empty-variable", a_run(stderr("DB_HOST is not set"), env(empty=("DB_HOST",))),
         ("DB_HOST", "empty")),
    Case("empty-variable", a_run(connect("127.0.0.1", 5432), env(empty=("DB_HOST",))),
         ("DB_HOST", "connects to itself")),
    Case("missing-variable", a_run(), ("DB_HOST", "ConfigMap cfg, which is optional"),
         some_facts(a_pod(containers=[a_container(env=[{"name": "DB_HOST", "valueFrom": {
             "configMapKeyRef": {"name": "cfg", "key": "host", "optional": True}}}])]),
             config_maps={"cfg": None})),
    Case("bad-argument", a_run(end(2), stderr("flag provided but not defined: -prot",
         "Usage of /app/server:", "  -port int"), words=("/app/server", "-prot", "1")),
         ("-prot",)),
    Case("bad-argument", a_run(end(2), stderr("usage: m.py [-h] --port PORT",
         "m.py: error: the following arguments are required: --port")), ("--port",)),
    Case("bad-argument", a_run(stderr("Unrecognized option: -Xfoo",
         "Error: Could not create the Java Virtual Machine.")), ("-Xfoo",)),
    Case("bad-config", a_run(opened("/etc/nginx/nginx.conf"), stderr(
        'nginx: [emerg] unknown directive "lisen" in /etc/nginx/conf.d/x.conf:3')),
        ("/etc/nginx/conf.d/x.conf, line 3", "lisen")),
    Case("bad-config", a_run(opened(CONFIG), stderr("yaml: line 4: mapping values are not allowed"
         " in this context")), (CONFIG, "line 4", "ConfigMap app-config"),
         some_facts(IN_MAP, config_maps=HAS_YML)),
    Case("bad-config", a_run(opened("/srv/app.json"), stderr("Traceback (most recent call last):",
         "json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)")),
         ("/srv/app.json",)),
]  # fmt: skip

LIMITS = [
    Case("no-space", a_run(call("write", "ENOSPC", "/cache/x")), ("/cache", "sizeLimit 1Mi"),
         some_facts(a_pod_with({"emptyDir": {"sizeLimit": "1Mi", "medium": "Memory"}}, "/cache"))),
    Case("too-many-files", a_run(call("openat", "EMFILE", "/srv/1234")), ("open files",)),
    Case("too-many-processes", a_run(call("clone", "EAGAIN"), limit_pids=64), ("64",)),
    Case("memory-limit", a_run(end(None, signal="SIGKILL", oom_kills=1, peak_memory=130 << 20),
         limit_memory=128 << 20), ("128 MiB", "130 MiB")),
    Case("memory-limit", a_run(end(137, oom_kills=1), process(9, "/app/w", signal="SIGKILL",
         end=290), limit_memory=64 << 20), ("w[9]", "64 MiB")),
    Case("memory-request", a_run(call("mmap", "ENOMEM", size=8 << 30)), ("8192 MiB",)),
    Case("memory-limit", a_run(end(None, signal="SIGABRT"), signal("SIGABRT"), stderr(
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory")),
        ("heap",)),
    Case("capability", a_run(call("chown", "EPERM", "/data", arguments=["/data", "0", "0"])),
         ("CHOWN",)),
    Case("capability", a_run(call("setgid", "EPERM", arguments=["101"]), uid=0), ("SETGID",)),
    Case("capability", a_run(call("socket", "EPERM", arguments=["inet", "raw", "icmp"])),
         ("NET_RAW",)),
    Case("system-call", a_run(end(None, signal="SIGSYS"), signal("SIGSYS", call="mount")),
         ("mount",)),
    Case("system-call", a_run(call("keyctl", "EPERM")), ("keyctl",)),
    Case("lock-held", a_run(call("flock", "EAGAIN", "/data/db.lock")), ("/data/db.lock",)),
    Case("lock-held", a_run(call("openat", "EEXIST", "/run/app.pid", create=True, access="w")),
         ("/run/app.pid",)),
    Case("hang-lock", a_run(running(wait("flock", path="/data/db.lock"))), ("/data/db.lock",)),
    Case("hang-input", a_run(running(wait("openat", path="/run/in"))), ("/run/in",)),
    Case("segfault", a_run(end(None, signal="SIGSEGV"), signal("SIGSEGV", code="SEGV_MAPERR",
         address="0x8", inside="/app/server+0x1234")), ("null pointer", "/app/server+0x1234")),
    Case("segfault", a_run(end(139), process(9, "/app/w", signal="SIGSEGV", end=295)), ("w",)),
    Case("abort", a_run(end(None, signal="SIGABRT"), signal("SIGABRT"),
         stderr("free(): invalid pointer")), ("free(): invalid pointer",)),
    Case("illegal-instruction", a_run(end(None, signal="SIGILL"), signal("SIGILL")),
         ("instruction",)),
    Case("killed", a_run(end(None, signal="SIGKILL"), process(9, "/bin/watchdog"),
         signal("SIGKILL", sender=9)), ("watchdog",)),
    Case("terminated", a_run(end(143), signal("SIGTERM", sender=0)), ("SIGTERM",)),
    Case("ends-by-itself", a_run(end(0)), ("code 0", "300 ms")),
    Case("ends-by-itself", a_run(end(0), process(9, "nginx: master")), ("in the background",)),
    Case("probe-port", a_run(running(), listening(8080, "127.0.0.1")), ("127.0.0.1:8080",),
         some_facts(a_pod(containers=[a_container(readinessProbe={"httpGet": {"port": 8080}})]))),
    Case("hang-idle", a_run(running(wait("clock_nanosleep"))), ("8080",),
         some_facts(a_pod(containers=[a_container(ports=[{"containerPort": 8080}])],
                          status=RESTARTED))),
]  # fmt: skip

JOB = some_facts(a_pod(restartPolicy="Never"))
MORE = [
    Case("dns-name", a_run(dns("api.example.com", at=290), dns("api.example.com.node.lan", at=289)),
         ("cannot resolve api.example.com:",), absent=("node.lan",)),
    Case("setuid", a_run(stderr("sudo: effective uid is not 0, is /usr/bin/sudo on a file system"
         " with the 'nosuid' option set?"), untraced="setuid: /usr/bin/sudo"), ("/usr/bin/sudo",)),
    # The tracer writes the newest event first, and many happen within one millisecond.
    Case("missing-file", a_run(missing("/srv/second"), missing("/srv/first")), ("/srv/second",)),
    Case("folder-permission", a_run(call("lstat", "ENOENT", "/data"),
         call("mkdir", "EACCES", "/data/", nearest=folder("/"))),
         ("create /data in the folder /",)),
    Case("missing-program", a_run(*(call("newfstatat", "ENOENT", f"{place}/git", 290)
         for place in ("/usr/local/bin", "/usr/bin", "/bin"))), ("the command git",)),
    Case("missing-file", a_run(running(), missing("/data/ready", at=59_000, count=60)),
         ("/data/ready",)),
    Case("connection-refused", a_run(running(), listening(8081),
         connect("10.9.9.9", 5432, at=59_000, count=60)), ("10.9.9.9:5432",),
         some_facts(a_pod(status=RESTARTED))),
    Case("empty-variable", a_run(stderr("ValueError: invalid literal for int() with base 10: ''"),
         env(empty=("DB_PORT",))), ("DB_PORT",)),
    Case("segfault", a_run(end(None, signal="SIGSEGV"), missing(), signal("SIGSEGV",
         address="0x74")), ("shortly before", CONFIG)),
    Case("segfault", a_run(end(2), stderr("panic: runtime error: invalid memory address or nil"
         " pointer dereference", "[signal SIGSEGV: segmentation violation code=0x1]")), ("panic",)),
    Case("missing-file", a_run(missing("/etc/tls/tls.crt")), ("/etc/tls/tls.crt",)),
    Case("missing-socket", a_run(call("connect", "ENOENT", "/run/x.sock", family="unix"),
         call("openat", "ENOENT", "/opt/y", 100), stderr("oops: No such file or directory")),
         ("/run/x.sock",)),
]  # fmt: skip

NOT_READY: Json = {
    "containerStatuses": [{"name": "app", "ready": False, "restartCount": 0, "state": {}}],
    "conditions": [{"type": "Ready", "status": "False"}],
}
NO_ESCALATION = some_facts(
    a_pod(containers=[a_container(securityContext={"allowPrivilegeEscalation": False})])
)
LEGACY = "Error: ENOENT: no such file or directory, open '/etc/legacy.conf'"
GIT_IN_PATH = tuple(
    call("stat", "ENOENT", f"{place}/pg_isready", 59_500, count=50)
    for place in ("/usr/local/bin", "/usr/bin", "/bin")
)
NO_LIBPQ = tuple(
    call("openat", "ENOENT", f"{place}/{name}", 290)
    # As the tracer writes them, the newest first.
    for name in ("libpq.so.5", "libpq.so")
    for place in ("/lib", "/usr/lib")
)
REFUSED = connect("127.0.0.1", 11211, at=2900, count=3, pid=9)
LOST_AND_TERMINATED = (
    process(8, "/app/fail", end=295, signal="SIGTERM"),
    process(9, "/app/fail", end=290, code=1),
    missing(at=290, pid=9),
)
NEW_USERS = str(0x10000000)

# What a second corpus of broken pods showed that was not known.
BLIND = [
    Case("file-permission", a_run({**stderr(LEGACY, "legacy settings are ignored, going on"),
         "at": 150}, missing("/etc/legacy.conf", at=139), call("openat", "EACCES", CONFIG, 151,
         there(CONFIG, mode="0400"), access="r"), end(1, 160)), (CONFIG,), absent=("legacy.conf",)),
    Case("file-permission", a_run({**stderr(LEGACY, "legacy settings are ignored, going on"),
         "at": 151}, missing("/etc/legacy.conf", at=139), call("openat", "EACCES", CONFIG, 151,
         there(CONFIG, mode="0400"), access="r"), end(1, 160)), (CONFIG,), absent=("legacy.conf",)),
    Case("missing-file", a_run({**stderr(LEGACY), "at": 151},
         call("openat", "EACCES", "/data/x", 151, access="r"),
         missing("/etc/legacy.conf", at=150), end(1, 160)), ("/etc/legacy.conf",)),
    Case("folder-permission", a_run(call("openat", "EROFS", "/data/x", access="w", create=True,
         nearest=folder("/data"))), ("user 65532", "fsGroup", "read-only in the copy"),
         some_facts(a_pod_with({"persistentVolumeClaim": {"claimName": "data"}}, "/data"),
                    read_only=("it",))),
    # The words of a fatal error stay the reason, whatever fails afterwards.
    Case("missing-file", a_run({**stderr(f"fatal: open {CONFIG}: no such file"), "at": 150},
         missing(at=139), call("openat", "EACCES", "/data/x", 151, access="r"), end(1, 160)),
         (CONFIG,)),
    Case("dns-name", a_run(missing(at=63), stdout(
         f"WARNING: No such file or directory: '{CONFIG}' - it is off", "WARNING: not ready"),
         dns("redis.cache")), ("redis.cache",), absent=(CONFIG,)),
    Case("dns-name", a_run(missing(at=63), dns("redis.cache")), ("redis.cache",)),
    Case("connection-refused", a_run(process(9, "/bin/nc", end=2901, code=1), REFUSED,
         call("stat", "ENOENT", CONFIG, 2910, count=3), end(1, 3100)), ("11211",)),
    # A report of the failure that fails itself is none.
    Case("missing-file", a_run(missing(at=290), stderr(f"open {CONFIG}: no such file or directory"),
         dns("sentry.example", at=296)), (CONFIG,)),
    Case("missing-file", a_run(process(8, "/bin/job", end=290, code=1), missing(at=290, pid=8),
         process(9, "/bin/rm", end=296, code=0), missing("/tmp/x.lock", pid=9, at=295),
         stdout("cleaning up")), (CONFIG,)),
    Case("missing-file", a_run(*LOST_AND_TERMINATED, signal("SIGTERM", pid=8, sender=8)),
         (CONFIG,), absent=("itself",)),
    Case("terminated", a_run(end(None, signal="SIGTERM"), signal("SIGTERM", sender=APP)),
         ("SIGTERM",), absent=("itself", "outside")),
    Case("terminated", a_run(end(143)), ("SIGTERM",), absent=("outside", "sends")),
    Case("connection-refused", a_run(end(1, 3000), process(8, "timeout", end=2999, code=124),
         process(9, "/app/fail", parent=8, end=2998, signal="SIGTERM"),
         signal("SIGTERM", pid=9, sender=8), connect("127.0.0.1", 7000, at=2850, count=15, pid=9)),
         ("7000",)),
    Case("hang-lock", a_run(running(wait("futex"))), ("8080", "lock"),
         some_facts(a_pod(containers=[a_container(ports=[{"containerPort": 8080}])],
                          status=RESTARTED))),
    Case("missing-program", a_run(running(wait("wait4")), *GIT_IN_PATH),
         ("pg_isready", "/usr/local/bin"), some_facts(a_pod(
             containers=[a_container(ports=[{"containerPort": 8080}])], status=NOT_READY))),
    Case("system-call", a_run(call("unshare", "EPERM", arguments=[NEW_USERS])),
         ("unshare", "seccomp"), absent=("SYS_ADMIN",)),
    Case("capability", a_run(call("unshare", "EPERM", arguments=[str(0x20000)])), ("SYS_ADMIN",)),
    Case("memory-limit", a_run(end(1), stderr(
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space')), ("heap",)),
    Case("memory-limit", a_run(end(None, signal="SIGKILL", oom_kills=1)), absent=("node has",)),
    Case("script-line-ends", a_run(end(127), stderr(
        "/usr/bin/env: 'bash\\r': No such file or directory"),
        words=("/usr/bin/env", "bash\r", "/scripts/entry.sh")), ("/scripts/entry.sh",)),
    Case("script-line-ends", a_run(end(127), stderr("/app/run.sh: 2: echo\r: not found")),
         ("the script /app/run.sh", "run.sh"), absent=("SCRIPT",)),
    Case("missing-library", a_run(*NO_LIBPQ), ("libpq.so.5", "/usr/lib")),
    Case("capability", a_run(call("setuid", "EPERM", arguments=["0"])),
         ("allowPrivilegeEscalation",), NO_ESCALATION),
    Case("file-permission", a_run(call("openat", "EACCES", CONFIG, access="r",
         here=there(CONFIG, mode="0600"))), ("chown 65532 /etc",),
         absent=("-R", "runAsUser: 0")),
    Case("folder-permission", a_run(call("openat", "EACCES", "/data/x", access="w", create=True,
         nearest=folder("/data"))), absent=("runAsUser: 0",),
         facts=some_facts(a_pod_with({"hostPath": {"path": "/x"}}, "/data"))),
    Case("dns-name", a_run(dns("api.example.com")), absent=("create the Service",)),
    Case("dns-name", a_run(dns("api.example")), absent=("create the Service",),
         facts=some_facts(services=(DB,))),
    Case("dns-name", a_run(dns("cache.default")), ("create the Service",),
         some_facts(services=(DB,))),
    Case("dns-name", a_run(dns("cache")), ("create the Service",)),
]  # fmt: skip

HEALTHY = [
    Case(
        "",
        a_run(
            running(),
            listening(8080),
            dns("statsd"),
            stderr("metrics are off: [Errno -2] Name or service not known"),
        ),
    ),
    Case("", a_run(running(), listening(8080))),
    Case("", a_run(running(wait("clock_nanosleep")))),
    Case("", a_run(running(), listening(8080), *PYTHON_NOISE, missing(at=100))),
    Case("", a_run(end(0)), facts=JOB),
    # What fails on the way, and is survived: a tool that is missing, a socket, a library.
    Case(
        "",
        a_run(
            running(),
            listening(8080),
            process(9, "/bin/sh", end=20, code=127),
            call("execve", "ENOENT", "/usr/bin/ip", 20, pid=9),
            stderr("sh: 1: ip: not found"),
        ),
    ),
    Case(
        "",
        a_run(
            running(),
            listening(8080),
            stderr(
                "libfoo.so.1: cannot open shared object file: No such file or directory",
                "warning: DEBUG_MODE is not set",
            ),
        ),
    ),
    Case(
        "",
        a_run(
            running(wait("recvfrom", address="10.9.9.9", port=6379)), connected("10.9.9.9", 6379)
        ),
    ),
    Case("", a_run(running(), listening(8080), connect("10.9.9.9", 4317, at=59_000, count=60))),
    Case(
        "",
        a_run(
            running(),
            call(
                "sendto",
                "ECONNREFUSED",
                "",
                59_000,
                family="inet",
                protocol="udp",
                address="127.0.0.1",
                port=8125,
                count=60,
            ),
        ),
    ),
    Case(
        "",
        a_run(
            running(wait("epoll_wait"), wait("futex")),
            listening(80),
            connect("10.9.9.9", 6379, at=120),
            connected("10.9.9.9", 6379, at=500),
        ),
    ),
]
UNKNOWN = [
    # A file that is there may be anything: it is no lock, and its data is not to be deleted.
    Case("", a_run(call("openat", "EEXIST", "/data/orders.db", create=True, access="w"))),
    Case("", a_run(process(9, "/bin/which", end=20, code=1), stderr("some warning"), end(4, 9000))),
    Case("", a_run(stderr('sh: syntax error: unexpected "then"'), end(2))),
    Case("", a_run(call("openat", "EISDIR", "/tmp/hsperfdata_nobody", 60), end(3))),
    Case("", a_run(*PYTHON_NOISE)),
    Case("", a_run(end(3, 20_000), missing(at=100), opened("/srv/data", 15_000))),
    Case("", a_run(stderr("panic: boom", "", "goroutine 1 [running]:", "main.main()"), end(2))),
    Case("", a_run(stderr("something else went wrong"))),
]
BROKEN = [*FILES, *PROGRAMS, *NETWORK, *WORDS, *LIMITS, *MORE, *BLIND]


def text_of(answer: Explanation) -> str:
    return "\n".join(
        line for cause in answer.causes for line in (cause.sentence, *cause.evidence, cause.remedy)
    )


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.kind)
def test_evidence_repeats_no_sentence(case: Case) -> None:
    for cause in explain_run(case.run, case.facts).causes:
        for line in cause.evidence:
            assert len(cause.evidence) == 1 or line not in cause.sentence
            assert " is owned by " not in line and "the app ended with code 0" not in line


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.kind)
def test_first_cause(case: Case) -> None:
    answer = explain_run(case.run, case.facts)
    assert [cause.kind for cause in answer.causes][:1] == [case.kind], answer
    said = text_of(answer._replace(causes=answer.causes[:1]))
    for words in case.words:
        assert words in said
    for words in case.absent:
        assert words not in said


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.kind)
def test_the_answer_is_for_people(case: Case) -> None:
    answer = explain_run(case.run, case.facts)
    assert len(answer.causes) <= 3
    assert not answer.runs
    for cause in answer.causes:
        assert 50 <= cause.weight <= 100
        assert cause.evidence and cause.remedy
        for line in (cause.sentence, cause.remedy, *cause.evidence):
            assert "\n" not in line and line == line.strip() and not line.endswith(".")
            assert "  " not in line and "None" not in line


@pytest.mark.parametrize("case", HEALTHY)
def test_it_runs(case: Case) -> None:
    answer = explain_run(case.run, case.facts)
    assert answer.runs and not answer.causes, answer


@pytest.mark.parametrize("case", UNKNOWN)
def test_no_guess(case: Case) -> None:
    answer = explain_run(case.run, case.facts)
    assert not answer.causes and not answer.runs, answer
    assert answer.evidence


def test_what_is_read_only_in_the_copy_alone_is_no_cause() -> None:
    run = a_run(call("openat", "EROFS", "/data/x", access="w", create=True))
    pod = a_pod_with({"persistentVolumeClaim": {"claimName": "data"}}, "/data")
    answer = explain_run(run, some_facts(pod, read_only=("it",)))
    assert not answer.causes
    assert "volume it is read-only in the copy, but not in the pod" in answer.evidence


def test_the_timeline_is_in_order() -> None:
    run = a_run(opened("/srv/data", 20), call("openat", "ENOENT", CONFIG, 295), stderr("bad"))
    lines = explain_run(run, PLAIN).timeline
    assert lines[0].startswith("10 ms  server[7]  start: /app/server")
    assert f"295 ms  server[{APP}]  open {CONFIG}: No such file or directory" in lines


def test_a_broken_report_is_no_cause() -> None:
    answer = explain_run(Run(), PLAIN)
    assert not answer.causes and not answer.runs and "incomplete" in answer.outcome


def test_every_kind_has_its_row_and_every_row_its_kind() -> None:
    """Read the code of the finders: the words in quotes that are kinds."""
    text = "".join(path.read_text() for path in (PACKAGE / "causes").glob("*.py"))
    quoted = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', text))
    rows = {kind.id for kind in kinds.CAUSE_KINDS if kind.shown_by == kinds.RUN}
    assert rows <= quoted
    yielded = set(re.findall(r'(?:Cause\(\s*|kind = )"([a-z-]+)"', text))
    assert yielded <= rows


def test_every_kind_is_tested() -> None:
    rows = {kind.id for kind in kinds.CAUSE_KINDS if kind.shown_by == kinds.RUN}
    assert rows == {case.kind for case in BROKEN}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["A", "A_", "a.so", "'", " ", "/a", "x: ", "env X ", "\x1b[1m"])
def test_no_words_take_long(unit: str) -> None:
    text = [unit * (8000 // len(unit)), (unit * 600)[:600]]
    explain_run(a_run(stderr(*text), stdout(*text * 9)), PLAIN)


def test_hostile_words_are_harmless() -> None:
    text = "\x1b[31m" + "A" * 5000 + " not found " * 400
    run = a_run(stderr(text), stdout(text), call("openat", "ENOENT", "/x\x1b]0;y\x07"))
    answer = explain_run(run, PLAIN)
    assert "\x1b" not in "".join((answer.outcome, text_of(answer), *answer.evidence))
