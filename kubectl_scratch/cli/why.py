"""kubectl scratch why."""

from __future__ import annotations

import click

from kubectl_scratch.cli.connect import connect
from kubectl_scratch.cli.debug import without_stdin
from kubectl_scratch.cli.parse import WhyArguments
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ExitStatus


def run_why(given: WhyArguments, process: Process) -> int:
    """Print why a pod does not run."""
    process.console.quiet = given.quiet
    if given.request.copy.file == "-":
        process = process._replace(streams=without_stdin(process.streams))
    with connect(given.connection, process) as context:
        from kubectl_scratch.lookup.prefetch import begin_prefetch

        reads = begin_prefetch(context.cluster, given.request.copy)
        from kubectl_scratch.cli.answer_view import answer_text
        from kubectl_scratch.session.why_session import explain

        explained = explain(given.request, context, reads)
    process.console.settle()
    click.echo(answer_text(explained, given.output, given.verbose), nl=False)
    if explained.leftover is not None:
        raise explained.leftover
    return ExitStatus.OK if explained.answer.causes else ExitStatus.FAILURE
