"""kubectl scratch debug --in-place."""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch.cli.connect import connect
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ExitStatus, InvalidRequest
from kubectl_scratch.request import DebugRequest, parse_duration
from kubectl_scratch.runtime.console import printable

# Flags about the copy, the seed or a target that is held; a running pod takes no volume.
NEED_A_COPY = (
    *("--hold", "--hold-all", "--learn", "--command", "--arch", "--toolkit-file", "--copy-name"),
    *("--reason", "--same-node", "--keep-labels", "--keep-annotations", "--no-mesh"),
    *("--writable", "--skip-volume", "--skip-init", "--set-image", "--image-pull-secret"),
)


def run_in_place_debug(request: DebugRequest, values: dict[str, Any], process: Process) -> int:
    """Debug the pod itself; ``values`` are the flags as Click read them."""
    dry_run = values["dry_run"]
    with connect(values, process) as context:
        from kubectl_scratch.cli import plan_view
        from kubectl_scratch.session import in_place_session

        if dry_run == "none":
            return in_place_session.debug_in_place(request, context)
        plan = in_place_session.rehearse_in_place(request, context, server=dry_run == "server")
    # Names and texts of the cluster are untrusted.
    click.echo("".join(f"{printable(line)}\n" for line in plan_view.in_place_lines(plan)), nl=False)
    return ExitStatus.FAILURE if plan.blockers else ExitStatus.OK


def linger_of(values: dict[str, Any]) -> float:
    """Check the flags beside --in-place; return --linger in seconds; raises InvalidRequest."""
    linger = values.get("linger")
    if not values.get("in_place"):
        if linger is not None:
            raise InvalidRequest("--linger is for --in-place")
        return 0.0
    given = flags_of_a_copy(values)
    if given:
        raise InvalidRequest(f"{given[0]} needs a copy, and --in-place makes none")
    return 0.0 if linger is None else parse_duration(linger, "--linger")


def flags_of_a_copy(values: dict[str, Any]) -> list[str]:
    """Return the flags that were given and mean something for a copy only."""
    others = {
        "--view app": values["view"] == "app",
        "--no-share-processes": not values["share_processes"],
        "--resources none": values["resources"] == "none",
        "-o": values["output"] is not None,
        "--ttl": values["ttl"] is not None,
    }
    plain = {flag: values[flag.removeprefix("--").replace("-", "_")] for flag in NEED_A_COPY}
    return [flag for flag, given in {**others, **plain}.items() if given]
