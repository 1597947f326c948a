"""What the user asked for: typed values, made once from the command line and never changed."""

from __future__ import annotations

from typing import Any, NamedTuple


class SessionRequest(NamedTuple):
    """One session; durations are in seconds.

    ``ttl`` is that of the lease, ``longest`` limits the session, ``timeout`` the wait for it.
    ``tty`` None means "if stdin and stdout are terminals", ``stdin`` None "once the command reads
    it". Without a ``command`` it is a shell: the toolkit's, or the ``shell`` of the container.
    ``toolkit_files`` are paths of the user's own tools.
    """

    ttl: float
    timeout: float
    longest: float
    command: tuple[str, ...] = ()
    tty: bool | None = None
    transport: str = "auto"
    shell: str | None = None
    toolkit_files: tuple[str, ...] = ()
    stdin: bool | None = None


class Target(NamedTuple):
    """The object that the user names; ``kind`` is singular and lower-case."""

    kind: str
    name: str


class CopyOptions(NamedTuple):
    """What the copy differs in; the defaults disturb production least.

    ``resources`` is "copy" or "none". ``images`` and ``env`` are pairs of names and values; the
    container ``*`` means every one. ``skip_init`` may contain "all": all but native sidecars.
    """

    name: str | None = None
    reason: str | None = None
    same_node: bool = False
    keep_labels: bool = False
    keep_annotations: bool = False
    keep_mesh: bool = True
    share_processes: bool = True
    resources: str = "copy"
    writable: frozenset[str] = frozenset()
    skip_volumes: frozenset[str] = frozenset()
    skip_init: frozenset[str] = frozenset()
    images: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    pull_policy: str | None = None
    pull_secrets: tuple[str, ...] = ()


class ModeOptions(NamedTuple):
    """View, hold and the app's command; None leaves the choice to the plan.

    ``hold_all`` holds the other containers too. ``command`` are the words of the app's command.
    ``learn`` None means "if the app crash-loops". ``traced`` says that no person comes in: the app
    is run once, and watched.
    """

    view: str | None = None
    hold: bool | None = None
    hold_all: bool = False
    command: tuple[str, ...] = ()
    learn: bool | None = None
    arch: str | None = None
    traced: bool = False


class DebugRequest(NamedTuple):
    """One ``debug``; ``deadline`` (seconds) ends a copy that can have no lease.

    If ``target`` is None, the manifest ``file`` names it. ``container`` None leaves the choice to
    the plan; with ``image`` None the seed receives the tools; ``custom`` is a partial container.
    ``in_place`` adds a container to the source pod, which idles for ``linger`` seconds afterwards.
    """

    target: Target | None
    container: str | None
    image: str | None
    deadline: float
    session: SessionRequest
    file: str | None = None
    profile: str = "auto"
    custom: dict[str, Any] | None = None
    options: CopyOptions = CopyOptions()
    mode: ModeOptions = ModeOptions()
    in_place: bool = False
    linger: float = 0.0


class WhyRequest(NamedTuple):
    """One ``why``: the copy that it may make, and for how many seconds the app may run there."""

    copy: DebugRequest
    seconds: float
