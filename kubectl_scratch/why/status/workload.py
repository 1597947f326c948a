"""Workloads that have no pods.

kubernetes/kubernetes, pkg/controller and plugin/pkg/admission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, condition, name, namespace
from kubectl_scratch.why.facts import WorkloadFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import kubectl
from kubectl_scratch.why.status.subjects import SEEN
from kubectl_scratch.why.status.told import COMBINED, event_line, events_of, flat, seen_at

_POD = re.compile(
    r"^(?:Error creating: |create Pod \S+ in \S+ \S+ failed error: )?"
    r'(?:pods "[^"]*" is forbidden: )?'
)
_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)$")
_MUST_SAY = re.compile(r"failed quota: ([^:]+): must specify (.*)$")
_LIMIT_RANGE = re.compile(r"(?:maximum|minimum|max|min) \S+ usage per (?:Container|Pod) is")
_SECURITY = re.compile(r'violates PodSecurity "([^"]*)": (.*)$', re.DOTALL)
_NO_ACCOUNT = re.compile(r'serviceaccount "([^"]*)" not found')
_WEBHOOK = re.compile(
    r'failed calling (?:validating |mutating )?webhook "([^"]*)": (.*)$', re.DOTALL
)
_DENIED = re.compile(r'admission webhook "([^"]*)" denied the request: ?(.*)$', re.DOTALL)
_PRIORITY = re.compile(r"no PriorityClass with name (\S+) was found")
_RUNTIME = re.compile(r'RuntimeClass "([^"]*)" not found')


class Refused(NamedTuple):
    """Why a workload's pod is not created."""

    kind: str
    sentence: str
    remedy: str


def workload_causes(workload: WorkloadFacts) -> Iterator[Cause]:
    """Yield why a workload has no pods, or fewer than it wants."""
    yield from _refusals(workload)
    yield from _by_itself(workload)
    if workload.kind in ("job", "cronjob"):
        yield from _job(workload)


def _words(workload: WorkloadFacts) -> str:
    return f"{workload.kind} {name(workload.owner)}"


def _command(workload: WorkloadFacts, *words: str) -> str:
    return kubectl(namespace(workload.owner), *words)


def _path(workload: WorkloadFacts) -> str:
    return f"{workload.kind}/{name(workload.owner)}"


def _refusals(workload: WorkloadFacts) -> Iterator[Cause]:
    """Yield what the API server says of the newest pod that was to be created."""
    failed = events_of(workload.events, "FailedCreate")
    later = events_of(workload.events, "SuccessfulCreate")
    if failed and later and seen_at(later[0]) > seen_at(failed[0]):
        failed = []
    told = [str(failed[0].get("message", ""))] if failed else []
    evidence = tuple(map(event_line, failed[:1]))
    for owner in (workload.child, workload.owner):
        stopped = condition(owner, "ReplicaFailure") if owner else None
        if stopped and stopped.get("status") == "True" and not told:
            told = [str(stopped.get("message", ""))]
            evidence = (f"{stopped.get('reason', '')}: {flat(told[0])}",)
    if not told:
        return
    found = explain_refusal(_POD.sub("", told[0].removeprefix(COMBINED)), workload)
    yield Cause(found.kind, found.sentence, evidence, found.remedy, 92)


def explain_refusal(said: str, workload: WorkloadFacts) -> Refused:
    """Return why the API server refuses a pod, by what it says."""
    for explain in (_quota, _policy, _account, _webhook, _absent):
        found = explain(said, workload)
        if found is not None:
            return found
    sentence = f"the API server rejected the pods of {_words(workload)}: {flat(said)}"
    return Refused("pod-rejected", sentence, _edit(workload, "correct the pod template"))


def _edit(workload: WorkloadFacts, what: str) -> str:
    """Return what to change in a workload, and how; the pods of a Job cannot be changed."""
    if workload.kind == "job":
        return f"{what}, and create {_path(workload)} again"
    return f"{what}: {_command(workload, 'edit', _path(workload))}"


def _quota(said: str, workload: WorkloadFacts) -> Refused | None:
    exceeded, unsaid = _QUOTA.search(said), _MUST_SAY.search(said)
    if exceeded:
        quota, wants, used, limit = exceeded.groups()
        sentence = (
            f"{_words(workload)} cannot create more pods: quota {quota} allows {limit},"
            f" {used} is used, and the pod requests {wants}"
        )
        see = _command(workload, "describe", "quota", quota)
        return Refused(
            "quota", sentence, f"delete other pods, reduce the requests, or raise the quota: {see}"
        )
    if unsaid:
        sentence = (
            f"{_words(workload)} cannot create pods: quota {unsaid[1]} requires every container"
            f" to set {unsaid[2]}"
        )
        words = ("set", "resources", _path(workload), "--requests=cpu=AMOUNT,memory=AMOUNT")
        return Refused("quota", sentence, f"set the resources: {_command(workload, *words)}")
    if _LIMIT_RANGE.search(said):
        sentence = (
            f"{_words(workload)} cannot create pods: a LimitRange forbids them ({flat(said)})"
        )
        see = _command(workload, "describe", "limitrange")
        return Refused("limit-range", sentence, f"change the pod's resources; see {see}")
    return None


