"""The cluster tier: the real CLI against a real kubelet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

import testbed
from tests.support.patience import PATIENCE
from tools import dist

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
OURS = "app.kubernetes.io/managed-by=kubectl-scratch"
# kubectl's verbs that wait.
WAITING = ("wait", "rollout")
# Files whose tests share nothing that another may not change. Those of other files share sources.
ALONE = ("test_copy", "test_downward", "test_volumes", "test_why")
# Files that share more: the node's hung pulls, which are released all at once, and the archive,
# which takes long to build.
TOGETHER = {
    "test_waiting": "slow pulls",
    "test_ways_out": "slow pulls",
    "test_archive": "archive",
    "test_krew": "archive",
}


@dataclass(frozen=True)
class Cluster:
    """A namespace of the testbed's cluster, and the CLI pointed at it."""

    kubeconfig: Path
    namespace: str

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment that people have: kubectl and the plugin on PATH."""
        path = f"{BIN}:{os.environ['PATH']}"
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path, "TERM": "xterm"}

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace; return its stdout."""
        if words[0] in WAITING:
            words = (*words, f"--timeout={PATIENCE:.0f}s")
        done = subprocess.run(
            ["kubectl", "-n", self.namespace, *words],
            input=stdin,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE + 10,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *words: str) -> Json:
        """Return what ``kubectl get`` says, as JSON."""
        found: Json = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found

    def apply(self, *objects: Json) -> None:
        """Apply objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(listed))

    def ready(self, *names: str) -> None:
        """Wait until pods are ready."""
        pods = [f"pod/{name}" for name in names]
        self.kubectl("wait", "--for=condition=Ready", *pods)

    def command(self, *words: str) -> list[str]:
        """Return the plugin's command line."""
        head = [str(BIN / "kubectl-scratch"), words[0], "-n", self.namespace]
        return [*head, *words[1:]]

    def scratch(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run the plugin with pipes until it ends."""
        return subprocess.run(
            self.command(*words),
            input=stdin,
            env=self.environ,
            capture_output=True,
            timeout=PATIENCE,
        )

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start the plugin with pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.command(*words), env=self.environ, **{**pipes, **options})

    def terminal(self, *words: str, size: tuple[int, int] = (24, 100)) -> Any:
        """Start the plugin on a terminal."""
        program, *arguments = self.command(*words)
        child = pexpect.spawn(
            program,
            arguments,
            env=self.environ,
            dimensions=size,
            encoding="utf-8",
            timeout=PATIENCE,
        )
        child.delaybeforesend = None
        return child

    def copies(self) -> list[str]:
        """Return the names of the copies that are there, without the pods of discoveries."""
        found = [pod["metadata"]["name"] for pod in self.read("pods", "-l", OURS)["items"]]
        return [name for name in found if not name.endswith("-learn")]

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for something that ``kubectl wait`` has no words for."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"{what}: not within {PATIENCE} s"
            time.sleep(0.2)

    def nothing_is_left(self) -> None:
        """Check that no object and no process of ours remains."""
        self.kubectl("wait", "--for=delete", "pods,jobs,configmaps", "-l", OURS)
        assert "SCRATCH_TEST_KUBECONFIG" in os.environ or not self.processes()

    def processes(self) -> list[str]:
        """Return the containers of copies that the node's runtime runs."""
        running = testbed.containers()
        mine = (c for c in running if c["namespace"] == self.namespace)
        return [f"{c['pod']}/{c['name']}" for c in mine if "-scratch-" in c["pod"]]


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Keep on one worker what shares something, in place of xdist's groups.

    xdist 3.8 notes these in a field of a test that pytest 9.2 has no more.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        return nodeid if file in ALONE else TOGETHER.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Replace the scheduler that ``--dist`` names."""
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the krew archive and its manifest."""
    folder = tmp_path_factory.mktemp("dist")
    dist.build_archive(dist.NAME, folder)
    return folder


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    """Return the testbed's kubeconfig; the testbed is started if it is not up."""
    command = [sys.executable, "-m", "testbed", "up"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip().removeprefix("export KUBECONFIG="))


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace of the module's own."""
    made = make_namespace(kubeconfig)
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def make_namespace(kubeconfig: Path, labels: dict[str, str] | None = None) -> Cluster:
    """Return a new namespace, ready for pods."""
    made = Cluster(kubeconfig, f"t-{uuid.uuid4().hex[:8]}")
    metadata = {"name": made.namespace, "labels": labels or {}}
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    # The first pod of a namespace needs its ServiceAccount.
    made.kubectl("wait", "--for=create", "serviceaccount/default")
    return made


@pytest.fixture
def clean(cluster: Cluster) -> Iterator[Cluster]:
    """Give the namespace, and check that the test leaves nothing of ours in it."""
    yield cluster
    cluster.nothing_is_left()


@pytest.fixture
def space(kubeconfig: Path) -> Iterator[Cluster]:
    """Give a namespace of the test's own, and check that nothing of ours is left in it."""
    made = make_namespace(kubeconfig)
    yield made
    made.nothing_is_left()
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def release_slow_pulls() -> None:
    """End the node's hung pulls: the kubelet ends none, and keeps the pod for as long."""
    testbed.node_exec(["curl", "-s", "127.0.0.1:5000/release"])


def send(child: subprocess.Popen[bytes], signum: signal.Signals) -> tuple[int, bytes, bytes]:
    """Signal the plugin; return its code, stdout and stderr."""
    child.send_signal(signum)
    out, err = child.communicate(timeout=PATIENCE)
    return child.returncode, out, err


def told(child: subprocess.Popen[bytes], words: bytes) -> None:
    """Read the plugin's stderr up to a line with these words."""
    assert child.stderr is not None
    seen = []
    for line in child.stderr:
        if words in line:
            return
        seen.append(line)
    raise AssertionError(f"{words!r} was not told: {seen}")
