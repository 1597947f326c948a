"""The toolkit: the seed that holds and receives, and the files that it receives.

The seed comes into the copy by a ConfigMap, the files over the stdin of the session's own exec
(``seed start``), into an emptyDir: no image is pulled, and nothing is written into the app's
file system.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.runtime.names import COMMAND

SEED_FOLDER, FOLDER = "/.scratch-seed", "/.scratch"
SEED = f"{SEED_FOLDER}/seed"
BIN, RC = f"{FOLDER}/bin", f"{FOLDER}/rc"
BUSYBOX = f"{BIN}/busybox"
# A second seed under these names does what they say.
COMMANDS = ("run-app", "show-app")
DATA = Path(__file__).parent / "data"
# Bytes of a packed file that tell the size of what it becomes.
_PREFIX = 4


class Entry(NamedTuple):
    """A file of the toolkit, or a symbolic link if ``mode`` is None; ``path`` is relative.

    ``unpacked`` is the size in bytes of what ``data``, an LZ4 block, becomes; None if it is
    not packed.
    """

    path: str
    data: bytes
    mode: int | None = 0o755
    unpacked: int | None = None


def seed_bytes(arch: str) -> bytes:
    """Return the seed for an architecture."""
    return _data(f"seed-{arch}")


def shipped_entries(arch: str, linked: bool = True) -> list[Entry]:
    """Return busybox for an architecture, and our commands.

    ``linked`` adds a link for each of its programs: only busybox's own shell works without.
    """
    programs = applets() if linked else []
    return [
        _packed("bin/busybox", _data(f"busybox-{arch}.lz4")),
        *(Entry(f"bin/{applet}", b"busybox", None) for applet in programs),
        *(Entry(f"bin/{command}", SEED.encode(), None) for command in COMMANDS),
    ]


def applets() -> list[str]:
    """Return the names of busybox's programs."""
    return _data("applets").decode().split()


def user_entries(path: str) -> list[Entry]:
    """Return the user's file, or the files of the user's folder, for the folder of commands.

    Raises InvalidRequest for what cannot be read, and for a name with a newline, which ends a
    record's header.
    """
    try:
        return list(_own(Path(path)))
    except OSError as error:
        problem = f"--toolkit-file {path!r} cannot be read"
        raise InvalidRequest(problem, (error.strerror or str(error)).lower()) from error


def pack_entries(entries: Iterable[Entry]) -> bytes:
    """Return the records in which the seed receives files, with their checksums."""
    return b"".join(map(_record, entries)) + b".\n"


def _record(entry: Entry) -> bytes:
    # A name of a file is bytes, of any encoding.
    path, size = os.fsencode(entry.path), len(entry.data)
    if entry.mode is None:
        return b"l %d %s\n%s" % (size, path, entry.data)
    checksum = hashlib.sha256(entry.data).hexdigest().encode()
    if entry.unpacked is not None:
        what = (entry.mode, size, checksum, entry.unpacked, path, entry.data)
        return b"z %o %d %s %d %s\n%s" % what
    return b"f %o %d %s %s\n%s" % (entry.mode, size, checksum, path, entry.data)


def _packed(path: str, data: bytes) -> Entry:
    """Return the entry of a file that ``make seed`` has packed, with its size in front."""
    return Entry(path, data[_PREFIX:], unpacked=int.from_bytes(data[:_PREFIX], "little"))


def _data(name: str) -> bytes:
    try:
        return (DATA / name).read_bytes()
    except OSError as error:
        problem = f"this build of {COMMAND} has no {name}"
        raise InvalidRequest(problem, "run make seed, or use --image") from error


def _own(path: Path) -> Iterator[Entry]:
    if not path.is_dir():
        yield _own_file(path, path.name)
        return
    for found in sorted(path.rglob("*")):
        where = str(found.relative_to(path))
        if found.is_symlink():
            yield Entry(_own_path(where), os.fsencode(os.readlink(found)), None)
        elif found.is_file():
            yield _own_file(found, where)


def _own_path(where: str) -> str:
    if "\n" in where:
        raise InvalidRequest(f"--toolkit-file: {where!r} has a newline in its name")
    return f"bin/{where}"


def _own_file(path: Path, where: str) -> Entry:
    # What was copied from a zip or a share has often lost its mode, and a tool is to be run.
    mode = stat.S_IMODE(path.stat().st_mode) & 0o777
    return Entry(_own_path(where), path.read_bytes(), mode | 0o555)
