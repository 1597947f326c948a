"""Source pod -> manifest of the copy.

Principle: a faithful copy of what makes the app behave, and nothing that makes the cluster
treat it as production. What no rule names survives untouched, also fields that this code has
never heard of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from kubectl_scratch.findings import Edit, Finding, Level
from kubectl_scratch.podjson import (
    Json,
    all_containers,
    containers,
    init_containers,
    names_of,
    volumes,
)

# Volumes that are made for each pod: the copy gets its own. All others outlive the pod, and
# what is written there is written to production.
PRIVATE_VOLUMES = frozenset(
    {"configMap", "downwardAPI", "emptyDir", "ephemeral", "image", "projected", "secret"}
)
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
PRIORITY = ("priorityClassName", "priority", "preemptionPolicy")
GRACE_SECONDS = 1

Change = Edit | Finding
Rule = Callable[[Json], Iterator[Change]]


@dataclass(frozen=True)
class Copied:
    """The copy's manifest, without an owner, and the lines that go with it."""

    manifest: Json
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]


def make_copy(source: Json, name: str, labels: dict[str, str], marks: dict[str, str]) -> Copied:
    """Return the copy of ``source``, which is left as it is.

    ``labels`` and ``marks`` (annotations) are all that the copy's metadata has of them: no
    Service, ReplicaSet or PodDisruptionBudget selects it.
    """
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": source["metadata"]["namespace"],
            "labels": dict(labels),
            "annotations": dict(marks),
        },
        "spec": deepcopy(source["spec"]),
    }
    changes = [Edit("metadata", "no label, annotation, owner or finalizer of the source")]
    lines: list[Change] = [*changes, *(change for rule in RULES for change in rule(pod))]
    return Copied(
        manifest=pod,
        edits=tuple(line for line in lines if isinstance(line, Edit)),
        findings=tuple(line for line in lines if isinstance(line, Finding)),
    )


def free_the_node(pod: Json) -> Iterator[Change]:
    """Replace nodeName by an affinity, so that the scheduler still checks the fit.

    The source's node has its images. Where a volume is attached to that node alone
    (ReadWriteOnce is per node), the copy has to go there.
    """
    node = pod["spec"].pop("nodeName", None)
    if not node:
        return
    here = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    if any("persistentVolumeClaim" in volume for volume in volumes(pod)):
        required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
        terms = required.get("nodeSelectorTerms") or [{}]
        required["nodeSelectorTerms"] = [
            {**term, "matchFields": [*(term.get("matchFields") or []), here]} for term in terms
        ]
        yield Edit("spec.nodeName", f"node {node} is required, where its volumes are attached")
        return
    term = {"weight": 100, "preference": {"matchFields": [here]}}
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    affinity[key] = [*(affinity.get(key) or []), term]
    yield Edit("spec.nodeName", f"node {node} is preferred, and the scheduler checks the fit")


def drop_ephemeral_containers(pod: Json) -> Iterator[Change]:
    """Drop spec.ephemeralContainers: they can't be set on create."""
    if pod["spec"].pop("ephemeralContainers", None):
        yield Edit("spec.ephemeralContainers", "they can't be set on create")


def drop_probes(pod: Json) -> Iterator[Change]:
    """Drop the probes, those of native sidecars too: they would restart what is looked at."""
    for container in all_containers(pod):
        for probe in PROBES:
            if container.pop(probe, None) is not None:
                yield Edit(f"{container['name']}.{probe}", "it would restart what is looked at")


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


def share_processes(pod: Json) -> Iterator[Change]:
    """Share the process namespace, so that the debug container sees the target."""
    if pod["spec"].get("hostPID"):
        yield Finding(Level.WARNING, "hostPID: the session sees all processes of the node")
    elif not pod["spec"].get("shareProcessNamespace"):
        pod["spec"]["shareProcessNamespace"] = True
        yield Edit("spec.shareProcessNamespace", "true, so that the session sees the target")


def drop_stop_hooks(pod: Json) -> Iterator[Change]:
    """Drop preStop hooks: they would run when the copy is deleted."""
    for container in all_containers(pod):
        lifecycle = container.get("lifecycle") or {}
        if lifecycle.pop("preStop", None) is not None:
            yield Edit(f"{container['name']}.lifecycle.preStop", "it would run at our delete")
        if not lifecycle:
            container.pop("lifecycle", None)


def drop_host_ports(pod: Json) -> Iterator[Change]:
    """Drop host ports: beside the source they can't be had.

    In the host's network a container port is a host port by default, so the list goes.
    """
    host_network = pod["spec"].get("hostNetwork")
    for container in all_containers(pod):
        ports = container.get("ports") or []
        if host_network and ports:
            del container["ports"]
            yield Edit(f"{container['name']}.ports", "the source has these ports of the node")
        elif any("hostPort" in port for port in ports):
            for port in ports:
                port.pop("hostPort", None)
            yield Edit(f"{container['name']}.hostPort", "the source has this port of the node")
    if host_network:
        yield Finding(Level.WARNING, "hostNetwork: the app can't bind what the source has bound")


