"""A folder for files with secrets: the user's own, and gone afterwards."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "kubectl-scratch-"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Give a folder of mode 0700, removed on the way out.

    What a killed process has left is removed by the next one. $XDG_RUNTIME_DIR, if there
    is one, is memory and ends with the login.
    """
    wanted = os.environ.get("XDG_RUNTIME_DIR")
    usable = wanted and os.path.isdir(wanted) and os.access(wanted, os.W_OK | os.X_OK)
    parent = Path(wanted if wanted and usable else tempfile.gettempdir())
    _remove_abandoned(parent)
    folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent)
    held = os.open(folder, os.O_RDONLY)
    # On a file system without locks nothing is removed.
    with contextlib.suppress(OSError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    remove = functools.partial(shutil.rmtree, folder, ignore_errors=True)
    # A thread that nobody waits for any more may not come to its end.
    atexit.register(remove)
    try:
        yield Path(folder)
    finally:
        remove()
        os.close(held)
        atexit.unregister(remove)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        pid = re.fullmatch(PREFIX + r"(\d+)-\w+", folder.name)
        # Another process of ours may be removing it just now.
        with contextlib.suppress(OSError):
            if not pid or folder.lstat().st_uid != os.getuid() or _is_alive(int(pid[1])):
                continue
            if not _is_held(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    """Say whether a process holds it, which may be one of a container that shares the folder."""
    found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(found)
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
