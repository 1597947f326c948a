"""One session in a container: open it, carry it to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kubectl_scratch.copies.membership import BY_ANOTHER
from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.kube.exec_errors import is_over
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.plan.in_place_process import unwatched_command
from kubectl_scratch.plan.model import APP, SessionTarget
from kubectl_scratch.request import SessionRequest
from kubectl_scratch.runtime.temp_dir import private_folder
from kubectl_scratch.session import shell, terminal
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.opening import open_remote
from kubectl_scratch.session.pod_watch import CopyWatch
from kubectl_scratch.session.post_mortem import refuse_ended, tell_end_of_copy
from kubectl_scratch.session.readiness import KILLED
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.session_limit import SessionLimit
from kubectl_scratch.session.stdin_watch import StdinHint, StdinWatch, stdin_has_ended
from kubectl_scratch.toolkit import archive
from kubectl_scratch.toolkit.archive import Entry

if TYPE_CHECKING:
    from kubectl_scratch.session.why_reply import WhyReply


# Of run-app: without a terminal, only the command's words say that it is used.
WHY_FLAG = "--why"


class Uploads(NamedTuple):
    """What a session uploads: files beside the toolkit's, and lines for the banner, if known.

    ``begins`` is called when the session begins, ``check`` proves that the seed is ours, ``gone``
    says why the copy is no longer there.
    """

    entries: tuple[Entry, ...] = ()
    facts: Callable[[SessionTarget], list[str]] = lambda place: []
    begins: Callable[[], None] = lambda: None
    check: SeedCheck | None = None
    gone: Callable[[], str] = lambda: BY_ANOTHER


NOTHING = Uploads()


class Session:
    """A command or a shell in a container, and what it takes to open and to carry it.

    ``open`` can be repeated, each call gives another remote command; ``carry`` gives how it ended.
    """

    def __init__(
        self,
        request: SessionRequest,
        context: Context,
        place: SessionTarget,
        tty: bool,
        limit: SessionLimit,
        uploads: Uploads = NOTHING,
    ) -> None:
        self._request = request
        self._context = context
        self._place = place
        self._tty = tty
        self._limit = limit
        self._uploads = uploads

    def run(self) -> ExecOutcome:
        """Open it, and carry it until it ends.

        Raises CopyNotReady, also if the container has ended before the session began.
        """
        with private_folder() as folder, closing(self.open(folder)) as remote:
            self.begin()
            outcome = self.carry(remote)
        if outcome.lost or outcome.code == KILLED:
            tell_end_of_copy(self._context, self._place, self._uploads.gone)
        elif is_over(outcome.problem):
            refuse_ended(self._context, self._place, self._uploads.gone)
        return outcome

    def open(self, folder: Path) -> RemoteCommand:
        """Return the remote command as soon as its container takes it; ``folder`` is a private one.

        Raises CopyNotReady.
        """
        request = self._request
        return open_remote(
            self._context,
            self._place,
            self._exec_command(),
            request.transport,
            request.timeout,
            self._watch(),
            folder,
        )

    def begin(self) -> None:
        """Note that the session has begun, and print a shell's banner."""
        self._context.console.settle()
        self._uploads.begins()
        if self._tty and not self._request.command:
            for line in (*self._uploads.facts(self._place), *shell.banner(self._place)):
                self._context.console.info(line)

    def carry(self, remote: RemoteCommand) -> ExecOutcome:
        """Carry bytes both ways until it ends; return how."""
        context, limit, reads = self._context, self._limit, self._request.stdin is not False
        user, interrupts, now = context.user, context.interrupts, context.clock.monotonic
        if self._tty:
            with (
                self._why_reply() as reply,
                terminal.raw_session(remote, user, context.console) as raw,
            ):
                notice = reply.notice if reply else lambda said: None
                check = limit.check
                terminal.bridge(remote, user, interrupts, now, check, raw, reads, seen=notice)
            return remote.outcome()
        if not reads:
            remote.sendeof()
        with self._watch_stdin(remote) as wanted, self._why_reply() as reply:
            if reply and any(WHY_FLAG in word for word in self._request.command):
                reply.expect()
            hint = StdinHint(wanted, self._request.command, context) if wanted else None

            def tick() -> None:
                limit.check()
                if hint:
                    hint.check()

            terminal.bridge(remote, user, interrupts, now, tick, None, reads, wanted)
        return remote.outcome()

    def _watch(self) -> CopyWatch:
        return CopyWatch(self._context.cluster, self._place, self._uploads.gone)

    def _why_reply(self) -> AbstractContextManager[WhyReply | None]:
        """Return what replies to run-app --why; None where no app is on hold."""
        place = self._place
        if not (place.held and place.view == APP and place.has_seed):
            return contextlib.nullcontext()
        from kubectl_scratch.session.why_reply import WhyReply

        return WhyReply(self._context.cluster, place)

    def _watch_stdin(self, remote: RemoteCommand) -> AbstractContextManager[StdinWatch | None]:
        """Return what says when our stdin is to be read; None if it is read at once.

        A shell reads it, and without the seed it cannot be known.
        """
        asked = self._request.stdin is not None or not self._request.command
        if asked or not remote.input_id or stdin_has_ended(self._context.user.stdin):
            return contextlib.nullcontext()
        return StdinWatch(self._context.cluster, self._place, remote.input_id)

    def _exec_command(self) -> ExecCommand:
        """Return the session's command, and the toolkit if it has to be brought."""
        request, place = self._request, self._place
        command = shell.shell_command(place, request.command, self._tty, request.shell)
        return ExecCommand(
            place.namespace,
            place.pod,
            place.container,
            command,
            self._tty,
            self._context.user.size(),
            repeatable=not request.command,
            toolkit=self._pack() if place.has_seed else None,
            unwatched=unwatched_command(command, place.session_id) if place.in_place else None,
            check=self._uploads.check,
            reads=request.stdin is not False,
        )

    def _pack(self) -> bytes:
        """Return all that the seed receives: busybox, the user's own tools, the shell's helpers."""
        request, place = self._request, self._place
        # A shell on a terminal reads the helpers, and makes the links.
        linked = bool(request.command) or not self._tty
        shipped = archive.shipped_entries(place.arch, linked)
        mine = [entry for path in request.toolkit_files for entry in archive.user_entries(path)]
        helpers = Entry("rc", shell.shell_helpers(place).encode(), 0o644)
        return archive.pack_entries([*shipped, *mine, helpers, *self._uploads.entries])
