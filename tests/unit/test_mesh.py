"""What an injector put into a pod, and what asks it to do so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_scratch.kube.objects import (
    all_containers,
    annotations_of,
    labels_of,
    names_of,
    volumes,
)
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.podcopy.manifest import Copied
from kubectl_scratch.plan.podcopy.mesh import ISTIO_STATUS, injection_labels, mesh_containers
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_container, a_pod, copy_for

BY_INJECTOR = {"linkerd.io/created-by": "linkerd/proxy-injector edge-25.8.4"}
BY_HAND = {"linkerd.io/created-by": "linkerd/cli edge-25.8.4"}
VERSION = {"linkerd.io/proxy-version": "edge-25.8.4"}
NATIVE = {"restartPolicy": "Always"}


def copy_of(source: Json, keep_mesh: bool = True, labels: dict[str, str] | None = None) -> Copied:
    return copy_for(source, "x", labels or {}, {}, CopyOptions(keep_mesh=keep_mesh))


def mounting(name: str, *wanted: str, **more: Any) -> Json:
    mounts = [{"name": volume, "mountPath": f"/{volume}"} for volume in wanted]
    return a_container(name, volumeMounts=mounts, **more)


def with_istio(
    status: object, native: bool = False, annotations: dict[str, str] | None = None
) -> Json:
    """Return a pod that Istio has seen; the app mounts one of its volumes."""
    proxy = mounting("istio-proxy", "istio-envoy", **(NATIVE if native else {}))
    app = mounting("app", "istio-envoy", "own")
    return a_pod(
        containers=[app] if native else [proxy, app],
        initContainers=[
            mounting("istio-init"),
            *([proxy] if native else []),
            mounting("migrate", "own"),
        ],
        volumes=[{"name": "istio-envoy", "emptyDir": {}}, {"name": "own", "secret": {}}],
        metadata={"annotations": {ISTIO_STATUS: json.dumps(status), **(annotations or {})}},
    )


def with_linkerd(annotations: dict[str, str], native: bool = False) -> Json:
    proxy = mounting("linkerd-proxy", "linkerd-identity-end-entity", **(NATIVE if native else {}))
    return a_pod(
        containers=[a_container()] if native else [proxy, a_container()],
        initContainers=[
            mounting("linkerd-init", "linkerd-proxy-init-xtables-lock"),
            mounting("linkerd-network-validator"),
            *([proxy] if native else []),
        ],
        volumes=[
            {"name": "linkerd-proxy-init-xtables-lock", "emptyDir": {}},
            {"name": "linkerd-identity-end-entity", "emptyDir": {}},
            {"name": "linkerd-identity-token", "projected": {}},
        ],
        metadata={"annotations": annotations},
    )


CLASSIC_STATUS = {
    "initContainers": ["istio-init"],
    "containers": ["istio-proxy"],
    "volumes": ["istio-envoy"],
    "imagePullSecrets": None,
    "revision": "default",
}
NATIVE_STATUS = {
    **CLASSIC_STATUS,
    "initContainers": ["istio-init", "istio-proxy"],
    "containers": None,
}


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("keep_mesh", [False, True])
def test_istio_s_parts_go_and_the_app_s_own_stay(native: bool, keep_mesh: bool) -> None:
    source = with_istio(NATIVE_STATUS if native else CLASSIC_STATUS, native)
    copied = copy_of(source, keep_mesh)
    assert names_of(all_containers(copied.manifest)) == ["app", "migrate"]
    assert names_of(volumes(copied.manifest)) == ["own"]
    for container in all_containers(copied.manifest):
        assert names_of(container["volumeMounts"]) == ["own"]
    assert ISTIO_STATUS not in annotations_of(copied.manifest)
    assert "mesh Istio" in [edit.field for edit in copied.edits]
    assert not any("istio-init" in finding.text for finding in copied.findings)


def test_what_a_template_of_istio_s_added_goes_too() -> None:
    source = with_istio({**CLASSIC_STATUS, "containers": ["istio-proxy", "extra"]})
    source["spec"]["containers"].append(a_container("extra"))
    assert "extra" not in names_of(all_containers(copy_of(source).manifest))


@pytest.mark.parametrize("status", ["not JSON", "[]", "7", "null", "{}"])
def test_an_odd_status_still_tells_that_istio_was_there(status: str) -> None:
    source = with_istio({})
    source["metadata"]["annotations"][ISTIO_STATUS] = status
    assert names_of(all_containers(copy_of(source).manifest)) == ["app", "migrate"]


def test_a_proxy_that_no_injector_added_is_the_user_s() -> None:
    source = with_istio(CLASSIC_STATUS)
    del source["metadata"]["annotations"][ISTIO_STATUS]
    copied = copy_of(source)
    assert copied.manifest["spec"]["containers"] == source["spec"]["containers"]
    assert not any("mesh" in edit.field for edit in copied.edits)


def test_the_proxy_of_a_gateway_is_its_app() -> None:
    source = a_pod(
        containers=[a_container("istio-proxy")],
        metadata={"annotations": {ISTIO_STATUS: json.dumps(CLASSIC_STATUS)}},
    )
    copied = copy_of(source)
    assert names_of(all_containers(copied.manifest)) == ["istio-proxy"]
    assert ISTIO_STATUS not in annotations_of(copied.manifest)
    assert [finding.level for finding in copied.findings] == [Level.DETAIL]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("keep_mesh", [False, True])
@pytest.mark.parametrize("annotations", [BY_INJECTOR, VERSION, {**BY_INJECTOR, **VERSION}])
def test_linkerd_s_parts_go(annotations: dict[str, str], keep_mesh: bool, native: bool) -> None:
    copied = copy_of(with_linkerd(annotations, native), keep_mesh)
    assert names_of(all_containers(copied.manifest)) == ["app"]
    assert volumes(copied.manifest) == []
    assert not annotations.keys() & annotations_of(copied.manifest).keys()


def test_what_was_injected_by_hand_stays_for_nobody_would_add_it_again() -> None:
    source = with_linkerd({**BY_HAND, **VERSION})
    there = names_of(all_containers(source))
    assert names_of(all_containers(copy_of(source).manifest)) == there
    assert names_of(all_containers(copy_of(source, keep_mesh=False).manifest)) == ["app"]


def test_without_linkerd_s_mark_its_names_are_the_user_s() -> None:
    source = with_linkerd({"linkerd.io/inject": "enabled"})
    assert names_of(all_containers(copy_of(source).manifest)) == names_of(all_containers(source))


PODS = {
    "none": a_pod(),
    "istio": with_istio(CLASSIC_STATUS),
    "istio-native": with_istio(NATIVE_STATUS, native=True),
    "gateway": a_pod(
        containers=[a_container("istio-proxy")],
        metadata={"annotations": {ISTIO_STATUS: json.dumps(CLASSIC_STATUS)}},
    ),
    "linkerd": with_linkerd({**BY_INJECTOR, **VERSION}),
    "linkerd-native": with_linkerd(VERSION, native=True),
    "linkerd-by-hand": with_linkerd({**BY_HAND, **VERSION}),
    "unmarked": with_linkerd({}),
}


@pytest.mark.parametrize("keep_mesh", [False, True])
@pytest.mark.parametrize("source", PODS.values(), ids=PODS)
def test_what_is_told_to_be_stripped_is_what_the_copy_lacks(source: Json, keep_mesh: bool) -> None:
    left = names_of(all_containers(copy_of(source, keep_mesh).manifest))
    told = mesh_containers(source, keep_mesh=keep_mesh)
    assert told.keys() == set(names_of(all_containers(source))) - set(left)


def test_each_part_is_told_with_its_mesh() -> None:
    assert mesh_containers(PODS["istio"], keep_mesh=True) == {
        "istio-init": "Istio",
        "istio-proxy": "Istio",
    }
    assert set(mesh_containers(PODS["linkerd"], keep_mesh=True).values()) == {"Linkerd"}


@pytest.mark.parametrize(
    "key",
    [
        "config.alpha.linkerd.io/proxy-enable-native-sidecar",
        "config.linkerd.io/skip-outbound-ports",
        "inject.istio.io/templates",
        "linkerd.io/inject",
        "proxy.istio.io/config",
        "proxy.istio.io/overrides",
        "sidecar.istio.io/inject",
        "sidecar.istio.io/proxyCPU",
        "traffic.sidecar.istio.io/excludeOutboundPorts",
    ],
)
def test_what_asks_the_injector_stays(key: str) -> None:
    source = with_istio(CLASSIC_STATUS, annotations={key: "x"})
    assert annotations_of(copy_of(source).manifest) == {key: "x"}


@pytest.mark.parametrize(
    "key", ["ambient.istio.io/redirection", "istio.io/rev", "linkerd.io/trust-root-sha256"]
)
def test_what_the_mesh_said_of_the_source_goes(key: str) -> None:
    source = a_pod(metadata={"annotations": {key: "x"}})
    copied = copy_for(source, "x", {}, {}, CopyOptions(keep_annotations=True))
    assert annotations_of(copied.manifest) == {}


def test_a_label_that_promises_a_proxy_is_left_to_the_injector() -> None:
    mode = {"security.istio.io/tlsMode": "istio"}
    copied = copy_of(with_istio(CLASSIC_STATUS), labels={**mode, "app": "shop"})
    assert labels_of(copied.manifest) == {"app": "shop"}


def test_the_labels_by_which_injectors_choose() -> None:
    asked = {"sidecar.istio.io/inject": "true", "istio.io/rev": "canary"}
    ambient = {"istio.io/dataplane-mode": "ambient"}
    source = a_pod(metadata={"labels": {"app": "shop", **asked, **ambient}})
    assert injection_labels(source) == {**asked, **ambient}
    assert injection_labels(a_pod()) == {}


def test_a_copy_can_stay_out_of_every_mesh() -> None:
    source = a_pod(metadata={"annotations": {"linkerd.io/inject": "enabled"}})
    wanted = {"istio.io/rev": "canary", "sidecar.istio.io/inject": "true", "app": "shop"}
    copied = copy_of(source, keep_mesh=False, labels=wanted)
    assert labels_of(copied.manifest) == {
        "app": "shop",
        "istio.io/dataplane-mode": "none",
        "sidecar.istio.io/inject": "false",
    }
    assert annotations_of(copied.manifest) == {
        "linkerd.io/inject": "disabled",
        "sidecar.istio.io/inject": "false",
    }
    assert "mesh" in [edit.field for edit in copied.edits]
