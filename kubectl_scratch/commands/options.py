"""kubectl scratch options."""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch.help import Example, Verb
from kubectl_scratch.options import connection_options


@click.command(
    "options", cls=Verb, examples=(Example("All connection flags, as kubectl's", "options"),)
)
@connection_options
@click.pass_context
def options(ctx: click.Context, /, **values: Any) -> int:
    """List the connection flags that every verb takes."""
    click.echo(ctx.get_help())
    return 0
