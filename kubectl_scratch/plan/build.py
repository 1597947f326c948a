"""Make the plan of one debug from the source pod and what was read around it."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubectl_scratch.kube.kinds import SERVICE
from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    find,
    is_going,
    labels_of,
    name,
    names_of,
    namespace,
    volumes,
)
from kubectl_scratch.kube.selectors import NamespaceSelectors, anti_affinity_of, matches
from kubectl_scratch.plan import debug_container, entrypoint_discovery, lease, remedies
from kubectl_scratch.plan.debug_container import DebugContainerForm, free_name
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.inputs import PlanInputs
from kubectl_scratch.plan.labels import choose_labels, stranger_of
from kubectl_scratch.plan.metadata import (
    Creation,
    copy_annotations,
    creation_annotations,
    session_entry,
    session_labels,
)
from kubectl_scratch.plan.mode import ModePlan, plan_mode
from kubectl_scratch.plan.model import (
    APP,
    DEFAULT_ARCH,
    Plan,
    SessionTarget,
    TargetKind,
)
from kubectl_scratch.plan.podcopy import mesh, volume_edits
from kubectl_scratch.plan.podcopy.manifest import CopyDecisions, make_copy
from kubectl_scratch.plan.seed import Seeding, config_map
from kubectl_scratch.plan.target_container import choose_target, why_no_source
from kubectl_scratch.plan.target_health import target_runs
from kubectl_scratch.request import CopyOptions, DebugRequest
from kubectl_scratch.runtime.names import DEFAULT_IMAGE
from kubectl_scratch.toolkit import archive

# 63 is the longest name of which the pod's hostname and a label value can be made.
LONGEST_NAME = 63
LEARNS = "-learn"
MAY_TAKE = "and it may take work from a queue"
RUNS_IT = "use --no-hold to run it"


def make_plan(request: DebugRequest, inputs: PlanInputs, session_id: str, author: str) -> Plan:
    """Plan the copy of the source pod; ``session_id`` is five random characters.

    Raises InvalidRequest if the container is not in the pod, or something else that a flag names.
    """
    source, options = inputs.source, request.options
    target, target_findings = choose_target(source, request)
    copy_name = options.name or name_of_copy(name(source), session_id)
    unserved = why_unserved(source, inputs.namespace.selectors)
    caution = read_only_caution(source, target, options) or (unserved and f"{unserved}, {MAY_TAKE}")
    mode_plan = plan_mode(target, request, inputs, caution, copy_name)
    mode, seeding = mode_plan.mode, mode_plan.seeding
    place = session_target(target, request, inputs, mode_plan, copy_name, session_id)
    creation = Creation(author, inputs.now, options.reason or "")
    ours = session_labels(session_id)
    # What an injector asks for is not chosen: without the proxy the copy would be cut off.
    fixed = {**mesh.injection_labels(source), **ours}
    kept = choose_labels(
        labels_of(source),
        fixed,
        with_source(source, inputs.namespace.selectors),
        options.keep_labels,
        stranger_of(source),
    )
    decisions = CopyDecisions(
        name=copy_name,
        labels={**kept.labels, **fixed},
        annotations=copy_annotations(place, creation),
        target=target["name"],
        gate=kept.gate,
        seeding=seeding,
        inside=mode.view == APP,
        target_runs=target_runs(source, target, inputs.now),
    )
    copied = make_copy(inputs, options, decisions)
    form = form_of(copied.manifest, target, request, has_twin(request, seeding))
    tools = debug_container.debug_containers(
        source, target, form, session_id, profile=request.profile, custom=request.custom
    )
    findings = [
        *inputs.findings,
        *target_findings,
        *source_findings(source),
        *taken_findings(copied.manifest),
        *mode_plan.findings,
    ]
    if unserved and not mode.held:
        text = f"{unserved}: if it takes work from a queue, so does its copy"
        findings.append(Finding(Level.INFO, text))
    findings += (*kept.findings, *copied.findings, *tools.findings)
    return Plan(
        place=place,
        source=source,
        lease=lease_of(place, target, request, creation, inputs.now),
        copy=copied.manifest,
        choices=tools.choices,
        edits=(*kept.edits, *copied.edits),
        findings=tuple(findings),
        seed=seeding and config_map(copy_name, archive.seed_bytes(seeding.arch), ours),
        discovery=discovery_pod(copied.manifest, target, seeding) if mode_plan.discovers else None,
        node=source["spec"].get("nodeName"),
    )


def form_of(copy: Json, target: Json, request: DebugRequest, twin: bool) -> DebugContainerForm:
    """Return the form of the debug container: a twin of the target, or a toolkit image's."""
    options = request.options
    copied = find(all_containers(copy), target["name"]) or target
    if twin:
        # What is held has another command, which a twin has anyway.
        return debug_container.container_like_target(copied, options.env, options.pull_policy)
    image = request.image or DEFAULT_IMAGE
    return debug_container.container_of_image(copied, image, options.env, options.pull_policy)


def has_twin(request: DebugRequest, seeding: Seeding | None) -> bool:
    """Say whether the debug container is a twin of the target, with tools that the seed brings."""
    return seeding is not None and request.image is None


