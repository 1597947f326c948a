"""Add an ephemeral container to the source pod, and say what becomes of it."""

from __future__ import annotations

from kubectl_scratch.copies.add_container import add_first_accepted, patch_in
from kubectl_scratch.errors import ClusterError, Interrupted
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.objects import find, state_of
from kubectl_scratch.kube.retry import despite_conflicts
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.in_place import InPlaceContainer, InPlacePlan
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.waiting import poll

# The API reports some seconds later that a container has ended.
END_SECONDS, _LOOK_EVERY, _LOOK_SECONDS = 5.0, 0.25, 3.0


def add_container(plan: InPlacePlan, context: Context, dry_run: bool = False) -> Candidate:
    """Add the first choice that the cluster accepts; raises ClusterError if it accepts none."""
    return add_first_accepted(
        plan.choices, lambda choice: _add(plan.place, choice, context, dry_run)
    )


def _add(place: SessionTarget, choice: Candidate, context: Context, dry_run: bool) -> None:
    def ask() -> None:
        # The kubelet writes to the same object, so there may be conflicts.
        context.interrupts.check()
        try:
            patch_in(context.cluster, place, choice, dry_run)
        except Interrupted:
            # In the pause of a busy API server, which may have done it all the same.
            if not dry_run:
                _say_what_may_be(place, context)
            raise

    try:
        despite_conflicts(ask)
    except ClusterError as error:
        # What got no answer may have been done all the same, and cannot be undone.
        if dry_run or not error.transient or not _is_there(place, error, context):
            raise


def _is_there(place: SessionTarget, error: ClusterError, context: Context) -> bool:
    """Say whether the container is in the pod; if that is not certain, warn."""
    certain = not error.unanswered
    try:
        pod = context.cluster.get(paths.pods(place.namespace, place.pod), _LOOK_SECONDS).body
        if find(pod["spec"].get("ephemeralContainers") or [], place.container) is not None:
            return True
    except ClusterError as unanswered:
        certain = unanswered.gone
    if not certain:
        _say_what_may_be(place, context)
    return False


def _say_what_may_be(place: SessionTarget, context: Context) -> None:
    what = f"container {place.container} may be listed in pod {place.pod}"
    context.console.warning(f"{what} until the pod is deleted; its process ends by itself")


def report_end(container: InPlaceContainer, context: Context) -> None:
    """Say what becomes of the container, once the API knows it."""
    what = f"container {container.place.container} of pod {container.place.pod}"
    # The next session looks for one that runs.
    wanted = ("running", "terminated") if container.linger else ("terminated",)
    try:
        known = context.interrupts.run(lambda: wait_for_state(container.place, wanted, context))
        idles = bool(container.linger) and not context.interrupts.run(
            lambda: is_listed_in(container.place, ("terminated",), context)
        )
    except Interrupted:
        # The session is over, and its code stays: the signal is about this wait.
        known, idles = False, bool(container.linger)
    context.console.settle()
    if idles:
        lasts = duration_words(container.linger)
        context.console.info(f"{what} idles for {lasts}, ready for another session")
    elif known:
        context.console.info(f"{what} has ended and stays listed until the pod is deleted")
    else:
        context.console.info(f"{what} may still be running; it ends by itself")


def wait_for_state(place: SessionTarget, wanted: tuple[str, ...], context: Context) -> bool:
    """Say whether the container has come to one of these states, as soon as that is known."""
    context.console.progress(f"waiting for the state of container {place.container}", log=False)
    listed = poll(
        lambda: is_listed_in(place, wanted, context) or None,
        context.clock,
        _LOOK_EVERY,
        END_SECONDS,
    )
    return listed is not None


def is_listed_in(place: SessionTarget, wanted: tuple[str, ...], context: Context) -> bool:
    """Say whether the API knows of such a state; with its pod a container has ended."""
    path = paths.pods(place.namespace, place.pod)
    try:
        pod = context.cluster.get(path, _LOOK_SECONDS).body
    except ClusterError as error:
        return error.gone
    state = state_of(pod, place.container)
    return any(each in state for each in wanted)
