"""Inside the target: the session stands where the app does, or it is said why not."""

from __future__ import annotations

from collections.abc import Iterator

import pexpect
import pytest

from tests.cluster.cases import crash_looping
from tests.cluster.conftest import Cluster, Json
from tests.support.manifests import ARGS, BASH, BUSYBOX, FOREIGN, HARDENED, HTTP, a_pod, app_image

PROMPT = r"app:\S*[#$] "
FULL = app_image("full", "root")
SCRATCH = app_image("scratch", "nonroot")
READY = ["print=ready", "sleep=1h"]
# Who, where, what it may do, what it sees; what follows is the environment.
FACTS = """
id; pwd; ls -A /srv /data; umask
grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status
ulimit -n; sed -n 's,.* / [a-z]* \\(r[ow]\\).*,root \\1,p' /proc/mounts
"""
ROOM = "ls -A /; cut -d ' ' -f 2 /proc/mounts"
EVERY_FILE = "find / -xdev -path /dev -prune -o -print"


@pytest.fixture(scope="module", autouse=True)
def sources(cluster: Cluster) -> Iterator[None]:
    """Make the pods that are debugged here: web is served, the others are not."""
    cluster.apply(
        a_service("web"),
        the_same_as_others(),
        a_pod("worker", SCRATCH, args=READY),
        a_pod("loop", FULL, command=["/app/args"], args=["exit=5"]),
        a_pod("talker", ARGS, args=[*(f"print=line {n}" for n in range(7)), "exit=3"]),
        with_neighbour(),
        with_init("setup", "first", args=["exit=4"]),
        with_init("proxied", "proxy", args=READY, restartPolicy="Always"),
    )
    cluster.ready("web", "worker", "proxied")
    crash_looping(cluster, "loop", "talker", "pair", "setup")
    yield
    cluster.nothing_is_left()


def a_service(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 8080}]},
    }


def the_same_as_others() -> Json:
    """Return a pod with much that a shell can be asked for, and a shell to ask in the source."""
    return a_pod(
        "web",
        app_image("full", "nonroot"),
        labels={"app": "web"},
        args=READY,
        env=[{"name": "MODE", "value": "test"}],
        workingDir="/data",
        volumes=[{"name": "data", "emptyDir": {}}],
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
        securityContext={**HARDENED, "runAsUser": 12345, "runAsGroup": 23456},
        # Service variables are those of the Services that are there when a pod starts.
        enableServiceLinks=False,
    )


def with_neighbour() -> Json:
    pod = a_pod("pair", SCRATCH, args=["exit=3"])
    pod["spec"]["containers"].append({"name": "helper", "image": HTTP})
    return pod


def with_init(name: str, container: str, **fields: object) -> Json:
    pod = a_pod(name, SCRATCH, args=READY)
    pod["spec"]["initContainers"] = [
        {"name": container, "image": SCRATCH, "command": ["/app/args"], **fields}
    ]
    return pod


# Where the session stands.


@pytest.mark.parametrize("hold", ["--hold", "--no-hold"])
def test_the_session_is_like_the_app(cluster: Cluster, hold: str) -> None:
    script = f"{FACTS}echo then; env"
    there = cluster.kubectl("exec", "web", "--", "bash", "-c", script)
    here = cluster.scratch("debug", "-q", "web", hold, "--", "bash", "-c", script)
    assert here.returncode == 0, here.stderr
    facts, _, env = here.stdout.decode().partition("then\n")
    facts_there, _, env_there = there.partition("then\n")
    assert facts == facts_there
    assert "uid=12345" in facts
    assert "root ro" in facts
    ours, theirs = variables(env), variables(env_there)
    assert ours.pop("PATH") == f"{theirs.pop('PATH')}:/.scratch/bin"
    assert {"MODE": "test", "GREETING": "hello-from-the-image"}.items() <= ours.items()
    differ = {name for name in ours.keys() | theirs if ours.get(name) != theirs.get(name)}
    assert differ <= {"HOSTNAME"}


def variables(env: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in env.splitlines() if "=" in line)


