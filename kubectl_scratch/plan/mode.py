"""The mode of a session: inside the target or beside it, and whether the target is held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    is_windows,
)
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.model import APP, DEFAULT_ARCH, TOOLS, ModeInputs
from kubectl_scratch.plan.seed import IMAGE, Seeding, entrypoint
from kubectl_scratch.plan.target_health import ailment, crash_loops
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.runtime.names import ARCHITECTURES


class Mode(NamedTuple):
    """Where the session stands, and whether the target idles; ``why`` says it in words."""

    view: str
    held: bool
    why: str = ""


class ModeRequest(NamedTuple):
    """What the user says of it; None leaves the choice to us."""

    view: str | None = None
    hold: bool | None = None
    # An image or a profile of the debug container is asked for, so the session stands there.
    debug_container: bool = False


def choose_mode(
    source: Json, target: Json, asked: ModeRequest, caution: str, now: datetime, possible: bool
) -> Mode:
    """Return the view and whether to hold.

    ``caution`` is why a healthy target is held, too, empty if it may run; ``possible`` says that
    the seed can come into the copy: without it there is the debug container and an app that runs.
    """
    if not possible:
        return Mode(TOOLS, False)
    view = asked.view or (TOOLS if asked.debug_container else APP)
    why = ailment(source, target, now) or caution
    if asked.hold is not None:
        return Mode(view, asked.hold, "as asked")
    return Mode(view, bool(why), why)


class ModePlan(NamedTuple):
    """Where the session stands; ``seeding`` is None where the seed is not needed or can't come.

    ``learns`` says that a learning run is to tell the image's own command, ``alone`` that there
    will be no debug container.
    """

    stand: Mode
    seeding: Seeding | None
    learns: bool
    findings: tuple[Finding, ...]
    alone: bool = False


def plan_mode(
    source: Json,
    target: Json,
    request: DebugRequest,
    ground: ModeInputs,
    caution: str,
    now: datetime,
    config_map: str,
) -> ModePlan:
    """Decide it; a wish that can't be fulfilled is a blocker among the findings.

    ``caution`` is why a healthy target is held, too.
    """
    said = request.mode
    arch = said.arch or ground.arch or DEFAULT_ARCH
    obstacle = _obstacle(source, ground, arch)
    asked = ModeRequest(said.view, said.hold, _wants_debug_container(request))
    stand = choose_mode(source, target, asked, caution, now, not obstacle)
    if obstacle:
        surplus = _surplus(request, stand, False, obstacle)
        return ModePlan(stand, None, False, (*_without(request, obstacle), *surplus))
    if stand.view == TOOLS and request.image is not None and not stand.held and not said.hold_all:
        return ModePlan(stand, None, False, tuple(_surplus(request, stand, False)))
    known = entrypoint(target, said.command)
    unknown = stand.held and known.known_from == IMAGE
    # The kubelet runs the app again and again by itself: one run more does no harm.
    loops = crash_loops(source, target, now)
    learns = unknown and (loops if said.learn is None else said.learn)
    alone = stand.view == APP and not ground.addable
    held = known if stand.held else None
    seeding = Seeding(config_map, arch, target["name"], held, said.hold_all)
    findings = (
        _told(stand, target["name"]),
        *_alone_findings(alone),
        *_command_findings(unknown, learns),
        *_needless_findings(bool(said.learn) and stand.held and not unknown),
        *_arch_findings(request, ground),
        *_surplus(request, stand, True),
    )
    return ModePlan(stand, seeding, learns, findings, alone)


def _wants_debug_container(request: DebugRequest) -> bool:
    """Say whether a flag is about the debug container, so that the session is to stand there."""
    wished = request.custom is not None or bool(request.options.env)
    return request.image is not None or request.profile != "auto" or wished


def _obstacle(source: Json, ground: ModeInputs, arch: str) -> str:
    """Return why the seed can't come into a copy; empty where it can."""
    if not ground.seedable:
        return "you may not create ConfigMaps"
    if is_windows(source):
        return "the pod is for Windows"
    if arch not in ARCHITECTURES:
        return f"there are no tools for {arch}"
    return ""


