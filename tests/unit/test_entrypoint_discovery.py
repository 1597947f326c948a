"""Entrypoint discovery: the pod in which an image's own command is seen."""

from __future__ import annotations

from copy import deepcopy

import pytest

from kubectl_scratch.kube.objects import find
from kubectl_scratch.plan.entrypoint_discovery import discovery_failure, discovery_pod_manifest
from kubectl_scratch.plan.podcopy.mesh import OPT_OUT_ANNOTATIONS
from kubectl_scratch.plan.seed import SEED_VOLUME, TOOLKIT_VOLUME
from tests.support.builders import Json, a_container, a_pod, a_waiting_container

CONTEXT = {"runAsUser": 1000, "allowPrivilegeEscalation": False}
GATE = [{"conditionType": "kubectl-scratch/never-ready"}]
TARGET = a_container(
    args=["--port", "80"],
    env=[{"name": "TOKEN", "value": "s3cret"}],
    envFrom=[{"secretRef": {"name": "x"}}],
    volumeMounts=[{"name": "data", "mountPath": "/data"}],
    volumeDevices=[{"name": "disk", "devicePath": "/dev/x"}],
    securityContext=CONTEXT,
    resources={"limits": {"memory": "64Mi"}},
    imagePullPolicy="Never",
    lifecycle={"postStart": {"exec": {"command": ["x"]}}},
    livenessProbe={"httpGet": {"port": 80}},
    ports=[{"containerPort": 80}],
    workingDir="/srv",
)
COPY = a_pod(
    "mypod-scratch-bcdfg",
    containers=[TARGET, a_container("other")],
    initContainers=[a_container("setup")],
    metadata={"labels": {"a": "b"}, "annotations": {"c": "d"}},
    volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}],
    readinessGates=GATE,
    securityContext={"fsGroup": 2000},
    serviceAccountName="shop",
    nodeSelector={"disk": "ssd"},
    tolerations=[{"operator": "Exists"}],
    affinity={"nodeAffinity": {}},
    imagePullSecrets=[{"name": "pull"}],
    runtimeClassName="gvisor",
    hostNetwork=True,
    hostPID=True,
    hostUsers=False,
)


def made(copy: Json = COPY, target: Json = TARGET) -> Json:
    return discovery_pod_manifest(copy, target, "mypod-scratch-bcdfg-learn", "mypod-scratch-bcdfg")


def parts(pod: Json) -> tuple[Json, Json]:
    (app,), (watcher,) = pod["spec"]["containers"], pod["spec"]["initContainers"]
    return app, watcher


def test_the_watched_app_has_none_of_the_data_of_the_pod() -> None:
    app, watcher = parts(made())
    for container in (app, watcher):
        assert not {"env", "envFrom", "volumeDevices", "ports", "lifecycle"} & container.keys()
        assert "livenessProbe" not in container
    assert "volumeMounts" not in app
    assert "s3cret" not in str(made())
    volumes = [volume["name"] for volume in made()["spec"]["volumes"]]
    assert volumes == [SEED_VOLUME, TOOLKIT_VOLUME]


def test_it_runs_as_its_image_says_and_under_the_same_security() -> None:
    app, watcher = parts(made())
    assert "command" not in app and app["args"] == ["--port", "80"]
    for container in (app, watcher):
        assert container["image"] == TARGET["image"]
        assert container["securityContext"] == CONTEXT
        assert container["imagePullPolicy"] == "Never"
    assert made()["spec"]["securityContext"] == {"fsGroup": 2000}


def test_the_watcher_is_there_before_the_app_and_knows_how_many_words_are_the_pod_s() -> None:
    _, watcher = parts(made())
    assert watcher["restartPolicy"] == "Always"
    assert watcher["command"] == ["/.scratch-seed/seed", "learn", "2", "app"]
    assert "args" not in watcher
    bare = {key: value for key, value in TARGET.items() if key != "args"}
    assert parts(made(target=bare))[1]["command"][2:] == ["0", "app"]
    assert made()["spec"]["shareProcessNamespace"] is True


@pytest.mark.parametrize(
    "field",
    [
        *("affinity", "hostUsers", "imagePullSecrets", "nodeSelector", "readinessGates"),
        *("runtimeClassName", "securityContext", "serviceAccountName", "tolerations"),
    ],
)
def test_it_goes_where_the_copy_goes(field: str) -> None:
    assert made()["spec"][field] == COPY["spec"][field]


def test_it_reaches_as_little_as_can_be() -> None:
    spec = made()["spec"]
    assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID"} & spec.keys()
    assert spec["restartPolicy"] == "OnFailure"
    assert [c["name"] for c in spec["containers"]] == ["app"]


