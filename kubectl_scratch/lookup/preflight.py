"""Check beforehand what a debug needs: permissions, admission, a node, images, the lease."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.kinds import CLAIM, SELECTING
from kubectl_scratch.kube.objects import Json, all_containers, condition
from kubectl_scratch.lookup import admission
from kubectl_scratch.plan import remedies
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.plan.model import TOOLS, Plan
from kubectl_scratch.plan.node_fit import UNSELECTED, no_node_for
from kubectl_scratch.plan.remedies import ARCH_HINT
from kubectl_scratch.runtime.tasks import Task

OK, _UNKNOWN = "ok", "unknown"


class Right(NamedTuple):
    """One permission in the namespace; ``without`` says what a debug loses without it."""

    verb: str
    group: str
    resource: str
    without: str = ""


class Row(NamedTuple):
    """One line of the check: what was looked at, the verdict (a level's name, ok, unknown)."""

    about: str
    verdict: str
    text: str


class Checked(NamedTuple):
    """The whole check; ``role`` is a Role with the missing permissions, or None."""

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


EPHEMERAL = Right("patch", "", "pods/ephemeralcontainers", "no debug container beside the target")
_RIGHTS = (
    Right("get", "", "pods"),
    Right("create", "", "pods"),
    Right("delete", "", "pods"),
    EPHEMERAL,
    Right("create", "", "pods/exec"),
    Right("get", "", "pods/exec"),
    Right("create", "", "configmaps", "the tools come from an image, beside the target only"),
    Right("get", "", "configmaps", "a replaced program in the copy is not noticed"),
    Right("get", "", "pods/log", "the last lines of the log are not shown"),
    Right("create", "batch", "jobs", "no lease: the copy stops after a fixed time"),
    Right("get", "batch", "jobs", "the lease cannot be renewed"),
    Right("patch", "batch", "jobs", "the lease cannot be renewed"),
    Right("delete", "batch", "jobs", "the lease stays until it expires"),
    Right("list", "", "events", "the reason why a copy waits may be unknown"),
    Right("watch", "", "events", "the start of the copy is noticed later"),
    *(Right("list", k.group, k.plural, "the copy keeps no labels") for k in SELECTING),
    Right("list", CLAIM.group, CLAIM.plural, "a claim that cannot be shared is noticed late"),
)


def run_checks(plan: Plan, cluster: Client) -> Checked:
    """Check what a debug by this plan needs; all questions are asked at once."""
    namespace = plan.place.namespace
    rights = ask_rights(cluster, namespace)
    looks = [Task(partial(look, plan, cluster)) for look in (admission_rows, node_rows, nodes_rows)]
    rows = [
        *(row for look in looks for row in look.result()),
        *(Row("plan", finding.level.value, finding.text) for finding in plan.findings),
    ]
    needed = frozenset({EPHEMERAL} if plan.place.view == TOOLS else ())
    return summary(rights, namespace, rows, needed)


def check_rights(cluster: Client) -> Checked:
    """Check the permissions alone, if without them no plan can be made."""
    return summary(ask_rights(cluster, cluster.namespace), cluster.namespace, [])


def ask_rights(cluster: Client, namespace: str) -> dict[Right, Task[bool | None]]:
    """Begin to ask for each permission; an answer is None if the cluster gives none."""
    return {
        right: Task(partial(cluster.allows, right.verb, right.group, right.resource, namespace))
        for right in _RIGHTS
    }


def summary(
    asked: dict[Right, Task[bool | None]],
    namespace: str,
    rows: list[Row],
    needed: frozenset[Right] = frozenset(),
) -> Checked:
    """Wait for the permissions; return the check with all the other rows behind them.

    ``needed`` are permissions without which this debug fails, though others work.
    """
    rights = {right: task.result() for right, task in asked.items()}
    return Checked((*rights_rows(rights, needed), *rows), role_of(namespace, lacking_in(rights)))


def lacking_in(rights: dict[Right, bool | None]) -> list[Right]:
    """Return the permissions that are certainly missing."""
    return [right for right in _RIGHTS if rights[right] is False]


def rights_rows(rights: dict[Right, bool | None], needed: frozenset[Right]) -> list[Row]:
    """Return a row for each missing permission, or one if none is missing."""
    lacking = [_lacking(right, right in needed) for right in lacking_in(rights)]
    if None in rights.values():
        lacking.append(
            Row("permissions", _UNKNOWN, "the API server did not answer for all permissions")
        )
    return lacking or [Row("permissions", OK, "all permissions are granted")]


def _lacking(right: Right, needed: bool) -> Row:
    text = f"no permission to {right.verb} {right.resource}"
    if needed or not right.without:
        return Row("permissions", Level.BLOCKER.value, text)
    return Row("permissions", Level.WARNING.value, f"{text} ({right.without})")


def admission_rows(plan: Plan, cluster: Client) -> list[Row]:
    """Let the API server judge the lease and the copy."""
    unleased = admission.refusal_of(paths.jobs(plan.place.namespace), plan.lease, cluster)
    created = Row("lease", OK, "accepted by the API server")
    rows = [_refused("lease", unleased) if unleased else created]
    refusal = None
    for choice in plan.choices:
        refusal = admission.judge_debug_container(plan, choice, cluster)
        if refusal is None:
            return [*rows, Row("admission", OK, f"the copy is accepted, profile {choice.profile}")]
    assert refusal is not None
    refused = _refused("admission", refusal)
    if plan.place.view == TOOLS or admission.judge_debug_container(plan, None, cluster):
        return [*rows, refused]
    text = f"the copy is accepted, but no debug container beside the target: {refused.text}"
    return [*rows, Row("admission", Level.WARNING.value, text)]


def _refused(about: str, error: ClusterError) -> Row:
    if admission.is_not_judged(error) or error.transient:
        return Row(about, _UNKNOWN, error.message)
    # Without permission to create a lease a fixed deadline takes its place.
    level = Level.WARNING if about == "lease" and error.forbidden else Level.BLOCKER
    return Row(about, level.value, error.message)


def node_rows(plan: Plan, cluster: Client) -> list[Row]:
    """Look at the source pod's node: whether it accepts pods, and which images it has."""
    node = plan.node
    if node is None:
        return [Row("node", _UNKNOWN, "the source pod has none; the scheduler chooses one")]
    try:
        found = cluster.get(paths.nodes(node)).body
    except ClusterError as error:
        text, place = f"{node} cannot be read: {error.message}", plan.place
        if place.arch_known or not place.seeded:
            return [Row("node", _UNKNOWN, text)]
        # The tools are for a guessed architecture.
        text = f"{text}; the copy runs on {place.arch} nodes only; use --arch for another"
        return [Row("node", Level.WARNING.value, text)]
    return [_state_of(found, node), _images_of(plan, found)]


def nodes_rows(plan: Plan, cluster: Client) -> list[Row]:
    """Look for a node that could take the copy."""
    try:
        found = cluster.get(paths.everywhere("/api/v1", "nodes")).body.get("items") or []
    except ClusterError as error:
        return [Row("nodes", _UNKNOWN, f"they cannot be listed: {error.message}")]
    misfits = no_node_for(plan.copy, found)
    if not misfits:
        return []
    why = ", ".join(f"{each.why} ({count} of {len(found)})" for each, count in misfits)
    text = f"no node can take the copy: {why}"
    lacks = " ".join(f"Insufficient {each.lacks}" for each, _ in misfits if each.lacks)
    guessed = bool(plan.place.seeded) and not plan.place.arch_known
    arch = ARCH_HINT if guessed and UNSELECTED in dict(misfits) else ""
    ways = filter(None, (remedies.scheduling_remedy(plan.copy, lacks), arch))
    return [Row("nodes", Level.BLOCKER.value, "; ".join((text, *ways)))]


def _state_of(node: Json, name: str) -> Row:
    if (node.get("spec") or {}).get("unschedulable"):
        text = f"{name} is cordoned: the copy runs elsewhere, or waits if a volume needs this node"
        return Row("node", Level.WARNING.value, text)
    if (condition(node, "Ready") or {}).get("status") != "True":
        return Row("node", Level.WARNING.value, f"{name} is not ready")
    return Row("node", OK, f"{name} accepts pods")


def _images_of(plan: Plan, node: Json) -> Row:
    listed = (node.get("status") or {}).get("images") or []
    there = {name for image in listed for name in image.get("names") or []}
    wanted = [c["image"] for c in all_containers(plan.copy)]
    wanted.append(plan.choices[0].container["image"])
    missing = [image for image in dict.fromkeys(wanted) if not _is_there(image, there)]
    if missing:
        return Row("images", Level.INFO.value, f"the node may have to pull {', '.join(missing)}")
    return Row("images", OK, "all are present on the node")


def _is_there(image: str, there: set[str]) -> bool:
    """Say whether a node has an image; it lists them by their full names."""
    tagged = image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
    return bool({tagged, f"docker.io/{tagged}", f"docker.io/library/{tagged}"} & there)


def role_of(namespace: str, lacking: list[Right]) -> Json | None:
    """Return a Role with the missing permissions; None if none is missing."""
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
