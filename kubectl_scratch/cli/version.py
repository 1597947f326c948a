"""kubectl scratch version."""

from __future__ import annotations

import sys
from typing import Any

import click

from kubectl_scratch import __version__
from kubectl_scratch.cli.output import as_document, as_lines
from kubectl_scratch.cli.parse import VersionArguments
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ExitStatus
from kubectl_scratch.kube.connection import Connection

# kubectl says so much in milliseconds; one that hangs is not worth waiting for.
KUBECTL_SECONDS = 10.0

Versions = dict[str, Any]


def run_version(given: VersionArguments, process: Process) -> int:
    """Print versions."""
    told: Versions = {
        "clientVersion": {"gitVersion": f"v{__version__}"},
        "pythonVersion": ".".join(map(str, sys.version_info[:3])),
    }
    try:
        if not given.client:
            told["kubectlVersion"] = kubectl_version()
            told["serverVersion"] = server_version(given.connection, process)
    finally:
        # As kubectl: what is known is told, also where the server can't be reached.
        text = as_document(told, given.output) if given.output else as_lines(version_lines(told))
        click.echo(text, nl=False)
    return ExitStatus.OK


def server_version(connection: Connection, process: Process) -> Versions:
    """Ask the API server."""
    from kubectl_scratch.cli.connect import connect

    with connect(connection, process) as context:
        return context.cluster.version().body


def kubectl_version() -> Versions | None:
    """Return what the kubectl on PATH says of itself; None where it says nothing."""
    import json
    import subprocess

    command = ["kubectl", "version", "--client", "-o", "json"]
    try:
        said = subprocess.run(command, capture_output=True, timeout=KUBECTL_SECONDS, check=True)
        found: Versions = json.loads(said.stdout)["clientVersion"]
        return found if isinstance(found["gitVersion"], str) else None
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def version_lines(told: Versions) -> list[str]:
    """Return the versions as kubectl writes them."""
    lines = [
        f"Client Version: {told['clientVersion']['gitVersion']}",
        f"Python Version: v{told['pythonVersion']}",
    ]
    for title, key in (("kubectl", "kubectlVersion"), ("Server", "serverVersion")):
        if key in told:
            found = told[key] or {}
            lines.append(f"{title} Version: {found.get('gitVersion') or 'none on PATH'}")
    return lines
