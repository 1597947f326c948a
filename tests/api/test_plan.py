"""The plan against a cluster that forbids, refuses, or has what gets in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_scratch.kube.objects import all_containers
from tests.api.harness import (
    CONFIG_MAPS,
    EPHEMERAL,
    PODS,
    Cli,
    asked_for,
    clean,
    copy_of,
    nothing_left,
    nothing_sent,
    sent,
    source_pod,
)
from tests.support.builders import a_container
from tests.support.fakerules import Request
from tests.support.patience import PATIENCE

LABELS = {"app": "shop", "tier": "web"}


def a_service(selector: dict[str, str], **spec: Any) -> dict[str, Any]:
    """Return a Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "namespace": "default", "uid": "uid-service"},
        "spec": {"selector": selector, **spec},
    }


def labelled(cli: Cli) -> None:
    """Give the source pod labels."""
    cli.api.delete("pods", "default", "mypod")
    cli.api.add(source_pod(metadata={"labels": LABELS}))


def made(cli: Cli) -> Any:
    """Return the copy as it was sent."""
    (post,) = sent(cli.api, "POST", PODS)
    return post.body


def test_the_copy_keeps_what_no_service_selects(cli: Cli) -> None:
    labelled(cli)
    cli.api.add(a_service({"app": "shop"}))
    ended = cli.run("debug", "mypod", "--", "true")
    assert (ended.code, ended.errors) == (0, [])
    labels = made(cli)["metadata"]["labels"]
    assert labels["tier"] == "web" and "app" not in labels
    clean(cli.api)


def test_without_a_list_of_services_no_label_is_kept(cli: Cli) -> None:
    labelled(cli)
    cli.api.fault(method="GET", path="/services$", status=403, reason="Forbidden", times=None)
    ended = cli.run("debug", "mypod", "--", "true")
    assert ended.code == 0
    (warning,) = ended.warnings
    assert "services cannot be listed" in warning and "--keep-labels" in warning
    assert set(LABELS).isdisjoint(made(cli)["metadata"]["labels"])


def test_keep_labels_keeps_them_and_says_who_sees_the_copy(cli: Cli) -> None:
    labelled(cli)
    cli.api.add(a_service({"app": "shop"}))
    ended = cli.run("debug", "mypod", "--keep-labels", "--", "true")
    assert ended.code == 0 and any("Service shop" in line for line in ended.warnings)
    assert LABELS.items() <= made(cli)["metadata"]["labels"].items()


def test_a_webhook_that_rejects_dry_runs_only(cli: Cli) -> None:
    said = 'admission webhook "w" does not support dry run'
    refusal = {"status": 400, "reason": "BadRequest", "message": said, "times": None}
    cli.api.fault(method="POST", path=PODS, dry=True, **refusal)
    cli.api.fault(method="PATCH", path=EPHEMERAL, status=403, reason="Forbidden")
    ended = cli.run("debug", "mypod", "--view", "tools", "--", "true")
    assert (ended.code, ended.errors) == (0, [])
    # Not judged, so found by trying: the first form was refused.
    assert len(sent(cli.api, "PATCH", EPHEMERAL)) == 2
    clean(cli.api)


def test_a_stronger_profile_that_is_refused_is_not_tried(cli: Cli) -> None:
    cli.api.fault(method="POST", path=PODS, status=403, reason="Forbidden", dry=True)
    ended = cli.run("debug", "mypod", "--view", "tools", "--", "true")
    assert ended.code == 0
    assert "using profile baseline, the strongest that is accepted" in ended.err
    (patch,) = sent(cli.api, "PATCH", EPHEMERAL)
    assert "SYS_PTRACE" not in str(patch.body)


def lacks_limits(request: Request) -> bool:
    return any("limits" not in (c.get("resources") or {}) for c in all_containers(request.body))


def takes_too_much(request: Request) -> bool:
    """Count as a quota does: init containers are over before the regular ones start."""
    taken = [c["resources"]["limits"]["cpu"] for c in request.body["spec"]["containers"]]
    return sum(map(int, taken)) > 1


@pytest.mark.parametrize("refuses", [lacks_limits, takes_too_much], ids=lambda f: f.__name__)
def test_a_quota_with_room_for_the_copy_is_enough(
    cli: Cli, refuses: Callable[[Request], bool]
) -> None:
    limits = {"limits": {"cpu": "1"}}
    cli.api.add(source_pod("limited", containers=[a_container(resources=limits)]))
    what = {"status": 403, "reason": "Forbidden", "message": "failed quota: q", "when": refuses}
    cli.api.fault(method="POST", path=PODS, dry=True, times=None, **what)
    ended = cli.run("check", "limited", "--view", "tools")
    assert b"failed quota" not in ended.out and b"the copy is accepted" in ended.out


