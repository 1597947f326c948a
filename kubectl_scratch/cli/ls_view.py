"""The list of `ls`, as a table or for programs to read."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubectl_scratch.cli.output import as_table
from kubectl_scratch.copies.listing import ENDED, ENDING, IN_PLACE, Listed
from kubectl_scratch.kube.objects import API_TIME, Json

_NONE, _UNKNOWN = "<none>", "<unknown>"

COLUMNS = ("NAME", "SOURCE", "VIEW", "SESSIONS", "EXPIRES", "AGE", "CREATED-BY")
WIDE = ("TARGET", "STATE", "REASON")


def listing_table(found: list[Listed], now: datetime, with_namespace: bool, wide: bool) -> str:
    """Return kubectl's table, the head first."""
    heads = (*(["NAMESPACE"] if with_namespace else []), *COLUMNS, *(WIDE if wide else ()))
    rows = [heads, *(_cells(row, now, heads) for row in found)]
    return as_table(rows)


def _cells(row: Listed, now: datetime, heads: tuple[str, ...]) -> tuple[str, ...]:
    cells = {
        "NAMESPACE": row.namespace,
        "NAME": row.name,
        "SOURCE": row.source or _UNKNOWN,
        "VIEW": row.view or _UNKNOWN,
        "SESSIONS": _UNKNOWN if row.sessions is None else str(row.sessions),
        "EXPIRES": _expires(row, now),
        "AGE": _UNKNOWN if row.since is None else age_words(now - row.since),
        "CREATED-BY": row.by or _UNKNOWN,
        "TARGET": row.target or _UNKNOWN,
        "STATE": row.state,
        "REASON": row.reason or _NONE,
    }
    return tuple(cells[head] for head in heads)


def _expires(row: Listed, now: datetime) -> str:
    if row.state in (ENDING, ENDED) and (row.view == IN_PLACE or row.state == ENDING):
        return row.state
    return _UNKNOWN if row.expires is None else age_words(row.expires - now)


def age_words(span: timedelta) -> str:
    """Return a time span as kubectl writes it, with at most two units; never below zero.

    HumanDuration in kubernetes/kubernetes, staging/src/k8s.io/apimachinery/pkg/util/duration.
    """
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 2:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if days < 2:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d"


def _two(first: int, unit: str, second: int, lesser: str) -> str:
    return f"{first}{unit}{second}{lesser}" if second else f"{first}{unit}"


def listing_document(found: list[Listed]) -> Json:
    """Return the list for programs to read; times as the API writes them."""
    return {"items": [_item(row) for row in found]}


def _item(row: Listed) -> Json:
    times = {key: _stamp(getattr(row, key)) for key in ("expires", "since")}
    return {**row._asdict(), **times}


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.strftime(API_TIME)
