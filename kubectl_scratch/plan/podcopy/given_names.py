"""Names that the user gave, against those that the copy has."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_scratch.errors import InvalidRequest


def require_names(kind: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    """Raise InvalidRequest for the first name that is not there; the hint lists what is.

    ``kind`` is the word for what is named, such as "volume".
    """
    known = list(dict.fromkeys(there))
    for name in sorted(wanted):
        if name not in known:
            hint = f"it has: {', '.join(known)}" if known else "it has none"
            raise InvalidRequest(f"the copy has no {kind} {name!r}", hint)
