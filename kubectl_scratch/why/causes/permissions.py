"""Files and folders that the app's user may not use."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.why.causes.read_only import (
    FOLDERS_OF_IMAGES,
    empty_dir_remedy,
    is_of_the_copy,
)
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import (
    OF_OBJECTS,
    TAKES_A_GROUP,
    Mount,
    has_read_only_root,
    mount_of,
)
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.report import Call, FileState, Run
from kubectl_scratch.why.wording import call_line

READ, WRITE, EXECUTE = 4, 2, 1
DAC_OVERRIDE = 1 << 1
NOT_OF_PERMISSIONS = ("connect", "execve", "execveat", "flock", "fcntl", "mmap", "mprotect")
# These change a folder and not what is at the path.
CHANGES_FOLDER = (
    "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link",
    "linkat", "symlink", "symlinkat", "mknod", "mknodat", "bind",
)  # fmt: skip
DEEDS = {READ: "read", WRITE: "write", EXECUTE: "enter"}


def find_permissions(evidence: Evidence) -> Iterator[Cause]:
    """Yield files and folders to which the kernel refused access."""
    for failed in evidence.failed:
        call = failed.call
        refused = call.error == "EACCES" or (call.error == "EPERM" and verb_is_open(call))
        if (refused and call.path and call.call not in NOT_OF_PERMISSIONS) or (
            call.error == "EROFS" and _is_hidden_by_the_copy(evidence, call)
        ):
            yield _refused(evidence, failed)


def _is_hidden_by_the_copy(evidence: Evidence, call: Call) -> bool:
    """Say whether the pod itself has no permission either, where only the copy is read-only."""
    state, _ = _culprit(call)
    mount = mount_of(evidence.facts, state.path) if state else None
    if state is None or not is_of_the_copy(evidence.facts, mount):
        return False
    return not may(evidence.run, state, WRITE)


def verb_is_open(call: Call) -> bool:
    """Say whether the call opens or creates a file."""
    return call.call in ("open", "openat", "openat2", "creat")


def may(run: Run, state: FileState, wanted: int) -> bool:
    """Say whether the app's user may do that to a file, by its mode and owner."""
    if run.capabilities & DAC_OVERRIDE:
        return True
    if run.uid == state.uid:
        return state.mode >> 6 & wanted == wanted
    if state.gid in (run.gid, *run.groups):
        return state.mode >> 3 & wanted == wanted
    return state.mode & wanted == wanted


def owned(state: FileState) -> str:
    """Return whose a file is, and its mode."""
    return f"owned by {state.uid}:{state.gid} with mode {state.mode:04o}"


def _wanted(call: Call) -> int:
    if call.call in CHANGES_FOLDER or call.create or "w" in call.access:
        return WRITE
    return READ


