"""Quantities, as the API server takes them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from kubectl_scratch.kube.quantities import quantity


@pytest.mark.parametrize(
    "text, number",
    [
        *[("1", 1), (3, 3), (1.5, "1.5"), ("1.5", "1.5"), ("100m", "0.1"), ("5n", "5e-9")],
        *[("2k", 2000), ("1E", 10**18), ("3E", "3e18"), ("1Ki", 1024), ("1Gi", 1 << 30)],
        *[("1Ei", 1 << 60), (".5Gi", 1 << 29), ("5.", 5), ("-1", -1), ("+1", 1), ("2u", "2e-6")],
        *[("1e3", 1000), ("1E-3", "0.001"), ("1E3", 1000)],
    ],
)
def test_a_quantity(text: object, number: int | str) -> None:
    assert quantity(text) == Fraction(number)


@pytest.mark.parametrize(
    "text", ["", "x", "1x", "much", ".", "..", "1..2", "1e999999999", "9" * 99, "1Kim", None]
)
def test_what_is_no_quantity(text: object) -> None:
    assert quantity(text) is None
