"""What a user needs to be allowed, and what is said where it is missing."""

from __future__ import annotations

import json

import pytest

from tests.cluster.cases import crash_looping
from tests.cluster.conftest import Cluster
from tests.support.manifests import CRASH, a_pod
from tests.support.patience import PATIENCE


@pytest.fixture(scope="module", autouse=True)
def source(cluster: Cluster) -> None:
    """Make the pod that is debugged here."""
    cluster.apply(a_pod("web"))
    cluster.ready("web")


def test_the_cluster_role_that_we_ship_is_enough(clean: Cluster) -> None:
    done = clean.scratch("debug", "-q", "web", "--context", "developer", "--", "show-app")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"command: ")


def test_it_is_enough_to_say_why(clean: Cluster) -> None:
    clean.apply(a_pod("broken", CRASH, command=["/app/crash"]))
    crash_looping(clean, "broken")
    done = clean.scratch("why", "broken", "--context", "developer", "-o", "json")
    assert json.loads(done.stdout)["outcome"].startswith("the app exited with code 3")
    assert b"error" not in done.stderr
    clean.kubectl("delete", "pod", "broken", "--now")


def test_without_jobs_the_copy_has_a_deadline(clean: Cluster) -> None:
    child = clean.start(
        "debug", "-q", "web", "--context", "no-jobs", "--", "sh", "-c", "id -u; cat"
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"1000\n"
    (copy,) = clean.copies()
    deadline = clean.read("pod", copy)["spec"]["activeDeadlineSeconds"]
    _, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, deadline) == (0, 3600)
    assert err.startswith(b"warning: no permission to create Jobs")
    assert err.count(b"\n") == 1


def test_without_ephemeral_containers_a_session_is_inside(clean: Cluster) -> None:
    words = ("debug", "-q", "web", "--context", "no-ephemeral")
    done = clean.scratch(*words, "--", "id", "-u")
    assert (done.returncode, done.stdout) == (0, b"1000\n")
    assert done.stderr.startswith(b"warning: no permission to add ephemeral containers")
    assert done.stderr.count(b"\n") == 1
    refused = clean.scratch(*words, "--view", "tools", "--", "true")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"pods/ephemeralcontainers" in refused.stderr


def test_what_is_forbidden_is_named(clean: Cluster) -> None:
    done = clean.scratch("debug", "-q", "web", "--context", "viewer", "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"error: the API server rejected the request" in done.stderr
    assert b'"pods"' in done.stderr
