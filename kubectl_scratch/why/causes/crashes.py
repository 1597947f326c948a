"""Crashes: what the processor or the program itself ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import fate_of
from kubectl_scratch.why.last_words import line_with, reason_line
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import LAST_DESPITE_WORDS, Evidence
from kubectl_scratch.why.report import Run, Signal, TracedProcess
from kubectl_scratch.why.wording import call_line, cut, process_of, process_words, program_name

KIND_OF_CRASH = {
    "SIGSEGV": "segfault",
    "SIGBUS": "segfault",
    "SIGABRT": "abort",
    "SIGFPE": "abort",
    "SIGTRAP": "abort",
    "SIGILL": "illegal-instruction",
}
CODES_OF_CRASHES = {
    139: "SIGSEGV",
    135: "SIGBUS",
    134: "SIGABRT",
    136: "SIGFPE",
    133: "SIGTRAP",
    132: "SIGILL",
}
# Faults below this address are those of a null pointer, with the offset of a field.
FIRST_PAGE = 4096
SAYS_IT_CRASHED = re.compile(
    r"signal SIGSEGV: segmentation violation|Fatal Python error: Segmentation fault|"
    r"^#  SIGSEGV \(0xb\)|nil pointer dereference"
)
BUG = (
    "report the bug in the app or its libraries, with this address and the image's version; or"
    " use another version"
)
# A failed call so shortly before it, in ms, may be its cause.
_SOON = 50
ABORTS = re.compile(
    r"(?i)assertion|assert|terminate called|free\(\)|malloc|double free|corrupt|stack smashing|"
    r"buffer overflow|what\(\)|abort|fatal|panic"
)


def find_crashes(evidence: Evidence) -> Iterator[Cause]:
    """Yield the crash of the app, or of a process because of which it ended."""
    run = evidence.run
    said = line_with(evidence.words, SAYS_IT_CRASHED)
    if said and run.code not in (0, None):
        who = "the app crashed (segmentation fault): it used an invalid address"
        first = cut(reason_line(run))
        lines = tuple(dict.fromkeys([cut(said.string), first]))
        yield Cause("segfault", who, lines, BUG, 84)
        return
    for process, name in crashed(run):
        signal = signal_of(run, process, name)
        fate = fate_of(run, process.pid)
        weight = 86 if fate == "its own" else 84 if fate == "ended the app" else 40
        weight -= 6 if run.running else 0
        cause = _cause(evidence, process, name, signal, weight)
        before = tuple(_failure_before(evidence, process, signal))
        yield cause._replace(evidence=(*cause.evidence, *before))
        return


def _failure_before(
    evidence: Evidence, process: TracedProcess, signal: Signal | None
) -> Iterator[str]:
    """Yield the call that failed just before a null pointer was used: it may be its cause."""
    address = _address(signal)
    first = next(iter(evidence.failed), None)
    if signal is None or first is None or address is None or address >= FIRST_PAGE:
        return
    soon = 0 <= signal.at - first.call.at <= _SOON
    if soon and first.weight >= LAST_DESPITE_WORDS and first.call.pid == process.pid:
        yield f"shortly before the crash: {call_line(first.call, evidence.run)}"


def signal_of(run: Run, process: TracedProcess, name: str) -> Signal | None:
    """Return the last signal of that name that a process got."""
    found = [s for s in run.signals if s.pid == process.pid and s.signal == name]
    return found[-1] if found else None


def crashed(run: Run) -> Iterator[tuple[TracedProcess, str]]:
    """Yield the processes that crashed, with the signal, the last one first."""
    known = set()
    for process in sorted(run.processes, key=lambda p: -(p.end or 0)):
        if process.signal in KIND_OF_CRASH:
            known.add(process.signal)
            yield process, process.signal
    own = process_of(run, run.pid) or TracedProcess(run.pid, 0, 0, run.words)
    if run.signal in KIND_OF_CRASH and run.signal not in known:
        yield own, run.signal
    elif not known and run.code in CODES_OF_CRASHES and not run.running:
        yield own, CODES_OF_CRASHES[run.code]


def _cause(
    evidence: Evidence, process: TracedProcess, name: str, signal: Signal | None, weight: int
) -> Cause:
    lines = [_line(evidence.run, process, name, signal)]
    said = reason_line(evidence.run)
    lines += [cut(said)] if said else []
    sentence, remedy = {
        "segfault": _segfault,
        "abort": _abort,
        "illegal-instruction": _illegal,
    }[KIND_OF_CRASH[name]](evidence, process, name, signal)
    return Cause(KIND_OF_CRASH[name], sentence, tuple(lines), remedy, weight)


def _line(run: Run, process: TracedProcess, name: str, signal: Signal | None) -> str:
    who = process_words(run, process.pid)
    if signal is None:
        return f"{who} was killed by {name}"
    at = f" at address {signal.address}" if signal.address else ""
    inside = f" in {signal.inside}" if signal.inside else ""
    code = f" ({signal.code})" if signal.code else ""
    return cut(f"{who} received {name}{code}{at}{inside}")


def _who(evidence: Evidence, process: TracedProcess) -> str:
    own = process.pid == evidence.run.pid
    return "the app" if own else f"the app's child process {program_name(process)}".rstrip()


def _address(signal: Signal | None) -> int | None:
    try:
        return int(signal.address, 16) if signal and signal.address else None
    except ValueError:
        return None


def _segfault(
    evidence: Evidence, process: TracedProcess, name: str, signal: Signal | None
) -> tuple[str, str]:
    who, inside = (
        _who(evidence, process),
        f" in {signal.inside}" if signal and signal.inside else "",
    )
    if name == "SIGBUS":
        return (
            f"{who} crashed{inside} (bus error): a mapped file is shorter than expected, or the"
            " shared memory is full",
            "check the files that it maps and /dev/shm (to enlarge /dev/shm, mount an emptyDir with"
            " medium: Memory)",
        )
    address = _address(signal)
    null = ": it used a null pointer" if address is not None and address < FIRST_PAGE else ""
    if evidence.run.signals and signal and signal.code == "SEGV_ACCERR":
        null = ": it wrote to protected memory"
    return (
        f"{who} crashed{inside} (segmentation fault){null}",
        BUG,
    )


def _abort(
    evidence: Evidence, process: TracedProcess, name: str, signal: Signal | None
) -> tuple[str, str]:
    who = _who(evidence, process)
    if name == "SIGFPE":
        return (
            f"{who} crashed: division by zero (SIGFPE)",
            "check the app's configuration for a value of zero, or report the bug in the app",
        )
    if name == "SIGTRAP":
        return f"{who} stopped itself at a trap (SIGTRAP)", "read the app's output"
    found = line_with(evidence.words, ABORTS)
    said = cut(found.string) if found else cut(reason_line(evidence.run))
    return f"{who} called abort()" + (
        f": {said}" if said else ""
    ), "read the app's output: an assertion failed, or its memory is corrupt"


def _illegal(
    evidence: Evidence, process: TracedProcess, name: str, signal: Signal | None
) -> tuple[str, str]:
    inside = f" in {signal.inside}" if signal and signal.inside else ""
    return (
        f"{_who(evidence, process)} used an instruction that the node's processor does not"
        f" support{inside}, or stopped itself with an invalid one",
        "build the app for an older processor (x86-64-v2 or v1 instead of v3), or use other nodes",
    )
