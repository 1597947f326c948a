"""Reading what explains a pod: what is asked for, and what becomes of refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube.client import Answer, Client
from kubectl_scratch.lookup.why_facts import read_network_facts, read_status_facts
from kubectl_scratch.request import Target
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.report import Call, Question, Run
from tests.support.builders import NOON, Json, a_container, a_pod

CORE = "/api/v1/namespaces/default"
NOT_FOUND = ClusterError(404, "NotFound", "not found")
FORBIDDEN = ClusterError(403, "Forbidden", "no permission")


class FakeClient:
    """A cluster that has a few answers by path; what it does not have is forbidden."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.namespace = "default"
        self.answers = answers
        self.asked: list[str] = []
        self.tables: list[str] = []

    def get(self, path: str, timeout: float | None = None, **query: str) -> Answer:
        """Return what there is at a path; events are named by what they are about."""
        path += "".join(f"?{value}" for value in query.values())
        self.asked.append(path)
        return Answer(self._answer(path), NOON)

    def table(self, path: str, **query: str) -> Json:
        """Return the names at a path."""
        self.tables.append(path)
        names = self._answer(path)
        return {"kind": "Table", "rows": [{"cells": [each, 2]} for each in names]}

    def log(self, namespace: str, pod: str, container: str, lines: int, **query: str) -> list[str]:
        """Return a line for each flag of the query."""
        return [f"{container} of {pod}", *sorted(query)]

    def _answer(self, path: str) -> Any:
        found = self.answers.get(path, FORBIDDEN)
        if isinstance(found, ClusterError):
            raise found
        return found


def read(pod: Json, answers: Mapping[str, Any], named: Target | None = None) -> ClusterFacts:
    return read_status_facts(cast(Client, FakeClient(answers)), pod, "app", named)


def a_list(*items: Json) -> Json:
    return {"items": list(items)}


def named_object(name: str, **fields: Any) -> Json:
    return {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, **fields}


def about(name: str, uid: str, at: str, reason: str = "Failed") -> Json:
    where = {"name": name, "uid": uid}
    return {"reason": reason, "lastTimestamp": at, "involvedObject": where}


def using(**spec: Any) -> Json:
    """Return a pod that waits, and uses two ConfigMaps, two Secrets and a claim."""
    container = a_container(
        envFrom=[{"configMapRef": {"name": "one"}}, {"secretRef": {"name": "s-one"}}]
    )
    volumes = [
        {"name": "c", "configMap": {"name": "two"}},
        {"name": "s", "secret": {"secretName": "s-two"}},
        {"name": "d", "persistentVolumeClaim": {"claimName": "data"}},
    ]
    state = {"waiting": {"reason": "ContainerCreating"}}
    status = {"phase": "Pending", "containerStatuses": [{"name": "app", "state": state}]}
    return a_pod(containers=[container], volumes=volumes, status=status, **spec)


def test_of_what_may_not_be_read_nothing_is_known() -> None:
    facts = read(using(nodeName="node-1"), {})
    empty = ClusterFacts(using(nodeName="node-1"), "app")
    assert facts == empty


def test_what_a_pod_names_is_read_and_no_value_of_it_is_kept() -> None:
    answers = {
        f"{CORE}/configmaps/one": named_object("one", data={"a": "1"}, binaryData={"b": "Mg=="}),
        f"{CORE}/configmaps/two": NOT_FOUND,
        f"{CORE}/persistentvolumeclaims/data": named_object("data", status={"phase": "Pending"}),
        "/api/v1/nodes/node-1": named_object("node-1"),
    }
    facts = read(using(nodeName="node-1"), answers)
    assert facts.config_maps == {"one": frozenset("ab"), "two": None}
    assert facts.claims["data"] == answers[f"{CORE}/persistentvolumeclaims/data"]
    assert facts.node == named_object("node-1")


def test_whether_a_secret_exists_is_asked_without_its_values() -> None:
    cluster = FakeClient({f"{CORE}/secrets/s-one": ["s-one"], f"{CORE}/secrets/s-two": NOT_FOUND})
    facts = read_status_facts(cast(Client, cluster), using(), "app")
    assert facts.secrets == {"s-two": None}
    assert not [path for path in cluster.asked if "secrets" in path]


def test_a_secret_is_read_for_its_keys_if_one_is_missing() -> None:
    pod = using()
    said = "couldn't find key passwd in Secret default/s-one"
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": said}}
    pod["status"]["containerStatuses"][0]["state"] = state

    class Both(FakeClient):
        def get(self, path: str, timeout: float | None = None, **query: str) -> Answer:
            if path == f"{CORE}/secrets/s-one":
                return Answer(named_object("s-one", data={"password": "c2VjcmV0"}), NOON)
            return super().get(path, timeout, **query)

    cluster = Both({f"{CORE}/secrets/s-one": ["s-one"]})
    facts = read_status_facts(cast(Client, cluster), pod, "app")
    assert facts.secrets == {"s-one": frozenset({"password"})}
    assert "c2VjcmV0" not in repr(facts)


