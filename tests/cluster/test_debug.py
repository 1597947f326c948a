"""The main job on a real kubelet."""

from __future__ import annotations

import hashlib
import random
import subprocess
from pathlib import Path

import pexpect
import pytest

import testbed
from tests.cluster.conftest import Cluster, make_namespace
from tests.support.manifests import ARGS, CRASH, HARDENED, a_pod, a_volume

PROMPT = r"app:\S+[#$] "


@pytest.fixture(scope="module", autouse=True)
def sources(cluster: Cluster) -> None:
    """Make the pods that are debugged here."""
    # Of the node, so that the copy only fits beside it without; another run may have its own.
    port = random.randrange(20000, 30000)
    cluster.apply(
        a_pod("web", labels={"app": "web"}, ports=[{"containerPort": 8080, "hostPort": port}]),
        a_pod("crash", CRASH),
        a_pod("done", ARGS, args=["exit=0"], restartPolicy="Never"),
    )
    cluster.ready("web")
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/done")


def test_a_command_s_streams_and_code_come_through(clean: Cluster) -> None:
    sent = bytes(range(256)) * 1000
    script = "cat; echo no >&2; exit 7"
    done = clean.scratch("debug", "-q", "web", "--", "sh", "-c", script, stdin=sent)
    assert (done.returncode, done.stdout, done.stderr) == (7, sent, b"no\n")


@pytest.mark.parametrize("transport", ["websocket", "kubectl"])
def test_a_shell_on_a_terminal(clean: Cluster, transport: str) -> None:
    child = clean.terminal("debug", "web", "--transport", transport, size=(30, 90))
    child.expect(PROMPT)
    child.sendline("stty size")
    child.expect("30 90")
    child.setwinsize(41, 101)
    child.expect(PROMPT)
    child.sendline("stty size; echo h\N{LATIN SMALL LETTER E WITH ACUTE} | wc -c")
    child.expect("41 101\r\n4\r\n")
    child.sendline("exit 5")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 5


def test_the_session_knows_its_target_also_after_a_restart(clean: Cluster) -> None:
    child = clean.terminal("debug", "web")
    child.expect(r"its files are under \$\(target-root\)")
    child.expect(PROMPT)
    child.sendline("cat $(target-root)/srv/motd; target-env | grep GREETING")
    child.expect("GREETING=hello-from-the-image")
    child.sendline("before=$(target-pid); kill $before; echo killed")
    child.expect("killed\r\n")
    child.sendline('until now=$(target-pid 2> /dev/null) && [ "$now" != "$before" ]; do :; done')
    child.sendline("ls $(target-root)/app && echo still-there")
    child.expect("http\r\n(.*\r\n)*still-there\r\n")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_as_a_plugin_of_kubectl(clean: Cluster) -> None:
    # As in the tests' own environment: kubectl finds kubectl-scratch on PATH.
    words = ["kubectl", "scratch", "debug", "web", "-n", clean.namespace, "--", "echo", "hi"]
    done = subprocess.run(words, env=clean.environ, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"hi\n")


@pytest.mark.parametrize("pod, code", [("crash", 3), ("done", 4)])
def test_a_pod_that_does_not_run_can_be_debugged(clean: Cluster, pod: str, code: int) -> None:
    assert clean.scratch("debug", pod, "--", "sh", "-c", f"exit {code}").returncode == code


def test_the_copy_gets_no_traffic_and_is_the_same_app(clean: Cluster) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080}]},
    }
    clean.apply(service)
    about_web = ("endpointslices", "-l", "kubernetes.io/service-name=web")
    child = clean.terminal("debug", "web")
    child.expect(PROMPT)
    child.sendline("until wget -qO- http://127.0.0.1:8080/; do :; done")
    child.expect("hello-from-the-image")
    (copy,) = clean.copies()
    ready = clean.read("pod", copy)["status"]["containerStatuses"][0]["ready"]
    slices = clean.read(*about_web)["items"]
    named = [e["targetRef"]["name"] for s in slices for e in s.get("endpoints") or []]
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert (ready, set(named) - {"web"}) == (True, set())


def test_no_workload_counts_the_copy(clean: Cluster) -> None:
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": a_pod("x")["spec"]}
    spec = {"selector": {"matchLabels": {"app": "shop"}}, "replicas": 1, "template": template}
    clean.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": spec}
    )
    clean.kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
    (pod,) = clean.read("pods", "-l", "app=shop")["items"]
    name = pod["metadata"]["name"]
    assert clean.scratch("debug", name, "--", "true").returncode == 0
    (after,) = clean.read("pods", "-l", "app=shop")["items"]
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]


def test_a_crash_looping_pod_s_volume_is_entered_without_a_byte_written(kubeconfig: Path) -> None:
    strict = make_namespace(kubeconfig, {"pod-security.kubernetes.io/enforce": "restricted"})
    volume, claim = a_volume(f"{strict.namespace}-data", strict.namespace, "data")
    # It writes once, and then waits: a second line could only be the copy's.
    source = a_pod(
        "db",
        ARGS,
        args=["write=/data/log", "sleep=1h"],
        securityContext=HARDENED,
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    log = f"/var/local/{strict.namespace}-data/log"
    testbed.node_exec(["install", "-d", "-o", "1000", str(Path(log).parent)])
    strict.apply(volume, claim, source)
    strict.ready("db")
    before = testbed.node_exec(["sha256sum", log]).stdout
    session = strict.start("debug", "db", "--", "sh", "-c", "id -u; cat")
    assert session.stdout is not None
    assert session.stdout.readline() == b"1000\n"
    # The copy's app finds its volume read-only, and ends.
    strict.wait_until(lambda: app_has_ended(strict), "the copy's app tries to write and fails")
    assert session.communicate(timeout=30)[0] == b""
    assert session.returncode == 0
    assert testbed.node_exec(["sha256sum", log]).stdout == before
    strict.nothing_is_left()
    strict.kubectl("delete", "namespace", strict.namespace, "--wait=false")


def app_has_ended(cluster: Cluster) -> bool:
    (copy,) = cluster.copies()
    (app,) = cluster.read("pod", copy)["status"].get("containerStatuses") or [{}]
    return "terminated" in {**app.get("state", {}), **app.get("lastState", {})}


def test_a_hundred_kilobytes_can_be_pasted(clean: Cluster) -> None:
    line = "0123456789abcdef" * 4
    child = clean.terminal("debug", "web")
    child.expect(PROMPT)
    child.sendline("stty -echo; cat > /tmp/pasted; sha256sum /tmp/pasted; stty echo")
    for _ in range(1600):
        child.sendline(line)
    child.sendeof()
    child.expect(hashlib.sha256(f"{line}\n".encode() * 1600).hexdigest())
    child.sendline("exit")
    child.expect(pexpect.EOF)
