"""What helps a copy that does not start, read out of what the cluster says of it.

The texts are those of kubernetes/kubernetes, pkg/scheduler/framework/plugins, pkg/kubelet and
pkg/volume; there are no codes for them. A text that is not known has no remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubectl_scratch.kube.objects import Json, all_containers, find, name, names_of, volumes

ARCH_HINT = "--arch says what the node runs"
MISSING = re.compile(r'\b(secret|configmap) "([^"]+)" not found')
MISSING_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)")
NO_SUCH_KEY = re.compile(r"non-existent (?:config|secret) key: (\S+)")
QUOTED = re.compile(r'"([^"]+)"|\[([^\]]*)\]')
# Of a scheduler that lacks something that only a request asks for, and of one that lacks a volume.
LACKS_RESOURCES = ("Insufficient ", "resourceclaim", "allocate all claims")
LACKS_VOLUME = (
    "persistentvolumeclaim", "persistent volumes to bind", "volume node affinity", "volume count",
    "volume zone", "pvc(s)", "enough free storage",
)  # fmt: skip
# Nodes that the pod may not go to, where there are others.
OTHER_NODES = re.compile(r"^0/(?!1 ).*didn't match Pod's node affinity")
# What LimitRanger writes into a pod to which it gave resources: without, it would give them again.
LIMIT_RANGER = "kubernetes.io/limit-ranger"


def read_only_remedy(names: Sequence[str]) -> str:
    """Return what to do about volumes that are read-only in the copy alone."""
    flags = " ".join(f"--writable {name}" for name in names)
    return (
        f"{are_read_only(names)} in the copy, {flags} lets it write (it then writes to production)"
    )


def are_read_only(names: Sequence[str]) -> str:
    """Return volumes and what they are."""
    one = len(names) == 1
    return f"volume{'' if one else 's'} {', '.join(names)} {'is' if one else 'are'} read-only"


def skip_remedy(names: list[str]) -> str:
    """Return how to copy without volumes."""
    if not names:
        return ""
    if len(names) == 1:
        return f"use --skip-volume {names[0]} to copy without it"
    return f"use --skip-volume NAME to copy without one: {', '.join(names)}"


def scheduling_remedy(pod: Json, message: str) -> str:
    """Return what helps a copy that no node takes."""
    ways = []
    if any(text in message for text in LACKS_RESOURCES) and _asks_for_resources(pod):
        ways.append("use --resources none to copy without requests")
    if any(text in message.lower() for text in LACKS_VOLUME):
        ways.append(skip_remedy(_claiming(pod, message)))
    elif OTHER_NODES.search(message) and _is_tied(pod):
        claiming = [v["name"] for v in volumes(pod) if "persistentVolumeClaim" in v]
        ways.append(skip_remedy(claiming))
    return "; ".join(filter(None, ways))


def mount_remedy(pod: Json, message: str) -> str:
    """Return what helps a copy that does not get its volumes."""
    quoted = {word for found in QUOTED.findall(message) for word in " ".join(found).split()}
    named = [n for n in names_of(volumes(pod)) if n in quoted]
    # A claim's volume is told by the name of what it is bound to.
    there = named or [v["name"] for v in volumes(pod) if "persistentVolumeClaim" in v]
    sources = [v for v in volumes(pod) if v["name"] in named]
    if any((v.get("configMap") or {}).get("name") == name(pod) for v in sources):
        # It is ours, and on its way.
        return ""
    created = [f"create {kind} {missing}" for kind, missing in MISSING.findall(message)]
    keys = [f"add key {key} to {_source_of(sources)}" for key in NO_SUCH_KEY.findall(message)]
    return ", or ".join(filter(None, (" and ".join([*created, *keys]), skip_remedy(there))))


def configuration_remedy(pod: Json, container: str, message: str) -> str:
    """Return what helps a container whose configuration is wrong."""
    for kind, missing in MISSING.findall(message):
        return f"create {kind} {missing}{_for_variables(pod, container, kind, missing)}"
    for key, kind, missing in MISSING_KEY.findall(message):
        for_what = _for_variables(pod, container, kind.lower(), missing, key)
        return f"add key {key} to {kind.lower()} {missing}{for_what}"
    mount = re.search(r'subPath for volumeMount "([^"]+)"', message)
    if mount:
        return skip_remedy([mount[1]])
    return ""


def _asks_for_resources(pod: Json) -> bool:
    if LIMIT_RANGER in (pod["metadata"].get("annotations") or {}):
        return False
    asked = [pod["spec"], *all_containers(pod)]
    return bool(pod["spec"].get("resourceClaims")) or any(each.get("resources") for each in asked)


def _is_tied(pod: Json) -> bool:
    """Say whether the pod must go to one node by its name, as where its volumes are attached."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    return any(term.get("matchFields") for term in required.get("nodeSelectorTerms") or [])


def _claiming(pod: Json, message: str) -> list[str]:
    """Return the volumes that a claim is behind: those of the claims that are named, if any is.

    A generic ephemeral volume has one of its own, which is new: it comes first.
    """
    fresh = {v["name"]: f"{name(pod)}-{v['name']}" for v in volumes(pod) if "ephemeral" in v}
    claims = {
        v["name"]: v["persistentVolumeClaim"].get("claimName")
        for v in volumes(pod)
        if "persistentVolumeClaim" in v
    }
    # Where it is bound to is told of a volume that is there.
    those = claims if "affinity" in message and claims else {**fresh, **claims}
    named = [volume for volume, claim in those.items() if f'"{claim}"' in message]
    return named or list(those)


def _source_of(found: list[Json]) -> str:
    for volume in found:
        if "configMap" in volume:
            return f"configmap {volume['configMap'].get('name')}"
        if "secret" in volume:
            return f"secret {volume['secret'].get('secretName')}"
    return "what the volume is made of"


def _for_variables(pod: Json, container: str, kind: str, source: str, key: str = "") -> str:
    """Say which variables come from a Secret or a ConfigMap, or from one key of it."""
    found = find(all_containers(pod), container) or {}
    variables = list(_variables(found, "secret" if kind == "secret" else "configMap", source, key))
    if variables:
        return f": variable {', '.join(variables)} comes from it"
    return ": variables come from it" if found.get("envFrom") else ""


def _variables(container: Json, kind: str, source: str, key: str) -> Iterator[str]:
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get(f"{kind}KeyRef") or {}
        if reference.get("name") == source and key in ("", reference.get("key")):
            of_key = "" if key else f" (key {reference.get('key')})"
            yield f"{variable['name']}{of_key}"
