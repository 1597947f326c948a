"""Pod status -> how far the debug container is, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_scratch.podjson import Json, condition, container_statuses, is_going, status_of


@dataclass(frozen=True)
class Waiting:
    """It may still come; ``unschedulable`` means that no node takes the copy for now."""

    what: str
    unschedulable: bool = False


@dataclass(frozen=True)
class Ready:
    """The debug container runs."""


@dataclass(frozen=True)
class Failed:
    """It can't get better."""

    why: str


State = Waiting | Ready | Failed

IN_WORDS = {
    "ContainerCreating": "the node prepares the container",
    "PodInitializing": "the node prepares the container",
    "ErrImagePull": "the image can't be pulled yet",
    "ImagePullBackOff": "the image can't be pulled yet",
    "Pulling": "the node pulls the image",
}

FATAL_REASONS = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"})

# The kubelet tells a registry's "no" from its hiccups only in the text of its message. What is
# not here may get better. kubernetes/kubernetes, pkg/kubelet/images/types.go.
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

AUTOSCALER_ANSWERS = frozenset({"TriggeredScaleUp"})


def judge(pod: Json, container: str) -> State:
    """Say how far the ephemeral container ``container`` of ``pod`` is."""
    if is_going(pod):
        return Failed("the copy is being deleted by somebody else")
    status = pod.get("status") or {}
    if status.get("phase") in ("Failed", "Succeeded"):
        said = ": ".join(filter(None, (status.get("reason"), status.get("message"))))
        return Failed(f"the copy has ended ({said or status['phase']})")
    own = status_of(pod, container)
    if own is not None:
        return _judge_container(own)
    return _judge_pod(pod)


def _judge_container(status: Json) -> State:
    state = status.get("state") or {}
    if "running" in state:
        return Ready()
    if "terminated" in state:
        ended = state["terminated"]
        said = ended.get("message") or ended.get("reason") or "no reason given"
        return Failed(f"the debug container ended with code {ended.get('exitCode')}: {said}")
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    said = f"{reason}: {message}" if message else reason
    if _is_fatal(reason, message):
        return _cannot_start(said)
    words = IN_WORDS.get(reason, "the debug container starts")
    return Waiting(f"{words} ({said})" if message else words)


def _cannot_start(why: str) -> Failed:
    return Failed(f"the debug container can't start ({why}); --image chooses another toolkit image")


def _is_fatal(reason: str, message: str) -> bool:
    text = message.lower()
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        return any(fatal in text for fatal in FATAL_PULL_TEXTS)
    if reason in ("CreateContainerError", "RunContainerError"):
        return any(fatal in text for fatal in FATAL_CREATE_TEXTS)
    return reason in FATAL_REASONS


def _judge_pod(pod: Json) -> State:
    scheduled = condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        return Waiting(f"no node takes the copy: {scheduled.get('message', '')}", True)
    if not pod["spec"].get("nodeName"):
        return Waiting("the copy gets a node")
    for status in container_statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in ("CreateContainerError", "CreateContainerConfigError"):
            return Waiting(f"container {status['name']}: {waiting.get('message', '')}")
    return Waiting("the node starts the copy")


def fatal_event(events: list[Json], container: str) -> Failed | None:
    """Return why the container can't start, where an event has said so.

    The status of an ephemeral container tells of a failed pull only at the kubelet's next
    sync of the pod, some 15 s later.
    """
    field = f"spec.ephemeralContainers{{{container}}}"
    for event in events:
        if (event.get("involvedObject") or {}).get("fieldPath") != field:
            continue
        reason, message = event.get("reason"), event.get("message", "")
        pulling = reason == "Failed" and message.startswith("Failed to pull image")
        if (pulling and _is_fatal("ErrImagePull", message)) or reason == "InspectFailed":
            return _cannot_start(message)
    return None


def autoscaler_has_answered(events: list[Json]) -> bool:
    """Say whether a node is on its way for the pod of these events."""
    return any(event.get("reason") in AUTOSCALER_ANSWERS for event in events)


def last_trouble(events: list[Json]) -> str:
    """Return the message of the newest warning, or nothing."""
    warnings = [event for event in events if event.get("type") == "Warning"]
    if not warnings:
        return ""
    newest = max(warnings, key=_last_seen)
    return f"{newest.get('reason', '')}: {newest.get('message', '')}"


def _last_seen(event: Json) -> str:
    series = (event.get("series") or {}).get("lastObservedTime")
    times = (series, event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((moment for moment in times if moment), ""))
