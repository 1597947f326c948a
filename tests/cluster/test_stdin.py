"""Whose stdin it is: a command has it once it reads, and a loop keeps its list."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from tests.cluster.conftest import Cluster
from tests.support.manifests import BASH, BUSYBOX, HARDENED, a_pod
from tests.support.patience import PATIENCE

PODS = ("one", "two", "three")
MEGABYTE = bytes(range(256)) * 4096


@pytest.fixture(scope="module", autouse=True)
def sources(cluster: Cluster) -> None:
    """Make the pods that are debugged here."""
    odd = [{"name": "discovery.type", "value": "single-node"}, {"name": "a-b", "value": "c d"}]
    cluster.apply(
        *(a_pod(name, securityContext=HARDENED) for name in PODS),
        a_pod("odd", env=odd),
        a_pod("bash", BASH, command=["bash", "-c", "sleep 1000000"], env=odd),
    )
    cluster.ready(*PODS, "odd", "bash")


def in_shell(cluster: Cluster, script: str, **options: object) -> str:
    """Run a script in which ``debug`` is the plugin; return its stdout."""
    words = " ".join(cluster.command("debug", "-q"))
    done = subprocess.run(
        ["bash", "-c", f'debug() {{ {words} "$@"; }}; {script}'],
        env=cluster.environ,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        **options,  # type: ignore[call-overload]
    )
    assert done.stderr == "" and done.returncode == 0, done
    return str(done.stdout)


LOOPS = {
    "pipe": "printf '%s\\n' one two three | while read -r p; do {}; done",
    "file": "while read -r p; do {}; done < <(printf '%s\\n' one two three)",
    "here": "while read -r p; do {}; done <<< $'one\\ntwo\\nthree'",
}
QUIET = {
    "hostname": "debug $p -- hostname > /dev/null && echo $p",
    "shell": "debug $p -- sh -c 'x=$(hostname); sleep 0.2; true' && echo $p",
    "wget": "debug $p -- wget -qO /dev/null http://127.0.0.1:1 2> /dev/null || echo $p",
    "no-stdin": "debug $p --stdin=false -- cat && echo $p",
}


@pytest.mark.parametrize("command", QUIET.values(), ids=QUIET)
def test_a_loop_keeps_its_list(clean: Cluster, command: str) -> None:
    assert in_shell(clean, LOOPS["pipe"].format(command)).split() == list(PODS)


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_wherever_it_comes_from(clean: Cluster, loop: str) -> None:
    assert in_shell(clean, loop.format(QUIET["hostname"])).split() == list(PODS)


def test_a_command_that_reads_takes_the_rest(clean: Cluster) -> None:
    said = in_shell(clean, LOOPS["pipe"].format('echo "$p:" $(debug $p -- cat)'))
    assert said == "one: two three\n"


READERS: dict[str, tuple[str, ...]] = {
    "cat": ("cat",),
    "late": ("sh", "-c", "sleep 1; cat"),
    "child": ("sh", "-c", "true; (cat); true"),
    "stdin": ("cat", "/dev/stdin"),
    "checksum": ("sh", "-c", "exec tee /dev/null"),
}


@pytest.mark.parametrize("flags", [(), ("-i",), ("--stdin",), ("--stdin=true",), ("-i=true",)])
def test_all_of_it_comes(clean: Cluster, flags: tuple[str, ...]) -> None:
    done = clean.scratch("debug", "-q", "one", *flags, "--", "cat", stdin=MEGABYTE)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout == MEGABYTE


@pytest.mark.parametrize("view", ["app", "tools"])
@pytest.mark.parametrize("command", READERS.values(), ids=READERS)
def test_whoever_reads_it(clean: Cluster, command: tuple[str, ...], view: str) -> None:
    done = clean.scratch("debug", "-q", "two", "--view", view, "--", *command, stdin=MEGABYTE)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout == MEGABYTE


def test_a_command_that_never_reads_leaves_it(clean: Cluster) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"kept")
    done = subprocess.run(
        clean.command("debug", "-q", "one", "--", "sh", "-c", "sleep 1; echo done"),
        env=clean.environ,
        stdin=reading,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"done\n", b"")
    assert os.read(reading, 100) == b"kept"
    os.close(reading)
    os.close(writing)


def test_a_terminal_is_read_as_well(clean: Cluster) -> None:
    ours, theirs = pty.openpty()
    words = clean.command("debug", "-q", "one", "--", "sh", "-c", "read -r line; echo got $line")
    process = subprocess.Popen(
        words, env=clean.environ, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.write(ours, b"this\n")
    assert process.communicate(timeout=PATIENCE) == (b"got this\n", b"")
    os.close(ours)
    os.close(theirs)


def test_no_stdin_at_all(clean: Cluster) -> None:
    done = subprocess.run(
        clean.command("debug", "-q", "one", "--", "cat"),
        env=clean.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_kubectl_transport_heeds_the_flag(clean: Cluster) -> None:
    command = QUIET["no-stdin"].replace("--stdin=false", "--stdin=false --transport kubectl")
    assert in_shell(clean, LOOPS["pipe"].format(command)).split() == list(PODS)


def test_nobody_can_change_what_the_seed_is(clean: Cluster) -> None:
    child = clean.terminal("debug", "one")
    child.expect(r"app:\S+[#$] ")
    (name,) = clean.copies()
    patch = json.dumps({"binaryData": {"seed": "QQ=="}})
    done = subprocess.run(
        ["kubectl", "-n", clean.namespace, "patch", "configmap", name, "-p", patch],
        env=clean.environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "immutable" in done.stderr
    # What it takes to replace it is to delete it, and a later session notices.
    found = clean.read("configmap", name)
    again = {**found, "binaryData": {"seed": "QQ=="}, "metadata": {"name": name}}
    again["metadata"]["ownerReferences"] = found["metadata"]["ownerReferences"]
    again["metadata"]["labels"] = found["metadata"]["labels"]
    clean.kubectl("delete", "configmap", name)
    clean.apply(again)
    later = clean.scratch("attach", name, "--", "true")
    assert later.returncode == 1
    assert b"not ours: its ConfigMap has been replaced" in later.stderr
    child.sendline("exit 3")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3


def shell_in(cluster: Cluster, *words: str) -> Any:
    """Open a shell; its prompt has come."""
    child = cluster.terminal("debug", *words)
    child.expect(r"app:\S+[#$] ")
    if "--shell" in words:
        # The links to our programs are made meanwhile.
        child.sendline("until [ -e /.scratch/bin/zcat ]; do :; done")
        child.expect(r"app:\S+[#$] ")
    return child


ODD: dict[str, tuple[str, ...]] = {
    "ours": ("odd",),
    "beside": ("odd", "--view", "tools"),
    "bash": ("bash", "--shell", "bash"),
}


@pytest.mark.parametrize("words", ODD.values(), ids=ODD)
def test_variables_of_any_name_are_at_the_prompt(clean: Cluster, words: tuple[str, ...]) -> None:
    child = shell_in(clean, *words)
    child.sendline("printenv discovery.type a-b; printenv LANG || echo no-lang$((40 + 2))")
    child.expect("single-node\r\nc d\r\nno-lang42\r\n")
    child.sendline("exit")
    child.expect(pexpect.EOF)


# A shell of an image needs C.UTF-8 of its C library, which the testbed's has not: tests/seed.
KINDS: dict[str, Callable[[Cluster], Any]] = {
    "ours": lambda cluster: shell_in(cluster, "odd"),
    "image": lambda cluster: shell_in(cluster, "odd", "--image", BUSYBOX),
    "in-place": lambda cluster: shell_in(cluster, "odd", "--in-place"),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_key_deletes_a_character(clean: Cluster, kind: Callable[[Cluster], Any]) -> None:
    child = kind(clean)
    e, han = "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{CJK UNIFIED IDEOGRAPH-6F22}"
    child.sendline(
        f"printf '<%s>\\n' {e}\x7fx{han}\x7fy{e}{han} | od -An -tx1 | tr -d ' \\n'; echo ."
    )
    child.expect("3c7879c3a9e6bca23e0a[.]")
    child.sendline("env | grep -c ^LANG=; env | grep -c ^LC_; echo over$((1 + 1))")
    child.expect("0\r\n0\r\nover2")
    child.sendline("exit")
    child.expect(pexpect.EOF)
