"""The main job on a real kubelet."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

import testbed
from tests.cluster.conftest import Cluster, Json, make_namespace
from tests.support.manifests import ARGS, BASH, CRASH, HARDENED, a_pod, a_volume
from tests.support.patience import PATIENCE

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
    child = clean.terminal("debug", "web", "--view", "tools", "--no-hold")
    child.expect(r"are under \$\(target-root\)")
    child.expect(PROMPT)
    child.sendline("cat $(target-root)/srv/motd; target-env | grep GREETING")
    child.expect("GREETING=hello-from-the-image")
    child.sendline('before=$(target-pid); kill $before; echo kill""ed')
    child.expect("killed\r\n")
    # For a moment there is no target: what is listed then must not be the toolkit's own files.
    child.sendline("until ls $(target-root)/app 2> /dev/null; do sleep 0.2; done")
    child.expect("\nhttp\r\n")
    child.sendline('[ "$before" = "$(target-pid)" ] || echo an""other')
    child.expect("another\r\n")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_bash_is_taken_where_the_toolkit_has_it(clean: Cluster) -> None:
    child = clean.terminal("debug", "web", "--image", BASH)
    child.expect(PROMPT)
    child.sendline('echo "bash ${BASH_VERSION%%.*}, $(target-pid | wc -l) target"')
    child.expect(r"bash \d, 1 target")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_as_a_plugin_of_kubectl(clean: Cluster) -> None:
    # As in the tests' own environment: kubectl finds kubectl-scratch on PATH.
    words = ["kubectl", "scratch", "debug", "web", "-n", clean.namespace, "--", "echo", "hi"]
    done = subprocess.run(words, env=clean.environ, capture_output=True, timeout=PATIENCE)
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
    child = clean.terminal("debug", "web")
    child.expect(PROMPT)
    child.sendline("until wget -qO- http://127.0.0.1:8080/; do :; done")
    child.expect("hello-from-the-image")
    (copy,) = clean.copies()
    ready = "--for=jsonpath={.status.containerStatuses[0].ready}=true"
    clean.kubectl("wait", ready, f"pod/{copy}")
    # Once a later pod is among the endpoints, a copy that were to be would be there too.
    clean.apply(a_pod("web2", labels={"app": "web"}))
    clean.wait_until(lambda: "web2" in endpoints(clean, "web"), "the endpoints follow")
    found = endpoints(clean, "web")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert found == {"web", "web2"}


def endpoints(cluster: Cluster, service: str) -> set[str]:
    slices = cluster.read("endpointslices", "-l", f"kubernetes.io/service-name={service}")
    listed = [e for s in slices["items"] for e in s.get("endpoints") or []]
    return {endpoint["targetRef"]["name"] for endpoint in listed}


@pytest.fixture
def strict(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace that enforces PodSecurity's restricted level, and a volume there."""
    made = make_namespace(kubeconfig, {"pod-security.kubernetes.io/enforce": "restricted"})
    name = f"{made.namespace}-data"
    testbed.node_exec(["install", "-d", "-o", "1000", f"/var/local/{name}"])
    made.apply(*a_volume(name, made.namespace, "data"))
    yield made
    made.kubectl("delete", "namespace", made.namespace)
    made.kubectl("delete", "persistentvolume", name)
    testbed.node_exec(["rm", "-r", f"/var/local/{name}"])


def test_a_crash_looping_pod_is_entered_without_a_byte_written(strict: Cluster) -> None:
    template = a_pod(
        "db",
        ARGS,
        args=["write=/data/log", "exit=3"],
        securityContext=HARDENED,
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    strict.apply(a_stateful_set("db", template["spec"]))
    strict.wait_until(lambda: starts(strict, "db-0") > 1, "the source crash-loops")
    script = "id -u; run-app; echo $?; touch /data/mine || echo refused"
    session = strict.scratch("debug", "-q", "db-0", "--", "sh", "-c", script)
    # The app finds its volume read-only, and ends otherwise than in the source.
    assert session.stdout == b"1000\n1\nrefused\n"
    assert b"/data/log: read-only file system" in session.stderr
    assert session.returncode == 0
    strict.nothing_is_left()
    # The source writes a line at each of its starts; one more would be the copy's.
    strict.wait_until(
        lambda: lines(strict) == starts(strict, "db-0"), "only the source has written"
    )


def a_stateful_set(name: str, pod_spec: Json) -> Json:
    labels = {"app": name}
    spec = {
        "serviceName": name,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod_spec},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": spec,
    }


def starts(cluster: Cluster, pod: str) -> int:
    found = json.loads(cluster.kubectl("get", "pods", "-o", "json"))["items"]
    for item in found:
        statuses = item.get("status", {}).get("containerStatuses") or []
        if item["metadata"]["name"] == pod and statuses:
            began = statuses[0]["restartCount"]
            waiting = "waiting" in statuses[0]["state"] and not statuses[0].get("lastState")
            return int(began) + (0 if waiting else 1)
    return 0


def lines(cluster: Cluster) -> int:
    log = f"/var/local/{cluster.namespace}-data/log"
    return testbed.node_exec(["cat", log]).stdout.count("\n")


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
