"""The answer of ``why``, as text for a person and as a document."""

from __future__ import annotations

import os

from kubectl_scratch.cli.output import as_document, as_lines
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.runtime.console import columns
from kubectl_scratch.session.why_session import Explained
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.text import answer_lines

# Longer lines are hard to read; a program that reads them wants each whole.
WIDEST_ANSWER, UNWRAPPED = 100, 1 << 20


def answer_text(explained: Explained, output: str | None, verbose: bool) -> str:
    """Return the answer in the form that was asked for."""
    if output is not None:
        return as_document(answer_document(explained, verbose), output)
    width = min(columns(1), WIDEST_ANSWER) if os.isatty(1) else UNWRAPPED
    return as_lines(answer_lines(explained.pod, explained.answer, width, verbose))


def answer_document(explained: Explained, verbose: bool) -> Json:
    """Return the answer as a document; docs/why.md describes its fields."""
    answer = explained.answer
    document = {
        "apiVersion": "kubectl-scratch/v1",
        "kind": "Answer",
        "target": {
            "namespace": explained.namespace,
            "pod": explained.pod,
            "container": explained.container,
        },
        "outcome": answer.outcome,
        "runs": answer.runs,
        "causes": [_cause_document(cause) for cause in answer.causes],
        "evidence": list(answer.evidence),
    }
    return {**document, "timeline": list(answer.timeline)} if verbose else document


def _cause_document(cause: Cause) -> Json:
    return {
        "kind": cause.kind,
        "sentence": cause.sentence,
        "evidence": list(cause.evidence),
        "remedy": cause.remedy,
    }
