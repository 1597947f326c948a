"""debug --in-place: a container in the source pod, the session in it, its end."""

from __future__ import annotations

from kubectl_scratch.errors import (
    CopyNotReady,
    InvalidRequest,
    SessionError,
)
from kubectl_scratch.kube.exec_types import ExecOutcome, exit_code
from kubectl_scratch.lookup.source import find_in_file, find_source
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.in_place import InPlaceContainer, InPlacePlan, plan_in_place
from kubectl_scratch.request import DebugRequest, SessionRequest
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.session.client_watchdog import ClientWatchdog
from kubectl_scratch.session.context import Context, wants_terminal
from kubectl_scratch.session.ephemeral_container import add_container, report_end
from kubectl_scratch.session.finding_report import report_finding
from kubectl_scratch.session.session import Session
from kubectl_scratch.session.session_limit import SessionLimit


def debug_in_place(request: DebugRequest, context: Context) -> int:
    """Debug the pod itself; return the session's exit code.

    Raises a ScratchError if there was no session or its connection was lost.
    """
    tty = wants_terminal(request.session, context.user)
    plan = context.interrupts.run(lambda: read_in_place_plan(request, context))
    refuse_blocked_in_place(plan)
    for finding in plan.findings:
        report_finding(finding, context.console)
    outcome, container = run_in_idle_or_new(plan, request.session, context, tty)
    report_end(container, context)
    if outcome.lost:
        raise SessionError(outcome.problem, "use debug --in-place to start another session")
    return exit_code(outcome, context.console.error)


def rehearse_in_place(request: DebugRequest, context: Context, server: bool) -> InPlacePlan:
    """Return the plan; with ``server`` the API server judges what would be added.

    Raises ClusterError for a refusal.
    """
    plan = context.interrupts.run(lambda: read_in_place_plan(request, context))
    if not server or plan.blockers or plan.idle is not None:
        return plan
    choice = context.interrupts.run(lambda: add_container(plan, context, dry_run=True))
    told = Finding(Level.INFO, f"using profile {choice.profile}, the strongest that is accepted")
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
        problem = f"pod {plan.place.source} cannot be debugged in place"
        raise InvalidRequest(problem, plan.blockers[0].text)


def run_in_idle_or_new(
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
                f"container {plan.idle.place.container} has ended; adding another one"
            )
    choice = add_container(plan, context)
    for finding in choice.findings:
        report_finding(finding, context.console)
    container = InPlaceContainer(plan.place, plan.terms.linger, plan.terms.limit)
    try:
        return run_in_place(container, session, context, tty), container
    except BaseException:
        what = f"container {plan.place.container} stays listed in pod {plan.place.pod}"
        context.console.info(f"{what}; its process ends by itself")
        raise


def run_in_place(
    container: InPlaceContainer, session: SessionRequest, context: Context, tty: bool
) -> ExecOutcome:
    """Run the session in a container, not longer than that may last."""
    if container.left < session.longest:
        lasts = duration_words(int(container.left))
        context.console.info(f"container {container.place.container} ends in {lasts} at the latest")
    limit = SessionLimit(min(session.longest, container.left), None, context)
    there = Session(session, context, container.place, tty, limit)
    if session.transport == "kubectl":
        return there.run()
    with ClientWatchdog(context.cluster, container.place):
        return there.run()
