"""kubectl scratch check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kubectl_scratch.cli.connect import DEFAULT_TTL, connect
from kubectl_scratch.cli.debug import as_document, debug_request, prefetch_for
from kubectl_scratch.cli.options import refuse_extra
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ClusterError, ExitStatus
from kubectl_scratch.request import SessionRequest, parse_duration
from kubectl_scratch.runtime.console import printable

if TYPE_CHECKING:
    from kubectl_scratch.lookup.preflight import Checked

# There is none: only its lease is shown to the API server.
NO_SESSION = SessionRequest(ttl=parse_duration(DEFAULT_TTL, "--ttl"), timeout=0.0, longest=0.0)


def run_check(values: dict[str, Any], process: Process) -> int:
    """Check what a debug needs; ``values`` are the flags as Click read them."""
    refuse_extra(values)
    request = debug_request(values, NO_SESSION)
    with connect(values, process) as context:
        reads = prefetch_for(context, request)
        from kubectl_scratch.lookup import preflight
        from kubectl_scratch.session import workflow

        def find() -> Checked:
            try:
                return preflight.run_checks(
                    workflow.plan_debug(request, context, reads), context.cluster
                )
            except ClusterError as error:
                if not error.forbidden:
                    raise
                # Without the right to read the target there is no plan, but a Role to ask for.
                return preflight.check_rights(context.cluster)

        checked = context.interrupts.run(find)
    # Whoever does not read it may end us as any program.
    if values["output"]:
        rows = [row._asdict() for row in checked.rows]
        document = {"rows": rows, "blocked": checked.blocked, "missingRole": checked.role}
        click.echo(as_document(document, values["output"]), nl=False)
    else:
        click.echo(check_table(checked), nl=False)
    return ExitStatus.FAILURE if checked.blocked else ExitStatus.OK


def check_table(checked: Checked) -> str:
    """Return the check as a table, and the Role that would help."""
    rows = [("CHECK", "RESULT", "WHAT"), *((r.about, r.verdict, r.text) for r in checked.rows)]
    about, verdict = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{a:{about}}  {v:{verdict}}  {printable(text)}\n" for a, v, text in rows]
    if checked.role is None:
        return "".join(lines)
    head = "\n# What lacks, for an administrator to create and bind:\n"
    return "".join(lines) + head + as_document(checked.role, "yaml")
