"""Give a copy a deadline when its lease does not count down: no controller completes its Job."""

from __future__ import annotations

import math

from kubectl_scratch.copies.created_object import CreatedObject, problem_of
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube.client import Client
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.durations import duration_words


class FallbackDeadline:
    """Set the deadline, once, and say so.

    It is later than the end of this session, of ``longest`` seconds, and of the first one: a
    deadline can be set on a pod that runs, and then only be made shorter. ``lasts`` is how long,
    in words, as soon as it is set; ``failed`` says that it was tried and is not set.
    """

    def __init__(self, cluster: Client, console: Console, longest: float, ttl: float) -> None:
        self.lasts = ""
        self.failed = False
        self._cluster = cluster
        self._console = console
        self._longest = longest
        self._ttl = ttl

    def give(self, copy: CreatedObject) -> bool:
        """Set the deadline; return False if that is to be tried again."""
        why = "no controller completes the lease's Job, so the lease cannot expire"
        try:
            self.lasts = duration_words(self._set(copy))
        except Exception as error:
            final = isinstance(error, ClusterError) and not (error.transient or error.conflict)
            # Said once, however often it is tried.
            if final or not self.failed:
                has_none = "cannot have a deadline" if final else "has no deadline yet"
                said = f"and the copy {has_none} ({problem_of(error)}): it stays if"
                self._console.warning(f"{why}, {said} this process is killed")
            self.failed = True
            return final
        self.failed = False
        said = f"and the copy stops after {self.lasts}: its object stays if"
        self._console.warning(f"{why}, {said} this process is killed")
        return True

    def _set(self, copy: CreatedObject) -> int:
        """Set the copy's deadline, if it has none; return it in seconds from its start."""
        found = self._cluster.get(copy.path)
        known = found.body["spec"].get("activeDeadlineSeconds")
        if known is not None:
            return int(known)
        seconds = lease.age(found.body, found.at)
        longest = max(self._longest, metadata.longest_of(found.body))
        seconds += math.ceil(longest + self._ttl)
        patch = {"metadata": {"uid": copy.uid}, "spec": {"activeDeadlineSeconds": seconds}}
        self._cluster.patch(copy.path, patch)
        return seconds
