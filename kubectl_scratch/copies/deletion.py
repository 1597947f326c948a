"""Delete what a session has created, each object by its UID, and say what could not be deleted."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable

from kubectl_scratch.copies.created_object import CreatedObject, problem_of
from kubectl_scratch.errors import ClusterError, LeftoverCopy
from kubectl_scratch.kube.client import Answer, Client
from kubectl_scratch.kube.objects import is_going, uid
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.plan.metadata import is_same_creation
from kubectl_scratch.plan.podcopy.manifest import GRACE_SECONDS
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.interrupts import Interrupts

# Of each request, and the pauses after which it is sent again.
EXIT_TIMEOUT, EXIT_PAUSES = 5.0, (0.5, 1.0)
# After this, in seconds, nothing is tried again: the lease does the rest.
EXIT_SECONDS = 8.0

# What could not be deleted, and why.
Undeleted = list[tuple[CreatedObject, str]]


class Deletion:
    """The requests on the way out: they share one limit of time, and a user who cannot wait."""

    def __init__(self, cluster: Client, interrupts: Interrupts, console: Console) -> None:
        """Start the time."""
        self._cluster = cluster
        self._interrupts = interrupts
        self._console = console
        self._give_up_at = time.monotonic() + EXIT_SECONDS

    def ask(self, ask: Callable[[], Answer]) -> Answer:
        """Ask, and again after a hiccup; raises the last ClusterError."""
        return retried(ask, self._may_ask_again, EXIT_PAUSES, EXIT_SECONDS)

    def _may_ask_again(self, error: ClusterError) -> bool:
        late = time.monotonic() > self._give_up_at or self._interrupts.impatient
        # Of a conflict only a look can tell what it is about.
        if late or not (error.transient or error.conflict):
            return False
        self._console.progress(f"leaving the copy: {error.message}; trying again")
        return True

    def find(self, each: CreatedObject) -> Answer | None:
        """Read an object; None if it is gone: there is none, or another one of its name."""
        try:
            found = self.ask(lambda: self._cluster.get(each.path, EXIT_TIMEOUT))
        except ClusterError as error:
            if error.gone:
                return None
            raise
        return found if uid(found.body) == each.uid else None

    def delete_all(self, objects: Iterable[CreatedObject]) -> Undeleted:
        """Delete the objects, the last one first; return those that could not be deleted."""
        tried = [(each, self.delete(each)) for each in reversed(list(objects))]
        return [(each, why) for each, why in tried if why]

    def delete(self, each: CreatedObject) -> str:
        """Delete one object; return why it could not be deleted, or nothing."""
        own = each.uid
        try:
            own = own or self._look_up(each)
            if own:
                self.ask(lambda: self._cluster.delete(each.path, own, GRACE_SECONDS, EXIT_TIMEOUT))
        except Exception as error:
            if isinstance(error, ClusterError) and (
                error.gone or (error.conflict and self._is_gone(each._replace(uid=own)))
            ):
                return ""
            return problem_of(error)
        return ""

    def _look_up(self, each: CreatedObject) -> str:
        """Return the UID of what may have been created; empty if there is nothing of ours.

        What has our labels and marks was created by us. Raises the ClusterError with which
        that stays unknown.
        """
        assert each.doubt is not None
        try:
            found = self.ask(lambda: self._cluster.get(each.path, EXIT_TIMEOUT)).body
        except ClusterError as error:
            if error.gone or not each.doubt.likely:
                return ""
            raise
        return uid(found) if is_same_creation(found, each.doubt.manifest) else ""

    def _is_gone(self, each: CreatedObject) -> bool:
        """Say whether an object is gone or about to go; False if that is unknown."""
        try:
            found = self.find(each)
            return found is None or is_going(found.body)
        except Exception:
            return False


def leftover_copy(left: Undeleted, flags: Iterable[str], otherwise: str) -> LeftoverCopy:
    """Return the error that names what is left, the command that deletes it, and the reason."""
    words = ["kubectl", "delete", *flags, "-n", left[0][0].namespace, "--now"]
    words += [each.label for each, _ in left]
    return LeftoverCopy(shlex.join(words), left[0][1], otherwise)
