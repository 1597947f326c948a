"""Apps that end by themselves, without an error."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, find, init_containers, is_native_sidecar
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.last_words import reason_line
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.wording import cut, duration, process_of, program_name, quoted_words

READ_COMMANDS = (
    "sh",
    "bash",
    "dash",
    "ash",
    "zsh",
    "busybox",
    "python",
    "python3",
    "node",
    "irb",
    "lua",
)
OWNERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Deployment")


def expects_an_end(facts: ClusterFacts) -> bool:
    """Say whether code 0 is what is expected: of a Job's app and of an init container."""
    init = find(init_containers(facts.pod), facts.target)
    if init is not None:
        return not is_native_sidecar(init)
    return (facts.pod["spec"].get("restartPolicy") or "Always") != "Always"


def find_ends(evidence: Evidence) -> Iterator[Cause]:
    """Yield that the app ended with code 0 where it should go on."""
    run, facts = evidence.run, evidence.facts
    if run.running or run.code != 0 or expects_an_end(facts):
        return
    after = duration(run.at)
    who = owner_kind(facts.pod)
    expects = f"a {who} expects it to keep running" if who else "the pod expects it to keep running"
    why, remedy = _why(run)
    said = cut(reason_line(run))
    lines = (said or f"no output; the command is {quoted_words(run.words)}",)
    return_of = f"the app exited with code 0 after {after}{why}, but {expects}"
    yield Cause("ends-by-itself", return_of, lines, remedy, 76)


def owner_kind(pod: Json) -> str:
    """Return the kind of controller that wants the pod to run on; empty for none."""
    owners = pod["metadata"].get("ownerReferences") or []
    kind = next((str(o.get("kind")) for o in owners if o.get("kind") in OWNERS), "")
    return "Deployment" if kind == "ReplicaSet" else kind


def _why(run: Run) -> tuple[str, str]:
    program = program_name(process_of(run, run.pid)) or (run.words[0] if run.words else "")
    left = [p for p in run.processes if p.pid != run.pid and p.end is None]
    if left:
        background = quoted_words(left[0].words) or program_name(left[0])
        return (
            f" and left {background} running in the background",
            "run the app in the foreground (nginx: daemon off;): the container ends with its first"
            " process",
        )
    shell = program.rpartition("/")[2] in READ_COMMANDS or program.startswith("python3")
    if shell and len(run.words) == 1:
        return (
            " because it reads commands from stdin, which is empty",
            "set command and args of the container, or set stdin: true",
        )
    return (
        "",
        "set a command that keeps running; if the app has to exit, use a Job or restartPolicy:"
        " OnFailure",
    )
