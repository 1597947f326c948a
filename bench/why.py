"""Measure the time from ``kubectl scratch why`` to its answer: ``python -m bench.why``.

With a cluster in $KUBECONFIG. There is no rival that runs the app, so the bound is a time: 1.5 s,
and twice what the app itself takes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from bench.measure import RESULTS, installed, surroundings
from bench.shell import OURS, kubectl, settle

ROUNDS = 20
ANSWER_SECONDS, TIMES_OWN = 1.5, 2.0
IMAGE = "docker.io/scratch-testbed/app-scratch:nonroot"
MISSING = "file=/etc/shop/config.yaml"

PAGE = """\
# Time to an answer

From the start of `kubectl scratch why POD` to its exit, with the copy deleted; the archive as krew
installs it. The bound is {answer} s and {times} times what the app itself takes until it ends.

{table}

Medians of {rounds} interleaved rounds after one that warms. {surroundings}
Made by `python -m bench.why`.
"""


class Broken(NamedTuple):
    """A pod whose app takes so many seconds until it ends."""

    name: str
    title: str
    own: float
    container: dict[str, Any]

    @property
    def bound(self) -> float:
        """Return after how many seconds the answer is to be there."""
        return ANSWER_SECONDS + TIMES_OWN * self.own


PODS = (
    Broken(
        "at-once", "an app that ends at once", 0.0, {"command": ["/app/args"], "args": [MISSING]}
    ),
    Broken(
        "later",
        "an app that ends after a second",
        1.0,
        {"command": ["/app/args"], "args": ["sleep=1s", MISSING]},
    ),
    Broken("unknown", "the same at once, its command only in the image", 0.0, {"args": [MISSING]}),
    Broken("status", "an image that does not exist: no run", 0.0, {"image": "scratch.invalid/x:1"}),
)


def main() -> int:
    """Measure, print and write; return the exit code."""
    with installed() as environ, broken_pods(environ) as namespace:
        found = run(namespace, environ)
        facts = {"rounds": ROUNDS, "surroundings": surroundings(environ)}
    facts |= {"answer": ANSWER_SECONDS, "times": TIMES_OWN}
    told = PAGE.format(table="\n".join(rows(found)), **facts)
    (RESULTS / "why.md").write_text(told)
    print(told, end="")
    slow = [pod for pod in PODS if statistics.median(found[pod.name]) > pod.bound]
    for pod in slow:
        print(f"bench: why, {pod.title}: over the bound", file=sys.stderr)
    return 1 if slow else 0


def run(namespace: str, environ: Mapping[str, str]) -> dict[str, list[float]]:
    """Return the seconds of each pod's answers; all take turns."""
    found: dict[str, list[float]] = {pod.name: [] for pod in PODS}
    for number in range(-1, ROUNDS):
        for pod in PODS:
            seconds = timed(pod, namespace, environ)
            gone = ("wait", "--for=delete", "pods", "-l", OURS, "--timeout=60s")
            kubectl(environ, *gone, "-n", namespace)
            settle()
            if number >= 0:
                found[pod.name].append(seconds)
    return found


def timed(pod: Broken, namespace: str, environ: Mapping[str, str]) -> float:
    """Return how long the answer takes; raises SystemExit if there is none."""
    command = ["kubectl", "scratch", "why", "-n", namespace, pod.name, "-o", "json"]
    began = time.perf_counter()
    done = subprocess.run(command, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(command)}: {done.stdout!r} {done.stderr!r}")
    return seconds


def rows(found: dict[str, list[float]]) -> Iterator[str]:
    """Yield the rows of the page: median, the middle half, and the bound, in milliseconds."""
    yield "| | answer (ms) | middle half (ms) | bound (ms) |"
    yield "| --- | --: | --: | --: |"
    for pod in PODS:
        low, median, high = (seconds * 1e3 for seconds in statistics.quantiles(found[pod.name]))
        yield f"| {pod.title} | {median:.0f} | {low:.0f} to {high:.0f} | {pod.bound * 1e3:.0f} |"


@contextmanager
def broken_pods(environ: Mapping[str, str]) -> Iterator[str]:
    """Make the pods in a namespace of their own, and wait until each is broken."""
    namespace = f"bench-{uuid.uuid4().hex[:6]}"
    kubectl(environ, "create", "namespace", namespace)
    try:
        wait = ("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        kubectl(environ, *wait, "-n", namespace)
        listed = {"apiVersion": "v1", "kind": "List", "items": [manifest(pod) for pod in PODS]}
        kubectl(environ, "apply", "-n", namespace, "-f", "-", stdin=json.dumps(listed))
        status = ".status.containerStatuses[0]"
        for pod in PODS:
            state = "state.waiting.reason" if pod.name == "status" else "restartCount"
            value = "ErrImagePull" if pod.name == "status" else "1"
            path = f"--for=jsonpath={{{status}.{state}}}={value}"
            kubectl(environ, "wait", path, f"pod/{pod.name}", "--timeout=90s", "-n", namespace)
        yield namespace
    finally:
        kubectl(environ, "delete", "namespace", namespace, "--wait=false")


def manifest(pod: Broken) -> dict[str, Any]:
    """Return the pod."""
    container = {"name": "app", "image": IMAGE, **pod.container}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod.name}, "spec": spec}


if __name__ == "__main__":
    sys.exit(main())
