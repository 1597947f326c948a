"""What the tracer reports of one run of the app.

The report is JSON Lines. It comes from the container, so nothing in it is believed: what has
another form than expected is left out, and its size is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

# Of a report, in bytes, and of its lines: the tracer writes no more.
LARGEST, MOST_LINES = 1 << 20, 8192
# Of a text in it, in characters.
LONGEST_TEXT = 16384


class FileState(NamedTuple):
    """What is at a path at the end of the run; ``names`` are some of a folder's entries."""

    path: str
    type: str
    mode: int
    uid: int
    gid: int
    size: int = 0
    names: tuple[str, ...] = ()


class Program(NamedTuple):
    """What a file is that could not be executed."""

    format: str
    machine: str = ""
    interpreter: str = ""
    interpreter_exists: bool = True
    crlf: bool = False


class Call(NamedTuple):
    """A system call that failed, ``times`` times with the same object and error.

    ``at`` is the last time, ``first`` the first, in ms since the start. ``error`` is empty for one
    that never returned. ``found`` is where the same base name was found later.
    """

    call: str
    pid: int
    at: int
    first: int
    times: int = 1
    error: str = ""
    path: str = ""
    to: str = ""
    access: str = ""
    create: bool = False
    found: str = ""
    here: FileState | None = None
    nearest: FileState | None = None
    words: tuple[str, ...] = ()
    program: Program | None = None
    family: str = ""
    protocol: str = ""
    address: str = ""
    port: int = 0
    waited: int = 0
    pending: bool = False
    arguments: tuple[str, ...] = ()
    size: int = 0


class TracedProcess(NamedTuple):
    """A process of the app; without ``end`` it ran until the run was over."""

    pid: int
    parent: int
    at: int
    words: tuple[str, ...] = ()
    exe: str = ""
    end: int | None = None
    code: int | None = None
    signal: str = ""


class Peer(NamedTuple):
    """What was connected to, or is listened on."""

    pid: int
    at: int
    family: str = ""
    protocol: str = ""
    address: str = ""
    port: int = 0
    path: str = ""


class Question(NamedTuple):
    """A question to a DNS server; ``code`` is empty if no answer came."""

    name: str
    type: str
    server: str
    at: int
    first: int
    times: int = 1
    code: str = ""
    answers: tuple[str, ...] = ()
    pid: int = 0


class Opened(NamedTuple):
    """A regular file that was opened."""

    pid: int
    at: int
    path: str


class Signal(NamedTuple):
    """A signal that a process got."""

    pid: int
    at: int
    signal: str
    code: str = ""
    address: str = ""
    inside: str = ""
    sender: int = 0
    fatal: bool = False
    call: str = ""


class Wait(NamedTuple):
    """A call in which a thread still was at the end, ``since`` ms after the start."""

    pid: int
    thread: int
    call: str
    since: int
    address: str = ""
    port: int = 0
    path: str = ""


class Run(NamedTuple):
    """One run of the app; ``output`` is the end of each stream's text, by its name.

    ``untraced`` says why nothing but the end and the output is known. ``pid`` is the app's own
    process; it ended with ``code`` or by ``signal``, or was still running. ``complete`` says that
    the report has its last line.
    """

    words: tuple[str, ...] = ()
    folder: str = ""
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    capabilities: int = 0
    arch: str = ""
    limit_memory: int = 0
    limit_pids: int = 0
    untraced: str = ""
    variables: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    processes: tuple[TracedProcess, ...] = ()
    calls: tuple[Call, ...] = ()
    connected: tuple[Peer, ...] = ()
    listening: tuple[Peer, ...] = ()
    questions: tuple[Question, ...] = ()
    opened: tuple[Opened, ...] = ()
    signals: tuple[Signal, ...] = ()
    output: Mapping[str, str] = {}
    output_at: Mapping[str, int] = {}
    pid: int = 0
    at: int = 0
    code: int | None = None
    signal: str = ""
    running: bool = False
    waits: tuple[Wait, ...] = ()
    peak_memory: int = 0
    oom_kills: int = 0
    dropped: int = 0
    complete: bool = False


