"""What the user asked for, checked before any request is sent."""

from __future__ import annotations

from typing import Any, NamedTuple


class SessionRequest(NamedTuple):
    """One session; durations are in seconds.

    ``ttl`` is the lease's, ``longest`` the session's. ``tty`` None means "as the terminal says",
    ``stdin`` None "once the command reads it". ``command`` empty means a shell, ``shell`` one of
    the target's own. ``toolkit_files`` are paths of the user's own tools.
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
    """What the user names: a pod, or what has pods; ``kind`` is singular and lower-case."""

    kind: str
    name: str


class CopyOptions(NamedTuple):
    """What the user wants otherwise; the defaults are what disturbs production least.

    ``resources`` is "copy" or "none". ``images`` and ``env`` are pairs of names and values; the
    container ``*`` is every one. ``skip_init`` may hold "all", which spares native sidecars.
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
    """What the user says of view, hold and the app's command; None leaves it to the plan.

    ``only`` holds the other containers too; ``command`` are the words of the app's command;
    ``learn`` None is "where the app starts again and again anyway".
    """

    view: str | None = None
    hold: bool | None = None
    hold_all: bool = False
    command: tuple[str, ...] = ()
    learn: bool | None = None
    arch: str | None = None


class DebugRequest(NamedTuple):
    """One ``debug``; ``deadline`` (seconds) is the copy's where no lease can be had.

    ``target`` None: ``file`` names it. ``container`` None leaves the choice to the plan, and
    ``image`` None the tools to the seed; ``custom`` is a partial container. ``in_place`` goes
    into the source pod, ``linger`` (seconds) is how long that container then idles.
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
