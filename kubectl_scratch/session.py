"""The stories: a copy and the session in it, and one more session in a copy."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from kubectl_scratch.admission import admit, is_not_judged, judge, judge_lease
from kubectl_scratch.errors import ClusterError, ExitStatus, InvalidRequest
from kubectl_scratch.findings import Finding, Level
from kubectl_scratch.lifecycle import (
    CreatedCopy,
    JoinedCopy,
    LivingCopy,
    Surroundings,
    Terms,
)
from kubectl_scratch.plan import Circumstances, Plan, make_plan
from kubectl_scratch.preflight import check
from kubectl_scratch.request import DebugRequest, SessionRequest
from kubectl_scratch.run import Desk, exit_code, run_session, wants_terminal
from kubectl_scratch.source import find_in_file, find_source, read_pod
from kubectl_scratch.survey import Survey

# What has a reason in rights, admission, quota.
REFUSALS = (400, 403, 422)


def debug(request: DebugRequest, desk: Desk) -> int:
    """Debug a copy of the pod; return the session's exit code.

    Raises a ScratchError where there was no session, where its connection was lost, and
    where the copy could not be deleted.
    """
    session = request.session
    tty = wants_terminal(session, desk.user)
    with desk.interrupts.interruptible():
        plan = plan_debug(request, desk)
        refuse_blocked(plan)
        plan = admit(plan, desk.cluster)
    for finding in plan.findings:
        desk.console.finding(finding)
    copy = CreatedCopy(plan, Terms(session.ttl, request.deadline), surroundings(desk))
    try:
        return live(copy, session, desk, tty)
    except ClusterError as error:
        explain(error, plan, desk)
        raise


def rehearse(request: DebugRequest, desk: Desk, server: bool) -> Plan:
    """Return the plan; with ``server`` the API server judges what would be created.

    Raises ClusterError for a refusal.
    """
    with desk.interrupts.interruptible():
        plan = plan_debug(request, desk)
        if not server or plan.blockers:
            return plan
        admitted = admit(plan, desk.cluster)
        refusals = [judge_lease(admitted, desk.cluster), judge(admitted, None, desk.cluster)]
        for refusal in (refusal for refusal in refusals if refusal):
            if not is_not_judged(refusal):
                raise refusal
            told = Finding(Level.WARNING, f"not judged: {refusal.message}")
            admitted = replace(admitted, findings=(*admitted.findings, told))
        return admitted


def verdict(plan: Plan) -> int:
    """Return the exit code of a dry run."""
    return ExitStatus.FAILURE if plan.blockers else ExitStatus.OK


def plan_debug(request: DebugRequest, desk: Desk) -> Plan:
    """Read what a plan needs, at once as far as possible, and make it."""
    if request.target is None:
        assert request.file is not None
        source = find_in_file(desk.cluster, request.file)
        survey = Survey(desk.cluster)
    else:
        survey = Survey(desk.cluster)
        source = find_source(desk.cluster, request.target)
    found = survey.result()
    around = Circumstances(
        suffix=desk.suffix(),
        author=desk.author,
        now=source.at,
        neighbours=found.neighbours,
        claims=found.claims,
        found=source.findings,
    )
    return make_plan(source.pod, request, around)


def refuse_blocked(plan: Plan) -> None:
    """Raise InvalidRequest for a plan with a blocker."""
    if plan.blockers:
        raise InvalidRequest(f"pod {plan.place.source} can't be copied", plan.blockers[0].text)


def explain(error: ClusterError, plan: Plan, desk: Desk) -> None:
    """Say what lies behind a refusal; the check tells more than its message."""
    if error.status not in REFUSALS:
        return
    # The copy is gone: a signal may end this.
    desk.interrupts.reopen()
    with contextlib.suppress(ClusterError), desk.interrupts.interruptible():
        for finding in check(plan, desk.cluster).findings:
            if finding.level is Level.BLOCKER:
                desk.console.warning(finding.text)


def attach(pod: str, session: SessionRequest, desk: Desk) -> int:
    """Run one more session in the copy ``pod``; return its exit code.

    Raises as ``debug`` does, and InvalidRequest for a pod that is no copy.
    """
    tty = wants_terminal(session, desk.user)
    with desk.interrupts.interruptible():
        found = read_pod(desk.cluster, pod).body
    terms = Terms(session.ttl, session.ttl)
    return live(JoinedCopy(found, desk.suffix(), terms, surroundings(desk)), session, desk, tty)


def surroundings(desk: Desk) -> Surroundings:
    """Return what a copy's life needs."""
    return Surroundings(desk.cluster, desk.interrupts, desk.console)


def live(copy: LivingCopy, session: SessionRequest, desk: Desk, tty: bool) -> int:
    """Run the session in a copy; return its exit code once the copy is left.

    Raises LeftoverCopy where it could not be deleted, and what run_session raises.
    """
    try:
        with copy:
            outcome = run_session(session, desk, copy.place, tty, copy.deadline)
        desk.interrupts.reopen()
        code = exit_code(outcome, desk.console)
    except BaseException:
        if copy.leftover is not None:
            # It has the reason why there was no session as its context, and both are told.
            raise copy.leftover  # noqa: B904
        raise
    if copy.leftover is not None:
        copy.leftover.code = code or ExitStatus.FAILURE
        raise copy.leftover
    return code
