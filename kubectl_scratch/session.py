"""The stories: a copy and the session in it, and one more session in a copy."""

from __future__ import annotations

from kubectl_scratch.errors import ExitStatus, InvalidRequest
from kubectl_scratch.lifecycle import (
    CreatedCopy,
    JoinedCopy,
    LivingCopy,
    Surroundings,
    Terms,
)
from kubectl_scratch.plan import make_plan
from kubectl_scratch.request import DebugRequest, SessionRequest
from kubectl_scratch.run import Desk, exit_code, run_session, wants_terminal
from kubectl_scratch.source import read_pod


def debug(request: DebugRequest, desk: Desk) -> int:
    """Debug a copy of the pod; return the session's exit code.

    Raises a ScratchError where there was no session, where its connection was lost, and
    where the copy could not be deleted.
    """
    session = request.session
    tty = wants_terminal(session, desk.user)
    with desk.interrupts.interruptible():
        source = read_pod(desk.cluster, request.pod)
    plan = make_plan(source.body, request, desk.suffix(), desk.author, source.at)
    if plan.blockers:
        raise InvalidRequest(f"pod {request.pod!r} can't be copied", plan.blockers[0].text)
    for finding in plan.findings:
        desk.console.finding(finding)
    copy = CreatedCopy(plan, Terms(session.ttl, request.deadline), surroundings(desk))
    return live(copy, session, desk, tty)


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
