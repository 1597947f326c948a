"""The answer in words, for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from kubectl_scratch.why.model import Cause, Explanation


def answer_lines(
    subject: str, answer: Explanation, width: int, timeline: bool = False
) -> Iterator[str]:
    """Yield the lines of the answer about ``subject``, none longer than ``width`` columns.

    Only a word may be: a command that is to be copied is not cut. ``timeline`` adds what the app
    did.
    """
    yield from _wrapped(f"{subject}: {answer.outcome}", width, "", "  ")
    numbered = len(answer.causes) > 1
    for number, cause in enumerate(answer.causes, 1):
        yield ""
        yield from _cause_lines(cause, f"{number}. " if numbered else "", width)
    if not answer.causes and not answer.runs:
        yield ""
        yield "no cause found"
        yield from _listed(answer.evidence, width)
    if timeline and answer.timeline:
        yield ""
        yield "what the app did:"
        yield from (f"  {line}" for line in answer.timeline)


def _cause_lines(cause: Cause, number: str, width: int) -> Iterator[str]:
    yield from _wrapped(cause.sentence, width, number, " " * len(number))
    yield from _listed(cause.evidence, width)
    if cause.remedy:
        yield from _wrapped(cause.remedy, width, "  to fix it: ", "  ")


def _listed(lines: Iterable[str], width: int) -> Iterator[str]:
    for line in lines:
        yield from _wrapped(line, width, "  - ", "    ")


def _wrapped(text: str, width: int, first: str, then: str) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
