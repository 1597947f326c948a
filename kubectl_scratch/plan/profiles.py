"""Profiles: named sets of small edits to a security context.

The names and their meanings are kubectl's, for an ephemeral debug container. kubectl starts
from an empty security context, we from the target's own, whose files are to be read: so an
edit also takes away what would contradict it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.objects import Json

AUTO = "auto"
GENERAL = "general"
BASELINE = "baseline"
RESTRICTED = "restricted"

# For a session that must not be root, if the API says no other user.
NOBODY = 65532

# What "restricted" lets a container add, and its seccomp profiles.
_HARMLESS = "NET_BIND_SERVICE"
_FILTERS = ("RuntimeDefault", "Localhost")

ContextEdit = Callable[[Json], None]


def _adds(*wanted: str) -> ContextEdit:
    def add_capabilities(context: Json) -> None:
        capabilities = _map_in(context, "capabilities")
        capabilities["add"] = sorted({*(capabilities.get("add") or []), *wanted})
        keep_added(capabilities, wanted)

    return add_capabilities


def _be_root(context: Json) -> None:
    # The capabilities of another user than root are not effective (capabilities(7)).
    context["runAsUser"] = 0
    context["runAsNonRoot"] = False


def _be_privileged(context: Json) -> None:
    context["privileged"] = True
    # It has them all, whatever it drops (containerd applies WithPrivileged last).
    _map_in(context, "capabilities").pop("drop", None)
    if not context["capabilities"]:
        del context["capabilities"]
    allow_escalation(context)


def _be_unprivileged(context: Json) -> None:
    context.pop("privileged", None)
    context["allowPrivilegeEscalation"] = False


def _be_somebody(context: Json) -> None:
    context["runAsNonRoot"] = True
    if context.get("runAsUser") == 0:
        context["runAsUser"] = NOBODY


def _drop_capabilities(context: Json) -> None:
    kept = [c for c in _map_in(context, "capabilities").get("add") or [] if c == _HARMLESS]
    context["capabilities"] = {**({"add": kept} if kept else {}), "drop": ["ALL"]}


def _filter_calls(context: Json) -> None:
    if _type_of(context.get("seccompProfile")) not in _FILTERS:
        context["seccompProfile"] = {"type": "RuntimeDefault"}


PROFILES: dict[str, tuple[ContextEdit, ...]] = {
    GENERAL: (_adds("SYS_PTRACE"),),
    BASELINE: (),
    RESTRICTED: (_be_unprivileged, _be_somebody, _drop_capabilities, _filter_calls),
    "netadmin": (_be_root, _adds("NET_ADMIN", "NET_RAW")),
    "sysadmin": (_be_root, _be_privileged),
}


def apply_profile(profile: str, container: Json) -> Json:
    """Return ``container`` with the profile's edits; raises InvalidRequest for no profile."""
    if profile not in PROFILES:
        known = ", ".join([AUTO, *PROFILES])
        raise InvalidRequest(f"profile {profile!r} does not exist", f"available: {known}")
    edited = deepcopy(container)
    for edit in PROFILES[profile]:
        edit(_map_in(edited, "securityContext"))
    return edited


def candidate_profiles(source: Json, twin: Json) -> tuple[str, ...]:
    """Return the profiles to ask for, the strongest first.

    ``twin`` is the debug container with the target's own security context. One that satisfies
    restricted needs no other.
    """
    if satisfies_restricted(source, twin):
        return (RESTRICTED,)
    context = context_of(twin)
    if may_be_root(source, context) and not _is_hardened(context):
        return (GENERAL, BASELINE, RESTRICTED)
    return (BASELINE, RESTRICTED)


def satisfies_restricted(source: Json, container: Json) -> bool:
    """Say whether a container of ``source`` has what PodSecurity's "restricted" asks of it.

    What the pod says holds if the container says nothing. What "restricted" asks of the
    pod as a whole, its volumes for one, is not asked here.
    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    context = context_of(container)
    capabilities = context.get("capabilities") or {}
    return (
        not context.get("privileged")
        and context.get("allowPrivilegeEscalation") is False
        and must_not_be_root(source, context)
        and uid_of(source, context) != 0
        and _type_of(_effective(source, context, "seccompProfile")) in _FILTERS
        and "ALL" in (capabilities.get("drop") or [])
        and all(added == _HARMLESS for added in capabilities.get("add") or [])
    )


def context_of(container: Json) -> Json:
    """Return the security context, empty if there is none."""
    return container.get("securityContext") or {}


def uid_of(source: Json, context: Json) -> int | None:
    """Return the UID that the context or its pod asks for."""
    uid: int | None = _effective(source, context, "runAsUser")
    return uid


def must_not_be_root(source: Json, context: Json) -> bool:
    """Say whether the context or its pod forbids root."""
    return bool(_effective(source, context, "runAsNonRoot"))


def may_be_root(source: Json, context: Json) -> bool:
    """Say whether nothing in the API keeps the container from being root."""
    return not must_not_be_root(source, context) and not uid_of(source, context)


def _effective(source: Json, context: Json, field: str) -> Any:
    own = context.get(field)
    return own if own is not None else context_of(source["spec"]).get(field)


def _is_hardened(context: Json) -> bool:
    dropped = (context.get("capabilities") or {}).get("drop") or []
    return context.get("allowPrivilegeEscalation") is False or "ALL" in dropped


def _type_of(profile: Json | None) -> Any:
    return (profile or {}).get("type")


def _map_in(parent: Json, field: str) -> Json:
    if parent.get(field) is None:
        parent[field] = {}
    found: Json = parent[field]
    return found


def keep_added(capabilities: Json, added: Iterable[str]) -> None:
    """Take what is added out of what is dropped, in place.

    What is added and dropped by name is dropped, as runtimes add first; "ALL" is dropped
    before both, so it may stay (containerd's WithCapabilities).
    """
    if capabilities.get("drop"):
        capabilities["drop"] = [name for name in capabilities["drop"] if name not in added]


def allow_escalation(context: Json) -> None:
    """Unset ``allowPrivilegeEscalation`` in place if it must not be false.

    The API rejects that for what is privileged or has CAP_SYS_ADMIN, spelled so
    (ValidateSecurityContext).
    """
    added = (context.get("capabilities") or {}).get("add") or []
    refused = context.get("privileged") or "CAP_SYS_ADMIN" in added
    if refused and context.get("allowPrivilegeEscalation") is False:
        del context["allowPrivilegeEscalation"]
