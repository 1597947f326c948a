"""The answer from what Kubernetes knows, without a run of the app."""

from __future__ import annotations

from kubectl_scratch.kube.objects import Json, all_containers, find, last_termination, status_of
from kubectl_scratch.plan.target_health import crash_words, how_it_ended
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause, Explanation

MOST_CAUSES = 3
# What Kubernetes asks of an app that runs.
PROBE_KINDS = ("readiness-probe", "startup-probe", "liveness-probe")
# From this weight on a cause is a finding.
SURE = 50


def answer_of_status(facts: ClusterFacts, causes: tuple[Cause, ...]) -> Explanation:
    """Return the answer; ``causes`` are those that the status shows, the likeliest first."""
    sure = tuple(cause for cause in causes if cause.weight >= SURE)[:MOST_CAUSES]
    unsure = tuple(cause.sentence for cause in causes if cause.weight < SURE)
    return Explanation(
        sure, state_words(facts.pod, facts.target), not sure and works(facts), unsure
    )


def with_probes(answer: Explanation, causes: tuple[Cause, ...]) -> Explanation:
    """Return the answer of a run; of an app that runs, a failing probe is what is wrong."""
    failing = tuple(cause for cause in causes if cause.kind in PROBE_KINDS)[:MOST_CAUSES]
    if not answer.runs or not failing:
        return answer
    return answer._replace(causes=failing, runs=False)


def works(facts: ClusterFacts) -> bool:
    """Say whether a probe finds the container ready, and it has not crashed lately.

    Without a probe Kubernetes calls ready whatever runs, also an app that hangs.
    """
    container = find(all_containers(facts.pod), facts.target) or {}
    status = status_of(facts.pod, facts.target) or {}
    probed = "readinessProbe" in container and status.get("ready") is True
    if not probed or "running" not in (status.get("state") or {}) or facts.now is None:
        return False
    return not crash_words(facts.pod, container, facts.now)


def state_words(pod: Json, target: str) -> str:
    """Return what the container is doing, in words."""
    status = status_of(pod, target) or {}
    state, what = status.get("state") or {}, f"container {target}"
    ended, often = last_termination(status), status.get("restartCount") or 0
    after = f"; it {how_it_ended(ended)}" if ended and "terminated" not in state else ""
    times = f" (restarts: {often})" if often else ""
    if "running" in state:
        ready = "is running and ready" if status.get("ready") else "is running but not ready"
        return f"{what} {ready}{times}{after}"
    if "terminated" in state:
        return f"{what} {how_it_ended(state['terminated'])}{times}"
    reason = (state.get("waiting") or {}).get("reason")
    if reason:
        return f"{what} is waiting: {reason}{times}{after}"
    phase = (pod.get("status") or {}).get("phase")
    why = (pod.get("status") or {}).get("reason")
    return f"the pod is {phase or 'not found'}{f': {why}' if why else ''}"
