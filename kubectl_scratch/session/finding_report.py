"""Report the findings of a plan when a session starts."""

from __future__ import annotations

from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.runtime.console import Console


def report_finding(finding: Finding, console: Console) -> None:
    """Say one line of a plan."""
    if finding.level is Level.INFO:
        console.info(finding.text)
    elif finding.level is not Level.DETAIL:
        console.warning(finding.text)
