"""Run entrypoint discovery, and bring its result into the copy."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import NamedTuple

from kubectl_scratch.copies.seed_check import SeedCheck
from kubectl_scratch.errors import ClusterError, SessionError
from kubectl_scratch.kube import exec_stream, paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_errors import (
    MaybeStarted,
    NotStarted,
    NoWebSocket,
    is_not_started,
    is_over,
)
from kubectl_scratch.kube.objects import uid
from kubectl_scratch.plan import entrypoint_discovery
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.runtime.console import printable
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.session.waiting import poll
from kubectl_scratch.toolkit.archive import SEED, Entry, pack_entries

# In between the cluster is asked whether the run can be seen at all.
_ASK_SECONDS = 3.0
_TRY_EVERY = 0.1
DELETE_SECONDS = 5.0
TOO_LATE = "the temporary pod did not start in time"


def undiscovered(why: str) -> Entry:
    """Return the file that tells run-app, and through it a terminal, why nothing was discovered."""
    return Entry("unlearned", printable(why).encode(), 0o644)


class _Passing(Exception):
    """The seed could not be asked this time."""


class _Final(Exception):
    """The seed cannot be asked, or has refused."""


class _Said(NamedTuple):
    """What the seed has said, and with which code."""

    code: int
    data: bytes


def discover_entrypoint(
    cluster: Client, place: SessionTarget, pod: str, patience: float, check: SeedCheck | None = None
) -> Task[None]:
    """Discover the image's command from the run in ``pod``, and tell it to the target's seed.

    ``patience`` is in seconds, for the start of either: an image may have to be pulled. What a
    seed says that ``check`` does not find to be ours is not passed on.
    """
    return Task(lambda: _Discovery(cluster, place, pod, patience, check).run())


class _Discovery:
    def __init__(
        self,
        cluster: Client,
        place: SessionTarget,
        pod: str,
        patience: float,
        check: SeedCheck | None,
    ) -> None:
        self._cluster = cluster
        self._place = place
        self._pod = pod
        self._patience = patience
        self._check = check
        self._path = paths.pods(place.namespace, pod)

    def run(self) -> None:
        entries = self._discovered()
        # The killed app is started again until then, and killed again.
        with contextlib.suppress(ClusterError):
            found = self._cluster.get(self._path).body
            self._cluster.delete(self._path, uid(found), 0, DELETE_SECONDS)
        place = self._place
        with contextlib.suppress(_Final):
            self._patiently(place.pod, place.target, "recv", pack_entries(entries), lambda: "")

    def _discovered(self) -> list[Entry]:
        """Return the files in which run-app finds the command, or why there is none."""
        watcher = entrypoint_discovery.WATCHER
        try:
            said = self._patiently(self._pod, watcher, "tell", b"", self._failure)
            if self._check is not None:
                self._check.confirm()
        except _Final as error:
            return [undiscovered(str(error))]
        except SessionError as error:
            return [undiscovered(error.problem)]
        unstopped = (
            [Entry("unstopped", b"", 0o644)]
            if said.code == entrypoint_discovery.NOT_STOPPED
            else []
        )
        # Last: with it run-app looks no further.
        return [*unstopped, Entry("learned", said.data, 0o644)]

    def _failure(self) -> str:
        try:
            return entrypoint_discovery.discovery_failure(
                self._cluster.get(self._path).body, self._place.target
            )
        except ClusterError as error:
            return "" if error.transient else error.message

    def _patiently(
        self, pod: str, container: str, verb: str, stdin: bytes, failure: Callable[[], str]
    ) -> _Said:
        """Return what the seed says as soon as its container runs; raises _Final with why not.

        What passes by is no reason to give up: a connection that is cut, a container that just
        ends, and that the kubelet starts again.
        """
        passing = ""

        def ask() -> _Said | None:
            nonlocal passing
            try:
                return self._ask(pod, container, verb, stdin)
            except _Passing as error:
                passing = str(error) or passing
                why = failure()
                if why:
                    raise _Final(why) from error
                return None

        said = poll(ask, time, _TRY_EVERY, self._patience)
        if said is None:
            raise _Final(": ".join(filter(None, (TOO_LATE, passing))))
        return said

    def _ask(self, pod: str, container: str, verb: str, stdin: bytes) -> _Said:
        """Return what the seed says; raises _Passing, or _Final, with why it does not."""
        place = self._place
        try:
            endpoint = self._cluster.exec_endpoint(
                place.namespace, pod, container, (SEED, verb), False
            )
            outcome, said = exec_stream.converse(
                exec_stream.connect_exec(endpoint, exec_stream.V4), stdin, _ASK_SECONDS
            )
        except (NotStarted, MaybeStarted) as error:
            raise _Passing(str(error)) from error
        except OSError as error:
            raise _Passing(error.strerror or str(error)) from error
        except NoWebSocket as error:
            raise _Final(str(error)) from error
        except ClusterError as error:
            # An API server that has no time for it, or a kubelet that it does not reach, passes.
            raise (_Passing if error.transient else _Final)(error.message) from error
        if outcome.code in (0, entrypoint_discovery.NOT_STOPPED):
            return _Said(outcome.code, said)
        # An ended connection is also how a wait that was broken off looks.
        if outcome.lost:
            raise _Passing("")
        problem = outcome.problem
        passes = bool(problem) and (is_not_started(problem) or is_over(problem))
        raise (_Passing if passes else _Final)(problem or _text(said))


def _text(said: bytes) -> str:
    return said.decode(errors="replace").strip() or "the command ended before it could be read"
