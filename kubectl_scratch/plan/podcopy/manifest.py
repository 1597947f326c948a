"""Source pod -> manifest of the copy.

Principle: a faithful copy of what makes the app behave, and nothing that makes the cluster
treat it as production. What no rule names survives untouched, also fields that this code has
never heard of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    containers,
    is_windows,
    names_of,
    unshared,
)
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.inputs import PlanInputs
from kubectl_scratch.plan.podcopy import annotations as notes
from kubectl_scratch.plan.podcopy import (
    container_edits,
    downward_api,
    mesh,
    scheduling,
    seed_edits,
    sub_paths,
    volume_edits,
)
from kubectl_scratch.plan.seed import Seeding
from kubectl_scratch.request import CopyOptions

GRACE_SECONDS = 1

Change = Edit | Finding
Rule = Callable[[Json], Iterator[Change]]


class CopyDecisions(NamedTuple):
    """What is decided about a copy before its manifest is made.

    ``labels`` are all that it has, ``annotations`` our own, which win over the source's.
    ``target`` is the target container. ``gate`` keeps the copy out of the
    Services that its labels match. ``inside`` says that the session is inside the target,
    ``target_runs`` that the source's target runs.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    target: str
    gate: bool = False
    seeding: Seeding | None = None
    inside: bool = False
    target_runs: bool = False


class Copied(NamedTuple):
    """The copy's manifest, without an owner, and the lines that go with it."""

    manifest: Json
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]


def make_copy(inputs: PlanInputs, options: CopyOptions, decisions: CopyDecisions) -> Copied:
    """Return the copy of the source, which is left as it is.

    Raises InvalidRequest if an option names a container or a volume that is not there.
    """
    source = inputs.source
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": decisions.name,
            "namespace": source["metadata"]["namespace"],
            "labels": dict(decisions.labels),
            "annotations": dict(source["metadata"].get("annotations") or {}),
        },
        "spec": unshared(source["spec"]),
    }
    rules = rules_of(inputs, options, decisions)
    lines = [*tell_metadata(source), *apply_rules(rules, pod)]
    pod["metadata"]["annotations"].update(decisions.annotations)
    return Copied(
        manifest=pod,
        edits=tuple(line for line in lines if isinstance(line, Edit)),
        findings=tuple(line for line in lines if isinstance(line, Finding)),
    )


def rules_of(
    inputs: PlanInputs, options: CopyOptions, decisions: CopyDecisions
) -> tuple[Rule, ...]:
    """Return the edits in their order: first what is omitted, last what is reported."""
    source, storage, seeding = inputs.source, inputs.storage, decisions.seeding
    target, target_runs = decisions.target, decisions.target_runs
    held = seeding.target if seeding and seeding.held else None
    hold_all = bool(seeding and seeding.hold_all)
    writable = options.writable
    node = source["spec"].get("nodeName")
    return (
        partial(mesh.strip_mesh, keep_mesh=options.keep_mesh),
        volume_edits.drop_token_volume,
        partial(volume_edits.skip_volumes, names=options.skip_volumes),
        partial(volume_edits.leave_out_commands, writable=writable),
        partial(container_edits.skip_init, names=options.skip_init),
        partial(notes.choose_annotations, keep_all=options.keep_annotations),
        notes.drop_addresses,
        *(() if options.keep_mesh else (mesh.opt_out_of_mesh,)),
        partial(container_edits.set_images, images=dict(options.images)),
        partial(container_edits.add_pull_secrets, secrets=options.pull_secrets),
        *((container_edits.drop_resources,) if options.resources == "none" else ()),
        partial(
            downward_api.bring_values,
            source=source,
            marks=decisions.annotations,
            held=held,
            hold_all=hold_all,
            source_runs=target_runs,
        ),
        partial(scheduling.free_the_node, same_node=options.same_node),
        drop_ephemeral_containers,
        partial(container_edits.drop_probes, target=target, hold_all=hold_all),
        partial(keep_running, held=held, hold_all=hold_all),
        partial(share_processes, wanted=options.share_processes, inside=decisions.inside),
        container_edits.drop_stop_hooks,
        container_edits.drop_host_ports,
        partial(volume_edits.tell_claims, claims=inputs.namespace.claims, node=node),
        partial(volume_edits.create_nothing_on_the_node, source=source),
        partial(
            volume_edits.mount_shared_volumes_read_only,
            writable=writable,
            recursive=not storage.refuses_recursive,
        ),
        partial(volume_edits.tell_mounts_below, writable=writable, recursive=storage.recursive),
        *((volume_edits.tell_relabelling,) if storage.selinux else ()),
        volume_edits.keep_ownership,
        scheduling.drop_priority,
        scheduling.drop_overhead,
        scheduling.relax_scheduling,
        *((scheduling.keep_out_of_services,) if decisions.gate else ()),
        partial(scheduling.drop_identity, keep_hostname=held is not None and not target_runs),
        # Before our own volumes come, which are none of the source's.
        partial(volume_edits.tell_new_volumes, retaining=storage.retaining),
        *((partial(seed_edits.seed_copy, seeding=seeding),) if seeding else ()),
        # With --hold-all there are no init containers left, whose folders would be mounted.
        partial(sub_paths.keep_sub_paths, source=source, writable=writable, held=held),
        end_quickly,
        partial(
            container_edits.tell_what_runs_again,
            target=target,
            held=held,
            hold_all=hold_all,
            read_only=volume_edits.read_only_by_container(source, options),
        ),
        container_edits.tell_devices,
        tell_reach,
    )


