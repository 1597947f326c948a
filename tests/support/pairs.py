"""Choose few of many combinations, so that any two values of two axes are met together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, product

Row = tuple[str, ...]


def pairwise(axes: Sequence[Sequence[str]], allowed: Callable[[Row], bool]) -> list[Row]:
    """Return allowed combinations, one value of each axis, in which every allowed pair occurs.

    Greedy: always the one with most new pairs; of equals, the one whose values were seen least,
    so that what comes late is as mixed as what comes early.
    """
    candidates = [row for row in product(*axes) if allowed(row)]
    pairs = {row: frozenset(combinations(enumerate(row), 2)) for row in candidates}
    missing = set[object]().union(*pairs.values())
    seen: Counter[tuple[int, str]] = Counter()
    chosen: list[Row] = []
    while missing:
        best = max(candidates, key=lambda row: (len(pairs[row] & missing), -_weight(row, seen)))
        chosen.append(best)
        missing -= pairs[best]
        seen.update(enumerate(best))
    return chosen


def _weight(row: Row, seen: Counter[tuple[int, str]]) -> int:
    return sum(seen[value] for value in enumerate(row))
