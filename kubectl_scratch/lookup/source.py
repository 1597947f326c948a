"""Find the pod that the user names, or say which one may be meant."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import NamedTuple

from kubectl_scratch.errors import ClusterError, InvalidRequest
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Answer, Client
from kubectl_scratch.kube.kinds import KINDS, Kind
from kubectl_scratch.kube.objects import Json, labels_of, name, uid
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.kube.selectors import selector_of, text_of
from kubectl_scratch.kube.yaml_files import STDIN, read_objects
from kubectl_scratch.lookup.manifest_file import choose_manifest, generated_name, kind_of
from kubectl_scratch.lookup.pod_selection import candidate_pods, why_chosen
from kubectl_scratch.lookup.pod_template import pod_of
from kubectl_scratch.plan.findings import Finding, Level
from kubectl_scratch.request import Target
from kubectl_scratch.runtime.tasks import Task


class Source(NamedTuple):
    """The pod to copy, the cluster's time when it was read, and how it was found."""

    pod: Json
    at: datetime
    findings: tuple[Finding, ...] = ()


def find_source(cluster: Client, target: Target) -> Source:
    """Return the pod that most needs debugging of what the user names.

    A workload without pods is copied from its template. Raises InvalidRequest if there is no
    such object, or it has no pod.
    """
    if target.kind == "pod":
        found = read_pod(cluster, target.name)
        return Source(found.body, found.at)
    return choose_pod(cluster, target, _read(cluster, target))


def find_in_file(cluster: Client, path: str) -> Source:
    """Return the pod that a manifest names; if the cluster has none, that of the manifest.

    Raises InvalidRequest for a file that cannot be read or has nothing with pods.
    """
    where = "stdin" if path == STDIN else path
    manifest = choose_manifest(read_objects(path), where)
    kind, generated = kind_of(manifest) or "", generated_name(manifest)
    cluster.enter_namespace(manifest["metadata"].get("namespace"))
    if generated:
        # No object can be meant: what was created from it has a name of its own.
        manifest["metadata"]["name"] = generated
        return source_of_manifest(cluster, manifest, where, f"the {kind}'s name is generated")
    target = Target(kind, name(manifest))
    try:
        answer = cluster.get(_path(cluster, target))
    except ClusterError as error:
        if not error.gone:
            raise
        return source_of_manifest(cluster, manifest, where, f"{kind} {target.name!r} not found")
    if kind == "pod":
        return Source(answer.body, answer.at)
    return choose_pod(cluster, target, answer)


def source_of_manifest(cluster: Client, manifest: Json, where: str, why: str) -> Source:
    """Return the pod that a manifest would make, and ``why`` it is not the cluster's."""
    kind = kind_of(manifest)
    pod = manifest if kind == "pod" else pod_of(manifest, cluster.namespace)
    if pod is None:
        raise InvalidRequest(f"{why}, and a {kind} has no pod")
    pod["metadata"]["namespace"] = cluster.namespace
    text = f"{why}: the copy is made from {where}"
    return Source(pod, cluster.now(), (Finding(Level.INFO, text),))


def choose_pod(cluster: Client, target: Target, answer: Answer) -> Source:
    """Return the pod of a workload or service that most needs debugging; raises InvalidRequest."""
    owner = answer.body
    findings: list[Finding] = []
    found = candidate_pods(pods_of(cluster, target, owner, findings))
    if found:
        chosen = found[0]
        of = f" (1 of {len(found)})" if len(found) > 1 else ""
        because = why_chosen(chosen)
        text = f"{target.kind} {target.name}: using pod {name(chosen)}{of}: {because}"
        return Source(chosen, answer.at, (Finding(Level.INFO, text), *findings))
    pod = pod_of(owner, cluster.namespace)
    if pod is None:
        raise InvalidRequest(f"{target.kind} {target.name!r} selects no pods")
    text = f"{target.kind} {target.name} has no pods: the copy is made from its template"
    return Source(pod, answer.at, (Finding(Level.INFO, text), *findings))


