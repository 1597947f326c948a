"""kubectl scratch check."""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch.commands.common import make_session, sit_down
from kubectl_scratch.commands.debug import as_document, make_request
from kubectl_scratch.console import printable
from kubectl_scratch.errors import ClusterError, ExitStatus
from kubectl_scratch.options import Process


def run(values: dict[str, Any], process: Process) -> int:
    """Check what a debug needs; ``values`` are the flags as Click read them."""
    request = make_request(values, make_session(values, ()))
    with sit_down(values, process) as desk:
        from kubectl_scratch import preflight, session

        with desk.interrupts.interruptible():
            try:
                checked = preflight.check(session.plan_debug(request, desk), desk.cluster)
            except ClusterError as error:
                if error.status != 403:
                    raise
                # Without the right to read the target there is no plan, but a Role to ask for.
                checked = preflight.check_rights(desk.cluster)
        if values["output"]:
            rows = [row.__dict__ for row in checked.rows]
            document = {"rows": rows, "blocked": checked.blocked, "missingRole": checked.role}
            click.echo(as_document(document, values["output"]), nl=False)
        else:
            click.echo(as_table(checked), nl=False)
        return ExitStatus.FAILURE if checked.blocked else ExitStatus.OK


def as_table(checked: Any) -> str:
    """Return the check as a table, and the Role that would help."""
    rows = [("CHECK", "RESULT", "WHAT"), *((r.about, r.verdict, r.text) for r in checked.rows)]
    about, verdict = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{a:{about}}  {v:{verdict}}  {printable(text)}\n" for a, v, text in rows]
    if checked.role is None:
        return "".join(lines)
    head = "\n# What lacks, for an administrator to create and bind:\n"
    return "".join(lines) + head + as_document(checked.role, "yaml")
