"""Who may adopt a copy without being listed: owners of other kinds, managers of labels."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kubectl_scratch.kube.selectors import NamespaceSelectors, Selector
from kubectl_scratch.plan.findings import Level
from kubectl_scratch.plan.inputs import NamespaceFacts
from kubectl_scratch.plan.labels import MANAGERS, stranger_of
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.request import CopyOptions
from tests.support.builders import Json, a_pod, a_request, plan_for

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
LABELS = {"app": "shop", "tier": "web"}


def an_owner(kind: str, version: str, controller: bool | None = True) -> Json:
    return {"kind": kind, "apiVersion": version, "name": "it", "uid": "u", "controller": controller}


def planned(*owners: Json, keep: bool = False, labels: Json = LABELS) -> Plan:
    source = a_pod(metadata={"labels": labels, "ownerReferences": list(owners)})
    return plan_for(source, a_request(image=None, options=CopyOptions(keep_labels=keep)))


def kept(plan: Plan) -> set[str]:
    return set(plan.copy["metadata"]["labels"]) & {*LABELS, "app.kubernetes.io/instance"}


def warnings(plan: Plan) -> str:
    return "\n".join(f.text for f in plan.findings if f.level is Level.WARNING)


STRANGERS = [
    an_owner("CloneSet", "apps.kruise.io/v1alpha1"),
    # Of the same name, and another's.
    an_owner("StatefulSet", "apps.kruise.io/v1beta1"),
    an_owner("Job", "batch.volcano.sh/v1alpha1"),
    an_owner("Rollout", "argoproj.io/v1alpha1"),
    an_owner("Cluster", "postgresql.cnpg.io/v1"),
    an_owner("Deployment", "apps/v1"),
    an_owner("Node", "v1"),
    an_owner("Thing", ""),
]
LISTED = [
    an_owner("ReplicaSet", "apps/v1"),
    an_owner("StatefulSet", "apps/v1"),
    an_owner("DaemonSet", "apps/v1"),
    an_owner("ReplicationController", "v1"),
    an_owner("Job", "batch/v1"),
    an_owner("CloneSet", "apps.kruise.io/v1alpha1", controller=None),
    an_owner("CloneSet", "apps.kruise.io/v1alpha1", controller=False),
]


@pytest.mark.parametrize(
    "owner", STRANGERS, ids=lambda owner: f"{owner['kind']}-{owner['apiVersion']}"
)
def test_of_an_owner_that_no_list_has_no_label_is_kept_and_that_is_said(owner: Json) -> None:
    plan = planned(owner)
    assert kept(plan) == set()
    assert f"{owner['kind']} it owns the source, so the copy keeps no label" in warnings(plan)
    (edit,) = (edit for edit in plan.edits if edit.field == "metadata.labels")
    assert "its selector is unknown" in edit.reason


@pytest.mark.parametrize(
    "owner", LISTED, ids=lambda owner: f"{owner['kind']}-{owner['controller']}"
)
def test_an_owner_that_is_listed_is_judged_by_its_selector(owner: Json) -> None:
    plan = planned(owner)
    assert kept(plan) == set(LABELS) and warnings(plan) == ""
    assert planned().copy["metadata"]["labels"] == plan.copy["metadata"]["labels"]


def test_the_stranger_is_the_one_that_controls() -> None:
    listed, stranger = LISTED[0], STRANGERS[0]
    assert stranger_of(a_pod(metadata={"ownerReferences": [LISTED[-1], listed]})) == ""
    assert stranger_of(a_pod(metadata={"ownerReferences": [LISTED[-1], stranger]})) == "CloneSet it"
    assert stranger_of(a_pod()) == ""


def test_whoever_keeps_the_labels_is_told_of_the_stranger() -> None:
    plan = planned(STRANGERS[0], keep=True)
    assert kept(plan) == set(LABELS)
    assert "CloneSet it owns the source, and may adopt the copy" in warnings(plan)
    assert "omit --keep-labels" in warnings(plan)
    assert "owns the source" not in warnings(planned(LISTED[0], keep=True))


@pytest.mark.parametrize("keep", [False, True], ids=["chosen", "all-kept"])
@pytest.mark.parametrize("prefix", sorted(MANAGERS))
def test_a_label_by_which_alone_a_manager_acts_is_never_kept(prefix: str, keep: bool) -> None:
    key = f"{prefix}name" if prefix.endswith("/") else prefix
    plan = planned(labels={**LABELS, key: "x"}, keep=keep)
    assert key not in plan.copy["metadata"]["labels"] and kept(plan) == set(LABELS)
    (edit,) = (edit for edit in plan.edits if edit.field == f"metadata.labels[{key}]")
    assert edit.reason == MANAGERS[prefix]


@pytest.mark.parametrize("key", ["app.kubernetes.io/instance", "argocd-of-ours", "x-ray.io/a"])
def test_a_label_that_only_looks_like_a_manager_s_is_kept(key: str) -> None:
    assert key in planned(labels={key: "x"}).copy["metadata"]["labels"]


# Whether a Service selects the source


@pytest.mark.parametrize(
    "services, unknown, why",
    [
        ((), (), "no Service selects the source, and it may take work"),
        ((), ("services",), "services cannot be listed, so it is unknown whether one selects"),
        (({"app": "shop"},), (), ""),
        (({"app": "other"},), (), "no Service selects the source, and it may take work"),
        ((), ("jobs",), "no Service selects the source, and it may take work"),
    ],
    ids=str,
)
def test_a_healthy_source_is_held_unless_a_service_is_known_to_select_it(
    services: tuple[Json, ...], unknown: tuple[str, ...], why: str
) -> None:
    selecting = tuple(Selector("Service", "s", {"matchLabels": each}) for each in services)
    facts = NamespaceFacts(NamespaceSelectors(services=selecting, unknown=unknown))
    status = {"containerStatuses": [{"name": "app", "state": {"running": {}}}]}
    source = a_pod(metadata={"labels": LABELS}, status=status)
    plan = plan_for(source, a_request(image=None), namespace=facts)
    assert plan.place.held is bool(why)
    assert why in "\n".join(finding.text for finding in plan.findings)
