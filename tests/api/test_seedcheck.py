"""What runs in the copy is proven to be ours before anything is handed to it."""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.toolkit.archive import SEED
from tests.api.harness import (
    A_CONFIG_MAP,
    CONFIG_MAPS,
    EXEC,
    PODS,
    PROMPT,
    START,
    Cli,
    Ended,
    a_cluster,
    clean,
    copy_of,
    end_of,
    finish,
    line_of,
    release,
    sent,
    source_pod,
)
from tests.support.fakeapi import FakeCluster
from tests.support.fakeexec import localized
from tests.support.fakerules import Object
from tests.support.patience import PATIENCE

NOT_OURS = "the program in the copy is not ours: "
MARK = "kubectl-scratch/seed-uid"


def config_map_of(api: FakeCluster) -> Object:
    """Return the ConfigMap of the only copy."""
    (name,) = api.names("configmaps", "default")
    return api.get("configmaps", "default", name)


def put(api: FakeCluster, found: Object) -> None:
    """Put another ConfigMap in its place, as whoever may delete and create them."""
    api.delete("configmaps", "default", found["metadata"]["name"])
    api.add(found)


def replaced(api: FakeCluster) -> None:
    """Let another program come by the same name, in a ConfigMap that is else the same."""
    other = base64.b64encode(b"another program").decode()
    put(api, {**config_map_of(api), "binaryData": {"seed": other}})


def same_again(api: FakeCluster) -> None:
    """Let the same bytes come back, once the node has mounted what was there meanwhile."""
    put(api, config_map_of(api))


def deleted(api: FakeCluster) -> None:
    """Delete it, once the node has mounted what was there meanwhile."""
    api.delete("configmaps", "default", config_map_of(api)["metadata"]["name"])


def changed(api: FakeCluster) -> None:
    """Let an API server have taken something else than was sent, with the UID that it told."""
    name, other = config_map_of(api)["metadata"]["name"], base64.b64encode(b"other").decode()
    api.patch("configmaps", "default", name, {"binaryData": {"seed": other}})


def mutable(api: FakeCluster) -> None:
    """Let an admission webhook have dropped that it can't be changed."""
    name = config_map_of(api)["metadata"]["name"]
    api.patch("configmaps", "default", name, {"immutable": None})


@dataclass(frozen=True)
class Swap:
    """What happens to the ConfigMap before the node mounts it, who may not see it, and how."""

    id: str
    happens: Callable[[FakeCluster], None]
    said: str
    flags: tuple[str, ...] = ()
    readable: bool = True


SWAPS = [
    Swap("replaced", replaced, "its ConfigMap has been replaced"),
    Swap("beside", replaced, "its ConfigMap has been replaced", ("--view", "tools")),
    Swap("held", replaced, "its ConfigMap has been replaced", ("--hold",)),
    Swap("no-get", replaced, "its ConfigMap has been replaced", (), False),
    Swap("same-bytes", same_again, "its ConfigMap has been replaced"),
    Swap("same-bytes-no-get", same_again, "its ConfigMap has been replaced", (), False),
    Swap("deleted", deleted, "its ConfigMap has been deleted"),
    Swap("deleted-no-get", deleted, "its ConfigMap has been deleted", (), False),
    Swap("changed", changed, "its ConfigMap has been changed"),
    Swap("mutable", mutable, "its ConfigMap is not immutable"),
]
# What pretends to be the seed, and keeps what it is given.
LIAR = "printf '%064d 1:2\\005' 0; exec cat > \"$0\""


def swapped(cli: Cli, happens: Callable[[FakeCluster], None], *args: str) -> Ended:
    """Run with this happening between the creation of the ConfigMap and that of the copy."""
    pods = cli.api.fault(method="POST", path=PODS, hold=threading.Event())
    process = cli.start(*args)
    assert pods.reached.wait(PATIENCE)
    happens(cli.api)
    release(pods)
    return finish(process)


