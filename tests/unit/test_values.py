"""The values of flags and arguments."""

from __future__ import annotations

import pytest

from kubectl_scratch.cli import values
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import check_container
from kubectl_scratch.request import Target
from kubectl_scratch.runtime.durations import parse_duration


@pytest.mark.parametrize(
    "text, seconds",
    [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, "--ttl") == seconds


@pytest.mark.parametrize(
    "text", ["", "5 m", "m5", "-5m", "5d", "five", "0", "0s", "1m!", "\u0665m"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"--ttl"):
        parse_duration(text, "--ttl")


@pytest.mark.parametrize(
    "text, kind",
    [
        ("shop", "pod"),
        ("pod/shop", "pod"),
        ("pods/shop", "pod"),
        ("po/shop", "pod"),
        ("deployment/shop", "deployment"),
        ("deploy/shop", "deployment"),
        ("deployment.apps/shop", "deployment"),
        ("Deployments/shop", "deployment"),
        ("sts/shop", "statefulset"),
        ("ds/shop", "daemonset"),
        ("rs/shop", "replicaset"),
        ("rc/shop", "replicationcontroller"),
        ("jobs/shop", "job"),
        ("cj/shop", "cronjob"),
        ("svc/shop", "service"),
    ],
)
def test_targets(text: str, kind: str) -> None:
    assert values.parse_target(text) == Target(kind, "shop")


@pytest.mark.parametrize(
    "text, says",
    [
        ("node/mynode", "a 'node' can't be debugged; there are: pod, deployment"),
        ("", "name of a pod"),
        ("pod/", "name of a pod"),
        ("deployment/", "name of a deployment"),
        ("My_Pod", "name of a pod"),
        ("a b", "name of a pod"),
        ("../secrets", "can't be debugged"),
        ("x" * 254, "name of a pod"),
    ],
)
def test_what_is_no_target(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        values.parse_target(text)
    assert says in f"{caught.value.problem}; {caught.value.hint}"


def test_a_copy_is_a_pod() -> None:
    assert values.parse_pod("pod/mypod") == "mypod"
    with pytest.raises(InvalidRequest):
        values.parse_pod("deployment/mypod")


def test_pairs_and_no_value_in_a_message() -> None:
    assert values.parse_pairs(("a=b=c", "d="), "--env") == (("a", "b=c"), ("d", ""))
    with pytest.raises(InvalidRequest) as caught:
        values.parse_pairs(("=secret",), "--env")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "image",
    [
        "busybox",
        "busybox:1.37.0",
        "docker.io/library/busybox:1.37.0",
        "localhost:5000/a/b:c",
        "registry.example/x@sha256:" + "0" * 64,
    ],
)
def test_images(image: str) -> None:
    values.check_image(image)


@pytest.mark.parametrize("image", ["", "busy box", " busybox", "busybox:", "a\nb", "-x", "a//b"])
def test_what_is_no_image(image: str) -> None:
    with pytest.raises(InvalidRequest, match="image reference"):
        values.check_image(image)


def test_a_lease_must_last_long_enough_to_be_renewed() -> None:
    values.check_ttl(5)
    with pytest.raises(InvalidRequest, match="--ttl"):
        values.check_ttl(4.9)


@pytest.mark.parametrize("name", ["App", "a.b", "", "a" * 64, "a/b"])
def test_what_is_no_container(name: str) -> None:
    with pytest.raises(InvalidRequest, match="container"):
        check_container(name)
