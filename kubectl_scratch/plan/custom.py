"""The user's own part of the debug container: --custom, merged as kubectl debug merges it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.plan.profiles import allow_escalation, context_of, keep_added

# What --custom cannot set. "args" is not forbidden by kubectl, but would be the
# arguments of the process that idles.
FORBIDDEN = ("name", "image", "command", "args", "lifecycle", "volumeDevices")

# Lists that a strategic merge patch merges item by item, with the key that identifies items
# (patchMergeKey of v1.Container); it replaces all others.
MERGE_KEYS = {"env": "name", "ports": "containerPort", "volumeMounts": "mountPath"}

# What is read here, and so must have its type before the API server has seen it.
_TYPES: dict[str, type] = {
    **dict.fromkeys(MERGE_KEYS, list),
    "securityContext": dict,
    "securityContext.capabilities": dict,
    "securityContext.capabilities.add": list,
    "securityContext.capabilities.drop": list,
    "securityContext.seccompProfile": dict,
}
_WORDS: dict[type, str] = {dict: "a map", list: "a list"}


def merge_custom(container: Json, partial: Json) -> Json:
    """Return ``container`` with the partial container of --custom merged into it.

    Maps merge, null deletes, lists are replaced unless they have a key. What ``container``
    has of the target gives way where it contradicts what the user asks for. Raises
    InvalidRequest for a field that is not the user's to set, or of another type.
    """
    _require(partial, dict, "the container")
    for field in FORBIDDEN:
        if field in partial:
            raise InvalidRequest(f"--custom: {field!r} cannot be set")
    merged = _merge(container, partial, "")
    _give_way(context_of(merged), context_of(partial))
    return merged


def _merge(old: Json, new: Json, path: str) -> Json:
    merged = deepcopy(old)
    for field, value in new.items():
        if value is None:
            merged.pop(field, None)
        else:
            merged[field] = _merge_value(merged.get(field), value, f"{path}{field}")
    return merged


def _merge_value(old: Any, new: Any, path: str) -> Any:
    wanted = _TYPES.get(path) or (type(old) if isinstance(old, (dict, list)) else None)
    if wanted is not None:
        _require(new, wanted, repr(path))
    if isinstance(new, dict):
        return _merge(old if isinstance(old, dict) else {}, new, f"{path}.")
    if path in MERGE_KEYS:
        return _merge_items(old or [], new, path)
    return deepcopy(new)


def _merge_items(old: list[Json], new: list[Any], path: str) -> list[Json]:
    key = MERGE_KEYS[path]
    merged = list(old)
    for item in new:
        _require(item, dict, f"each item of {path!r}")
        if item.get(key) is None:
            raise InvalidRequest(f"--custom: each item of {path!r} must have {key!r}")
        places = [i for i, known in enumerate(merged) if known.get(key) == item[key]]
        if places:
            merged[places[0]] = _merge(merged[places[0]], item, f"{path}[].")
        else:
            merged.append(_merge({}, item, f"{path}[]."))
    return merged


def _require(value: Any, wanted: type, what: str) -> None:
    if not isinstance(value, wanted):
        raise InvalidRequest(f"--custom: {what} must be {_WORDS[wanted]}")


def _give_way(context: Json, said: Json) -> None:
    if "allowPrivilegeEscalation" not in said:
        allow_escalation(context)
    if said.get("runAsUser") == 0 and "runAsNonRoot" not in said:
        context["runAsNonRoot"] = False
    capabilities = said.get("capabilities") or {}
    if capabilities.get("add") and "drop" not in capabilities:
        keep_added(context["capabilities"], capabilities["add"])
