"""The plan: a value that says everything that will be done, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from kubectl_scratch.kube.objects import Json
from kubectl_scratch.plan.findings import Edit, Finding, Level

if TYPE_CHECKING:
    from kubectl_scratch.plan.debug_container import Candidate

# The views: inside the target container, and beside it in the debug container.
APP, TOOLS = "app", "tools"
# Of the tools, if that of the source's node is unknown.
DEFAULT_ARCH = "amd64"


class TargetKind(Enum):
    """Whether a session is in a copy of the source pod, or in place: in that pod itself."""

    COPY = "copy"
    IN_PLACE = "in-place"


class SessionTarget(NamedTuple):
    """The pod and the container of a session, and the source pod as NAMESPACE/NAME.

    ``session_id`` is that of the session that created the copy or the container in place.
    ``debug_container`` is empty if there is none, ``seeded`` names the containers into which
    the toolkit comes through the seed, for ``arch``, which ``arch_known`` says is that of the
    source's node. ``view`` is app or tools. ``read_only`` names, by container, the volumes that
    are written in the source and cannot be in the copy: read-only there, or omitted.
    """

    kind: TargetKind
    namespace: str
    pod: str
    session_id: str
    debug_container: str
    target: str
    source: str
    view: str = TOOLS
    held: bool = False
    seeded: frozenset[str] = frozenset()
    arch: str = DEFAULT_ARCH
    arch_known: bool = True
    read_only: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    @property
    def in_place(self) -> bool:
        """Say whether the session is in the source pod itself."""
        return self.kind is TargetKind.IN_PLACE

    @property
    def container(self) -> str:
        """Return the container in which the session runs."""
        return self.target if self.view == APP else self.debug_container

    @property
    def has_seed(self) -> bool:
        """Say whether the session's tools come through the seed."""
        return self.container in self.seeded


class Plan(NamedTuple):
    """What one ``debug`` will do.

    ``copy``, ``seed`` (the ConfigMap) and ``discovery`` (the pod of entrypoint discovery) have
    no owner yet, because the cluster gives its UID. ``choices`` are the debug container in the
    order in which the cluster is asked to accept it: the later ones ask for less.
    """

    place: SessionTarget
    source: Json
    lease: Json
    copy: Json
    choices: tuple[Candidate, ...]
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]
    seed: Json | None = None
    discovery: Json | None = None
    # The source's, if it has one.
    node: str | None = None

    @property
    def blockers(self) -> list[Finding]:
        """Return what forbids the plan."""
        return [f for f in self.findings if f.level is Level.BLOCKER]
