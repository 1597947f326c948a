"""Several sessions in one copy: the last one deletes it."""

from __future__ import annotations

import pytest

from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.seed import seed_mounts
from tests.cluster.conftest import Cluster, Json
from tests.support.manifests import a_pod
from tests.support.patience import PATIENCE


@pytest.fixture(scope="module", autouse=True)
def source(cluster: Cluster) -> None:
    """Make the pod that is debugged here."""
    cluster.apply(a_pod("web"))
    cluster.ready("web")


@pytest.mark.parametrize("first_leaves_first", [True, False])
def test_who_leaves_last_deletes(clean: Cluster, first_leaves_first: bool) -> None:
    script = ["--", "sh", "-c", "echo in; cat > /tmp/x; exit 3"]
    first = clean.start("debug", "-q", "web", *script)
    assert first.stdout is not None
    assert first.stdout.readline() == b"in\n"
    (copy,) = clean.copies()
    second = clean.start("attach", "-q", copy, *script)
    assert second.stdout is not None
    assert second.stdout.readline() == b"in\n"
    leaver, stayer = (first, second) if first_leaves_first else (second, first)
    leaver.communicate(b"bye", timeout=PATIENCE)
    assert leaver.returncode == 3
    assert clean.copies() == [copy]
    assert stayer.poll() is None
    assert clean.scratch("attach", copy, "--", "echo", "still").stdout == b"still\n"
    stayer.communicate(b"bye", timeout=PATIENCE)
    assert stayer.returncode == 3


def test_a_pod_that_is_no_copy(clean: Cluster) -> None:
    done = clean.scratch("attach", "web", "--", "true")
    assert done.returncode == 1
    assert done.stderr == (
        b"error: pod 'web' is not a copy made by kubectl scratch; use debug to make one\n"
    )


def a_job(name: str, **spec: object) -> Json:
    """Return a Job of production, which has work to do."""
    template = {"spec": {**a_pod("x")["spec"], "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"completions": 1, "template": template, **spec},
    }


# A Job that runs, and one that has no pod and is another's all the same.
JOBS = [{}, {"completions": 0, "parallelism": 0}]


@pytest.mark.parametrize("spec", JOBS, ids=["running", "empty"])
def test_a_pod_that_has_been_made_to_look_like_a_copy(cluster: Cluster, spec: Json) -> None:
    """Who may create pods writes our marks on one, and names a Job as its owner."""
    name = f"report-scratch-{'bcdfg' if spec else 'zzzzz'}"
    cluster.apply(a_job(name, ttlSecondsAfterFinished=3600, **spec))
    job = cluster.read("job", name)
    pod = a_pod(name, labels=metadata.session_labels("bcdfg"), command=["/seed/seed", "idle", "0"])
    marks = {metadata.SOURCE_ANNOTATION: "x/report", metadata.CONTAINER_ANNOTATION: "app"}
    owner = lease.owner_reference(job)
    pod["metadata"].update(annotations=marks, ownerReferences=[owner])
    pod["spec"]["containers"][0]["volumeMounts"] = seed_mounts()
    volumes = [mount["name"] for mount in seed_mounts()]
    pod["spec"]["volumes"] = [{"name": volume, "emptyDir": {}} for volume in volumes]
    cluster.apply(pod)
    before = [cluster.read(kind, name)["metadata"]["uid"] for kind in ("job", "pod")]
    done = cluster.scratch("attach", name, "--view", "app", "--ttl", "2h", "--", "true")
    assert done.returncode == 1
    assert b"is not a copy made by kubectl scratch: job" in done.stderr
    assert [cluster.read(kind, name)["metadata"]["uid"] for kind in ("job", "pod")] == before
    after = cluster.read("job", name)
    assert after["spec"]["ttlSecondsAfterFinished"] == 3600
    assert after["metadata"].get("annotations") == job["metadata"].get("annotations")
    assert b"is not listed" in cluster.scratch("ls").stderr
    cluster.kubectl("delete", "job", name, "--cascade=foreground")