def test_a_pod_that_runs_needs_no_secrets() -> None:
    pod = using()
    pod["status"]["containerStatuses"][0]["state"] = {"running": {}}
    cluster = FakeClient({f"{CORE}/secrets/s-one": ["s-one"]})
    assert read_status_facts(cast(Client, cluster), pod, "app").secrets == {}
    assert not cluster.tables


def test_the_node_may_not_exist() -> None:
    assert read(using(nodeName="gone"), {"/api/v1/nodes/gone": NOT_FOUND}).node == {}


def test_events_are_those_of_this_pod_and_of_what_controls_it() -> None:
    owner = {"kind": "StatefulSet", "name": "db", "uid": "uid-db", "controller": True}
    pod = a_pod(metadata={"ownerReferences": [owner]})
    mine, older = about("mypod", "uid-mypod", "2"), about("mypod", "another", "1")
    answers = {
        f"{CORE}/events?involvedObject.name=mypod": a_list(mine, older),
        f"{CORE}/events?involvedObject.name=db": a_list(about("db", "uid-db", "1")),
    }
    facts = read(pod, answers)
    assert facts.events == (about("db", "uid-db", "1"), mine)
    assert facts.now == NOON


def test_the_log_is_that_of_the_run_that_has_ended() -> None:
    ended = {"terminated": {"exitCode": 1}}
    again = {"name": "app", "state": {"waiting": {}}, "lastState": ended}
    pod = a_pod(status={"containerStatuses": [again]})
    assert read(pod, {}).log == ("app of mypod", "previous")
    pod = a_pod(status={"containerStatuses": [{"name": "app", "state": ended}]})
    assert read(pod, {}).log == ("app of mypod",)
    assert read(a_pod(), {}).log == ()


def test_nodes_neighbours_and_claims_are_read_if_no_node_takes_the_pod() -> None:
    pod = using()
    condition = {"type": "PodScheduled", "status": "False", "message": "..."}
    pod["status"]["conditions"] = [condition]
    event = about("data", "uid-data", "1", "ProvisioningFailed")
    answers = {
        f"{CORE}/persistentvolumeclaims/data": NOT_FOUND,
        f"{CORE}/persistentvolumeclaims": ["data-0", "data-1"],
        "/api/v1/nodes": a_list(named_object("node-1")),
        f"{CORE}/pods": a_list(a_pod("other")),
        f"{CORE}/events?involvedObject.kind=PersistentVolumeClaim": a_list(event),
    }
    facts = read(pod, answers)
    assert facts.nodes == (named_object("node-1"),)
    assert facts.neighbours == (a_pod("other"),)
    assert facts.events == (event,)
    assert facts.claims == {"data": None}
    assert facts.names == {"persistentvolumeclaim": ("data-0", "data-1")}


def test_names_are_read_of_the_kinds_of_which_something_is_missing() -> None:
    answers = {
        f"{CORE}/configmaps/two": NOT_FOUND,
        f"{CORE}/configmaps": ["one", "too"],
        f"{CORE}/secrets": ["s-one"],
    }
    assert read(using(), answers).names == {"configmap": ("one", "too")}


def test_storage_classes_without_what_kubectl_shows_beside_them() -> None:
    answers = {
        f"{CORE}/persistentvolumeclaims/data": named_object("data", status={"phase": "Pending"}),
        "/apis/storage.k8s.io/v1/storageclasses": ["standard (default)", "fast"],
    }
    assert read(using(), answers).names == {"storageclass": ("standard", "fast")}


def a_replica_set(name: str, by: str, revision: str) -> Json:
    obj = named_object(name, spec={})
    obj["metadata"] |= {
        "ownerReferences": [{"uid": by, "controller": True}],
        "annotations": {"deployment.kubernetes.io/revision": revision},
    }
    return obj


def test_a_deployment_comes_with_its_newest_replica_set() -> None:
    older, newer = (a_replica_set(f"web-{n}", "uid-web", n) for n in ("9", "10"))
    another = a_replica_set("other-11", "uid-other", "11")
    apps = "/apis/apps/v1/namespaces/default"
    failed = about("web-10", "uid-web-10", "1", "FailedCreate")
    answers = {
        f"{apps}/deployments/web": named_object("web", spec={}),
        f"{apps}/replicasets": a_list(newer, older, another),
        f"{CORE}/events?involvedObject.name=web-10": a_list(failed),
    }
    template = a_pod("web")
    del template["metadata"]["uid"]
    workload = read(template, answers, Target("deployment", "web")).workload
    assert workload is not None
    assert (workload.kind, workload.child, workload.events) == ("deployment", newer, (failed,))


@pytest.mark.parametrize("kind", ["pod", "service"])
def test_pods_and_services_are_no_workloads(kind: str) -> None:
    assert read(a_pod(), {}, Target(kind, "x")).workload is None


def connected_in_vain(address: str, *questions: str) -> Run:
    call = Call("connect", 1, 5, 5, family="inet", address=address, port=80, error="ECONNREFUSED")
    asked = tuple(Question(each, "A", "10.96.0.10", 1, 1) for each in questions)
    return Run(calls=(call,), questions=asked)


