"""The debug container: the target's own security context, and no more than it takes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.plan.debug_container import (
    DebugContainerChoices,
    as_regular,
    container_like_target,
    container_of_image,
    debug_containers,
)
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.profiles import NOBODY, PROFILES, satisfies_restricted
from kubectl_scratch.plan.seed import has_toolkit
from tests.support.builders import Json, a_container, a_pod
from tests.unit.test_profiles import CONTEXTS, HARDENED, POD_CONTEXTS

DROP_ALL: Json = {"capabilities": {"drop": ["ALL"]}}
USER = {"name": "app", "user": {"linux": {"uid": 1234, "gid": 5678}}}


def tools(
    context: Json | None = None, options: Json | None = None, **pod: Any
) -> DebugContainerChoices:
    fields: Json = {} if context is None else {"securityContext": context}
    source = a_pod(containers=[a_container(**fields)], **pod)
    target = source["spec"]["containers"][0]
    given = options or {}
    form = container_of_image(
        target, "busybox", given.pop("env", ()), given.pop("pull_policy", None)
    )
    return debug_containers(source, target, form, "bcdfg", **given)


def profiles_of(found: DebugContainerChoices) -> list[str]:
    return [choice.profile for choice in found.choices]


def contexts(found: DebugContainerChoices) -> list[Json]:
    return [choice.container["securityContext"] for choice in found.choices]


def added(context: Json) -> list[str]:
    return (context.get("capabilities") or {}).get("add") or []


def test_beside_a_target_that_may_be_root_it_asks_for_ptrace_and_can_do_without() -> None:
    found = tools()
    assert profiles_of(found) == ["general", "baseline", "restricted"]
    first, second, third = contexts(found)
    assert first == {"capabilities": {"add": ["SYS_PTRACE"]}}
    assert second == {}
    assert third == {**HARDENED, "runAsUser": NOBODY}
    plain = {"name": "scratch", "image": "busybox", "command": ["sleep", "2147483647"]}
    for choice in found.choices:
        assert {**choice.container, "securityContext": {}} == {**plain, "securityContext": {}}


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
    found = tools(context, **pod)
    assert profiles_of(found) == ["baseline", "restricted"]
    assert contexts(found)[0] == context
    assert not any(map(added, contexts(found)))


@pytest.mark.parametrize(
    "context, pod",
    [
        ({**HARDENED, "runAsUser": 1000}, {}),
        (HARDENED, {"securityContext": {"runAsUser": 1000}}),
        (
            {**DROP_ALL, "allowPrivilegeEscalation": False, "runAsUser": 1000},
            {
                "securityContext": {
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                }
            },
        ),
    ],
)
@pytest.mark.parametrize("profile", ["auto", "restricted"])
def test_beside_a_restricted_target_there_is_its_own_context_alone(
    context: Json, pod: Json, profile: str
) -> None:
    found = tools(context, {"profile": profile}, **pod)
    assert profiles_of(found) == ["restricted"]
    assert contexts(found) == [context]


def test_it_may_write_to_its_own_files_and_changes_nothing_of_the_source() -> None:
    context = {"readOnlyRootFilesystem": True, "capabilities": {"add": ["NET_RAW"]}}
    before = deepcopy(context)
    first, second, third = contexts(tools(context))
    assert "readOnlyRootFilesystem" not in first
    assert (added(first), added(second)) == (["NET_RAW", "SYS_PTRACE"], ["NET_RAW"])
    assert added(third) == []
    assert context == before


def test_a_user_that_only_the_status_knows_is_matched() -> None:
    found = tools(DROP_ALL, status={"containerStatuses": [USER]})
    for context in contexts(found):
        assert (context["runAsUser"], context["runAsGroup"]) == (1234, 5678)
    assert found.findings == ()


def test_where_root_is_forbidden_and_the_user_unknown_it_is_nobody_and_says_so() -> None:
    found = tools({"runAsNonRoot": True})
    assert [context["runAsUser"] for context in contexts(found)] == [NOBODY, NOBODY]
    assert [finding.level for finding in found.findings] == [Level.WARNING]
    assert [choice.findings for choice in found.choices] == [(), ()]


@pytest.mark.parametrize(
    "context, whose", [({}, "is set in the image"), ({"runAsUser": 0}, "is 0")]
)
def test_another_user_is_told_of_only_if_that_choice_is_taken(context: Json, whose: str) -> None:
    found = tools(context)
    assert found.findings == ()
    *stronger, restricted = found.choices
    assert all(choice.findings == () for choice in stronger)
    (finding,) = restricted.findings
    assert whose in finding.text and str(NOBODY) in finding.text


@pytest.mark.parametrize(
    "profile, context, warned",
    [
        ("general", {"runAsUser": 1000}, False),
        ("baseline", {}, False),
        ("restricted", {"runAsUser": 1000}, False),
        ("restricted", {"runAsUser": 0}, True),
        ("netadmin", {}, False),
        ("netadmin", {"runAsUser": 1000}, True),
        ("netadmin", {"runAsNonRoot": True}, True),
        ("netadmin", {"runAsUser": 1000, "capabilities": {"add": ["SYS_PTRACE"]}}, False),
        ("netadmin", {"runAsUser": 1000, "capabilities": {"add": ["ALL"]}}, False),
        ("sysadmin", {"runAsUser": 1000}, False),
        ("sysadmin", {"runAsNonRoot": True}, False),
    ],
)
def test_a_chosen_profile_is_the_only_choice_and_says_what_it_cannot_see(
    profile: str, context: Json, warned: bool
) -> None:
    found = tools(context, {"profile": profile})
    assert profiles_of(found) == [profile]
    assert bool(found.findings) is warned
    assert found.choices[0].findings == ()


def test_a_profile_of_power_is_root_s_also_where_the_pod_forbids_root() -> None:
    pod = {"securityContext": {"runAsNonRoot": True, "runAsUser": 1000}}
    (context,) = contexts(tools({}, {"profile": "netadmin"}, **pod))
    assert (context["runAsUser"], context["runAsNonRoot"]) == (0, False)


def test_restricted_leaves_the_pod_its_user() -> None:
    found = tools({}, {"profile": "restricted"}, securityContext={"runAsUser": 1000})
    assert contexts(found) == [HARDENED]
    assert found.findings == ()


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        tools(options={"profile": "legacy"})


@given(context=CONTEXTS, of_pod=POD_CONTEXTS)
def test_the_last_resort_of_auto_is_what_a_restricted_namespace_admits(
    context: Json, of_pod: Json
) -> None:
    found = tools(context, securityContext=of_pod)
    last = found.choices[-1]
    assert last.profile == "restricted"
    assert satisfies_restricted(a_pod(securityContext=of_pod), last.container)
    # The kubelet refuses to start an image's root under runAsNonRoot.
    assert last.container["securityContext"].get("runAsUser") or of_pod.get("runAsUser")


@given(context=CONTEXTS, of_pod=POD_CONTEXTS, profile=st.sampled_from(["auto", *sorted(PROFILES)]))
def test_nothing_of_the_source_changes_and_no_choice_comes_twice(
    context: Json, of_pod: Json, profile: str
) -> None:
    source = a_pod(containers=[a_container(securityContext=context)], securityContext=of_pod)
    before = deepcopy(source)
    target = source["spec"]["containers"][0]
    custom: Json = {"securityContext": {"capabilities": {"add": []}}}
    found = debug_containers(
        source, target, container_of_image(target, "busybox"), "bcdfg", profile, custom
    )
    forms = [choice.container for choice in found.choices]
    assert all(form not in forms[:i] for i, form in enumerate(forms))
    assert source == before


def test_env_and_pull_policy_are_those_that_were_asked_for() -> None:
    options = {"env": (("A", "1"), ("B", "")), "pull_policy": "Never"}
    for choice in tools(options=options).choices:
        assert choice.container["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": ""}]
        assert choice.container["imagePullPolicy"] == "Never"


def test_custom_comes_last() -> None:
    custom = {"env": [{"name": "A", "value": "2"}], "securityContext": {"runAsUser": 2000}}
    options = {"env": (("A", "1"),), "profile": "sysadmin", "custom": custom}
    found = tools({"runAsUser": 1000}, options)
    (choice,) = found.choices
    assert choice.container["env"] == [{"name": "A", "value": "2"}]
    assert choice.container["securityContext"]["privileged"] is True
    assert choice.container["securityContext"]["runAsUser"] == 2000
    assert [finding.level for finding in found.findings] == [Level.WARNING]


@pytest.mark.parametrize(
    "said, expected",
    [
        ({"procMount": "Default"}, ["general", "baseline", "restricted"]),
        # Another user's capabilities have no effect.
        ({"runAsUser": 1000}, ["baseline", "restricted"]),
        # Restricted would be a lie.
        ({"privileged": True}, ["general", "baseline"]),
        # SYS_PTRACE is replaced.
        ({"capabilities": {"add": ["NET_RAW"]}}, ["baseline"]),
        ({**HARDENED, "runAsUser": 1000}, ["restricted"]),
        (None, ["baseline"]),
    ],
)
def test_auto_asks_for_what_custom_leaves_of_each_profile(
    said: Json | None, expected: list[str]
) -> None:
    assert profiles_of(tools({}, {"custom": {"securityContext": said}})) == expected


def test_a_custom_container_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        tools(options={"custom": []})


def test_as_a_regular_container_it_has_no_field_of_ephemeral_ones() -> None:
    container = a_container("scratch", targetContainerName="app", tty=True)
    assert as_regular(container) == a_container("scratch", tty=True)
    assert "targetContainerName" in container


def test_its_name_is_its_own() -> None:
    taken = a_pod(containers=[a_container("scratch")])
    target = taken["spec"]["containers"][0]
    found = debug_containers(taken, target, container_of_image(target, "busybox"), "bcdfg")
    assert {choice.container["name"] for choice in found.choices} == {"scratch-bcdfg"}


SEED_MOUNT = {"name": "scratch-seed", "mountPath": "/.scratch-seed", "readOnly": True}
TOOLKIT_MOUNT = {"name": "scratch-toolkit", "mountPath": "/.scratch"}
TWIN_S_TOOLKIT = {"name": "scratch-toolkit-debug", "mountPath": "/.scratch"}
APP = a_container(
    command=["serve"],
    args=["x"],
    env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    envFrom=[{"secretRef": {"name": "s"}}],
    workingDir="/srv",
    imagePullPolicy="IfNotPresent",
    ports=[{"containerPort": 80}],
    resources={"limits": {"cpu": "1"}},
    lifecycle={"postStart": {}},
    livenessProbe={"httpGet": {}},
    volumeMounts=[
        {"name": "data", "mountPath": "/data"},
        {"name": "conf", "mountPath": "/etc/app.conf", "subPath": "app.conf"},
        {"name": "conf", "mountPath": "/etc/x", "subPathExpr": "$(A)"},
        SEED_MOUNT,
        TOOLKIT_MOUNT,
    ],
)


def test_a_twin_has_what_the_app_sees_and_nothing_that_acts_on_it() -> None:
    form = container_like_target(APP)
    kept = {key: APP[key] for key in ("name", "image", "env", "envFrom", "workingDir")}
    del kept["name"]
    assert kept.items() <= form.container.items()
    assert form.container["command"] == ["/.scratch-seed/seed", "idle", "0"]
    left = {"args", "ports", "resources", "lifecycle", "livenessProbe", "name"}
    assert left.isdisjoint(form.container)


def test_a_twin_lacks_what_an_ephemeral_container_can_not_mount_and_says_so() -> None:
    form = container_like_target(APP)
    data = {"name": "data", "mountPath": "/data"}
    assert form.container["volumeMounts"] == [data, SEED_MOUNT, TWIN_S_TOOLKIT]
    (finding,) = form.findings
    assert finding.level is Level.DETAIL and "/etc/app.conf, /etc/x" in finding.text
    assert container_like_target(a_container()).findings == ()


def test_a_twin_reads_the_resources_of_the_app() -> None:
    def by(resource: str, **more: str) -> dict[str, Any]:
        return {"name": "X", "valueFrom": {"resourceFieldRef": {"resource": resource, **more}}}

    env = [by("limits.cpu"), by("limits.memory"), by("limits.cpu", containerName="other")]
    app = a_container(env=env, resources={"limits": {"cpu": "1"}})
    before = deepcopy(app)
    # What is not set is the node's to say, of whichever container.
    mine = by("limits.cpu", containerName="app")
    assert container_like_target(app).container["env"] == [mine, *env[1:]]
    assert app == before


def test_a_twin_runs_nothing_that_the_app_could_write() -> None:
    (twin_s,) = (
        m
        for m in container_like_target(APP).container["volumeMounts"]
        if m["mountPath"] == "/.scratch"
    )
    assert twin_s["name"] not in [mount["name"] for mount in APP["volumeMounts"]]
    assert has_toolkit(container_like_target(APP).container)


def test_the_user_s_variables_win_over_the_app_s_in_a_twin() -> None:
    before = deepcopy(APP)
    env = container_like_target(APP, (("A", "9"), ("C", "3")), "Always").container["env"]
    assert {item["name"]: item["value"] for item in env} == {"A": "9", "B": "2", "C": "3"}
    assert len(env) == 3 and before == APP
    assert container_like_target(APP, pull_policy="Never").container["imagePullPolicy"] == "Never"


@pytest.mark.parametrize(
    "path, mounted",
    [
        ("/data", True),
        ("/etc/app", True),
        ("/home/x", True),
        ("/", False),
        ("/etc", False),
        ("/etc/", False),
        ("/usr/share/x", False),
        ("/bin", False),
        ("/tmp", False),
        ("/tmp/x", True),
        ("/root", False),
    ],
)
def test_a_toolkit_image_has_the_volumes_that_hide_none_of_its_tools(
    path: str, mounted: bool
) -> None:
    mount = {"name": "data", "mountPath": path}
    container = container_of_image(a_container(volumeMounts=[mount]), "busybox").container
    assert container.get("volumeMounts", []) == ([mount] if mounted else [])


def test_a_toolkit_image_has_neither_the_seed_nor_the_toolkit() -> None:
    mounts = container_of_image(APP, "busybox").container["volumeMounts"]
    assert mounts == [{"name": "data", "mountPath": "/data"}]


def twins(context: Json, **pod: Any) -> DebugContainerChoices:
    source = a_pod(containers=[{**APP, "securityContext": context}], **pod)
    target = source["spec"]["containers"][0]
    return debug_containers(source, target, container_like_target(target), "bcdfg")


@given(context=CONTEXTS, of_pod=POD_CONTEXTS)
def test_a_twin_runs_as_its_image_says_where_the_app_does(context: Json, of_pod: Json) -> None:
    found = twins(context, securityContext=of_pod)
    first = found.choices[0].container["securityContext"]
    assert first.get("runAsUser") == context.get("runAsUser")
    assert all(finding.level is Level.DETAIL for finding in found.choices[0].findings)


def test_the_user_that_the_status_knows_is_the_image_s_own_in_a_twin() -> None:
    found = twins(DROP_ALL, status={"containerStatuses": [USER]})
    assert all("runAsUser" not in context for context in contexts(found))


def test_a_twin_s_file_system_is_as_read_only_as_the_app_s() -> None:
    for context in contexts(twins({**DROP_ALL, "readOnlyRootFilesystem": True})):
        assert context["readOnlyRootFilesystem"] is True
