"""ls: what is there of ours, as kubectl would print it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.api.harness import JOBS, PODS, Cli, copy_of, finish, line_of, nothing_sent, source_pod

HEADS = ["NAME", "SOURCE", "VIEW", "SESSIONS", "EXPIRES", "AGE", "CREATED-BY"]
OURS = {"app.kubernetes.io/managed-by": "kubectl-scratch"}


def a_session(cli: Cli) -> subprocess.Popen[bytes]:
    """Start a session in a copy."""
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    return process


def test_a_copy_in_all_forms(cli: Cli) -> None:
    process = a_session(cli)
    copy = copy_of(cli.api)
    head, row = cli.run("ls").out.decode().splitlines()
    assert head.split() == HEADS
    assert row.split()[:4] == [copy, "default/mypod", "app", "1"]
    wide = cli.run("ls", "-A", "-o", "wide").out.decode().splitlines()
    assert wide[0].split() == ["NAMESPACE", *HEADS, "TARGET", "STATE", "REASON"]
    assert wide[1].split()[:2] == ["default", copy]
    assert cli.run("ls", "-o", "name").out.decode() == f"pod/{copy}\n"
    (item,) = json.loads(cli.run("ls", "-o", "json").out)["items"]
    assert (item["name"], item["sessions"], item["target"]) == (copy, 1, "app")
    assert f"name: {copy}\n".encode() in cli.run("ls", "-o", "yaml").out
    assert finish(process, b"").code == 0


@pytest.mark.parametrize(
    "flags, said",
    [
        ((), "No resources found in default namespace.\n"),
        (("-A",), "No resources found\n"),
        (("-o", "wide"), "No resources found in default namespace.\n"),
    ],
)
def test_nothing_is_told_on_stderr(cli: Cli, flags: tuple[str, ...], said: str) -> None:
    ended = cli.run("ls", *flags)
    assert (ended.code, ended.out, ended.err) == (0, b"", said)
    nothing_sent(cli.api)


def test_for_a_program_nothing_is_an_empty_list(cli: Cli) -> None:
    ended = cli.run("ls", "-o", "json")
    assert (ended.code, json.loads(ended.out), ended.err) == (0, {"items": []}, "")


def test_what_the_cluster_sends_can_not_speak_to_the_terminal(cli: Cli) -> None:
    annotations = {"kubectl-scratch/source": "default/\x1b[31mred\nline"}
    cli.api.add(source_pod("bad", metadata={"labels": OURS, "annotations": annotations}))
    out = cli.run("ls").out.decode()
    assert "\x1b" not in out and len(out.splitlines()) == 2


def test_a_name_is_one_that_kubectl_takes(cli: Cli) -> None:
    note = {"by": "a", "form": "b", "limit": 1, "linger": 0, "target": "app"}
    env = [{"name": "KUBECTL_SCRATCH", "value": json.dumps(note)}]
    names = ("scratch-bcdfg", "scratch-x7k2p")
    added = [{"name": name, "image": "x", "env": env} for name in names]
    cli.api.add(source_pod("sick", ephemeralContainers=added))
    assert [line.split()[0] for line in cli.run("ls").out.decode().splitlines()[1:]] == [
        f"sick/{name}" for name in names
    ]
    assert cli.run("ls", "-o", "name").out == b"pod/sick\n"


@pytest.mark.parametrize("fields", [{}, {"labels": {"app": "x"}}])
def test_pods_of_others_are_not_listed(cli: Cli, fields: Any) -> None:
    cli.api.add(source_pod("other", metadata=fields))
    assert cli.run("ls").out == b""


def test_who_may_not_list_pods_is_told_so(cli: Cli) -> None:
    cli.api.fault(method="GET", path=PODS, status=403, reason="Forbidden", message="no pods")
    cli.run("ls").complains("the API server rejected the request: no pods")


def test_without_the_leases_the_rest_is_told(cli: Cli) -> None:
    process = a_session(cli)
    cli.api.fault(method="GET", path=JOBS, status=403, reason="Forbidden", message="no jobs")
    ended = cli.run("ls")
    assert ended.warnings == ["warning: SESSIONS and EXPIRES are unknown: no jobs"]
    assert ended.out.decode().splitlines()[1].split()[3:5] == ["<unknown>", "<unknown>"]
    assert finish(process, b"").code == 0


def test_one_word_too_many(cli: Cli) -> None:
    cli.run("ls", "mypod").complains("unexpected argument 'mypod'")