def pods_of(cluster: Client, target: Target, owner: Json, findings: list[Finding]) -> list[Json]:
    """Return the pods that a workload owns or a service selects; add what there is to say.

    Any pod may have the labels of a workload's.
    """
    if target.kind == "cronjob":
        jobs = cluster.get(paths.jobs(cluster.namespace)).body.get("items") or []
        mine = {uid(job) for job in jobs if _controller_of(job) == uid(owner)}
        query = f"batch.kubernetes.io/controller-uid in ({','.join(sorted(mine))})" if mine else ""
        return [pod for pod in _list(cluster, query) if _controller_of(pod) in mine]
    selecting = selector_of({"kind": KINDS[target.kind].title, **owner})
    query = text_of(selecting.selector) if selecting else ""
    if target.kind == "deployment":
        return _pods_of_deployment(cluster, owner, query, findings)
    pods = _list(cluster, query)
    if target.kind == "service":
        return pods
    return [pod for pod in pods if _controller_of(pod) == uid(owner)]


def _list(cluster: Client, query: str) -> list[Json]:
    """Return the pods of these labels; without a selector, by which the API returns all, none."""
    if not query:
        return []
    found: list[Json] = (
        cluster.get(paths.pods(cluster.namespace), labelSelector=query).body.get("items") or []
    )
    return found


def _pods_of_deployment(
    cluster: Client, owner: Json, query: str, findings: list[Finding]
) -> list[Json]:
    """Return the pods of the ReplicaSets that a Deployment owns.

    If those cannot be listed, their names tell: the Deployment's controller gives them.
    """
    kind = KINDS["replicaset"]
    path = paths.objects(kind.root, cluster.namespace, kind.plural)
    sets = Task(lambda: retried(lambda: cluster.get(path, labelSelector=query)).body)
    pods = _list(cluster, query)
    if not pods:
        return []
    try:
        listed = sets.result().get("items") or []
    except ClusterError as error:
        text = (
            f"{kind.plural} cannot be listed ({error.reason}), so the pods of deployment"
            f" {name(owner)} are found by the names of their owners"
        )
        findings.append(Finding(Level.WARNING, text))
        return [pod for pod in pods if _is_named_after(pod, owner)]
    uids = {uid(each) for each in listed if _controller_of(each) == uid(owner)}
    return [pod for pod in pods if _controller_of(pod) in uids]


def _is_named_after(pod: Json, deployment: Json) -> bool:
    """Say whether a pod's controller is called as the Deployment's ReplicaSet of that pod is.

    kubernetes/kubernetes, pkg/controller/deployment/sync.go.
    """
    hashed = labels_of(pod).get("pod-template-hash")
    wanted = ("ReplicaSet", f"{name(deployment)}-{hashed}")
    references = pod["metadata"].get("ownerReferences") or []
    return any(r.get("controller") and (r.get("kind"), r.get("name")) == wanted for r in references)


def _controller_of(obj: Json) -> str | None:
    """Return the UID of what controls an object, None if nothing does."""
    references = obj["metadata"].get("ownerReferences") or []
    return next((str(r.get("uid")) for r in references if r.get("controller")), None)


def _path(cluster: Client, target: Target) -> str:
    kind = KINDS[target.kind]
    return paths.objects(kind.root, cluster.namespace, kind.plural, target.name)


def _read(cluster: Client, target: Target) -> Answer:
    kind = KINDS[target.kind]
    try:
        return cluster.get(_path(cluster, target))
    except ClusterError as error:
        if not error.gone or error.kind != kind.plural:
            raise
    raise _missing(cluster, target.kind, target.name, kind)


def read_pod(cluster: Client, pod: str) -> Answer:
    """Read the pod; raises InvalidRequest with similar names if it is not found."""
    return _read(cluster, Target("pod", pod))


def _missing(cluster: Client, kind: str, wanted: str, where: Kind) -> InvalidRequest:
    namespace = cluster.namespace
    if not namespace_exists(cluster):
        return InvalidRequest(f"namespace {namespace!r} not found", "use -n to choose another")
    return InvalidRequest(
        f"{kind} {wanted!r} not found in namespace {namespace!r}",
        near_names(cluster, wanted, where),
    )


def namespace_exists(cluster: Client) -> bool:
    """Say whether the namespace exists; True if that is unknown."""
    try:
        cluster.get(paths.namespaces(cluster.namespace))
    except ClusterError as error:
        return not error.gone or error.kind != "namespaces"
    return True


def near_names(cluster: Client, wanted: str, kind: Kind) -> str:
    """Return a hint with names similar to ``wanted``."""
    try:
        path = paths.objects(kind.root, cluster.namespace, kind.plural)
        found = cluster.get(path, limit="500").body
    except ClusterError:
        return ""
    names = [name(item) for item in found.get("items") or []]
    near = [n for n in names if n.startswith(wanted)][:3]
    near = near or difflib.get_close_matches(wanted, names, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "" if names else f"the namespace has no {kind.plural}; use -n to choose another"
