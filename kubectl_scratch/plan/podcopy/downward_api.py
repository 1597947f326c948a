"""The downward API: what the app reads of its own pod is the source's, in the copy as well.

The kubelet takes these values from the pod in which the container runs (pkg/fieldpath,
pkg/kubelet/kubelet_pods.go and pkg/volume/downwardapi of kubernetes/kubernetes), and the copy has
other labels and annotations, and another name. So the source's are put in: into a variable as its
value, into a file through an annotation of ours.

What says where a pod is, its addresses, node and UID, stays the copy's own: the source's address
cannot be bound in the copy, and no traffic may be sent to the copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    annotations_of,
    find,
    has_ended,
    labels_of,
    names_of,
    volumes,
)
from kubectl_scratch.kube.quantities import quantity
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.labels import CONTROLLERS_OWN
from kubectl_scratch.plan.metadata import DOWNWARD_ANNOTATION
from kubectl_scratch.plan.podcopy import annotations as notes
from kubectl_scratch.plan.podcopy import container_edits

NAME, UID = "metadata.name", "metadata.uid"
LABELS, ANNOTATIONS = "metadata.labels", "metadata.annotations"
# Of the copy itself, in every copy, and those that differ on another node.
_ADDRESSES = (UID, "status.podIP", "status.podIPs")
OF_THE_NODE = ("spec.host", "spec.nodeName", "status.hostIP", "status.hostIPs")

# The API server's limit for all annotations of an object (TotalAnnotationSizeLimitB), less what
# is added later.
ANNOTATIONS_FIT = 256 * 1024 - 8 * 1024

# The kubelet's own, which no API server knows.
KUBELETS = ("kubernetes.io/config.seen", "kubernetes.io/config.source")

_SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]", re.DOTALL)
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_ESCAPES = {
    **{'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f"},
    **{"\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"},
}


def bring_values(
    pod: Json,
    *,
    source: Json,
    marks: Mapping[str, str],
    held: str | None,
    hold_all: bool,
    source_runs: bool = False,
) -> Iterator[Edit | Finding]:
    """Put in what the source's app reads of its pod, and say what is the copy's own.

    The name is an identity: two that run and elect a leader, or share a folder, must not have
    the same. So what may run beside the source's has the copy's own name, and what idles the
    source's, unless ``source_runs``, which says that the source's target does: run-app starts a
    second one.
    """
    own_everywhere = held is None or source_runs
    running = _running(pod, held, hold_all)
    reading = _Reading(source, pod, {}, [], [])
    for container in all_containers(pod):
        owns_name = own_everywhere or container["name"] in running
        yield from _bring_env(container, reading, owns_name)
    for volume in volumes(pod):
        owns_name = own_everywhere or _is_mounted(pod, volume["name"], running)
        yield from _bring_files(volume, reading, owns_name, marks)
    yield from reading.findings()


class _Reading(NamedTuple):
    """What a copy reads of itself.

    Notes what stays its own, by path, what is unknown, and what has the source's name.
    """

    source: Json
    pod: Json
    own: dict[str, list[str]]
    unknown: list[str]
    named: list[str]

    def field(self, path: str, owns_name: bool, place: str) -> str | None:
        """Return the source's value of a fieldRef path; None if the copy keeps its own."""
        found = _SUBSCRIPT.fullmatch(path)
        if self._is_own(path, owns_name):
            self.own.setdefault(path, []).append(place)
            return None
        if path == NAME:
            self.named.append(place)
        if found is None:
            return value_of(self.source, path) if path in (LABELS, ANNOTATIONS, NAME) else None
        if found[2] in KUBELETS and found[2] not in annotations_of(self.source):
            return None
        value = value_of(self.source, path)
        if not value and found[2] in CONTROLLERS_OWN and not is_of_a_pod(self.source):
            self.unknown.append(place)
        return value

    def resource(self, container: Json, reference: Json) -> str | None:
        """Return the source's value of a resourceFieldRef; None if the copy has the same."""
        named = reference.get("containerName") or container["name"]
        there, was = (find(all_containers(p), named) for p in (self.pod, self.source))
        kept = self.pod["spec"].get("resources") == self.source["spec"].get("resources")
        if there and was and kept and there.get("resources") == was.get("resources"):
            return None
        value = resource_of(self.source, container, reference)
        if value is None and there is None:
            # The kubelet starts no container that asks for one that is not there.
            return "0"
        return value

    def findings(self) -> Iterator[Finding]:
        """Say what was noted."""
        of_node = [place for path in OF_THE_NODE for place in self.own.get(path, [])]
        own = {path: places for path, places in self.own.items() if path not in OF_THE_NODE}
        if own:
            told = "; ".join(f"{path} in {', '.join(places)}" for path, places in own.items())
            yield Finding(Level.INFO, f"the copy has its own identity, not the source's: {told}")
        if self.named and not has_ended(self.source):
            text = f"{', '.join(self.named)} has the source's name ({NAME}): if the source starts"
            yield Finding(Level.INFO, f"{text} again, an app that run-app starts has the same name")
        if of_node:
            text = "these give the copy's node, which may differ from the source's"
            yield Finding(Level.DETAIL, f"{text}: {', '.join(of_node)}")
        if self.unknown:
            text = "a controller sets these when it creates the pod, so they are empty in the copy"
            yield Finding(Level.WARNING, f"{text}: {', '.join(self.unknown)}")

    def _is_own(self, path: str, owns_name: bool) -> bool:
        found = _SUBSCRIPT.fullmatch(path)
        if found is not None:
            return found[1] == ANNOTATIONS and found[2].startswith(notes.OF_ADDRESSES)
        if path == NAME:
            return owns_name or not is_of_a_pod(self.source)
        # A pod with additional networks reads there which addresses it got in them.
        networks = path == ANNOTATIONS and notes.NETWORKS in annotations_of(self.source)
        return networks or path in _ADDRESSES or path in OF_THE_NODE


