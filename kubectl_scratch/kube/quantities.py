"""Quantities of Kubernetes, such as 100m and 2Gi, as numbers.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from fractions import Fraction

# One that is longer is none that an API server writes.
_LONGEST = 40
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]{1,2})|([KMGTPE]i|[numkMGTPE]?))"
)


def quantity(text: object) -> Fraction | None:
    """Return the number that a quantity says; None if it is none."""
    found = QUANTITY.fullmatch(str(text))
    if found is None or len(str(text)) > _LONGEST:
        return None
    number, exponent, suffix = Fraction(found[1]), found[2], found[3]
    if exponent is None and suffix in BINARY:
        return number * (1 << 10 * (BINARY.index(suffix) + 1))
    power = DECIMAL[suffix] if exponent is None else int(exponent)
    return number * Fraction(10) ** power