def parse_report(data: bytes) -> Run:
    """Return the run of a report; of a broken one, what can be read."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for line in _lines(data):
        found.setdefault(_text(line, "kind"), []).append(line)
    run = _first(found, "run")
    env = _first(found, "env")
    end = _first(found, "end")
    output = {_text(line, "stream"): line for line in found.get("output", [])}
    return Run(
        words=_words(run, "words"),
        folder=_text(run, "folder"),
        uid=_number(run, "uid"),
        gid=_number(run, "gid"),
        groups=tuple(item for item in _list(run, "groups") if isinstance(item, int)),
        capabilities=_hex(run, "caps"),
        arch=_text(run, "arch"),
        limit_memory=_number(run, "limit_memory"),
        limit_pids=_number(run, "limit_pids"),
        untraced=_text(run, "untraced"),
        variables=frozenset(_words(env, "names")),
        empty=frozenset(_words(env, "empty")),
        processes=tuple(map(_process, found.get("process", []))),
        calls=tuple(map(_call, found.get("call", []))),
        connected=tuple(map(_peer, found.get("connected", []))),
        listening=tuple(map(_peer, found.get("listening", []))),
        questions=tuple(map(_question, found.get("dns", []))),
        opened=tuple(
            Opened(_number(line, "pid"), _number(line, "at"), _text(line, "path"))
            for line in found.get("opened", [])
        ),
        signals=tuple(map(_signal, found.get("signal", []))),
        output={stream: _text(line, "text") for stream, line in output.items()},
        output_at={stream: _number(line, "at") for stream, line in output.items()},
        pid=_number(end, "pid"),
        at=_number(end, "at"),
        code=_optional(end, "code"),
        signal=_text(end, "signal"),
        running=end.get("running") is True,
        waits=tuple(_wait(item) for item in _list(end, "waits") if isinstance(item, dict)),
        peak_memory=_number(end, "peak_memory"),
        oom_kills=_number(end, "oom_kills"),
        dropped=_number(end, "dropped"),
        complete=bool(end),
    )


def _lines(data: bytes) -> Iterator[Mapping[str, Any]]:
    for line in data[:LARGEST].split(b"\n")[:MOST_LINES]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _first(found: Mapping[str, list[Mapping[str, Any]]], kind: str) -> Mapping[str, Any]:
    return found.get(kind, [{}])[0]


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _optional(line: Mapping[str, Any], name: str) -> int | None:
    value = line.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(line: Mapping[str, Any], name: str) -> int:
    return _optional(line, name) or 0


def _list(line: Mapping[str, Any], name: str) -> list[Any]:
    value = line.get(name)
    return value if isinstance(value, list) else []


def _words(line: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(item)[:LONGEST_TEXT] for item in _list(line, name))


def _based(line: Mapping[str, Any], name: str, base: int) -> int:
    try:
        return int(_text(line, name) or "0", base)
    except ValueError:
        return 0


def _hex(line: Mapping[str, Any], name: str) -> int:
    return _based(line, name, 16)


def _file_state(line: Any, path: str) -> FileState | None:
    if not isinstance(line, dict):
        return None
    return FileState(
        _text(line, "path") or path,
        _text(line, "type"),
        _based(line, "mode", 8),
        _number(line, "uid"),
        _number(line, "gid"),
        _number(line, "size"),
        _words(line, "names"),
    )


def _program(line: Any) -> Program | None:
    if not isinstance(line, dict):
        return None
    return Program(
        _text(line, "format"),
        _text(line, "machine"),
        _text(line, "interpreter"),
        line.get("interpreter_exists") is not False,
        line.get("crlf") is True,
    )


def _call(line: Mapping[str, Any]) -> Call:
    path = _text(line, "path")
    return Call(
        call=_text(line, "call"),
        pid=_number(line, "pid"),
        at=_number(line, "at"),
        first=_number(line, "first"),
        times=_number(line, "count") or 1,
        error=_text(line, "error"),
        path=path,
        to=_text(line, "to"),
        access=_text(line, "access"),
        create=line.get("create") is True,
        found=_text(line, "found"),
        here=_file_state(line.get("is"), path),
        nearest=_file_state(line.get("nearest"), ""),
        words=_words(line, "words"),
        program=_program(line.get("program")),
        family=_text(line, "family"),
        protocol=_text(line, "protocol"),
        address=_text(line, "address"),
        port=_number(line, "port"),
        waited=_number(line, "waited"),
        pending=line.get("pending") is True,
        arguments=_words(line, "arguments"),
        size=_number(line, "size"),
    )


def _process(line: Mapping[str, Any]) -> TracedProcess:
    return TracedProcess(
        _number(line, "pid"),
        _number(line, "parent"),
        _number(line, "at"),
        _words(line, "words"),
        _text(line, "exe"),
        _optional(line, "end"),
        _optional(line, "code"),
        _text(line, "signal"),
    )


def _peer(line: Mapping[str, Any]) -> Peer:
    return Peer(
        _number(line, "pid"),
        _number(line, "at"),
        _text(line, "family"),
        _text(line, "protocol"),
        _text(line, "address"),
        _number(line, "port"),
        _text(line, "path"),
    )


def _question(line: Mapping[str, Any]) -> Question:
    return Question(
        name=_text(line, "name"),
        type=_text(line, "type"),
        server=_text(line, "server"),
        at=_number(line, "at"),
        first=_number(line, "first"),
        times=_number(line, "count") or 1,
        code=_text(line, "code"),
        answers=_words(line, "answers"),
        pid=_number(line, "pid"),
    )


def _signal(line: Mapping[str, Any]) -> Signal:
    return Signal(
        pid=_number(line, "pid"),
        at=_number(line, "at"),
        signal=_text(line, "signal"),
        code=_text(line, "code"),
        address=_text(line, "address"),
        inside=_text(line, "in"),
        sender=_number(line, "sender"),
        fatal=line.get("fatal") is True,
        call=_text(line, "call"),
    )


def _wait(line: Mapping[str, Any]) -> Wait:
    return Wait(
        _number(line, "pid"),
        _number(line, "thread"),
        _text(line, "call"),
        _number(line, "since"),
        _text(line, "address"),
        _number(line, "port"),
        _text(line, "path"),
    )
