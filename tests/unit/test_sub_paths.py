"""The parts of volumes that a copy mounts: no new folder in what outlives it."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_scratch.kube.objects import all_containers
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.podcopy.manifest import Copied
from kubectl_scratch.plan.seed import Entrypoint, Seeding
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_container, a_pod, copy_for

CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}
PRIVATE = {"name": "data", "emptyDir": {}}
RUNS: Json = {"state": {"running": {}}}
METADATA = {
    "uid": "7c9",
    "labels": {"index": "3", "empty": ""},
    "annotations": {"place": "b/c", "up": "../x", "root": "/x", "price": "5$"},
}
ADDRESSES = {"hostIP": "10.0.0.1", "podIP": "10.1.0.9", "podIPs": [{"ip": "10.1.0.9"}]}
UNKNOWN = None


def a_source(container: Json, volume: Json = CLAIM, status: Json = RUNS, **spec: Any) -> Json:
    statuses = [{"name": container["name"], **status}]
    return a_pod(
        "db-0",
        metadata=METADATA,
        containers=[container],
        volumes=[volume],
        nodeName="node-1",
        serviceAccountName="shop",
        status={**ADDRESSES, "containerStatuses": statuses},
        **spec,
    )


def copy_of(source: Json, **wanted: Any) -> Copied:
    return copy_for(source, "db-0-scratch-x", {}, {}, CopyOptions(**wanted))


def blockers(copied: Copied) -> list[str]:
    return [f.text for f in copied.findings if f.level is Level.BLOCKER]


def a_mount(expression: str = "", **more: Any) -> Json:
    return {
        "name": "data",
        "mountPath": "/data",
        **({"subPathExpr": expression} if expression else {}),
        **more,
    }


def by_field(path: str) -> Json:
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def by_resource(resource: str) -> Json:
    return {"valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": "1Mi"}}}


EXPRESSIONS: list[tuple[str, Json, str | None]] = [
    ("$(X)", by_field("metadata.name"), "db-0"),
    ("$(X)", by_field("metadata.namespace"), "default"),
    ("$(X)", by_field("metadata.uid"), "7c9"),
    ("$(X)", by_field("metadata.labels['index']"), "3"),
    ("$(X)", by_field("metadata.annotations['place']"), "b/c"),
    ("$(X)", by_field("metadata.annotations['price']"), "5$"),
    ("$(X)", by_field("spec.nodeName"), "node-1"),
    ("$(X)", by_field("spec.serviceAccountName"), "shop"),
    ("$(X)", by_field("status.podIP"), "10.1.0.9"),
    ("$(X)", by_field("status.podIPs"), "10.1.0.9"),
    ("$(X)", by_field("status.hostIP"), "10.0.0.1"),
    ("$(X)", by_field("status.hostIPs"), "10.0.0.1"),
    ("$(X)", by_resource("limits.memory"), "64"),
    ("logs/$(X)-$(X)", {"value": "a"}, "logs/a-a"),
    ("$$(X)", {"value": "a"}, "$(X)"),
    ("$(X)", {"value": "$(EARLIER)/b"}, "a/b"),
    ("$(X)", {"value": "$$(EARLIER)"}, "$(EARLIER)"),
    ("fixed", {"value": "a"}, "fixed"),
    # What can't be known, and what the kubelet takes for no path.
    ("$(X)", {"value": "$(LATER)"}, UNKNOWN),
    ("$(X)", {"value": ""}, UNKNOWN),
    ("$(X)", {}, UNKNOWN),
    ("$(NOBODY_S)", {"value": "a"}, UNKNOWN),
    ("$(X)", by_field("metadata.labels['gone']"), UNKNOWN),
    ("$(X)", by_field("metadata.labels['empty']"), UNKNOWN),
    ("$(X)", by_field("metadata.annotations['up']"), UNKNOWN),
    ("$(X)", by_field("metadata.annotations['root']"), UNKNOWN),
    ("$(X)", by_field("status.of-tomorrow"), UNKNOWN),
    ("$(X)", by_resource("limits.cpu"), UNKNOWN),
    ("$(X)", {"valueFrom": {"configMapKeyRef": {"name": "x", "key": "x"}}}, UNKNOWN),
    ("$(X)", {"valueFrom": {"secretKeyRef": {"name": "x", "key": "x"}}}, UNKNOWN),
    ("$(X)", {"valueFrom": {"fileKeyRef": {"path": "x", "key": "x"}}}, UNKNOWN),
]


@pytest.mark.parametrize("expression, variable, path", EXPRESSIONS)
def test_an_expression_is_the_source_s_own_folder(
    expression: str, variable: Json, path: str | None
) -> None:
    env = [
        {"name": "EARLIER", "value": "a"},
        {"name": "X", **variable},
        {"name": "LATER", "value": "a"},
    ]
    limits = {"limits": {"memory": "64Mi"}}
    container = a_container(
        env=env,
        envFrom=[{"configMapRef": {"name": "x"}}],
        volumeMounts=[a_mount(expression)],
        resources=limits,
    )
    copied = copy_of(a_source(container))
    (mount,) = copied.manifest["spec"]["containers"][0]["volumeMounts"]
    if path is None:
        (text,) = blockers(copied)
        assert "app:/data" in text and "use --skip-volume data to copy without it" in text
        assert not blockers(copy_of(a_source(container), skip_volumes=frozenset({"data"})))
        # Nor may it be made where the volume is writable: it would be another folder.
        assert blockers(copy_of(a_source(container), writable=frozenset({"data"})))
    else:
        assert not blockers(copied)
        assert mount["subPath"] == path and "subPathExpr" not in mount
        assert mount["readOnly"] is True
    # In a volume of the pod's own nothing is made that stays.
    assert not blockers(copy_of(a_source(container, PRIVATE)))


@pytest.mark.parametrize("held", [False, True])
def test_the_name_in_a_folder_is_the_source_s_whatever_the_variable_says(held: bool) -> None:
    env = [{"name": "POD_NAME", **by_field("metadata.name")}]
    container = a_container(env=env, volumeMounts=[a_mount("$(POD_NAME)")])
    seeding = Seeding("x", "amd64", "app", Entrypoint("spec", 1, ("/app",)) if held else None)
    copied = copy_for(a_source(container), "x", {}, {}, seeding=seeding)
    mount = copied.manifest["spec"]["containers"][0]["volumeMounts"][0]
    assert mount["subPath"] == "db-0"


ENDED = {"state": {"terminated": {"exitCode": 1}}}
LOOPS = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED["state"]}
WAITS = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}


def warned(copied: Copied) -> list[str]:
    texts = [f.text for f in copied.findings if f.level is Level.WARNING]
    return [text for text in texts if "folder" in text]


NEW = [(RUNS, False), (ENDED, False), (LOOPS, False), (WAITS, True), ({}, True)]


@pytest.mark.parametrize("status, new", NEW)
def test_a_folder_that_the_source_has_not_mounted_is_told(status: Json, new: bool) -> None:
    source = a_source(a_container(volumeMounts=[a_mount(subPath="db")]), status=status)
    copied = copy_of(source)
    assert blockers(copied) == []
    assert [
        ("creates these folders" in w, "db in volume data" in w, "--skip-volume data" in w)
        for w in warned(copied)
    ] == [(True, True, True)] * new
    for allowed in ("writable", "skip_volumes"):
        assert not warned(copy_of(source, **{allowed: frozenset({"data"})}))
    assert not warned(copy_of({**source, "spec": {**source["spec"], "volumes": [PRIVATE]}}))


@pytest.mark.parametrize("status, new", NEW)
def test_a_folder_of_an_expression_is_not_made(status: Json, new: bool) -> None:
    env = [{"name": "X", "value": "db"}]
    source = a_source(a_container(env=env, volumeMounts=[a_mount("$(X)")]), status=status)
    copied = copy_of(source)
    assert [
        ("folder db" in b, "--skip-volume data" in b, "--writable data" in b)
        for b in blockers(copied)
    ] == [(True, True, True)] * new
    for allowed in ("writable", "skip_volumes"):
        assert not blockers(copy_of(source, **{allowed: frozenset({"data"})}))
    assert not blockers(copy_of({**source, "spec": {**source["spec"], "volumes": [PRIVATE]}}))


def test_a_folder_that_another_container_has_mounted_is_there() -> None:
    app = a_container(volumeMounts=[a_mount(subPath="db")])
    init = a_container("init", volumeMounts=[a_mount(subPath="./db/"), a_mount(subPath="other")])
    source = a_source(app, status=WAITS, initContainers=[init])
    (text,) = warned(copy_of(source))
    assert "other in volume data" in text
    source["status"]["initContainerStatuses"] = [{"name": "init", **ENDED}]
    assert warned(copy_of(source)) == []


def a_held_copy(source: Json, target: str, hold_all: bool = False) -> Copied:
    seeding = Seeding("x", "amd64", target, Entrypoint("spec", 1, ("/app",)), hold_all)
    return copy_for(source, "x", {}, {}, target=target, seeding=seeding)


@pytest.mark.parametrize("mount", [{"subPath": "db"}, {"subPathExpr": "$(UNKNOWN)"}])
@pytest.mark.parametrize(
    "target, hold_all, at_fault",
    [
        ("first", False, {"first"}),
        ("second", False, {"first", "second"}),
        # The others idle, with their volumes; plain init containers are left out.
        ("second", True, {"second"}),
        ("app", True, {"app"}),
        ("app", False, {"first", "second", "app"}),
    ],
)
def test_what_never_starts_in_the_copy_makes_no_folder(
    mount: Json, target: str, hold_all: bool, at_fault: set[str]
) -> None:
    for name in ("first", "second", "app"):
        there = {
            each: a_container(each, volumeMounts=[a_mount(**mount)] if each == name else [])
            for each in ("first", "second", "app")
        }
        inits = [there["first"], there["second"]]
        source = a_source(there["app"], status=WAITS, initContainers=inits)
        copied = a_held_copy(source, target, hold_all)
        assert bool([*warned(copied), *blockers(copied)]) is (name in at_fault)


@pytest.mark.parametrize("mount", [{"subPath": "db"}, {"subPathExpr": "$(UNKNOWN)"}])
def test_nothing_is_made_where_a_driver_mounts_read_only(mount: Json) -> None:
    volume = {"name": "data", "csi": {"driver": "x", "readOnly": True}}
    source = a_source(a_container(volumeMounts=[a_mount(**mount)]), volume, WAITS)
    copied = copy_of(source)
    assert (warned(copied), blockers(copied)) == ([], [])


def test_a_pod_from_a_template_has_no_folder_yet() -> None:
    source = a_source(
        a_container(
            volumeMounts=[a_mount("$(X)")], env=[{"name": "X", **by_field("metadata.name")}]
        )
    )
    del source["metadata"]["uid"], source["status"]
    assert blockers(copy_of(source))


def test_a_private_volume_s_expression_that_is_not_known_is_the_kubelet_s() -> None:
    container = a_container(volumeMounts=[a_mount("$(NOBODY_S)")])
    copied = copy_of(a_source(container, PRIVATE))
    (app,) = all_containers(copied.manifest)
    assert app["volumeMounts"] == [a_mount("$(NOBODY_S)")]
