"""debug and attach: a copy and the session in it, one more session in a copy."""

from __future__ import annotations

import contextlib

from kubectl_scratch.copies.create import CreatedCopy
from kubectl_scratch.copies.join import JoinedCopy, awaits_debug_container
from kubectl_scratch.copies.membership import CopyMembership, CopyTerms
from kubectl_scratch.errors import ClusterError, ExitStatus, InvalidRequest
from kubectl_scratch.kube.exec_types import exit_code
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.lookup.admission import (
    admit,
    is_not_judged,
    judge_debug_container,
    judge_lease,
)
from kubectl_scratch.lookup.source import read_pod
from kubectl_scratch.plan.build import make_plan
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.inputs import PlanInputs
from kubectl_scratch.plan.model import TOOLS, Plan
from kubectl_scratch.request import DebugRequest, SessionRequest
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.context import Context, wants_terminal
from kubectl_scratch.session.finding_report import report_finding

# For how long a debug container may be on its way, and how often it is looked for, in seconds.
ADDED_WITHIN, ADDED_LOOK_EVERY = 6.0, 0.25


def debug_copy(request: DebugRequest, context: Context, reading: Task[PlanInputs]) -> int:
    """Debug a copy of the pod; return the session's exit code.

    Raises a ScratchError if there was no session, its connection was lost, or the copy could
    not be deleted.
    """
    session = request.session
    tty = wants_terminal(session, context.user)
    plan = context.interrupts.run(lambda: plan_admitted(request, context, reading))
    for finding in plan.findings:
        report_finding(finding, context.console)
    terms = CopyTerms(session.ttl, request.deadline, session.longest)
    copy = CreatedCopy(plan, terms, context.cluster, context.interrupts, context.console)
    try:
        return run_membership(copy, session, context, tty, plan.source)
    except ClusterError as error:
        explain_rejection(error, plan, context)
        raise


def rehearse_copy(
    request: DebugRequest, context: Context, reading: Task[PlanInputs], server: bool
) -> Plan:
    """Return the plan; with ``server`` the API server judges what would be created.

    Raises ClusterError for a refusal.
    """
    plan = context.interrupts.run(lambda: plan_debug(request, context, reading))
    if not server or plan.blockers:
        return plan
    return context.interrupts.run(lambda: judge_all(plan, context))


def judge_all(plan: Plan, context: Context) -> Plan:
    """Return the plan as the API server judges it; raises ClusterError for a refusal."""
    admitted = admit(plan, context.cluster)
    refusals = [
        judge_lease(admitted, context.cluster),
        judge_debug_container(admitted, None, context.cluster),
    ]
    for refusal in (refusal for refusal in refusals if refusal):
        if not is_not_judged(refusal):
            raise refusal
        told = Finding(Level.WARNING, f"not checked by the API server: {refusal.message}")
        admitted = admitted._replace(findings=(*admitted.findings, told))
    return admitted


def plan_admitted(request: DebugRequest, context: Context, reading: Task[PlanInputs]) -> Plan:
    """Make the plan that is carried out; raises InvalidRequest if it has a blocker."""
    plan = plan_debug(request, context, reading)
    refuse_blocked(plan)
    # Inside the target the debug container is not waited for, so it is tried as it is.
    return admit(plan, context.cluster) if plan.place.view == TOOLS else plan


def plan_debug(request: DebugRequest, context: Context, reading: Task[PlanInputs]) -> Plan:
    """Make the plan of what is being read; raises what the reading raises."""
    return make_plan(request, reading.result(), context.suffix(), context.author)


def refuse_blocked(plan: Plan) -> None:
    """Raise InvalidRequest for a plan with a blocker."""
    if plan.blockers:
        raise InvalidRequest(f"pod {plan.place.source} cannot be copied", plan.blockers[0].text)


def explain_rejection(error: ClusterError, plan: Plan, context: Context) -> None:
    """Say what lies behind a refusal; the check tells more than its message."""
    if not error.refused:
        return
    # The copy is gone: a signal may end this.
    context.interrupts.reopen()
    # Seldom needed, and then there is time.
    from kubectl_scratch.lookup.preflight import run_checks

    with contextlib.suppress(ClusterError):
        for finding in context.interrupts.run(lambda: run_checks(plan, context.cluster)).findings:
            # Its own message is printed as the error.
            if finding.level is Level.BLOCKER and error.message not in finding.text:
                context.console.warning(finding.text)


def attach_copy(
    pod: str, session: SessionRequest, context: Context, view: str | None = None
) -> int:
    """Run one more session in the copy ``pod``; return its exit code.

    Raises as ``debug_copy`` does, and InvalidRequest for a pod that is no copy.
    """
    tty = wants_terminal(session, context.user)
    found = context.interrupts.run(lambda: read_copy(pod, context, view))
    terms = CopyTerms(session.ttl, session.ttl, session.longest)
    copy = JoinedCopy(
        found,
        context.suffix(),
        terms,
        context.cluster,
        context.interrupts,
        context.console,
        view,
    )
    return run_membership(copy, session, context, tty)


def read_copy(pod: str, context: Context, view: str | None) -> Json:
    """Read the copy, if need be until its debug container is there, which comes last."""
    give_up_at = context.clock.monotonic() + ADDED_WITHIN
    while True:
        found = read_pod(context.cluster, pod).body
        late = context.clock.monotonic() > give_up_at
        if late or not awaits_debug_container(found, view):
            return found
        context.console.progress(f"waiting for {pod}: its debug container is being added")
        context.clock.sleep(ADDED_LOOK_EVERY)


def run_membership(
    copy: CopyMembership,
    session: SessionRequest,
    context: Context,
    tty: bool,
    source: Json | None = None,
) -> int:
    """Run the session in a copy, of ``source`` if it is new; return its code once it is left.

    Raises LeftoverCopy if it could not be deleted, and what Session.run raises.
    """
    try:
        with copy:
            # While the node starts the copy, and not before the copy is asked for.
            from kubectl_scratch.session import copy_session

            outcome = copy_session.run_in_copy(copy, session, context, tty, source)
        context.interrupts.reopen()
        code = exit_code(outcome, context.console.error)
    except BaseException:
        if copy.leftover is not None:
            # It has the reason why there was no session as its context, and both are told.
            raise copy.leftover  # noqa: B904
        raise
    if copy.leftover is not None:
        copy.leftover.code = code or ExitStatus.FAILURE
        raise copy.leftover
    return code
