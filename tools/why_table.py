"""Write the tables of docs/why.md: ``python -m tools.why_table RESULTS``.

RESULTS is what the corpus of the cluster tier wrote, a line of JSON for each pod:
``SCRATCH_WHY_TABLE=RESULTS pytest tests/cluster/why``. Of two lines of a pod the last counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kubectl_scratch.why.kinds import CAUSE_KINDS

Row = dict[str, Any]
PAGE = Path(__file__).parents[1] / "docs" / "why.md"
BEGIN = "<!-- table: made by python -m tools.why_table -->"
END = "<!-- end of the table -->"
KINDS = "<!-- kinds: made by python -m tools.why_table -->"
END_OF_KINDS = "<!-- end of the kinds -->"
SUMMARY = ("half", "pods", "kinds", "answered", "right, of the answers", "right, of all")
CASES = ("pod", "half", "app", "cause", "answer", "seconds")


def main(words: list[str]) -> int:
    """Replace the table in the page by that of the results."""
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    rows = read_results(Path(words[0]).read_text())
    page = replace_table(PAGE.read_text(), "\n".join(tables(rows)))
    PAGE.write_text(replace_table(page, "\n".join(kinds()), KINDS, END_OF_KINDS))
    return 0


def read_results(text: str) -> list[Row]:
    """Return a row for each pod, by half and cause."""
    rows: dict[str, Row] = {}
    for line in text.splitlines():
        row = json.loads(line)
        rows[row["name"]] = row
    return sorted(rows.values(), key=lambda row: (row["half"], row["expected"], row["name"]))


def replace_table(page: str, table: str, begin: str = BEGIN, end: str = END) -> str:
    """Return the page with another table between its markers."""
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n\n{table}\n\n{end}{tail}"


def kinds() -> Iterator[str]:
    """Yield the lines of the table of kinds."""
    rows = [(f"`{kind.id}`", kind.says, kind.shown_by) for kind in CAUSE_KINDS]
    yield from _table(("kind", "cause", "shown by"), rows)


def tables(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of the summary, and of the table of all pods."""
    halves = sorted({row["half"] for row in rows})
    yield from _table(
        SUMMARY,
        [
            *(_summary(half, [row for row in rows if row["half"] == half]) for half in halves),
            _summary("both", rows),
        ],
    )
    yield ""
    yield from _table(CASES, [_case(row) for row in rows])


def _summary(half: str, rows: list[Row]) -> tuple[str, ...]:
    answered = [row for row in rows if row["answered"]]
    right = sum(row["right"] for row in rows)
    kinds = {row["expected"][0] for row in rows}
    return (
        half,
        str(len(rows)),
        str(len(kinds)),
        _percent(len(answered), len(rows)),
        _percent(right, len(answered)),
        _percent(right, len(rows)),
    )


def _percent(part: int, whole: int) -> str:
    return f"{part} ({100 * part // whole} %)" if whole else "-"


def _case(row: Row) -> tuple[str, ...]:
    answer = ", ".join(row["kinds"]) or "no cause found"
    if row["kinds"][:1] and row["kinds"][0] in row["expected"]:
        answer += f" without {', '.join(row['missing'])}"
    app = f"{row['family']}, restricted" if row["restricted"] else row["family"]
    told = "right" if row["right"] else f"**{answer}**"
    cause = " or ".join(row["expected"])
    return row["name"], row["half"], app, cause, told, f"{row['seconds']:.1f}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
