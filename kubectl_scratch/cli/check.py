"""kubectl scratch check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kubectl_scratch.cli.connect import connect
from kubectl_scratch.cli.output import as_document, as_table
from kubectl_scratch.cli.parse import CheckArguments
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ClusterError, ExitStatus

if TYPE_CHECKING:
    from kubectl_scratch.lookup.preflight import Checked


def run_check(given: CheckArguments, process: Process) -> int:
    """Check what a debug needs."""
    with connect(given.connection, process) as context:
        from kubectl_scratch.lookup.prefetch import begin_prefetch

        reads = begin_prefetch(context.cluster, given.request)
        from kubectl_scratch.lookup import preflight
        from kubectl_scratch.session import workflow

        def find() -> Checked:
            try:
                return preflight.run_checks(
                    workflow.plan_debug(given.request, context, reads), context.cluster
                )
            except ClusterError as error:
                if not error.forbidden:
                    raise
                # Without the right to read the target there is no plan, but a Role to ask for.
                return preflight.check_rights(context.cluster)

        checked = context.interrupts.run(find)
    # Whoever does not read it may end us as any program.
    click.echo(check_text(checked, given.output), nl=False)
    return ExitStatus.FAILURE if checked.blocked else ExitStatus.OK


def check_text(checked: Checked, output: str | None) -> str:
    """Return the check as a document, or as a table with the Role that would help."""
    if output is not None:
        rows = [row._asdict() for row in checked.rows]
        document = {"rows": rows, "blocked": checked.blocked, "missingRole": checked.role}
        return as_document(document, output)
    table = as_table([("CHECK", "RESULT", "WHAT"), *checked.rows], gap="  ")
    if checked.role is None:
        return table
    head = "\n# What lacks, for an administrator to create and bind:\n"
    return table + head + as_document(checked.role, "yaml")