def _refused(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    state, is_file = _culprit(call)
    wanted = _wanted(call)
    if not is_file and wanted == READ and not (call.here and call.here.type == "dir"):
        wanted = EXECUTE
    if state is None:
        return _unknown(evidence, failed)
    mount = mount_of(evidence.facts, state.path)
    if wanted == WRITE and mount is None and has_read_only_root(evidence.facts):
        return _also_read_only(evidence, failed, state)
    kind = "file-permission" if is_file else "folder-permission"
    lines = [call_line(call, evidence.run)]
    if call.error == "EROFS" and mount:
        lines.append(f"volume {mount.name} is read-only in the copy, and not in the pod itself")
    sentence = (
        f"the app cannot {_deed(call, state, wanted)} (permission denied):"
        f" {_because(evidence.run, state, mount)}"
    )
    remedy = _remedy(evidence, call, state, wanted)
    return Cause(kind, sentence, tuple(lines), remedy, failed.weight)


def _culprit(call: Call) -> tuple[FileState | None, bool]:
    """Return what refused, and whether it is a file."""
    changes = call.call in CHANGES_FOLDER or (call.create and call.here is None)
    if call.here is not None and not changes:
        return call.here, call.here.type != "dir"
    return call.nearest, False


def _deed(call: Call, state: FileState, wanted: int) -> str:
    if state.path == call.path:
        return f"{DEEDS[wanted]} {call.path}"
    if wanted == EXECUTE:
        return f"open {call.path}, because it cannot enter the folder {state.path}"
    verb = {"unlink": "delete", "unlinkat": "delete", "bind": "create the socket"}.get(call.call)
    return f"{verb or 'create'} {call.path} in the folder {state.path}"


def _because(run: Run, state: FileState, mount: Mount | None) -> str:
    where = f" (in {mount.title}, mounted at {mount.path})" if mount else ""
    groups = f":{run.gid}" if run.uid or run.gid else ""
    more = f", supplementary groups {' '.join(map(str, run.groups))}" if _more(run) else ""
    root = " without the capability DAC_OVERRIDE" if run.uid == 0 else ""
    return (
        f"{state.path} is {owned(state)}{where}; the app runs as user {run.uid}{groups}{root}{more}"
    )


def _more(run: Run) -> bool:
    return bool(set(run.groups) - {run.gid})


def _remedy(evidence: Evidence, call: Call, state: FileState, wanted: int) -> str:
    run, mount = evidence.run, mount_of(evidence.facts, state.path)
    if mount is None:
        whole = "-R " if state.type == "dir" else ""
        change = f"RUN chown {whole}{run.uid} {state.path}"
        if wanted == WRITE and state.type == "dir":
            return f"{empty_dir_remedy(call)}{_or_in_the_image(run, call, state, change)}"
        return f"change the owner in the image ({change}){_or_as_its_owner(state)}"
    return _mount_remedy(evidence, state, mount)


def _or_as_its_owner(state: FileState) -> str:
    """Return the way to run as the owner, who must not be root."""
    if state.uid == 0:
        return ""
    return f", or run the app as user {state.uid} (securityContext.runAsUser: {state.uid})"


def _or_in_the_image(run: Run, call: Call, state: FileState, change: str) -> str:
    if state.path not in FOLDERS_OF_IMAGES:
        return f"; or change the owner in the image: {change}"
    if call.call in ("mkdir", "mkdirat"):
        return f"; or create it in the image: RUN install -d -o {run.uid} {call.path}"
    return ""


def _mount_remedy(evidence: Evidence, state: FileState, mount: Mount) -> str:
    run = evidence.run
    group = run.gid or run.uid or 1000
    if mount.kind in OF_OBJECTS:
        if _fs_group(evidence.facts) in (run.gid, *run.groups):
            return f"set defaultMode: 0440 in volume {mount.name}"
        return (
            f"set defaultMode: 0444 in volume {mount.name}, or defaultMode: 0440 with the pod's"
            f" securityContext.fsGroup: {group}"
        )
    if mount.kind in TAKES_A_GROUP:
        return f"set the pod's securityContext.fsGroup: {group}"
    return (
        f"change the owner of {state.path} on the node or server to {run.uid}"
        f"{_or_as_its_owner(state)}"
    )


def _fs_group(facts: ClusterFacts) -> int | None:
    group = (facts.pod["spec"].get("securityContext") or {}).get("fsGroup")
    return group if isinstance(group, int) else None


def _also_read_only(evidence: Evidence, failed: FailedCall, state: FileState) -> Cause:
    call = failed.call
    return Cause(
        "read-only-root",
        f"the app cannot write {call.path}: the container's root file system is read-only, and"
        f" {state.path} is {owned(state)}",
        (call_line(call, evidence.run),),
        empty_dir_remedy(call),
        failed.weight,
    )


def _unknown(evidence: Evidence, failed: FailedCall) -> Cause:
    call, run = failed.call, evidence.run
    return Cause(
        "file-permission",
        f"the app (user {run.uid}) has no permission to use {call.path}",
        (call_line(call, run),),
        "change the owner or mode of the file, or the user that the app runs as"
        " (securityContext.runAsUser)",
        failed.weight,
    )
