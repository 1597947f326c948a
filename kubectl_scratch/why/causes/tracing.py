"""Programs that need the privileges of their file's owner, and do not get them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import target_of
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.wording import cut

UNTRACED_FOR = "setuid: "
NEEDS_OWNER = re.compile(
    r"(?i)effective uid is not 0|no new privileges|must be (?:setuid|suid|installed setuid)|"
    r"setuid root|has the setuid bit|operation not permitted.*(?:sudo|su)\b|^sudo: .*not permitted"
)


def find_tracing(evidence: Evidence) -> Iterator[Cause]:
    """Yield that a setuid file has no effect in this container, if the app then failed."""
    run = evidence.run
    if run.running or run.code == 0:
        return
    said = line_with(evidence.words, NEEDS_OWNER)
    path = run.untraced.removeprefix(UNTRACED_FOR) if run.untraced.startswith(UNTRACED_FOR) else ""
    if not said and not path:
        return
    forbidden = is_forbidden(evidence)
    what = path or "a program"
    yield Cause(
        "setuid",
        f"the app runs {what}, which is setuid but does not get its owner's privileges here",
        (cut(said.string) if said else f"the app runs {path} and exited with code {run.code}",),
        "start the app as the right user (securityContext.runAsUser) instead of changing the user,"
        " or set securityContext.allowPrivilegeEscalation: true",
        93 if said else 64 if forbidden else 44,
    )


def is_forbidden(evidence: Evidence) -> bool:
    """Say whether the container forbids that a program gets its owner's privileges."""
    context = target_of(evidence.facts).get("securityContext") or {}
    return context.get("allowPrivilegeEscalation") is False
