"""Make the plan of one debug, of the source pod and what there is around it."""

from __future__ import annotations

from datetime import timedelta

from kubectl_scratch.kube.kinds import SERVICE
from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    find,
    is_going,
    is_windows,
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
from kubectl_scratch.plan.labels import choose_labels, stranger_of
from kubectl_scratch.plan.metadata import (
    Creation,
    copy_annotations,
    creation_annotations,
    says_copy,
    session_entry,
    session_labels,
)
from kubectl_scratch.plan.mode import ModePlan, plan_mode
from kubectl_scratch.plan.model import (
    APP,
    DEFAULT_ARCH,
    Plan,
    PlanInputs,
    SessionTarget,
    TargetKind,
)
from kubectl_scratch.plan.podcopy import manifest, mesh, volume_edits
from kubectl_scratch.plan.seed import config_map
from kubectl_scratch.plan.target_container import choose_target
from kubectl_scratch.plan.target_health import target_runs
from kubectl_scratch.request import CopyOptions, DebugRequest
from kubectl_scratch.runtime.names import COMMAND, DEFAULT_IMAGE
from kubectl_scratch.toolkit import archive

# 63 is the longest name of which the pod's hostname and a label value can be made.
LONGEST_NAME = 63
LEARNS = "-learn"
MAY_TAKE = "and it may take work from somewhere"
RUNS_IT = "--no-hold runs it"


