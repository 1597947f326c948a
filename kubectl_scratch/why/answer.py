"""From a run and the cluster's facts to the answer."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import find, init_containers
from kubectl_scratch.runtime.console import printable
from kubectl_scratch.why.causes.ends import expects_an_end
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.last_words import reason_line
from kubectl_scratch.why.model import Cause, Explanation
from kubectl_scratch.why.rank import SURE_ENOUGH, Evidence, gather
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.run_causes import RUN_FINDERS
from kubectl_scratch.why.timeline import timeline_of
from kubectl_scratch.why.wording import call_line, cut, duration, place

MOST_TOLD = 3
# A second cause is told if it is nearly as likely as the first; behind a sure one none is.
NEARLY, CERTAINLY = 14, 92
MOST_EVIDENCE = 6


def explain_run(run: Run, facts: ClusterFacts) -> Explanation:
    """Return why the app does not run, by what one run of it shows."""
    evidence = gather(run, facts)
    run = evidence.run
    found = _ranked(evidence)
    causes = _told(found)
    runs = not causes and _runs(run, facts)
    return Explanation(
        causes=tuple(_with_subject(cause, facts) for cause in causes),
        outcome=run_outcome(run, runs),
        runs=runs,
        evidence=() if causes or runs else tuple(_unsure(evidence, found)),
        timeline=timeline_of(run),
    )


def _with_subject(cause: Cause, facts: ClusterFacts) -> Cause:
    """Return a cause that says which container it is about, if that is not the app's own."""
    if find(init_containers(facts.pod), facts.target) is None:
        return cause
    subject = f"init container {facts.target}"
    if cause.sentence.startswith("the app "):
        return cause._replace(sentence=f"{subject}{cause.sentence[7:]}")
    return cause._replace(sentence=f"{subject}: {cause.sentence}")


def _ranked(evidence: Evidence) -> list[Cause]:
    """Return all causes, the most likely first, each once."""
    found = [cause for find in RUN_FINDERS for cause in find(evidence)]
    found.sort(key=lambda cause: -cause.weight)
    once: dict[tuple[str, str], Cause] = {}
    for cause in found:
        once.setdefault((cause.kind, cause.sentence), cause)
    return list(once.values())


def _told(found: list[Cause]) -> tuple[Cause, ...]:
    """Return those that are findings, and as likely as the first."""
    if not found or found[0].weight < SURE_ENOUGH:
        return ()
    least = max(SURE_ENOUGH, found[0].weight - (NEARLY if found[0].weight < CERTAINLY else 4))
    told: list[Cause] = []
    for cause in found:
        shown = {line for other in told for line in other.evidence}
        if cause.weight >= least and not (shown & set(cause.evidence)):
            told.append(_shown(cause))
    return tuple(told[:MOST_TOLD])


def _shown(cause: Cause) -> Cause:
    """Return a cause that is safe to show: names of files and words come from the app."""
    lines = dict.fromkeys(printable(line).strip() for line in cause.evidence)
    sentence = printable(cause.sentence).strip()
    new = tuple(line for line in lines if line and line not in sentence)
    return cause._replace(
        sentence=sentence,
        evidence=new or tuple(filter(None, lines)),
        remedy=printable(cause.remedy).strip(),
        weight=min(cause.weight, 100),
    )


def _runs(run: Run, facts: ClusterFacts) -> bool:
    """Say whether the app works: it goes on, or it has ended as expected."""
    if run.running:
        return True
    return run.code == 0 and run.complete and expects_an_end(facts)


def run_outcome(run: Run, runs: bool = False) -> str:
    """Return how the app ended, or that it goes on, in a sentence."""
    if not run.complete:
        return "the report of the run is incomplete, so the exit code is unknown"
    if run.running:
        how = f"the app was still running after {duration(run.at)}"
        ports = sorted({place(peer.address, peer.port) for peer in run.listening if peer.port})
        how += f", listening on {', '.join(ports[:4])}" if ports else ""
    elif run.signal:
        how = f"the app was killed by {run.signal} after {duration(run.at)}"
    else:
        how = f"the app exited with code {run.code} after {duration(run.at)}"
    return how + (f"; the app was not traced: {cut(run.untraced)}" if run.untraced else "")


def _unsure(evidence: Evidence, found: list[Cause]) -> Iterator[str]:
    """Yield what was seen where it is not enough for a finding: the best first."""
    run = evidence.run
    said = reason_line(run)
    lines = [f"the app printed: {cut(said)}"] if said else ["the app printed nothing"]
    lines += [line for cause in found[:3] for line in cause.evidence[:2]]
    lines += [call_line(failed.call, run) for failed in evidence.failed[:3]]
    if run.empty:
        lines.append(f"empty variables: {cut(', '.join(sorted(run.empty)))}")
    if run.opened:
        lines.append(f"last file opened: {cut(run.opened[-1].path)}")
    yield from list(dict.fromkeys(map(printable, lines)))[:MOST_EVIDENCE]