def session_target(
    target: Json,
    request: DebugRequest,
    inputs: PlanInputs,
    mode_plan: ModePlan,
    copy_name: str,
    session_id: str,
) -> SessionTarget:
    """Return the session's pod and container."""
    source, mode, seeding = inputs.source, mode_plan.mode, mode_plan.seeding
    unneeded = request.mode.traced or not inputs.namespace.may_add_containers
    alone = mode.view == APP and unneeded
    debug_container = "" if alone else free_name(source, session_id)
    seeded = {target["name"]} if seeding else set()
    if debug_container and has_twin(request, seeding):
        seeded.add(debug_container)
    arch = seeding.arch if seeding else DEFAULT_ARCH
    return SessionTarget(
        kind=TargetKind.COPY,
        namespace=namespace(source),
        pod=copy_name,
        session_id=session_id,
        debug_container=debug_container,
        target=target["name"],
        source=f"{namespace(source)}/{name(source)}",
        view=mode.view,
        held=mode.held,
        seeded=frozenset(seeded),
        arch=arch,
        arch_known=arch == inputs.node_arch,
        read_only=read_only_volumes(source, request.options),
    )


def lease_of(
    place: SessionTarget, target: Json, request: DebugRequest, creation: Creation, now: datetime
) -> Json:
    """Return the lease, with the session's entry in it."""
    ttl = request.session.ttl
    entry = session_entry(place.session_id, now + timedelta(seconds=ttl))
    annotations = {**creation_annotations(place, creation), **entry}
    return lease.lease_manifest(place.pod, place.session_id, target["image"], ttl, annotations)


def discovery_pod(copy: Json, target: Json, seeding: Seeding | None) -> Json | None:
    """Return the pod of entrypoint discovery, which needs the seed."""
    if seeding is None:
        return None
    pod_name = f"{name(copy)[: LONGEST_NAME - len(LEARNS)].rstrip('-.')}{LEARNS}"
    image = (find(all_containers(copy), target["name"]) or target)["image"]
    watched = {**target, "image": image}
    return entrypoint_discovery.discovery_pod_manifest(copy, watched, pod_name, seeding.config_map)


def with_source(source: Json, selectors: NamespaceSelectors) -> NamespaceSelectors:
    """Return the selectors with the source itself, which may tolerate none of its kind."""
    controllers = (*selectors.controllers, *anti_affinity_of(source))
    return selectors._replace(controllers=controllers)


def name_of_copy(source: str, session_id: str) -> str:
    """Return ``<source>-scratch-<session_id>``, cut so that it can be a hostname."""
    tail = f"-scratch-{session_id}"
    return source[: LONGEST_NAME - len(tail)].rstrip("-.") + tail


def why_unserved(source: Json, selectors: NamespaceSelectors) -> str:
    """Return why the source may get its work from elsewhere than a Service; empty if it does not.

    The unknown counts as the worse: a copy that runs may take work from a queue.
    """
    if any(matches(s.selector, labels_of(source)) for s in selectors.services):
        return ""
    if SERVICE.plural in selectors.unknown:
        return f"{SERVICE.plural} cannot be listed, so it is unknown whether one selects the source"
    return "no Service selects the source"


def read_only_caution(source: Json, target: Json, options: CopyOptions) -> str:
    """Return which volumes a target that runs would miss in the copy; empty if none."""
    read_only = volume_edits.read_only_by_us(source, options, target)
    left_out = volume_edits.left_out_by_us(source, options, target)
    found = [f"{remedies.are_read_only(tuple(read_only))} in the copy"] if read_only else []
    found += [f"volume {', '.join(left_out)} is omitted from the copy"] if left_out else []
    return f"{' and '.join(found)}, so the app may fail; {RUNS_IT}" if found else ""


def read_only_volumes(source: Json, options: CopyOptions) -> dict[str, tuple[str, ...]]:
    """Return the volumes that each container writes in the source and cannot write in the copy."""
    found = {
        c["name"]: tuple(volume_edits.missed_volumes(source, options, c))
        for c in all_containers(source)
    }
    return {name: missed for name, missed in found.items() if missed}


def source_findings(source: Json) -> tuple[Finding, ...]:
    """Return what to report about the source pod itself."""
    findings = []
    why = why_no_source(source)
    if why:
        findings.append(Finding(Level.BLOCKER, why))
    if is_going(source):
        findings.append(Finding(Level.WARNING, "the pod is being deleted; its copy stays"))
    return tuple(findings)


def taken_findings(copy: Json) -> tuple[Finding, ...]:
    """Block a source that has a volume or a mount of the tools."""
    names = names_of(volumes(copy))
    taken = [(volume, f"volume {volume}") for volume in names if names.count(volume) > 1]
    for container in all_containers(copy):
        # The source's own come before ours.
        mounts = container.get("volumeMounts") or []
        paths = [mount["mountPath"].rstrip("/") for mount in mounts]
        twice = [mount for mount, path in zip(mounts, paths, strict=True) if paths.count(path) > 1]
        taken += [(mount["name"], f"mount {mount['mountPath']}") for mount in twice]
    if not taken:
        return ()
    volume, what = taken[0]
    text = f"its {what} conflicts with that of the tools"
    hint = remedies.skip_remedy([volume])
    return (Finding(Level.BLOCKER, f"{text}; {hint}"),)
