"""Check beforehand what a debug needs: rights, admission, a node, images, the lease."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from kubectl_scratch import admission
from kubectl_scratch import cluster as api
from kubectl_scratch.cluster import Cluster
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.findings import Finding, Level
from kubectl_scratch.plan import Plan
from kubectl_scratch.podjson import Json, all_containers

OK, UNKNOWN = "ok", "not known"


@dataclass(frozen=True)
class Right:
    """One permission in the namespace; ``without`` says what is lost where it lacks."""

    verb: str
    group: str
    resource: str
    without: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the check: what was looked at, the verdict (a level's name, ok, not known)."""

    about: str
    verdict: str
    text: str


@dataclass(frozen=True)
class Checked:
    """The whole check; ``role`` is a Role with the rights that lack, or None."""

    rows: tuple[Row, ...]
    role: Json | None

    @property
    def findings(self) -> list[Finding]:
        """Return the rows that say more than ok."""
        levels = {level.value: level for level in Level}
        return [
            Finding(levels[row.verdict], f"{row.about}: {row.text}")
            for row in self.rows
            if row.verdict in levels
        ]

    @property
    def blocked(self) -> bool:
        """Say whether a debug would fail."""
        return any(row.verdict == Level.BLOCKER.value for row in self.rows)


RIGHTS = (
    Right("get", "", "pods"),
    Right("create", "", "pods"),
    Right("delete", "", "pods"),
    Right("patch", "", "pods/ephemeralcontainers"),
    Right("create", "", "pods/exec"),
    Right("get", "", "pods/exec"),
    Right("create", "batch", "jobs", "no lease: the copy ends at a fixed time instead"),
    Right("get", "batch", "jobs", "no lease that can be renewed"),
    Right("patch", "batch", "jobs", "no lease that can be renewed"),
    Right("delete", "batch", "jobs", "the lease stays until its time is up"),
    Right("list", "", "events", "a copy that waits can't always say why"),
    Right("list", "", "services", "the copy keeps none of the source's labels"),
    Right("list", "networking.k8s.io", "networkpolicies", "the copy keeps no labels"),
    Right("list", "policy", "poddisruptionbudgets", "the copy keeps no labels"),
    Right("list", "apps", "replicasets", "the copy keeps no labels"),
    Right("list", "apps", "daemonsets", "the copy keeps no labels"),
    Right("list", "apps", "statefulsets", "the copy keeps no labels"),
    Right("list", "", "replicationcontrollers", "the copy keeps no labels"),
    Right("list", "batch", "jobs", "the copy keeps no labels"),
    Right("list", "", "persistentvolumeclaims", "a claim that can't be shared is found late"),
)


def check(plan: Plan, cluster: Cluster) -> Checked:
    """Check what a debug by this plan needs; all questions are asked at once."""
    rights: dict[Right, bool | None] = {}
    answers: dict[str, list[Row]] = {}

    def ask(right: Right) -> Callable[[], None]:
        def task() -> None:
            where = (right.verb, right.group, right.resource, plan.place.namespace)
            rights[right] = cluster.allows(*where)

        return task

    def look(about: str, question: Callable[[Plan, Cluster], list[Row]]) -> Callable[[], None]:
        def task() -> None:
            answers[about] = question(plan, cluster)

        return task

    questions = {"admission": of_admission, "node": of_node}
    at_once([*map(ask, RIGHTS), *(look(about, q) for about, q in questions.items())])
    rows = [
        *of_rights(rights),
        *(row for about in questions for row in answers[about]),
        *(Row("plan", finding.level.value, finding.text) for finding in plan.findings),
    ]
    return Checked(tuple(rows), role_of(plan.place.namespace, lacking_in(rights)))


def check_rights(cluster: Cluster) -> Checked:
    """Check the rights alone, where without them no plan can be made."""
    rights: dict[Right, bool | None] = {}

    def ask(right: Right) -> Callable[[], None]:
        def task() -> None:
            where = (right.verb, right.group, right.resource, cluster.namespace)
            rights[right] = cluster.allows(*where)

        return task

    at_once([ask(right) for right in RIGHTS])
    return Checked(tuple(of_rights(rights)), role_of(cluster.namespace, lacking_in(rights)))


