"""The volumes of the copy: those private to a pod are new, all others are read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubectl_scratch.kube.objects import Json, all_containers, find, has_started, names_of, volumes
from kubectl_scratch.plan import remedies
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.podcopy import given_names, host_paths
from kubectl_scratch.request import CopyOptions

# Volumes that are made for each pod: the copy gets its own. All others outlive the pod, and
# what is written there is written to production.
PRIVATE_VOLUMES = frozenset(
    {"configMap", "downwardAPI", "emptyDir", "ephemeral", "gitRepo", "image", "projected", "secret"}
)
# Drivers whose inline volumes are made for each pod to read: secrets and certificates.
READ_BY_PODS = frozenset(
    {"csi.cert-manager.io", "csi.spiffe.io", "csi.spire.io", "secrets-store.csi.k8s.io"}
)
ONE_POD_ALONE = "ReadWriteOncePod"
BOUND, LOST = "Bound", "Lost"


def drop_token_volume(pod: Json) -> Iterator[Edit]:
    """Drop the injected service account volume; admission adds it again."""
    dropped = {v["name"] for v in volumes(pod) if _is_token_volume(v)}
    if dropped:
        _drop(pod, dropped)
        reason = f"{', '.join(sorted(dropped))}: the API server adds the copy's own"
        yield Edit("spec.volumes", reason)


def skip_volumes(pod: Json, *, names: frozenset[str]) -> Iterator[Edit]:
    """Omit the volumes that the user names, and their mounts.

    Raises InvalidRequest if there is no volume of that name.
    """
    given_names.require_names("volume", names, names_of(volumes(pod)))
    _drop(pod, names)
    for name in sorted(names):
        yield Edit(f"volume {name}", "omitted with its mounts, as asked")


def leave_out_commands(pod: Json, *, writable: frozenset[str]) -> Iterator[Edit | Finding]:
    """Omit sockets of runtimes and devices, and warn of other sockets.

    A read-only mount does not prevent commands to a runtime, or the use of a device.
    """
    paths = {
        v["name"]: host_paths.host_path_of(v) for v in volumes(pod) if v["name"] not in writable
    }
    left_out: dict[str, list[str]] = {}
    reaching: dict[str, list[str]] = {}
    for volume in volumes(pod):
        name = volume["name"]
        what, reach = host_paths.commanding_path(volume), host_paths.may_reach(volume)
        if name not in paths:
            continue
        if what:
            left_out.setdefault(what, []).append(name)
            yield Edit(f"volume {name}", f"omitted with its mounts: {what}")
        elif reach:
            reaching.setdefault(reach, []).append(name)
    for what, names in left_out.items():
        told = ", ".join(f"{name} ({paths[name]})" for name in names)
        keeps = f"{names[0]} to keep it" if len(names) == 1 else "NAME to keep one"
        text = f"{_volumes(told, names)} omitted: {what}"
        yield Finding(Level.WARNING, f"{text}; use --writable {keeps}")
    for reach, names in reaching.items():
        told = ", ".join(f"{name} ({paths[name]})" for name in names)
        text = f"{_volumes(told, names)} read-only, but {reach}"
        yield Finding(Level.WARNING, f"{text}; {remedies.skip_remedy(names)}")
    _drop(pod, {v["name"] for v in volumes(pod) if host_paths.commanding_path(v)} - writable)


def _volumes(told: str, names: list[str]) -> str:
    return f"volume {told} is" if len(names) == 1 else f"volumes {told} are"


def create_nothing_on_the_node(pod: Json, *, source: Json) -> Iterator[Edit | Finding]:
    """Require that paths of the node exist: what does not exist would be created."""
    for volume in volumes(pod):
        path, kind, name = (
            host_paths.host_path_of(volume),
            host_paths.host_path_type(volume),
            volume["name"],
        )
        if path is None:
            continue
        if kind in host_paths.MADE:
            volume["hostPath"] = {**volume["hostPath"], "type": host_paths.MADE[kind]}
            reason = f"{host_paths.MADE[kind]}, not {kind}: nothing is created on the node"
            yield Edit(f"volume {name}", reason)
        elif not kind and not _was_mounted(source, name):
            text = f"volume {name}: the node creates {path} if it does not exist"
            yield Finding(Level.WARNING, f"{text}; {remedies.skip_remedy([name])}")


def _was_mounted(source: Json, volume: str) -> bool:
    there = [c for c in all_containers(source) if has_started(source, c["name"])]
    return any(m["name"] == volume for c in there for m in c.get("volumeMounts") or [])


def tell_claims(
    pod: Json, *, claims: Mapping[str, Json] | None, node: str | None
) -> Iterator[Finding]:
    """Block on a claim that only one pod can use, and on one that the copy would bind.

    The scheduler keeps a second pod waiting until the first is gone (KEP-2485). A claim that
    waits for its first consumer is bound to a volume where that one is put: for good. A source
    that has a ``node`` has its claims bound; None as ``claims`` says that they cannot be read.
    """
    for volume in volumes(pod):
        name, claim = volume["name"], (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not claim:
            continue
        found = (claims or {}).get(claim)
        without = remedies.skip_remedy([name])
        if ONE_POD_ALONE in (((found or {}).get("spec") or {}).get("accessModes") or []):
            text = f"volume {name}: only one pod can use claim {claim} ({ONE_POD_ALONE})"
            yield Finding(Level.BLOCKER, f"{text}; {without}")
        elif found is not None and _phase(found) == LOST:
            text = f"volume {name}: claim {claim} has lost its volume, so no new pod can mount it"
            yield Finding(Level.BLOCKER, f"{text}; {without}")
        elif found is not None and _phase(found) != BOUND:
            text = f"volume {name}: claim {claim} is not bound yet, and the copy would bind it"
            yield Finding(Level.BLOCKER, f"{text}; {without}")
        elif claims is None and not node:
            text = f"volume {name}: claims cannot be listed, and the copy would bind {claim} if"
            yield Finding(Level.BLOCKER, f"{text} it is not bound yet; {without}")
        elif claims is None:
            text = f"volume {name}: claims cannot be listed, and the copy waits forever if {claim}"
            yield Finding(
                Level.WARNING, f"{text} is for only one pod (ReadWriteOncePod); {without}"
            )
        elif found is None:
            text = f"volume {name}: claim {claim} does not exist, and the copy waits for it"
            yield Finding(Level.WARNING, f"{text}; {without}")


def _phase(claim: Json) -> str:
    """Return the phase of a claim; of a bound one no pod can change which volume it has."""
    return str((claim.get("status") or {}).get("phase", BOUND))


def mount_shared_volumes_read_only(
    pod: Json, *, writable: frozenset[str], recursive: bool = True
) -> Iterator[Edit | Finding]:
    """Mount read-only what outlives the pod, if ``recursive`` with all that is mounted below it.

    ReadWriteOnce is per node: on the source's node a second database would write into
    production's files. The mounts are changed and not the volume, whose ``readOnly`` could
    change how it is attached. Raises InvalidRequest if there is no volume to keep writable.
    """
    given_names.require_names("volume", writable, names_of(volumes(pod)))
    shared = {v["name"] for v in volumes(pod) if outlives_the_pod(v)}
    for name in sorted(shared & writable):
        text = f"volume {name} is writable: what the copy writes there is written to production"
        yield Finding(Level.WARNING, text)
    for container in all_containers(pod):
        yield from _protect_mounts(container, shared - writable, recursive)
        yield from _protect_devices(container, shared - writable)


def _protect_mounts(container: Json, shared: set[str], recursive: bool) -> Iterator[Edit]:
    for mount in container.get("volumeMounts") or []:
        if mount["name"] not in shared:
            continue
        before = dict(mount)
        # What the copy mounts would be mounted on the node (Bidirectional); what the node mounts
        # would be writable in the copy (HostToContainer), and no mount that propagates can be
        # read-only with all that is mounted below it.
        if mount.get("mountPropagation") != "None":
            mount.pop("mountPropagation", None)
        mount["readOnly"] = True
        if recursive and mount.get("recursiveReadOnly") != "Enabled":
            mount["recursiveReadOnly"] = "IfPossible"
        where = f"{container['name']}:{mount['mountPath']}"
        if not before.get("readOnly") or before.get("mountPropagation") == "Bidirectional":
            yield Edit(where, f"volume {mount['name']} read-only: it holds production's data")
        elif mount != before:
            yield Edit(where, f"volume {mount['name']} read-only with the mounts below it")


def tell_mounts_below(
    pod: Json, *, writable: frozenset[str], recursive: bool | None
) -> Iterator[Finding]:
    """Warn of what is mounted below a read-only path of the node, and stays writable.

    ``recursive`` says whether the source's node makes all of it read-only. Only a hostPath is a
    part of the node's tree, where mounts are likely; any other volume is mounted by the kubelet
    as one.
    """
    if recursive:
        return
    used = {m["name"] for c in all_containers(pod) for m in c.get("volumeMounts") or []}
    found = {}
    for volume in volumes(pod):
        name, path = volume["name"], host_paths.host_path_of(volume)
        folder = host_paths.host_path_type(volume) in ("", "Directory", "DirectoryOrCreate")
        if path is not None and folder and name in used - writable:
            found[name] = f"{path} (volume {name})"
    if not found:
        return
    text = f"what is mounted below {', '.join(found.values())}"
    if recursive is False:
        level, why = Level.WARNING, "stays writable: the node cannot make it read-only"
    else:
        level = Level.DETAIL
        why = "may stay writable: it is unknown whether the node can make it read-only"
    yield Finding(level, f"{text} {why}; {remedies.skip_remedy(list(found))}")


def _protect_devices(container: Json, shared: set[str]) -> Iterator[Finding]:
    devices = container.get("volumeDevices") or []
    kept = [device for device in devices if device["name"] not in shared]
    if len(kept) < len(devices):
        container["volumeDevices"] = kept
        lost = ", ".join(device["name"] for device in devices if device not in kept)
        text = (
            f"block devices cannot be read-only, so {container['name']} has none of these: {lost}"
        )
        yield Finding(Level.WARNING, f"{text}; use --writable NAME to keep one")


def keep_ownership(pod: Json) -> Iterator[Edit]:
    """Prevent the kubelet from changing the owners of production's files again.

    For an fsGroup it walks a volume at each mount, unless the policy is OnRootMismatch.
    """
    context = pod["spec"].get("securityContext") or {}
    policy = "OnRootMismatch"
    if "fsGroup" not in context or context.get("fsGroupChangePolicy") == policy:
        return
    if any(outlives_the_pod(volume) for volume in volumes(pod)):
        context["fsGroupChangePolicy"] = policy
        reason = f"{policy}, so that owners of files are not set again"
        yield Edit("spec.securityContext.fsGroupChangePolicy", reason)


def tell_relabelling(pod: Json) -> Iterator[Finding]:
    """Warn if a runtime may give production's files the label of the copy.

    On a node with SELinux each pod has a random level, unless it asks for one, and the runtime
    relabels the volumes that it mounts: the source, of another level, is then denied its own files.
    A path of the node is never relabelled (SELinuxRelabel in pkg/volume of kubernetes/kubernetes).
    """
    of_pod = pod["spec"].get("securityContext") or {}
    used: set[str] = set()
    for container in all_containers(pod):
        own = container.get("securityContext") or {}
        options = own.get("seLinuxOptions") or of_pod.get("seLinuxOptions") or {}
        if not options.get("level") and not own.get("privileged"):
            used |= {mount["name"] for mount in container.get("volumeMounts") or []}
    shared = (v for v in volumes(pod) if outlives_the_pod(v) and "hostPath" not in v)
    names = [v["name"] for v in shared if v["name"] in used]
    if names:
        text = "if the node enforces SELinux, the copy relabels these volumes, and the source may"
        text = f"{text} lose access to them: {', '.join(names)}; {remedies.skip_remedy(names)}"
        cure = "or set seLinuxOptions.level in the source"
        yield Finding(Level.WARNING, f"{text}; {cure}")


def tell_new_volumes(pod: Json, *, retaining: frozenset[str] | None) -> Iterator[Finding]:
    """Report the volumes that start empty in the copy; block on one that would stay.

    ``retaining`` are the StorageClasses that keep a volume for ever, None if that is unknown.
    """
    empty = [volume["name"] for volume in volumes(pod) if "emptyDir" in volume]
    if empty:
        yield Finding(Level.DETAIL, f"emptyDir volumes start empty: {', '.join(empty)}")
    new = [volume["name"] for volume in volumes(pod) if "ephemeral" in volume]
    if new:
        yield Finding(Level.DETAIL, f"volumes with a new claim start empty: {', '.join(new)}")
    for volume in volumes(pod):
        if "ephemeral" not in volume:
            continue
        template = (volume["ephemeral"] or {}).get("volumeClaimTemplate") or {}
        asked = (template.get("spec") or {}).get("storageClassName") or ""
        named = f"StorageClass {asked}" if asked else "the default StorageClass"
        without = f"use --skip-volume {volume['name']} to copy without it"
        if retaining is None:
            text = f"volume {volume['name']}: {named} cannot be read; if it retains volumes,"
            yield Finding(Level.WARNING, f"{text} each copy leaves one behind; {without}")
        elif asked in retaining:
            text = f"volume {volume['name']}: {named} retains volumes, so each copy would leave one"
            yield Finding(Level.BLOCKER, f"{text} behind; {without}")


def missed_volumes(pod: Json, options: CopyOptions, container: Json) -> list[str]:
    """Return the volumes that a container writes in the source, and cannot write in the copy."""
    return [*read_only_by_us(pod, options, container), *left_out_by_us(pod, options, container)]


def read_only_by_us(pod: Json, options: CopyOptions, container: Json) -> list[str]:
    """Return the volumes that a container of the source may write to, and that of the copy not.

    ``container`` is the source's own. What is left out is none of them: see left_out_by_us.
    """
    mounts = container.get("volumeMounts") or []
    written = {mount["name"]: None for mount in mounts if not mount.get("readOnly")}
    spared = options.writable | options.skip_volumes
    found = [find(volumes(pod), name) for name in written if name not in spared]
    return [
        v["name"]
        for v in found
        if v and outlives_the_pod(v) and not _is_only_read(v) and not host_paths.commanding_path(v)
    ]


def read_only_by_container(pod: Json, options: CopyOptions) -> dict[str, list[str]]:
    """Return what read_only_by_us does of each container of the source."""
    return {c["name"]: read_only_by_us(pod, options, c) for c in all_containers(pod)}


def left_out_by_us(pod: Json, options: CopyOptions, container: Json) -> list[str]:
    """Return the volumes that are omitted from a container of the copy without being asked."""
    devices = {device["name"] for device in container.get("volumeDevices") or []}
    mounts = {mount["name"] for mount in container.get("volumeMounts") or []}
    there = [v for v in volumes(pod) if v["name"] not in options.writable | options.skip_volumes]
    return [
        v["name"]
        for v in there
        if (v["name"] in devices and outlives_the_pod(v))
        or (v["name"] in mounts and host_paths.commanding_path(v))
    ]


def _is_only_read(volume: Json) -> bool:
    """Say whether a volume is only read, whatever its mounts say."""
    kinds = [source for source in volume.values() if isinstance(source, dict)]
    is_read_only = any(source.get("readOnly") for source in kinds)
    by_driver = (volume.get("csi") or {}).get("driver") in READ_BY_PODS
    return is_read_only or by_driver or host_paths.is_only_read(volume)


def outlives_the_pod(volume: Json) -> bool:
    """Say whether what is written to a volume is still there without the pod."""
    kinds = set(volume) - {"name"}
    return bool(kinds) and not kinds <= PRIVATE_VOLUMES


def _is_token_volume(volume: Json) -> bool:
    sources = (volume.get("projected") or {}).get("sources") or []
    injected = str(volume["name"]).startswith("kube-api-access-")
    return injected and any("serviceAccountToken" in source for source in sources)


def _drop(pod: Json, names: frozenset[str] | set[str]) -> None:
    if not names:
        return
    pod["spec"]["volumes"] = [v for v in volumes(pod) if v["name"] not in names]
    for container in all_containers(pod):
        for kind in ("volumeMounts", "volumeDevices"):
            if container.get(kind):
                container[kind] = [use for use in container[kind] if use["name"] not in names]
