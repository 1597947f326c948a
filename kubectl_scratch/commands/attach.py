"""kubectl scratch attach."""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch import candidates
from kubectl_scratch.commands.common import make_session, sit_down
from kubectl_scratch.help import Example, Verb
from kubectl_scratch.options import Process, connection_options, session_options
from kubectl_scratch.request import parse_target

EXAMPLES = (
    Example("A second shell, beside a colleague's", "attach mypod-scratch-x7k2p"),
    Example("What uses the CPU there", "attach mypod-scratch-x7k2p -- top -b -n 1"),
)


@click.command(
    "attach", cls=Verb, heading="Debugging Commands", takes_command=True, examples=EXAMPLES
)
@click.argument("copy", shell_complete=candidates.copies)
@session_options
@connection_options
@click.pass_obj
def attach(process: Process, /, **values: Any) -> int:
    """Open one more session in COPY, which debug has made.

    The session that leaves as the last deletes the copy.
    """
    process.console.quiet = values["quiet"]
    request = make_session(values, process.command)
    copy = parse_target(values["copy"])
    with sit_down(values, process) as desk:
        from kubectl_scratch import session

        return session.attach(copy, request, desk)
