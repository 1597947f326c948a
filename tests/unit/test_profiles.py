"""What a profile asks for, and what PodSecurity makes of it."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.plan.profiles import (
    AUTO,
    NOBODY,
    PROFILES,
    apply_profile,
    satisfies_restricted,
)
from tests.support.builders import Json, a_container, a_pod

DROP_ALL: Json = {"capabilities": {"drop": ["ALL"]}}
RUNTIME: Json = {"type": "RuntimeDefault"}
LOCAL: Json = {"type": "Localhost", "localhostProfile": "shop.json"}
HARDENED: Json = {
    **DROP_ALL,
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "seccompProfile": RUNTIME,
}

CAPABILITIES = st.lists(
    st.sampled_from(["ALL", "CAP_SYS_ADMIN", "NET_BIND_SERVICE", "NET_RAW", "SYS_PTRACE"]),
    unique=True,
)
SECCOMP = st.sampled_from([None, RUNTIME, LOCAL, {"type": "Unconfined"}])
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "allowPrivilegeEscalation": st.sampled_from([None, True, False]),
        "capabilities": st.none()
        | st.fixed_dictionaries({}, optional={"add": CAPABILITIES, "drop": CAPABILITIES}),
        "privileged": st.booleans(),
        "runAsGroup": st.just(0),
        "runAsNonRoot": st.sampled_from([None, True, False]),
        "runAsUser": st.sampled_from([None, 0, 1000]),
        "seLinuxOptions": st.just({"level": "s0:c1,c2"}),
        "seccompProfile": SECCOMP,
        "aFieldOfTomorrow": st.just({"x": 1}),
    },
)
POD_CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "runAsNonRoot": st.booleans(),
        "runAsUser": st.sampled_from([0, 1000]),
        "seccompProfile": SECCOMP,
    },
)


def applied(profile: str, context: Json) -> Json:
    found: Json = apply_profile(profile, a_container(securityContext=context))["securityContext"]
    return found


@pytest.mark.parametrize(
    "profile, context, expected",
    [
        ("general", {}, {"capabilities": {"add": ["SYS_PTRACE"]}}),
        (
            "general",
            {"capabilities": {"add": ["NET_RAW"], "drop": ["SYS_PTRACE", "CHOWN"]}},
            {"capabilities": {"add": ["NET_RAW", "SYS_PTRACE"], "drop": ["CHOWN"]}},
        ),
        ("baseline", {}, {}),
        ("baseline", HARDENED, HARDENED),
        ("restricted", {}, HARDENED),
        ("restricted", HARDENED, HARDENED),
        ("restricted", {"privileged": True}, HARDENED),
        ("restricted", {"runAsUser": 0}, {**HARDENED, "runAsUser": NOBODY}),
        ("restricted", {"runAsUser": 1000}, {**HARDENED, "runAsUser": 1000}),
        ("restricted", {"seccompProfile": LOCAL}, {**HARDENED, "seccompProfile": LOCAL}),
        ("restricted", {"seccompProfile": {"type": "Unconfined"}}, HARDENED),
        (
            "restricted",
            {"capabilities": {"add": ["CAP_SYS_ADMIN", "NET_BIND_SERVICE"]}},
            {**HARDENED, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}},
        ),
        (
            "netadmin",
            {**HARDENED, "runAsUser": 1000},
            {
                **HARDENED,
                "runAsUser": 0,
                "runAsNonRoot": False,
                "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
            },
        ),
        (
            "sysadmin",
            {**HARDENED, "runAsUser": 1000},
            {
                "privileged": True,
                "runAsUser": 0,
                "runAsNonRoot": False,
                "seccompProfile": RUNTIME,
            },
        ),
    ],
)
def test_a_profile_edits_the_target_s_own_context(
    profile: str, context: Json, expected: Json
) -> None:
    assert applied(profile, context) == expected


@given(profile=st.sampled_from(sorted(PROFILES)), context=CONTEXTS)
def test_a_profile_is_settled_valid_and_takes_nothing_from_its_source(
    profile: str, context: Json
) -> None:
    container = a_container(securityContext=context)
    before = deepcopy(container)
    once = apply_profile(profile, container)
    assert container == before
    assert apply_profile(profile, once) == once
    for field in ("seLinuxOptions", "aFieldOfTomorrow"):
        assert once["securityContext"].get(field) == context.get(field)
    if profile in ("restricted", "sysadmin"):
        assert is_valid(once["securityContext"])


def is_valid(context: Json) -> bool:
    """Say what ValidateSecurityContext of the API server says."""
    added = (context.get("capabilities") or {}).get("add") or []
    power = context.get("privileged") or "CAP_SYS_ADMIN" in added
    return not (power and context.get("allowPrivilegeEscalation") is False)


@given(context=CONTEXTS, of_pod=POD_CONTEXTS)
def test_what_restricted_makes_satisfies_restricted(context: Json, of_pod: Json) -> None:
    # An unknown user is the debug container's affair, which knows the pod.
    context = {**context, "runAsUser": context.get("runAsUser") or 1000}
    container = apply_profile("restricted", a_container(securityContext=context))
    assert satisfies_restricted(a_pod(securityContext=of_pod), container)


@pytest.mark.parametrize(
    "change, of_pod, expected",
    [
        ({}, {}, True),
        ({"seccompProfile": LOCAL}, {}, True),
        ({"seccompProfile": None}, {}, False),
        ({"seccompProfile": {"type": "Unconfined"}}, {"seccompProfile": RUNTIME}, False),
        ({"seccompProfile": None}, {"seccompProfile": RUNTIME}, True),
        ({"runAsNonRoot": None}, {}, False),
        ({"runAsNonRoot": None}, {"runAsNonRoot": True}, True),
        ({"runAsNonRoot": False}, {"runAsNonRoot": True}, False),
        ({"runAsUser": 1000}, {}, True),
        ({"runAsUser": 0}, {}, False),
        ({}, {"runAsUser": 0}, False),
        ({"allowPrivilegeEscalation": None}, {}, False),
        ({"allowPrivilegeEscalation": True}, {}, False),
        ({"privileged": True}, {}, False),
        ({"capabilities": None}, {}, False),
        ({"capabilities": {"drop": ["NET_RAW"]}}, {}, False),
        ({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}, {}, True),
        ({"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}, {}, False),
    ],
)
def test_podsecurity_restricted(change: Json, of_pod: Json, expected: bool) -> None:
    container = a_container(securityContext={**HARDENED, **change})
    assert satisfies_restricted(a_pod(securityContext=of_pod), container) is expected


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequest) as caught:
        apply_profile("legacy", a_container())
    assert "'legacy'" in caught.value.problem
    assert all(name in caught.value.hint for name in (AUTO, *PROFILES))
