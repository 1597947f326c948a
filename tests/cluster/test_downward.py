"""What the app reads of its own pod is the same in the copy, as the kubelet gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Cluster, Json
from tests.support.manifests import BUSYBOX, a_pod

OF_VARIABLES = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels['apps.kubernetes.io/pod-index']",
    "metadata.labels['batch.kubernetes.io/job-completion-index']",
    "metadata.labels['tier']",
    "metadata.labels['gone']",
    "metadata.annotations['batch.kubernetes.io/job-completion-index']",
    "metadata.annotations['team']",
    "metadata.annotations['gone']",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
OF_FILES = (*OF_VARIABLES[:10], "metadata.labels", "metadata.annotations")
RESOURCES = tuple(
    (f"{kind}.{name}", divisor)
    for kind in ("limits", "requests")
    for name, divisor in (("cpu", "1m"), ("cpu", "1"), ("memory", "1k"), ("ephemeral-storage", "0"))
)
# An instance's own, and what the kubelet tells of a pod that no API server knows.
OWN = ("metadata.uid", "status.podIP", "status.podIPs")
SEEN = "kubernetes.io/config.seen="
# Each variable and each file, after a line that says which.
LOOK = (
    "for i in $(seq 0 23); do eval v=\\$V$i; printf '@@V%s\\n%s' $i \"$v\"; done;"
    ' cd /podinfo && for f in F*; do echo "@@$f"; cat $f; done'
)
TEAM = 'a "b" \u00e9 $(HOME) $$x \\ $V0'


def a_template(restart: str) -> Json:
    """Return a pod template that reads all that there is of its own pod."""
    paths = [{"fieldRef": {"fieldPath": path}} for path in OF_VARIABLES]
    resources = [{"resourceFieldRef": {"resource": r, "divisor": d}} for r, d in RESOURCES]
    named = [{"containerName": "app", **item["resourceFieldRef"]} for item in resources]
    files = [
        *({"fieldRef": {"fieldPath": path}} for path in OF_FILES),
        *({"resourceFieldRef": reference} for reference in named),
    ]
    items = [{"path": f"F{i:02}", **item} for i, item in enumerate(files)]
    half = len(items) // 2
    container = {
        "name": "app",
        "image": BUSYBOX,
        "command": ["sleep", "100000"],
        "env": [{"name": f"V{i}", "valueFrom": v} for i, v in enumerate([*paths, *resources])],
        "resources": {"limits": {"cpu": "150m", "memory": "64Mi"}, "requests": {"cpu": "50m"}},
        "volumeMounts": [{"name": "podinfo", "mountPath": "/podinfo"}],
    }
    sources = [{"downwardAPI": {"items": part}} for part in (items[:half], items[half:])]
    return {
        "metadata": {"labels": {"app": "shop", "tier": "a.b"}, "annotations": {"team": TEAM}},
        "spec": {
            "restartPolicy": restart,
            "containers": [container],
            "volumes": [{"name": "podinfo", "projected": {"sources": sources}}],
        },
    }


WORKLOADS: dict[str, Json] = {
    "statefulset": {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "spec": {"selector": {"matchLabels": {"app": "shop"}}, "template": a_template("Always")},
    },
    "job": {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {"completionMode": "Indexed", "completions": 1, "template": a_template("Never")},
    },
}


@pytest.fixture(params=sorted(WORKLOADS))
def source(request: pytest.FixtureRequest, space: Cluster) -> Iterator[str]:
    """Give a running pod of a controller that writes labels into it."""
    kind = request.param
    space.apply({**WORKLOADS[kind], "metadata": {"name": "shop"}})
    space.wait_until(lambda: bool(space.read("pods", "-l", "app=shop")["items"]), "the pod")
    (pod,) = space.read("pods", "-l", "app=shop")["items"]
    name: str = pod["metadata"]["name"]
    space.ready(name)
    yield name
    space.kubectl("delete", kind, "shop", "--wait=false")


def seen_by(text: str) -> dict[str, str]:
    """Return what was read, each by its variable or file."""
    found = dict(part.partition("\n")[::2] for part in text.split("@@")[1:])
    paths = [*OF_VARIABLES, *(r for r, _ in RESOURCES)]
    told = {f"V{i} {path}": found[f"V{i}"] for i, path in enumerate(paths)}
    paths = [*OF_FILES, *(r for r, _ in RESOURCES)]
    return told | {f"F{i:02} {path}": found[f"F{i:02}"] for i, path in enumerate(paths)}


@pytest.mark.parametrize(
    "how",
    [
        ("--hold",),
        ("--no-hold",),
        ("--hold", "--view", "tools"),
        ("--hold", "--resources", "none"),
        ("--hold", "--keep-annotations"),
    ],
    ids=" ".join,
)
def test_what_the_app_reads_of_its_pod_is_what_the_source_reads(
    space: Cluster, source: str, how: tuple[str, ...]
) -> None:
    there = seen_by(space.kubectl("exec", source, "--", "sh", "-c", LOOK))
    done = space.scratch("debug", source, *how, "--", "sh", "-c", LOOK)
    assert done.returncode == 0, done.stderr
    copy = seen_by(done.stdout.decode())
    # The source runs, so no two may have its name.
    own = (*OWN, "metadata.name")
    differ = {key.partition(" ")[2] for key in there if without_seen(there[key]) != copy[key]}
    assert differ == set(own)
    # These are not the same by being empty.
    assert there["V8 metadata.annotations['team']"] == TEAM

    assert "0" in [value for key, value in there.items() if "index" in key]


def test_the_name_of_a_source_that_crashes_is_the_copy_s_as_well(space: Cluster) -> None:
    name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    space.apply(a_pod("db", BUSYBOX, command=["sh", "-c", "exit 3"], env=[name]))
    space.wait_until(
        lambda: "terminated" in str(space.read("pod", "db").get("status")), "the crash"
    )
    done = space.scratch("debug", "db", "--", "sh", "-c", "echo $POD_NAME")
    assert (done.returncode, done.stdout) == (0, b"db\n"), done.stderr
    assert b"app:POD_NAME has the source's name" in done.stderr


def without_seen(text: str) -> str:
    """Return annotations as they are without the time at which a kubelet saw the pod."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(SEEN))
