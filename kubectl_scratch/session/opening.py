"""Open a command in a container as soon as the container takes it."""

from __future__ import annotations

from pathlib import Path

from kubectl_scratch.errors import CopyNotReady
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.runtime import tasks
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.pod_watch import CopyWatch, StartNews
from kubectl_scratch.session.readiness import State
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.transport import choose_transport
from kubectl_scratch.session.waiting import TIMEOUT_HINT, Patience, wait_for, without_numbers

# For how long, in seconds, the wait for a session may be over its time: it knows best why.
_GRACE_SECONDS = 2.0


def open_remote(
    context: Context,
    place: SessionTarget,
    exec_command: ExecCommand,
    transport: str,
    timeout: float,
    watch: CopyWatch,
    folder: Path,
) -> RemoteCommand:
    """Return the remote command as soon as its container takes it; say what is waited for.

    ``timeout`` is in seconds, ``folder`` a private one. Raises CopyNotReady.
    """
    last = [""]

    def say(words: str) -> None:
        last[0] = words
        text = f"waiting for {place.pod}: {words}"
        context.console.progress(text, key=without_numbers(words))

    attempt = choose_transport(transport, context, exec_command, folder, say)

    def checked(state: State) -> RemoteCommand | None:
        tasks.raise_if_abandoned()
        return attempt(state)

    def wait() -> RemoteCommand:
        news, patience = StartNews(context.cluster, place), Patience(timeout)
        return wait_for(checked, watch.look, watch.events, say, context.clock, patience, news)

    say("the debug container is starting" if place.in_place else "the copy is starting")
    try:
        return context.interrupts.run(wait, _close, timeout + _GRACE_SECONDS)
    except TimeoutError as error:
        # What it waits for has a longer end of its own.
        raise CopyNotReady(last[0], timeout, TIMEOUT_HINT) from error


def _close(remote: RemoteCommand) -> None:
    """Close a remote command; the protocol's own method has no body."""
    remote.close()