def lacking_in(rights: dict[Right, bool | None]) -> list[Right]:
    """Return the rights that the user lacks for certain."""
    return [right for right in RIGHTS if rights[right] is False]


def at_once(tasks: list[Callable[[], None]]) -> None:
    """Run tasks in threads, and wait for all."""
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def of_rights(rights: dict[Right, bool | None]) -> list[Row]:
    """Return a row for each right that lacks, or one where none does."""
    lacking = [
        Row(
            "rights",
            (Level.WARNING if right.without else Level.BLOCKER).value,
            f"you may not {right.verb} {right.resource}"
            + (f" ({right.without})" if right.without else ""),
        )
        for right in lacking_in(rights)
    ]
    if None in rights.values():
        lacking.append(Row("rights", UNKNOWN, "the cluster did not answer for all of them"))
    return lacking or [Row("rights", OK, "you may do all that it needs")]


def of_admission(plan: Plan, cluster: Cluster) -> list[Row]:
    """Let the API server judge the lease and the copy."""
    rows = []
    try:
        cluster.dry_run(api.jobs(plan.place.namespace), plan.lease)
        rows.append(Row("lease", OK, "the cluster would create it"))
    except ClusterError as error:
        rows.append(_refused("lease", error))
    refusal = None
    for choice in plan.choices:
        refusal = admission.judge(plan, choice, cluster)
        if refusal is None:
            return [*rows, Row("admission", OK, f"the copy is admitted, profile {choice.profile}")]
    assert refusal is not None
    return [*rows, _refused("admission", refusal)]


def _refused(about: str, error: ClusterError) -> Row:
    if admission.is_not_judged(error) or error.transient:
        return Row(about, UNKNOWN, error.message)
    # Without the right to create a lease a fixed deadline takes its place.
    level = Level.WARNING if about == "lease" and error.status == 403 else Level.BLOCKER
    return Row(about, level.value, error.message)


def of_node(plan: Plan, cluster: Cluster) -> list[Row]:
    """Look at the source's node: whether it takes pods, and which images it has."""
    node = plan.node
    if node is None:
        return [Row("node", UNKNOWN, "the source has none, the scheduler chooses")]
    try:
        found = cluster.get(api.nodes(node)).body
    except ClusterError as error:
        return [Row("node", UNKNOWN, f"{node} can't be read: {error.message}")]
    return [*_state_of(found, node), *_images_of(plan, found)]


def _state_of(node: Json, name: str) -> list[Row]:
    if (node.get("spec") or {}).get("unschedulable"):
        text = f"{name} is cordoned: the copy goes to another, or waits where a volume ties it"
        return [Row("node", Level.WARNING.value, text)]
    conditions = (node.get("status") or {}).get("conditions") or []
    ready: Json = next((c for c in conditions if c.get("type") == "Ready"), {})
    if ready.get("status") != "True":
        return [Row("node", Level.WARNING.value, f"{name} is not ready")]
    return [Row("node", OK, f"{name} takes pods")]


def _images_of(plan: Plan, node: Json) -> list[Row]:
    listed = (node.get("status") or {}).get("images") or []
    there = {name for image in listed for name in image.get("names") or []}
    wanted = [c["image"] for c in all_containers(plan.copy)]
    wanted.append(plan.choices[0].container["image"])
    missing = [image for image in dict.fromkeys(wanted) if not _is_there(image, there)]
    if missing:
        return [Row("images", Level.INFO.value, f"the node may have to pull {', '.join(missing)}")]
    return [Row("images", OK, "all are on the node")]


def _is_there(image: str, there: set[str]) -> bool:
    """Say whether a node has an image; it lists them by their full names."""
    tagged = image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
    return bool({tagged, f"docker.io/{tagged}", f"docker.io/library/{tagged}"} & there)


def role_of(namespace: str, lacking: list[Right]) -> Json | None:
    """Return a Role with the rights that lack; None where none does."""
    if not lacking:
        return None
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in lacking:
        verbs.setdefault((right.group, right.resource), []).append(right.verb)
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": wanted}
        for (group, resource), wanted in verbs.items()
    ]
    metadata = {"name": "kubectl-scratch", "namespace": namespace}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": rules,
    }
