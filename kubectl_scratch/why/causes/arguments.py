"""Arguments that the app does not understand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import went_wrong
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import target_of
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.wording import cut, quoted_words

_UNKNOWN = re.compile(
    r"(?i)(?:unknown|unrecogni[sz]ed|invalid|illegal|bad|unexpected|unsupported|ambiguous)"
    r" (?:command[- ]line )?(?:long |short |shorthand |VM )?(?:flag|option|argument|switch|"
    r"parameter|command|subcommand)s?\b[:\s]*(?:--)?"
    r"|flag provided but not defined|no such (?:option|flag|command)|flag needs an argument"
    r"|option requires an argument|found argument .* which wasn't expected"
    r"|unexpected argument .* found|Error: Unknown option"
)
_MISSING = re.compile(
    r"(?i)the following (?:required )?arguments (?:are required|were not provided)"
    r"|missing (?:required )?(?:argument|option|operand|flag|parameter)"
    r"|required (?:flag|option|argument)(?:\(s\)|s)? |too (?:few|many) arguments"
    r"|(?:requires|expected) (?:at least |exactly )?\w+ arguments?"
    r"|argument .*: (?:invalid|expected)|invalid choice:|invalid (?:argument|value) .* for"
    r"|Could not create the Java Virtual Machine"
)
USAGE = re.compile(r"(?im)^\s*usage\b[ :]")
USAGE_CODES = (1, 2, 64, 255)


def find_arguments(evidence: Evidence) -> Iterator[Cause]:
    """Yield an argument of which the last words complain."""
    run = evidence.run
    if not went_wrong(run):
        return
    has_usage = bool(USAGE.search(evidence.words.text))
    for pattern in (_UNKNOWN, _MISSING):
        found = line_with(evidence.words, pattern)
        if found and (has_usage or _is_of_the_app(run, found)):
            weight = 95 if _names_a_word(run, found.string) or has_usage else 86
            yield _cause(evidence, found.string, weight)
            return
    if has_usage and run.code in USAGE_CODES:
        yield _cause(evidence, _usage_line(evidence), 78)


def _is_of_the_app(run: Run, found: re.Match[str]) -> bool:
    """Say whether a complaint is about the command line and not about a system call."""
    strerror = re.search(r"Invalid argument\s*$|\(22: Invalid argument\)", found.string)
    return not strerror


def _names_a_word(run: Run, line: str) -> bool:
    words = (word.lstrip("-").partition("=")[0] for word in run.words[1:])
    return any(len(word) > 1 and word in line for word in words)


def _usage_line(evidence: Evidence) -> str:
    lines = [line for line in evidence.words.text.split("\n") if line.strip()]
    before = [line for line in lines if not USAGE.search(line)]
    return next((line for line in lines if USAGE.search(line)), before[0] if before else "")


def _cause(evidence: Evidence, line: str, weight: int) -> Cause:
    container = target_of(evidence.facts)
    where = "args" if container.get("args") else "command" if container.get("command") else ""
    remedy = (
        f"correct {where} of container {evidence.facts.target}"
        if where
        else f"set args of container {evidence.facts.target}: the arguments come from the image"
    )
    return Cause(
        "bad-argument",
        f"the app rejects its arguments: {cut(line)}",
        (cut(line), f"command: {quoted_words(evidence.run.words)}"),
        remedy,
        weight,
    )
