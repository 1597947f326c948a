"""What can't get better fails as soon as the cluster says so, with its reason."""

from __future__ import annotations

import signal

import pytest

from tests.cluster.conftest import Cluster, release_slow_pulls, send, told
from tests.support.manifests import a_pod


@pytest.fixture(scope="module", autouse=True)
def source(cluster: Cluster) -> None:
    """Make the pod that is debugged here."""
    cluster.apply(a_pod("web"))
    cluster.ready("web")


@pytest.mark.parametrize(
    "image, reason",
    [
        ("localhost:5000/missing/app:1", b"not found"),
        ("localhost:5000/denied/app:1", b"403 Forbidden"),
        ("localhost:5000/unauthorized/app:1", b"401 Unauthorized"),
        ("localhost:5000/UPPER/app:1", b"must be lowercase"),
        # It has no sleep, with which the debug container idles.
        ("docker.io/scratch-testbed/http:1", b"executable file not found"),
    ],
)
def test_an_image_that_will_not_do(clean: Cluster, image: str, reason: bytes) -> None:
    done = clean.scratch("debug", "-q", "web", "--image", image, "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: the debug container")
    assert reason in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_registry_s_hiccup_is_waited_for_until_the_timeout(clean: Cluster) -> None:
    words = ["debug", "-q", "web", "--image", "localhost:5000/flaky/app:1", "--timeout", "4s"]
    done = clean.scratch(*words, "--", "true")
    assert done.returncode == 1
    assert b"no shell after 4s" in done.stderr
    assert b"503 Service Unavailable" in done.stderr


def test_a_copy_that_no_node_takes(clean: Cluster) -> None:
    clean.apply(a_pod("picky", nodeSelector={"no": "such-node"}))
    done = clean.scratch("debug", "-q", "picky", "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: no node takes the copy: 0/1 nodes are available")


def test_a_wait_says_what_it_waits_for(clean: Cluster) -> None:
    child = clean.start("debug", "web", "--image", "localhost:5000/slow/app:1", "--", "true")
    assert child.stderr is not None
    told(child, b"waiting for web-scratch-")
    assert b"the node prepares the container" in child.stderr.readline()
    assert send(child, signal.SIGINT)[0] == 130
    release_slow_pulls()


def test_a_command_that_the_toolkit_lacks(clean: Cluster) -> None:
    done = clean.scratch("debug", "-q", "web", "--", "no-such-tool")
    assert done.returncode == 127
    assert done.stderr == b"seed: no-such-tool: not found\n"
