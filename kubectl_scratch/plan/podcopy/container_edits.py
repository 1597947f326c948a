"""The containers of the copy: what would disturb is dropped, what the user asks for is added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    find,
    init_containers,
    is_native_sidecar,
    names_of,
)
from kubectl_scratch.plan import remedies
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.podcopy import given_names

STARTUP = "startupProbe"
PROBES = ("livenessProbe", "readinessProbe", STARTUP)
ALL = "all"
EVERY_CONTAINER = "*"


def skip_init(pod: Json, *, names: frozenset[str]) -> Iterator[Edit]:
    """Omit the init containers that the user names; "all" spares native sidecars.

    Raises InvalidRequest if there is no init container of that name.
    """
    given_names.require_names("init container", names - {ALL}, names_of(init_containers(pod)))
    skipped = skipped_init(pod, names)
    if not skipped:
        return
    dropped = [c for c in init_containers(pod) if c["name"] in skipped]
    pod["spec"]["initContainers"] = [c for c in init_containers(pod) if c not in dropped]
    for name in names_of(dropped):
        yield Edit(f"init container {name}", "omitted, as asked; the app may need what it does")


def skipped_init(pod: Json, names: frozenset[str]) -> frozenset[str]:
    """Return the names of the init containers that are omitted."""
    return (names - {ALL}) | frozenset(names_of(plain_init(pod)) if ALL in names else ())


def plain_init(pod: Json) -> list[Json]:
    """Return the init containers that end before the next one starts."""
    return [c for c in init_containers(pod) if not is_native_sidecar(c)]


def set_images(pod: Json, *, images: Mapping[str, str]) -> Iterator[Edit]:
    """Set the images that the user names; ``*`` is every container, a name wins over it.

    Raises InvalidRequest if there is no container of that name.
    """
    there = all_containers(pod)
    given_names.require_names("container", images.keys() - {EVERY_CONTAINER}, names_of(there))
    for container in there:
        image = images.get(container["name"], images.get(EVERY_CONTAINER))
        if image is not None and image != container.get("image"):
            container["image"] = image
            yield Edit(f"{container['name']}.image", f"{image}, as asked")


def add_pull_secrets(pod: Json, *, secrets: tuple[str, ...]) -> Iterator[Edit]:
    """Add secrets by which the toolkit image is pulled."""
    found = pod["spec"].get("imagePullSecrets") or []
    new = [name for name in dict.fromkeys(secrets) if find(found, name) is None]
    if new:
        pod["spec"]["imagePullSecrets"] = [*found, *({"name": name} for name in new)]
        yield Edit("spec.imagePullSecrets", f"with {', '.join(new)}, as asked")


def drop_resources(pod: Json) -> Iterator[Edit]:
    """Drop every request and limit, and the claims of devices."""
    dropped = [c["name"] for c in all_containers(pod) if c.pop("resources", None)]
    if dropped:
        yield Edit("resources", f"none for {', '.join(dropped)}, as asked")
    for field in ("resources", "resourceClaims"):
        if pod["spec"].pop(field, None):
            yield Edit(f"spec.{field}", "none, as asked")


def drop_probes(pod: Json, *, target: str, hold_all: bool = False) -> Iterator[Edit]:
    """Drop the probes: they would restart a container during the session.

    What starts after a native sidecar waits for its startupProbe, so it stays: but not that of the
    target, and of none that idles.
    """
    for container in all_containers(pod):
        name = container["name"]
        gates = find(init_containers(pod), name) is not None and is_native_sidecar(container)
        for probe in PROBES:
            if probe not in container:
                continue
            if probe == STARTUP and gates and name != target and not hold_all:
                _number_port(container, container[probe])
                yield Edit(f"{name}.{probe}", "kept: what starts after this sidecar waits for it")
            elif container.pop(probe) is not None:
                yield Edit(f"{name}.{probe}", "it could restart the container during the session")


def _number_port(container: Json, probe: Json | None) -> None:
    """Replace a port's name by its number: in the host's network the list of ports goes."""
    for how in ("httpGet", "tcpSocket"):
        action = (probe or {}).get(how) or {}
        port = find(container.get("ports") or [], str(action.get("port")))
        if port is not None and "containerPort" in port:
            action["port"] = port["containerPort"]


def drop_stop_hooks(pod: Json) -> Iterator[Edit]:
    """Drop preStop hooks: they would run when the copy is deleted."""
    for container in all_containers(pod):
        lifecycle = container.get("lifecycle") or {}
        if lifecycle.pop("preStop", None) is not None:
            reason = "it would run when the copy is deleted"
            yield Edit(f"{container['name']}.lifecycle.preStop", reason)
        if not lifecycle:
            container.pop("lifecycle", None)


def drop_host_ports(pod: Json) -> Iterator[Edit | Finding]:
    """Drop host ports: the source uses them.

    In the host's network a container port is a host port by default, so the list goes.
    """
    host_network = pod["spec"].get("hostNetwork")
    for container in all_containers(pod):
        ports = container.get("ports") or []
        if host_network and ports:
            _number_port(container, (container.get("lifecycle") or {}).get("postStart"))
            del container["ports"]
            yield Edit(f"{container['name']}.ports", "the source uses these ports of the node")
        elif any("hostPort" in port for port in ports):
            for port in ports:
                port.pop("hostPort", None)
                port.pop("hostIP", None)
            yield Edit(f"{container['name']}.hostPort", "the source uses this port of the node")
    if host_network:
        text = "hostNetwork: the app cannot listen on ports that the source uses"
        yield Finding(Level.WARNING, text)


def starting_containers(pod: Json, held: str | None, hold_all: bool) -> list[Json]:
    """Return the containers that start as in the source; ``hold_all`` leaves none."""
    if held is None:
        return all_containers(pod)
    return [] if hold_all else [c for c in reached_containers(pod, held) if c["name"] != held]


def reached_containers(pod: Json, held: str | None) -> list[Json]:
    """Return the containers that start at all, if only to idle.

    What comes after a held init container does not start.
    """
    holder = find(plain_init(pod), held or "")
    if holder is None:
        return all_containers(pod)
    return init_containers(pod)[: init_containers(pod).index(holder) + 1]


def tell_what_runs_again(
    pod: Json,
    *,
    target: str,
    held: str | None = None,
    hold_all: bool = False,
    read_only: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """Report what has an effect a second time, beside the target container.

    ``read_only`` names, by container, the volumes that are read-only in the copy alone.
    """
    starts = starting_containers(pod, held, hold_all)
    again = [name for name in names_of(plain_init(pod)) if name in names_of(starts)]
    if again:
        text = f"init containers run again in the copy: {', '.join(again)}"
        for name in again:
            if read_only.get(name):
                which = remedies.volume_words(read_only[name])
                text += f"; {name} writes to {which}, read-only in the copy"
        yield Finding(Level.WARNING, f"{text}; use --skip-init NAME to omit one")
    hooks = [c["name"] for c in starts if (c.get("lifecycle") or {}).get("postStart")]
    if hooks:
        yield Finding(Level.WARNING, f"postStart hooks run again in the copy: {', '.join(hooks)}")
    others = [name for name in names_of(starts) if name != target and name not in again]
    if others:
        yield _beside(", ".join(others), held is not None)


def _beside(others: str, held: bool) -> Finding:
    """Say what starts beside the target: a held target may look as if nothing did."""
    text = f"other containers also start: {others}"
    if held:
        return Finding(Level.INFO, f"{text}; use --hold-all to hold them")
    return Finding(Level.DETAIL, text)


def tell_devices(pod: Json) -> Iterator[Finding]:
    """Report the devices that the copy requests in addition to the source's.

    An extended resource is one with a domain that is not Kubernetes' own.
    """
    taken = {name: None for c in all_containers(pod) for name in _resource_names(c)}
    devices = [name for name in taken if "/" in name and "kubernetes.io/" not in name]
    devices += [f"claim {c['name']}" for c in pod["spec"].get("resourceClaims") or []]
    if devices:
        text = f"the copy also requests the devices of the source: {', '.join(devices)}"
        yield Finding(Level.WARNING, f"{text}; use --resources none to copy without them")


def _resource_names(container: Json) -> list[str]:
    resources = container.get("resources") or {}
    return [*(resources.get("limits") or {}), *(resources.get("requests") or {})]
