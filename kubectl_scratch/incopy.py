"""A session in a copy: what goes along, and where it goes on when its target dies."""

from __future__ import annotations

from kubectl_scratch.desk import Desk
from kubectl_scratch.door import Door
from kubectl_scratch.execs import Outcome
from kubectl_scratch.learner import learn, unlearned
from kubectl_scratch.lifecycle import LivingCopy
from kubectl_scratch.podjson import Json
from kubectl_scratch.request import SessionRequest
from kubectl_scratch.run import Luggage, SessionLimit, death_of_target, run_session
from kubectl_scratch.status import KILLED
from kubectl_scratch.toolkit import Entry
from kubectl_scratch.views import APP


def run_in(
    copy: LivingCopy, session: SessionRequest, desk: Desk, tty: bool, source: Json | None
) -> Outcome:
    """Run the session; a shell whose target has died goes on in the debug container.

    ``source`` is the source pod of a new copy, of which facts stand above the first prompt.
    """
    luggage = luggage_for(copy, desk, source)
    if copy.learning:
        learn(desk.cluster, copy.place, copy.learning, session.timeout)
    place = copy.place
    limit = SessionLimit(session.longest, copy.deadline, desk)
    outcome = run_session(session, desk, place, tty, limit, luggage)
    if place.view != APP or not (outcome.lost or outcome.code == KILLED):
        return outcome
    death = desk.interrupts.run(lambda: death_of_target(desk, place))
    if not death:
        return outcome
    desk.console.warning(death)
    if session.command or not tty:
        return outcome
    beside = desk.interrupts.run(copy.beside)
    if beside is None:
        return outcome
    desk.console.info("the session goes on in the debug container")
    return run_session(session, desk, beside, tty, limit, Luggage(gone=copy.why_gone))


def luggage_for(copy: LivingCopy, desk: Desk, source: Json | None) -> Luggage:
    """Return what goes along."""
    entries = learning_entries(copy)
    if source is None:
        return Luggage(entries, begins=copy.session_begins, gone=copy.why_gone)
    door = Door(desk.cluster, source, copy.place.target)
    return Luggage(entries, door.lines, copy.session_begins, copy.why_gone)


def learning_entries(copy: LivingCopy) -> tuple[Entry, ...]:
    """Return the files that tell run-app of a learning run."""
    if copy.learning:
        return (Entry("learning", b"", 0o644),)
    if copy.unlearned:
        return (unlearned(copy.unlearned),)
    return ()