def test_the_session_sees_the_app_s_files_and_mounts(cluster: Cluster) -> None:
    there = cluster.kubectl("exec", "web", "--", "bash", "-c", ROOM).split()
    here = cluster.scratch("debug", "-q", "web", "--", "bash", "-c", ROOM).stdout.decode().split()
    ours = [".scratch", ".scratch-seed", "/.scratch", "/.scratch-seed"]
    assert sorted(here) == sorted([*there, *ours])


def test_nothing_is_written_among_the_app_s_files(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "loop")
    child.expect(PROMPT)
    child.sendline("run-app")
    child.expect(PROMPT)
    child.sendline(f"{EVERY_FILE}; echo that is al''l")
    child.expect("that is all\r\n")
    here = {line for line in child.before.splitlines() if line.startswith("/")}
    child.sendline("exit")
    child.expect(pexpect.EOF)
    # A pod of the same image, since loop itself can't be asked.
    cluster.apply(a_pod("untouched", FULL, args=READY))
    cluster.ready("untouched")
    there = cluster.kubectl("exec", "untouched", "--", "sh", "-c", EVERY_FILE).splitlines()
    assert {path for path in here ^ set(there) if not path.startswith("/.scratch")} == set()


@pytest.mark.parametrize(
    "pod, flags, held",
    [
        ("web", (), False),
        ("web", ("--hold",), True),
        ("worker", (), True),
        ("worker", ("--no-hold",), False),
        ("loop", (), True),
    ],
)
def test_what_is_held(cluster: Cluster, pod: str, flags: tuple[str, ...], held: bool) -> None:
    done = cluster.scratch("debug", pod, *flags, "--", "pidof", "args")
    assert done.returncode == int(held)
    assert (b"is on hold" in done.stderr) is held


@pytest.mark.parametrize("pod", ["worker", "loop"])
def test_the_view_beside_has_the_target_s_files(cluster: Cluster, pod: str) -> None:
    child = cluster.terminal("debug", pod, "--view", "tools")
    child.expect(PROMPT)
    child.sendline("cat $(target-root)/srv/motd; target-env | grep GREETING; cat /srv/motd")
    child.expect("a file of the image\r\nGREETING=hello-from-the-image\r\na file of the image")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_the_view_beside_is_as_read_only_as_the_app_s_files(cluster: Cluster) -> None:
    script = "touch /x; touch /.scratch/x && echo tools"
    done = cluster.scratch("debug", "-q", "web", "--view", "tools", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, b"tools\n")
    assert b"Read-only file system" in done.stderr


def test_the_app_s_own_programs_come_first(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "loop")
    child.expect(PROMPT)
    child.sendline("ls --version; nc --help 2>&1 | head -n 1")
    child.expect(r"ls \(GNU coreutils\)")
    child.expect("BusyBox v")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_a_shell_of_the_app_s_own(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "loop", "--shell", "bash")
    child.expect(PROMPT)
    child.sendline('echo "bash ${BASH_VERSION%%.*} in $PWD"; command -v run-app')
    child.expect(r"bash \d in /srv\r\n/.scratch/bin/run-app")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_a_shell_that_the_app_has_not(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "-q", "worker", "--shell", "bash")
    child.expect(r"bash: .*not found")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 127


# Containers of other kinds, and beside.


@pytest.mark.parametrize("flags", [(), ("-c", "first")])
def test_a_failing_init_container_is_held(cluster: Cluster, flags: tuple[str, ...]) -> None:
    done = cluster.scratch("debug", "setup", *flags, "--", "run-app")
    assert done.returncode == 4
    assert b"inside container first; the app is on hold" in done.stderr


