"""What a session has created, or may have: the cluster's answer does not always tell."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.answers import NOT_KUBERNETES
from kubectl_scratch.kube.kinds import KINDS, Kind
from kubectl_scratch.kube.objects import Json, name, uid

POD, JOB = KINDS["pod"], KINDS["job"]


class Doubt(NamedTuple):
    """What was to be created, without an answer that tells; ``likely`` says that it was."""

    manifest: Json
    likely: bool


class CreatedObject(NamedTuple):
    """An object of this session; it has no UID as long as it is in doubt whether it exists."""

    kind: Kind
    namespace: str
    name: str
    uid: str = ""
    doubt: Doubt | None = None

    @property
    def path(self) -> str:
        """Return its path."""
        return paths.objects(self.kind.root, self.namespace, self.kind.plural, self.name)

    @property
    def label(self) -> str:
        """Return what kubectl calls it, as pod/x."""
        return f"{self.kind.title.lower()}/{self.name}"


def uid_of_created(created: Json, manifest: Json) -> str:
    """Return the UID that an answer to a creation tells; raises ClusterError for another object."""
    if (created.get("kind"), name(created)) != (manifest["kind"], name(manifest)):
        said = "its answer to a creation is about another object"
        raise ClusterError(0, NOT_KUBERNETES, said)
    return uid(created)


def doubt_about(error: BaseException, manifest: Json) -> Doubt | None:
    """Return what to look for after a creation that failed; None if nothing was created."""
    if not isinstance(error, ClusterError):
        # As a signal in the pause of a busy API server, which may have done it all the same.
        return Doubt(manifest, likely=True)
    # A name that is in use may be ours, too: of a request that a proxy sent twice.
    return None if error.not_done else Doubt(manifest, likely=not error.conflict)


def problem_of(error: Exception) -> str:
    """Return what to say of an error, which may be one of ours or not."""
    return error.message if isinstance(error, ClusterError) else repr(error)