def drop_token_volume(pod: Json) -> Iterator[Change]:
    """Drop the injected service account volume; admission adds it again."""
    dropped = {v["name"] for v in volumes(pod) if _is_token_volume(v)}
    if not dropped:
        return
    pod["spec"]["volumes"] = [v for v in volumes(pod) if v["name"] not in dropped]
    for container in all_containers(pod):
        mounts = container.get("volumeMounts") or []
        container["volumeMounts"] = [m for m in mounts if m["name"] not in dropped]
    yield Edit("spec.volumes", f"{', '.join(sorted(dropped))}: admission adds the copy's own")


def _is_token_volume(volume: Json) -> bool:
    sources = (volume.get("projected") or {}).get("sources") or []
    injected = str(volume["name"]).startswith("kube-api-access-")
    return injected and any("serviceAccountToken" in source for source in sources)


def mount_shared_volumes_read_only(pod: Json) -> Iterator[Change]:
    """Mount read-only what outlives the pod.

    ReadWriteOnce is per node: on the source's node a second database would write into
    production's files. The mounts are changed and not the volume, whose ``readOnly`` could
    change how it is attached.
    """
    shared = {v["name"] for v in volumes(pod) if _outlives_the_pod(v)}
    for container in all_containers(pod):
        for mount in container.get("volumeMounts") or []:
            if mount["name"] in shared and not mount.get("readOnly"):
                mount["readOnly"] = True
                mount.pop("mountPropagation", None)
                where = f"{container['name']}:{mount['mountPath']}"
                yield Edit(where, f"volume {mount['name']} read-only: its data is production's")
        devices = container.get("volumeDevices") or []
        kept = [d for d in devices if d["name"] not in shared]
        if len(kept) < len(devices):
            container["volumeDevices"] = kept
            text = f"container {container['name']} lacks its block devices: they can't be read-only"
            yield Finding(Level.WARNING, text)


def _outlives_the_pod(volume: Json) -> bool:
    kinds = set(volume) - {"name"}
    return bool(kinds) and not kinds <= PRIVATE_VOLUMES


def keep_ownership(pod: Json) -> Iterator[Change]:
    """Let the kubelet not change the owners of production's files a second time.

    For an fsGroup it walks a volume at each mount, unless the policy is OnRootMismatch.
    """
    context = pod["spec"].get("securityContext") or {}
    policy = "OnRootMismatch"
    if "fsGroup" in context and context.get("fsGroupChangePolicy") != policy:
        context["fsGroupChangePolicy"] = policy
        yield Edit("spec.securityContext.fsGroupChangePolicy", f"{policy}: no second walk")


def drop_priority(pod: Json) -> Iterator[Change]:
    """Drop the priority, so that a copy never preempts production.

    All three fields: admission refuses a priority or policy that differs from its class's.
    """
    if [field for field in PRIORITY if pod["spec"].pop(field, None) is not None]:
        yield Edit("spec.priorityClassName", "a copy never preempts production")


def relax_scheduling(pod: Json) -> Iterator[Change]:
    """Drop pod anti-affinity, spread and gates, which keep the copy off the source's node."""
    spec = pod["spec"]
    if (spec.get("affinity") or {}).pop("podAntiAffinity", None):
        yield Edit("spec.affinity.podAntiAffinity", "it keeps the copy off the source's node")
    for field in ("topologySpreadConstraints", "schedulingGates", "readinessGates"):
        if spec.pop(field, None):
            yield Edit(f"spec.{field}", "it is about the workload that the copy is no part of")


def drop_identity(pod: Json) -> Iterator[Change]:
    """Drop hostname and subdomain: members of a StatefulSet take their identity from them."""
    for field in ("hostname", "hostnameOverride", "subdomain"):
        if pod["spec"].pop(field, None):
            yield Edit(f"spec.{field}", "it is the source's identity, and its name in DNS")


def end_quickly(pod: Json) -> Iterator[Change]:
    """Set a short grace period: nothing in a copy needs a long one."""
    pod["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS
    yield Edit("spec.terminationGracePeriodSeconds", f"{GRACE_SECONDS} s: the copy ends quickly")


def tell_what_runs_again(pod: Json) -> Iterator[Change]:
    """Report what has an effect a second time."""
    again = [c for c in init_containers(pod) if c.get("restartPolicy") != "Always"]
    if again:
        names = ", ".join(names_of(again))
        yield Finding(Level.WARNING, f"init containers run again in the copy: {names}")
    if pod["spec"].get("resourceClaims"):
        yield Finding(Level.WARNING, "the copy claims the source's devices a second time")


RULES: tuple[Rule, ...] = (
    free_the_node,
    drop_ephemeral_containers,
    drop_probes,
    keep_running,
    share_processes,
    drop_stop_hooks,
    drop_host_ports,
    drop_token_volume,
    mount_shared_volumes_read_only,
    keep_ownership,
    drop_priority,
    relax_scheduling,
    drop_identity,
    end_quickly,
    tell_what_runs_again,
)
