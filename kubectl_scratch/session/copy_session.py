"""A session in a copy: what it uploads, and how it continues when its target ends."""

from __future__ import annotations

from kubectl_scratch.copies.membership import CopyMembership
from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.errors import CopyNotReady
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.plan.model import APP, SessionTarget
from kubectl_scratch.request import SessionRequest
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.crash_summary import CrashSummary
from kubectl_scratch.session.discovery_runner import discover_entrypoint, undiscovered
from kubectl_scratch.session.pod_watch import HOLD_HINT
from kubectl_scratch.session.post_mortem import death_of_target
from kubectl_scratch.session.readiness import KILLED
from kubectl_scratch.session.session import Session, Uploads
from kubectl_scratch.session.session_limit import SessionLimit
from kubectl_scratch.toolkit.archive import Entry


def run_in_copy(
    copy: CopyMembership, session: SessionRequest, context: Context, tty: bool, source: Json | None
) -> ExecOutcome:
    """Run the session; a shell whose target has ended continues in the debug container.

    So does one whose target ends again and again before it is reached. ``source`` is the source pod
    of a new copy, whose crash summary stands above the first prompt.
    """
    uploads = uploads_for(copy, context, source)
    if copy.discovery_pod:
        discover_entrypoint(
            context.cluster,
            copy.place,
            copy.discovery_pod,
            session.timeout,
            seed_check_of(copy, context),
        )
    place = copy.place
    limit = SessionLimit(session.longest, copy.deadline, context)
    can_move = place.view == APP and tty and not session.command
    try:
        outcome = Session(session, context, place, tty, limit, uploads).run()
    except CopyNotReady as error:
        beside = _beside(copy, context) if can_move and error.beside else None
        if beside is None:
            raise
        context.console.warning("; ".join(filter(None, (error.last, error.hint))))
    else:
        if place.view != APP or not (outcome.lost or outcome.code == KILLED):
            return outcome
        death = context.interrupts.run(lambda: death_of_target(context, place))
        if not death:
            return outcome
        cure = "" if place.held or can_move else f"; {HOLD_HINT}"
        context.console.warning(f"{death}{cure}")
        beside = _beside(copy, context) if can_move else None
        if beside is None:
            return outcome
    context.console.info("the session continues in the debug container")
    further = Uploads(check=seed_check_of(copy, context), gone=copy.why_gone)
    return Session(session, context, beside, tty, limit, further).run()


def _beside(copy: CopyMembership, context: Context) -> SessionTarget | None:
    """Return the session target in the debug container, None if there is none."""
    # Nobody waits for the target any more, so it need not wait for the session.
    copy.session_begins()
    return context.interrupts.run(copy.beside)


def uploads_for(copy: CopyMembership, context: Context, source: Json | None) -> Uploads:
    """Return what the session uploads."""
    uploads = Uploads(
        discovery_entries(copy),
        begins=copy.session_begins,
        check=seed_check_of(copy, context),
        gone=copy.why_gone,
    )
    if source is None:
        return uploads._replace(facts=where_inside)
    return uploads._replace(facts=CrashSummary(context.cluster, source, copy.place.target).lines)


def where_inside(place: SessionTarget) -> list[str]:
    """Return what the plan says of a new copy: that the session is inside the target."""
    return [f"inside container {place.target}"] if place.view == APP else []


def seed_check_of(copy: CopyMembership, context: Context) -> SeedCheck | None:
    """Return the check of the copy's seed, if it has one."""
    return copy.seed and SeedCheck(context.cluster, copy.seed, context.console.warning)


def discovery_entries(copy: CopyMembership) -> tuple[Entry, ...]:
    """Return the files that tell run-app of entrypoint discovery."""
    if copy.discovery_pod:
        return (Entry("learning", b"", 0o644),)
    if copy.undiscovered:
        return (undiscovered(copy.undiscovered),)
    return ()
