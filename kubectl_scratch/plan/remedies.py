"""Hints for a copy that does not start, found in what the cluster says about it.

The texts are those of kubernetes/kubernetes, pkg/scheduler/framework/plugins, pkg/kubelet and
pkg/volume; there are no codes for them. An unknown text has no remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubectl_scratch.kube.objects import (
    REQUIRED_AFFINITY,
    Json,
    all_containers,
    find,
    name,
    names_of,
    volumes,
)

ARCH_HINT = "use --arch to set the node's architecture"
MISSING = re.compile(r'\b(secret|configmap) "([^"]+)" not found')
MISSING_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)")
NO_SUCH_KEY = re.compile(r"non-existent (?:config|secret) key: (\S+)")
QUOTED = re.compile(r'"([^"]+)"|\[([^\]]*)\]')
# What the scheduler says if a request cannot be met, and if a volume is missing.
LACKS_RESOURCES = ("Insufficient ", "resourceclaim", "allocate all claims")
LACKS_VOLUME = (
    "persistentvolumeclaim", "persistent volumes to bind", "volume node affinity", "volume count",
    "volume zone", "pvc(s)", "enough free storage",
)  # fmt: skip
# Nodes that the pod cannot go to, if there are others.
OTHER_NODES = re.compile(r"^0/(?!1 ).*didn't match Pod's node affinity")
# What LimitRanger writes into a pod to which it gave resources: it would give them again.
LIMIT_RANGER = "kubernetes.io/limit-ranger"


def read_only_remedy(names: Sequence[str]) -> str:
    """Return what to do about volumes that a container cannot write in the copy alone."""
    flags = " ".join(f"--writable {name}" for name in names)
    which = f"{volume_words(names)}, read-only in the copy or omitted from it"
    return f"use {flags} to let it write to {which} (it then writes to production)"


def are_read_only(names: Sequence[str]) -> str:
    """Return volumes and what they are."""
    return f"{volume_words(names)} {'is' if len(names) == 1 else 'are'} read-only"


def volume_words(names: Sequence[str]) -> str:
    """Return volumes by their names, as words of a message."""
    return f"volume{'' if len(names) == 1 else 's'} {', '.join(names)}"


def skip_remedy(names: list[str]) -> str:
    """Return how to copy without volumes."""
    if not names:
        return ""
    if len(names) == 1:
        return f"use --skip-volume {names[0]} to copy without it"
    return f"use --skip-volume NAME to copy without one: {', '.join(names)}"


def scheduling_remedy(pod: Json, message: str) -> str:
    """Return hints for a copy that no node can take."""
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
    """Return hints for a copy whose volumes cannot be mounted."""
    quoted = {word for found in QUOTED.findall(message) for word in " ".join(found).split()}
    named = [n for n in names_of(volumes(pod)) if n in quoted]
    # A claim's volume is named by what it is bound to.
    there = named or [v["name"] for v in volumes(pod) if "persistentVolumeClaim" in v]
    sources = [v for v in volumes(pod) if v["name"] in named]
    if any((v.get("configMap") or {}).get("name") == name(pod) for v in sources):
        # It is ours, and on its way.
        return ""
    created = [f"create {kind} {missing}" for kind, missing in MISSING.findall(message)]
    keys = [f"add key {key} to {_source_of(sources)}" for key in NO_SUCH_KEY.findall(message)]
    return ", or ".join(filter(None, (" and ".join([*created, *keys]), skip_remedy(there))))


def configuration_remedy(pod: Json, container: str, message: str) -> str:
    """Return hints for a container whose configuration is wrong."""
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
    """Say whether the pod must go to one node by its name, as if its volumes are attached there."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(REQUIRED_AFFINITY) or {}
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
    # Only an existing volume has an affinity.
    those = claims if "affinity" in message and claims else {**fresh, **claims}
    named = [volume for volume, claim in those.items() if f'"{claim}"' in message]
    return named or list(those)


def _source_of(found: list[Json]) -> str:
    for volume in found:
        if "configMap" in volume:
            return f"configmap {volume['configMap'].get('name')}"
        if "secret" in volume:
            return f"secret {volume['secret'].get('secretName')}"
    return "the source of the volume"


def _for_variables(pod: Json, container: str, kind: str, source: str, key: str = "") -> str:
    """Say which variables come from a Secret or a ConfigMap, or from one key of it."""
    found = find(all_containers(pod), container) or {}
    variables = list(_variables(found, "secret" if kind == "secret" else "configMap", source, key))
    if variables:
        return f", which sets variable {', '.join(variables)}"
    return ", which sets variables" if found.get("envFrom") else ""


def _variables(container: Json, kind: str, source: str, key: str) -> Iterator[str]:
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get(f"{kind}KeyRef") or {}
        if reference.get("name") == source and key in ("", reference.get("key")):
            of_key = "" if key else f" (key {reference.get('key')})"
            yield f"{variable['name']}{of_key}"
