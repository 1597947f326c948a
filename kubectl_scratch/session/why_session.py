"""why: read what Kubernetes knows; if that is no answer, run the app once and watch it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from kubectl_scratch.copies.create import CreatedCopy
from kubectl_scratch.copies.membership import CopyMembership, CopyTerms
from kubectl_scratch.errors import ClusterError, CopyNotReady, LeftoverCopy, SessionError
from kubectl_scratch.kube.objects import Json, all_containers, name, namespace
from kubectl_scratch.lookup.source import read_pod
from kubectl_scratch.lookup.why_facts import read_network_facts, read_status_facts
from kubectl_scratch.plan.inputs import PlanInputs
from kubectl_scratch.plan.model import Plan
from kubectl_scratch.plan.target_container import choose_failing, choose_target
from kubectl_scratch.request import WhyRequest
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.runtime.temp_dir import private_folder
from kubectl_scratch.session.collect import collect_output
from kubectl_scratch.session.context import Context
from kubectl_scratch.session.copy_session import seed_check_of
from kubectl_scratch.session.discovery_runner import discover_entrypoint
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.finding_report import report_finding
from kubectl_scratch.session.opening import open_remote
from kubectl_scratch.session.pod_watch import CopyWatch
from kubectl_scratch.session.post_mortem import death_of_target
from kubectl_scratch.session.readiness import KILLED
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.workflow import explain_rejection, plan_admitted
from kubectl_scratch.toolkit.archive import SEED
from kubectl_scratch.why.answer import explain_run
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.masks import mask_arguments
from kubectl_scratch.why.model import Explanation
from kubectl_scratch.why.report import LARGEST, parse_report
from kubectl_scratch.why.status_answer import answer_of_status, with_probes
from kubectl_scratch.why.status_causes import explain_status, needs_run

# By when a run that has reached its time has been ended and reported, in seconds.
REPORT_SECONDS = 30.0


class Explained(NamedTuple):
    """The answer, what it is about, and the copy that could not be deleted, if there is one."""

    answer: Explanation
    namespace: str
    pod: str
    container: str
    leftover: LeftoverCopy | None = None


def explain(request: WhyRequest, context: Context, reading: Task[PlanInputs]) -> Explained:
    """Find out why a pod does not run; raises as ``debug_copy`` does."""
    inputs = context.interrupts.run(reading.result)
    source = inputs.source
    chosen = choose_failing(source, request.copy, inputs.now)
    if chosen.container != request.copy.container:
        context.console.info(f"using container {chosen.container}: it is failing")
    request = request._replace(copy=chosen)
    target, _ = choose_target(source, chosen)
    context.console.progress(f"reading the status of pod {name(source)}")
    named = request.copy.target
    workload = None if named is None or named.kind == "pod" else named
    facts = context.interrupts.run(
        lambda: read_status_facts(context.cluster, source, target["name"], workload)
    )
    causes = explain_status(facts)
    about = Explained(
        answer_of_status(facts, causes), namespace(source), name(source), target["name"]
    )
    if about.answer.runs or not needs_run(facts, causes):
        for finding in inputs.findings:
            report_finding(finding, context.console)
        return about
    explained = _explain_by_run(request, context, reading, facts, about)
    return explained._replace(answer=with_probes(explained.answer, causes))


def _explain_by_run(
    request: WhyRequest,
    context: Context,
    reading: Task[PlanInputs],
    facts: ClusterFacts,
    about: Explained,
) -> Explained:
    plan = context.interrupts.run(lambda: plan_admitted(request.copy, context, reading))
    for finding in plan.findings:
        report_finding(finding, context.console)
    session = request.copy.session
    terms = CopyTerms(session.ttl, request.copy.deadline, request.seconds + REPORT_SECONDS)
    copy = CreatedCopy(plan, terms, context.cluster, context.interrupts, context.console)
    try:
        with copy:
            answer = _Traced(request, context, plan, copy, facts).answer()
    except BaseException as error:
        if isinstance(error, ClusterError):
            explain_rejection(error, plan, context)
        if copy.leftover is not None:
            raise copy.leftover  # noqa: B904
        raise
    return about._replace(answer=answer, leftover=copy.leftover)


class _Traced:
    """One run of the app in a copy."""

    def __init__(
        self,
        request: WhyRequest,
        context: Context,
        plan: Plan,
        copy: CopyMembership,
        facts: ClusterFacts,
    ) -> None:
        self._request = request
        self._context = context
        self._plan = plan
        self._copy = copy
        self._facts = facts._replace(
            read_only=plan.place.read_only.get(plan.place.target, ()),
        )

    def answer(self) -> Explanation:
        """Run the app, and explain what it did."""
        try:
            if self._copy.discovery_pod:
                # What keeps the copy from starting keeps the other pod, too, and is told at once.
                with self._opened((SEED, "version")):
                    self._await_discovery()
            return self._answer_of_run()
        except CopyNotReady:
            # It may have met what the source has not told yet.
            answer = self._answer_of_copy()
            if not answer.causes:
                raise
            return answer

    def _answer_of_run(self) -> Explanation:
        context = self._context
        with self._opened(self._trace_command()) as remote:
            self._copy.session_begins()
            check = seed_check_of(self._copy, context)
            if check is not None:
                check.begin()
            most = self._request.seconds + REPORT_SECONDS
            said, problem = collect_output(remote, context, most, LARGEST, self._ticking())
            outcome = remote.outcome()
        if check is not None:
            context.interrupts.run(check.confirm)
        run = parse_report(said)
        if not run.complete:
            if outcome.lost or outcome.code == KILLED:
                return self._answer_of_death()
            text = problem.decode(errors="replace").strip() or outcome.problem
            raise SessionError(f"cannot run the app: {text}" if text else "no report was received")
        context.console.progress("reading the Services and policies that the app used")
        facts = context.interrupts.run(
            lambda: read_network_facts(context.cluster, self._facts, run)
        )
        return explain_run(run, facts)

    @contextmanager
    def _opened(self, command: tuple[str, ...]) -> Iterator[RemoteCommand]:
        """Run a command of the seed in the target, as soon as that runs; raises CopyNotReady."""
        place, context, session = self._copy.place, self._context, self._request.copy.session
        exec_command = ExecCommand(
            place.namespace,
            place.pod,
            place.target,
            command,
            tty=False,
            size=context.user.size(),
            repeatable=False,
            reads=False,
            collected=True,
        )
        watch = CopyWatch(context.cluster, place, self._copy.why_gone)
        with private_folder() as folder:
            remote = open_remote(
                context, place, exec_command, session.transport, session.timeout, watch, folder
            )
            with closing(remote):
                yield remote

    def _await_discovery(self) -> None:
        """Wait until the image's command is discovered; if it is not, the seed says why."""
        copy, context = self._copy, self._context
        context.console.progress(
            f"waiting for {copy.discovery_pod}: the image's command is being discovered"
        )
        timeout = self._request.copy.session.timeout
        check = seed_check_of(copy, context)
        discovery = discover_entrypoint(
            context.cluster, copy.place, copy.discovery_pod, timeout, check
        )
        context.interrupts.run(discovery.result)

    def _trace_command(self) -> tuple[str, ...]:
        seconds = str(max(1, math.ceil(self._request.seconds)))
        masks = mask_arguments(self._plan.source, self._copy.place.target)
        return (SEED, "trace", "--for", seconds, *masks)

    def _ticking(self) -> Callable[[], None]:
        context, began = self._context, self._context.clock.monotonic()
        most = duration_words(self._request.seconds)

        def tick() -> None:
            lasted = int(context.clock.monotonic() - began)
            context.console.progress(
                f"running the app: {lasted}s of at most {most}", key="running the app"
            )

        return tick

    def _answer_of_death(self) -> Explanation:
        """Return the answer if the container ended with the app in it, as for want of memory."""
        context, place = self._context, self._copy.place
        death = context.interrupts.run(lambda: death_of_target(context, place))
        if not death:
            raise SessionError("the connection to the copy was lost", "try again")
        return self._answer_of_copy()

    def _answer_of_copy(self) -> Explanation:
        """Return the answer that the copy's own status and events give."""
        context, source = self._context, self._facts.pod

        def read() -> ClusterFacts:
            pod = read_pod(context.cluster, self._copy.place.pod).body
            known = read_status_facts(context.cluster, pod, self._facts.target)
            # What is said is about the source: the copy is about to be deleted.
            return known._replace(pod=as_if_the_source(pod, source))

        known = context.interrupts.run(read)
        return answer_of_status(known, explain_status(known))


def as_if_the_source(copy: Json, source: Json) -> Json:
    """Return the source pod with the copy's status, and the images that this is about."""
    images = {container["name"]: container["image"] for container in all_containers(copy)}
    spec = {
        kind: [
            {**container, "image": images.get(container["name"], container["image"])}
            for container in source["spec"].get(kind) or []
        ]
        for kind in ("containers", "initContainers")
    }
    return {**source, "spec": {**source["spec"], **spec}, "status": copy.get("status") or {}}