def test_a_refusal_is_followed_by_what_lies_behind_it(cli: Cli) -> None:
    cli.api.access = lambda asked: asked["resourceAttributes"]["verb"] != "delete"
    cli.api.fault(method="POST", path=PODS, status=403, reason="Forbidden", times=None)
    ended = cli.run("debug", "mypod", "--", "true")
    assert ended.code == 1 and len(ended.errors) == 1
    assert any("permissions: no permission to delete pods" in line for line in ended.warnings)
    ended.is_well_formed()
    nothing_left(cli.api)


@pytest.mark.parametrize("where", ["client", "server"])
def test_a_dry_run_creates_nothing(cli: Cli, where: str) -> None:
    ended = cli.run("debug", "mypod", f"--dry-run={where}")
    assert (ended.code, ended.err) == (0, "")
    text = ended.out.decode()
    assert "copy of default/mypod, with container app as its target" in text
    assert "spec.shareProcessNamespace: true" in text
    assert sent(cli.api, "POST") == [] and cli.api.created == []


def test_the_manifests_of_a_dry_run_are_what_is_created(cli: Cli) -> None:
    text = cli.run("debug", "mypod", "--dry-run", "-o", "json", "--copy-name", "mine").out
    _, seed, copy = items = json.loads(text)["items"]
    assert [item["kind"] for item in items] == ["Job", "ConfigMap", "Pod"]
    assert {item["metadata"]["name"] for item in items} == {"mine"}
    other = cli.run("debug", "mypod", "--dry-run", "-o", "yaml", "--copy-name", "mine").out
    assert yaml.safe_load(other)["items"][2]["spec"] == copy["spec"]
    assert cli.run("debug", "mypod", "--copy-name", "mine", "--", "true").code == 0
    assert made(cli)["spec"] == copy["spec"]
    (post,) = sent(cli.api, "POST", CONFIG_MAPS)
    assert post.body["binaryData"] == seed["binaryData"]


def test_a_refusal_of_the_server_s_dry_run_is_an_error(cli: Cli) -> None:
    cli.api.fault(
        method="POST", path="/jobs$", status=403, reason="Forbidden", message="no!", dry=True
    )
    cli.run("debug", "mypod", "--dry-run=server").complains(
        "the API server rejected the request: no!"
    )
    assert cli.api.created == []


def test_a_blocker_is_part_of_a_dry_run_and_its_code_is_1(cli: Cli) -> None:
    cli.api.add(source_pod("dos", os={"name": "windows"}))
    ended = cli.run("debug", "dos", "--dry-run")
    assert ended.code == 1 and b"blocker: it is a Windows pod" in ended.out
    cli.run("debug", "dos", "--", "true").complains("cannot be copied; it is a Windows pod")
    nothing_sent(cli.api)


WRONG = [
    (("debug", "mypod", "-o", "yaml", "--", "true"), "-o needs --dry-run"),
    (("debug", "mypod", "-f", "x.yaml", "--", "true"), "TARGET and -f cannot be combined"),
    (("debug", "-f", "nosuch.yaml", "--", "true"), "'nosuch.yaml' cannot be read; nosuch.yaml: no"),
    (("debug", "mypod", "--custom", "nosuch.yaml", "--", "true"), "cannot be read"),
    (("debug", "mypod", "--env", "=v", "--", "true"), "has no value"),
    (("debug", "mypod", "--env", "A B=secret", "--", "true"), "is not a valid variable name"),
    (("debug", "mypod", "--set-image", "app", "--", "true"), "--set-image 'app' has no value"),
    (("debug", "mypod", "--set-image", "app=:x", "--", "true"), "not an image reference"),
    (("debug", "mypod", "--set-image", "nope=x", "--", "true"), "nope"),
    (("debug", "mypod", "--skip-init", "nope", "--", "true"), "nope"),
    (("debug", "mypod", "--skip-volume", "nope", "--", "true"), "nope"),
    (("debug", "mypod", "--writable", "nope", "--", "true"), "nope"),
    (("debug", "mypod", "--copy-name", "A_B", "--", "true"), "--copy-name 'A_B'"),
    (("debug", "mypod", "--profile", "root", "--", "true"), "'root' is not one of"),
    (("debug", "deployment/nope", "--", "true"), "deployment 'nope' not found"),
    (("debug", "service/headless", "--", "true"), "service 'headless' selects no pods"),
    (("debug", "node/x", "--", "true"), "'node' cannot be debugged"),
    (("check", "nosuch"), "pod 'nosuch' not found"),
    (("check", "mypod", "mypod"), "unexpected argument"),
]