@pytest.mark.parametrize("row", SWAPS, ids=lambda row: row.id)
def test_what_was_replaced_receives_nothing(tmp_path: Path, row: Swap) -> None:
    with a_cluster(tmp_path) as cli:
        if not row.readable:
            cli.api.fault(method="GET", path=A_CONFIG_MAP, status=403, times=None)
        given = tmp_path / "given"
        liar = ("sh", "-c", LIAR, str(given))
        cli.api.rewrite = lambda name, argv: liar if argv[:3] == START else argv
        ended = swapped(cli, row.happens, "debug", "mypod", *row.flags, "--", "echo", "hi")
        ended.complains(NOT_OURS + row.said, "nothing was sent to it")
        # It may have been ended before it could make the file.
        assert not given.exists() or given.read_bytes() == b""
        clean(cli.api)


def test_nor_does_it_on_a_terminal(cli: Cli) -> None:
    pods = cli.api.fault(method="POST", path=PODS, hold=threading.Event())
    child = cli.terminal("debug", "mypod")
    assert pods.reached.wait(PATIENCE)
    replaced(cli.api)
    release(pods)
    child.expect_exact(f"error: {NOT_OURS}its ConfigMap has been replaced")
    assert end_of(child) == 1
    clean(cli.api)


def test_what_is_ours_is_immutable_and_the_copy_says_which_it_is(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    found, copy = config_map_of(cli.api), cli.api.get("pods", "default", copy_of(cli.api))
    assert found["immutable"] is True
    assert copy["metadata"]["annotations"][MARK] == found["metadata"]["uid"]
    ended = finish(process)
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    clean(cli.api)


def test_a_program_that_says_another_checksum_is_refused(cli: Cli) -> None:
    other = cli.folder / "other"
    shutil.copy(localized(SEED, cli.folder), other)
    with other.open("ab") as file:
        file.write(b"\0")
    cli.api.rewrite = lambda name, argv: (str(other), *argv[1:]) if argv[:1] == (SEED,) else argv
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    ended.complains(f"{NOT_OURS}the program that answers is not the one in the ConfigMap")
    clean(cli.api)


@pytest.mark.parametrize("status", [403, 400])
def test_who_may_neither_get_nor_delete_it_is_told_once(cli: Cli, status: int) -> None:
    cli.api.fault(path=A_CONFIG_MAP, method="GET", status=403, times=None)
    asked = cli.api.fault(path=A_CONFIG_MAP, method="DELETE", dry=True, status=status, times=None)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors, asked.hits) == (0, b"hi\n", [], 1)
    (warning,) = ended.warnings
    assert "no permission to get or delete ConfigMaps" in warning
    assert "unknown whether the program in the copy was replaced" in warning
    clean(cli.api)


def test_who_may_only_delete_it_asks_without_deleting(cli: Cli) -> None:
    cli.api.fault(path=A_CONFIG_MAP, method="GET", status=403, times=None)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], [])
    (asked,) = [
        r
        for r in cli.api.requests
        if r.method == "DELETE" and r.path.split("/")[-2] == "configmaps"
    ]
    assert asked.body["dryRun"] == ["All"] and asked.body["preconditions"]["uid"]
    assert "configmaps" not in {change.plural for change in cli.api.deleted}
    clean(cli.api)


def test_a_hiccup_is_no_answer(cli: Cli) -> None:
    cli.api.fault(path=A_CONFIG_MAP, method="GET", status=503, times=2)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], [])
    clean(cli.api)


@pytest.mark.parametrize("status", [500, 503, 429, 422])
def test_without_an_answer_nothing_is_sent(cli: Cli, status: int) -> None:
    cli.api.fault(path=A_CONFIG_MAP, method="GET", status=status, times=None)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    ended.complains("the program in the copy could not be checked: injected; try again")
    clean(cli.api)


def _opened(cli: Cli) -> tuple[Any, str]:
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    return process, copy_of(cli.api)


