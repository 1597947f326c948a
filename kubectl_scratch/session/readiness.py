"""Pod status -> how far the session's container is, with the reason in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    NOT_STARTED,
    Json,
    condition,
    container_statuses,
    find,
    has_ended,
    init_containers,
    innermost,
    is_going,
    is_native_sidecar,
    last_termination,
    status_of,
)
from kubectl_scratch.plan import remedies

COPY = "the copy"


class Waiting(NamedTuple):
    """It may still come; ``unschedulable`` means that no node can run the copy for now.

    ``new_pod`` says that no container of the pod was started yet, as far as is known, ``hint`` what
    helps if it does not come, ``hopeless`` that waiting does not.
    """

    what: str
    unschedulable: bool = False
    new_pod: bool = False
    hint: str = ""
    hopeless: bool = False


@dataclass(frozen=True)
class Ready:
    """The container runs."""


class Watched(NamedTuple):
    """The container of a session; ``words`` name it.

    ``starts_again`` says that an end is none, as with an app that runs, ``if_killed`` the same of
    an end that others have made. ``hint`` says what to do if it cannot start, ``arch_hint`` if its
    architecture is the reason, ``end_hint`` if it ends again and again, ``node_hint`` if no node is
    one that the pod asks for. ``pod`` is what its pod is called. ``read_only`` names, by container,
    the volumes that it cannot write in the copy alone.
    """

    name: str
    words: str = "the debug container"
    hint: str = "use --image to choose another toolkit image"
    starts_again: bool = False
    if_killed: bool = False
    pod: str = COPY
    node_hint: str = ""
    arch_hint: str = ""
    end_hint: str = ""
    read_only: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Failed(NamedTuple):
    """It cannot get better; ``ended`` says that a container ran, and may have said why.

    ``container`` is which one, empty for the session's, ``hint`` what to do then, and ``beside``
    says that a session in the debug container still can be.
    """

    why: str
    ended: bool = False
    container: str = ""
    hint: str = ""
    beside: bool = False


State = Waiting | Ready | Failed

# The code of what was killed: for memory, by someone, with its container.
KILLED = 137

IN_WORDS = {
    "ContainerCreating": "the node is preparing the container",
    "PodInitializing": "the node is preparing the container",
    "ErrImagePull": "the image cannot be pulled yet",
    "ImagePullBackOff": "the image cannot be pulled yet",
    "Pulling": "the node is pulling the image",
}

FATAL_REASONS = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"})

# What is wrong with a container's configuration only until the kubelet has read it.
# kubernetes/kubernetes, pkg/kubelet/kubelet_pods.go and pkg/kubelet/util/manager.
NOT_YET_READ = ("failed to sync", "have not yet been read", "not registered", "timed out")

# The kubelet distinguishes a registry's "no" from its hiccups only by the text of its message.
# What is not here may get better. kubernetes/kubernetes, pkg/kubelet/images/types.go.
FATAL_PULL_TEXTS = (
    "not found",
    "manifest unknown",
    "no match for platform",
    "access denied",
    "access to the resource is denied",
    "authorization failed",
    "unauthorized",
    "denied:",
    "403 forbidden",
)

# A refused container start that no retry changes.
FATAL_CREATE_TEXTS = ("executable file not found", "no such file or directory", "exec format error")

# What the kubelet says of every end.
NO_REASONS = ("Error", "Completed")

# What is said of an image or a program that is for another architecture.
FOREIGN_TEXTS = ("no match for platform", "exec format error")

# Why the scheduler refuses a node that is not one of those that a pod asks for; there is another
# affinity, that of a volume.
# kubernetes/kubernetes, pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
AFFINITY_TEXT = "Pod's node affinity"

# What the kubelet says while it cannot mount a pod's volumes, and what is not worth waiting for.
MOUNT_REASONS = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
# The kubelet reports these once a pod has its volumes.
HAS_VOLUMES = ("Pulling", "Pulled", "Created", "Started")
HOPELESS_MOUNT = re.compile(
    r'(secret|configmap) "[^"]*" not found|non-existent (config|secret) key|type check failed'
)

AUTOSCALER_ANSWERS = frozenset({"TriggeredScaleUp"})


def readiness_of(pod: Json, watched: Watched) -> State:
    """Say how far a container of ``pod`` is."""
    state = _judge(pod, watched)
    if isinstance(state, Waiting) and (pod.get("status") or {}).get("phase") == "Pending":
        return state._replace(new_pod=True)
    return state


def _judge(pod: Json, watched: Watched) -> State:
    if is_going(pod):
        return Failed(f"{watched.pod} is being deleted by someone else")
    status = pod.get("status") or {}
    if has_ended(pod):
        said = ": ".join(filter(None, (status.get("reason"), status.get("message"))))
        return Failed(f"{watched.pod} has ended ({said or status['phase']})")
    own = status_of(pod, watched.name)
    # The status of a regular container is there, and empty, before the pod is on its way.
    if own is not None and not _waits_for_others(own):
        if _is_done(pod, own, watched):
            why = "and init containers are not started again; use --hold to keep it"
            return Failed(f"{watched.words} exited with code 0, {why}")
        return _judge_container(pod, own, watched)
    return _judge_pod(pod, watched)


def _is_done(pod: Json, status: Json, watched: Watched) -> bool:
    """Say whether it is an init container, no native sidecar, that has done its work."""
    inits = init_containers(pod)
    own = [c for c in inits if c["name"] == watched.name and not is_native_sidecar(c)]
    ended = (status.get("state") or {}).get("terminated") or {}
    return bool(own) and ended.get("exitCode") == 0


def _waits_for_others(status: Json) -> bool:
    waiting = (status.get("state") or {}).get("waiting") or {}
    return waiting.get("reason") == "PodInitializing"


def _judge_container(pod: Json, status: Json, watched: Watched) -> State:
    state = status.get("state") or {}
    if "running" in state:
        return Ready()
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    ended = state.get("terminated")
    if ended is None and reason == "CrashLoopBackOff":
        ended = last_termination(status) or None
    if ended is not None:
        last = (status.get("lastState") or {}).get("terminated")
        return _judge_end(ended, watched, bool(last))
    said = f"{reason}: {message}" if message else reason
    if _is_fatal(reason, message):
        return _cannot_start(said, watched, _remedy(pod, watched.name, reason, message))
    words = IN_WORDS.get(reason, f"{watched.words} is starting")
    return Waiting(f"{words} ({said})" if message else words)


def _judge_end(ended: Json, watched: Watched, again: bool) -> State:
    """Judge an end; ``again`` says that it is not the first one.

    Whoever lives for long enough to be reached has been reached before: the first start is heard
    of, and the second comes at once.
    """
    code, reason = ended.get("exitCode"), str(ended.get("reason") or "")
    said = ended.get("message") or ("" if reason in NO_REASONS else reason)
    if reason in NOT_STARTED:
        return _cannot_start(innermost(said), watched)
    often = " again and again" if watched.starts_again and again else ""
    text = ": ".join(filter(None, (f"{watched.words} exited with code {code}{often}", said)))
    if often:
        return Failed(text, ended=True, hint=watched.end_hint, beside=True)
    if watched.starts_again or (watched.if_killed and code == KILLED):
        return Waiting(f"{text}; it starts again")
    return Failed(text, ended=True, hint=watched.hint)


def _remedy(pod: Json, container: str, reason: str, message: str) -> str:
    """Return what cures a configuration that is wrong; empty if nothing is known that does."""
    if reason != "CreateContainerConfigError":
        return ""
    return remedies.configuration_remedy(pod, container, message)


def _cannot_start(why: str, watched: Watched, remedy: str = "") -> Failed:
    foreign = watched.arch_hint if any(text in why for text in FOREIGN_TEXTS) else ""
    ways = remedy or ", or ".join(filter(None, (watched.hint, foreign)))
    return Failed("; ".join(filter(None, (f"{watched.words} cannot start ({why})", ways))))


def _is_fatal(reason: str, message: str) -> bool:
    text = message.lower()
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        return any(fatal in text for fatal in FATAL_PULL_TEXTS)
    if reason in ("CreateContainerError", "RunContainerError"):
        return any(fatal in text for fatal in FATAL_CREATE_TEXTS)
    return reason in FATAL_REASONS and not any(soon in text for soon in NOT_YET_READ)


def _judge_pod(pod: Json, watched: Watched) -> State:
    scheduled = condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        message = str(scheduled.get("message", ""))
        what = f"no node can run {watched.pod}: {message}"
        return Waiting(what, True, hint=_node_hint(message, pod, watched))
    if not pod["spec"].get("nodeName"):
        return Waiting(f"{watched.pod} is being scheduled")
    held_up = _judge_init(pod, watched)
    if held_up is not None:
        return held_up
    for status in container_statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in ("CreateContainerError", "CreateContainerConfigError"):
            return Waiting(f"container {status['name']}: {waiting.get('message', '')}")
    return Waiting(f"the node is starting {watched.pod}")


def _node_hint(message: str, pod: Json, watched: Watched) -> str:
    if watched.pod != COPY:
        return ""
    arch = watched.node_hint if AFFINITY_TEXT in message else ""
    return "; ".join(filter(None, (arch, remedies.scheduling_remedy(pod, message))))


def _judge_init(pod: Json, watched: Watched) -> State | None:
    """Say which init container holds a regular one up; a debug container waits for none."""
    own = status_of(pod, watched.name)
    if own is None or not _waits_for_others(own):
        return None
    for status in (pod.get("status") or {}).get("initContainerStatuses") or []:
        state, name = status.get("state") or {}, status["name"]
        waiting = state.get("waiting") or {}
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        skips = f"use --skip-init {name} to omit it"
        if reason == "CrashLoopBackOff":
            ended = last_termination(status)
            return _failing_init(name, ended, skips, watched)
        if _is_fatal(reason, message):
            image = f"use --set-image {name}=IMAGE to replace its image"
            cure = _remedy(pod, name, reason, message) or ("" if "Config" in reason else image)
            text = f"init container {name} cannot start ({reason}: {message})"
            hint = ", or ".join(filter(None, (cure, skips)))
            return Failed(_holds_up(text, watched), hint=hint)
        if message:
            return Waiting(f"init container {name} is starting ({reason}: {message})", hint=skips)
        # It holds others up until it ends, a native sidecar until it has started.
        own = find(init_containers(pod), name)
        if "running" in state and not (own and is_native_sidecar(own) and status.get("started")):
            doing = "has not started yet" if own and is_native_sidecar(own) else "is still running"
            ways = f"use -c {name} to go inside it, or {skips}"
            return Waiting(f"init container {name} {doing}", hint=ways)
    return None


def _holds_up(text: str, watched: Watched) -> str:
    return f"{text}, so {watched.words} does not start"


def _failing_init(name: str, ended: Json, skips: str, watched: Watched) -> Failed:
    text = f"init container {name} exited with code {ended.get('exitCode')}"
    if ended.get("reason") in NOT_STARTED:
        said = innermost(str(ended.get("message") or ended["reason"]))
        text = f"init container {name} cannot start ({said})"
    missed = watched.read_only.get(name) or ()
    ways = [skips, f"use -c {name} to go inside it"]
    if missed:
        ways.append(remedies.read_only_remedy(missed))
    return Failed(_holds_up(text, watched), ended=True, container=name, hint=", or ".join(ways))


def is_start(event: Json, container: str) -> bool:
    """Say whether an event reports that a container has started.

    kubernetes/kubernetes, pkg/kubelet/kuberuntime/kuberuntime_container.go and
    pkg/kubelet/container/ref.go.
    """
    path = str((event.get("involvedObject") or {}).get("fieldPath") or "")
    return event.get("reason") == "Started" and path.endswith(f"{{{container}}}")


def fatal_event(events: list[Json], watched: Watched) -> Failed | None:
    """Return why the container cannot start, if an event has said so.

    The status of an ephemeral container shows a failed pull only at the kubelet's next
    sync of the pod, some 15 s later.
    """
    for event in events:
        field = str((event.get("involvedObject") or {}).get("fieldPath"))
        if not field.endswith(f"{{{watched.name}}}"):
            continue
        reason, message = event.get("reason"), event.get("message", "")
        pulling = reason == "Failed" and message.startswith("Failed to pull image")
        if (pulling and _is_fatal("ErrImagePull", message)) or reason == "InspectFailed":
            return _cannot_start(message, watched)
    return None


def mount_trouble(events: list[Json], pod: Json, watched: Watched) -> Waiting | None:
    """Return what keeps a pod from its volumes, by its newest event; None if nothing does."""
    newest = max(events, key=last_seen, default={})
    started = any(
        e.get("reason") in HAS_VOLUMES and last_seen(e) >= last_seen(newest) for e in events
    )
    if newest.get("reason") not in MOUNT_REASONS or started or watched.pod != COPY:
        return None
    message = " ".join(str(newest.get("message", "")).split())
    what = f"the node is preparing the container ({newest['reason']}: {message})"
    hopeless = HOPELESS_MOUNT.search(message) is not None
    return Waiting(what, hint=remedies.mount_remedy(pod, message), hopeless=hopeless)


def autoscaler_has_answered(events: list[Json]) -> bool:
    """Say whether a node is on its way for the pod of these events."""
    return any(event.get("reason") in AUTOSCALER_ANSWERS for event in events)


def last_trouble(events: list[Json]) -> str:
    """Return the message of the newest warning, or nothing."""
    warnings = [event for event in events if event.get("type") == "Warning"]
    if not warnings:
        return ""
    newest = max(warnings, key=last_seen)
    return f"{newest.get('reason', '')}: {' '.join(str(newest.get('message', '')).split())}"


def last_seen(event: Json) -> str:
    series = (event.get("series") or {}).get("lastObservedTime")
    times = (series, event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((moment for moment in times if moment), ""))