def apply_rules(rules: tuple[Rule, ...], pod: Json) -> list[Change]:
    """Apply the rules to the pod in place, and return their lines."""
    return [change for rule in rules for change in rule(pod)]


def tell_metadata(source: Json) -> Iterator[Edit]:
    """Report what is never copied: the owner and the finalizers."""
    metadata = source["metadata"]
    if metadata.get("ownerReferences"):
        yield Edit("metadata.ownerReferences", "the copy's owner is its lease")
    if metadata.get("finalizers"):
        yield Edit("metadata.finalizers", "they would delay the deletion of the copy")


def drop_ephemeral_containers(pod: Json) -> Iterator[Edit]:
    """Drop spec.ephemeralContainers: they cannot be set when a pod is created."""
    if pod["spec"].pop("ephemeralContainers", None):
        yield Edit("spec.ephemeralContainers", "they cannot be set when a pod is created")


def keep_running(pod: Json, *, held: str | None = None, hold_all: bool = False) -> Iterator[Change]:
    """Set restartPolicy Always.

    When all regular containers have ended the pod is Failed or Succeeded, and the kubelet
    kills the debug container or never starts it.
    """
    if pod["spec"].get("restartPolicy", "Always") != "Always":
        reason = "Always, because a pod that has ended cannot run a debug container"
        yield Edit("spec.restartPolicy", reason)
        yield from _tell_of_starts(pod, held, hold_all)
    pod["spec"]["restartPolicy"] = "Always"
    if pod["spec"].pop("activeDeadlineSeconds", None) is not None:
        yield Edit("spec.activeDeadlineSeconds", "the lease ends the copy")
    for container in containers(pod):
        rules = container.pop("restartPolicyRules", None)
        if container.pop("restartPolicy", None) is not None or rules is not None:
            yield Edit(f"{container['name']}.restartPolicy", "Always, as in the pod")


def _tell_of_starts(pod: Json, held: str | None, hold_all: bool) -> Iterator[Finding]:
    """Say what ends in the source, and starts again in the copy: not what is held."""
    start = names_of(container_edits.starting_containers(pod, held, hold_all))
    others = [name for name in names_of(containers(pod)) if name in start]
    if held is None:
        text = "the source runs once; in the copy the app is restarted whenever it ends"
        yield Finding(Level.WARNING, text)
    elif others:
        text = "the source runs once; in the copy these containers are restarted whenever they end"
        yield Finding(Level.WARNING, f"{text}: {', '.join(others)}; use --hold-all to hold them")


def share_processes(pod: Json, *, wanted: bool, inside: bool = False) -> Iterator[Change]:
    """Share the process namespace, so that the debug container sees the target.

    A session inside the target is among its processes in any case.
    """
    spec = pod["spec"]
    if spec.get("hostPID"):
        yield Finding(Level.WARNING, "hostPID: the session sees all processes of the node")
    # The API rejects it for Windows.
    elif spec.get("shareProcessNamespace") or is_windows(pod):
        return
    elif not wanted or _unmasks_proc(pod):
        why = "procMount Unmasked" if wanted else "processes are not shared, as asked"
        who = "a session in the debug container" if inside else "the session"
        text = f"{why}: {who} cannot see the target's processes"
        yield Finding(Level.DETAIL if inside else Level.WARNING, text)
    else:
        spec["shareProcessNamespace"] = True
        who = "the debug container" if inside else "the session"
        reason = f"true, so that {who} sees the target's processes; process 1 is another one"
        yield Edit("spec.shareProcessNamespace", reason)


def tell_reach(pod: Json) -> Iterator[Finding]:
    """Warn of what reaches the node, which no read-only mount prevents."""
    if pod["spec"].get("hostIPC"):
        text = "hostIPC: the copy shares memory and semaphores with processes of the node"
        yield Finding(Level.WARNING, text)
    contexts = [(c["name"], c.get("securityContext") or {}) for c in all_containers(pod)]
    privileged = [name for name, context in contexts if context.get("privileged")]
    if privileged:
        text = "privileged containers can change the node and what is mounted read-only"
        yield Finding(Level.WARNING, f"{text}: {', '.join(privileged)}")


def end_quickly(pod: Json) -> Iterator[Edit]:
    """Set a short grace period: nothing in a copy needs a long one."""
    pod["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS
    reason = f"{GRACE_SECONDS}, so that the copy ends quickly"
    yield Edit("spec.terminationGracePeriodSeconds", reason)


def _unmasks_proc(pod: Json) -> bool:
    contexts = (container.get("securityContext") or {} for container in all_containers(pod))
    return any(context.get("procMount") == "Unmasked" for context in contexts)