@pytest.mark.parametrize("happens", [replaced, same_again, deleted, mutable])
def test_a_later_session_checks_as_well(cli: Cli, happens: Callable[[FakeCluster], None]) -> None:
    process, copy = _opened(cli)
    happens(cli.api)
    ended = cli.run("attach", copy, "--", "echo", "hi")
    ended.complains(f"{NOT_OURS}its ConfigMap ")
    assert finish(process).code == 0
    clean(cli.api)


def _unmark(api: FakeCluster, found: Object) -> None:
    """Make the copy as one that an older version has made."""
    name = found["metadata"]["name"]
    api.patch("pods", "default", name, {"metadata": {"annotations": {MARK: None}}})
    api.patch("configmaps", "default", name, {"immutable": None})


def test_a_copy_of_an_older_version_is_told_of(cli: Cli) -> None:
    process, copy = _opened(cli)
    _unmark(cli.api, config_map_of(cli.api))
    ended = cli.run("attach", copy, "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    (warning,) = ended.warnings
    assert "made by an older version" in warning
    assert finish(process).code == 0


OTHERS = [
    ({"ownerReferences": []}, "does not belong to the copy's lease"),
    ({"labels": {"kubectl-scratch/session": "other"}}, "belongs to another session"),
]


@pytest.mark.parametrize(("fields", "said"), OTHERS)
def test_of_such_a_copy_owner_and_label_are_checked(cli: Cli, fields: Object, said: str) -> None:
    process, copy = _opened(cli)
    found = config_map_of(cli.api)
    _unmark(cli.api, found)
    cli.api.patch("configmaps", "default", copy, {"metadata": fields})
    cli.run("attach", copy, "--", "echo", "hi").complains(f"{NOT_OURS}its ConfigMap {said}")
    assert finish(process).code == 0


def test_a_copy_of_another_version_takes_a_session(cli: Cli) -> None:
    process, copy = _opened(cli)
    other = cli.folder / "other"
    shutil.copy(localized(SEED, cli.folder), other)
    with other.open("ab") as file:
        file.write(b"\0")
    cli.api.rewrite = lambda name, argv: (str(other), *argv[1:]) if argv[:1] == (SEED,) else argv
    brought = {"seed": base64.b64encode(other.read_bytes()).decode()}
    cli.api.patch("configmaps", "default", copy, {"binaryData": brought})
    ended = cli.run("attach", copy, "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], [])
    assert finish(process).code == 0
    clean(cli.api)


def test_what_another_program_has_learned_is_told_to_nobody(cli: Cli) -> None:
    cli.api.delete("pods", "default", "mypod")
    cli.api.add(source_pod(nodeName="node-1"))
    image = cli.api.get("pods", "default", "mypod")["spec"]["containers"][0]["image"]
    cli.api.entrypoints[image] = ("/bin/echo", "an evil word")
    told = cli.api.fault(
        path=EXEC, hold=threading.Event(), when=lambda request: request.command[-1:] == ("tell",)
    )
    child = cli.terminal("debug", "mypod", "--hold", "--learn")
    child.expect(PROMPT)
    assert told.reached.wait(PATIENCE)
    replaced(cli.api)
    release(told)
    child.sendline("until ls $SCRATCH_TOOLKIT | grep -q learned; do sleep 0.05; done")
    child.sendline("cat $SCRATCH_TOOLKIT/*learned; echo; exit")
    said = child.read()
    end_of(child)
    assert f"{NOT_OURS}its ConfigMap has been replaced".encode() in said
    assert b"evil" not in said
    clean(cli.api)


def test_the_check_takes_the_session_no_longer_than_its_answer(cli: Cli) -> None:
    held = cli.api.fault(method="GET", path=A_CONFIG_MAP, hold=threading.Event())
    process = cli.start("debug", "mypod", "--", "echo", "hi")
    assert held.reached.wait(PATIENCE)
    # The seed has asked, and gets nothing until it is known to be ours.
    assert process.poll() is None
    release(held)
    ended = finish(process)
    assert (ended.code, ended.out) == (0, b"hi\n")
    (made,) = sent(cli.api, "POST", CONFIG_MAPS)
    assert made.body["immutable"] is True
    clean(cli.api)
