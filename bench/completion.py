"""Compare the completion of pods' names with kubectl's own, in a namespace of 5,000 pods.

``python -m bench.completion`` needs a cluster in $KUBECONFIG. The pods are gated, so that nothing
schedules them; their namespace is deleted at the end.
"""

from __future__ import annotations

import sys
from typing import Any

from bench.measure import RESULTS, Race, installed, run_races, surroundings, table, verdict
from bench.space import namespace

PODS = 5_000
ROUNDS = 12
PAGE = """\
# Completion of pods' names

`kubectl scratch debug <TAB>` beside `kubectl exec <TAB>` (`kubectl debug` completes no pods), both
through kubectl's own completion
(`kubectl __complete ...`), in a namespace of {pods} pods.

{table}

Medians of {rounds} interleaved rounds after one that warms files and bytecode; "of rounds" is the
middle half of the rounds' own ratios. {surroundings}
Made by `python -m bench.completion`.
"""


def main() -> int:
    """Measure, print and write; return the exit code."""
    with installed() as environ, namespace(environ, pods) as name:
        flags = ("-n", name, "")
        races = (
            Race(
                "all names",
                ("kubectl", "__complete", "scratch", "debug", *flags),
                ("kubectl", "__complete", "exec", *flags),
                2.0,
            ),
        )
        found = run_races(races, ROUNDS, environ)
        facts = {"rounds": ROUNDS, "pods": PODS, "surroundings": surroundings(environ)}
    told = PAGE.format(table="\n".join(table(races, found)), **facts)
    (RESULTS / "completion.md").write_text(told)
    print(told, end="")
    return verdict(races, found)


def pods() -> list[dict[str, Any]]:
    """Return the pods."""
    return [a_pod(number) for number in range(PODS)]


def a_pod(number: int) -> dict[str, Any]:
    """Return a pod of the size that a Deployment's has, which nothing schedules."""
    variables = [{"name": f"SETTING_{i}", "value": f"value {i} of this pod"} for i in range(20)]
    container = {"name": "app", "image": "docker.io/library/busybox:1.37.0", "env": variables}
    spec = {"schedulingGates": [{"name": "bench.local/never"}], "containers": [container]}
    labels = {"app.kubernetes.io/name": "shop", "pod-template-hash": "5d4f7c9b8"}
    metadata = {"name": f"shop-5d4f7c9b8-{number:05}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


if __name__ == "__main__":
    sys.exit(main())