def test_what_waits_for_a_failing_init_container(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "setup", "-c", "app", "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"init container first exited with code 4" in done.stderr
    assert b"-c first" in done.stderr


@pytest.mark.parametrize("skipped", ["first", "all"])
def test_a_failing_init_container_that_is_left_out(cluster: Cluster, skipped: str) -> None:
    done = cluster.scratch("debug", "setup", "--skip-init", skipped, "--", "true")
    assert done.returncode == 0, done.stderr
    assert b"inside container app; the app is on hold" in done.stderr


def test_a_native_sidecar(cluster: Cluster) -> None:
    words = ["sh", "-c", "pidof args; run-app -- exit=8"]
    done = cluster.scratch("debug", "-q", "proxied", "-c", "proxy", "--", *words)
    assert done.returncode == 8


@pytest.mark.parametrize("flags, answer", [((), 0), (("--hold-all",), 1)])
def test_the_neighbours_run(cluster: Cluster, flags: tuple[str, ...], answer: int) -> None:
    asked = "for i in 1 2 3 4 5; do wget -qO- 127.0.0.1:8080 && exit; sleep 1; done; exit 1"
    done = cluster.scratch("debug", "-q", "pair", *flags, "--", "sh", "-c", asked)
    assert done.returncode == answer
    assert (b"hello-from-the-image" in done.stdout) is (answer == 0)


# What may be missing.


def test_without_the_right_to_add_a_debug_container(cluster: Cluster) -> None:
    words = ["debug", "-q", "loop", "--context", "no-ephemeral", "--", "run-app"]
    done = cluster.scratch(*words)
    assert (done.returncode, done.stdout) == (5, b""), done.stderr
    assert done.stderr.startswith(b"warning: ")
    assert done.stderr.count(b"\n") == 1


def test_without_the_right_to_make_config_maps(cluster: Cluster) -> None:
    words = ["debug", "web", "--context", "no-configmaps", "--", "sh", "-c", "exit 9"]
    done = cluster.scratch(*words)
    assert done.returncode == 9
    (line,) = [line for line in done.stderr.splitlines() if b"ConfigMaps" in line]
    assert b"the tools come in an image" in line


@pytest.mark.parametrize("image", [BUSYBOX, BASH])
def test_a_toolkit_image(cluster: Cluster, image: str) -> None:
    child = cluster.terminal("debug", "worker", "--image", image)
    child.expect(PROMPT)
    child.sendline("cat $(target-root)/srv/motd; target-env | grep GREETING")
    child.expect("a file of the image\r\nGREETING=hello-from-the-image")
    child.sendline("exit 9")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 9


def test_a_toolkit_image_for_another_machine(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "web", "--image", FOREIGN, "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: the debug container")
    assert b"exec format error" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_tools_for_another_machine(cluster: Cluster) -> None:
    done = cluster.scratch("debug", "-q", "loop", "--arch", "arm64", "--", "true")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"with --arch arm64 the copy needs another node" in done.stderr
    assert b"error: no node can run the copy" in done.stderr
    assert b"the tools are for arm64; use --arch if the nodes are not" in done.stderr


# Before the prompt, and when it goes wrong.


def test_the_crash_summary_and_the_banner(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "talker")
    child.expect(PROMPT)
    told = child.before.replace("\r", "")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert "app exited with code 3" in told
    assert "restarts: " in told
    assert [line for line in told.splitlines() if "line " in line][-5:] == [
        f"log: line {number}" for number in range(2, 7)
    ]
    assert "line 1" not in told


def test_an_app_that_dies_under_the_session(cluster: Cluster) -> None:
    child = cluster.terminal("debug", "web")
    child.expect(PROMPT)
    child.sendline("kill -9 $(pidof args)")
    child.expect("137")
    child.expect(PROMPT)
    child.sendline("cat $(target-root)/srv/motd")
    child.expect("a file of the image")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_a_held_target_that_is_killed_under_the_session(cluster: Cluster) -> None:
    """The same is left where a kill for memory takes all of a container (cgroup v2)."""
    child = cluster.terminal("debug", "loop")
    child.expect(r"in (\S+), a copy of")
    copy = child.match[1]
    child.expect(PROMPT)
    child.sendline("pkill -9 -f 'seed hold'")
    child.expect("warning: container app exited with code 137")
    child.expect("the session continues in the debug container")
    child.expect(PROMPT)
    # The node has started it again, and it is held as before.
    again = cluster.scratch("attach", copy, "--view", "app", "--", "run-app")
    assert again.returncode == 5
    child.sendline("exit 3")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
