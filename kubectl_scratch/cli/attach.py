"""kubectl scratch attach."""

from __future__ import annotations

from typing import Any

from kubectl_scratch.cli.connect import connect, session_request
from kubectl_scratch.cli.process import Process
from kubectl_scratch.cli.values import parse_pod


def run_attach(values: dict[str, Any], process: Process) -> int:
    """Run one more session in a copy; ``values`` are the flags as Click read them."""
    process.console.quiet = values["quiet"]
    session = session_request(values, process.command)
    copy = parse_pod(values["copy"])
    with connect(values, process) as context:
        from kubectl_scratch.session.workflow import attach_copy

        return attach_copy(copy, session, context, values["view"])
