"""The debug container: an ephemeral container in the copy, for sessions beside the target."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, all_containers, find, status_of
from kubectl_scratch.plan import profiles
from kubectl_scratch.plan.custom import merge_custom
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.profiles import AUTO, NOBODY, RESTRICTED, context_of
from kubectl_scratch.plan.seed import DEBUG_TOOLKIT_VOLUME, SEED_VOLUME, TOOLKIT_VOLUME, seed_mounts
from kubectl_scratch.toolkit import archive

# A process that idles for as long as the pod lives. A shell as first process would end with
# its first client, or outlive it. Not every sleep knows "infinity".
_IDLE = ("sleep", "2147483647")
# Folders in which a toolkit image has its tools; the empty one is the root.
SYSTEM = ("", "bin", "dev", "lib", "lib32", "lib64", "nix", "proc", "sbin", "sys", "usr")


class Candidate(NamedTuple):
    """One form of the debug container, and what to report if it is used."""

    profile: str
    container: Json
    findings: tuple[Finding, ...] = ()


class DebugContainerChoices(NamedTuple):
    """The forms of the debug container, in the order in which to ask for them, and what to report.

    ``findings`` are true for every choice.
    """

    choices: tuple[Candidate, ...]
    findings: tuple[Finding, ...]


class DebugContainerForm(NamedTuple):
    """What a debug container is before its name and its security context are known.

    A twin has the target's image, and so the user that the image says.
    """

    container: Json
    is_twin: bool = False
    findings: tuple[Finding, ...] = ()


def container_of_image(
    target: Json,
    image: str,
    env: tuple[tuple[str, str], ...] = (),
    pull_policy: str | None = None,
) -> DebugContainerForm:
    """Return the form of a debug container from a toolkit image.

    ``target`` is the container of the copy. Its volumes are mounted at the same paths, unless
    they would hide the tools.
    """
    container: Json = {"image": image, "command": list(_IDLE)}
    if env:
        container["env"] = _as_env(env)
    if pull_policy is not None:
        container["imagePullPolicy"] = pull_policy
    found = [mount for mount in _mounts_of(target) if not _hides_tools(mount)]
    if found:
        container["volumeMounts"] = found
    return DebugContainerForm(container)


def container_like_target(
    target: Json, env: tuple[tuple[str, str], ...] = (), pull_policy: str | None = None
) -> DebugContainerForm:
    """Return the form of a twin of ``target``, the container of the copy with the seed's mounts.

    The twin receives its tools into a volume of its own.
    An ephemeral container cannot have a subPath (validateContainerOnlyForPod in
    kubernetes/kubernetes, pkg/apis/core/validation/validation.go).
    """
    kept = ("image", "imagePullPolicy", "env", "envFrom", "workingDir")
    container = {field: deepcopy(target[field]) for field in kept if field in target}
    for item in container.get("env") or []:
        _read_of_the_target(item, target)
    container["command"] = [archive.SEED, "idle", "0"]
    own = seed_mounts(DEBUG_TOOLKIT_VOLUME)
    container["volumeMounts"] = [*filter(_is_the_app_s, _mounts_of(target)), *own]
    if env:
        given = {name for name, _ in env}
        others = [item for item in container.get("env") or [] if item["name"] not in given]
        container["env"] = [*others, *_as_env(env)]
    if pull_policy is not None:
        container["imagePullPolicy"] = pull_policy
    left = [m["mountPath"] for m in target.get("volumeMounts") or [] if _is_partial(m)]
    text = f"mounts with a subPath are missing in the debug container: {', '.join(left)}"
    return DebugContainerForm(container, True, (Finding(Level.DETAIL, text),) if left else ())


def _read_of_the_target(variable: Json, target: Json) -> None:
    """Let a variable say the target's resources: an ephemeral container has none of its own."""
    reference = (variable.get("valueFrom") or {}).get("resourceFieldRef")
    kind, _, resource = str((reference or {}).get("resource")).partition(".")
    # One that is not set is the node's to say, of an ephemeral container as of the target.
    is_set = resource in ((target.get("resources") or {}).get(kind) or {})
    if reference is not None and is_set:
        reference.setdefault("containerName", target["name"])


def debug_containers(
    source: Json,
    target: Json,
    form: DebugContainerForm,
    session_id: str,
    profile: str = AUTO,
    custom: Json | None = None,
) -> DebugContainerChoices:
    """Return the debug container beside ``target``, with the target's own security context.

    Whoever has the target's user and no fewer capabilities may read its files under
    /proc/PID/root (ptrace(2), "Ptrace access mode checking"). Root beside a target of
    another user needs SYS_PTRACE, which PodSecurity's baseline rejects: later choices work
    without it. A ``profile`` other than auto is the only choice. ``custom`` is a partial
    container, merged last; InvalidRequest is raised if it cannot be.
    """
    base: Json = {"name": free_name(source, session_id), **form.container}
    base["securityContext"] = _own_context(source, target, form.is_twin)
    forms = _forms(source, base, profile, {} if custom is None else custom, form.is_twin)
    asked = [Candidate(n, f, _user_findings(source, target, f, form.is_twin)) for n, f in forms]
    found = _told(asked)
    return found._replace(findings=(*found.findings, *form.findings))


