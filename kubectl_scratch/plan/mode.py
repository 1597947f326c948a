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
from kubectl_scratch.plan.inputs import PlanInputs
from kubectl_scratch.plan.model import APP, DEFAULT_ARCH, TOOLS
from kubectl_scratch.plan.profiles import AUTO
from kubectl_scratch.plan.seed import IMAGE, Seeding, entrypoint
from kubectl_scratch.plan.target_health import ailment, crash_loops
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.runtime.names import ARCHITECTURES


class Mode(NamedTuple):
    """The view of the session, and whether the target is held; ``why`` says it in words."""

    view: str
    held: bool
    why: str = ""


class ModeRequest(NamedTuple):
    """What the user asks for; None leaves the choice to us."""

    view: str | None = None
    hold: bool | None = None
    # An image or a profile of the debug container is asked for, so the session is there.
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
    """The mode, and what the seed does for it: None if it is not needed or cannot come.

    ``discovers`` says that entrypoint discovery is to find the image's own command.
    """

    mode: Mode
    seeding: Seeding | None
    discovers: bool
    findings: tuple[Finding, ...]


def plan_mode(
    target: Json, request: DebugRequest, inputs: PlanInputs, caution: str, config_map: str
) -> ModePlan:
    """Choose the mode; what is asked for and cannot be done is a blocker among the findings.

    ``caution`` is why a healthy target is held, too.
    """
    source, options = inputs.source, request.mode
    arch = options.arch or inputs.node_arch or DEFAULT_ARCH
    obstacle = _obstacle(inputs, arch)
    asked = ModeRequest(options.view, options.hold, _wants_debug_container(request))
    mode = choose_mode(source, target, asked, caution, inputs.now, not obstacle)
    if obstacle:
        findings = [*_without_seed(request, obstacle), *_surplus(request, mode, False, obstacle)]
        return ModePlan(mode, None, False, tuple(findings))
    runs = not mode.held and not options.hold_all
    if mode.view == TOOLS and request.image is not None and runs:
        return ModePlan(mode, None, False, tuple(_surplus(request, mode, False)))
    entry = entrypoint(target, options.command)
    unknown = mode.held and entry.known_from == IMAGE
    # The kubelet runs the app again and again by itself: one run more does no harm.
    loops = crash_loops(source, target, inputs.now)
    runs_anyway = loops or options.traced
    discovers = unknown and (runs_anyway if options.learn is None else options.learn)
    seeding = Seeding(
        config_map, arch, target["name"], entry if mode.held else None, options.hold_all
    )
    findings = [_traced_finding(target["name"]) if options.traced else _mode_finding(mode, target)]
    needs_another = mode.view == APP and not options.traced
    if needs_another and not inputs.namespace.may_add_containers:
        text = "no permission to add ephemeral containers, so there is no debug container beside"
        findings.append(Finding(Level.WARNING, f"{text} the target"))
    if unknown:
        findings.append(_unknown_command(discovers))
    if options.learn and mode.held and not unknown:
        text = "--learn has no effect: the app's command is known; show-app prints it"
        findings.append(Finding(Level.WARNING, text))
    if options.arch and inputs.node_arch and options.arch != inputs.node_arch:
        text = f"the source's node is {inputs.node_arch}, but with --arch {options.arch} the copy"
        findings.append(Finding(Level.WARNING, f"{text} needs another node"))
    if not (options.arch or inputs.node_arch):
        text = f"the node's architecture is unknown; using {DEFAULT_ARCH}"
        findings.append(Finding(Level.INFO, f"{text}; use --arch to set another"))
    findings += _surplus(request, mode, True)
    return ModePlan(mode, seeding, discovers, tuple(findings))


def _wants_debug_container(request: DebugRequest) -> bool:
    """Say whether a flag is about the debug container, so that the session is to be there."""
    wished = request.custom is not None or bool(request.options.env)
    return request.image is not None or request.profile != AUTO or wished


def _obstacle(inputs: PlanInputs, arch: str) -> str:
    """Return why the seed cannot come into a copy; empty if it can."""
    if not inputs.namespace.may_create_config_maps:
        return "no permission to create ConfigMaps"
    if is_windows(inputs.source):
        return "the pod is for Windows"
    if arch not in ARCHITECTURES:
        return f"there are no tools for {arch}"
    return ""


def _without_seed(request: DebugRequest, obstacle: str) -> Iterator[Finding]:
    """Say what follows if the seed cannot come; a flag that needs it is a blocker."""
    options = request.mode
    asked = {
        "--view app": options.view == APP,
        "--hold": bool(options.hold),
        "--hold-all": options.hold_all,
        "--learn": bool(options.learn),
    }
    wanted = [flag for flag, given in asked.items() if given]
    if wanted:
        text = f"{wanted[0]} is impossible: {obstacle}; use --view tools --no-hold"
        yield Finding(Level.BLOCKER, text)
    elif request.image is None:
        text = f"{obstacle}, so the tools come in an image and the session is beside"
        yield Finding(Level.INFO, f"{text} the target")


def _traced_finding(target: str) -> Finding:
    text = f"the app of container {target} is run once in a copy, and traced"
    return Finding(Level.INFO, f"{text}; its requests to other services are really sent")


def _mode_finding(mode: Mode, container: Json) -> Finding:
    place, target = "inside" if mode.view == APP else "beside", container["name"]
    if not mode.held:
        text = f"{place} container {target}, which runs as in the source"
        return Finding(Level.INFO, text)
    how = "type run-app to start it" if mode.view == APP else "use attach --view app to go inside"
    text = f"{place} container {target}; the app is on hold ({mode.why}): {how}"
    return Finding(Level.INFO, text)


def _unknown_command(discovers: bool) -> Finding:
    if discovers:
        text = (
            "the app's command is set in the image and unknown to the API: a temporary pod starts"
            " it once, reads it and kills it"
        )
    else:
        text = (
            "the app's command is set in the image and unknown to the API; pass --command, or"
            " --learn to discover it by one run, which may have effects"
        )
    return Finding(Level.INFO, text)


def _surplus(
    request: DebugRequest, mode: Mode, seeded: bool, obstacle: str = ""
) -> Iterator[Finding]:
    """Say of flags that they have no effect, and why.

    ``seeded`` says that the seed comes into the copy; what it brings is for a session inside the
    target, or in its twin.
    """
    options, files = request.mode, request.session.toolkit_files
    none = obstacle and f"has no effect: {obstacle}"
    runs = none or "has no effect: the target is not on hold; use --hold"
    image = none or "has no effect with a toolkit image; use --view app"
    in_reach = seeded and (mode.view == APP or request.image is None)
    flags = (
        ("--command", options.command, mode.held, runs),
        # If it is impossible, that is a blocker.
        ("--learn", options.learn and not obstacle, mode.held, runs),
        ("--arch", options.arch, seeded, image),
        ("--toolkit-file", files, in_reach, image),
    )
    for flag, given, has_effect, why in flags:
        if given and not has_effect:
            yield Finding(Level.WARNING, f"{flag} {why}")
