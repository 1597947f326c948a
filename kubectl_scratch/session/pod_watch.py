"""How far the copy is, asked of the cluster."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from kubectl_scratch.copies.membership import BY_ANOTHER
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json, uid
from kubectl_scratch.plan import remedies
from kubectl_scratch.plan.model import TOOLS, SessionTarget
from kubectl_scratch.plan.remedies import ARCH_HINT
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.readiness import (
    Failed,
    State,
    Waiting,
    Watched,
    fatal_event,
    is_start,
    mount_trouble,
    readiness_of,
)

# How long a look may take if only its words are waited for.
LOOK_SECONDS = 3.0
# For how long to hear of a start; afterwards tries find it out.
LISTEN_SECONDS = 30
# What the runtime writes into the log of a program that is another architecture's.
FORMAT_ERROR = "exec format error"
FOREIGN = "; it is built for another architecture than the node's"
SEED_HINT = "use --image with a toolkit image"
HOLD_HINT = "use debug --hold to keep the app stopped until you type run-app"
# Of a log's last line, in an error.
LAST_WORDS = 200


def about_pod(pod: str) -> str:
    """Return the selector of a pod's events."""
    return f"involvedObject.name={pod}"


def watched_in(place: SessionTarget) -> Watched:
    """Return what is waited for."""
    if place.in_place:
        return Watched(place.debug_container, pod="the pod")
    node = _node_hint(place)
    if place.view == TOOLS:
        if not place.has_seed:
            return Watched(place.debug_container, node_hint=node)
        return Watched(place.debug_container, hint=SEED_HINT, node_hint=node, arch_hint=ARCH_HINT)
    words, again = f"container {place.target}", not place.held
    # It may be the app's image that cannot be pulled, or the seed that does not fit.
    another = f"use --set-image {place.target}=IMAGE to replace its image"
    hint = f"{another}, or --image IMAGE to work beside it"
    return Watched(
        place.target,
        words,
        hint,
        again,
        if_killed=True,
        node_hint=node,
        arch_hint=ARCH_HINT,
        end_hint=_end_hint(place),
        read_only=place.read_only,
    )


def _end_hint(place: SessionTarget) -> str:
    """Return what to do about an app that ends again and again before it can be reached."""
    ways = [HOLD_HINT]
    if place.debug_container:
        ways.append("use --view tools to work beside it")
    missed = place.read_only.get(place.target)
    if missed:
        ways.append(remedies.read_only_remedy(missed))
    return ", or ".join(ways)


def _node_hint(place: SessionTarget) -> str:
    """Return what to do if no node may have the architecture of the tools."""
    if place.arch_known or not place.seeded:
        return ""
    return f"the tools are for {place.arch}; use --arch if the nodes are not"


class StartNews:
    """Hear from the copy's events when its container has started: they are there at once.

    The kubelet reports it in the pod's status up to a second later, after its next relist.
    """

    def __init__(self, cluster: Client, place: SessionTarget) -> None:
        """Begin to listen, if the user may watch events; else it is deaf."""
        self._cluster = cluster
        self._place = place
        self._heard = threading.Event()
        self._listening = Task(self._listen)

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until it has started; say whether it has."""
        return self._heard.wait(seconds)

    @property
    def deaf(self) -> bool:
        """Say whether nothing more will be heard."""
        return self._listening.done()

    def _listen(self) -> None:
        path, about = paths.events(self._place.namespace), about_pod(self._place.pod)
        with contextlib.suppress(ClusterError):
            for event in self._cluster.watch(path, LISTEN_SECONDS, fieldSelector=about):
                if is_start(event, self._place.container):
                    self._heard.set()
                    return


class CopyWatch:
    """Look at a copy that starts; ``gone`` says why there is none any more."""

    def __init__(
        self, cluster: Client, place: SessionTarget, gone: Callable[[], str] = lambda: BY_ANOTHER
    ) -> None:
        self._gone = gone
        self._cluster = cluster
        self._place = place
        self._watched = watched_in(place)
        self._uid = ""
        self._pod: Json | None = None

    def look(self, timeout: float | None = None) -> State:
        """Return how far the debug container is; ``timeout`` is in seconds."""
        try:
            pod = self._cluster.get(self._path(), timeout).body
            self._pod, self._uid = pod, uid(pod)
            state = readiness_of(pod, self._watched)
            return self._with_last_words(state) if isinstance(state, Failed) else state
        except ClusterError as error:
            if error.gone:
                return Failed(f"{self._watched.pod} {self._gone()}")
            if error.transient:
                return Waiting(f"the API server does not answer ({error.message})")
            raise

    def events(self) -> tuple[list[Json], State | None]:
        """Return the copy's events, none if they cannot be read, and how far it is by them."""
        path, about = paths.events(self._place.namespace), about_pod(self._place.pod)
        try:
            found = self._cluster.get(path, fieldSelector=about).body
        except ClusterError:
            return [], None
        items = [event for event in found.get("items") or [] if self._is_about(event)]
        told: State | None = fatal_event(items, self._watched)
        if told is None and self._pod is not None:
            told = mount_trouble(items, self._pod, self._watched)
        return items, told

    def _is_about(self, event: Json) -> bool:
        """Say whether an event is the copy's, not that of an earlier one of its name."""
        about = (event.get("involvedObject") or {}).get("uid")
        return not (about and self._uid) or about == self._uid

    def _with_last_words(self, failed: Failed) -> Failed:
        """Add the last line of what a container said that has ended: the runtime's, perhaps."""
        if not failed.ended:
            return failed
        container = failed.container or self._watched.name
        where = (self._place.namespace, self._place.pod, container)
        try:
            said = "".join(self._cluster.log(*where, 1)).strip()
        except ClusterError:
            said = ""
        said = f"{said[:LAST_WORDS]}…" if len(said) > LAST_WORDS else said
        why = f"{failed.why}: {said}" if said else failed.why
        if FORMAT_ERROR not in said:
            return failed._replace(why=why)
        ways = ", or ".join(filter(None, (failed.hint, self._watched.arch_hint)))
        return failed._replace(why=f"{why}{FOREIGN}", hint=ways, beside=False)

    def _path(self, *more: str) -> str:
        return paths.pods(self._place.namespace, self._place.pod, *more)
