"""The app of a held target is run by hand: its words, its output, its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.cluster.cases import allow_only, crash_looping, enforce
from tests.cluster.conftest import Cluster, make_namespace
from tests.support.manifests import BUSYBOX, CRASH, HARDENED, a_pod, app_image

PROMPT = r"app:\S*[#$] "
WORDS = ["print=$(COLOUR), $$(COLOUR), $(NONE)", "exit=5"]
COLOUR = [{"name": "COLOUR", "value": "red"}]


@pytest.fixture(scope="module", autouse=True)
def sources(cluster: Cluster) -> Iterator[None]:
    """Make the pods that are debugged here: of job the spec names the command."""
    full, scratch = app_image("full", "root"), app_image("scratch", "nonroot")
    cluster.apply(
        a_pod("worker", scratch, args=["print=ready", "sleep=1h"]),
        a_pod("job", full, command=["/app/args"], env=COLOUR, args=WORDS, restartPolicy="Never"),
        a_pod("crash", CRASH),
    )
    cluster.ready("worker")
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/job")
    crash_looping(cluster, "crash")
    yield
    cluster.nothing_is_left()


def test_the_app_can_be_run_again_and_again(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "worker", "--command", "/app/args")
    child.expect(PROMPT)
    for _ in range(2):
        child.sendline("run-app")
        child.expect("ready\r\n")
        child.sendintr()
        child.expect("ends on signal: interrupt\r\n")
        child.expect(PROMPT)
    child.sendline("run-app -- exit=9")
    child.expect(PROMPT)
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 9


def test_the_app_gets_the_words_that_the_kubelet_makes(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "job", "--", "run-app")
    assert done.returncode == 5
    assert done.stdout == b"red, $(COLOUR), $(NONE)\n"
    assert done.stdout.decode() == cluster.kubectl("logs", "job")


def test_the_app_with_other_arguments(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "job", "--", "run-app", "--", "print=other", "exit=6")
    assert (done.returncode, done.stdout) == (6, b"other\n")


def test_what_is_known_of_the_app(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "job", "--", "show-app")
    assert done.stdout.decode().splitlines() == [
        "command: /app/args 'print=red, $(COLOUR), $(NONE)' exit=5",
        "from: the pod's spec",
        "directory: /srv",
    ]


def test_a_command_that_the_user_names(cluster: Cluster) -> None:
    words = ["debug", "-q", "crash", "--command", "/app/crash"]
    assert cluster.scratch(*words, "--", "run-app").returncode == 3
    assert b"\nfrom: --command\n" in cluster.scratch(*words, "--", "show-app").stdout


def test_a_command_that_nobody_names(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "worker", "--", "run-app")
    assert done.returncode == 1
    assert b"--command" in done.stderr
    assert b"--learn" in done.stderr


@pytest.fixture
def strict(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace that enforces PodSecurity's restricted level."""
    made = make_namespace(kubeconfig)
    enforce(made, "restricted")
    made.apply(a_pod("crash", CRASH, securityContext=HARDENED))
    crash_looping(made, "crash")
    yield made
    made.nothing_is_left()
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def test_the_image_s_own_command_is_learned(strict: Cluster) -> None:
    done = strict.scratch(
        "debug", "-q", "crash", "--", "sh", "-c", "run-app; code=$?; show-app; exit $code"
    )
    assert done.returncode == 3
    assert done.stdout.decode().splitlines() == [
        "command: /app/crash",
        "from: entrypoint discovery",
        "directory: /",
    ]


@pytest.fixture(scope="module")
def one_image(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace that a policy keeps from all images but that of its pod crash."""
    made = make_namespace(kubeconfig)
    policy = allow_only(made, CRASH)
    made.apply(a_pod("crash", CRASH))
    crash_looping(made, "crash")
    yield made
    made.nothing_is_left()
    made.kubectl("delete", *policy)
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


@pytest.mark.parametrize("flags", [(), ("--command", "/app/crash")])
def test_where_only_the_app_s_image_is_allowed(one_image: Cluster, flags: tuple[str, ...]) -> None:
    done = one_image.scratch("debug", "-q", "crash", *flags, "--", "run-app")
    assert done.returncode == 3
    assert b"the configuration is wrong" in done.stderr


def test_the_view_beside_needs_no_other_image(one_image: Cluster) -> None:
    words = ["debug", "-q", "crash", "--view", "tools"]
    done = one_image.scratch(*words, "--", "sh", "-c", "ls /app; exit 9")
    assert (done.returncode, done.stdout, done.stderr) == (9, b"crash\n", b"")


def test_a_toolkit_image_is_refused(one_image: Cluster) -> None:
    done = one_image.scratch("debug", "-q", "crash", "--image", BUSYBOX, "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"only the app's own image is allowed" in done.stderr
