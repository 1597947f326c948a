"""--in-place: a container in the source pod that ends by itself, and what ls tells of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.cluster.conftest import Cluster, Json, make_namespace
from tests.support.manifests import HARDENED, a_pod
from tests.support.patience import PATIENCE

SOURCES = {
    "root": a_pod("root"),
    "hardened": a_pod("hardened", securityContext=HARDENED),
    "together": a_pod("together", shareProcessNamespace=True),
}


@pytest.fixture(scope="module", autouse=True)
def sources(cluster: Cluster) -> None:
    """Make the pods that are debugged here."""
    cluster.apply(*SOURCES.values(), a_pod("killed"), a_pod("lingering"))
    cluster.ready(*SOURCES, "killed", "lingering")


def states(cluster: Cluster, pod: str) -> list[str]:
    """Return the states of the containers that were added to a pod."""
    status = cluster.read("pod", pod)["status"]
    return [next(iter(c["state"])) for c in status.get("ephemeralContainerStatuses") or []]


def rows(cluster: Cluster) -> dict[str, Json]:
    """Return what ls tells, by name."""
    items = json.loads(cluster.scratch("ls", "-o", "json").stdout)["items"]
    return {item["name"]: item for item in items}


@pytest.mark.parametrize("pod", SOURCES)
def test_a_session_sees_its_target_and_ends_its_container(clean: Cluster, pod: str) -> None:
    look = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c ^KUBERNETES_PORT=; exit 3"
    done = clean.scratch("debug", pod, "--in-place", "--", "sh", "-c", look)
    assert done.returncode == 3, done.stderr
    # Its own processes and the target's.
    assert int(done.stdout) >= 2
    assert states(clean, pod) == ["terminated"], done.stderr
    assert b"has ended and stays listed until the pod is deleted\n" in done.stderr
    (row,) = (row for name, row in rows(clean).items() if name.startswith(f"{pod}/"))
    assert (row["view"], row["state"], row["target"]) == ("in-place", "ended", "app")
    assert clean.copies() == []


def test_a_shell_on_a_terminal(clean: Cluster) -> None:
    child = clean.terminal("debug", "root", "--in-place")
    child.expect_exact("there is no copy")
    child.expect(r"app:\S*[#$] ")
    child.sendline("cat $(target-root)/proc/1/cmdline > /dev/null && echo se\\en; exit 4")
    child.expect_exact("seen")
    child.expect_exact("has ended and stays listed")
    child.wait()
    assert child.exitstatus == 4


def test_the_code_of_a_command_that_handles_an_interrupt(clean: Cluster) -> None:
    script = "trap 'exit 3' INT; echo in; while :; do sleep 1; done"
    child = clean.terminal("debug", "root", "--in-place", "--", "sh", "-c", script)
    child.expect_exact("in\r\n")
    child.sendcontrol("c")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 3


@pytest.mark.parametrize("tty", [True, False])
def test_a_client_that_is_killed_leaves_nothing_that_runs(clean: Cluster, tty: bool) -> None:
    before = len(states(clean, "killed"))
    if tty:
        child = clean.terminal("debug", "killed", "--in-place")
        child.expect(r"app:\S*[#$] ")
        child.kill(signal.SIGKILL)
    else:
        process = clean.start("debug", "killed", "--in-place", "--", "sh", "-c", "echo in; cat")
        assert process.stdout is not None and process.stdout.readline() == b"in\n"
        process.kill()
        process.communicate()
    ended = ["terminated"] * (before + 1)
    clean.wait_until(lambda: states(clean, "killed") == ended, "the container has ended")


def test_one_that_lingers_is_used_again(clean: Cluster) -> None:
    words = ("debug", "lingering", "--in-place", "--linger", "1m", "--", "cat", "/proc/1/comm")
    first, second = clean.scratch(*words), clean.scratch(*words)
    assert first.returncode == second.returncode == 0, second.stderr
    assert first.stdout == second.stdout
    assert states(clean, "lingering") == ["running"]
    assert b"idles for 1m, ready for another session" in first.stderr
    # Another profile is another container.
    other = clean.scratch(*words[:3], "--profile", "baseline", *words[5:])
    assert other.returncode == 0, other.stderr
    assert sorted(states(clean, "lingering")) == ["running", "terminated"]


@pytest.fixture(scope="module")
def restricted(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace that enforces PodSecurity's restricted."""
    made = make_namespace(kubeconfig, {"pod-security.kubernetes.io/enforce": "restricted"})
    made.apply(a_pod("web", securityContext=HARDENED))
    made.ready("web")
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def test_where_only_restricted_is_admitted(restricted: Cluster) -> None:
    plan = restricted.scratch("debug", "web", "--in-place", "--dry-run=server")
    assert plan.returncode == 0 and b"profile restricted" in plan.stdout, plan
    done = restricted.scratch("debug", "web", "--in-place", "--", "id", "-u")
    assert (done.returncode, done.stdout) == (0, b"1000\n"), done.stderr
    assert states(restricted, "web") == ["terminated"]


def test_beside_a_target_that_does_not_run(clean: Cluster) -> None:
    clean.apply(a_pod("broken", command=["/none"]))
    waiting = "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"
    clean.kubectl("wait", waiting, "pod/broken")
    done = clean.scratch("debug", "broken", "--in-place", "--", "echo", "in")
    assert (done.returncode, done.stdout) == (0, b"in\n"), done.stderr
    assert b"warning: container app is not running" in done.stderr
    assert states(clean, "broken") == ["terminated"]


def test_the_mirror_of_a_static_pod_is_refused(kubeconfig: Path) -> None:
    system = Cluster(kubeconfig, "kube-system")
    pods = system.read("pods", "-l", "component=etcd")["items"]
    done = system.scratch("debug", pods[0]["metadata"]["name"], "--in-place", "--", "true")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert b"cannot be debugged in place; it is the mirror of a static pod" in line


def test_a_copy_is_listed_while_it_is_there(clean: Cluster) -> None:
    script = ("--", "sh", "-c", "echo in; cat")
    child = clean.start("debug", "root", "--view", "tools", "--reason", "ticket 7", *script)
    assert child.stdout is not None and child.stdout.readline() == b"in\n"
    (copy,) = clean.copies()
    row = rows(clean)[copy]
    assert row["source"] == f"{clean.namespace}/root" and row["reason"] == "ticket 7"
    assert (row["sessions"], row["view"], row["state"]) == (1, "tools", "running")
    head, *lines = clean.scratch("ls").stdout.decode().splitlines()
    assert head.split() == ["NAME", "SOURCE", "VIEW", "SESSIONS", "EXPIRES", "AGE", "CREATED-BY"]
    assert [line.split()[0] for line in lines] == sorted(rows(clean))
    assert f"pod/{copy}" in clean.scratch("ls", "-o", "name").stdout.decode().splitlines()
    child.communicate(b"bye", timeout=PATIENCE)
    clean.wait_until(lambda: copy not in rows(clean), "the copy is gone")
