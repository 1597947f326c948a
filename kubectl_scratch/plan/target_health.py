"""Whether the target container runs in the source pod, and how it ends there."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubectl_scratch.kube.objects import (
    NOT_STARTED,
    Json,
    api_time,
    find,
    has_ended,
    init_containers,
    is_native_sidecar,
    last_termination,
    state_of,
    status_of,
)

# A container that runs now and has crashed within this time is one that crash-loops.
LOOPS_WITHIN = timedelta(minutes=10)


def target_runs(source: Json, target: Json, now: datetime) -> bool:
    """Say whether the target container runs in the source, and does not end again and again."""
    return not (crash_words(source, target, now) or _absence(source, target))


def ailment(source: Json, target: Json, now: datetime) -> str:
    """Return why the target container cannot be examined while it runs; empty if it can."""
    own = find(init_containers(source), target["name"])
    if own is not None and not is_native_sidecar(own):
        return "it is an init container, which ends"
    return crash_words(source, target, now) or _absence(source, target)


def crash_words(source: Json, target: Json, now: datetime) -> str:
    """Return how the target container ends again and again, in words; empty if it does not."""
    ended = last_termination(status_of(source, target["name"]))
    runs = "running" in state_of(source, target["name"])
    if not ended or (runs and not _is_recent(ended, now)):
        return ""
    return f"it {how_it_ended(ended)}"


def crash_loops(source: Json, target: Json, now: datetime) -> bool:
    """Say whether the target crashes, and the kubelet starts it again and again by itself."""
    if not crash_words(source, target, now) or has_ended(source):
        return False
    policy = _restart_policy(source, target)
    return policy == "Always" or (policy == "OnFailure" and _failed(source, target))


def _restart_policy(source: Json, target: Json) -> str:
    """Return the policy that holds for one container; it may have its own."""
    own = target.get("restartPolicy")
    policy = str(own or source["spec"].get("restartPolicy") or "Always")
    is_plain_init = find(init_containers(source), target["name"]) is not None and not own
    # One that has succeeded is done; it is a native sidecar that has Always of its own.
    return "OnFailure" if is_plain_init and policy == "Always" else policy


def _failed(source: Json, target: Json) -> bool:
    return last_termination(status_of(source, target["name"])).get("exitCode") != 0


def how_it_ended(ended: Json) -> str:
    """Return the end of a container in words."""
    if ended.get("reason") == "OOMKilled":
        return "ran out of memory (OOMKilled)"
    if ended.get("reason") in NOT_STARTED:
        return "could not be started"
    if ended.get("signal"):
        return f"was killed by signal {ended['signal']}"
    return f"exited with code {ended.get('exitCode')}"


def _absence(source: Json, target: Json) -> str:
    status = status_of(source, target["name"])
    if status is None:
        return "it has never run"
    state = status.get("state") or {}
    if "running" in state:
        return ""
    reason = (state.get("waiting") or {}).get("reason") or "no reason is given"
    return f"it has not started ({reason})"


def _is_recent(ended: Json, now: datetime) -> bool:
    at = api_time(ended.get("finishedAt"))
    return at is not None and now - at <= LOOPS_WITHIN
