"""Ask once more what failed for the moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from kubectl_scratch.errors import ClusterError

_T = TypeVar("_T")

# The pauses between the tries, in seconds, and how late the last one may begin: an API server that
# takes long to fail would take as long again.
PAUSES, AGAIN_WITHIN = (0.1, 0.3, 0.6), 3.0


def retried(read: Callable[[], _T]) -> _T:
    """Return what ``read`` returns, retrying transient failures; raises the last ClusterError.

    It must change nothing in the cluster.
    """
    give_up_at = time.monotonic() + AGAIN_WITHIN
    for pause in PAUSES:
        try:
            return read()
        except ClusterError as error:
            if not error.transient or time.monotonic() > give_up_at:
                raise
        time.sleep(pause)
    return read()
