"""Names that DNS does not know, and DNS servers that do not answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, name, namespace
from kubectl_scratch.why.causes.connections import goal_of
from kubectl_scratch.why.causes.files import most_alike
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.health import is_well
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.peers import owner_of, ready_of, selected_pods, title_of
from kubectl_scratch.why.policies import NO, allows, egress_policies, policy_titles
from kubectl_scratch.why.questions import UNANSWERED, Asked, names_without_address
from kubectl_scratch.why.rank import EARLIER, NAMED, NEAR, NEAR_PART, Evidence
from kubectl_scratch.why.report import Call, Question
from kubectl_scratch.why.wording import call_line, cut, listed, question_line

_SAYS = re.compile(
    r"(?i)name or service not known|temporary failure in name resolution|no such host|ENOTFOUND|"
    r"EAI_AGAIN|could not resolve|name does not resolve|UnknownHostException|host not found|"
    r"nodename nor servname|unknown host|bad address|could not translate host name|"
    r"server misbehaving|lookup .* on .*:53|no address associated|try again|name resolution"
)
HOST_IN_WORDS = (
    re.compile(r"lookup (?P<name>[\w.-]+)(?: on |: )"),
    re.compile(r"(?:ENOTFOUND|EAI_AGAIN) (?P<name>[\w.-]+)"),
    re.compile(r"UnknownHostException: (?P<name>[\w.-]+)"),
    re.compile(r"host not found in upstream \"(?P<name>[\w.-]+)"),
    re.compile(r"bad address '(?P<name>[\w.-]+)'"),
    re.compile(r"[Cc]ould not (?:resolve host|translate host name):? \"?(?P<name>[\w.-]+)"),
    re.compile(r"unable to resolve host address \W(?P<name>[\w.-]+)"),
)
_SILENT, AFTER_OTHERS = 80, 60


def find_host_names(evidence: Evidence) -> Iterator[Cause]:
    """Yield names that were asked for and have no address."""
    said = False
    for asked in names_without_address(evidence.run, evidence.facts):
        said = True
        yield _cause(evidence, asked)
    if not said:
        yield from _servers(evidence)


def _weight(evidence: Evidence, asked: Asked) -> int:
    run, text = evidence.run, evidence.words.text
    if _was_survived(evidence, asked):
        return EARLIER
    if asked.name in text and _SAYS.search(text):
        return NAMED
    if asked.name in text or _SAYS.search(evidence.words.end):
        return NAMED - 8
    if run.listening and run.running:
        return EARLIER
    waits = UNANSWERED if asked.has("") else 0
    if run.at - asked.last > max(NEAR, run.at * NEAR_PART) + waits:
        return EARLIER
    if any(failed.call.at > asked.last and failed.weight >= EARLIER for failed in evidence.failed):
        return AFTER_OTHERS - 8
    if run.code == 0:
        return AFTER_OTHERS
    return _SILENT if evidence.silent else _SILENT - 10


def _was_survived(evidence: Evidence, asked: Asked) -> bool:
    """Say whether an app that works asked for the name once, and not again and again."""
    run = evidence.run
    works = run.running and bool(run.listening) and is_well(evidence.facts)
    return works and asked.last < run.at * NEAR_PART


def _cause(evidence: Evidence, asked: Asked) -> Cause:
    weight = _weight(evidence, asked)
    lines = [question_line(question) for question in _few(asked)]
    lines += [cut(found.string)] if (found := line_with(evidence.words, _SAYS)) else []
    if asked.has("NXDOMAIN") or (asked.has("NOERROR") and not asked.has("")):
        return _unknown_name(evidence, asked, tuple(lines), weight)
    if asked.has("SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"):
        codes = listed(sorted({q.code for q in asked.questions if q.code}))
        return Cause(
            "dns-failure",
            f"the app cannot resolve {asked.name}: the DNS server answers {codes}",
            tuple(lines),
            "check the cluster's DNS: kubectl -n kube-system logs -l k8s-app=kube-dns",
            weight,
        )
    return _no_answer(evidence, asked, tuple(lines), weight)


def _few(asked: Asked) -> list[Question]:
    """Return one question for each answer, that of the shortest name."""
    best: dict[str, Question] = {}
    for question in sorted(asked.questions, key=lambda q: (q.type != "A", len(q.name))):
        best.setdefault(question.code, question)
    return list(best.values())[:3]


def _unknown_name(evidence: Evidence, asked: Asked, lines: tuple[str, ...], weight: int) -> Cause:
    facts = evidence.facts
    service = service_of_name(facts, asked.name)
    if service is not None and _is_headless(service):
        return _headless(evidence, service, asked, lines, weight)
    there = _near(facts, asked.name)
    sentence = f"the app cannot resolve {asked.name}: the name does not exist in DNS"
    if there:
        sentence = f"the app cannot resolve {asked.name}; there is {there}"
    elif facts.services is not None and "." not in asked.name:
        sentence += f", and this namespace has no Service {asked.name}"
    remedy = "correct the name in the app's configuration"
    remedy += ", or create the Service" if _may_be_a_service(facts, asked.name) else ""
    return Cause("dns-name", sentence, lines, remedy, weight)


def _may_be_a_service(facts: ClusterFacts, host: str) -> bool:
    """Say whether it looks like a Service's name: db, db.prod of a namespace, or db.prod.svc."""
    _, space, rest = _parts(facts, host)
    if rest or "." not in host:
        return rest in ("", "svc", "svc.cluster.local")
    return space in _namespaces(facts)


