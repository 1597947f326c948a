"""The debug container: an ephemeral container in the copy, where the session stands."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

from kubectl_scratch import profiles
from kubectl_scratch.findings import Finding, Level
from kubectl_scratch.podjson import Json, all_containers, find, status_of
from kubectl_scratch.profiles import AUTO, NOBODY, RESTRICTED, context_of

# A process that idles for as long as the pod lives. A shell as first process would end with
# its first client, or outlive it. "infinity" is not known to every sleep.
IDLE = ("sleep", "2147483647")


@dataclass(frozen=True)
class Choice:
    """One form of the debug container, and what there is to say if it is taken."""

    profile: str
    container: Json
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Tools:
    """The debug container, in the order in which to ask for it, and what there is to say.

    ``findings`` are true whichever choice is taken.
    """

    choices: tuple[Choice, ...]
    findings: tuple[Finding, ...]


def debug_containers(
    source: Json,
    target: Json,
    image: str,
    suffix: str,
    profile: str = AUTO,
    custom: Json | None = None,
    env: tuple[tuple[str, str], ...] = (),
    pull_policy: str | None = None,
) -> Tools:
    """Return the debug container beside ``target``, with the target's own security context.

    Whoever has the target's user and no fewer capabilities may read its files under
    /proc/PID/root (ptrace(2), "Ptrace access mode checking"). Root beside a target of
    another user needs SYS_PTRACE, which PodSecurity's baseline refuses: later choices do
    without. A ``profile`` other than auto is the only choice. ``custom`` is a partial
    container, merged last; InvalidRequest is raised where it can't be.
    """
    twin: Json = {"name": _free_name(source, suffix), "image": image, "command": list(IDLE)}
    if env:
        twin["env"] = [{"name": key, "value": value} for key, value in env]
    if pull_policy is not None:
        twin["imagePullPolicy"] = pull_policy
    twin["securityContext"] = _twin_context(source, target)
    forms = _forms(source, twin, profile, {} if custom is None else custom)
    return _told([Choice(n, f, _user_findings(source, target, f)) for n, f in forms])


def as_regular(container: Json) -> Json:
    """Return the debug container as a regular one, for a pod that is created with it.

    The API refuses ephemeral containers on creation.
    """
    return {k: deepcopy(v) for k, v in container.items() if k != "targetContainerName"}


def _told(choices: list[Choice]) -> Tools:
    """Take what every choice has to say out of the choices: it is true before one is taken."""
    first, *others = choices
    common = tuple(f for f in first.findings if all(f in other.findings for other in others))
    own = [tuple(f for f in choice.findings if f not in common) for choice in choices]
    return Tools(tuple(replace(c, findings=f) for c, f in zip(choices, own, strict=True)), common)


def _forms(source: Json, twin: Json, profile: str, custom: Json) -> list[tuple[str, Json]]:
    """Return profiles and containers in the order in which to ask for them, none twice."""
    customized = profiles.merge_custom(twin, custom)
    names = profiles.candidates(source, customized) if profile == AUTO else (profile,)
    forms = [(n, profiles.merge_custom(_profiled(source, twin, n), custom)) for n in names]
    if len(forms) == 1:
        return forms
    # The user's own fields may undo a profile, or make two of them the same.
    kept = [(n, f) for n, f in forms if n != RESTRICTED or profiles.satisfies_restricted(source, f)]
    return [(n, f) for i, (n, f) in enumerate(kept) if f not in [g for _, g in kept[i + 1 :]]]


def _profiled(source: Json, twin: Json, profile: str) -> Json:
    if profile != RESTRICTED:
        return profiles.apply(profile, twin)
    if profiles.satisfies_restricted(source, twin):
        return twin
    context = twin["securityContext"]
    # The image of the tools says root, or nothing.
    user = {} if profiles.uid_of(source, context) else {"runAsUser": NOBODY}
    return profiles.apply(profile, {**twin, "securityContext": {**context, **user}})


def _free_name(source: Json, suffix: str) -> str:
    return "scratch" if find(all_containers(source), "scratch") is None else f"scratch-{suffix}"


def _twin_context(source: Json, target: Json) -> Json:
    context = deepcopy(context_of(target))
    # The tools need a place to write; the file system is the debug container's own.
    context.pop("readOnlyRootFilesystem", None)
    if profiles.uid_of(source, context) is not None:
        return context
    user = _user_in_status(source, target)
    if "uid" in user:
        context["runAsUser"] = user["uid"]
        context.setdefault("runAsGroup", user.get("gid", user["uid"]))
    elif profiles.must_not_be_root(source, context):
        context["runAsUser"] = NOBODY
    return context


def _user_in_status(source: Json, target: Json) -> Json:
    status = status_of(source, target["name"]) or {}
    return (status.get("user") or {}).get("linux") or {}


def _user_findings(source: Json, target: Json, container: Json) -> tuple[Finding, ...]:
    """Say that the session has another user than the target, where it needs the target's."""
    asked, context = context_of(target), context_of(container)
    known = profiles.uid_of(source, asked)
    if known is None:
        known = _user_in_status(source, target).get("uid")
    run = profiles.uid_of(source, context)
    # Root beside what may be root is taken to be its user, until the API says more.
    guess = 0 if known is None and not profiles.must_not_be_root(source, asked) else known
    if run is None or run == guess or (run == 0 and _traces(context)):
        return ()
    whose = "known to its image only" if known is None else known
    text = f"the target's user is {whose}; the session runs as {run} and may not see its files"
    return (Finding(Level.WARNING, text),)


def _traces(context: Json) -> bool:
    added = (context.get("capabilities") or {}).get("add") or []
    return bool(context.get("privileged")) or "SYS_PTRACE" in added or "ALL" in added
