"""Compare planning a copy with kubectl reading the same objects: time and memory.

``python -m bench.plan`` needs a cluster in $KUBECONFIG. The namespace has 2,000 Services and
2,000 NetworkPolicies, the pod is one of nearly 1 MB; all is deleted at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from bench.measure import RESULTS, Race, installed, run_races, surroundings, table, verdict
from bench.space import namespace

MANY = 2_000
ROUNDS = 10
MARK = "x" * 1000
# All that a plan reads besides the pod.
KINDS = "services,networkpolicies,poddisruptionbudgets,replicasets,replicationcontrollers"
KINDS += ",daemonsets,statefulsets,jobs,persistentvolumeclaims"
PAGE = """\
# The plan

`kubectl scratch debug POD --dry-run` beside `kubectl get` of the same objects, as JSON: a pod of
{size} kB in a namespace of {many} Services and {many} NetworkPolicies.

{table}

Peak memory: ours {ours:.0f} MB, kubectl's {rival:.0f} MB, ratio {ratio:.2f} (bound 1.50).

Medians of {rounds} interleaved rounds after one that warms files and bytecode; "of rounds" is the
middle half of the rounds' own ratios. {surroundings}
Made by `python -m bench.plan`.
"""


def main() -> int:
    """Measure, print and write; return the exit code."""
    with installed() as environ, namespace(environ, a_crowd) as name:
        ours = ("kubectl-scratch", "debug", "big", "-n", name, "--dry-run")
        rival = ("kubectl", "get", "-n", name, "-o", "json", f"pods,{KINDS}")
        races = (Race("plan", ours, rival, 1.5),)
        found = run_races(races, ROUNDS, environ)
        peaks = [peak(command, environ) for command in (ours, rival)]
        facts: dict[str, Any] = {"rounds": ROUNDS, "surroundings": surroundings(environ)}
    ratio = peaks[0] / peaks[1]
    facts |= {"ours": peaks[0], "rival": peaks[1], "ratio": ratio, "many": MANY}
    size = len(json.dumps(a_big_pod())) // 1000
    told = PAGE.format(table="\n".join(table(races, found)), size=size, **facts)
    (RESULTS / "plan.md").write_text(told)
    print(told, end="")
    if ratio > 1.5:
        print("bench: memory of the plan: over the bound", file=sys.stderr)
    return max(verdict(races, found), int(ratio > 1.5))


def peak(command: tuple[str, ...], environ: Mapping[str, str]) -> float:
    """Return the peak resident set of a command, in MB."""
    measured = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True,"
    measured += " stdout=subprocess.DEVNULL);"
    measured += " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    told = subprocess.run(
        [sys.executable, "-c", measured, *command], env=environ, check=True, stdout=subprocess.PIPE
    )
    # Linux tells kB.
    return int(told.stdout) / 1000


def a_crowd() -> Iterator[dict[str, Any]]:
    """Yield the Services, the NetworkPolicies and the pod."""
    for number in range(MANY):
        labels = {"app": f"app-{number}"}
        ports = [{"port": 80}]
        spec: dict[str, Any] = {"clusterIP": "None", "selector": labels, "ports": ports}
        yield an_object("v1", "Service", f"service-{number}", spec)
        spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"]}
        yield an_object("networking.k8s.io/v1", "NetworkPolicy", f"policy-{number}", spec)
    yield a_big_pod()


def an_object(version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return an object."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def a_big_pod() -> dict[str, Any]:
    """Return a pod of nearly 1 MB, which nothing schedules."""
    variables = [{"name": f"V_{number}", "value": MARK} for number in range(900)]
    container = {"name": "app", "image": "docker.io/library/busybox:1.37.0", "env": variables}
    spec = {"schedulingGates": [{"name": "bench.local/never"}], "containers": [container]}
    return an_object("v1", "Pod", "big", spec)


if __name__ == "__main__":
    sys.exit(main())
