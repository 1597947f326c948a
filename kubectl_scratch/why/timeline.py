"""What a run did, in order."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.runtime.console import printable
from kubectl_scratch.why.errnos import meaning
from kubectl_scratch.why.noise import is_noise
from kubectl_scratch.why.report import Peer, Run, TracedProcess
from kubectl_scratch.why.wording import (
    cut,
    duration,
    object_of,
    place,
    process_words,
    quoted_words,
    verb,
)

MOST_EVENTS = 400
_ENDS = ("killed by ", "exited")


def timeline_of(run: Run) -> tuple[str, ...]:
    """Return the events of a run as lines, each with its time and process."""
    # What failed comes before the end that it caused, if both are in the same millisecond.
    events = sorted(_events(run), key=lambda event: (event[0], event[2].startswith(_ENDS)))
    if len(events) > MOST_EVENTS:
        left = len(events) - MOST_EVENTS
        events = [(events[left][0], 0, f"({left} earlier events omitted)"), *events[left:]]
    return tuple(_line(run, *event) for event in events)


def _line(run: Run, at: int, pid: int, text: str) -> str:
    who = f"{process_words(run, pid)}  " if pid else ""
    return printable(f"{duration(at)}  {who}{text}")


def _events(run: Run) -> Iterator[tuple[int, int, str]]:
    for process in run.processes:
        yield process.at, process.pid, f"start: {quoted_words(process.words)}"
        if process.end is not None:
            yield process.end, process.pid, _end(process)
    for call in run.calls:
        if is_noise(call, run):
            continue
        often = f" ({call.times} times)" if call.times > 1 else ""
        yield (
            call.at,
            call.pid,
            f"{verb(call.call)} {object_of(call)}: {meaning(call.error)}{often}",
        )
    for question in run.questions:
        answer = " ".join(question.answers) or question.code or "no answer"
        yield question.at, question.pid, f"DNS {question.name} {question.type}: {answer}"
    for opened in run.opened:
        yield opened.at, opened.pid, f"open {opened.path}"
    yield from _of_peers(run)
    for signal in run.signals:
        where = f" at {signal.address}" if signal.address else ""
        inside = f" in {signal.inside}" if signal.inside else ""
        yield signal.at, signal.pid, f"signal {signal.signal}{where}{inside}"
    for stream, text in run.output.items():
        last = next((line for line in reversed(text.split("\n")) if line.strip()), "")
        if last:
            yield run.output_at.get(stream, run.at), 0, f"last line on {stream}: {cut(last)}"


def _end(process: TracedProcess) -> str:
    if process.signal:
        return f"killed by {process.signal}"
    return f"exited with code {process.code}" if process.code is not None else "exited"


def _of_peers(run: Run) -> Iterator[tuple[int, int, str]]:
    for peers, what in ((run.connected, "connected to"), (run.listening, "listening on")):
        for peer in peers:
            yield peer.at, peer.pid, f"{what} {_where(peer)}"


def _where(peer: Peer) -> str:
    return peer.path or place(peer.address, peer.port)