def value_of(source: Json, path: str) -> str | None:
    """Return what a fieldRef path gives in the source; None if that is unknown."""
    metadata, spec, status = source["metadata"], source["spec"], source.get("status") or {}
    found = _SUBSCRIPT.fullmatch(path)
    if found is not None:
        values = labels_of(source) if found[1] == LABELS else annotations_of(source)
        return values.get(found[2], "")
    readers: dict[str, Callable[[], str | None]] = {
        LABELS: lambda: format_map(labels_of(source)),
        ANNOTATIONS: lambda: format_map(_annotations_seen(source)),
        # A template has the name of its workload.
        NAME: lambda: metadata.get("name") if is_of_a_pod(source) else None,
        "metadata.namespace": lambda: metadata.get("namespace"),
        UID: lambda: metadata.get("uid"),
        "spec.nodeName": lambda: spec.get("nodeName"),
        # Its name in old manifests.
        "spec.host": lambda: spec.get("nodeName"),
        "spec.serviceAccountName": lambda: spec.get("serviceAccountName"),
        "status.hostIP": lambda: status.get("hostIP"),
        "status.hostIPs": lambda: _addresses(status, "hostIP"),
        "status.podIP": lambda: status.get("podIP"),
        "status.podIPs": lambda: _addresses(status, "podIP"),
    }
    return readers[path]() or None if path in readers else None


def is_of_a_pod(source: Json) -> bool:
    """Say whether the source is a pod of the cluster, and not one made from a template."""
    return bool(source["metadata"].get("uid"))


def resource_of(source: Json, container: Json, reference: Json) -> str | None:
    """Return what a resourceFieldRef in ``container`` gives in the source.

    None if it is the node's to say, which is so for a limit that is not set.
    """
    named = reference.get("containerName") or container["name"]
    of = find(all_containers(source), named)
    kind, _, name = str(reference.get("resource")).partition(".")
    if of is None or kind not in ("limits", "requests"):
        return None
    given = of.get("resources") or {}
    limit = (given.get("limits") or {}).get(name)
    amount = limit if kind == "limits" else (given.get("requests") or {}).get(name, limit)
    if kind == "limits" and amount is None:
        # The kubelet takes the pod's then, before the node's.
        amount = ((source["spec"].get("resources") or {}).get("limits") or {}).get(name)
    if amount is None:
        return None
    scale = 1000 if name == "cpu" else 1
    number, unit = quantity(amount), quantity(reference.get("divisor") or "0")
    if number is None or unit is None:
        return None
    value, divisor = _ceiling(number * scale), _ceiling((unit or 1) * scale)
    return str(_ceiling(Fraction(value, divisor))) if value and divisor else None


def environment(source: Json, container: Json) -> dict[str, str | None]:
    """Return the variables of a container of the source by name, as far as its pod says them.

    What a ConfigMap, a Secret, a file or the node says is None; of ``envFrom`` and the Services
    even the names are unknown.
    """
    known: dict[str, str | None] = {}
    for item in container.get("env") or []:
        origin = item.get("valueFrom") or {}
        value: str | None = None
        if item.get("value") or not origin:
            value = expand(str(item.get("value") or ""), known)
        elif "fieldRef" in origin:
            value = value_of(source, str(origin["fieldRef"].get("fieldPath")))
        elif "resourceFieldRef" in origin:
            value = resource_of(source, container, origin["resourceFieldRef"])
        known[item["name"]] = value
    return known


def expand(text: str, known: Mapping[str, str | None]) -> str | None:
    """Expand $(NAME) as the kubelet does, and $$ to $; None if a value is unknown."""
    names = [found[1] for found in _REFERENCE.finditer(text) if found[1] is not None]
    if any(known.get(name) is None for name in names):
        return None
    return _REFERENCE.sub(lambda m: "$" if m[1] is None else str(known[m[1]]), text)


