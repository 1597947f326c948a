"""Show how the package is built: for each of its packages files, lines and the length of functions.

``python -m tools.structure`` exits with 1 if a public name is defined in two modules: a reader
who searches for a name shall find one thing.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kubectl_scratch"
HEADS = ("PACKAGE", "FILES", "LINES", "FUNCTIONS", "MEDIAN", "P90", "LONGEST FILE")


class Module(NamedTuple):
    """One file: its dotted name, its lines, the lengths of its functions, its public names."""

    name: str
    lines: int
    functions: list[int]
    public: list[str]


def read(path: Path) -> Module:
    """Return what there is to know of a file."""
    text = path.read_text()
    tree = ast.parse(text)
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [n for n in ast.walk(tree) if isinstance(n, kinds)]
    lengths = [(n.end_lineno or n.lineno) - n.lineno + 1 for n in functions]
    public = [found for found in defined(tree) if not found.startswith("_")]
    return Module(name, text.count("\n"), lengths, public)


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines; what it imports is another's."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (n for target in targets for n in ast.walk(target))
            yield from (n.id for n in names if isinstance(n, ast.Name))


def table(modules: list[Module]) -> list[tuple[str, ...]]:
    """Return a row for each package, and one for all."""
    packages = defaultdict(list)
    for module in modules:
        packages[module.name.rpartition(".")[0]].append(module)
    rows = [_row(package, found) for package, found in sorted(packages.items())]
    return [HEADS, *rows, _row("all", modules)]


def _row(package: str, modules: list[Module]) -> tuple[str, ...]:
    lengths = sorted(length for module in modules for length in module.functions)
    longest = max(modules, key=lambda module: module.lines)
    median = statistics.median(lengths) if lengths else 0
    p90 = lengths[int(len(lengths) * 0.9)] if lengths else 0
    where = f"{longest.name.rpartition('.')[2]} {longest.lines}"
    lines = sum(module.lines for module in modules)
    return (package, *map(str, (len(modules), lines, len(lengths), f"{median:g}", p90)), where)


def twice(modules: list[Module]) -> dict[str, list[str]]:
    """Return the public names that several modules define, with those modules."""
    where = defaultdict(list)
    for module in modules:
        for name in dict.fromkeys(module.public):
            where[name].append(module.name)
    return {name: found for name, found in sorted(where.items()) if len(found) > 1}


def main() -> int:
    """Print the table and what stands twice; return the exit code."""
    files = (path for path in sorted(PACKAGE.rglob("*.py")) if path.read_text())
    modules = [read(path) for path in files]
    rows = table(modules)
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        print(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )
    repeated = twice(modules)
    for name, found in repeated.items():
        print(f"{name} is defined in {' and '.join(found)}")
    return 1 if repeated else 0


if __name__ == "__main__":
    sys.exit(main())