def _without(request: DebugRequest, obstacle: str) -> tuple[Finding, ...]:
    said = request.mode
    asked = {
        "--view app": said.view == APP,
        "--hold": bool(said.hold),
        "--hold-all": said.hold_all,
        "--learn": bool(said.learn),
    }
    wanted = [flag for flag, given in asked.items() if given]
    if wanted:
        text = f"{wanted[0]} can't be had: {obstacle}; --view tools --no-hold does without"
        return (Finding(Level.BLOCKER, text),)
    if request.image is not None:
        return ()
    text = f"{obstacle}, so the tools come as an image, and the session stands beside the target"
    return (Finding(Level.INFO, text),)


def _told(stand: Mode, target: str) -> Finding:
    """Say the choice in one line."""
    if not stand.held:
        runs = f"container {target}, which runs as in the source"
        text = f"inside {runs}" if stand.view == APP else f"beside {runs}"
        return Finding(Level.INFO, text)
    where = f"inside container {target}" if stand.view == APP else f"beside container {target}"
    how = "run-app starts the app" if stand.view == APP else "attach --view app goes inside it"
    return Finding(Level.INFO, f"{where}, which is held ({stand.why}): {how}")


def _alone_findings(alone: bool) -> tuple[Finding, ...]:
    if not alone:
        return ()
    text = "you may not add ephemeral containers, so there is no debug container beside the target"
    return (Finding(Level.WARNING, text),)


def _command_findings(unknown: bool, learns: bool) -> tuple[Finding, ...]:
    if not unknown:
        return ()
    if learns:
        text = (
            "only its image knows the app's command: a pod beside starts it once, without volumes"
            " and variables, and kills it as soon as it is seen"
        )
    else:
        text = (
            "only its image knows the app's command: --command names it, --learn watches one run,"
            " which may have effects"
        )
    return (Finding(Level.INFO, text),)


def _needless_findings(needless: bool) -> tuple[Finding, ...]:
    if not needless:
        return ()
    text = "--learn has no effect: the app's command is known already, and show-app tells it"
    return (Finding(Level.WARNING, text),)


def _arch_findings(request: DebugRequest, ground: ModeInputs) -> tuple[Finding, ...]:
    said = request.mode.arch
    if said and ground.arch and said != ground.arch:
        text = f"the source's node is {ground.arch}; the copy has to go to one of {said}, as asked"
        return (Finding(Level.WARNING, text),)
    if ground.arch or said:
        return ()
    text = f"the node's architecture is not known, {DEFAULT_ARCH} is taken; --arch says another"
    return (Finding(Level.INFO, text),)


def _surplus(
    request: DebugRequest, stand: Mode, seeded: bool, obstacle: str = ""
) -> Iterator[Finding]:
    """Say of flags that they have no effect, and why.

    ``seeded`` says that the seed comes into the copy; what it brings is for a session inside the
    target, or in its twin.
    """
    said, files = request.mode, request.session.toolkit_files
    none = obstacle and f"has no effect: {obstacle}"
    runs = none or "is for a target that is held, and this one runs; --hold holds it"
    image = none or "is for tools that come without an image; --view app goes where they are"
    in_reach = seeded and (stand.view == APP or request.image is None)
    flags = (
        ("--command", said.command, stand.held, runs),
        # Where it can't be had, that is a blocker.
        ("--learn", said.learn and not obstacle, stand.held, runs),
        ("--arch", said.arch, seeded, image),
        ("--toolkit-file", files, in_reach, image),
    )
    for flag, given, has_effect, why in flags:
        if given and not has_effect:
            yield Finding(Level.WARNING, f"{flag} {why}")
