"""The debug container: an ephemeral container in the copy, where the session stands."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from kubectl_scratch.findings import Finding, Level
from kubectl_scratch.podjson import Json, all_containers, find, status_of

# A process that idles for as long as the pod lives. A shell as first process would end with
# its first client, or outlive it. "infinity" is not known to every sleep.
IDLE = ("sleep", "2147483647")

# For a target that must not be root and whose own user the API does not say.
NOBODY = 65532


@dataclass(frozen=True)
class Tools:
    """The debug container, in the order in which to ask for it, and what there is to say."""

    choices: tuple[Json, ...]
    findings: tuple[Finding, ...]


def debug_containers(source: Json, target: Json, image: str, suffix: str) -> Tools:
    """Return the debug container beside ``target``, with the target's own security context.

    Whoever has the target's user and no fewer capabilities may read its files under
    /proc/PID/root (ptrace(2), "Ptrace access mode checking"). Root beside a target of
    another user needs SYS_PTRACE, which PodSecurity's baseline refuses: a second choice
    does without.
    """
    context, findings = _twin_context(source, target)
    plain = {
        "name": _free_name(source, suffix),
        "image": image,
        "command": list(IDLE),
        "securityContext": context,
    }
    if _may_be_root(source, context) and not _is_hardened(context):
        return Tools((_with_ptrace(plain), plain), findings)
    return Tools((plain,), findings)


def _free_name(source: Json, suffix: str) -> str:
    return "scratch" if find(all_containers(source), "scratch") is None else f"scratch-{suffix}"


def _twin_context(source: Json, target: Json) -> tuple[Json, tuple[Finding, ...]]:
    context = deepcopy(target.get("securityContext") or {})
    # The tools need a place to write; the file system is the debug container's own.
    context.pop("readOnlyRootFilesystem", None)
    if _uid(source, context) is not None:
        return context, ()
    user = ((status_of(source, target["name"]) or {}).get("user") or {}).get("linux") or {}
    if "uid" in user:
        context["runAsUser"] = user["uid"]
        context.setdefault("runAsGroup", user.get("gid", user["uid"]))
    elif _must_not_be_root(source, context):
        context["runAsUser"] = NOBODY
        text = f"the target's user is known to its image only; the session runs as {NOBODY}"
        return context, (Finding(Level.WARNING, text + " and may not see its files"),)
    return context, ()


def _pod_context(source: Json) -> Json:
    return source["spec"].get("securityContext") or {}


def _uid(source: Json, context: Json) -> int | None:
    own = context.get("runAsUser")
    return own if own is not None else _pod_context(source).get("runAsUser")


def _must_not_be_root(source: Json, context: Json) -> bool:
    own = context.get("runAsNonRoot")
    return bool(own if own is not None else _pod_context(source).get("runAsNonRoot"))


def _may_be_root(source: Json, context: Json) -> bool:
    return not _must_not_be_root(source, context) and not _uid(source, context)


def _is_hardened(context: Json) -> bool:
    dropped = (context.get("capabilities") or {}).get("drop") or []
    return context.get("allowPrivilegeEscalation") is False or "ALL" in dropped


def _with_ptrace(container: Json) -> Json:
    more = deepcopy(container)
    capabilities = more["securityContext"].setdefault("capabilities", {})
    capabilities["add"] = sorted({*(capabilities.get("add") or []), "SYS_PTRACE"})
    return more