def make_plan(source: Json, request: DebugRequest, around: PlanInputs) -> Plan:
    """Plan the copy of ``source``.

    Raises InvalidRequest where the container is not in the pod, or something else that a flag
    names.
    """
    options, session_id = request.options, around.session_id
    target, choice = choose_target(source, request)
    copy_name = options.name or name_of_copy(name(source), session_id)
    unserved = why_unserved(source, around.neighbours)
    caution = read_only_caution(source, target, options) or (unserved and f"{unserved}, {MAY_TAKE}")
    inside = plan_mode(source, target, request, around.ground, caution, around.now, copy_name)
    place = session_target(source, target, request, inside, copy_name, around)
    creation = Creation(around.author, around.now, options.reason or "")
    ours = session_labels(session_id)
    # What an injector asks for is not chosen: without the proxy the copy would be cut off.
    fixed = {**mesh.injection_labels(source), **ours}
    kept = choose_labels(
        labels_of(source),
        fixed,
        with_source(source, around.neighbours),
        options.keep_labels,
        stranger_of(source),
    )
    copied = manifest.make_copy(
        source,
        copy_name,
        {**kept.labels, **fixed},
        copy_annotations(place, creation),
        options,
        target["name"],
        kept.gate,
        around.claims,
        inside.seeding,
        inside.stand.view == APP,
        around.storage,
        target_runs(source, target, around.now),
    )
    tools = debug_container.debug_containers(
        source,
        target,
        form_of(copied.manifest, target, request, has_twin(request, inside)),
        session_id,
        profile=request.profile,
        custom=request.custom,
    )
    return Plan(
        place=place,
        source=source,
        lease=lease_of(place, target, request, creation, around),
        copy=copied.manifest,
        choices=tools.choices,
        edits=(*kept.edits, *copied.edits),
        findings=(
            *around.found,
            *choice,
            *source_findings(source),
            *taken_findings(copied.manifest),
            *inside.findings,
            *(() if inside.stand.held else consumer_findings(unserved)),
            *kept.findings,
            *copied.findings,
            *tools.findings,
        ),
        seed=seed_config_map(inside, copy_name, ours),
        learning=discovery_pod(inside, copied.manifest, target),
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


def has_twin(request: DebugRequest, inside: ModePlan) -> bool:
    """Say whether the debug container is a twin of the target, with tools that the seed brings."""
    return inside.seeding is not None and request.image is None


def session_target(
    source: Json,
    target: Json,
    request: DebugRequest,
    inside: ModePlan,
    copy_name: str,
    around: PlanInputs,
) -> SessionTarget:
    """Return the session's pod and container."""
    debug_container = "" if inside.alone else free_name(source, around.session_id)
    seeded = {target["name"]} if inside.seeding else set()
    if debug_container and has_twin(request, inside):
        seeded.add(debug_container)
    arch = inside.seeding.arch if inside.seeding else DEFAULT_ARCH
    return SessionTarget(
        kind=TargetKind.COPY,
        namespace=namespace(source),
        pod=copy_name,
        session_id=around.session_id,
        debug_container=debug_container,
        target=target["name"],
        source=f"{namespace(source)}/{name(source)}",
        view=inside.stand.view,
        held=inside.stand.held,
        seeded=frozenset(seeded),
        arch=arch,
        arch_known=arch == around.ground.arch,
        read_only=read_only_volumes(source, request.options),
    )


def lease_of(
    place: SessionTarget,
    target: Json,
    request: DebugRequest,
    creation: Creation,
    around: PlanInputs,
) -> Json:
    """Return the lease, with the session's entry in it."""
    ttl = request.session.ttl
    entry = session_entry(place.session_id, around.now + timedelta(seconds=ttl))
    annotations = {**creation_annotations(place, creation), **entry}
    return lease.lease_manifest(place.pod, place.session_id, target["image"], ttl, annotations)


def seed_config_map(inside: ModePlan, copy_name: str, labels: dict[str, str]) -> Json | None:
    """Return the ConfigMap with the seed, where one is needed."""
    if inside.seeding is None:
        return None
    return config_map(copy_name, archive.seed_bytes(inside.seeding.arch), labels)


def discovery_pod(inside: ModePlan, copy: Json, target: Json) -> Json | None:
    """Return the pod of the learning run, where there is one."""
    if not inside.learns or inside.seeding is None:
        return None
    name_of_pod = f"{name(copy)[: LONGEST_NAME - len(LEARNS)].rstrip('-.')}{LEARNS}"
    image = (find(all_containers(copy), target["name"]) or target)["image"]
    watched = {**target, "image": image}
    return entrypoint_discovery.discovery_pod_manifest(
        copy, watched, name_of_pod, inside.seeding.config_map
    )


def with_source(source: Json, neighbours: NamespaceSelectors) -> NamespaceSelectors:
    """Return the neighbours with the source itself, which may tolerate none of its kind."""
    controllers = (*neighbours.controllers, *anti_affinity_of(source))
    return neighbours._replace(controllers=controllers)


def name_of_copy(source: str, session_id: str) -> str:
    """Return ``<source>-scratch-<session_id>``, cut so that it can be a hostname."""
    tail = f"-scratch-{session_id}"
    return source[: LONGEST_NAME - len(tail)].rstrip("-.") + tail


def why_unserved(source: Json, neighbours: NamespaceSelectors) -> str:
    """Return why the source may get its work from elsewhere than a Service; empty if it does not.

    What is not known counts as the worse: a copy that runs may take work from a queue.
    """
    if any(matches(s.selector, labels_of(source)) for s in neighbours.services):
        return ""
    if SERVICE.plural in neighbours.unknown:
        return f"{SERVICE.plural} could not be listed, so it is not known if one selects the source"
    return "no Service selects the source"


def read_only_caution(source: Json, target: Json, options: CopyOptions) -> str:
    """Return which volumes a target that runs would miss in the copy; empty if none."""
    read_only = volume_edits.read_only_by_us(source, options, target)
    left_out = volume_edits.left_out_by_us(source, options, target)
    found = [f"{remedies.are_read_only(tuple(read_only))} in the copy"] if read_only else []
    found += [f"volume {', '.join(left_out)} is left out of the copy"] if left_out else []
    return f"{' and '.join(found)}, where the app may fail; {RUNS_IT}" if found else ""


def read_only_volumes(source: Json, options: CopyOptions) -> dict[str, tuple[str, ...]]:
    """Return the volumes that each container writes in the source and cannot write in the copy."""
    found = {
        c["name"]: tuple(volume_edits.missed_volumes(source, options, c))
        for c in all_containers(source)
    }
    return {name: missed for name, missed in found.items() if missed}


def consumer_findings(unserved: str) -> tuple[Finding, ...]:
    """Return what there is to say of a pod to which no Service sends its work, and which runs."""
    if not unserved:
        return ()
    text = f"{unserved}: if it takes work from a queue, so does its copy"
    return (Finding(Level.INFO, text),)


def source_findings(source: Json) -> tuple[Finding, ...]:
    """Return what the source pod itself forbids or makes worth a word."""
    findings = []
    if is_windows(source):
        findings.append(Finding(Level.BLOCKER, "it is a Windows pod, and the tools run on Linux"))
    if says_copy(source):
        text = f"it is a copy already: {COMMAND} attach {name(source)}"
        findings.append(Finding(Level.BLOCKER, text))
    if is_going(source):
        findings.append(Finding(Level.WARNING, "the pod is being deleted; its copy lives on"))
    return tuple(findings)


def taken_findings(copy: Json) -> tuple[Finding, ...]:
    """Block where the source has a volume or a mount of its own where the tools are to come."""
    names = names_of(volumes(copy))
    taken = [(volume, f"volume {volume}") for volume in names if names.count(volume) > 1]
    for container in all_containers(copy):
        # The source's own stand before ours.
        mounts = container.get("volumeMounts") or []
        paths = [mount["mountPath"].rstrip("/") for mount in mounts]
        twice = [mount for mount, path in zip(mounts, paths, strict=True) if paths.count(path) > 1]
        taken += [(mount["name"], f"mount {mount['mountPath']}") for mount in twice]
    if not taken:
        return ()
    volume, what = taken[0]
    text = f"it has a {what}, which the tools come by; --skip-volume {volume} copies without it"
    return (Finding(Level.BLOCKER, text),)
