"""The story of --in-place: a container in the source pod, the session in it, its end."""

from __future__ import annotations

from kubectl_scratch.copies.lifecycle import despite_conflicts
from kubectl_scratch.errors import (
    ClusterError,
    CopyNotReady,
    Interrupted,
    InvalidRequest,
    SessionError,
)
from kubectl_scratch.kube import client as api
from kubectl_scratch.kube.exec_types import ExecOutcome, exit_code
from kubectl_scratch.kube.objects import find, status_of
from kubectl_scratch.lookup.source import find_in_file, find_source
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.findings import Finding, Level, report_finding
from kubectl_scratch.plan.in_place import InPlaceContainer, InPlacePlan, plan_in_place
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.request import DebugRequest, SessionRequest, duration_words
from kubectl_scratch.session.client_watchdog import ClientWatchdog
from kubectl_scratch.session.context import Context, wants_terminal
from kubectl_scratch.session.session import SessionLimit, run_session

# No answer of the API server, or one that says that it may still be at it.
UNANSWERED = (0, 504)
# A container that has ended is told of by the API some seconds later.
END_SECONDS, _LOOK_EVERY, _LOOK_SECONDS = 5.0, 0.25, 3.0


def debug_in_place(request: DebugRequest, context: Context) -> int:
    """Debug the pod itself; return the session's exit code.

    Raises a ScratchError where there was no session and where its connection was lost.
    """
    tty = wants_terminal(request.session, context.user)
    plan = context.interrupts.run(lambda: read_in_place_plan(request, context))
    refuse_blocked_in_place(plan)
    for finding in plan.findings:
        report_finding(finding, context.console)
    outcome, guest = hold_session(plan, request.session, context, tty)
    farewell(guest, context)
    if outcome.lost:
        raise SessionError(outcome.problem, "debug --in-place starts another session")
    return exit_code(outcome, context.console.error)


def rehearse_in_place(request: DebugRequest, context: Context, server: bool) -> InPlacePlan:
    """Return the plan; with ``server`` the API server judges what would be added.

    Raises ClusterError for a refusal.
    """
    plan = context.interrupts.run(lambda: read_in_place_plan(request, context))
    if not server or plan.blockers or plan.idle is not None:
        return plan
    choice = context.interrupts.run(lambda: add_container(plan, context, dry_run=True))
    told = Finding(Level.INFO, f"profile {choice.profile}, the strongest that is admitted")
    return plan._replace(choices=(choice,), findings=(*plan.findings, *choice.findings, told))


def read_in_place_plan(request: DebugRequest, context: Context) -> InPlacePlan:
    """Read the source pod and make the plan."""
    if request.target is None:
        assert request.file is not None
        source = find_in_file(context.cluster, request.file)
    else:
        source = find_source(context.cluster, request.target)
    plan = plan_in_place(source.pod, request, context.suffix(), context.author, source.at)
    return plan._replace(findings=(*source.findings, *plan.findings))


def refuse_blocked_in_place(plan: InPlacePlan) -> None:
    """Raise InvalidRequest for a plan with a blocker."""
    if plan.blockers:
        problem = f"pod {plan.place.source} can't be debugged in place"
        raise InvalidRequest(problem, plan.blockers[0].text)


def hold_session(
    plan: InPlacePlan, session: SessionRequest, context: Context, tty: bool
) -> tuple[ExecOutcome, InPlaceContainer]:
    """Run the session in the container that idles, or in a new one."""
    if plan.idle is not None:
        try:
            return run_in_place(plan.idle, session, context, tty), plan.idle
        except CopyNotReady as error:
            if error.waited is not None:
                # It may be there all the same, and another one would be there for ever.
                raise
            context.console.info(
                f"container {plan.idle.place.container} has ended; another is added"
            )
    choice = add_container(plan, context)
    for finding in choice.findings:
        report_finding(finding, context.console)
    guest = InPlaceContainer(plan.place, plan.terms.linger, plan.terms.limit)
    try:
        return run_in_place(guest, session, context, tty), guest
    except BaseException:
        what = f"container {plan.place.container} stays listed in pod {plan.place.pod}"
        context.console.info(f"{what}; its process ends by itself")
        raise


