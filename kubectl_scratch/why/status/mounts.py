"""Volumes that cannot be mounted, and subPaths that do not fit.

The texts are those of kubernetes/kubernetes, pkg/kubelet and pkg/volume, and of runc.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, find, innermost, volumes
from kubectl_scratch.plan.remedies import MISSING, NO_SUCH_KEY
from kubectl_scratch.why.config_use import CONFIG_MAP, SECRET
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change, for_pod
from kubectl_scratch.why.status.config import key_words, known_keys, near_keys
from kubectl_scratch.why.status.subjects import SEEN, Subject, subjects
from kubectl_scratch.why.status.told import event_line, flat, mount_complaints

_SET_UP = re.compile(
    r'(?:MountVolume|AttachVolume|MapVolume)\.\S+ failed for volume "([^"]+)" ?: ?'
)
_UNMOUNTED = re.compile(r"unmounted volumes=\[([^\]]*)\]")
_MULTI = re.compile(r'Multi-Attach error for volume "([^"]+)"')
_DRIVER = re.compile(r"driver name (\S+) not found in the list of registered CSI drivers")
_TYPE = re.compile(r"hostPath type check failed: (\S+) (is not .*|.*)")
_SUB_PATH = re.compile(
    r'(?:failed to prepare subPath|failed to create subPath directory) for volumeMount "([^"]+)"'
)
_NO_VALUE = re.compile(r"^missing value for (\S+)")
_ON_ROOT = re.compile(r'error mounting "[^"]*" to rootfs at "([^"]*)"')
_FILE_OR_FOLDER = ("not a directory", "directory onto a file")


def mount_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the volumes that the pod waits for, and the mounts that cannot be made."""
    complaints = [e for e in mount_complaints(facts) if not _is_of_config(e)]
    # "timed out" says nothing if another says why.
    telling = [e for e in complaints if not _UNMOUNTED.search(str(e.get("message")))]
    for event in (telling or complaints)[:2]:
        yield _volume(facts, event)
    for subject in subjects(facts):
        if subject.reason == "CreateContainerConfigError":
            yield from _sub_path(facts, subject)
        yield from _on_root(facts, subject)
        yield from _no_such_key(facts, subject)


def _is_of_config(event: Json) -> bool:
    message = str(event.get("message", ""))
    return bool(MISSING.search(message) or NO_SUCH_KEY.search(message))


def _volume(facts: ClusterFacts, event: Json) -> Cause:
    message = " ".join(str(event.get("message", "")).split())
    named = _SET_UP.search(message)
    volume = named[1] if named else ""
    said = message[named.end() :] if named else message
    for pattern, explain in ((_MULTI, _attached), (_DRIVER, _no_driver), (_TYPE, _no_path)):
        match = pattern.search(message)
        if match:
            sentence, remedy = explain(facts, volume or match[1], match)
            return Cause("volume-mount", sentence, (event_line(event),), remedy, 90)
    unmounted = _UNMOUNTED.search(message)
    if unmounted and not volume:
        volume = unmounted[1]
    output = said.partition("Output: ")[2]
    evidence = f"event {event.get('reason', '')}: {flat(output or said)}"
    sentence = f"the node cannot mount volume {volume}{_source(facts, volume)}"
    return Cause("volume-mount", sentence, (evidence,), _mount_remedy(facts, said), 80)


def _attached(facts: ClusterFacts, volume: str, match: re.Match[str]) -> tuple[str, str]:
    users = re.search(r"used by pod\(s\) (.*)$", match.string)
    by = f" by pod {users[1]}" if users else ""
    return (
        f"volume {volume} is still attached to another node{by}, and it can be attached to one"
        f" node only",
        "delete the pod on the other node, or wait about six minutes if that node no longer exists",
    )


def _no_driver(facts: ClusterFacts, volume: str, match: re.Match[str]) -> tuple[str, str]:
    node = facts.pod["spec"].get("nodeName") or "the node"
    return (
        f"volume {volume} needs CSI driver {match[1]}, which is not on {node}",
        f"install the driver, or check that its pod is running on {node}: kubectl get csinode"
        f" {node}",
    )


def _no_path(facts: ClusterFacts, volume: str, match: re.Match[str]) -> tuple[str, str]:
    node = facts.pod["spec"].get("nodeName") or "the node"
    kind = ((find(volumes(facts.pod), volume) or {}).get("hostPath") or {}).get("type") or ""
    make = " or set type: DirectoryOrCreate," if kind == "Directory" else ""
    what = f"create the path on the node,{make} or correct the path of volume {volume}"
    return (
        f"path {match[1]} of {node} {match[2]}, as volume {volume} requires (hostPath type {kind})",
        change(facts.pod, what),
    )


