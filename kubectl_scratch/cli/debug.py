"""kubectl scratch debug."""

from __future__ import annotations

import os

import click

from kubectl_scratch.cli.connect import connect
from kubectl_scratch.cli.output import as_document, as_lines
from kubectl_scratch.cli.parse import DebugArguments
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ExitStatus
from kubectl_scratch.request import DebugRequest
from kubectl_scratch.session.context import Context


def run_debug(given: DebugArguments, process: Process) -> int:
    """Debug a copy of a pod, or the pod itself, or print the plan."""
    process.console.quiet = given.quiet
    if given.request.file == "-":
        process = process._replace(streams=without_stdin(process.streams))
    with connect(given.connection, process) as context:
        if given.dry_run == "none":
            return run_session_of(given.request, context)
        plan_text = text_in_place if given.request.in_place else text_of_copy
        text, blocked = plan_text(given, context)
    # After the context: a reader that goes away ends us like any program.
    click.echo(text, nl=False)
    return ExitStatus.FAILURE if blocked else ExitStatus.OK


def run_session_of(request: DebugRequest, context: Context) -> int:
    """Run the session; the cluster answers while the rest is imported, which takes as long."""
    if request.in_place:
        from kubectl_scratch.session.in_place_session import debug_in_place

        return debug_in_place(request, context)
    from kubectl_scratch.lookup.prefetch import begin_prefetch

    reads = begin_prefetch(context.cluster, request)
    from kubectl_scratch.session.workflow import debug_copy

    return debug_copy(request, context, reads)


def text_of_copy(given: DebugArguments, context: Context) -> tuple[str, bool]:
    """Return the plan of a copy, or its manifests, and whether it would fail."""
    from kubectl_scratch.lookup.prefetch import begin_prefetch

    reads = begin_prefetch(context.cluster, given.request)
    from kubectl_scratch.cli import plan_view
    from kubectl_scratch.session.finding_report import report_finding
    from kubectl_scratch.session.workflow import rehearse_copy

    plan = rehearse_copy(given.request, context, reads, server=given.dry_run == "server")
    if given.output is None:
        return as_lines(plan_view.plan_lines(plan)), bool(plan.blockers)
    for finding in plan.findings:
        report_finding(finding, context.console)
    return as_document(plan_view.manifests(plan), given.output), bool(plan.blockers)


def text_in_place(given: DebugArguments, context: Context) -> tuple[str, bool]:
    """Return the plan of a container in the pod itself, and whether it would fail."""
    from kubectl_scratch.cli.plan_view import in_place_lines
    from kubectl_scratch.session import in_place_session

    server = given.dry_run == "server"
    plan = in_place_session.rehearse_in_place(given.request, context, server)
    return as_lines(in_place_lines(plan)), bool(plan.blockers)


def without_stdin(streams: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the streams of a process whose stdin is the manifest.

    As for a pager, the person at the terminal can still type; elsewhere there is no input.
    """
    _, out, err = streams
    try:
        stdin = os.open("/dev/tty" if os.isatty(out) else os.devnull, os.O_RDWR)
    except OSError:
        stdin = os.open(os.devnull, os.O_RDWR)
    return stdin, out, err
