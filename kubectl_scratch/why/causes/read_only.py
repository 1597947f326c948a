"""Writes to a read-only root file system, and to read-only volumes."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import OF_OBJECTS, Mount, mount_of, writable_mount_yaml
from kubectl_scratch.why.rank import EARLIER, Evidence, FailedCall
from kubectl_scratch.why.report import Call
from kubectl_scratch.why.wording import call_line

FOLDERS_OF_IMAGES = frozenset(
    (
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc",
        "/root", "/sbin", "/srv", "/sys", "/usr", "/usr/bin", "/usr/lib", "/usr/local",
        "/usr/local/bin", "/usr/share", "/var", "/var/lib",
    )
)  # fmt: skip


def find_read_only(evidence: Evidence) -> Iterator[Cause]:
    """Yield what could not be written because it is read-only."""
    for failed in evidence.failed:
        if failed.call.error == "EROFS" and failed.call.path:
            mount = mount_of(evidence.facts, failed.call.path)
            yield _volume(evidence, failed, mount) if mount else _root(evidence, failed)


def _root(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    return Cause(
        "read-only-root",
        f"the app cannot write {call.path}: the container's root file system is read-only",
        (call_line(call, evidence.run),),
        empty_dir_remedy(call),
        failed.weight,
    )


def empty_dir_remedy(call: Call) -> str:
    """Return how to make a path writable; no emptyDir hides what an image needs."""
    folder = folder_to_mount(call)
    if folder in FOLDERS_OF_IMAGES:
        return (
            f"configure the app to write to another folder than {folder}, and mount an emptyDir"
            " there"
        )
    names = call.nearest.names if call.nearest and call.nearest.path == folder else ()
    hides = " (it hides the files of the image there)" if names else ""
    return f"mount an emptyDir at {folder}{hides}: {writable_mount_yaml(folder)}"


def folder_to_mount(call: Call) -> str:
    """Return the folder that has to be writable: of a folder to create, the folder itself."""
    if call.call in ("mkdir", "mkdirat"):
        return call.path
    if call.here is not None and call.here.type == "dir":
        return call.path
    return call.path.rpartition("/")[0] or "/"


def is_of_the_copy(facts: ClusterFacts, mount: Mount | None) -> bool:
    """Say whether a volume is read-only in the copy alone."""
    return mount is not None and mount.name in facts.read_only


def _volume(evidence: Evidence, failed: FailedCall, mount: Mount) -> Cause:
    call = failed.call
    lines = [call_line(call, evidence.run)]
    weight = failed.weight
    if is_of_the_copy(evidence.facts, mount):
        lines.append(f"volume {mount.name} is read-only in the copy, but not in the pod")
        weight = min(weight, EARLIER)
    sentence = (
        f"the app cannot write {call.path}: {mount.title} (mounted at {mount.path}) is read-only"
    )
    return Cause("read-only-volume", sentence, tuple(lines), _remedy(mount, call), weight)


def _remedy(mount: Mount, call: Call) -> str:
    if mount.kind in OF_OBJECTS:
        return (
            f"copy the files to an emptyDir in an init container: a {mount.kind} volume is always"
            " read-only"
        )
    return (
        f"remove readOnly: true from the mount of volume {mount.name}, or configure the app"
        " to write elsewhere"
    )
