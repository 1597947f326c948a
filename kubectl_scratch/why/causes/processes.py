"""Processes and threads that could not be started: their number is limited."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.wording import call_line, cut

_SAYS = re.compile(
    r"(?i)can't start new thread|unable to create (?:new )?(?:native )?thread|pthread_create|"
    r"can't fork|cannot fork|fork: (?:retry|resource)|failed to create new OS thread|"
    r"resource temporarily unavailable.*(?:fork|thread|process)|vfork"
)
FORKS = ("fork", "vfork", "clone", "clone3")


def find_processes(evidence: Evidence) -> Iterator[Cause]:
    """Yield forks and threads that were refused."""
    run = evidence.run
    for failed in evidence.failed:
        if failed.call.call in FORKS and failed.call.error == "EAGAIN":
            line = call_line(failed.call, run)
            yield _cause(evidence, (line,), max(failed.weight + 8, 72 if not run.running else 40))
            return
    found = line_with(evidence.words, _SAYS)
    if found and run.code != 0 and not run.running:
        yield _cause(evidence, (cut(found.string),), 82)


def _cause(evidence: Evidence, lines: tuple[str, ...], weight: int) -> Cause:
    limit = evidence.run.limit_pids
    which = (
        f"the limit of {limit} processes and threads"
        if limit
        else "the limit of processes and threads"
    )
    return Cause(
        "too-many-processes",
        f"the app cannot start another process or thread: {which} is reached",
        lines,
        "configure the app to start fewer threads or processes, or raise the limit of the pod (the"
        " kubelet's podPidsLimit) or of the user (ulimit -u)",
        weight,
    )
