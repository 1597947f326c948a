"""Manifests as kubectl takes them: from stdin, with keys that are no texts, without a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.api.harness import (
    PROMPT,
    SOURCE,
    Cli,
    clean,
    end_of,
    nothing_sent,
    source_pod,
)
from tests.support.fakerules import Object

CONTAINER = {"name": "app", "image": "app:1"}
JOB: Object = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"generateName": "migrate-"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}},
}


def filed(name: str = "filed", **fields: Any) -> bytes:
    """Return the manifest of a pod as YAML."""
    return yaml.safe_dump(source_pod(name, **fields)).encode()


def made(cli: Cli, prefix: str) -> Object:
    """Return the copy that was sent."""
    bodies = [r.body for r in cli.api.requests if r.method == "POST" and r.path.endswith("/pods")]
    (body,) = [body for body in bodies if body["metadata"]["name"].startswith(prefix)]
    return dict(body)


def test_a_command_with_a_manifest_on_stdin(cli: Cli) -> None:
    ended = cli.run("debug", "-f", "-", "--", "cat", data=filed())
    # The manifest is all that there was.
    assert (ended.code, ended.out, ended.errors) == (0, b"", [])
    assert "pod 'filed' not found: the copy is made from stdin" in ended.err
    assert made(cli, "filed-scratch-")
    clean(cli.api)


def test_a_manifest_of_what_is_there(cli: Cli) -> None:
    ended = cli.run("debug", "-f-", "--", "echo", "hi", data=filed(SOURCE))
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    assert "made from" not in ended.err
    clean(cli.api)


def test_the_flag_for_stdin_has_nothing_to_pass(cli: Cli) -> None:
    ended = cli.run("debug", "-f=-", "-i", "--", "cat", data=filed())
    assert (ended.code, ended.out, ended.errors) == (0, b"", [])
    clean(cli.api)


@pytest.mark.parametrize("words", [("debug", "--dry-run"), ("debug", "--dry-run=server")], ids=str)
def test_a_rehearsal_with_a_manifest_on_stdin(cli: Cli, words: tuple[str, ...]) -> None:
    ended = cli.run(*words, "-f", "-", data=filed())
    assert ended.code == 0 and b"copy of default/filed" in ended.out


def test_a_check_with_a_manifest_on_stdin(cli: Cli) -> None:
    ended = cli.run("check", "-f", "-", data=filed())
    assert ended.code == 0 and b"RESULT" in ended.out


def test_manifests_of_a_manifest_on_stdin(cli: Cli) -> None:
    ended = cli.run("debug", "-f", "-", "--dry-run", "-o", "json", data=filed())
    assert ended.code == 0
    assert [item["kind"] for item in json.loads(ended.out)["items"]][-1] == "Pod"


def test_a_shell_with_a_manifest_on_stdin_has_the_terminal(cli: Cli) -> None:
    path = cli.folder / "pod.yaml"
    path.write_bytes(filed())
    words = " ".join(cli.argv("debug", "-f", "-"))
    child = cli.on_terminal("/bin/sh", "-c", f"cat pod.yaml | {words}")
    child.expect(PROMPT)
    child.sendline("echo typed $((6 * 7)); exit 5")
    child.expect_exact("typed 42")
    assert end_of(child) == 5
    clean(cli.api)


def test_a_shell_without_a_terminal_is_refused(cli: Cli) -> None:
    ended = cli.run("debug", "-f", "-", data=filed())
    ended.complains("a shell needs a terminal")
    nothing_sent(cli.api)


def test_only_one_of_two_can_be_stdin(cli: Cli) -> None:
    ended = cli.run("debug", "-f", "-", "--custom", "-", "--", "true", data=filed())
    ended.complains("-f and --custom cannot both be read from stdin")
    nothing_sent(cli.api)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "stdin has no object"),
        (b"a: [", "stdin cannot be read"),
        (b"1: a", "'stdin' has no object"),
        (b"kind: ConfigMap", "'stdin' has no pod and no workload"),
        (b"\xff\xfe", "stdin cannot be read"),
        (b"a: &x [*x]", "stdin cannot be read; an anchor contains itself"),
        (b"a: &x {b: *x}", "stdin cannot be read; an anchor contains itself"),
        (b"? [a]\n: b", "stdin cannot be read"),
        (b"null: a\nkind: Pod", "stdin cannot be read; none cannot be a key"),
        (b"[" * 5000, "stdin cannot be read"),
        (b"kind: Pod\nmetadata: {generateName: 7}\nspec: {}", "is not valid"),
        (b"kind: Pod\nmetadata: {generateName: '-'}\nspec: {}", "is not valid"),
    ],
)
def test_what_is_no_manifest(cli: Cli, data: bytes, said: str) -> None:
    cli.run("debug", "-f", "-", "--", "true", data=data).complains(said)
    nothing_sent(cli.api)


def test_keys_that_are_no_texts_are_made_texts(cli: Cli) -> None:
    pod = source_pod("filed")
    pod["metadata"]["annotations"] = {"KEYS": "x"}
    text = yaml.safe_dump(pod).replace(
        "KEYS: x", "{8080: a, true: b, 1.5: c, 2.0: d, 0x10: e, -1: f, no: g}"
    )
    text = text.replace("annotations:\n    {", "annotations: {")
    plan = cli.run(
        *("debug", "-f", "-", "--keep-annotations", "--dry-run", "-o", "json"), data=text.encode()
    )
    assert (plan.code, plan.errors) == (0, []), plan
    kept = json.loads(plan.out)["items"][-1]["metadata"]["annotations"]
    wanted = {"8080": "a", "true": "b", "1.5": "c", "2": "d", "16": "e", "-1": "f", "false": "g"}
    assert wanted.items() <= kept.items()


def test_keys_of_something_beside_do_no_harm(cli: Cli) -> None:
    data = b"kind: ConfigMap\nmetadata: {name: x}\ndata: {8080: a}\n---\n" + filed()
    ended = cli.run("debug", "-f", "-", "--", "echo", "hi", data=data)
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    clean(cli.api)


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_a_name_that_is_to_be_generated(cli: Cli, kind: str) -> None:
    # A namesake is another object.
    cli.api.add({**JOB, "metadata": {"name": "migrate"}})
    cli.api.add(source_pod("migrate"))
    manifest = JOB if kind == "Job" else {**source_pod("x"), "metadata": JOB["metadata"]}
    manifest = json.loads(json.dumps(manifest))
    ended = cli.run("debug", "-f", "-", "--", "echo", "hi", data=json.dumps(manifest).encode())
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    assert f"the {kind.lower()}'s name is generated: the copy is made from stdin" in ended.err
    copy = made(cli, "migrate-scratch-")
    assert "generateName" not in copy["metadata"]
    assert copy["metadata"]["annotations"]["kubectl-scratch/source"] == "default/migrate"


def test_of_a_deep_manifest_no_python_is_told(cli: Cli) -> None:
    data = b'{"a":' * 3000 + b"1" + b"}" * 3000
    ended = cli.run("debug", "-f", "-", "--", "true", data=data)
    assert ended.code == 1 and len(ended.errors) == 1
    ended.is_well_formed()


HINTS = [
    ("debug", "pod", "pod/web"),
    ("debug", "pods", "pods/web"),
    ("debug", "po", "po/web"),
    ("debug", "Pod", "Pod/web"),
    *(("debug", word, f"{word}/web") for word in ("deployment", "deployments", "deploy")),
    *(("debug", word, f"{word}/web") for word in ("sts", "ds", "rs", "rc", "cj", "svc", "job")),
    ("debug", "deployments.apps", "deployments.apps/web"),
    ("check", "pod", "pod/web"),
    ("check", "deploy", "deploy/web"),
    ("attach", "pod", "pod/web"),
]


@pytest.mark.parametrize("row", HINTS, ids=str)
def test_a_kind_and_a_name_are_one_word(cli: Cli, row: tuple[str, str, str]) -> None:
    verb, kind, wanted = row
    command = ("--", "true") if verb != "check" else ()
    cli.run(verb, kind, "web", *command).complains(
        f"unexpected argument 'web'; did you mean {wanted}\\?$"
    )
    nothing_sent(cli.api)


def test_another_word_gets_the_other_hint(cli: Cli) -> None:
    cli.run("debug", "web", "sh").complains("unexpected argument 'sh'; pass a command after --")
    nothing_sent(cli.api)