def a_service(name: str, address: str, where: str = "default", **selector: str) -> Json:
    meta = {"name": name, "namespace": where, "uid": f"uid-{name}"}
    return {"metadata": meta, "spec": {"clusterIP": address, "selector": selector}}


def a_slice(service: str, *ready: bool) -> Json:
    meta = {"name": f"{service}-x", "namespace": "default", "uid": "1"}
    endpoints = [
        {"addresses": [f"10.0.0.{n}"], "conditions": {"ready": is_ready}}
        for n, is_ready in enumerate(ready)
    ]
    labels = {"kubernetes.io/service-name": service}
    return {"metadata": {**meta, "labels": labels}, "endpoints": endpoints}


def around(run: Run, answers: Mapping[str, Any]) -> ClusterFacts:
    cluster = cast(Client, FakeClient(answers))
    return read_network_facts(cluster, ClusterFacts(a_pod(), "app"), run)


def test_a_run_without_network_asks_for_nothing() -> None:
    facts = ClusterFacts(a_pod(), "app")
    assert read_network_facts(cast(Client, None), facts, Run()) is facts


def test_ready_endpoints_are_counted_by_slices() -> None:
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    services = (a_service("db", "10.96.0.1"), a_service("web", "10.96.0.2"))
    answers = {
        f"{CORE}/services": a_list(*services),
        slices: a_list(a_slice("db", True, False), a_slice("db", True)),
    }
    facts = around(connected_in_vain("10.96.0.1"), answers)
    assert facts.services == services
    # The first endpoint of both slices is the same.
    assert facts.endpoints == {"default/db": 1, "default/web": 0}
    assert facts.network_policies is None


def test_without_slices_the_ready_pods_are_counted() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    pods = [
        a_pod("a", metadata={"labels": {"app": "db"}}, status=ready),
        a_pod("b", metadata={"labels": {"app": "db"}}),
        a_pod("c", status=ready),
    ]
    answers = {
        f"{CORE}/services": a_list(
            a_service("db", "10.96.0.1", app="db"), a_service("by-hand", "10.96.0.2")
        ),
        f"{CORE}/pods": a_list(*pods),
    }
    facts = around(connected_in_vain("10.96.0.1"), answers)
    assert facts.endpoints == {"default/db": 1}
    assert facts.neighbours == tuple(pods)


def test_of_services_that_may_not_be_read_nothing_is_known() -> None:
    facts = around(connected_in_vain("10.96.0.1"), {})
    assert (facts.services, facts.endpoints, facts.neighbours) == (None, None, None)


@pytest.mark.parametrize("name", ["db.prod", "db.prod.svc.cluster.local", "db.prod.svc"])
def test_services_of_another_namespace_are_read_if_a_name_means_it(name: str) -> None:
    there = a_service("db", "10.96.0.9", "prod")
    answers = {
        f"{CORE}/services": a_list(),
        "/api/v1/namespaces/prod/services": a_list(there),
        "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices": a_list(),
    }
    facts = around(connected_in_vain("10.96.0.9", name, "www.example.com"), answers)
    assert facts.services == (there,)
    assert facts.endpoints == {"prod/db": 0}


def test_an_address_that_nothing_here_has_is_looked_for_everywhere() -> None:
    there = a_service("db", "10.96.0.9", "prod")
    answers = {
        f"{CORE}/services": a_list(),
        "/api/v1/services": a_list(there, a_service("x", "10.96.0.8", "other")),
        "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices": a_list(),
    }
    facts = around(connected_in_vain("10.96.0.9"), answers)
    assert there in (facts.services or ())
    assert facts.endpoints == {"prod/db": 0}
    # An address of the world is none of a Service.
    assert around(connected_in_vain("8.8.8.8"), answers).services == ()


SECRETS = {
    f"{CORE}/secrets/s-one": named_object("s-one", data={"password": "c2VjcmV0"}),
    f"{CORE}/secrets/s-two": NOT_FOUND,
}


def missing(path: str) -> Run:
    return Run(calls=(Call("openat", 1, 5, 5, path=path, error="ENOENT"),))


@pytest.mark.parametrize(
    "run, known",
    [
        (missing("/etc/db/passwd"), {"s-one": frozenset({"password"})}),
        (missing("/etc/other"), {}),
        (Run(variables=frozenset({"PATH"})), {"s-two": None}),
        (Run(variables=frozenset({"PATH", "PW"})), {}),
        # What the app had is not known.
        (Run(), {}),
    ],
)
def test_the_secret_that_lacks_what_the_app_has_missed(run: Run, known: Mapping[str, Any]) -> None:
    source = {"secretKeyRef": {"name": "s-two", "key": "pw", "optional": True}}
    container = a_container(
        env=[{"name": "PW", "valueFrom": source}],
        volumeMounts=[{"name": "s", "mountPath": "/etc/db"}],
    )
    pod = a_pod(containers=[container], volumes=[{"name": "s", "secret": {"secretName": "s-one"}}])
    cluster = cast(Client, FakeClient(SECRETS))
    facts = read_network_facts(cluster, ClusterFacts(pod, "app"), run)
    assert facts.secrets == known
    assert "c2VjcmV0" not in repr(facts)
