"""PersistentVolumeClaims: missing, or without a volume.

The texts are those of kubernetes/kubernetes, pkg/scheduler/framework/plugins/volumebinding.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, condition, name, volumes
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import for_pod
from kubectl_scratch.why.status.told import event_line, name_list, seen_at, unscheduled_line

NO_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" not found')
_GOING = re.compile(r'persistentvolumeclaim "([^"]+)" is being deleted')
_LOST = re.compile(
    r'persistentvolumeclaim "([^"]+)" bound to non-existent persistentvolume "([^"]*)"'
)
_UNBOUND = (
    "unbound immediate PersistentVolumeClaims", "available persistent volumes to bind",
    "did not have enough free storage", "unbound PersistentVolumeClaim",
)  # fmt: skip
_NO_CLASS = re.compile(r'storageclass\S* "([^"]+)" not found')


def claim_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the claims that keep the pod from a node, or from its volumes."""
    if facts.pod["spec"].get("nodeName"):
        return
    scheduled = condition(facts.pod, "PodScheduled") or {}
    said = str(scheduled.get("message", ""))
    for volume, claim in claims_of(facts.pod):
        known = claim in facts.claims
        there = facts.claims.get(claim)
        if claim in NO_CLAIM.findall(said) or (known and there is None):
            yield _missing(facts, volume, claim, said)
        elif claim in _GOING.findall(said):
            yield _going(facts, claim, said)
        elif any(claim == lost for lost, _ in _LOST.findall(said)) or _phase(there) == "Lost":
            yield _lost(facts, claim, there)
        elif _phase(there) == "Pending" and any(text in said for text in _UNBOUND):
            yield _unbound(facts, claim, there or {}, said)
        elif not known and any(text in said for text in _UNBOUND):
            yield _unbound(facts, claim, {}, said)


def claims_of(pod: Json) -> list[tuple[str, str]]:
    """Return the pod's volumes with a claim behind, as pairs of volume and claim."""
    found = []
    for volume in volumes(pod):
        if "persistentVolumeClaim" in volume:
            found.append((volume["name"], str(volume["persistentVolumeClaim"].get("claimName"))))
        elif "ephemeral" in volume:
            found.append((volume["name"], f"{name(pod)}-{volume['name']}"))
    return found


def _phase(claim: Json | None) -> str:
    return str(((claim or {}).get("status") or {}).get("phase") or "")


def _missing(facts: ClusterFacts, volume: str, claim: str, said: str) -> Cause:
    near = difflib.get_close_matches(claim, facts.names.get("persistentvolumeclaim", ()), n=3)
    evidence = [unscheduled_line(said)] if said else []
    if near:
        evidence.append(f"claims with a similar name: {name_list(near)}")
    use = f"use claim {near[0]}, or " if near else ""
    return Cause(
        "missing-claim",
        f"PersistentVolumeClaim {claim} of volume {volume} does not exist",
        tuple(evidence),
        f"{use}create claim {claim}: {for_pod(facts.pod, 'apply', '-f', 'CLAIM.yaml')}",
        93,
    )


def _going(facts: ClusterFacts, claim: str, said: str) -> Cause:
    return Cause(
        "missing-claim",
        f"PersistentVolumeClaim {claim} is being deleted, so no new pod can use it",
        (unscheduled_line(said),),
        f"wait until the claim is deleted, then create it again:"
        f" {for_pod(facts.pod, 'get', 'pvc', claim)}",
        92,
    )


def _lost(facts: ClusterFacts, claim: str, there: Json | None) -> Cause:
    volume = ((there or {}).get("spec") or {}).get("volumeName") or "its volume"
    return Cause(
        "unbound-claim",
        f"PersistentVolumeClaim {claim} has lost its volume: {volume} no longer exists",
        (f"claim {claim}: {_phase(there) or 'Lost'}",),
        f"restore the PersistentVolume, or create the claim again:"
        f" {for_pod(facts.pod, 'describe', 'pvc', claim)}",
        92,
    )


def _unbound(facts: ClusterFacts, claim: str, there: Json, said: str) -> Cause:
    event = _event_of(facts, claim)
    message = str(event.get("message", ""))
    evidence = [f"claim {claim} is {_phase(there) or 'not bound'}{_asks(there)}"]
    evidence += [event_line(event)] if event else [unscheduled_line(said)]
    no_class = _NO_CLASS.search(message)
    why, remedy = "no volume matches it", ""
    if no_class:
        why = f"StorageClass {no_class[1]} does not exist"
        remedy = _class_remedy(facts, no_class[1])
    elif "no storage class is set" in message:
        why = "it has no StorageClass, there is no default StorageClass, and no volume matches it"
        remedy = "set storageClassName in the claim, or create a PersistentVolume that matches it"
    elif event.get("reason") == "ProvisioningFailed":
        why = "its volume cannot be provisioned"
    elif "waiting for a volume to be created" in message or "external" in message.lower():
        why = "its provisioner has not created a volume"
        remedy = "check that the provisioner of its StorageClass runs"
    remedy = (
        remedy or f"see {for_pod(facts.pod, 'describe', 'pvc', claim)}; {_create_volume(there)}"
    )
    return Cause(
        "unbound-claim", f"PersistentVolumeClaim {claim} is not bound: {why}", tuple(evidence),
        remedy, 91,
    )  # fmt: skip


def _class_remedy(facts: ClusterFacts, wanted: str) -> str:
    there = facts.names.get("storageclass", ())
    near = difflib.get_close_matches(wanted, there, n=1)
    known = f" ({name_list(near or there)})" if there else ""
    return (
        f"create StorageClass {wanted}, or create the claim again with an existing one{known}:"
        " kubectl get storageclass"
    )


def _create_volume(claim: Json) -> str:
    storage = (claim.get("spec") or {}).get("storageClassName")
    of = f" of StorageClass {storage}" if storage else ""
    return f"create a PersistentVolume{of} that matches the claim, or install a provisioner"


def _asks(claim: Json) -> str:
    spec = claim.get("spec") or {}
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    parts = [f"{size}" if size else "", *(spec.get("accessModes") or [])]
    parts.append(f"StorageClass {spec['storageClassName']}" if spec.get("storageClassName") else "")
    asked = ", ".join(filter(None, parts))
    return f"; it requests {asked}" if asked else ""


def _event_of(facts: ClusterFacts, claim: str) -> Json:
    """Return the newest event of a claim that says why, empty if there is none."""
    found = [
        event
        for event in facts.events
        if (event.get("involvedObject") or {}).get("kind") == "PersistentVolumeClaim"
        and (event.get("involvedObject") or {}).get("name") == claim
        and event.get("reason") not in ("WaitForFirstConsumer", "WaitForPodScheduled")
    ]
    return max(found, key=seen_at, default={})
