"""Compare the time to a shell that answers with that of ``kubectl debug --copy-to``.

``python -m bench.shell``, with a cluster in $KUBECONFIG. Both are the whole commands as they are
installed, on a terminal; what a side has created is deleted before the other begins.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pexpect

from bench.measure import RESULTS, Race, installed, surroundings, table, verdict
from kubectl_scratch.runtime.names import DEFAULT_IMAGE

ROUNDS = 20
BOUND = 0.8
TIMEOUT = 60
RELIST_SECONDS = 1.0
HTTP, CRASH = "docker.io/scratch-testbed/http:1", "docker.io/scratch-testbed/crash:1"
OURS = "app.kubernetes.io/managed-by=kubectl-scratch"
# A shell says what it has worked out, so that the echo of the line is not taken for it.
QUESTION, ANSWER = "echo a$((40+2))", "a42"
ASK_EVERY = 0.05

PAGE = """\
# Time to a shell

From the start of the command to the first answer of its shell, the archive as krew installs it,
beside `kubectl debug POD -it --copy-to COPY --image busybox` of a healthy pod. Images are warm.

{table}

Medians of {rounds} interleaved rounds after one that warms; "of rounds" is the middle half of the
rounds' own ratios. {surroundings}
Made by `python -m bench.shell`.
"""


def main() -> int:
    """Measure, print and write; return the exit code."""
    with installed() as environ, sources(environ) as namespace:
        races = make_races(namespace)
        found = run(races, namespace, environ)
        facts = {"rounds": ROUNDS, "surroundings": surroundings(environ)}
    told = PAGE.format(table="\n".join(table(races, found)), **facts)
    (RESULTS / "shell.md").write_text(told)
    print(told, end="")
    return verdict(races, found)


def make_races(namespace: str) -> list[Race]:
    """Return the races: of a healthy source, and of one that crashes, which the rival can't."""
    rival = ("kubectl", "debug", "healthy", "-n", namespace, "-it", "--image", DEFAULT_IMAGE)
    head = ("kubectl", "scratch", "debug", "-n", namespace)
    return [
        Race("a healthy source", (*head, "healthy"), rival, BOUND),
        Race("a crash-looping source", (*head, "crashing"), rival, BOUND),
    ]


def run(
    races: list[Race], namespace: str, environ: Mapping[str, str]
) -> dict[str, tuple[list[float], list[float]]]:
    """Return the seconds of each race, ours and the rival's; all take turns."""
    found: dict[str, tuple[list[float], list[float]]] = {race.title: ([], []) for race in races}
    for number in range(-1, ROUNDS):
        copy = ("--copy-to", f"rival-{number + 1}")
        theirs = timed((*races[0].rival, *copy), environ)
        kubectl(environ, "delete", "pod", copy[1], "-n", namespace, "--now")
        settle()
        for race in races:
            ours = timed(race.ours, environ)
            # It is being deleted; the node's work with that is nobody's in the race.
            gone = ("wait", "--for=delete", "pods", "-l", OURS, "--timeout=60s")
            kubectl(environ, *gone, "-n", namespace)
            settle()
            # The first round warms files, bytecode and images.
            if number >= 0:
                found[race.title][0].append(ours)
                found[race.title][1].append(theirs)
    return found


def settle() -> None:
    """Let the next command begin at any moment of the kubelet's second, as a user's does.

    The kubelet asks its runtime once a second what has changed (the relist of
    kubernetes/kubernetes, pkg/kubelet/pleg/generic.go). What waits for a deletion ends just
    behind that, and what is begun there would always, or never, have to wait for the next.
    """
    time.sleep(random.uniform(0, RELIST_SECONDS))


def timed(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return the seconds until the shell of a command answers, and leave it."""
    began = time.perf_counter()
    child = pexpect.spawn(
        command[0], list(command[1:]), env=dict(environ), encoding="utf-8", timeout=TIMEOUT
    )
    child.delaybeforesend = None
    answers = -1
    while answers != 0:
        child.sendline(QUESTION)
        answers = child.expect([ANSWER, pexpect.TIMEOUT], timeout=ASK_EVERY)
        if time.perf_counter() - began > TIMEOUT:
            raise SystemExit(f"bench: {' '.join(command)} gave no shell: {child.before}")
    seconds = time.perf_counter() - began
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
    return seconds


@contextmanager
def sources(environ: Mapping[str, str]) -> Iterator[str]:
    """Make the two pods in a namespace of their own, a Service for the healthy one."""
    namespace = f"bench-{uuid.uuid4().hex[:6]}"
    kubectl(environ, "create", "namespace", namespace)
    try:
        wait = ("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        kubectl(environ, *wait, "-n", namespace)
        items = [a_pod("healthy", HTTP), a_pod("crashing", CRASH), a_service()]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        kubectl(environ, "apply", "-n", namespace, "-f", "-", stdin=listed)
        ready = ("wait", "--for=condition=Ready", "pod/healthy", "--timeout=60s")
        kubectl(environ, *ready, "-n", namespace)
        restarted = "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"
        kubectl(environ, "wait", restarted, "pod/crashing", "--timeout=60s", "-n", namespace)
        yield namespace
    finally:
        kubectl(environ, "delete", "namespace", namespace, "--wait=false")


def a_pod(name: str, image: str) -> dict[str, object]:
    """Return a pod that its Service selects, with its command in its spec."""
    command = [f"/app/{'http' if image == HTTP else 'crash'}"]
    spec = {"containers": [{"name": "app", "image": image, "command": command}]}
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def a_service() -> dict[str, object]:
    """Return a Service that selects the healthy pod: its copy is not held."""
    spec = {"selector": {"app": "healthy"}, "ports": [{"port": 80}]}
    metadata = {"name": "healthy"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def kubectl(environ: Mapping[str, str], *words: str, stdin: str | None = None) -> None:
    """Run kubectl; raises CalledProcessError where it fails."""
    subprocess.run(
        ["kubectl", *words],
        env=dict(environ),
        check=True,
        input=stdin,
        text=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