def _as_env(pairs: tuple[tuple[str, str], ...]) -> list[Json]:
    return [{"name": key, "value": value} for key, value in pairs]


def _mounts_of(target: Json) -> list[Json]:
    mounts = target.get("volumeMounts") or []
    return [deepcopy(mount) for mount in mounts if not _is_partial(mount)]


def _is_partial(mount: Json) -> bool:
    return bool(mount.get("subPath") or mount.get("subPathExpr"))


def _is_the_app_s(mount: Json) -> bool:
    return mount["name"] not in (SEED_VOLUME, TOOLKIT_VOLUME)


def _hides_tools(mount: Json) -> bool:
    first = mount["mountPath"].strip("/").partition("/")[0]
    ours = not _is_the_app_s(mount)
    return ours or first in SYSTEM or mount["mountPath"].rstrip("/") in ("/etc", "/root", "/tmp")


def as_regular(container: Json) -> Json:
    """Return the debug container as a regular one, for a pod that is created with it.

    The API rejects ephemeral containers on creation.
    """
    return {k: deepcopy(v) for k, v in container.items() if k != "targetContainerName"}


def _told(choices: list[Candidate]) -> DebugContainerChoices:
    """Take the findings that are common to all choices out of the choices."""
    first, *others = choices
    common = tuple(f for f in first.findings if all(f in other.findings for other in others))
    own = [tuple(f for f in choice.findings if f not in common) for choice in choices]
    return DebugContainerChoices(
        tuple(c._replace(findings=f) for c, f in zip(choices, own, strict=True)), common
    )


def _forms(
    source: Json, base: Json, profile: str, custom: Json, is_twin: bool
) -> list[tuple[str, Json]]:
    """Return profiles and containers in the order in which to ask for them, none twice."""
    customized = merge_custom(base, custom)
    names = profiles.candidate_profiles(source, customized) if profile == AUTO else (profile,)
    forms = [(n, merge_custom(_profiled(source, base, n, is_twin), custom)) for n in names]
    if len(forms) == 1:
        return forms
    # The user's own fields may undo a profile, or make two of them the same.
    kept = [(n, f) for n, f in forms if n != RESTRICTED or profiles.satisfies_restricted(source, f)]
    return [(n, f) for i, (n, f) in enumerate(kept) if f not in [g for _, g in kept[i + 1 :]]]


def _profiled(source: Json, base: Json, profile: str, is_twin: bool) -> Json:
    if profile != RESTRICTED:
        return profiles.apply_profile(profile, base)
    if profiles.satisfies_restricted(source, base):
        return base
    context = base["securityContext"]
    uid = profiles.uid_of(source, context)
    # The image of the tools says root, or nothing; a twin's says the target's user.
    user = {} if uid or (is_twin and uid is None) else {"runAsUser": NOBODY}
    return profiles.apply_profile(profile, {**base, "securityContext": {**context, **user}})


def free_name(source: Json, session_id: str) -> str:
    """Return a name for the debug container that no container of the source has."""
    return "scratch" if find(all_containers(source), "scratch") is None else f"scratch-{session_id}"


def _own_context(source: Json, target: Json, is_twin: bool) -> Json:
    context = deepcopy(context_of(target))
    if not is_twin:
        # A toolkit image needs a place to write; the seed has its own, a volume.
        context.pop("readOnlyRootFilesystem", None)
    if is_twin or profiles.uid_of(source, context) is not None:
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


def _user_findings(
    source: Json, target: Json, container: Json, is_twin: bool
) -> tuple[Finding, ...]:
    """Say that the session has another user than the target, if it needs the target's."""
    asked, context = context_of(target), context_of(container)
    if is_twin and context.get("runAsUser") == asked.get("runAsUser"):
        return ()
    known = profiles.uid_of(source, asked)
    if known is None:
        known = _user_in_status(source, target).get("uid")
    run = profiles.uid_of(source, context)
    # Root beside what may be root is taken to be its user, until the API says more.
    guess = 0 if known is None and not profiles.must_not_be_root(source, asked) else known
    if run is None or run == guess or (run == 0 and _traces(context)):
        return ()
    whose = "is set in the image and unknown to the API" if known is None else f"is {known}"
    text = f"the target's user {whose}; the session runs as user {run}"
    return (Finding(Level.WARNING, f"{text}, which may be unable to read the target's files"),)


def _traces(context: Json) -> bool:
    added = (context.get("capabilities") or {}).get("add") or []
    return bool(context.get("privileged")) or "SYS_PTRACE" in added or "ALL" in added
