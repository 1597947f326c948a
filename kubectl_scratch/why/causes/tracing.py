"""Runs that could not be traced, and programs that need privileges of their file."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence

SETUID = "setuid: "
TRACES_ITSELF = "it traces itself"


def find_tracing(evidence: Evidence) -> Iterator[Cause]:
    """Yield that a setuid file has no effect in this container, if the app then failed."""
    run = evidence.run
    if run.running or run.code == 0:
        return
    if run.untraced.startswith(SETUID):
        path = run.untraced[len(SETUID) :]
        yield Cause(
            "setuid",
            f"{path} is a setuid program, and may not get its owner's privileges in this container",
            (f"the app starts {path}, and ended with code {run.code}",),
            "start the app as the right user (securityContext.runAsUser), or set"
            " allowPrivilegeEscalation: true",
            48,
        )
