"""What a user needs to be allowed, and what is said where it is missing."""

from __future__ import annotations

import pytest

from tests.cluster.conftest import Cluster
from tests.support.manifests import a_pod


@pytest.fixture(scope="module", autouse=True)
def source(cluster: Cluster) -> None:
    """Make the pod that is debugged here."""
    cluster.apply(a_pod("web"))
    cluster.ready("web")


def test_the_cluster_role_that_we_ship_is_enough(clean: Cluster) -> None:
    done = clean.scratch("debug", "-q", "web", "--context", "developer", "--", "echo", "in")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"in\n", b"")


def test_without_jobs_the_copy_has_a_deadline(clean: Cluster) -> None:
    child = clean.start(
        "debug", "-q", "web", "--context", "no-jobs", "--", "sh", "-c", "id -u; cat"
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"0\n"
    (copy,) = clean.copies()
    deadline = clean.read("pod", copy)["spec"]["activeDeadlineSeconds"]
    _, err = child.communicate(timeout=40)
    assert (child.returncode, deadline) == (0, 3600)
    assert err.startswith(b"warning: you may not create Jobs")
    assert err.count(b"\n") == 1


@pytest.mark.parametrize(
    "user, missing", [("no-ephemeral", b"pods/ephemeralcontainers"), ("viewer", b'"pods"')]
)
def test_what_is_forbidden_is_named(clean: Cluster, user: str, missing: bytes) -> None:
    done = clean.scratch("debug", "-q", "web", "--context", user, "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"error: the cluster forbids it" in done.stderr
    assert missing in done.stderr
