"""What a verb prints on stdout: lines, tables, documents. What a cluster sends is untrusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubectl_scratch.runtime.console import printable


def as_lines(lines: Iterable[str]) -> str:
    """Return lines as text for a terminal."""
    return "".join(f"{printable(line)}\n" for line in lines)


def as_table(rows: Sequence[Sequence[str]], gap: str = "   ") -> str:
    """Return rows, the head first, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return as_lines(gap.join(map(str.ljust, row, widths)).rstrip() for row in rows)


def as_document(document: Any, output: str) -> str:
    """Return a document as json or yaml."""
    if output == "json":
        import json

        return json.dumps(document, indent=2) + "\n"
    from kubectl_scratch.kube.yaml_files import to_yaml

    return to_yaml(document)
