"""kubectl scratch attach."""

from __future__ import annotations

from kubectl_scratch.cli.connect import connect
from kubectl_scratch.cli.parse import AttachArguments
from kubectl_scratch.cli.process import Process


def run_attach(given: AttachArguments, process: Process) -> int:
    """Run one more session in a copy."""
    process.console.quiet = given.quiet
    with connect(given.connection, process) as context:
        from kubectl_scratch.session.workflow import attach_copy

        return attach_copy(given.copy, given.session, context, given.view)
