"""The debug container: the target's own security context, and no more than it takes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kubectl_scratch.debugger import NOBODY, Tools, debug_containers
from kubectl_scratch.findings import Level
from tests.support.builders import Json, a_container, a_pod

DROP_ALL: Json = {"capabilities": {"drop": ["ALL"]}}
USER = {"name": "app", "user": {"linux": {"uid": 1234, "gid": 5678}}}


def tools(context: Json | None = None, **pod: Any) -> Tools:
    fields: Json = {} if context is None else {"securityContext": context}
    source = a_pod(containers=[a_container(**fields)], **pod)
    return debug_containers(source, source["spec"]["containers"][0], "busybox", "bcdfg")


def added(container: Json) -> list[str]:
    return (container["securityContext"].get("capabilities") or {}).get("add") or []


def test_beside_a_target_that_may_be_root_it_asks_for_ptrace_and_can_do_without() -> None:
    first, second = tools().choices
    assert added(first) == ["SYS_PTRACE"]
    assert added(second) == []
    assert {**first, "securityContext": {}} == {**second, "securityContext": {}}


@pytest.mark.parametrize(
    "context, pod",
    [
        ({"runAsUser": 1000}, {}),
        ({"runAsNonRoot": True, "runAsUser": 1000}, {}),
        ({}, {"securityContext": {"runAsUser": 1000}}),
        (DROP_ALL, {}),
        ({"allowPrivilegeEscalation": False}, {}),
    ],
)
def test_a_hardened_target_or_another_user_s_adds_nothing(context: Json, pod: Json) -> None:
    (only,) = tools(context, **pod).choices
    assert added(only) == []
    assert only["securityContext"] == context


def test_it_may_write_to_its_own_files_and_changes_nothing_of_the_source() -> None:
    context = {"readOnlyRootFilesystem": True, "capabilities": {"add": ["NET_RAW"]}}
    before = deepcopy(context)
    first, second = tools(context).choices
    assert "readOnlyRootFilesystem" not in first["securityContext"]
    assert (added(first), added(second)) == (["NET_RAW", "SYS_PTRACE"], ["NET_RAW"])
    assert context == before


def test_a_user_that_only_the_status_knows_is_matched() -> None:
    (only,) = tools(DROP_ALL, status={"containerStatuses": [USER]}).choices
    assert only["securityContext"]["runAsUser"] == 1234
    assert only["securityContext"]["runAsGroup"] == 5678


def test_where_root_is_forbidden_and_the_user_unknown_it_is_nobody_and_says_so() -> None:
    found = tools({"runAsNonRoot": True})
    (only,) = found.choices
    assert only["securityContext"]["runAsUser"] == NOBODY
    assert [finding.level for finding in found.findings] == [Level.WARNING]


def test_its_name_is_its_own() -> None:
    taken = a_pod(containers=[a_container("scratch")])
    found = debug_containers(taken, taken["spec"]["containers"][0], "busybox", "bcdfg")
    assert {container["name"] for container in found.choices} == {"scratch-bcdfg"}
