"""Source pod -> manifest of the copy.

Principle: a faithful copy of what makes the app behave, and nothing that makes the cluster
treat it as production. What no rule names survives untouched, also fields that this code has
never heard of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from kubectl_scratch import annotations as notes
from kubectl_scratch import copycontainers, copyplace, copyvolumes, mesh
from kubectl_scratch.findings import Edit, Finding, Level
from kubectl_scratch.podjson import Json, all_containers, containers

GRACE_SECONDS = 1

Change = Edit | Finding
Rule = Callable[[Json], Iterator[Change]]


@dataclass(frozen=True)
class CopyOptions:
    """What the user wants otherwise; the defaults are what disturbs production least.

    ``target`` is the target container, None the first. ``images`` are by container, ``*`` is
    every one. ``skip_init`` may hold "all", which spares native sidecars. ``resources`` is
    "copy" or "none".
    """

    target: str | None = None
    same_node: bool = False
    keep_annotations: bool = False
    keep_mesh: bool = True
    share_processes: bool = True
    writable: frozenset[str] = frozenset()
    skip_volumes: frozenset[str] = frozenset()
    skip_init: frozenset[str] = frozenset()
    resources: str = "copy"
    images: Mapping[str, str] = field(default_factory=dict)
    pull_secrets: tuple[str, ...] = ()


DEFAULTS = CopyOptions()
NO_CLAIMS: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True)
class Copied:
    """The copy's manifest, without an owner, and the lines that go with it."""

    manifest: Json
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]


def make_copy(
    source: Json,
    name: str,
    labels: Mapping[str, str],
    marks: Mapping[str, str],
    options: CopyOptions = DEFAULTS,
    gate: bool = False,
    claims: Mapping[str, Json] = NO_CLAIMS,
) -> Copied:
    """Return the copy of ``source``, which is left as it is.

    ``labels`` are all that the copy has, decided already; ``marks`` are our annotations, which
    win over the source's. ``gate`` keeps the copy out of the Services that its labels match.
    ``claims`` are the PersistentVolumeClaims by name, as far as they could be read. Raises
    InvalidRequest where an option names a container or a volume that is not there.
    """
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": source["metadata"]["namespace"],
            "labels": dict(labels),
            "annotations": dict(source["metadata"].get("annotations") or {}),
        },
        "spec": deepcopy(source["spec"]),
    }
    lines = [*tell_metadata(source), *apply(rules_of(options, gate, claims), pod)]
    pod["metadata"]["annotations"].update(marks)
    return Copied(
        manifest=pod,
        edits=tuple(line for line in lines if isinstance(line, Edit)),
        findings=tuple(line for line in lines if isinstance(line, Finding)),
    )


def rules_of(
    options: CopyOptions, gate: bool, claims: Mapping[str, Json] = NO_CLAIMS
) -> tuple[Rule, ...]:
    """Return the edits in their order: first what is left out, last what is told."""
    return (
        partial(mesh.strip, keep_mesh=options.keep_mesh),
        copyvolumes.drop_token_volume,
        partial(copyvolumes.skip_volumes, names=options.skip_volumes),
        partial(copycontainers.skip_init, names=options.skip_init),
        partial(notes.choose_annotations, keep_all=options.keep_annotations),
        notes.drop_addresses,
        *(() if options.keep_mesh else (mesh.opt_out,)),
        partial(copycontainers.set_images, images=options.images),
        partial(copycontainers.add_pull_secrets, secrets=options.pull_secrets),
        *((copycontainers.drop_resources,) if options.resources == "none" else ()),
        partial(copyplace.free_the_node, same_node=options.same_node),
        drop_ephemeral_containers,
        copycontainers.drop_probes,
        keep_running,
        partial(share_processes, wanted=options.share_processes),
        copycontainers.drop_stop_hooks,
        copycontainers.drop_host_ports,
        partial(copyvolumes.tell_claims, claims=claims),
        partial(copyvolumes.mount_shared_volumes_read_only, writable=options.writable),
        copyvolumes.keep_ownership,
        copyplace.drop_priority,
        copyplace.drop_overhead,
        copyplace.relax_scheduling,
        *((copyplace.keep_out_of_services,) if gate else ()),
        copyplace.drop_identity,
        end_quickly,
        partial(copycontainers.tell_what_runs_again, target=options.target),
        copycontainers.tell_devices,
        copyvolumes.tell_new_volumes,
    )


def apply(rules: tuple[Rule, ...], pod: Json) -> list[Change]:
    """Apply the rules to the pod in place, and return their lines."""
    return [change for rule in rules for change in rule(pod)]


def tell_metadata(source: Json) -> Iterator[Edit]:
    """Report what never comes along: a controller's mark and whatever holds a deletion up."""
    metadata = source["metadata"]
    if metadata.get("ownerReferences"):
        yield Edit("metadata.ownerReferences", "no controller owns the copy: its lease does")
    if metadata.get("finalizers"):
        yield Edit("metadata.finalizers", "they would hold the copy's deletion up")


def drop_ephemeral_containers(pod: Json) -> Iterator[Edit]:
    """Drop spec.ephemeralContainers: they can't be set on create."""
    if pod["spec"].pop("ephemeralContainers", None):
        yield Edit("spec.ephemeralContainers", "they can't be set on create")


def keep_running(pod: Json) -> Iterator[Change]:
    """Set restartPolicy Always.

    When all regular containers have ended the pod is Failed or Succeeded, and the kubelet
    kills the debug container or never starts it.
    """
    if pod["spec"].get("restartPolicy", "Always") != "Always":
        reason = "Always, because a pod that has ended takes no debug container"
        yield Edit("spec.restartPolicy", reason)
        text = "the source runs once; in the copy the app starts again whenever it ends"
        yield Finding(Level.WARNING, text)
    pod["spec"]["restartPolicy"] = "Always"
    if pod["spec"].pop("activeDeadlineSeconds", None) is not None:
        yield Edit("spec.activeDeadlineSeconds", "the lease ends the copy")
    for container in containers(pod):
        rules = container.pop("restartPolicyRules", None)
        if container.pop("restartPolicy", None) is not None or rules is not None:
            yield Edit(f"{container['name']}.restartPolicy", "as the pod's: Always")


def share_processes(pod: Json, *, wanted: bool) -> Iterator[Change]:
    """Share the process namespace, so that the debug container sees the target."""
    spec = pod["spec"]
    if spec.get("hostPID"):
        yield Finding(Level.WARNING, "hostPID: the session sees all processes of the node")
    elif spec.get("shareProcessNamespace") or _is_windows(pod):
        return
    elif not wanted or _unmasks_proc(pod):
        why = "procMount Unmasked" if wanted else "processes are not shared, as asked"
        text = f"{why}: the session does not see the target's processes"
        yield Finding(Level.WARNING, text)
    else:
        spec["shareProcessNamespace"] = True
        reason = "true, so that the session sees the target, which is not process 1 then"
        yield Edit("spec.shareProcessNamespace", reason)


def end_quickly(pod: Json) -> Iterator[Edit]:
    """Set a short grace period: nothing in a copy needs a long one."""
    pod["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS
    yield Edit("spec.terminationGracePeriodSeconds", f"{GRACE_SECONDS} s: the copy ends quickly")


def _is_windows(pod: Json) -> bool:
    """Say whether the pod is for Windows, which knows no such sharing: the API refuses it."""
    return (pod["spec"].get("os") or {}).get("name") == "windows"


def _unmasks_proc(pod: Json) -> bool:
    contexts = (container.get("securityContext") or {} for container in all_containers(pod))
    return any(context.get("procMount") == "Unmasked" for context in contexts)