def _source(facts: ClusterFacts, volume: str) -> str:
    """Return what a volume is, in brackets."""
    found = find(volumes(facts.pod), volume) or {}
    kinds = [key for key in found if key != "name"]
    return f" ({kinds[0]})" if kinds else ""


def _mount_remedy(facts: ClusterFacts, said: str) -> str:
    node = facts.pod["spec"].get("nodeName") or "the node"
    if "unknown filesystem type" in said or "you might need a /sbin/mount." in said:
        return f"install the programs for this file system on {node} (for NFS: nfs-common)"
    if "access denied by server" in said or "Permission denied" in said:
        return f"configure the server to export the volume to {node}"
    if "timed out" in said or "Connection refused" in said or "No route to host" in said:
        return f"check that {node} can reach the volume's server"
    return f"see {for_pod(facts.pod, 'describe', 'pod', facts.pod['metadata']['name'])}"


def _sub_path(facts: ClusterFacts, subject: Subject) -> Iterator[Cause]:
    said = f"{subject.words}: {subject.reason}: {flat(subject.message)}"
    variable = _NO_VALUE.search(subject.message)
    if variable:
        sentence = f"a subPathExpr of {subject.words} uses variable {variable[1]}, which is not set"
        remedy = change(facts.pod, f"set {variable[1]} in env of {subject.words}")
        yield Cause("sub-path", sentence, (said,), remedy, subject.weigh(93))
    failed = _SUB_PATH.search(subject.message)
    if failed:
        mount = find(subject.container.get("volumeMounts") or [], failed[1]) or {}
        path = mount.get("subPath") or mount.get("subPathExpr") or ""
        sentence = f"subPath {path} of volume {failed[1]} does not exist and cannot be created"
        remedy = change(
            facts.pod, "set subPath to an existing path in the volume, or remove subPath"
        )
        yield Cause("sub-path", sentence, (said,), remedy, subject.weigh(92))


def _on_root(facts: ClusterFacts, subject: Subject) -> Iterator[Cause]:
    """Yield mounts that the runtime refuses: a folder on a file, or the other way round."""
    message = str(subject.ended.get("message") or subject.message)
    match = _ON_ROOT.search(message)
    if not match or subject.runs:
        return
    mounts = subject.container.get("volumeMounts") or []
    mount: Json = next((m for m in mounts if str(m.get("mountPath")) == match[1]), {})
    sub_path, volume = mount.get("subPath"), mount.get("name", "")
    said = f"mount at {match[1]}: {flat(innermost(message).rpartition(': ')[2])}"
    kind = "sub-path" if sub_path else "volume-mount"
    sentence = f"volume {volume} cannot be mounted at {match[1]} of {subject.words}"
    remedy = ""
    if any(text in message for text in _FILE_OR_FOLDER):
        onto = "a file on a folder" if sub_path else "a folder on a file"
        sentence = f"{sentence}: it would mount {onto}"
        name_file = f"{match[1].rstrip('/')}/{sub_path}"
        what = (
            f"set mountPath to {name_file} for the file"
            if sub_path
            else f"mount the volume at a folder, or mount one file at {match[1]} with subPath"
        )
        remedy = change(facts.pod, what)
    yield Cause(kind, sentence, (f"{subject.words}: {said}",), remedy, subject.weigh(92))


def _no_such_key(facts: ClusterFacts, subject: Subject) -> Iterator[Cause]:
    """Yield subPaths that are no key: the kubelet mounts an empty folder then, and says nothing."""
    for mount in subject.container.get("volumeMounts") or []:
        volume = find(volumes(facts.pod), mount.get("name", "")) or {}
        kind, source = _config_source(volume)
        keys = known_keys(facts, kind).get(source) if source else None
        path = str(mount.get("subPath") or "")
        if not path or keys is None or "/" in path or path in keys:
            continue
        near = near_keys(path, keys)
        what = f"use subPath {near[0]}" if near else f"add key {path}"
        yield Cause(
            "sub-path",
            f"{mount.get('mountPath')} is an empty folder: {kind} {source} has no key {path}"
            " (subPath)",
            (f"{kind} {source} has {key_words(keys)}",),
            change(facts.pod, what) if near else f"{what} to {kind} {source}",
            subject.weigh(SEEN + 3),
        )


def _config_source(volume: Json) -> tuple[str, str]:
    """Return the ConfigMap or Secret that is a whole volume."""
    config_map, secret = volume.get("configMap") or {}, volume.get("secret") or {}
    if config_map.get("items") or secret.get("items"):
        return "", ""
    if config_map:
        return CONFIG_MAP, str(config_map.get("name", ""))
    return SECRET, str(secret.get("secretName", ""))
