"""kubectl scratch ls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from kubectl_scratch.cli.connect import connect
from kubectl_scratch.cli.output import as_document, as_lines
from kubectl_scratch.cli.parse import ListArguments
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ClusterError, ExitStatus
from kubectl_scratch.runtime.console import Console

if TYPE_CHECKING:
    from kubectl_scratch.copies.listing import Listed
    from kubectl_scratch.kube.client import Client


def run_ls(given: ListArguments, process: Process) -> int:
    """List copies, and debug containers in pods."""
    everywhere, output = given.everywhere, given.output
    with connect(given.connection, process) as context:
        found, now = context.interrupts.run(
            lambda: read_listing(context.cluster, everywhere, process.console)
        )
        text = listing_text(found, now, everywhere, output)
        if not found and output in (None, "wide", "name"):
            where = "" if everywhere else f" in {context.cluster.namespace} namespace."
            process.console.info(f"No resources found{where}")
    click.echo(text, nl=False)
    return ExitStatus.OK


def read_listing(
    cluster: Client, everywhere: bool, console: Console
) -> tuple[list[Listed], datetime]:
    """Read copies and debug containers, and the cluster's time; leases if permitted."""
    from kubectl_scratch.copies.listing import find_foreign, find_listed
    from kubectl_scratch.kube import paths
    from kubectl_scratch.plan import metadata

    here = cluster.namespace
    pods = paths.everywhere("/api/v1", "pods") if everywhere else paths.pods(here)
    jobs = paths.everywhere("/apis/batch/v1", "jobs") if everywhere else paths.jobs(here)
    answer = cluster.get(pods)
    found, now = answer.body["items"], answer.at
    try:
        ours = f"{metadata.MANAGED_BY}={metadata.MANAGER}"
        leases = cluster.get(jobs, labelSelector=ours).body["items"]
    except ClusterError as error:
        if not error.forbidden:
            raise
        console.warning(f"SESSIONS and EXPIRES are unknown: {error.message}")
        return find_listed(found, None, now), now
    for pod, why in find_foreign(found, leases):
        console.warning(f"pod {pod} is not listed: it has the label of a copy, but {why}")
    return find_listed(found, leases, now), now


def listing_text(found: list[Listed], now: datetime, everywhere: bool, output: str | None) -> str:
    """Return the list as kubectl would print it."""
    from kubectl_scratch.cli.ls_view import listing_document, listing_table

    if output in ("json", "yaml"):
        return as_document(listing_document(found), output)
    if not found:
        return ""
    if output == "name":
        # kubectl knows no containers, only their pods.
        return as_lines(dict.fromkeys(f"pod/{row.name.partition('/')[0]}" for row in found))
    return listing_table(found, now, everywhere, output == "wide")
