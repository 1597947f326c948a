"""A session in a copy: what goes along, and where it goes on when its target dies."""

from __future__ import annotations

from kubectl_scratch.copies.lifecycle import LivingCopy
from kubectl_scratch.copies.seedcheck import SeedCheck
from kubectl_scratch.errors import CopyNotReady
from kubectl_scratch.kube.execs import Outcome
from kubectl_scratch.kube.podjson import Json
from kubectl_scratch.plan.plan import Place
from kubectl_scratch.plan.views import APP
from kubectl_scratch.request import SessionRequest
from kubectl_scratch.session.copywatch import HOLD_HINT
from kubectl_scratch.session.desk import Desk
from kubectl_scratch.session.door import Door
from kubectl_scratch.session.learner import learn, unlearned
from kubectl_scratch.session.run import Luggage, SessionLimit, death_of_target, run_session
from kubectl_scratch.session.status import KILLED
from kubectl_scratch.toolkit.toolkit import Entry


def run_in(
    copy: LivingCopy, session: SessionRequest, desk: Desk, tty: bool, source: Json | None
) -> Outcome:
    """Run the session; a shell whose target has died goes on in the debug container.

    So does one whose target ends again and again before it is reached. ``source`` is the source pod
    of a new copy, of which facts stand above the first prompt.
    """
    luggage = luggage_for(copy, desk, source)
    if copy.learning:
        learn(desk.cluster, copy.place, copy.learning, session.timeout, check_of(copy, desk))
    place = copy.place
    limit = SessionLimit(session.longest, copy.deadline, desk)
    can_move = place.view == APP and tty and not session.command
    try:
        outcome = run_session(session, desk, place, tty, limit, luggage)
    except CopyNotReady as error:
        beside = _beside(copy, desk) if can_move and error.beside else None
        if beside is None:
            raise
        desk.console.warning("; ".join(filter(None, (error.last, error.hint))))
    else:
        if place.view != APP or not (outcome.lost or outcome.code == KILLED):
            return outcome
        death = desk.interrupts.run(lambda: death_of_target(desk, place))
        if not death:
            return outcome
        cure = "" if place.held or can_move else f"; {HOLD_HINT}"
        desk.console.warning(f"{death}{cure}")
        beside = _beside(copy, desk) if can_move else None
        if beside is None:
            return outcome
    desk.console.info("the session goes on in the debug container")
    further = Luggage(check=check_of(copy, desk), gone=copy.why_gone)
    return run_session(session, desk, beside, tty, limit, further)


def _beside(copy: LivingCopy, desk: Desk) -> Place | None:
    """Return where a session in the debug container stands, None if there is none."""
    # Nobody waits for the target any more, so it need not wait for the session.
    copy.session_begins()
    return desk.interrupts.run(copy.beside)


def luggage_for(copy: LivingCopy, desk: Desk, source: Json | None) -> Luggage:
    """Return what goes along."""
    luggage = Luggage(
        learning_entries(copy),
        begins=copy.session_begins,
        check=check_of(copy, desk),
        gone=copy.why_gone,
    )
    if source is None:
        return luggage
    return luggage._replace(facts=Door(desk.cluster, source, copy.place.target).lines)


def check_of(copy: LivingCopy, desk: Desk) -> SeedCheck | None:
    """Return the check of the copy's seed, where it has one."""
    return copy.seed and SeedCheck(desk.cluster, copy.seed, desk.console.warning)


def learning_entries(copy: LivingCopy) -> tuple[Entry, ...]:
    """Return the files that tell run-app of a learning run."""
    if copy.learning:
        return (Entry("learning", b"", 0o644),)
    if copy.unlearned:
        return (unlearned(copy.unlearned),)
    return ()
