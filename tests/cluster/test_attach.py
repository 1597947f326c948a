"""Several sessions in one copy: the last one deletes it."""

from __future__ import annotations

import pytest

from tests.cluster.conftest import Cluster
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
        b"error: pod 'web' is no copy of kubectl scratch; debug makes one of it\n"
    )