def format_map(values: Mapping[str, str]) -> str:
    """Return labels or annotations as the kubelet writes them into a file (FormatMap)."""
    return "\n".join(f'{key}="{quoted(values[key])}"' for key in sorted(values))


def quoted(text: str) -> str:
    """Return what Go's strconv.Quote puts between its quotation marks."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _ceiling(number: Fraction | int) -> int:
    return -(-number.numerator // number.denominator)


def _addresses(status: Json, one: str) -> str | None:
    several = [each.get("ip") or "" for each in status.get(f"{one}s") or []]
    return ",".join(several) or status.get(one)


def _annotations_seen(source: Json) -> dict[str, str]:
    """Return the annotations that the source's kubelet knows, without those of its addresses."""
    found = annotations_of(source)
    kept = {key: value for key, value in found.items() if not key.startswith(notes.OF_ADDRESSES)}
    return {KUBELETS[1]: "api", **kept}


def _running(pod: Json, held: str | None, hold_all: bool) -> set[str]:
    """Return the containers that run beside the source's for as long as the copy is there."""
    starting = names_of(container_edits.starting_containers(pod, held, hold_all))
    return set(starting) - set(names_of(container_edits.plain_init(pod)))


def _is_mounted(pod: Json, volume: str, containers: Collection[str]) -> bool:
    there = (c for c in all_containers(pod) if c["name"] in containers)
    return any(m["name"] == volume for c in there for m in c.get("volumeMounts") or [])


def _bring_env(container: Json, reading: _Reading, owns_name: bool) -> Iterator[Edit]:
    brought = []
    env = container.get("env") or []
    for place, item in enumerate(env):
        origin = item.get("valueFrom") or {}
        what, value = "", None
        if "fieldRef" in origin:
            what = str(origin["fieldRef"].get("fieldPath"))
            value = reading.field(what, owns_name, f"{container['name']}:{item['name']}")
        elif "resourceFieldRef" in origin:
            what = str(origin["resourceFieldRef"].get("resource"))
            value = reading.resource(container, origin["resourceFieldRef"])
        if value is not None:
            # Of $$ the kubelet makes $, and of $(NAME) a value, in what is given literally.
            literal = {k: v for k, v in item.items() if k != "valueFrom"}
            env[place] = {**literal, "value": value.replace("$", "$$")}
            brought.append(f"{item['name']} ({what})")
    if brought:
        yield Edit(f"{container['name']}.env", f"the source's values: {', '.join(brought)}")


def _bring_files(
    volume: Json, reading: _Reading, owns_name: bool, marks: Mapping[str, str]
) -> Iterator[Edit | Finding]:
    brought, too_large = [], []
    for item in _files(volume):
        what, value = "", None
        if "fieldRef" in item:
            what = str(item["fieldRef"].get("fieldPath"))
            place = f"file {item.get('path')} of volume {volume['name']}"
            value = reading.field(what, owns_name, place)
        elif "resourceFieldRef" in item:
            what = str(item["resourceFieldRef"].get("resource"))
            value = reading.resource({"name": ""}, item["resourceFieldRef"])
        if value is None:
            continue
        key = _carrier(reading.pod, marks, value)
        if key is None:
            too_large.append(str(item.get("path")))
            continue
        item.pop("resourceFieldRef", None)
        reference = item.get("fieldRef") or {"apiVersion": "v1"}
        item["fieldRef"] = {**reference, "fieldPath": f"{ANNOTATIONS}['{key}']"}
        brought.append(f"{item.get('path')} ({what})")
    if brought:
        reason = "the source's values, through annotations of the copy"
        yield Edit(f"volume {volume['name']}", f"{reason}: {', '.join(brought)}")
    if too_large:
        text = f"volume {volume['name']} has the copy's own values, not the source's, in"
        limit = "the source's are too large for the copy's annotations"
        yield Finding(Level.WARNING, f"{text} {', '.join(too_large)}: {limit}")


def _files(volume: Json) -> list[Json]:
    """Return the items of the volume that the downward API fills."""
    sources = (volume.get("projected") or {}).get("sources") or []
    given = [volume.get("downwardAPI"), *(each.get("downwardAPI") for each in sources)]
    return [item for each in given if each for item in each.get("items") or []]


def _carrier(pod: Json, marks: Mapping[str, str], value: str) -> str | None:
    """Return the annotation of the copy that has this value; None if it cannot have one more."""
    there: dict[str, str] = pod["metadata"]["annotations"]
    ours = {key: text for key, text in there.items() if key.startswith(DOWNWARD_ANNOTATION)}
    known = next((key for key, text in ours.items() if text == value), None)
    if known is not None:
        return known
    key = f"{DOWNWARD_ANNOTATION}{len(ours) + 1}"
    all_of_them = {**there, **marks, key: value}
    size = sum(len(k.encode()) + len(v.encode()) for k, v in all_of_them.items())
    if size > ANNOTATIONS_FIT:
        return None
    there[key] = value
    return key