def test_no_service_sends_to_it_and_the_same_policies_hold() -> None:
    pod = made()
    assert pod["spec"]["readinessGates"] == GATE
    assert pod["metadata"]["labels"].items() >= {"a": "b"}.items()
    assert pod["metadata"]["name"] == "mypod-scratch-bcdfg-learn"
    assert pod["metadata"]["namespace"] == "default"


def test_no_mesh_takes_it_for_its_own() -> None:
    source = a_pod(metadata={"labels": {"istio.io/rev": "x"}, "annotations": {"c": "d"}})
    found = made(source, a_container())["metadata"]
    assert found["labels"]["sidecar.istio.io/inject"] == "false"
    assert found["annotations"] == {"c": "d", **OPT_OUT_ANNOTATIONS}
    assert "istio.io/rev" not in found["labels"]


def test_it_ends_by_itself() -> None:
    assert made()["spec"]["activeDeadlineSeconds"] == 600


def test_what_decides_where_and_how_the_app_is_found_is_kept() -> None:
    path = {"name": "PATH", "value": "/opt/bin:/bin"}
    app, watcher = parts(made(target={**TARGET, "env": [*TARGET["env"], path]}))
    assert (app["env"], app["workingDir"]) == ([path], "/srv")
    assert not {"env", "workingDir"} & watcher.keys()


@pytest.mark.parametrize(
    "more", [{"value": "$(HOME)/bin"}, {"valueFrom": {"configMapKeyRef": {"name": "x"}}}, {}]
)
def test_a_path_that_is_made_from_elsewhere_is_not(more: Json) -> None:
    app, _ = parts(made(target={**TARGET, "env": [{"name": "PATH", **more}]}))
    assert "env" not in app


GPU = {"cpu": "100m", "nvidia.com/gpu": "1", "hugepages-2Mi": "4Mi"}
RESOURCES = [
    ({}, None, None),
    (
        {"limits": GPU, "requests": {"memory": "1Gi"}, "claims": [{"name": "gpu"}]},
        {"limits": {"cpu": "100m"}, "requests": {"memory": "1Gi"}},
        {"limits": {"cpu": "500m"}, "requests": {"cpu": "10m", "memory": "16Mi"}},
    ),
    ({"requests": {"cpu": "4"}}, {"requests": {"cpu": "4"}}, {"requests": {"cpu": "10m"}}),
    ({"limits": {"example.com/x": "1"}}, None, None),
    ({"limits": None, "claims": [{"name": "gpu"}]}, None, None),
]


@pytest.mark.parametrize(("copied", "app_s", "watcher_s"), RESOURCES, ids=lambda v: str(v)[:30])
def test_the_watcher_has_little_and_of_its_own_and_nobody_a_device(
    copied: Json, app_s: Json | None, watcher_s: Json | None
) -> None:
    # As the copy has it: --resources may have changed it.
    copy = {**COPY, "spec": {"containers": [{**TARGET, "resources": copied}]}}
    app, watcher = parts(made(copy))
    assert (app.get("resources"), watcher.get("resources")) == (app_s, watcher_s)


def test_the_copy_is_not_changed() -> None:
    copy, target = deepcopy(COPY), deepcopy(TARGET)
    pod = made(copy, target)
    pod["spec"]["tolerations"].append({})
    pod["metadata"]["labels"]["x"] = "y"
    (find(pod["spec"]["containers"], "app") or {})["args"].append("z")
    assert (copy, target) == (COPY, TARGET)


def status(state: Json) -> Json:
    return a_pod(status={"containerStatuses": [{"name": "app", "state": state}]})


@pytest.mark.parametrize(
    "pod, why",
    [
        (status({"terminated": {"reason": "StartError", "message": "exec: no"}}), "exec: no"),
        (status({"terminated": {"reason": "ContainerCannotRun"}}), "ContainerCannotRun"),
        (
            a_pod(
                status={"containerStatuses": [a_waiting_container("InvalidImageName", "", "app")]}
            ),
            "InvalidImageName",
        ),
        (
            a_pod(
                status={
                    "containerStatuses": [a_waiting_container("ErrImageNeverPull", "no", "app")]
                }
            ),
            "no",
        ),
        (status({"terminated": {"reason": "Error", "exitCode": 137}}), ""),
        (status({"waiting": {"reason": "PodInitializing"}}), ""),
        (status({"waiting": {"reason": "ErrImagePull", "message": "i/o timeout"}}), ""),
        (status({"running": {}}), ""),
        (a_pod(), ""),
        ({**a_pod(), "status": None}, ""),
    ],
)
def test_when_nothing_can_be_seen_any_more(pod: Json, why: str) -> None:
    assert discovery_failure(pod, "app") == why
