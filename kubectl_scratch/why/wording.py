"""What was seen, as lines of evidence and as parts of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubectl_scratch.runtime.console import printable
from kubectl_scratch.why.errnos import meaning
from kubectl_scratch.why.report import Call, Question, Run, TracedProcess

# Names in a sentence, and characters of a line that the app wrote.
MOST_NAMES, LONGEST_LINE = 8, 240
FAMILIES = {"1": "unix", "2": "inet", "10": "inet6", "16": "netlink", "17": "packet"}
SOCKET_TYPES = {"1": "stream", "2": "dgram", "3": "raw"}
VERBS = {
    "openat": "open",
    "openat2": "open",
    "creat": "open",
    "newfstatat": "stat",
    "fstatat64": "stat",
    "statx": "stat",
    "lstat": "stat",
    "faccessat": "access",
    "faccessat2": "access",
    "execve": "exec",
    "execveat": "exec",
    "mkdirat": "mkdir",
    "mknodat": "mknod",
    "unlinkat": "unlink",
    "renameat": "rename",
    "renameat2": "rename",
    "linkat": "link",
    "symlinkat": "symlink",
    "readlinkat": "readlink",
    "fchmodat": "chmod",
    "fchmod": "chmod",
    "fchmodat2": "chmod",
    "fchownat": "chown",
    "fchown": "chown",
    "lchown": "chown",
    "utimensat": "utime",
    "prlimit64": "setrlimit",
    "clone3": "clone",
    "pwrite64": "write",
    "writev": "write",
    "sendto": "send",
    "sendmsg": "send",
    "sendmmsg": "send",
    "recvfrom": "receive",
    "recvmsg": "receive",
}


def verb(call: str) -> str:
    """Return what a system call does, in a word."""
    return VERBS.get(call, call)


def place(address: str, port: int) -> str:
    """Return an address and its port as people write them."""
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port}" if port else host


def object_of(call: Call) -> str:
    """Return what a call was about: a path, an address, or its arguments."""
    if call.path:
        return f"{call.path} -> {call.to}" if call.to else call.path
    if call.address or call.port:
        return place(call.address, call.port)
    if call.call in ("clone", "clone3", "mmap", "prctl"):
        return f"of {mebibytes(call.size)}" if call.size else ""
    return _socket(call) if call.call == "socket" else " ".join(call.arguments)


def _socket(call: Call) -> str:
    """Return the arguments of socket, which are numbers, in words."""
    family, kind = [*call.arguments, "", ""][:2]
    bits = int(kind) & 0xF if kind.isdecimal() else 0
    words = (
        FAMILIES.get(family, family),
        SOCKET_TYPES.get(str(bits), kind if not bits else str(bits)),
    )
    return " ".join(filter(None, words))


def call_line(call: Call, run: Run) -> str:
    """Return a failed call as a line of evidence."""
    what = f"{verb(call.call)} {object_of(call)}".strip()
    who = f" by {process_words(run, call.pid)}" if call.pid not in (0, run.pid) else ""
    result = meaning(call.error) if call.error else "no answer"
    return printable(f"{what}{who}: {result} ({_when(call, run)})")


def _when(call: Call, run: Run) -> str:
    often = f"{call.times} times, last " if call.times > 1 else ""
    if run.at and call.at <= run.at and not run.running:
        before = run.at - call.at
        when = f"{often}{duration(before) if before else 'just'} before the end"
    else:
        when = f"{often}{duration(call.at)} after the start"
    return f"{when}, waited {duration(call.waited)}" if call.waited >= 1000 else when


def question_line(question: Question) -> str:
    """Return a question to a DNS server as a line of evidence."""
    often = f" ({question.times} times)" if question.times > 1 else ""
    answer = question.code or "no answer"
    if question.code == "NOERROR" and not question.answers:
        answer = "no address"
    server = f" to {question.server}" if question.server else ""
    return printable(f"DNS query {question.name} {question.type}{server}: {answer}{often}")


def process_words(run: Run, pid: int) -> str:
    """Return a process by its program's name and its id."""
    process = process_of(run, pid)
    return f"{program_name(process)}[{pid}]" if process else f"process {pid}"


def process_of(run: Run, pid: int) -> TracedProcess | None:
    """Return the process of that id; the last one if an id was used again."""
    return next((found for found in reversed(run.processes) if found.pid == pid), None)


def program_name(process: TracedProcess | None) -> str:
    """Return the base name of a process's program."""
    if process is None:
        return ""
    return (process.exe or next(iter(process.words), "")).rpartition("/")[2]


def duration(ms: int) -> str:
    """Return a time span, as short as it is useful."""
    if ms < 1000:
        return f"{ms} ms"
    if ms < 10_000:
        return f"{ms / 1000:.1f} s"
    return f"{ms // 1000} s" if ms < 120_000 else f"{ms // 60_000} min"


def mebibytes(size: int) -> str:
    """Return a size in memory as people say it."""
    if size < 1 << 20:
        return f"{max(size >> 10, 1)} KiB"
    return f"{size >> 20} MiB" if size < 10 << 30 else f"{size >> 30} GiB"


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Return names as a part of a sentence."""
    every = list(names)
    shown = every[:most] if len(every) > most + 1 else every
    rest = len(every) - len(shown)
    if rest:
        return printable(", ".join(shown)) + f" and {rest} more"
    return printable(" and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]])))


def cut(line: str) -> str:
    """Return what the app wrote, safe to show and not too long."""
    text = printable(line.strip())
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 3]}..."


def quoted_words(words: Sequence[str]) -> str:
    """Return a command as a line that is not too long."""
    return cut(" ".join(words))
