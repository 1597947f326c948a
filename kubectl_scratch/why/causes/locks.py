"""Files that somebody else has locked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import Mount, mount_of
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.wording import call_line, cut, duration, process_words

LOCKS = ("flock", "fcntl", "lockf", "fcntl64")
HELD = ("EAGAIN", "EACCES", "EWOULDBLOCK", "EDEADLK", "ENOLCK")
LOCK_FILES = re.compile(r"(?i)(\.|/|[-_])(lock|lck|pid)$|lock(file)?$|\.pid(file)?$")
_SAYS = re.compile(
    r"(?i)database is locked|already (?:locked|running)|another (?:instance|process|copy)|"
    r"could not (?:get|acquire|obtain) (?:the |a )?lock|unable to (?:lock|acquire)|lock file|"
    r"is locked by|failed to (?:obtain|acquire|get) .*lock|cannot lock"
)
_LONG = 1000


def find_locks(evidence: Evidence) -> Iterator[Cause]:
    """Yield locks that were refused, lock files that exist, and locks that are waited for."""
    for failed in evidence.failed:
        call = failed.call
        if call.call in LOCKS and call.error in HELD:
            yield _held(evidence, failed)
        elif call.error == "EEXIST" and LOCK_FILES.search(call.path):
            yield _exists(evidence, failed)
    yield from _waits(evidence)


def _remedy(evidence: Evidence, mount: Mount | None) -> str:
    if mount and mount.kind in ("persistentVolumeClaim", "hostPath", "nfs"):
        return (
            f"use {mount.title} in one pod only: set replicas: 1 and strategy Recreate, or use a"
            " StatefulSet"
        )
    return (
        "find the process that holds the lock, in this or another container of the pod, and stop it"
    )


def _held(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    mount = mount_of(evidence.facts, call.path)
    where = f" (in {mount.title})" if mount else ""
    said = line_with(evidence.words, _SAYS)
    return Cause(
        "lock-held",
        f"the app cannot lock {call.path or 'a file'}{where}: another process holds the lock",
        (call_line(call, evidence.run), *([cut(said.string)] if said else [])),
        _remedy(evidence, mount),
        max(failed.weight + 6, 88 if said else 0),
    )


def _exists(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    mount = mount_of(evidence.facts, call.path)
    where = f" (in {mount.title}, which keeps files after a restart)" if mount else ""
    return Cause(
        "lock-held",
        f"the lock file {call.path} exists{where}, so the app thinks that it runs already",
        (call_line(call, evidence.run),),
        f"delete {call.path} before the app starts: an earlier run possibly left it",
        failed.weight + 4,
    )


def _waits(evidence: Evidence) -> Iterator[Cause]:
    run = evidence.run
    for wait in run.waits:
        if wait.call in LOCKS and run.running and run.at - wait.since >= _LONG:
            mount = mount_of(evidence.facts, wait.path)
            where = f" (in {mount.title})" if mount else ""
            yield Cause(
                "hang-lock",
                f"the app waits for the lock on {wait.path or 'a file'}{where}, which another"
                " process holds",
                (f"{process_words(run, wait.pid)} waits in {wait.call} for"
                 f" {duration(run.at - wait.since)}",),
                _remedy(evidence, mount),
                90 if wait.pid == run.pid else 70,
            )  # fmt: skip
            return
