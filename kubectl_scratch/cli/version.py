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

# kubectl answers in milliseconds; do not wait for one that hangs.
KUBECTL_SECONDS = 10.0

Versions = dict[str, Any]


def run_version(given: VersionArguments, process: Process) -> int:
    """Print versions."""
    versions: Versions = {
        "clientVersion": {"gitVersion": f"v{__version__}"},
        "pythonVersion": ".".join(map(str, sys.version_info[:3])),
    }
    try:
        if not given.client:
            versions["kubectlVersion"] = kubectl_version()
            versions["serverVersion"] = server_version(given.connection, process)
    finally:
        # As kubectl does: print what is known even if the server cannot be reached.
        text = (
            as_document(versions, given.output)
            if given.output
            else as_lines(version_lines(versions))
        )
        click.echo(text, nl=False)
    return ExitStatus.OK


def server_version(connection: Connection, process: Process) -> Versions:
    """Ask the API server."""
    from kubectl_scratch.cli.connect import connect

    with connect(connection, process) as context:
        return context.cluster.version().body


def kubectl_version() -> Versions | None:
    """Return the version of the kubectl on PATH, None if it prints none."""
    import json
    import subprocess

    command = ["kubectl", "version", "--client", "-o", "json"]
    try:
        said = subprocess.run(command, capture_output=True, timeout=KUBECTL_SECONDS, check=True)
        found: Versions = json.loads(said.stdout)["clientVersion"]
        return found if isinstance(found["gitVersion"], str) else None
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def version_lines(versions: Versions) -> list[str]:
    """Return the versions as kubectl writes them."""
    lines = [
        f"Client Version: {versions['clientVersion']['gitVersion']}",
        f"Python Version: v{versions['pythonVersion']}",
    ]
    for title, key, missing in (
        ("kubectl", "kubectlVersion", "none on PATH"),
        ("Server", "serverVersion", "unknown"),
    ):
        if key in versions:
            found = versions[key] or {}
            lines.append(f"{title} Version: {found.get('gitVersion') or missing}")
    return lines
