"""Memory: the container's limit, and requests for more than there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import fate_of
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.wording import call_line, cut, mebibytes, process_words

HEAP = re.compile(
    r"(?i)JavaScript heap out of memory|OutOfMemoryError|Could not reserve enough space|"
    r"insufficient memory for the Java Runtime|\bMemoryError\b|cannot allocate memory|"
    r"std::bad_alloc|memory allocation of \d+ bytes failed|out of memory|ENOMEM|"
    r"Initial heap size set to a larger|memory exhausted"
)
OWN_LIMIT = re.compile(r"JavaScript heap out of memory|Java heap space|GC overhead|Metaspace")
# So much of the limit was used when a process was killed.
NEARLY_ALL = 0.85
ASK_FOR_MEMORY = ("mmap", "brk", "mremap", "mprotect", "fork", "clone", "clone3", "vfork", "shmget")


def find_memory(evidence: Evidence) -> Iterator[Cause]:
    """Yield the memory limit that was reached, else memory that was not given."""
    run = evidence.run
    if run.oom_kills or _killed_near_the_limit(run):
        yield _limit(evidence)
        return
    yield from _requests(evidence)


def _killed_near_the_limit(run: Run) -> bool:
    killed = run.signal == "SIGKILL" or run.code == 137
    return killed and bool(run.limit_memory) and run.peak_memory >= run.limit_memory * NEARLY_ALL


def _limit(evidence: Evidence) -> Cause:
    run = evidence.run
    limit = mebibytes(run.limit_memory) if run.limit_memory else ""
    peak = f" ({mebibytes(run.peak_memory)} used)" if run.peak_memory and limit else ""
    killed = [p for p in run.processes if p.signal == "SIGKILL"]
    who = "the app"
    if killed and killed[-1].pid != run.pid:
        who = f"the app's process {process_words(run, killed[-1].pid)}"
    which = f"its memory limit of {limit}" if limit else "it gets"
    return Cause(
        "memory-limit",
        f"{who} was killed (out of memory): it needs more than {which}{peak}",
        _limit_lines(run),
        "raise resources.limits.memory of the container, or reduce the memory use of the app"
        + _hint(evidence),
        97 if not run.running else 72,
    )


def _limit_lines(run: Run) -> tuple[str, ...]:
    kills = f"out of memory: the kernel killed {run.oom_kills} process{'es' * (run.oom_kills != 1)}"
    peak = f"peak memory use: {mebibytes(run.peak_memory)}" if run.peak_memory else ""
    return tuple(filter(None, (kills if run.oom_kills else "killed by SIGKILL", peak)))


def _hint(evidence: Evidence) -> str:
    names = [process.exe.rpartition("/")[2] for process in evidence.run.processes]
    if "java" in names:
        return " (-XX:MaxRAMPercentage=75)"
    return " (--max-old-space-size)" if "node" in names else ""


def _requests(evidence: Evidence) -> Iterator[Cause]:
    run = evidence.run
    said = line_with(evidence.words, HEAP)
    for failed in evidence.failed:
        call = failed.call
        if call.call not in ASK_FOR_MEMORY or call.error not in ("ENOMEM", "EAGAIN"):
            continue
        if call.error == "EAGAIN" and call.call not in ("mmap", "mremap", "brk"):
            continue
        fatal = fate_of(run, call.pid) in ("its own", "ended the app") and run.code != 0
        size = f" of {mebibytes(call.size)}" if call.size else ""
        weight = 92 if said else failed.weight + 4 if fatal else failed.weight - 10
        lines = (call_line(call, run), *([cut(said.string)] if said else []))
        yield _refused(run, size, lines, weight)
        return
    if said and run.code != 0 and not run.running:
        yield _by_words(run, said.string)


def _refused(run: Run, size: str, lines: tuple[str, ...], weight: int) -> Cause:
    limit = f" (the container's limit is {mebibytes(run.limit_memory)})" if run.limit_memory else ""
    return Cause(
        "memory-request",
        f"the app cannot allocate memory{size}{limit}",
        lines,
        "reduce the memory that the app allocates, or raise resources.limits.memory or ulimit -v",
        weight,
    )


def _by_words(run: Run, line: str) -> Cause:
    if OWN_LIMIT.search(line):
        sentence = "the app reached its own heap limit (out of memory)"
        remedy = (
            "raise the heap limit (-Xmx or -XX:MaxRAMPercentage of Java, --max-old-space-size"
            " of Node),"
            " together with resources.limits.memory"
        )
        return Cause("memory-limit", sentence, (cut(line),), remedy, 88)
    return _refused(run, "", (cut(line),), 82)
