"""Apps that do not end, and do not do what is expected of them either."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json
from kubectl_scratch.why.causes.connections import explain_connection
from kubectl_scratch.why.health import is_well
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import target_of
from kubectl_scratch.why.peers import address_words, is_local
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.report import Call, Peer, Run, Wait
from kubectl_scratch.why.wording import duration, place, process_words

PROBES_OF_APPS = ("startupProbe", "readinessProbe", "livenessProbe")
OPENS = ("open", "openat", "openat2")
READS = ("read", "readv", "recvfrom", "recvmsg", "recv", "pread64")
SLEEPS = ("nanosleep", "clock_nanosleep", "pause", "rt_sigtimedwait", "sigsuspend", "rt_sigsuspend")
# A wait of this length is a hang, in ms.
_LONG = 2000

# DNS, and the port that musl's getaddrinfo connects to while it orders addresses.
_NO_PEERS = (53, 65535)
# What follows a connection so soon, in ms, belongs to it.
_NEXT = 500
CHECK_THE_PEER = (
    "check the server, the port, the protocol (TLS or plain text), and the load of the server;"
    " set a timeout in the app"
)


def find_hangs(evidence: Evidence) -> Iterator[Cause]:
    """Yield what a run that went on waits for in vain."""
    run = evidence.run
    if not run.running:
        return
    causes = [*_network(evidence), *_input(evidence)]
    yield from causes
    yield from _probes(evidence)
    if not causes:
        yield from _silent_peer(evidence) or _idle(evidence)


def _long_waits(run: Run, calls: tuple[str, ...]) -> list[Wait]:
    return [w for w in run.waits if w.call in calls and run.at - w.since >= _LONG]


def _since(run: Run, wait: Wait) -> str:
    since = duration(run.at - wait.since)
    where = wait.path or (place(wait.address, wait.port) if wait.address else "")
    return f"{process_words(run, wait.pid)} waits in {wait.call} {where}".rstrip() + f" for {since}"


def _network(evidence: Evidence) -> Iterator[Cause]:
    run = evidence.run
    if run.listening and is_well(evidence.facts):
        return
    for wait in _long_waits(run, ("connect", *READS, "poll", "ppoll", "select", "sendto")):
        if not wait.address or (
            wait.call != "connect" and is_local(wait.address) and not wait.port
        ):
            continue
        if wait.call == "connect":
            yield _hanging_connect(evidence, wait)
        elif not is_well(evidence.facts):
            # A worker waits for work in the same way, so that alone is no sign.
            yield _no_answer(evidence, wait)
        return


def _hanging_connect(evidence: Evidence, wait: Wait) -> Cause:
    call = Call("connect", wait.pid, evidence.run.at, wait.since, family="inet", protocol="tcp",
                address=wait.address, port=wait.port, pending=True,
                waited=evidence.run.at - wait.since)  # fmt: skip
    found = explain_connection(evidence, FailedCall(call, 84 if not evidence.run.listening else 52))
    kind = "hang-network" if found.kind == "connection-timed-out" else found.kind
    sentence = found.sentence
    if kind == "hang-network":
        to = address_words(evidence.run, evidence.facts, wait.address, wait.port)
        sentence = f"the app waits for a connection to {to}, which does not answer"
    return found._replace(kind=kind, sentence=sentence, evidence=(_since(evidence.run, wait),
                          *found.evidence[1:]))  # fmt: skip


def _no_answer(evidence: Evidence, wait: Wait) -> Cause:
    to = address_words(evidence.run, evidence.facts, wait.address, wait.port)
    return Cause(
        "hang-network",
        f"the app is connected to {to} and waits for an answer, but gets none",
        (_since(evidence.run, wait),),
        CHECK_THE_PEER,
        66 if not evidence.run.listening else 45,
    )


def _input(evidence: Evidence) -> Iterator[Cause]:
    run = evidence.run
    for wait in _long_waits(run, (*OPENS, *READS)):
        if not wait.path or wait.address:
            continue
        opens = wait.call in OPENS
        what = "to be opened by a writer" if opens else "to receive data"
        yield Cause(
            "hang-input",
            f"the app waits for {wait.path} {what}",
            (_since(run, wait),),
            "start the process that writes to it (possibly in another container with the same"
            " volume), or configure the app not to read it",
            84 if wait.pid == run.pid and not run.listening else 60,
        )
        return


def _expected_ports(container: Json) -> dict[int, str]:
    """Return the ports that the container's probes ask, with the probe's name."""
    named = {str(p.get("name")): p.get("containerPort") for p in container.get("ports") or []}
    found = {}
    for probe in reversed(PROBES_OF_APPS):
        asks = container.get(probe) or {}
        for way in ("httpGet", "tcpSocket", "grpc"):
            port = (asks.get(way) or {}).get("port")
            number = port if isinstance(port, int) else named.get(str(port))
            if isinstance(number, int):
                found[number] = probe
    return found


def _probes(evidence: Evidence) -> Iterator[Cause]:
    """Yield a port that a probe asks and on which the app does not listen."""
    run = evidence.run
    for port, probe in _expected_ports(target_of(evidence.facts)).items():
        there = [peer for peer in run.listening if peer.port == port]
        if any(not _is_loopback(peer) for peer in there) or not run.listening:
            continue
        if there:
            yield _loopback_only(port, probe, there[0])
        else:
            yield _other_port(run, port, probe)
        return


def _is_loopback(peer: Peer) -> bool:
    """Say whether only the pod itself reaches what listens there."""
    return peer.address.startswith("127.") or peer.address == "::1"


def _loopback_only(port: int, probe: str, peer: Peer) -> Cause:
    return Cause(
        "probe-port",
        f"the app listens only on {place(peer.address, port)}, but its {probe} connects to the"
        " pod's IP address",
        (f"listening on {place(peer.address, port)}",),
        f"configure the app to listen on 0.0.0.0:{port}",
        88,
    )


def _other_port(run: Run, port: int, probe: str) -> Cause:
    ports = sorted({peer.port for peer in run.listening if peer.port})
    listens = ", ".join(map(str, ports)) or "a socket"
    return Cause(
        "probe-port",
        f"the app listens on port {listens}, but its {probe} connects to port {port}",
        tuple(f"listening on {place(peer.address, peer.port)}" for peer in run.listening[:4]),
        f"correct the port of {probe}, or configure the app to listen on port {port}",
        86,
    )


def _silent_peer(evidence: Evidence) -> list[Cause]:
    """Return the peer that the app connected to last, if it did nothing since then."""
    run = evidence.run
    peers = [p for p in run.connected if p.port not in (0, *_NO_PEERS) and p.protocol == "tcp"]
    if run.listening or is_well(evidence.facts) or not peers:
        return []
    last = max(peers, key=lambda peer: peer.at)
    done = max([*(c.at for c in run.calls), *(o.at for o in run.opened)], default=0)
    if run.at - last.at < _LONG or done > last.at + _NEXT:
        return []
    to = address_words(run, evidence.facts, last.address, last.port)
    return [
        Cause(
            "hang-network",
            f"the app is connected to {to} and waits for an answer, but gets none",
            (
                f"connected {duration(run.at - last.at)} before the end; nothing happened after"
                f" that",
            ),
            CHECK_THE_PEER,
            66,
        )
    ]


def _idle(evidence: Evidence) -> Iterator[Cause]:
    """Yield that the app waits for itself: only where it should listen, or cannot go on."""
    run, facts = evidence.run, evidence.facts
    if run.listening or is_well(facts) or not run.waits or run.untraced:
        return
    container = target_of(facts)
    expected = list(_expected_ports(container)) or [
        p.get("containerPort") for p in container.get("ports") or []
    ]
    stuck = [w for w in _long_waits(run, ("futex",)) if w.pid == run.pid]
    own = [w for w in run.waits if w.pid == run.pid]
    dead = bool(stuck) and len(stuck) == len(own)
    if not dead and not expected:
        return
    port = f"port {expected[0]}" if expected else ""
    what = "all its threads wait for each other (deadlock)" if dead else "it does nothing"
    sentence = f"the app does not listen on {port}: {what}" if port else f"the app is stuck: {what}"
    lines = tuple(_since(run, wait) for wait in own[:4])
    weight = 72 if dead and expected else 62 if dead else 54
    kind = "hang-lock" if dead else "hang-idle"
    yield Cause(kind, sentence, lines, "find out where it waits: -v shows the timeline, and"
                " kubectl scratch debug opens a shell", weight)  # fmt: skip
