"""Ask once more what failed for the moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from kubectl_scratch.errors import ClusterError

_T = TypeVar("_T")

# The pauses between the tries, in seconds, and how late the last one may begin: an API server that
# takes long to fail would take as long again.
PAUSES, AGAIN_WITHIN = (0.1, 0.3, 0.6), 3.0
_CONFLICT_PAUSES = (0.5, 0.5)


def _is_transient(error: ClusterError) -> bool:
    return error.transient


def sleep(seconds: float) -> bool:
    """Wait; return true, because someone still waits."""
    time.sleep(seconds)
    return True


def retried(
    ask: Callable[[], _T],
    again: Callable[[ClusterError], bool] = _is_transient,
    pauses: tuple[float, ...] = PAUSES,
    within: float = AGAIN_WITHIN,
    pause: Callable[[float], bool] = sleep,
) -> _T:
    """Return what ``ask`` returns, retrying the failures that ``again`` accepts.

    Raises the last ClusterError. ``again`` must not accept one after which asking twice does
    harm. ``pause`` waits, and returns False if there is no reason to ask again.
    """
    give_up_at = time.monotonic() + within
    for seconds in pauses:
        try:
            return ask()
        except ClusterError as error:
            late = time.monotonic() > give_up_at
            if late or not again(error) or not pause(seconds):
                raise
    return ask()


def despite_conflicts(ask: Callable[[], _T]) -> _T:
    """Return what ``ask`` returns, retrying if someone else has just written to the object."""
    return retried(ask, lambda error: error.conflict, _CONFLICT_PAUSES, math.inf)
