"""Read what explains why a pod does not run: what it names, what is said of it, what is around it.

Nothing here is an error: what cannot be read is left out.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.kinds import CLAIM
from kubectl_scratch.kube.objects import (
    Json,
    condition,
    last_termination,
    name,
    namespace,
    state_of,
    status_of,
    uid,
)
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.lookup.network_facts import has_talked, with_network
from kubectl_scratch.lookup.quiet_reads import items_or_none, names_or_none, object_or_none
from kubectl_scratch.lookup.secret_facts import (
    MOST_READ,
    keys_of,
    said_of_waiting,
    with_missed_secrets,
    with_waiting_secrets,
)
from kubectl_scratch.lookup.workload_facts import read_workload_facts
from kubectl_scratch.request import Target
from kubectl_scratch.runtime.tasks import Task, TaskGroup
from kubectl_scratch.why.config_use import CONFIG_MAP, names_used
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.status.claims import claims_of
from kubectl_scratch.why.status.told import seen_at

# Of the log: what the runtime says there of a program that it cannot start is one line.
_LOG_LINES = 10
_STORAGE = "/apis/storage.k8s.io/v1"


def read_status_facts(
    cluster: Client, source: Json, target: str, named: Target | None = None
) -> ClusterFacts:
    """Read what tells without a run why the target container of a pod does not work.

    ``named`` is what the user has named, if that is a workload.
    """
    facts = with_waiting_secrets(cluster, _first_facts(cluster, source, target, named))
    return _with_names(cluster, _with_places(cluster, facts))


def read_network_facts(cluster: Client, facts: ClusterFacts, run: Run) -> ClusterFacts:
    """Add what explains what a run met in the network, and what it missed of Secrets."""
    facts = with_missed_secrets(cluster, facts, run)
    return with_network(cluster, facts, run) if has_talked(run) else facts


def _first_facts(cluster: Client, source: Json, target: str, named: Target | None) -> ClusterFacts:
    where = namespace(source)
    config_maps = names_used(source, CONFIG_MAP)[:MOST_READ]
    claims = list(dict.fromkeys(claim for _, claim in claims_of(source)))[:MOST_READ]
    told = Task(lambda: _events(cluster, source))
    group: TaskGroup[Any] = TaskGroup(
        [
            partial(_node, cluster, source["spec"].get("nodeName")),
            partial(_log, cluster, source, target),
            partial(_workload, cluster, named),
            *(
                partial(object_or_none, cluster, paths.config_maps(where, each))
                for each in config_maps
            ),
            *(partial(object_or_none, cluster, _claim(where, each)) for each in claims),
        ]
    )
    node, log, workload, *objects = group.results()
    maps = zip(config_maps, objects, strict=False)
    found_claims = zip(claims, objects[len(config_maps) :], strict=True)
    events, now = told.result()
    return ClusterFacts(
        pod=source,
        target=target,
        events=events,
        node=node,
        config_maps={each: keys_of(found) for each, found in maps if found is not None},
        claims={each: found or None for each, found in found_claims if found is not None},
        log=log,
        now=now,
        workload=workload,
    )


def _claim(where: str, claim: str) -> str:
    return paths.objects(CLAIM.root, where, CLAIM.plural, claim)


def _node(cluster: Client, node: str | None) -> Json | None:
    return None if node is None else object_or_none(cluster, paths.nodes(node))


def _workload(cluster: Client, named: Target | None) -> Any:
    return read_workload_facts(cluster, named) if named else None


def _events(cluster: Client, source: Json) -> tuple[tuple[Json, ...], datetime | None]:
    """Return the events of a pod and of what controls it, and the cluster's time."""
    if not source["metadata"].get("uid"):
        return (), None
    references = source["metadata"].get("ownerReferences") or []
    about = [(name(source), uid(source))]
    about += [(str(r.get("name")), str(r.get("uid"))) for r in references if r.get("controller")]
    found: list[Json] = []
    now = None
    for whose, wanted in about:
        try:
            answer = retried(partial(_ask_events, cluster, namespace(source), whose))
        except ClusterError:
            continue
        now = answer.at
        found += [e for e in answer.body.get("items") or () if _uid_in(e) in ("", wanted)]
    return tuple(sorted(found, key=seen_at)), now


def _ask_events(cluster: Client, where: str, whose: str) -> Any:
    return cluster.get(paths.events(where), fieldSelector=f"involvedObject.name={whose}")


def _uid_in(event: Json) -> str:
    return str((event.get("involvedObject") or {}).get("uid") or "")


def _log(cluster: Client, source: Json, target: str) -> tuple[str, ...]:
    """Return the end of what a container that has ended has printed."""
    if not last_termination(status_of(source, target)):
        return ()
    again = "terminated" not in state_of(source, target)
    query = {"previous": "true"} if again else {}
    try:
        found = cluster.log(namespace(source), name(source), target, _LOG_LINES, **query)
    except ClusterError:
        return ()
    return tuple(found)


def _with_places(cluster: Client, facts: ClusterFacts) -> ClusterFacts:
    """Add the nodes, the neighbours and what is said of claims, if no node takes the pod."""
    scheduled = condition(facts.pod, "PodScheduled") or {}
    if scheduled.get("status") != "False":
        return facts
    where = namespace(facts.pod)
    functions = [
        partial(items_or_none, cluster, paths.everywhere("/api/v1", "nodes")),
        partial(items_or_none, cluster, paths.pods(where)),
        *([partial(_claim_events, cluster, where)] if facts.claims else []),
    ]
    nodes, pods, *events = TaskGroup(functions).results()
    told = sorted((*facts.events, *(e for each in events for e in each or ())), key=seen_at)
    return facts._replace(nodes=nodes, neighbours=pods, events=tuple(told))


def _claim_events(cluster: Client, where: str) -> tuple[Json, ...] | None:
    kind = f"involvedObject.kind={CLAIM.title}"
    return items_or_none(cluster, paths.events(where), fieldSelector=kind)


def _with_names(cluster: Client, facts: ClusterFacts) -> ClusterFacts:
    """Add the names of what there is of each kind of which something is missing."""
    where = namespace(facts.pod)
    core = partial(paths.objects, "/api/v1", where)
    said = " ".join(said_of_waiting(facts))
    asked = {
        "configmap": (core("configmaps"), None in facts.config_maps.values()),
        "secret": (core("secrets"), None in facts.secrets.values() or 'secret "' in said),
        CLAIM.title.lower(): (core(CLAIM.plural), None in facts.claims.values()),
        "storageclass": (paths.everywhere(_STORAGE, "storageclasses"), _unbound(facts)),
    }
    found = {
        kind: names_or_none(cluster, path) for kind, (path, missing) in asked.items() if missing
    }
    return facts._replace(
        names={kind: tuple(map(_plain, names)) for kind, names in found.items() if names}
    )


def _plain(cell: str) -> str:
    """Return a name without what kubectl shows beside it: "standard (default)"."""
    return cell.partition(" ")[0]


def _unbound(facts: ClusterFacts) -> bool:
    phases = (((claim or {}).get("status") or {}).get("phase") for claim in facts.claims.values())
    return "Pending" in phases
