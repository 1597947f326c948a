"""kubectl scratch attach."""

from __future__ import annotations

from typing import Any

from kubectl_scratch.cli.common import make_session, sit_down
from kubectl_scratch.cli.process import Process
from kubectl_scratch.request import parse_pod


def run(values: dict[str, Any], process: Process) -> int:
    """Run one more session in a copy; ``values`` are the flags as Click read them."""
    process.console.quiet = values["quiet"]
    session = make_session(values, process.command)
    copy = parse_pod(values["copy"])
    with sit_down(values, process) as desk:
        from kubectl_scratch.session.session import attach

        return attach(copy, session, desk, values["view"])
