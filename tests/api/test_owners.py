"""Of a workload the pod is taken that it owns, whatever labels others have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.harness import PODS, Cli, sent, source_pod
from tests.support.fakerules import Object

LABELS = {"app": "shop", "pod-template-hash": "7d9f8b6c5"}
CRASHES = {
    "phase": "Running",
    "containerStatuses": [
        {
            "name": "app",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }
    ],
}
TEMPLATE = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {"containers": [{"name": "app", "image": "docker.io/scratch-testbed/http:1"}]},
}
SPEC = {"selector": {"matchLabels": {"app": "shop"}}, "template": TEMPLATE}


def owned_by(owner: Object, controller: bool = True) -> Object:
    meta = owner["metadata"]
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"]}
    return {**reference, "uid": meta["uid"], "controller": controller}


def add(cli: Cli, kind: str, name: str, spec: Object, *owners: Object, **metadata: Any) -> Object:
    metadata = {"name": name, "namespace": "default", "ownerReferences": list(owners), **metadata}
    return cli.api.add({"kind": kind, "metadata": metadata, "spec": spec})


def add_pod(cli: Cli, name: str, *owners: Object, **fields: Any) -> Object:
    labels = fields.pop("labels", LABELS)
    metadata = {"labels": labels, "ownerReferences": list(owners)}
    return cli.api.add(source_pod(name, metadata=metadata, **fields))


def a_shop(cli: Cli, *, own: bool = True) -> Object:
    """Add a Deployment, its ReplicaSet and pod, and pods that look like that and crash."""
    deployment = add(cli, "Deployment", "shop", SPEC)
    mine = add(cli, "ReplicaSet", "shop-7d9f8b6c5", SPEC, owned_by(deployment), labels=LABELS)
    other = add(cli, "Deployment", "other", SPEC)
    theirs = add(cli, "ReplicaSet", "other-7d9f8b6c5", SPEC, owned_by(other), labels=LABELS)
    bare = add(cli, "ReplicaSet", "bare", SPEC, labels=LABELS)
    add_pod(cli, "look-alike", status=CRASHES)
    add_pod(cli, "theirs", owned_by(theirs), status=CRASHES)
    add_pod(cli, "of-a-bare-one", owned_by(bare), status=CRASHES)
    add_pod(cli, "not-controlled", owned_by(mine, controller=False), status=CRASHES)
    if own:
        add_pod(cli, "shop-7d9f8b6c5-abcde", owned_by(mine))
    return mine


def source_of(cli: Cli) -> str:
    """Return the source of the only copy."""
    (post,) = sent(cli.api, "POST", PODS)
    return str(post.body["metadata"]["annotations"]["kubectl-scratch/source"])


def test_a_pod_that_only_looks_like_a_deployments(cli: Cli) -> None:
    a_shop(cli)
    ended = cli.run("debug", "deployment/shop", "--", "true")
    assert (ended.code, ended.warnings) == (0, [])
    assert "using pod shop-7d9f8b6c5-abcde" in ended.err
    assert source_of(cli) == "default/shop-7d9f8b6c5-abcde"


def test_the_pods_and_the_replicasets_are_asked_for_at_once(cli: Cli) -> None:
    """Whoever waits for the one need not wait for the other afterwards."""
    a_shop(cli)
    import threading

    path = r"/replicasets$"
    held = cli.api.fault(
        method="GET", path=path, hold=threading.Event(), when=lambda r: "labelSelector" in r.query
    )
    process = cli.start("debug", "deployment/shop", "--", "true")
    cli.api.wait_for(
        lambda api: any(
            r.path.endswith("/pods") and "labelSelector" in r.query for r in api.requests
        )
    )
    assert held.hold is not None
    held.hold.set()
    process.communicate(b"")
    assert process.returncode == 0


def test_a_deployment_without_pods_is_copied_from_its_template(cli: Cli) -> None:
    a_shop(cli, own=False)
    ended = cli.run("debug", "deployment/shop", "--", "true")
    assert ended.code == 0 and "deployment shop has no pods" in ended.err
    assert source_of(cli) == "default/shop"


@pytest.mark.parametrize("status", [403, 503])
def test_without_replicasets_the_names_of_the_owners_tell(cli: Cli, status: int) -> None:
    a_shop(cli)
    cli.api.fault(method="GET", path=r"/replicasets$", status=status, times=None)
    ended = cli.run("debug", "deployment/shop", "--", "true")
    assert ended.code == 0 and source_of(cli) == "default/shop-7d9f8b6c5-abcde"
    assert any("are found by the names of their owners" in line for line in ended.warnings)


def test_a_hiccup_while_replicasets_are_listed_is_none(cli: Cli) -> None:
    a_shop(cli)
    cli.api.fault(method="GET", path=r"/replicasets$", status=503, times=2)
    ended = cli.run("debug", "deployment/shop", "--", "true")
    assert (ended.code, ended.warnings) == (0, [])


def test_a_pod_that_only_looks_like_a_cronjobs(cli: Cli) -> None:
    spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": TEMPLATE}}}
    nightly = add(cli, "CronJob", "nightly", spec)
    job = add(cli, "Job", "nightly-1", {"template": TEMPLATE}, owned_by(nightly))
    labels = {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}
    add_pod(cli, "look-alike", status=CRASHES, labels=labels)
    add_pod(cli, "nightly-1-abcde", owned_by(job), labels=labels)
    ended = cli.run("debug", "cronjob/nightly", "--", "true")
    assert ended.code == 0 and source_of(cli) == "default/nightly-1-abcde"


def test_a_service_has_whatever_it_selects(cli: Cli) -> None:
    a_shop(cli)
    add(cli, "Service", "shop", {"selector": {"app": "shop"}})
    ended = cli.run("debug", "service/shop", "--command", "x", "--", "true")
    assert ended.code == 0 and source_of(cli) != "default/shop-7d9f8b6c5-abcde"


# Where no node can take the copy


@pytest.mark.parametrize(
    "spec, told",
    [
        ({"nodeSelector": {"no": "such"}}, "its node selector or affinity does not match (1 of 1)"),
        ({}, ""),
    ],
)
def test_the_check_sees_what_no_node_can_take(cli: Cli, spec: Object, told: str) -> None:
    cli.api.add(source_pod("picky", **spec))
    ended = cli.run("check", "picky")
    assert ended.code == (1 if told else 0)
    assert (told or "no node can").encode() in ended.out or not told
    assert (b"no node can take the copy" in ended.out) is bool(told)


def test_nodes_that_can_not_be_listed_are_not_known_to_be_none(cli: Cli) -> None:
    cli.api.add(source_pod("picky", nodeSelector={"no": "such"}))
    cli.api.fault(method="GET", path="/nodes$", status=403, reason="Forbidden", times=None)
    ended = cli.run("check", "picky")
    assert ended.code == 0 and b"they cannot be listed" in ended.out
