"""Render a plan: as text, and as manifests for kubectl."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, name
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.findings import Finding
from kubectl_scratch.plan.in_place import InPlacePlan
from kubectl_scratch.plan.in_place_process import InPlaceTerms
from kubectl_scratch.plan.model import Plan, SessionTarget
from kubectl_scratch.runtime.durations import duration_words


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines of a readable plan."""
    place = plan.place
    ttl = float(plan.lease["spec"]["ttlSecondsAfterFinished"])
    yield f"copy of {place.source}, with container {place.target} as its target"
    yield ""
    yield "What will be created:"
    lasts = duration_words(ttl)
    yield f"  job/{place.pod}: the lease, which ends {lasts} after the client is gone"
    if plan.seed is not None:
        seed = f"the seed, which receives the tools ({place.arch})"
        yield f"  configmap/{place.pod}: {seed}"
    yield f"  pod/{place.pod}: the copy"
    if plan.discovery is not None:
        yield f"  pod/{name(plan.discovery)}: entrypoint discovery"
    if place.debug_container:
        yield _debug_container_line(place, plan.choices)
    yield ""
    yield "What is changed in the copy, and why:"
    for edit in plan.edits:
        yield f"  {edit.field}: {edit.reason}"
    yield from _finding_lines(plan.findings)


def _debug_container_line(place: SessionTarget, choices: tuple[Candidate, ...]) -> str:
    image, profiles = choices[0].container["image"], ", else ".join(c.profile for c in choices)
    return f"  container {place.debug_container}: {image}, profile {profiles}"


def _finding_lines(findings: tuple[Finding, ...]) -> Iterator[str]:
    if findings:
        yield ""
        yield "What you should know:"
        for finding in findings:
            yield f"  {finding.level.value}: {finding.text}"


def manifests(plan: Plan) -> Json:
    """Return what kubectl can create: the lease, the seed, the copy.

    They have no owner, because only the cluster gives its UID, and no debug container,
    because an ephemeral one is rejected on create. Entrypoint discovery belongs to a session.
    """
    made = [plan.lease, plan.seed, plan.copy]
    return {"apiVersion": "v1", "kind": "List", "items": [item for item in made if item]}


def in_place_lines(plan: InPlacePlan) -> Iterator[str]:
    """Yield the lines of a readable plan of a container in the source pod."""
    place, terms = plan.place, plan.terms
    what = f"debug container in pod {place.source}, beside container {place.target}"
    yield f"{what}; there is no copy"
    yield ""
    if plan.idle is not None:
        yield "What will be used:"
        yield f"  container {plan.idle.place.debug_container}, which is idle in the pod"
    else:
        yield "What will be added:"
        yield _debug_container_line(place, plan.choices)
        yield ""
        yield "What stays until the pod is deleted:"
        yield f"  the entry of container {place.debug_container}"
        yield ""
        yield "What ends, even if this process dies:"
        yield f"  its process: {_end_of_process(terms)}"
    yield from _finding_lines(plan.findings)


def _end_of_process(terms: InPlaceTerms) -> str:
    after = f"{duration_words(terms.linger)} after" if terms.linger else "with"
    first, limit = duration_words(terms.first), duration_words(terms.limit)
    return f"{after} the last session, after {first} without one, after {limit} in any case"