def run_in_place(
    guest: InPlaceContainer, session: SessionRequest, context: Context, tty: bool
) -> ExecOutcome:
    """Run the session in a container, not longer than that may last."""
    if guest.left < session.longest:
        lasts = duration_words(int(guest.left))
        context.console.info(f"container {guest.place.container} ends in {lasts} in any case")
    limit = SessionLimit(min(session.longest, guest.left), None, context)
    if session.transport == "kubectl":
        return run_session(session, context, guest.place, tty, limit)
    with ClientWatchdog(context.cluster, guest.place):
        return run_session(session, context, guest.place, tty, limit)


def add_container(plan: InPlacePlan, context: Context, dry_run: bool = False) -> Candidate:
    """Add the first choice that the cluster accepts; raises ClusterError where it takes none."""
    *stronger, last = plan.choices
    for choice in stronger:
        try:
            return _patch_in(plan.place, choice, context, dry_run)
        except ClusterError as error:
            if not error.refused:
                raise
    return _patch_in(plan.place, last, context, dry_run)


def _patch_in(
    place: SessionTarget, choice: Candidate, context: Context, dry_run: bool
) -> Candidate:
    path = api.pods(place.namespace, place.pod, "ephemeralcontainers")
    patch = {"spec": {"ephemeralContainers": [choice.container]}}

    def ask() -> api.Answer:
        # The kubelet writes to the same object, so there may be conflicts.
        context.interrupts.check()
        try:
            return context.cluster.patch(path, patch, api.STRATEGIC_PATCH, dry_run=dry_run)
        except Interrupted:
            # In the pause of a busy API server, which may have done it all the same.
            if not dry_run:
                _say_what_may_be(place, context)
            raise

    try:
        despite_conflicts(ask)
    except ClusterError as error:
        # What got no answer may have been done all the same, and can't be undone.
        if dry_run or not error.transient or not _is_there(place, error, context):
            raise
    return choice


def _is_there(place: SessionTarget, error: ClusterError, context: Context) -> bool:
    """Say whether the container is in the pod; where that is not certain, say what may be."""
    certain = error.status not in UNANSWERED
    try:
        pod = context.cluster.get(api.pods(place.namespace, place.pod), _LOOK_SECONDS).body
        if find(pod["spec"].get("ephemeralContainers") or [], place.container) is not None:
            return True
    except ClusterError as unanswered:
        certain = unanswered.gone
    if not certain:
        _say_what_may_be(place, context)
    return False


def _say_what_may_be(place: SessionTarget, context: Context) -> None:
    what = f"container {place.container} may be listed in pod {place.pod}"
    context.console.warning(f"{what} until that is deleted; its process ends by itself")


def farewell(guest: InPlaceContainer, context: Context) -> None:
    """Say what becomes of the container, once the API knows it."""
    what = f"container {guest.place.container} of pod {guest.place.pod}"
    # The next session looks for one that runs.
    wanted = ("running", "terminated") if guest.linger else ("terminated",)
    try:
        known = context.interrupts.run(lambda: wait_for_state(guest.place, wanted, context))
        idles = bool(guest.linger) and not context.interrupts.run(
            lambda: is_listed_in(guest.place, ("terminated",), context)
        )
    except Interrupted:
        # The session is over, and its code stays: the signal is about this wait.
        known, idles = False, bool(guest.linger)
    context.console.settle()
    if idles:
        lasts = duration_words(guest.linger)
        context.console.info(f"{what} idles for {lasts}, for a next session")
    elif known:
        context.console.info(f"{what} has ended, and stays listed until the pod is deleted")
    else:
        context.console.info(f"{what} is not known to have ended; it does so by itself")


def wait_for_state(place: SessionTarget, wanted: tuple[str, ...], context: Context) -> bool:
    """Say whether the container has come to one of these states, as soon as that is known."""
    until = context.clock.monotonic() + END_SECONDS
    context.console.progress(
        f"waiting for container {place.container}: the cluster tells its state", log=False
    )
    while not is_listed_in(place, wanted, context):
        if context.clock.monotonic() >= until:
            return False
        context.clock.sleep(_LOOK_EVERY)
    return True


def is_listed_in(place: SessionTarget, wanted: tuple[str, ...], context: Context) -> bool:
    """Say whether the API knows of such a state; with its pod a container has ended."""
    path = api.pods(place.namespace, place.pod)
    try:
        pod = context.cluster.get(path, _LOOK_SECONDS).body
    except ClusterError as error:
        return error.gone
    state = (status_of(pod, place.container) or {}).get("state") or {}
    return any(each in state for each in wanted)
