"""What the app said before its end, and which of it says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_scratch.why.report import Run

# Lines of a trace, of help, and of decoration: they say nothing by themselves.
FRAME = re.compile(
    r"""^\s+at\s | ^\s+File\s" | ^goroutine\s\d | ^\t | ^\s*\.\.\.\s\d+\smore | ^\s*[\^~|=*#-]+\s*$
    | ^Node\.js\sv\d | ^exit\sstatus\s\d | ^main\.main\(\) | ^runtime\. | ^\s*$ | ^\s{4,}
    | ^note:\s(run\swith|RUST_BACKTRACE) | ^created\sby\s | ^\[signal\s | ^\s*[{}\]\[,;()]+\s*$
    | ^rax\s | ^\s*(code|errno|syscall|path|requireStack|stack|address|port):\s""",
    re.VERBOSE,
)
_PYTHON = re.compile(
    r"^[A-Za-z_][\w.]*(Error|Exception|Exit|Warning|Interrupt|Fault|NotFound\w*)\b"
)
REASONS = (
    re.compile(r"^panic: |^fatal error: |^thread '.*' (\(\d+\) )?panicked at"),
    re.compile(r"^Caused by: |^Exception in thread|^Error: "),
    re.compile(r"^(Uncaught )?\w*(Error|Exception)\b( \[[A-Z_]+\])?: "),
    re.compile(r"\[(emerg|alert|crit)\]|(?i:\b(fatal|panic|critical|emergency)\b)"),
    re.compile(r"(?i:\b(error|failed|failure|cannot|can't|could not|unable to|exception)\b)"),
)
ERRNO = re.compile(r"\bE[A-Z]{3,}\b|(?i:no such|denied|not found|refused|read-only)")
# Words of an error after which nothing that matters follows.
FATAL_WORDS = re.compile(
    r"(?i)\bpanic\b|panicked at|\bfatal\b|Traceback \(most|\[(emerg|alert|crit)\]|^Caused by:|"
    r"Exception in thread|unhandled|uncaught|Node\.js v\d",
    re.MULTILINE,
)
# Enough of a mention in a text: shorter names stand in other words.
SHORTEST_NAME = 5
NEAREST_LINES = 12
# Of a line, what patterns are tried on: a longer one is none that people write, and costs time.
LONGEST_WORDS = 600


class LastWords(NamedTuple):
    """The end of what the app wrote: ``text`` is all of it, stdout first."""

    text: str
    lines: tuple[str, ...]

    @property
    def end(self) -> str:
        """Return the last lines that are no frames of a trace."""
        return "\n".join(self.lines[-NEAREST_LINES:])


def last_words(run: Run) -> LastWords:
    """Return what the app said at last."""
    streams = [run.output.get(name, "") for name in ("stdout", "stderr")]
    text = "\n".join(line[:LONGEST_WORDS] for part in streams for line in part.split("\n"))
    lines = tuple(line.rstrip() for line in text.split("\n") if not FRAME.search(line))
    return LastWords(text, lines)


def reason_line(run: Run) -> str:
    """Return the one line that says most of why the app ended; empty if it said nothing."""
    own = [run.output.get("stderr", ""), run.output.get("stdout", "")]
    for text in filter(str.strip, own):
        lines = [line for line in text.split("\n") if not FRAME.search(line)]
        for found in _reasons(text, lines):
            return found.strip()
    return ""


def _reasons(text: str, lines: list[str]) -> Iterator[str]:
    if "Traceback (most recent call last)" in text:
        yield from (line for line in reversed(lines) if _PYTHON.search(line))
    for pattern in REASONS[:3]:
        found = [line for line in lines if pattern.search(line)]
        # The last cause of a chain is the innermost; the first panic is the one that counts.
        yield from found[:1] if pattern is REASONS[0] else reversed(found)
    for pattern in REASONS[3:]:
        yield from (line for line in reversed(lines) if pattern.search(line))
    yield from reversed(lines)


def line_with(words: LastWords, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """Return the last match of a pattern in a line."""
    for line in reversed(words.lines):
        found = pattern.search(line)
        if found:
            return found
    return None


def mention(text: str, name: str) -> bool:
    """Say whether a name stands in a text as a word of its own."""
    if len(name) < SHORTEST_NAME or name not in text:
        return False
    return bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text))


def ends_with_error(words: LastWords) -> bool:
    """Say whether the last line tells of an error, in words or by its number."""
    last = next((line for line in reversed(words.lines) if line), "")
    return any(pattern.search(last) for pattern in (*REASONS, _PYTHON, ERRNO))


def is_silent(run: Run) -> bool:
    """Say whether the app wrote nothing that says how it ended."""
    if run.output.get("stderr", "").strip():
        return False
    return not any(pattern.search(run.output.get("stdout", "")) for pattern in REASONS)
