"""Ask the API server for the strongest debug container that it admits, by a dry run."""

from __future__ import annotations

from dataclasses import replace

from kubectl_scratch import cluster as api
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.debugger import Choice, as_regular
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.findings import Finding, Level
from kubectl_scratch.plan import Plan
from kubectl_scratch.podjson import Json

# Webhooks that keep state refuse a dry run, whatever the object is.
# https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects
NOT_JUDGED = "does not support dry run"


def admit(plan: Plan, cluster: Cluster) -> Plan:
    """Return the plan with the strongest choice that the cluster admits.

    Where it judges none, because a webhook refuses dry runs or the user lacks a right, the
    choices stay, and the creation tells.
    """
    if len(plan.choices) == 1:
        return beginning_with(plan, 0)
    for number, choice in enumerate(plan.choices):
        refusal = judge(plan, choice, cluster)
        if refusal is None:
            told = Finding(Level.INFO, f"profile {choice.profile}, the strongest that is admitted")
            chosen = beginning_with(plan, number)
            return replace(chosen, findings=(*chosen.findings, told))
        if refusal.status not in (400, 403, 422) or is_not_judged(refusal):
            break
    return plan


def beginning_with(plan: Plan, number: int) -> Plan:
    """Return the plan without the stronger choices; the weaker ones stay as a second try.

    A policy may judge ephemeral containers otherwise than regular ones.
    """
    choices = plan.choices[number:]
    return replace(plan, choices=choices, findings=(*plan.findings, *choices[0].findings))


def judge(plan: Plan, choice: Choice | None, cluster: Cluster) -> ClusterError | None:
    """Return why the cluster would not create the copy; None where it would.

    The debug container stands among the regular ones: a creation with an ephemeral one is
    refused in any case.
    """
    try:
        cluster.dry_run(api.pods(plan.place.namespace), candidate(plan, choice))
    except ClusterError as error:
        return error
    return None


def judge_lease(plan: Plan, cluster: Cluster) -> ClusterError | None:
    """Return why the cluster would not create the lease; who lacks the right does without."""
    where = plan.place.namespace
    try:
        cluster.dry_run(api.jobs(where), plan.lease)
    except ClusterError as error:
        lacking = error.status == 403 and not cluster.may("create", "batch", "jobs", where)
        return None if lacking else error
    return None


def candidate(plan: Plan, choice: Choice | None) -> Json:
    """Return the copy with its debug container as a regular one."""
    if choice is None:
        return plan.copy
    spec = plan.copy["spec"]
    containers = [*spec["containers"], as_regular(choice.container)]
    return {**plan.copy, "spec": {**spec, "containers": containers}}


def is_not_judged(refusal: ClusterError) -> bool:
    """Say whether a refusal is about the dry run and not about the object."""
    return NOT_JUDGED in refusal.message.lower()
