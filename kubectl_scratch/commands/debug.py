"""kubectl scratch debug."""

from __future__ import annotations

from typing import Any

from kubectl_scratch.commands.common import make_session, sit_down
from kubectl_scratch.options import Process
from kubectl_scratch.request import DebugRequest, check_container, check_image, parse_target

# Without a lease nothing can prolong a copy's life.
DEFAULT_DEADLINE = 3600.0


def run(values: dict[str, Any], process: Process) -> int:
    """Debug a copy of a pod; ``values`` are the flags as Click read them."""
    process.console.quiet = values["quiet"]
    request = make_request(values, process.command)
    with sit_down(values, process) as desk:
        from kubectl_scratch.session import debug

        return debug(request, desk)


def make_request(values: dict[str, Any], command: tuple[str, ...]) -> DebugRequest:
    """Check the flags; raises InvalidRequest."""
    session = make_session(values, command)
    request = DebugRequest(
        pod=parse_target(values["pod"]),
        container=values["container"],
        image=values["image"],
        deadline=min(session.ttl, DEFAULT_DEADLINE) if values["ttl"] else DEFAULT_DEADLINE,
        session=session,
    )
    check_container(request.container)
    check_image(request.image)
    return request
