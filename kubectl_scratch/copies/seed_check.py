"""Prove that the seed which answers is the one that this copy was created with.

Anyone with permission to delete and create ConfigMaps can put another program in the seed's place
before the node mounts it, and that program can say of itself whatever it likes. But an immutable
ConfigMap has the bytes that it was created with, and a UID never comes back: if the ConfigMap that
is there once the container runs has the UID of ours, no other one was mounted.
"""

from __future__ import annotations

import binascii
import hashlib
import math
from base64 import b64decode
from collections.abc import Callable
from typing import NamedTuple

from kubectl_scratch.errors import ClusterError, SessionError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json, uid
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.plan import metadata
from kubectl_scratch.plan.seed import seed_config_map_name
from kubectl_scratch.runtime.tasks import Task

_LOOK_SECONDS, _PAUSES = 10.0, (0.3, 0.3)
UNREADABLE = "no permission to get or delete ConfigMaps"
OLDER = "the copy was made by an older version, or its mark is missing"


class SeedMark(NamedTuple):
    """The ConfigMap with the seed: its path and the UID that its creation returned.

    ``uid`` is empty if the copy does not say it, as one of an older version. ``digest`` is
    the seed's SHA-256, empty if another version may have brought it. ``session`` and ``owner``
    are its label's value and the UID of what owns it.
    """

    path: str
    uid: str
    digest: str = ""
    session: str = ""
    owner: str = ""


def mark_of_created(found: Json, path: str, binary: str) -> SeedMark:
    """Return what there is to check of the ConfigMap that has just been created."""
    return SeedMark(path, uid(found), _digest_of(binary))


def mark_in_copy(pod: Json, owner: str) -> SeedMark:
    """Return what there is to check in a copy that another session has created."""
    where = pod["metadata"]["namespace"], seed_config_map_name(pod)
    session = metadata.session_of(pod)
    own = metadata.seed_uid_of(pod)
    return SeedMark(paths.config_maps(*where), own, session=session, owner=owner)


class SeedCheck:
    """Check the seed of one copy, beside the wait for its answer."""

    def __init__(self, cluster: Client, ours: SeedMark, warn: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._ours = ours
        self._warn = warn
        self._warned = False
        self._task: Task[Json | None] | None = None

    def begin(self) -> None:
        """Begin to look; the container must run, because a swap may come before that."""
        self._task = Task(self._look)

    def confirm(self, said: str = "") -> None:
        """Raise SessionError unless the seed is ours; ``said`` is what it says of itself.

        If the ConfigMap cannot be read, a warning says so.
        """
        task, self._task = self._task or Task(self._look), None
        found = task.result()
        wanted = self._ours.digest
        if found is not None:
            carried = _digest_of((found.get("binaryData") or {}).get("seed", ""))
            problem = self._problem(found, carried)
            if problem:
                raise _refusal(problem)
            wanted = carried
        if said and wanted and said != wanted:
            raise _refusal("the program that answers is not the one in the ConfigMap")

    def _problem(self, found: Json, carried: str) -> str:
        """Return why the ConfigMap is not ours; empty if it is."""
        ours = self._ours
        if ours.uid and uid(found) != ours.uid:
            return "its ConfigMap has been replaced"
        owners = [owner.get("uid") for owner in found["metadata"].get("ownerReferences") or []]
        if ours.owner and ours.owner not in owners:
            return "its ConfigMap does not belong to the copy's lease"
        if ours.session and metadata.session_of(found) != ours.session:
            return "its ConfigMap belongs to another session"
        if ours.digest and carried != ours.digest:
            return "its ConfigMap has been changed"
        if not ours.uid:
            self._tell(OLDER)
        elif found.get("immutable") is not True:
            return "its ConfigMap is not immutable"
        return ""

    def _look(self) -> Json | None:
        """Return the ConfigMap; None if it cannot be read and nothing says that it was replaced."""
        try:
            return retried(self._read, pauses=_PAUSES, within=math.inf)
        except ClusterError as error:
            if error.gone:
                raise _refusal("its ConfigMap has been deleted") from error
            if error.conflict:
                raise _refusal("its ConfigMap has been replaced") from error
            problem = "the program in the copy could not be checked"
            raise SessionError(f"{problem}: {error.message}", "try again") from error

    def _read(self) -> Json | None:
        """Read it, or else ask whether the one of that UID could be deleted."""
        try:
            return self._cluster.get(self._ours.path, _LOOK_SECONDS).body
        except ClusterError as error:
            if not error.forbidden:
                raise
        try:
            if self._ours.uid:
                self._cluster.dry_delete(self._ours.path, self._ours.uid, _LOOK_SECONDS)
                return None
        except ClusterError as error:
            # A permission is missing, or a webhook accepts no dry runs.
            if not error.refused:
                raise
        self._tell(UNREADABLE)
        return None

    def _tell(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"{why}, so it is unknown whether the program in the copy was replaced")


def _digest_of(binary: str) -> str:
    try:
        return hashlib.sha256(b64decode(binary)).hexdigest()
    except (binascii.Error, TypeError, ValueError):
        return ""


def _refusal(problem: str) -> SessionError:
    return SessionError(
        f"the program in the copy is not ours: {problem}",
        "nothing was sent to it; check who can change ConfigMaps in this namespace",
    )
