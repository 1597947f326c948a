"""Why a session has ended: with its copy, its container, or its target."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from kubectl_scratch.errors import ClusterError, CopyNotReady
from kubectl_scratch.kube import exec_stream, paths
from kubectl_scratch.kube.exec_errors import UNREACHED
from kubectl_scratch.kube.objects import api_time, has_ended, is_going, last_termination, status_of
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.plan.target_health import how_it_ended
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.pod_watch import LOOK_SECONDS, CopyWatch
from kubectl_scratch.session.readiness import Failed
from kubectl_scratch.session.waiting import poll
from kubectl_scratch.toolkit import archive

# For how long, and how often, to look for the reason of an end, in seconds; and for that of a
# container which has certainly ended: a busy kubelet reports it late.
DEATH_SECONDS, OVER_SECONDS, LOOK_EVERY = 3.0, 10.0, 0.25
# How long before the end of a session its target can have ended that took it along: it is
# reported in whole seconds, by the clock of the node.
DEATH_WITHIN = timedelta(seconds=5)


def tell_end_of_copy(context: Context, place: SessionTarget, gone: Callable[[], str]) -> None:
    """Print an error if a session was killed because its copy has ended."""
    watch = CopyWatch(context.cluster, place, gone)
    with contextlib.suppress(ClusterError):
        state = context.interrupts.run(lambda: watch.look(LOOK_SECONDS))
        if isinstance(state, Failed):
            context.console.error("; ".join(filter(None, (state.why, state.hint))))


def refuse_ended(context: Context, place: SessionTarget, gone: Callable[[], str]) -> None:
    """Raise CopyNotReady if the session's container has ended before the session began."""
    watch = CopyWatch(context.cluster, place, gone)

    def failure() -> Failed | None:
        state = watch.look(LOOK_SECONDS)
        return state if isinstance(state, Failed) else None

    with contextlib.suppress(ClusterError):
        found = context.interrupts.run(
            lambda: poll(failure, context.clock, LOOK_EVERY, OVER_SECONDS)
        )
        if found is not None:
            raise CopyNotReady(found.why, hint=found.hint, beside=found.beside)


def death_of_target(context: Context, place: SessionTarget) -> str:
    """Return how the target has ended under a session, in words; empty if it has not.

    An app that has started again has an earlier end, too. The API reports one up to a
    second later, so a held target, which has no reason to end, is asked whether it is there.
    """
    path = paths.pods(place.namespace, place.pod)
    earliest: datetime | None = None

    def look() -> str | None:
        nonlocal earliest
        try:
            answer = context.cluster.get(path, LOOK_SECONDS)
        except ClusterError:
            return ""
        if earliest is None:
            earliest = answer.at - DEATH_WITHIN
            # At once, for it is soon started again.
            if place.held and target_answers(context, place):
                return ""
        if is_going(answer.body) or has_ended(answer.body):
            # The copy has ended, and its target with it: that has been said.
            return ""
        ended = last_termination(status_of(answer.body, place.target))
        if ended and (api_time(ended.get("finishedAt")) or earliest) >= earliest:
            return f"container {place.target} {how_it_ended(ended)}, and the session ended with it"
        return None

    return poll(look, context.clock, LOOK_EVERY, DEATH_SECONDS) or ""


def target_answers(context: Context, place: SessionTarget) -> bool:
    """Say whether the seed in the target answers; false if that cannot be known."""
    where = (place.namespace, place.pod, place.target)
    endpoint = context.cluster.exec_endpoint(*where, (archive.SEED, "version"), False)
    endpoint = endpoint._replace(timeout=LOOK_SECONDS)
    try:
        outcome, _ = exec_stream.converse(
            exec_stream.connect_exec(endpoint, exec_stream.V4), b"", LOOK_SECONDS
        )
    except (*UNREACHED, OSError):
        return False
    return outcome.code == 0
