"""Ports and addresses on which the app could not listen."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import all_containers, find
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.peers import declared_ports, host_of
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.wording import call_line, place, process_words

FIRST_FREE_PORT = 1024


def find_ports(evidence: Evidence) -> Iterator[Cause]:
    """Yield failed binds."""
    for failed in evidence.failed:
        call = failed.call
        if call.call not in ("bind", "listen"):
            continue
        if call.error in ("EACCES", "EPERM") and 0 < call.port < FIRST_FREE_PORT:
            yield _privileged(evidence, failed)
        elif call.error == "EADDRINUSE":
            yield _in_use(evidence, failed)
        elif call.error == "EADDRNOTAVAIL":
            yield _no_such_address(evidence, failed)


def _raised(failed: FailedCall) -> int:
    """A server without its port ends, or says so: that weighs more than a missing file."""
    return failed.weight + 4


def _privileged(evidence: Evidence, failed: FailedCall) -> Cause:
    call, run = failed.call, evidence.run
    who = f"user {run.uid}" if run.uid else "root without the capability NET_BIND_SERVICE"
    return Cause(
        "privileged-port",
        f"the app cannot listen on port {call.port} (permission denied): {who} cannot use ports"
        " below 1024",
        (call_line(call, run),),
        f"configure the app to listen on port {8000 + call.port if call.port != 443 else 8443} and"
        " set the targetPort of the Service; or set the pod's"
        ' securityContext.sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]',
        _raised(failed),
    )


def _in_use(evidence: Evidence, failed: FailedCall) -> Cause:
    call, run, facts = failed.call, evidence.run, evidence.facts
    what = f"the socket {call.path}" if call.path else place(call.address, call.port)
    if call.path:
        return Cause(
            "port-in-use",
            f"the app cannot create {what}: the file exists already",
            (call_line(call, run),),
            "delete the socket of an earlier run before the app starts, or create it in an"
            " emptyDir",
            _raised(failed),
        )
    who, remedy = _user_of(evidence, call.port)
    sentence = f"the app cannot listen on {what}: the port is in use{who}"
    if (facts.pod["spec"] or {}).get("hostNetwork"):
        remedy = "use another port, or remove hostNetwork: with it, the pod shares the node's ports"
    return Cause("port-in-use", sentence, (call_line(call, run),), remedy, _raised(failed))


def _user_of(evidence: Evidence, port: int) -> tuple[str, str]:
    run, facts = evidence.run, evidence.facts
    own = next((peer for peer in run.listening if peer.port == port), None)
    if own:
        return (
            f" by the app itself ({process_words(run, own.pid)})",
            "configure each part of the app with its own port: two parts use the same port",
        )
    other = _other_container(facts, port)
    if other:
        return (
            f" by container {other} of this pod, which declares this port",
            "use another port for one of the containers: containers of a pod share its ports",
        )
    others = [c["name"] for c in all_containers(facts.pod) if c["name"] != facts.target]
    if others:
        return (
            f", probably by another container of this pod ({', '.join(others)})",
            "use another port for one of the containers: containers of a pod share its ports",
        )
    return "", "use another port"


def _other_container(facts: ClusterFacts, port: int) -> str:
    container = declared_ports(facts.pod).get(port, "")
    if container == facts.target:
        every = all_containers(facts.pod)
        others = [c for c in every if c is not find(every, facts.target)]
        ports = declared_ports({"spec": {"containers": others}})
        return ports.get(port, "")
    return container


def _no_such_address(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    host = host_of(evidence.run, evidence.facts, call.address)
    what = f"{host} ({call.address})" if host else call.address
    return Cause(
        "address-not-available",
        f"the app cannot listen on {what}: it is not an address of this pod",
        (call_line(call, evidence.run),),
        "configure the app to listen on 0.0.0.0 or on the pod's IP address (fieldRef:"
        " status.podIP)",
        _raised(failed),
    )
