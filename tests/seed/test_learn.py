"""seed learn and seed tell: an image's own command is seen at its first run.

In namespaces like a pod's: a first process that idles, as pause does, and all others started from
outside, as a runtime does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubectl_scratch.plan.entrypoint_discovery import NOT_STOPPED
from tests.seed.conftest import Seed, children, ended, pending, runs, wait_until
from tests.seed.test_run_app import switches
from tests.support.patience import PATIENCE

Cell = Callable[..., Seed]
# So often has a watcher looked around once it has taken in what was there before it.
LOOKS = 30


@pytest.fixture
def pod(native: Seed, cell: Cell) -> Seed:
    """Give the seed in namespaces like a pod's."""
    return cell(str(native.folder / "seed"), "idle", "0")


@contextmanager
def watching(pod: Seed, arguments: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Have a watcher look at container app; give what started it, and its PID."""
    with ended(pod.start("learn", str(arguments), "app")) as process:
        (pid,) = children(process.pid)
        looks(pid)
        yield process, pid


def looks(pid: int) -> None:
    """Wait until a watcher has looked around often."""
    before = switches(pid)
    wait_until(lambda: switches(pid) > before + LOOKS, "that it looks")


# What a runtime does: it mounts, from where the kubelet has it, what becomes /dev/termination-log.
MOUNT = 'mount --bind "$0" "$0" && exec "$@"'


def start(pod: Seed, *words: str, container: str = "app") -> subprocess.Popen[bytes]:
    """Start the first process of a container in the pod, from outside, as a runtime does."""
    source = pod.folder / "pods" / "a1b2" / "containers" / container / "0c1d"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.touch()
    unshare, shell = by_a_runtime_s_name(pod, "unshare"), by_a_runtime_s_name(pod, "bash")
    apart = (unshare, "--mount", shell, "-c", MOUNT, str(source))
    return subprocess.Popen([*pod.inside, *apart, *words], stdin=subprocess.PIPE)


def by_a_runtime_s_name(pod: Seed, program: str) -> str:
    """Return a copy of a program that the seed takes for a runtime."""
    found, folder = shutil.which(program), pod.folder / program
    assert found is not None
    folder.mkdir(exist_ok=True)
    return found_or_copied(found, folder / "runc")


def found_or_copied(program: str, path: Path) -> str:
    """Return the path of a copy; one that may be running is not written again."""
    return str(path) if path.exists() else str(shutil.copy(program, path))


def first_of(process: subprocess.Popen[bytes], *words: str) -> int:
    """Wait until what was started in the pod has become a program; return its PID."""
    (first,) = children(process.pid)
    wait_until(lambda: runs(first, words), "the program")
    return first


def learned(pod: Seed) -> list[str]:
    """Return the words that tell gives."""
    done = pod.run("tell")
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    "arguments, wanted",
    [
        (0, ["sleep", "1000", "2000"]),
        (1, ["sleep", "1000"]),
        (3, []),
        (4, ["sleep", "1000", "2000"]),
    ],
)
def test_the_words_without_the_pod_s_own_are_learned(
    pod: Seed, arguments: int, wanted: list[str]
) -> None:
    with watching(pod, arguments), ended(start(pod, "sleep", "1000", "2000")) as app:
        assert learned(pod) == wanted
        # It is ended at once: it was none of the copy's, and has done nothing yet.
        assert app.wait(PATIENCE) == -signal.SIGKILL


def test_who_asks_before_is_told_when_it_has_run(pod: Seed) -> None:
    with watching(pod, 0) as (_, pid), ended(pod.start("tell")) as asking:
        children(asking.pid)
        looks(pid)
        with ended(start(pod, "sleep", "1000")):
            assert asking.communicate(timeout=PATIENCE)[0] == b"sleep\x001000\0"
        assert asking.returncode == 0


def test_the_runtime_and_its_hooks_are_passed_over(pod: Seed) -> None:
    runtime = by_a_runtime_s_name(pod, "bash")
    # Only a child of the runtime reads; then the runtime becomes the app.
    script = "cat >/dev/null; exec sleep 1000"
    with watching(pod, 0) as (_, pid), ended(start(pod, runtime, "-c", script)) as process:
        children(first_of(process, runtime, "-c", script))
        looks(pid)
        assert not (pod.toolkit / "learned").exists()
        assert process.stdin is not None
        process.stdin.close()
        assert learned(pod) == ["sleep", "1000"]


def test_one_that_runs_already_is_seen_as_well(pod: Seed) -> None:
    with ended(start(pod, "sleep", "1000")) as app:
        first_of(app, "sleep", "1000")
        with watching(pod, 0):
            assert learned(pod) == ["sleep", "1000"]
            assert app.wait(PATIENCE) == -signal.SIGKILL


def titled(pod: Seed) -> subprocess.Popen[bytes]:
    """Start a program that has written a title over its words, as nginx does."""
    return start(pod, by_a_runtime_s_name(pod, "bash"), "-c", 'exec -a "app: master" sleep 1000')


def test_a_title_is_not_taken_for_the_command(pod: Seed) -> None:
    with watching(pod, 0):
        with ended(titled(pod)) as late:
            assert late.wait(PATIENCE) == -signal.SIGKILL
        assert not (pod.toolkit / "learned").exists()
        with ended(start(pod, "sleep", "1000")):
            assert learned(pod) == ["sleep", "1000"]


def test_a_program_that_is_always_called_so_is_taken(pod: Seed) -> None:
    with watching(pod, 0):
        for _ in range(3):
            with ended(titled(pod)) as app:
                assert app.wait(PATIENCE) == -signal.SIGKILL
        assert learned(pod) == ["app: master", "1000"]


@pytest.mark.parametrize("injected", ["istio-init", "app-proxy", "my-app", "ap"])
def test_the_first_process_of_another_container_is_passed_over(pod: Seed, injected: str) -> None:
    foreign = start(pod, "sleep", "3000", container=injected)
    with ended(foreign) as other, watching(pod, 0) as (_, pid):
        first_of(other, "sleep", "3000")
        looks(pid)
        assert not (pod.toolkit / "learned").exists()
        with ended(start(pod, "sleep", "1000")):
            assert learned(pod) == ["sleep", "1000"]
        assert other.poll() is None


def test_a_session_beside_is_none_of_the_container_s(pod: Seed) -> None:
    plain = subprocess.Popen([*pod.inside, "sleep", "3000"])
    with watching(pod, 0) as (_, pid), ended(plain) as other:
        first_of(other, "sleep", "3000")
        looks(pid)
        assert not (pod.toolkit / "learned").exists()
        assert other.poll() is None


def test_each_later_start_is_killed_too(pod: Seed) -> None:
    with watching(pod, 0), ended(start(pod, "sleep", "1000")):
        assert learned(pod) == ["sleep", "1000"]
        for again in ("2000", "3000"):
            with ended(start(pod, "sleep", again)) as app:
                assert app.wait(PATIENCE) == -signal.SIGKILL
        assert learned(pod) == ["sleep", "1000"]


def test_one_that_can_t_be_killed_is_told(pod: Seed) -> None:
    nobody = ("setpriv", "--reuid", "54321", "--clear-groups")
    weak = Seed(pod.folder, (), (*pod.inside, *nobody))
    with watching(weak, 0), ended(start(pod, "sleep", "1000")) as app:
        done = pod.run("tell")
        assert (done.returncode, done.stdout) == (NOT_STOPPED, b"sleep\0001000\0")
        assert app.poll() is None


def test_the_signal_to_end_waits_until_it_was_told(pod: Seed) -> None:
    with watching(pod, 0) as (watcher, pid), ended(start(pod, "sleep", "1000")):
        wait_until((pod.toolkit / "learned").exists, "what is learned")
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not pending(pid, signal.SIGTERM), "that it takes the signal")
        assert watcher.poll() is None
        learned(pod)
        assert watcher.wait(PATIENCE) == 0


def test_one_that_has_seen_nothing_ends_at_once(pod: Seed) -> None:
    with watching(pod, 0) as (watcher, pid):
        os.kill(pid, signal.SIGTERM)
        assert watcher.wait(PATIENCE) == 0
    assert not (pod.toolkit / "learned").exists()
