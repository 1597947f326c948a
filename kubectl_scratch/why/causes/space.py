"""Disks that are full, and tables of open files that are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import went_wrong
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import Mount, mount_of, target_of
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.wording import call_line, cut

FULL = re.compile(r"(?i)no space left on device|disk quota exceeded|ENOSPC|disk full")
_FILES = re.compile(r"(?i)too many open files|EMFILE|ENFILE")
SHARED_MEMORY = "/dev/shm"


def find_space(evidence: Evidence) -> Iterator[Cause]:
    """Yield writes for which there was no space, and files for which there was no number."""
    seen: set[str] = set()
    for failed in evidence.failed:
        error = failed.call.error
        if failed.call.call.startswith("inotify") and error in ("ENOSPC", "EMFILE"):
            seen.add("files")
            yield _watches(evidence, failed)
        elif error in ("ENOSPC", "EDQUOT"):
            seen.add("space")
            yield _full(evidence, failed)
        elif error in ("EMFILE", "ENFILE"):
            seen.add("files")
            yield _files(evidence, failed)
    yield from _by_words(evidence, seen)


def _full(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    mount = mount_of(evidence.facts, call.path) if call.path else None
    where = mount.path if mount else "the container's file system"
    if call.path.startswith(SHARED_MEMORY) and mount is None:
        where, remedy = SHARED_MEMORY, "mount an emptyDir with medium: Memory at /dev/shm"
    else:
        where += f" ({mount.title})" if mount else ""
        remedy = _remedy(evidence, mount)
    what = f"the app cannot write {call.path}: " if call.path else "the app cannot write: "
    quota = "the quota is used up" if call.error == "EDQUOT" else "no space left"
    sentence = f"{what}{quota} in {where}{_limit(mount)}"
    return Cause("no-space", sentence, (call_line(call, evidence.run),), remedy, failed.weight + 8)


def _limit(mount: Mount | None) -> str:
    if mount is None or mount.kind != "emptyDir":
        return ""
    size, medium = mount.source.get("sizeLimit"), mount.source.get("medium")
    parts = [f"sizeLimit {size}" if size else "", f"medium {medium}" if medium else ""]
    words = ", ".join(filter(None, parts))
    return f", which has {words}" if words else ""


def _remedy(evidence: Evidence, mount: Mount | None) -> str:
    if mount is None:
        limits = (target_of(evidence.facts).get("resources") or {}).get("limits") or {}
        more = " and raise limits.ephemeral-storage" if limits.get("ephemeral-storage") else ""
        return f"mount a volume of sufficient size{more}, or free space on the node's disk"
    if mount.kind == "emptyDir":
        return f"raise sizeLimit of volume {mount.name}"
    if mount.kind == "persistentVolumeClaim":
        return f"enlarge {mount.title} (spec.resources.requests.storage), or delete files in it"
    return f"free space in {mount.title}"


def _watches(evidence: Evidence, failed: FailedCall) -> Cause:
    limit = "max_user_watches" if failed.call.error == "ENOSPC" else "max_user_instances"
    return Cause(
        "too-many-files",
        f"the app cannot watch more files: the node's limit fs.inotify.{limit} is reached",
        (call_line(failed.call, evidence.run),),
        f"raise fs.inotify.{limit} on the node (sysctl), or configure the app to poll",
        failed.weight + 6,
    )


def _files(evidence: Evidence, failed: FailedCall) -> Cause:
    whose = "app's" if failed.call.error == "EMFILE" else "node's"
    return Cause(
        "too-many-files",
        f"the app cannot open more files: the {whose} limit of open files is reached",
        (call_line(failed.call, evidence.run),),
        "raise the limit of open files (ulimit -n in the entrypoint, or in the container runtime),"
        " or close files in the app",
        failed.weight + 8,
    )


def _by_words(evidence: Evidence, seen: set[str]) -> Iterator[Cause]:
    if not went_wrong(evidence.run):
        return
    full, files = line_with(evidence.words, FULL), line_with(evidence.words, _FILES)
    if full and not seen:
        yield Cause("no-space", "the app has no space left to write", (cut(full.string),),
                    "enlarge its volume", 80)  # fmt: skip
    elif files and not seen:
        yield Cause("too-many-files", "the app cannot open more files: the limit of open files"
                                      " is reached", (cut(files.string),),
                    "raise the limit of open files (ulimit -n in the entrypoint)", 80)  # fmt: skip