@pytest.mark.parametrize("words, said", WRONG, ids=lambda value: str(value)[:50])
def test_a_wrong_wish_is_told_before_anything_is_created(
    cli: Cli, words: tuple[str, ...], said: str
) -> None:
    headless = a_service({})
    headless["metadata"]["name"] = "headless"
    cli.api.add(headless)
    ended = cli.run(*words)
    assert ended.code == 1 and len(ended.errors) == 1 and said in ended.errors[0], ended
    assert "secret" not in ended.err
    nothing_sent(cli.api)


@pytest.mark.parametrize(
    "text, said",
    [
        ("a: [", "cannot be read"),
        ("", "has no object"),
        ("- a", "has no object"),
        ("kind: ConfigMap\nmetadata: {name: x}", "has no pod and no workload"),
        ("kind: Pod\nmetadata: {name: 7}\nspec: {}", "is not valid"),
        ("kind: Pod\nmetadata: x\nspec: {}", "is not valid"),
        ("kind: Pod\nmetadata: {name: ..}\nspec: {}", "is not valid"),
        ("kind: Pod\nmetadata: {name: x, namespace: [a]}\nspec: {}", "is not valid"),
        ("kind: Pod\nmetadata: {name: x}\nspec: {}", "is not valid"),
        ("kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a}]}", "is not valid"),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {}}",
            "the deployment in",
        ),
        ("kind: Pod\n---\nkind: Pod", "has several objects with pods: pod, pod; use one"),
        ("apiVersion: serving.example/v1\nkind: Service\nmetadata: {name: x}", "has no pod and"),
        ("1: a", "has no object"),
        ("kind: Service\nmetadata: {name: x}\nspec: {}", "a service has no pod"),
    ],
)
def test_a_wrong_manifest(cli: Cli, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(text)
    cli.run("debug", "-f", str(path), "--", "true").complains(said)
    nothing_sent(cli.api)


def test_a_manifest_among_others_and_with_what_looks_like_a_date(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    pod = source_pod("filed")
    pod["spec"]["containers"][0]["env"] = [{"name": "DAY", "value": "DATE"}]
    listed = {"kind": "List", "items": [{"kind": "ConfigMap", "metadata": {"name": "x"}}, pod]}
    path.write_text(yaml.safe_dump(listed).replace("DATE", "2024-01-01"))
    ended = cli.run("debug", "-f", str(path), "--", "true")
    assert (ended.code, ended.errors) == (0, [])
    assert made(cli)["spec"]["containers"][0]["env"] == [{"name": "DAY", "value": "2024-01-01"}]


def test_a_manifest_of_another_namespace_than_the_flag_s(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    pod = source_pod("x", metadata={"namespace": "shop"})
    path.write_text(json.dumps(pod))
    words = ("debug", "-f", str(path), "-n", "default", "--", "true")
    cli.run(*words).complains("namespace is 'shop', but -n is 'default'")


def test_the_value_of_a_dry_run_may_stand_behind_a_space(cli: Cli) -> None:
    for words in (("--dry-run", "server", "mypod"), ("mypod", "--dry-run", "client")):
        ended = cli.run("debug", *words)
        assert (ended.code, ended.err) == (0, "") and b"copy of default/mypod" in ended.out


def test_findings_are_told_beside_manifests(cli: Cli) -> None:
    cli.api.add(source_pod("dos", os={"name": "windows"}))
    ended = cli.run("debug", "dos", "--dry-run", "-o", "yaml")
    assert ended.code == 1 and "it is a Windows pod" in ended.err


def test_a_dry_run_without_the_right_to_a_lease(cli: Cli) -> None:
    cli.api.access = lambda asked: asked["resourceAttributes"]["resource"] != "jobs"
    cli.api.fault(method="POST", path="/jobs$", status=403, reason="Forbidden", dry=True)
    assert cli.run("debug", "mypod", "--dry-run=server").code == 0


def test_a_check_that_cannot_read_the_pod_tells_the_permissions(cli: Cli) -> None:
    cli.api.fault(method="GET", path="/pods/mypod$", status=403, reason="Forbidden", times=None)
    cli.api.access = lambda asked: asked["resourceAttributes"]["verb"] != "get"
    ended = cli.run("check", "mypod")
    assert (ended.code, ended.err) == (1, "")
    assert b"no permission to get pods" in ended.out and b"kind: Role" in ended.out


def test_a_check_without_an_answer_is_no_refusal(cli: Cli) -> None:
    cli.api.fault(path="/selfsubjectaccessreviews$", status=503, times=None)
    ended = cli.run("check", "mypod")
    assert ended.code == 0 and b"did not answer for all permissions" in ended.out
    assert b"no permission to" not in ended.out and b"kind: Role" not in ended.out


def test_a_variable_s_value_is_told_nowhere(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "--env", "TOKEN=s3cret", "--dry-run")
    assert ended.code == 0 and b"s3cret" not in ended.out


def test_the_reason_is_for_those_who_find_the_copy(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--reason", "INC-7", "--", "sh", "-c", "echo in; cat")
    cli.api.wait_for(asked_for("POST", PODS), 30)
    cli.api.wait_for(lambda api: api.execs, 30)
    copy = copy_of(cli.api)
    process.communicate(b"", timeout=PATIENCE)
    assert process.returncode == 0
    post = made(cli)
    assert post["metadata"]["name"] == copy
    assert post["metadata"]["annotations"]["kubectl-scratch/reason"] == "INC-7"


def test_control_characters_of_the_cluster_are_escaped_in_a_plan(cli: Cli) -> None:
    evil = {"name": "d", "emptyDir": {}}
    init = {"name": "in\x1b[2J", "image": "x"}
    cli.api.add(source_pod("evil", volumes=[evil], initContainers=[init]))
    for words in (("debug", "evil", "--dry-run"), ("check", "evil")):
        text = cli.run(*words).out.decode()
        assert "\x1b" not in text and r"in\x1b[2J" in text


def test_the_check_changes_nothing_and_tells_what_lacks(cli: Cli) -> None:
    cli.api.access = lambda asked: asked["resourceAttributes"].get("subresource") != "exec"
    ended = cli.run("check", "mypod")
    assert (ended.code, ended.err) == (1, "")
    text = ended.out.decode()
    assert "no permission to create pods/exec" in text
    role = yaml.safe_load(text.partition("# The missing rights")[2].partition("\n")[2])
    assert role["kind"] == "Role"
    assert [rule["resources"] for rule in role["rules"]] == [["pods/exec"]]
    found = json.loads(cli.run("check", "mypod", "-o", "json").out)
    assert found["blocked"] and found["missingRole"] == role
    assert cli.api.created == []


def test_what_a_node_lacks_is_said(cli: Cli) -> None:
    pod = source_pod("tied", nodeName="n1")
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n1", "uid": "uid-n1"},
        "spec": {"unschedulable": True},
        "status": {"images": [{"names": ["docker.io/library/other:1"]}]},
    }
    for item in (pod, node):
        cli.api.add(item)
    ended = cli.run("check", "tied")
    assert ended.code == 0
    assert b"n1 is cordoned" in ended.out and b"the node may have to pull" in ended.out


def test_a_check_says_that_the_architecture_is_a_guess(cli: Cli) -> None:
    cli.api.add(source_pod("tied", nodeName="n1"))
    cli.api.fault(method="GET", path=r"/nodes/n1$", times=None, status=403, reason="Forbidden")
    ended = cli.run("check", "tied")
    (row,) = [line for line in ended.out.decode().splitlines() if line.startswith("node ")]
    assert "warning" in row and "runs on amd64 nodes only; use --arch for another" in row
    assert ended.code == 0


A_PATH = {"name": "logs", "hostPath": {"path": "/var/log/app", "type": "Directory"}}


@pytest.mark.parametrize(
    "features, told",
    [({"recursiveReadOnlyMounts": True}, False), ({}, True), (None, True)],
    ids=["can", "cannot", "unreadable"],
)
def test_mounts_below_a_host_path_are_told(
    cli: Cli, features: dict[str, bool] | None, told: bool
) -> None:
    mount = {"name": "logs", "mountPath": "/logs"}
    app = a_container(volumeMounts=[mount])
    cli.api.add(source_pod("tied", containers=[app], volumes=[A_PATH], nodeName="n1"))
    if features is None:
        cli.api.fault(method="GET", path=r"/nodes/n1$", times=None, status=403, reason="Forbidden")
    handlers = {"runtimeHandlers": [{"name": "", "features": features}]}
    cli.api.add({"kind": "Node", "metadata": {"name": "n1", "uid": "uid-n1"}, "status": handlers})
    ended = cli.run("debug", "tied", "--dry-run")
    assert (b"what is mounted below /var/log/app" in ended.out) is told, ended.out
    assert ended.code == 0


@pytest.mark.parametrize("node, code", [("n1", 0), (None, 1)])
def test_unlisted_claims_are_bound_if_the_source_has_a_node(
    cli: Cli, node: str | None, code: int
) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}
    cli.api.add(source_pod("tied", volumes=[volume], nodeName=node))
    path = r"/persistentvolumeclaims$"
    cli.api.fault(method="GET", path=path, times=None, status=403, reason="Forbidden")
    ended = cli.run("debug", "tied", "--dry-run")
    assert ended.code == code
    assert b"use --skip-volume data to copy without it" in ended.out
    assert (b"blocker: volume data" in ended.out) is bool(code), ended.out
