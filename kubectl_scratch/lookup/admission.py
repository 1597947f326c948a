"""Ask the API server by a dry run which debug container it accepts, the strongest first."""

from __future__ import annotations

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json, all_containers, find, init_containers
from kubectl_scratch.plan.debug_container import Candidate, as_regular
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.model import Plan

# Webhooks with side effects reject a dry run, whatever the object is.
# https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects
NOT_JUDGED = "does not support dry run"


def admit(plan: Plan, cluster: Client) -> Plan:
    """Return the plan with the strongest choice that the API server accepts.

    If it judges none, because a webhook rejects dry runs or a permission is missing, the choices
    stay, and the creation tells.
    """
    if len(plan.choices) == 1:
        return beginning_with(plan, 0)
    for number, choice in enumerate(plan.choices):
        refusal = judge_debug_container(plan, choice, cluster)
        if refusal is None:
            told = Finding(
                Level.INFO, f"using profile {choice.profile}, the strongest that is accepted"
            )
            chosen = beginning_with(plan, number)
            return chosen._replace(findings=(*chosen.findings, told))
        if not refusal.refused or is_not_judged(refusal):
            break
    return plan


def beginning_with(plan: Plan, number: int) -> Plan:
    """Return the plan without the stronger choices; the weaker ones stay as a second try.

    A policy may judge ephemeral containers otherwise than regular ones.
    """
    choices = plan.choices[number:]
    return plan._replace(choices=choices, findings=(*plan.findings, *choices[0].findings))


def judge_debug_container(
    plan: Plan, choice: Candidate | None, cluster: Client
) -> ClusterError | None:
    """Return why the cluster would not create the copy; None if it would.

    The debug container is put among the init containers: a creation with an ephemeral one is
    always rejected.
    """
    return refusal_of(
        paths.pods(plan.place.namespace), debug_container_document(plan, choice), cluster
    )


def judge_lease(plan: Plan, cluster: Client) -> ClusterError | None:
    """Return why the cluster would not create the lease; without permission there is none."""
    where = plan.place.namespace
    refusal = refusal_of(paths.jobs(where), plan.lease, cluster)
    if refusal is None or not refusal.forbidden:
        return refusal
    return None if cluster.allows("create", "batch", "jobs", where) is False else refusal


def refusal_of(path: str, manifest: Json, cluster: Client) -> ClusterError | None:
    """Return why the cluster would not create an object; None if it would."""
    try:
        cluster.dry_run(path, manifest)
    except ClusterError as error:
        return error
    return None


def debug_container_document(plan: Plan, choice: Candidate | None) -> Json:
    """Return the copy with its debug container as one that a pod can be created with.

    A quota counts no ephemeral container, and one that asks for limits asks it of all others. As
    the first init container, with the target's resources, it has them, and takes nothing more:
    it would be over before the target starts.
    """
    if choice is None:
        return plan.copy
    spec = plan.copy["spec"]
    target = find(all_containers(plan.copy), plan.place.target) or {}
    stand_in = {**as_regular(choice.container), "resources": target.get("resources") or {}}
    first = [stand_in, *init_containers(plan.copy)]
    return {**plan.copy, "spec": {**spec, "initContainers": first}}


def is_not_judged(refusal: ClusterError) -> bool:
    """Say whether a rejection is about the dry run and not about the object."""
    return NOT_JUDGED in refusal.message.lower()
