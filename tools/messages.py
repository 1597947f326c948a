"""Print every text that the package can show, by file: ``python -m tools.messages``.

Those are the string literals and f-strings that have words in them and are no docstrings, whether
they go to the console, into an error, a finding, help, or into a variable before that.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "kubectl_scratch"
# Two words beside each other; a pattern, a path or a format has none, or characters of its own.
_WORDS = re.compile(r"[a-z']{2,}[,;:]? (?:[a-z']{2,}|a\b|\{)", re.IGNORECASE)
_PATTERN = re.compile(r"\\[dDwWsSZ]|\(\?|\[\^")


class Message(NamedTuple):
    """A text, its values in braces, and the line where it begins."""

    path: Path
    line: int
    text: str


def messages(package: Path = PACKAGE) -> Iterator[Message]:
    """Yield the texts of all modules of a package, in the order of their lines."""
    for path in sorted(package.rglob("*.py")):
        yield from sorted(_of_module(path), key=lambda message: message.line)


def _of_module(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text())
    # What is no message: docstrings, and the parts of f-strings, which are read as a whole.
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(child for value in node.values for child in ast.walk(value))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node not in skipped:
            text = _text_of(node)
            if _WORDS.search(text) and not _PATTERN.search(text):
                yield Message(path, node.lineno, text)


def _text_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        _text_of(value) if isinstance(value, ast.Constant) else f"{{{_expression(value)}}}"
        for value in node.values
    )


def _expression(value: ast.expr) -> str:
    return ast.unparse(value.value) if isinstance(value, ast.FormattedValue) else ""


def main() -> None:
    """Print them for a person to read, front to back."""
    shown: Path | None = None
    for message in messages():
        if message.path != shown:
            shown = message.path
            sys.stdout.write(f"\n{shown.relative_to(PACKAGE.parent)}\n")
        sys.stdout.write(f"{message.line:5}  {' '.join(message.text.split())}\n")


if __name__ == "__main__":
    main()
