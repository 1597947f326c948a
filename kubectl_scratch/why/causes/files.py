"""Files and folders that are not there, under another name, or of another type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import KeyedObject, Mount, mount_of
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.report import Call
from kubectl_scratch.why.wording import call_line, listed, verb

# How alike two names are that somebody mixed up.
ALIKE = 0.72
WRITES = ("mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat", "bind", "link", "linkat")
NOT_OF_FILES = ("execve", "execveat", "connect", "flock", "fcntl")
FOLDER_WORDS = re.compile(
    r"(?i)\b(chdir|scandir|opendir|listdir|readdir|directory|folder)\b(?!\s*$)"
)
# Suffixes of which one is easily taken for another.
TEXTS = re.compile(
    r"\.(ya?ml|json|toml|ini|conf|cfg|cnf|properties|xml|env|txt|csv|pem|crt|cer|cert|key|md)$"
)
LISTS = re.compile(r"\b(listdir|scandir|chdir|opendir|readdir|iterdir|readdirSync|ReadDir)\(")
STRERROR = re.compile(r"(?i)no such file or directory|not a directory|is a directory")


def find_missing_files(evidence: Evidence) -> Iterator[Cause]:
    """Yield what was looked for and is not there."""
    for failed in evidence.failed:
        call = failed.call
        if not call.path or call.call in NOT_OF_FILES or is_of_path_search(failed):
            continue
        if call.error == "ENOENT" and call.path != evidence.run.folder:
            yield _missing(evidence, failed)
        elif call.error == "ENOTDIR":
            yield _not_a_folder(evidence, failed)
        elif call.error == "EISDIR":
            yield _a_folder(evidence, failed)


def is_of_path_search(failed: FailedCall) -> bool:
    """Say whether a program was looked for in the folders of PATH."""
    places = (failed.call.path, *failed.also)
    folders = [place.rpartition("/")[0] for place in places]
    return len(folders) > 1 and sum(folder.endswith("bin") for folder in folders) > 1


def _missing(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    mount = mount_of(evidence.facts, call.path)
    near = near_name(call, mount)
    if _needs_folder(evidence, call):
        return _missing_folder(evidence, failed, mount)
    kind = "near-name" if near else "missing-file"
    sentence = f"the app needs {call.path}, which does not exist"
    if near and mount and mount.objects:
        about = " and ".join(_about(source) for source in mount.objects)
        sentence = f"the app needs {call.path}, but {about} (mounted at {mount.path})"
    elif near:
        sentence = _with_mount(f"{sentence}; there is {near}", mount)
    else:
        sentence = _with_mount(sentence, mount)
    return Cause(
        kind,
        sentence,
        (call_line(call, evidence.run), *_searched(failed), *_around(call, mount)),
        _remedy(call, mount, near),
        failed.weight + (2 if near else 0),
    )


def _searched(failed: FailedCall) -> Iterator[str]:
    if failed.also:
        yield f"also not found: {listed(failed.also)}"


def near_name(call: Call, mount: Mount | None) -> str:
    """Return the name in the folder that is most like the one that is missing; may be empty."""
    wanted = call.path.rpartition("/")[2]
    names = set(_names_there(call)) | set(_keys(mount))
    names = {found for found in names if not found.startswith("..") and found != wanted}
    return most_alike(wanted, names)


def most_alike(wanted: str, names: set[str]) -> str:
    """Return the name that somebody may have mixed up with the wanted one; may be empty."""
    by_case = {found.lower(): found for found in sorted(names)}
    if wanted.lower() in by_case:
        return by_case[wanted.lower()]
    alike = difflib.get_close_matches(wanted.lower(), list(by_case), 1, ALIKE)
    if alike:
        return by_case[alike[0]]
    stem = _stem(wanted)
    same = [found for found in sorted(names) if len(stem) >= 3 and _stem(found) == stem]
    return same[0] if same and TEXTS.search(wanted) and TEXTS.search(same[0]) else ""


def _stem(name: str) -> str:
    return re.sub(r"[-_.]", "", name.lower().partition(".")[0])


def _names_there(call: Call) -> tuple[str, ...]:
    folder = call.path.rpartition("/")[0] or "/"
    return call.nearest.names if call.nearest and call.nearest.path == folder else ()


def _keys(mount: Mount | None) -> Iterator[str]:
    if mount is None or "/" in mount.rest:
        return
    for source in mount.objects:
        yield from source.files or ()


def _needs_folder(evidence: Evidence, call: Call) -> bool:
    """Say whether it is the folder that is missing: of what is created, or the object itself."""
    if call.call in ("chdir", "fchdir", "getdents", "getdents64", "opendir", "scandir"):
        return True
    if call.create or call.access in ("w", "rw") or call.call in WRITES or call.to:
        return True
    name = call.path.rpartition("/")[2]
    if "." in name:
        return False
    if LISTS.search(evidence.words.text):
        return True
    said = any(FOLDER_WORDS.search(STRERROR.sub("", line)) for line in _lines_of(evidence, call))
    at_top = call.path.count("/") == 1 and call.call not in ("open", "openat", "openat2")
    return said or at_top


def _lines_of(evidence: Evidence, call: Call) -> list[str]:
    lines = evidence.words.text.split("\n")
    return [line.replace(call.path, "") for line in lines if call.path in line]


def _missing_folder(evidence: Evidence, failed: FailedCall, mount: Mount | None) -> Cause:
    call, run = failed.call, evidence.run
    folder = _absent_folder(call)
    exists = call.nearest.path if call.nearest else ""
    sentence = f"the app needs the folder {folder}, which does not exist"
    if folder != call.path:
        sentence += f" (to {_aim(call)} {call.path})"
    lines = [call_line(call, run), *([f"folder {exists} exists"] if exists else [])]
    remedy = (
        f"create {folder} in the image, or mount a volume there (an emptyDir for data that the"
        " app only writes)"
    )
    return Cause(
        "missing-folder", _with_mount(sentence, mount), tuple(lines), remedy, failed.weight
    )


def _absent_folder(call: Call) -> str:
    creates = call.create or call.access in ("w", "rw") or call.call in WRITES or call.to
    wanted = call.to if call.to and call.nearest and call.nearest.path in call.to else call.path
    folder = (wanted.rpartition("/")[0] or "/") if creates else wanted
    exists = call.nearest.path.rstrip("/") if call.nearest else None
    if exists is not None and folder.startswith(exists + "/"):
        return f"{exists}/{folder[len(exists) + 1 :].partition('/')[0]}"
    return folder


def _aim(call: Call) -> str:
    special = {"open": "create", "mkdir": "create", "bind": "create the socket"}
    return special.get(verb(call.call), verb(call.call))


def _with_mount(sentence: str, mount: Mount | None) -> str:
    """Add to a sentence what the mount should contain."""
    if mount is None:
        return sentence
    about = [_about(source) for source in mount.objects]
    if about:
        return f"{sentence}: {' and '.join(about)} (mounted at {mount.path})"
    return f"{sentence} (in {mount.title}, mounted at {mount.path})"


def _about(source: KeyedObject) -> str:
    if source.files is None and source.keys is None:
        return (
            f"{source.title} {'does not exist and is optional' if source.optional else ''}".strip()
        )
    files, keys = source.files or frozenset(), source.keys or frozenset()
    if source.keys is not None and files != keys:
        return (
            f"{source.title} is mounted as {listed(sorted(files))} and has the keys"
            f" {listed(sorted(keys))}"
        )
    has = "has no keys" if not keys else f"has the key{'s' * (len(keys) > 1)}"
    return f"{source.title} {has} {listed(sorted(keys))}".strip()


def _around(call: Call, mount: Mount | None) -> Iterator[str]:
    names = [found for found in _names_there(call) if not found.startswith("..")]
    folder = call.path.rpartition("/")[0] or "/"
    if names:
        yield f"{folder} contains {listed(sorted(names))}"
    elif call.nearest and call.nearest.path == folder:
        yield f"{folder} is empty"
    elif call.nearest:
        yield f"nearest existing path: {call.nearest.path}"


def _remedy(call: Call, mount: Mount | None, near: str) -> str:
    name = call.path.rpartition("/")[2]
    if mount is None:
        where = f"add {call.path} to the image, or mount a ConfigMap or Secret with it"
        return (
            f"rename {near} to {name} in the image, or configure the app to read {near}"
            if near
            else where
        )
    if not mount.objects:
        return f"add {name} to {mount.title}, or create it in an init container"
    source = next((s for s in mount.objects if near in (s.files or ())), mount.objects[0])
    key = mount.rest or name
    if near and source.files != source.keys:
        return (
            f"set the item's path in volume {mount.name} to {key}, or configure the app to"
            f" read {near}"
        )
    if near:
        item = f"items: [{{key: {near}, path: {key}}}]"
        return f"rename the key to {key} in {source.title}, or mount the key with {item}"
    return f"add the key {key} to {source.title}: kubectl edit {source.kind.lower()} {source.name}"


def _not_a_folder(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    file = call.nearest.path if call.nearest and call.nearest.type != "dir" else call.path
    mount = mount_of(evidence.facts, file)
    said = f"the app uses {file} as a folder, but it is a file"
    if file == call.path and call.here is None and call.path.count("/") > 1:
        said = f"the app uses {call.path}, but a part of this path is a file, not a folder"
    remedy = f"correct the path, or remove the file {file}"
    if mount and file == mount.path:
        remedy = f"mount {mount.title} at folder {file} without subPath"
    lines = (call_line(call, evidence.run),)
    return Cause("not-a-directory", _with_mount(said, mount), lines, remedy, failed.weight)


def _a_folder(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    mount = mount_of(evidence.facts, call.path)
    sentence = f"the app opens {call.path} as a file, but it is a folder"
    remedy = f"set the path of a file in {call.path} in the app's configuration"
    if mount and mount.path == call.path:
        name = call.path.rpartition("/")[2]
        if mount.sub_path:
            key = mount.sub_path
            sentence += f", because {mount.title} has no {key} (subPath)"
            there = sorted(mount.objects[0].keys or ()) if len(mount.objects) == 1 else []
            sentence += f"; it has the key{'s' * (len(there) > 1)} {listed(there)}" if there else ""
            remedy = f"correct subPath {key}, or add the key {key} to {mount.title}"
        else:
            sentence += f", because the whole {mount.title} is mounted there"
            remedy = f"mount only the file: set subPath: {name}"
    lines = (call_line(call, evidence.run), *_inside(call))
    return Cause("is-a-directory", sentence, lines, remedy, failed.weight)


def _inside(call: Call) -> Iterator[str]:
    if call.here and call.here.names:
        yield f"{call.path} contains {listed(call.here.names)}"
