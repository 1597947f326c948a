"""What --custom changes in the debug container."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.plan.custom import merge_custom
from tests.support.builders import Json, a_container
from tests.unit.test_profiles import HARDENED


@pytest.mark.parametrize(
    "own, partial, expected",
    [
        ({}, {"tty": True}, {"tty": True}),
        ({"tty": True}, {"tty": None}, {}),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]},
            {
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "value": "3"},
                    {"name": "C", "value": "4"},
                ]
            },
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a", "readOnly": True}]},
            {"volumeMounts": [{"name": "w", "mountPath": "/a"}, {"name": "x", "mountPath": "/b"}]},
            {
                "volumeMounts": [
                    {"name": "w", "mountPath": "/a", "readOnly": True},
                    {"name": "x", "mountPath": "/b"},
                ]
            },
        ),
        (
            {"ports": [{"containerPort": 80}]},
            {"ports": [{"containerPort": 80, "name": "http"}]},
            {"ports": [{"containerPort": 80, "name": "http"}]},
        ),
        (
            {"envFrom": [{"prefix": "A"}]},
            {"envFrom": [{"prefix": "B"}]},
            {"envFrom": [{"prefix": "B"}]},
        ),
        (
            {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
            {"resources": {"limits": {"cpu": "2", "memory": None}, "claims": [{"name": "gpu"}]}},
            {"resources": {"limits": {"cpu": "2"}, "claims": [{"name": "gpu"}]}},
        ),
        ({"securityContext": HARDENED}, {"securityContext": None}, {}),
        ({"tty": True}, {"tty": {"left": "to the API"}}, {"tty": {"left": "to the API"}}),
        ({}, {"aFieldOfTomorrow": {"x": {"y": 1}}}, {"aFieldOfTomorrow": {"x": {"y": 1}}}),
    ],
)
def test_custom_merges_as_kubectl_does(own: Json, partial: Json, expected: Json) -> None:
    container = a_container(**own)
    before, given_partial = deepcopy(container), deepcopy(partial)
    assert merge_custom(container, partial) == a_container(**expected)
    assert (container, partial) == (before, given_partial)


@pytest.mark.parametrize(
    "said, expected",
    [
        ({"privileged": True}, {"privileged": True, "runAsNonRoot": True}),
        (
            {"capabilities": {"add": ["CAP_SYS_ADMIN"]}},
            {"capabilities": {"add": ["CAP_SYS_ADMIN"]}, "runAsNonRoot": True},
        ),
        (
            {"privileged": True, "allowPrivilegeEscalation": False},
            {"privileged": True, "allowPrivilegeEscalation": False, "runAsNonRoot": True},
        ),
        (
            {"runAsUser": 0},
            {"runAsUser": 0, "runAsNonRoot": False, "allowPrivilegeEscalation": False},
        ),
        (
            {"runAsUser": 0, "runAsNonRoot": True},
            {"runAsUser": 0, "runAsNonRoot": True, "allowPrivilegeEscalation": False},
        ),
    ],
)
def test_what_the_target_forbids_gives_way_to_what_the_user_asks_for(
    said: Json, expected: Json
) -> None:
    own = {"allowPrivilegeEscalation": False, "runAsNonRoot": True}
    merged = merge_custom(a_container(securityContext=own), {"securityContext": said})
    assert merged["securityContext"] == expected


@pytest.mark.parametrize(
    "own, said, expected",
    [
        (["NET_RAW", "CHOWN"], {"add": ["NET_RAW"]}, {"add": ["NET_RAW"], "drop": ["CHOWN"]}),
        (["ALL"], {"add": ["NET_RAW"]}, {"add": ["NET_RAW"], "drop": ["ALL"]}),
        (["ALL"], {"add": ["ALL"]}, {"add": ["ALL"], "drop": []}),
        (
            ["ALL"],
            {"add": ["NET_RAW"], "drop": ["NET_RAW"]},
            {"add": ["NET_RAW"], "drop": ["NET_RAW"]},
        ),
    ],
)
def test_a_capability_that_the_user_adds_is_not_dropped(
    own: list[str], said: Json, expected: Json
) -> None:
    container = a_container(securityContext={"capabilities": {"drop": own}})
    merged = merge_custom(container, {"securityContext": {"capabilities": said}})
    assert merged["securityContext"]["capabilities"] == expected


@pytest.mark.parametrize(
    "partial, word",
    [
        ({"name": "x"}, "'name'"),
        ({"image": "x"}, "'image'"),
        ({"command": None}, "'command'"),
        ({"args": ["x"]}, "'args'"),
        ({"lifecycle": {}}, "'lifecycle'"),
        ({"volumeDevices": []}, "'volumeDevices'"),
        ([], "a map"),
        ("tty: true", "a map"),
        ({"env": {"A": "1"}}, "'env' must be a list"),
        ({"env": ["A=1"]}, "each item of 'env' must be a map"),
        ({"env": [{"value": "1"}]}, "'name'"),
        ({"volumeMounts": [{"name": "v"}]}, "'mountPath'"),
        ({"securityContext": "privileged"}, "'securityContext' must be a map"),
        ({"securityContext": {"capabilities": ["NET_RAW"]}}, "capabilities' must be a map"),
        ({"securityContext": {"capabilities": {"add": "NET_RAW"}}}, "add' must be a list"),
        ({"resources": 1}, "'resources' must be a map"),
    ],
)
def test_a_custom_container_that_cannot_be_is_refused_by_the_field_s_name(
    partial: Any, word: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        merge_custom(a_container(resources={}), partial)
    assert word in caught.value.problem
