"""Signals from others that ended the app."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.why.causes.crashes import signal_of
from kubectl_scratch.why.fates import fate_of
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.report import Run, Signal, TracedProcess
from kubectl_scratch.why.wording import cut, process_of, process_words, quoted_words

CODES_OF_KILLS = {137: "SIGKILL", 143: "SIGTERM", 130: "SIGINT", 129: "SIGHUP", 141: "SIGPIPE"}
FATAL_SIGNALS = (
    "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGPIPE", "SIGUSR1", "SIGUSR2", "SIGXCPU",
    "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR", "SIGSTKFLT",
)  # fmt: skip
SELF = {
    "SIGALRM": "its own timer (alarm) expired",
    "SIGPIPE": "it wrote to a pipe or connection that the other side had closed",
    "SIGXCPU": "it reached its CPU time limit (ulimit -t)",
    "SIGXFSZ": "it reached its file size limit (ulimit -f)",
    "SIGHUP": "its terminal was closed",
}


def find_kills(evidence: Evidence) -> Iterator[Cause]:
    """Yield the signal that ended the app, if it is none of a crash."""
    run = evidence.run
    if run.running or run.oom_kills:
        return
    for process, name in _ended(run):
        signal = _first_sent(run, process, name)
        # ^C, which some runtimes send to themselves once more.
        if name == "SIGINT" and (signal is None or signal.sender in (0, process.pid)):
            return
        yield _cause(evidence, process, name, signal)
        return


def _first_sent(run: Run, process: TracedProcess, name: str) -> Signal | None:
    """Return the signal that another process sent, if it was raised once more after that."""
    sent = (s for s in run.signals if s.pid == process.pid and s.signal == name and _is_sent(s))
    return next(sent, None) or signal_of(run, process, name)


def _ended(run: Run) -> Iterator[tuple[TracedProcess, str]]:
    own = process_of(run, run.pid) or TracedProcess(run.pid, 0, 0, run.words)
    if run.signal in ("SIGKILL", *FATAL_SIGNALS):
        yield own, run.signal
        return
    for process in run.processes:
        fatal = fate_of(run, process.pid) == "ended the app"
        if process.signal in ("SIGKILL", *FATAL_SIGNALS) and fatal and run.code not in (0, None):
            yield process, process.signal
    if run.code in CODES_OF_KILLS:
        yield own, CODES_OF_KILLS[run.code]


def _cause(evidence: Evidence, process: TracedProcess, name: str, signal: Signal | None) -> Cause:
    run = evidence.run
    kind = "killed" if name == "SIGKILL" else "terminated"
    name_of = process_words(run, process.pid)
    who = "the app" if process.pid == run.pid else f"the app's process {name_of}"
    lines = [f"{name_of} was killed by {name}"]
    by, remedy = _by(run, process, name, signal)
    if signal and _is_sent(signal):
        sender = process_of(run, signal.sender)
        lines += [f"command of the sender: {quoted_words(sender.words)}"] if sender else []
    verb = "was killed" if name == "SIGKILL" else "was terminated"
    weight = 84 if signal and (_is_sent(signal) or name in SELF) else 64
    if process.pid != run.pid and _is_of_the_app(run, signal):
        weight = 64
    return Cause(kind, f"{who} {verb} by {name}{by}", tuple(map(cut, lines)), remedy, weight)


def _is_sent(signal: Signal) -> bool:
    """Say whether another process sent it: runtimes raise a signal that they caught once more."""
    return signal.sender not in (0, signal.pid)


def _is_of_the_app(run: Run, signal: Signal | None) -> bool:
    """Say whether the app may have sent it to its child: then something else failed before."""
    if signal is None or not _is_sent(signal):
        return signal is None or signal.sender == signal.pid
    return process_of(run, signal.sender) is not None


def _by(run: Run, process: TracedProcess, name: str, signal: Signal | None) -> tuple[str, str]:
    if name in SELF and not (signal and _is_sent(signal)):
        return f": {SELF[name]}", "check the last events of the timeline: use -v"
    if signal is None or signal.sender == process.pid:
        return "", "check the last events of the timeline: use -v"
    if not signal.sender:
        return (
            "; none of its processes sent the signal",
            "find the sender: another container (shareProcessNamespace) or the node",
        )
    return (
        f"; {process_words(run, signal.sender)} sent the signal",
        "find out why this process sends the signal: a watchdog, a timeout, or a supervisor",
    )