def _policy(said: str, workload: WorkloadFacts) -> Refused | None:
    violated = _SECURITY.search(said)
    if not violated:
        return None
    level = violated[1].partition(":")[0]
    sentence = (
        f"{_words(workload)} cannot create pods: namespace {namespace(workload.owner)} enforces"
        f" PodSecurity {level}, and the pod violates it ({flat(_headings(violated[2]))})"
    )
    what = re.findall(r"must set (securityContext\.[^)]+)\)", violated[2])
    wanted = f"set {', '.join(dict.fromkeys(what))}" if what else "change the pod to comply"
    return Refused("pod-rejected", sentence, _edit(workload, wanted))


def _headings(violations: str) -> str:
    """Return the policy's complaints without the advice in brackets."""
    return re.sub(r" \((?:[^()]|\([^)]*\))*\)", "", violations)


def _account(said: str, workload: WorkloadFacts) -> Refused | None:
    absent = _NO_ACCOUNT.search(said)
    if not absent:
        return None
    sentence = f"{_words(workload)} cannot create pods: ServiceAccount {absent[1]} does not exist"
    create = _command(workload, "create", "serviceaccount", absent[1])
    return Refused("service-account", sentence, f"create it: {create}")


def _webhook(said: str, workload: WorkloadFacts) -> Refused | None:
    silent, denied = _WEBHOOK.search(said), _DENIED.search(said)
    if silent:
        sentence = (
            f"{_words(workload)} cannot create pods: admission webhook {silent[1]} cannot be called"
        )
        see = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"
        return Refused(
            "pod-rejected",
            sentence,
            f"find out why the server of the webhook does not answer: {see}",
        )
    if denied:
        sentence = (
            f"{_words(workload)} cannot create pods: admission webhook {denied[1]} rejected them:"
            f" {flat(denied[2])}"
        )
        return Refused(
            "pod-rejected", sentence, _edit(workload, "change the pod as the message says")
        )
    return None


def _absent(said: str, workload: WorkloadFacts) -> Refused | None:
    for kind, pattern in (("PriorityClass", _PRIORITY), ("RuntimeClass", _RUNTIME)):
        found = pattern.search(said)
        if found:
            sentence = f"{_words(workload)} cannot create pods: {kind} {found[1]} does not exist"
            see = f"kubectl get {kind.lower()}"
            return Refused(
                "pod-rejected", sentence, _edit(workload, f"use an existing {kind} ({see})")
            )
    return None


def _by_itself(workload: WorkloadFacts) -> Iterator[Cause]:
    """Yield that nothing is wrong: the workload is not to have pods."""
    spec, status = workload.owner.get("spec") or {}, workload.owner.get("status") or {}
    words = _words(workload)
    if spec.get("replicas") == 0:
        scale = _command(workload, "scale", _path(workload), "--replicas=1")
        yield Cause(
            "scaled-to-zero",
            f"{words} is scaled to 0 replicas",
            (),
            f"scale the workload: {scale}",
            90,
        )
    elif spec.get("paused") and workload.child is None:
        resume = _command(workload, "rollout", "resume", _path(workload))
        yield Cause("paused", f"{words} is paused and has not created pods yet", (), resume, 88)
    elif spec.get("suspend"):
        patch = ("patch", _path(workload), "-p", '{"spec":{"suspend":false}}')
        resume = f"resume the workload: {_command(workload, *patch)}"
        yield Cause("suspended", f"{words} is suspended, so it creates no pods", (), resume, 90)
    elif workload.kind == "daemonset" and status.get("desiredNumberScheduled") == 0:
        see = _edit(workload, "correct its nodeSelector or tolerations")
        yield Cause("unschedulable-node", f"{words} matches no node", (), see, 85)
    elif workload.kind == "cronjob" and not status.get("lastScheduleTime"):
        new = f"{name(workload.owner)[:40]}-now"
        now = _command(workload, "create", "job", f"--from={_path(workload)}", new)
        sentence = f"{words} has not run yet: its schedule is {spec.get('schedule')!r}"
        yield Cause("not-scheduled-yet", sentence, (), f"run the job now: {now}", 85)


def _job(workload: WorkloadFacts) -> Iterator[Cause]:
    """Yield how a Job has failed; its pods may be deleted by then."""
    job: Json | None = workload.owner if workload.kind == "job" else workload.child
    failed = condition(job, "Failed") if job else None
    if not job or not failed or failed.get("status") != "True":
        return
    reason = str(failed.get("reason", ""))
    evidence = (f"{reason}: {flat(failed.get('message', ''))}",)
    words, spec = f"job {name(job)}", job.get("spec") or {}
    again = f"delete the job and create it again: {_command(workload, 'delete', 'job', name(job))}"
    if reason == "DeadlineExceeded":
        seconds = spec.get("activeDeadlineSeconds")
        sentence = (
            f"{words} ran for longer than its activeDeadlineSeconds ({seconds}), and was stopped"
        )
        yield Cause(
            "deadline-exceeded",
            sentence,
            evidence,
            f"raise activeDeadlineSeconds, then {again}",
            90,
        )
    else:
        # Why its pods failed can be seen in a run.
        sentence = f"{words} has failed and starts no more pods ({reason})"
        yield Cause("job-failed", sentence, evidence, again, SEEN)
