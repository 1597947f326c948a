"""why on a real kubelet, beside its corpus: in a session, with secrets, and how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pexpect
import pytest

from tests.cluster.cases import crash_looping
from tests.cluster.conftest import Cluster, send, told
from tests.support.manifests import a_pod, app_image

PROMPT = r"app:\S*[#$] "
MISSING = "/etc/shop/config.yaml"
SECRET = "hunter2-hunter2"
PASSWORD = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
COMMAND = ("--command", "/app/args")


@pytest.fixture(scope="module", autouse=True)
def sources(cluster: Cluster) -> Iterator[None]:
    """Make the pods: one lacks a file, one tells its password, one works and has no probe."""
    scratch = app_image("scratch", "nonroot")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}
    cluster.apply(
        {**secret, "stringData": {"password": SECRET}},
        a_pod("broken", scratch, args=[f"file={MISSING}"]),
        a_pod(
            "talks",
            scratch,
            command=["/app/args"],
            env=[PASSWORD],
            args=["stderr=logging in with $(PASSWORD)", "file=/run/$(PASSWORD)"],
        ),
        a_pod("works", scratch, command=["/app/args"], args=["sleep=1h"]),
    )
    cluster.ready("works")
    crash_looping(cluster, "broken", "talks")
    yield
    cluster.nothing_is_left()


def test_a_command_has_the_answer_below_its_output(clean: Cluster) -> None:
    done = clean.scratch("debug", "-q", "broken", *COMMAND, "--", "run-app", "--why")
    assert done.returncode == 1
    said, _, answer = done.stderr.decode().partition("\nwhy: ")
    assert MISSING in said and MISSING in answer


def test_a_shell_has_the_answer_above_its_next_prompt(clean: Cluster) -> None:
    child = clean.terminal("debug", "-q", "broken", *COMMAND)
    child.expect(PROMPT)
    child.sendline("run-app --why")
    child.expect("why: the app exited")
    child.expect(PROMPT)
    assert MISSING in child.before
    child.sendline("run-app --why --for 1s -- hang")
    child.expect("why: the app was still running")
    child.expect(PROMPT)
    child.sendline("exit 7")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 7


@pytest.mark.parametrize("flags", [("-v",), ("-v", "-o", "json")])
def test_no_secret_is_in_the_answer(clean: Cluster, flags: tuple[str, ...]) -> None:
    done = clean.scratch("why", "talks", *flags)
    assert SECRET.encode() not in done.stdout + done.stderr
    assert b"[masked]" in done.stdout


def test_over_kubectl_exec_it_is_the_same(clean: Cluster) -> None:
    done = clean.scratch("why", "broken", *COMMAND, "--transport", "kubectl", "-o", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["causes"][0]["kind"] == "missing-file"


def test_a_signal_ends_the_run(clean: Cluster) -> None:
    child = clean.start("why", "works")
    told(child, b"running the app")
    code, out, _ = send(child, signal.SIGINT)
    assert (code, out) == (130, b"")


def test_a_killed_client_leaves_nothing(clean: Cluster) -> None:
    child = clean.start("why", "works", "--ttl", "10s")
    told(child, b"running the app")
    child.kill()
    child.communicate()
