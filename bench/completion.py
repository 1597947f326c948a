"""Compare the completion of pods' names with kubectl's own, in a namespace of 5,000 pods.

``python -m bench.completion`` needs a cluster in $KUBECONFIG. The pods are gated, so that nothing
schedules them; their namespace is deleted at the end.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.measure import RESULTS, Race, installed, run_races, surroundings, table, verdict

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
    with installed() as environ, namespace(environ) as name:
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


@contextmanager
def namespace(environ: Mapping[str, str]) -> Iterator[str]:
    """Give a namespace with the pods."""
    name = f"bench-{secrets.token_hex(3)}"

    def kubectl(*words: str, stdin: str = "") -> None:
        subprocess.run(
            ["kubectl", *words], env=environ, input=stdin, text=True, check=True, stdout=sys.stderr
        )

    kubectl("create", "namespace", name)
    try:
        kubectl("-n", name, "wait", "--for=create", "serviceaccount/default")
        print(f"bench: creating {PODS} pods", file=sys.stderr)
        pods = {"apiVersion": "v1", "kind": "List", "items": [a_pod(n) for n in range(PODS)]}
        words = ["kubectl", "-n", name, "create", "-f", "-"]
        text = json.dumps(pods)
        subprocess.run(
            words, env=environ, input=text, text=True, check=True, stdout=subprocess.DEVNULL
        )
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def a_pod(number: int) -> dict[str, object]:
    """Return a pod of the size that a Deployment's has, which nothing schedules."""
    variables = [{"name": f"SETTING_{i}", "value": f"value {i} of this pod"} for i in range(20)]
    container = {"name": "app", "image": "docker.io/library/busybox:1.37.0", "env": variables}
    spec = {"schedulingGates": [{"name": "bench.local/never"}], "containers": [container]}
    labels = {"app.kubernetes.io/name": "shop", "pod-template-hash": "5d4f7c9b8"}
    metadata = {"name": f"shop-5d4f7c9b8-{number:05}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


if __name__ == "__main__":
    sys.exit(main())