def _namespaces(facts: ClusterFacts) -> set[str]:
    """Return the namespaces that are known to exist."""
    every = (*(facts.services or ()), *(facts.neighbours or ()))
    return {namespace(facts.pod), *(_space(facts, item) for item in every)}


def service_of_name(facts: ClusterFacts, host: str) -> Json | None:
    """Return the Service of a host name such as db, db.prod or db.prod.svc; None if none."""
    service, space, rest = _parts(facts, host)
    if rest not in ("", "svc", "svc.cluster.local"):
        return None
    wanted = (service, space)
    every = facts.services or ()
    return next((found for found in every if (name(found), _space(facts, found)) == wanted), None)


def _parts(facts: ClusterFacts, host: str) -> tuple[str, str, str]:
    service, _, rest = host.partition(".")
    space, _, rest = rest.partition(".")
    return service, space or namespace(facts.pod), rest


def _space(facts: ClusterFacts, service: Json) -> str:
    return str(service["metadata"].get("namespace") or namespace(facts.pod))


def _is_headless(service: Json) -> bool:
    return (service.get("spec") or {}).get("clusterIP") == "None"


def _headless(
    evidence: Evidence, service: Json, asked: Asked, lines: tuple[str, ...], weight: int
) -> Cause:
    facts = evidence.facts
    title = title_of(facts, service, "Service")
    ready = ready_of(facts, service)
    pods = selected_pods(facts, service)
    more = [f"pods of the Service: {listed(name(pod) for pod in pods)}"] if pods else []
    if pods is not None and not pods:
        more = ["the selector of the Service matches no pod"]
    return Cause(
        "no-endpoints",
        f"the app cannot resolve {asked.name}: {title} is headless and"
        f" {'had' if ready else 'has'} no ready endpoint",
        (*lines, *more),
        f"find out why the pods of {title} are not ready",
        weight,
    )


def _near(facts: ClusterFacts, host: str) -> str:
    """Return the Services that somebody may have meant, in words; may be empty."""
    service, space, _ = _parts(facts, host)
    every = facts.services or ()
    own = namespace(facts.pod)
    same = [s for s in every if name(s) == service]
    elsewhere = [f"{service}.{_space(facts, s)}" for s in same if _space(facts, s) != space]
    if elsewhere:
        return f"a Service with this name in another namespace: {listed(sorted(elsewhere), 3)}"
    for where in dict.fromkeys((space, own)):
        names = {name(s) for s in every if _space(facts, s) == where}
        alike = most_alike(service, names)
        if alike:
            return f"Service {alike}" + (f" in namespace {where}" if where != own else "")
    return ""


def _no_answer(evidence: Evidence, asked: Asked, lines: tuple[str, ...], weight: int) -> Cause:
    servers = sorted({question.server for question in asked.questions if question.server})
    blocked = _blocked(evidence, servers)
    if blocked:
        return Cause(
            "network-policy",
            f"the app cannot resolve {asked.name}: {blocked} selects this pod and does not"
            f" allow DNS",
            lines,
            f"allow egress to port 53 (UDP and TCP) in {blocked}",
            weight + 2,
        )
    return _no_server(evidence, asked.name, servers, lines, weight)


def _no_server(
    evidence: Evidence, host: str, servers: list[str], lines: tuple[str, ...], weight: int
) -> Cause:
    spec = evidence.facts.pod["spec"]
    own = (spec.get("dnsConfig") or {}).get("nameservers") or []
    which = listed(servers) or "of the pod"
    set_here = [server for server in servers if server in own]
    remedy = "check the cluster's DNS: kubectl -n kube-system get pods -l k8s-app=kube-dns"
    if set_here:
        remedy = f"correct dnsConfig.nameservers of the pod: {listed(set_here)} does not answer"
    elif spec.get("dnsPolicy") == "Default":
        remedy = (
            "set dnsPolicy: ClusterFirst to resolve names of the cluster; Default uses the"
            " node's DNS"
            " server"
        )
    return Cause(
        "dns-server",
        f"the app cannot resolve {host or 'host names'}: the DNS server {which} does not answer",
        lines,
        remedy,
        weight,
    )


def _blocked(evidence: Evidence, servers: list[str]) -> str:
    policies = egress_policies(evidence.facts)
    for server in servers:
        call = Call("connect", 0, 0, 0, address=server, port=53, protocol="udp")
        goal = goal_of(evidence, call, owner_of(evidence.facts, server))
        if policies and allows(policies, evidence.facts, goal) == NO:
            return policy_titles(policies)
    return ""


def _servers(evidence: Evidence) -> Iterator[Cause]:
    """Yield DNS servers that could not even be asked."""
    for failed in evidence.failed:
        call = failed.call
        if call.port == 53 and call.address and call.call not in ("bind", "listen"):
            host = _host_in_words(evidence)
            lines = (call_line(call, evidence.run),)
            weight = max(failed.weight, NAMED - 4) if host else failed.weight
            yield _no_server(evidence, host, [call.address], lines, weight)
            return
    yield from _by_words(evidence)


def _host_in_words(evidence: Evidence) -> str:
    for pattern in HOST_IN_WORDS:
        found = line_with(evidence.words, pattern)
        if found:
            return found["name"].rstrip(".")
    return ""


def _by_words(evidence: Evidence) -> Iterator[Cause]:
    """Yield a name that only the last words tell of, if DNS was not seen."""
    found = line_with(evidence.words, _SAYS)
    host = _host_in_words(evidence)
    if found and host and not evidence.run.questions:
        asked = Asked(host, (Question(host, "A", "", evidence.run.at, 0, code="NXDOMAIN"),))
        yield _unknown_name(evidence, asked, (cut(found.string),), 80)
