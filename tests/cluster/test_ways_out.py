"""Nothing is left behind, whatever ends the session."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.cluster.conftest import Cluster, make_namespace, release_slow_pulls, send, told
from tests.support.manifests import a_pod
from tests.support.patience import PATIENCE

PROMPT = r"app:\S+[#$] "
SLOW = "localhost:5000/slow/app:1"
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


@pytest.fixture(scope="module", autouse=True)
def source(cluster: Cluster) -> None:
    """Make the pod that is debugged here."""
    cluster.apply(a_pod("web"))
    cluster.ready("web")


def in_session(cluster: Cluster, *flags: str) -> subprocess.Popen[bytes]:
    """Return a piped session that has begun and would last for an hour."""
    words = ["debug", "-q", "web", *flags, "--", "sh", "-c", "echo begun; sleep 3600"]
    child = cluster.start(*words)
    assert child.stdout is not None
    assert child.stdout.readline() == b"begun\n"
    return child


def waiting(cluster: Cluster) -> subprocess.Popen[bytes]:
    """Return a run that waits for an image that never comes, and says so."""
    child = cluster.start("debug", "web", "--image", SLOW, "--", "true")
    assert child.stderr is not None
    told(child, b"waiting for web-scratch-")
    cluster.wait_until(lambda: bool(cluster.copies()), "the copy is created")
    return child


@pytest.mark.parametrize("signum", ENDING, ids=lambda s: s.name)
def test_a_signal_during_a_session(clean: Cluster, signum: signal.Signals) -> None:
    assert send(in_session(clean), signum) == (128 + signum, b"", b"")


@pytest.mark.parametrize("signum", ENDING, ids=lambda s: s.name)
def test_a_signal_while_waiting(clean: Cluster, signum: signal.Signals) -> None:
    code, out, _ = send(waiting(clean), signum)
    release_slow_pulls()
    assert (code, out) == (128 + signum, b"")


def test_a_closed_terminal(clean: Cluster) -> None:
    child = clean.terminal("debug", "web")
    child.expect(PROMPT)
    child.sendline("echo here; sleep 3600")
    child.expect("here\r\n")
    # Closes the master: SIGHUP, and no stderr to complain on.
    child.close(force=False)


def test_control_c_at_the_terminal_is_the_command_s(clean: Cluster) -> None:
    child = clean.terminal("debug", "web")
    child.expect(PROMPT)
    child.sendline("echo here; sleep 3600")
    child.expect("here\r\n")
    child.sendintr()
    child.expect(PROMPT)
    child.sendline("exit 6")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 6


def test_killed_without_a_word_the_lease_ends_it(clean: Cluster) -> None:
    child = in_session(clean, "--ttl", "5s")
    (copy,) = clean.copies()
    child.kill()
    child.communicate()
    clean.kubectl("wait", "--for=delete", f"pod/{copy}", f"job/{copy}")


def test_a_session_outlives_its_first_lease(clean: Cluster) -> None:
    child = clean.start("debug", "-q", "web", "--ttl", "5s", "--", "sh", "-c", "echo in; cat")
    assert child.stdout is not None
    assert child.stdout.readline() == b"in\n"
    (copy,) = clean.copies()
    # Counted from the Job's completion: the copy has lived for longer than its first lease.
    clean.wait_until(lambda: lease_of(clean, copy) > 10, "the lease is renewed")
    out, _ = child.communicate(b"alive", timeout=PATIENCE)
    assert (child.returncode, out) == (0, b"alive")


def lease_of(cluster: Cluster, copy: str) -> int:
    return int(cluster.read("job", copy)["spec"]["ttlSecondsAfterFinished"])


def test_a_lease_that_somebody_deletes_is_lost_and_said_so(clean: Cluster) -> None:
    child = in_session(clean, "--ttl", "5s")
    (copy,) = clean.copies()
    clean.kubectl("delete", "job", copy)
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 137
    assert b"warning: the lease is lost" in err or b"by someone else" in err


def test_a_copy_that_somebody_deletes(clean: Cluster) -> None:
    child = in_session(clean)
    (copy,) = clean.copies()
    clean.kubectl("delete", "pod", copy, "--now")
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 137
    assert err.startswith(b"error: the copy ")
    assert b"by someone else\n" in err


@pytest.fixture
def full(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace of its own."""
    made = make_namespace(kubeconfig)
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def test_a_quota_that_has_no_room(full: Cluster) -> None:
    full.apply(a_pod("web"))
    full.ready("web")
    quota = {"hard": {"pods": "1"}}
    full.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": quota}
    )
    used = "--for=jsonpath={.status.used.pods}=1"
    full.kubectl("wait", used, "resourcequota/q")
    done = full.scratch("debug", "web", "--", "true")
    assert done.returncode == 1
    assert b"exceeded quota" in done.stderr
    full.nothing_is_left()
