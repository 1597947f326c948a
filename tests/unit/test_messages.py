"""The English of what the package can print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.messages import messages

# What is said otherwise, and how.
INSTEAD = {
    r"\b(can|don|doesn|isn|won|couldn)'t\b": "cannot, do not",
    r"\bmay not\b": "cannot, no permission to",
    r"\bsomebody\b": "someone",
    r"\black(s|ed|ing)?\b": "is missing, has no",
    r"\bdo(es)? without\b": "works without, use",
    r"\bone word too many\b": "unexpected argument",
    r"\b(is|are) told\b": "is reported",
    r"\bgo(es)? on\b": "continues",
    r"\b(is|are) not known\b": "is unknown",
    r"\bbe it\b": "whether",
}


@pytest.mark.parametrize("idiom", INSTEAD)
def test_messages_speak_plain_english(idiom: str) -> None:
    found = [
        f"{m.path.name}:{m.line}: {m.text}"
        for m in messages()
        if re.search(idiom, re.sub(r"\{[^{}]*\}", "{}", m.text), re.IGNORECASE)
    ]
    assert not found, f"say {INSTEAD[idiom]}"


def test_all_kinds_of_messages_are_found(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        '"""A docstring of the module."""\n'
        "WORDS = 'held in a constant'\n"
        "console.warning(f'pod {name!r} is gone; ' f'use {flag}')\n"
        "PATTERN = r'(\\d+) is a pattern'\n"
    )
    found = [(m.line, m.text) for m in messages(tmp_path)]
    assert found == [(2, "held in a constant"), (3, "pod {name} is gone; use {flag}")]
