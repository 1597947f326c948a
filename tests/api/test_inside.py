"""A session inside the target: how the tools come, and what is done where they do not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.toolkit.archive import SEED
from tests.api.harness import (
    A_COPY,
    CONFIG_MAPS,
    EPHEMERAL,
    EXEC,
    JOBS,
    PODS,
    PROMPT,
    START,
    Cli,
    Terminal,
    asked_for,
    clean,
    copy_of,
    deleted_once,
    end_of,
    finish,
    kinds_made,
    line_of,
    nothing_left,
    release,
    sent,
    session_of,
    source_pod,
)
from tests.support.fakeapi import FakeCluster
from tests.support.fakerules import Object, Request, stamp
from tests.support.patience import PATIENCE

CRASHED = {"exitCode": 3, "finishedAt": "2026-01-01T12:00:00Z"}
CRASHES = {
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": CRASHED},
    "restartCount": 7,
}


@pytest.fixture
def crashing(cli: Cli) -> Object:
    """Let the source pod crash-loop."""
    cli.api.delete("pods", "default", "mypod")
    status = {"phase": "Running", "containerStatuses": [{"name": "app", **CRASHES}]}
    return cli.api.add(source_pod(status=status, nodeName="node-1"))


def test_tools_are_on_the_path_behind_the_app_s_own(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "--", "ash", "-c", "echo $PATH; readlink -f $(which ash)")
    path, ash = ended.out.decode().splitlines()
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    assert path.startswith("/bin:/usr/bin") and path.split(":")[-1].endswith("/bin")
    assert ash.endswith("/bin/busybox")
    clean(cli.api)


def test_a_tool_of_one_s_own_comes_along(cli: Cli) -> None:
    tool = cli.folder / "my-tool"
    tool.write_text("#!/bin/sh\necho own\n")
    tool.chmod(0o600)
    ended = cli.run("debug", "mypod", "--toolkit-file", str(tool), "--", "my-tool")
    assert (ended.code, ended.out) == (0, b"own\n")
    clean(cli.api)


def test_a_shell_of_the_container_s_own_has_the_helpers_too(cli: Cli) -> None:
    child = cli.terminal("debug", "mypod", "--shell", "/bin/bash")
    child.expect(PROMPT)
    child.sendline("echo $((6 * 7))-${BASH_VERSION%%.*}; exit 5")
    child.expect(rb"42-\d")
    assert end_of(child) == 5
    clean(cli.api)


def test_without_config_maps_the_tools_come_as_an_image(cli: Cli) -> None:
    cli.api.access = lambda asked: asked["resourceAttributes"]["resource"] != "configmaps"
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"hi\n", [], [])
    told = [line for line in ended.err.splitlines() if "ConfigMaps" in line]
    assert len(told) == 1 and "the tools come in an image" in told[0]
    assert kinds_made(cli.api) == ["jobs", "pods"] and sent(cli.api, "POST", CONFIG_MAPS) == []
    (patch,) = sent(cli.api, "PATCH", EPHEMERAL)
    assert "busybox" in patch.body["spec"]["ephemeralContainers"][0]["image"]
    clean(cli.api)


@pytest.mark.parametrize("flag", ["--view=app", "--hold", "--hold-all", "--learn"])
def test_what_needs_config_maps_is_refused_before_creation(cli: Cli, flag: str) -> None:
    cli.api.access = lambda asked: asked["resourceAttributes"]["resource"] != "configmaps"
    ended = cli.run("debug", "mypod", flag, "--", "true")
    ended.complains("no permission to create ConfigMaps", "use --view tools --no-hold")
    assert cli.api.created == []


def test_a_right_that_is_not_known_is_tried(cli: Cli) -> None:
    cli.api.fault(path="/selfsubjectaccessreviews$", status=503, times=None)
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    assert "configmaps" in kinds_made(cli.api)
    clean(cli.api)


# The seed itself, behind what spoils its input; and a seed on a full disk.
SPOILT = 'exec "$0" start -- true < <(exec sed -u s/ELF/ELG/ 2> /dev/null)'
CUT = 'exec "$0" start -- true < <(exec head -c 5000 2> /dev/null)'
FULL = "echo 'seed: bin/busybox: no space left on device' >&2; exit 1"
WRONG = [
    (SPOILT, "bin/busybox: the checksum differs"),
    (CUT, "stdin: it ends early"),
    (FULL, "bin/busybox: no space left on device"),
]


@pytest.mark.parametrize(("script", "said"), WRONG, ids=["checksum", "cut", "full"])
def test_tools_that_do_not_arrive_whole_are_an_error(cli: Cli, script: str, said: str) -> None:
    receive = ("bash", "-c", script, SEED)
    cli.api.rewrite = lambda name, argv: receive if argv[:3] == START else argv
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains(f"cannot copy the tools into the container: seed: {said}; use --image")
    clean(cli.api)


def test_tools_that_take_long_are_told_of(cli: Cli) -> None:
    slow = (
        "bash",
        "-c",
        'exec "$0" start -- true < <(exec 3<&0 2> /dev/null; sleep 1.5; exec cat <&3)',
        SEED,
    )
    cli.api.rewrite = lambda name, argv: slow if argv[:3] == START else argv
    child = cli.terminal("debug", "mypod", "-T", "--", "true")
    child.expect(r": sending 0\.\d MB of tools")
    assert end_of(child) == 0
    clean(cli.api)


def test_a_connection_cut_while_the_tools_come_is_an_error(cli: Cli) -> None:
    begun = cli.folder / "begun"
    os.mkfifo(begun)
    deaf = ("sh", "-c", f"printf '\\005'; head -c 9 > {begun}; exec sleep 60")
    cli.api.rewrite = lambda name, argv: deaf if argv[:3] == START else argv
    process = cli.start("debug", "mypod", "--", "true")
    assert len(begun.read_bytes()) == 9
    cli.api.drop_exec()
    finish(process).complains("cannot copy the tools", "the connection was lost")
    clean(cli.api)


def test_without_a_debug_container_one_warning_is_printed(cli: Cli) -> None:
    cli.api.access = lambda asked: "subresource" not in asked["resourceAttributes"]
    ended = cli.run("debug", "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    (warning,) = ended.warnings
    assert warning.startswith("warning: no permission to add ephemeral containers")
    assert sent(cli.api, "PATCH", EPHEMERAL) == []
    clean(cli.api)


@pytest.mark.parametrize("status", [403, 422, 500])
def test_a_refused_debug_container_leaves_the_session_alone(cli: Cli, status: int) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, times=None, status=status, message="no!")
    child = _inside(cli)
    child.expect_exact("warning: no debug container beside the target: no!")
    child.sendline("exit 6")
    assert end_of(child) == 6
    clean(cli.api)


def test_a_command_that_is_over_soon_needs_no_debug_container(cli: Cli) -> None:
    ended = cli.run("debug", "mypod", "--", "true")
    assert (ended.code, ended.warnings) == (0, [])
    assert sent(cli.api, "PATCH", EPHEMERAL) == []


def _die(api: FakeCluster, **how: Any) -> None:
    """Let the copy's target end as for its memory, and the session with it."""
    now = stamp(time.time())
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": now, **how}
    entry = {"name": "app", "state": {"running": {}}, "lastState": {"terminated": ended}}
    stream = session_of(api)
    api.patch("pods", "default", copy_of(api), {"status": {"containerStatuses": [entry]}})
    stream.signal(9)


def _inside(cli: Cli, *flags: str) -> Terminal:
    child = cli.terminal("debug", "mypod", *flags)
    child.expect(PROMPT)
    return child


def test_a_shell_whose_target_dies_goes_on_in_the_debug_container(cli: Cli) -> None:
    child = _inside(cli, "--no-hold")
    _die(cli.api)
    child.expect_exact("warning: container app ran out of memory (OOMKilled)")
    child.expect_exact("the session continues in the debug container")
    child.expect(PROMPT)
    child.sendline("exit 4")
    assert end_of(child) == 4
    assert sent(cli.api, "GET", EXEC)[-1].query["container"] == "scratch"
    clean(cli.api)


def test_a_copy_that_has_ended_is_no_dead_target(cli: Cli) -> None:
    child = _inside(cli, "--no-hold")
    stream = session_of(cli.api)
    ended = {
        "name": "app",
        "state": {"terminated": {"exitCode": 137, "finishedAt": stamp(time.time())}},
    }
    status = {"phase": "Failed", "reason": "Evicted", "containerStatuses": [ended]}
    cli.api.patch("pods", "default", copy_of(cli.api), {"status": status})
    stream.signal(9)
    child.expect_exact("error: the copy has ended (Evicted)")
    assert end_of(child) == 137
    assert b"goes on" not in (child.before or b"")
    clean(cli.api)


def test_a_target_s_exit_code_is_told(cli: Cli) -> None:
    child = _inside(cli, "--no-hold")
    _die(cli.api, exitCode=3, reason="Error")
    child.expect_exact("warning: container app exited with code 3, and the session ended with it")
    child.expect(PROMPT)
    child.sendeof()
    assert end_of(child) == 0
    clean(cli.api)


def test_without_a_debug_container_it_ends_with_its_target(cli: Cli) -> None:
    cli.api.fault(method="PATCH", path=EPHEMERAL, times=None, status=403, reason="Forbidden")
    child = _inside(cli, "--no-hold")
    _die(cli.api)
    child.expect_exact("and the session ended with it")
    assert end_of(child) == 137
    assert b"goes on" not in (child.before or b"")
    clean(cli.api)


def test_a_command_is_not_started_again_where_its_target_dies(cli: Cli) -> None:
    process = cli.start("debug", "mypod", "--no-hold", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    _die(cli.api)
    ended = finish(process)
    assert (ended.code, ended.out, ended.errors) == (137, b"", [])
    (warning,) = ended.warnings
    assert "container app ran out of memory" in warning
    assert warning.endswith(
        "and the session ended with it; "
        "use debug --hold to keep the app stopped until you type run-app"
    )
    clean(cli.api)


def test_a_command_on_a_terminal_is_not_started_again_either(cli: Cli, tmp_path: Path) -> None:
    there = tmp_path / "there"
    # A second one would end at once, and well.
    script = f"test -e {there} && exit; touch {there}; echo ready; cat"
    child = cli.terminal("debug", "mypod", "--no-hold", "-t", "--", "sh", "-c", script)
    child.expect_exact("ready")
    _die(cli.api)
    child.expect_exact("container app ran out of memory")
    assert end_of(child) == 137
    assert len([r for r in sent(cli.api, "GET", EXEC) if script in r.command]) == 1
    clean(cli.api)


# What containerd and the API server said of an exec into a container that ended at once.
OVER = (
    'Internal error occurred: unable to upgrade connection: container not found ("scratch")',
    'failed to exec in container: failed to create exec "31e8": task 3273 not found: not found',
    'failed to exec in container: failed to create exec "929e": cannot exec in a stopped state',
    "failed to exec in container: container is in CONTAINER_EXITED state",
    "failed to exec in container: OCI runtime exec failed: exec failed: cannot exec in a container",
)


@pytest.mark.parametrize("said", OVER)
def test_a_container_that_ends_at_once_tells_why(cli: Cli, said: str) -> None:
    ended = {"exitCode": 1, "reason": "Error"}

    def kubelet(pod: Object) -> Object | None:
        if not pod["spec"].get("ephemeralContainers"):
            return None
        cli.api.logs[pod["metadata"]["name"], "scratch"] = "exec /bin/sleep: exec format error\n"
        status = {"name": "scratch", "state": {"terminated": ended}}
        return {"phase": "Running", "ephemeralContainerStatuses": [status]}

    cli.api.kubelet, cli.api.exec_problem = kubelet, said
    told = cli.run("debug", "mypod", "--image", "tools:arm", "--", "true")
    (error,) = told.errors
    assert told.code == 1
    assert error == (
        "error: the debug container exited with code 1: exec /bin/sleep: exec format error;"
        " it is built for another architecture than the node's;"
        " use --image to choose another toolkit image"
    )
    clean(cli.api)


def test_what_befell_an_earlier_copy_of_the_name_is_not_its_own(cli: Cli) -> None:
    about = {"kind": "Pod", "name": "mine", "uid": "earlier"}
    about["fieldPath"] = "spec.ephemeralContainers{scratch}"
    event = {"kind": "Event", "type": "Warning", "reason": "Failed", "involvedObject": about}
    message = 'Failed to pull image "x": not found'
    cli.api.add({**event, "message": message, "metadata": {"name": "e"}})
    # Long enough for the events to be looked at.
    cli.api.ephemeral_delay = 3.0
    ended = cli.run("debug", "mypod", "--image", "y", "--copy-name", "mine", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    assert sent(cli.api, "GET", r"/events$")
    clean(cli.api)


def test_a_shell_that_is_killed_alone_ends_the_session(cli: Cli) -> None:
    child = _inside(cli)
    session_of(cli.api).signal(9)
    assert end_of(child) == 137
    assert b"goes on" not in (child.before or b"") and b"warning" not in (child.before or b"")
    # The seed has answered, so nobody had to wait for what the API tells.
    asked = [r for r in cli.api.requests if re.search(f"{A_COPY}|{EXEC}", r.path)]
    before_the_end = [r for r in asked if r.method == "GET"][-1]
    assert before_the_end.command == (SEED, "version")
    clean(cli.api)


def test_an_earlier_end_of_the_app_is_not_that_of_its_session(cli: Cli) -> None:
    child = _inside(cli, "--no-hold")
    _die(cli.api, finishedAt=stamp(time.time() - 60))
    assert end_of(child) == 137
    assert b"goes on" not in (child.before or b"") and b"warning" not in (child.before or b"")
    clean(cli.api)


def test_a_crash_is_summarized_above_the_prompt(cli: Cli, crashing: Object) -> None:
    cli.api.logs["mypod", "app"] = "0%\r50%\r99%\npanic: no \x1b[31mconfig\n"
    about = {"involvedObject": {"name": "mypod"}, "metadata": {"name": "e"}}
    event = {"kind": "Event", "type": "Warning", "reason": "BackOff", "message": "restarting"}
    cli.api.add({**event, **about})
    held = cli.api.fault(method="GET", path=EXEC, hold=threading.Event())
    child = cli.terminal("debug", "mypod", "--command", "serve", size=(40, 200))
    for path in (r"/pods/mypod/log$", r"/events$"):
        cli.api.wait_for(asked_for("GET", path), PATIENCE)
    release(held)
    child.expect_exact("app exited with code 3 at 2026-01-01T12:00:00Z, restarts: 7")
    child.expect_exact(r"log: 0%\r50%\r99%")
    child.expect_exact(r"log: panic: no \x1b[31mconfig")
    child.expect_exact("event: BackOff: restarting")
    child.expect(PROMPT)
    child.sendeof()
    assert end_of(child) == 0
    (log,) = sent(cli.api, "GET", r"/pods/mypod/log$")
    assert (log.query["container"], log.query["previous"]) == ("app", "true")
    clean(cli.api)


def test_the_door_waits_for_nobody(cli: Cli, crashing: Object) -> None:
    cli.api.fault(method="GET", path="/log$|/events$", hold=threading.Event(), times=None)
    child = cli.terminal("debug", "mypod", "--command", "serve")
    child.expect(PROMPT)
    child.sendeof()
    assert end_of(child) == 0
    clean(cli.api)


def _toolkit(api: FakeCluster) -> Path:
    name = next(change.name for change in api.created if change.plural == "pods")
    return api.toolkit_of("default", name)


def _told(api: FakeCluster, name: str) -> bytes:
    """Wait until a learning run has told a file to the target's seed; return it."""
    api.wait_for(lambda api: (_toolkit(api) / name).exists(), PATIENCE)
    return (_toolkit(api) / name).read_bytes()


@pytest.fixture
def learning(cli: Cli, crashing: Object) -> Iterator[subprocess.Popen[bytes]]:
    """Have a session that learns the command of the crashing pod's image."""
    cli.api.entrypoints[crashing["spec"]["containers"][0]["image"]] = ("/bin/app", "a b")
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    yield process
    ended = finish(process, b"bye")
    assert (ended.code, ended.out, ended.errors, ended.warnings) == (0, b"bye", [], [])
    nothing_left(cli.api)


def test_a_learned_command_is_told_to_the_seed_of_the_target(
    cli: Cli, learning: subprocess.Popen[bytes]
) -> None:
    assert line_of(learning.stdout) == b"ready\n"
    # The learning run goes once it has told.
    cli.api.wait_for(lambda api: [c for c in api.deleted if c.name.endswith("-learn")], PATIENCE)
    assert _told(cli.api, "learned") == b"/bin/app\0a b\0"
    assert not (_toolkit(cli.api) / "unstopped").exists()


@pytest.mark.parametrize("verb", ["tell", "recv"])
@pytest.mark.parametrize("how", [{"status": 503}, {"drop": True}], ids=["busy", "cut"])
def test_a_hiccup_does_not_end_the_learning(
    cli: Cli, request: pytest.FixtureRequest, verb: str, how: dict[str, Any]
) -> None:
    held = cli.api.fault(
        method="GET", path=EXEC, when=lambda asked: asked.command[1:] == (verb,), times=2, **how
    )
    learning = request.getfixturevalue("learning")
    assert line_of(learning.stdout) == b"ready\n"
    assert _told(cli.api, "learned") == b"/bin/app\0a b\0"
    assert held.hits == 2


SAYS = [
    ("printf 'app\\000'; exit 3", "unstopped", b""),
    ("echo 'seed: nothing ran' >&2; exit 1", "unlearned", b"seed: nothing ran"),
]


@pytest.mark.parametrize(("script", "name", "wanted"), SAYS, ids=["unstopped", "unlearned"])
def test_what_went_wrong_with_the_watched_run_is_told_to_the_seed(
    cli: Cli, request: pytest.FixtureRequest, script: str, name: str, wanted: bytes
) -> None:
    cli.api.rewrite = lambda _, argv: ("sh", "-c", script) if argv[1:] == ("tell",) else argv
    learning = request.getfixturevalue("learning")
    assert line_of(learning.stdout) == b"ready\n"
    assert _told(cli.api, name) == wanted


def test_a_refused_discovery_run_does_not_stop_the_session(cli: Cli, crashing: Object) -> None:
    refused = {"status": 403, "reason": "Forbidden", "message": "one pod is enough"}
    cli.api.fault(
        method="POST",
        path=PODS,
        when=lambda request: request.body["metadata"]["name"].endswith("-learn"),
        **refused,
    )
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    assert "one pod is enough" in (_toolkit(cli.api) / "unlearned").read_text()
    ended = finish(process)
    assert (ended.code, ended.errors) == (0, [])
    clean(cli.api)
    deleted_once(cli.api)


def test_a_refusal_of_discovery_cannot_control_the_terminal(cli: Cli, crashing: Object) -> None:
    refused = {"status": 403, "reason": "Forbidden", "message": "no\x1b]0;x\x07\x9b\u202e!"}
    cli.api.fault(method="POST", path=PODS, when=_learns, **refused)
    process = cli.start("debug", "mypod", "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    # run-app shows it.
    assert _told(cli.api, "unlearned") == rb"no\x1b]0;x\x07\x9b\u202e!"
    assert finish(process).code == 0


def _learns(request: Request) -> bool:
    return str(request.body["metadata"]["name"]).endswith("-learn")


@pytest.mark.parametrize(("ttl", "seconds"), [("1m", 60), ("5h", 600)])
def test_without_a_lease_a_discovery_run_ends_with_the_copy(
    cli: Cli, crashing: Object, ttl: str, seconds: int
) -> None:
    cli.api.fault(method="POST", path=JOBS, status=403, reason="Forbidden", times=None)
    cli.api.access = lambda asked: asked["resourceAttributes"]["resource"] != "jobs"
    process = cli.start("debug", "mypod", "--ttl", ttl, "--", "sh", "-c", "echo ready; cat")
    assert line_of(process.stdout) == b"ready\n"
    copy, learning = sent(cli.api, "POST", PODS)
    assert learning.body["metadata"]["name"].endswith("-learn")
    assert learning.body["spec"]["activeDeadlineSeconds"] == seconds
    (owner,) = learning.body["metadata"]["ownerReferences"]
    made = cli.api.get("pods", "default", copy.body["metadata"]["name"])
    assert (owner["kind"], owner["uid"]) == ("Pod", made["metadata"]["uid"])
    assert finish(process, b"").code == 0
    nothing_left(cli.api)


def test_a_learning_run_is_told_of_and_no_manifest_of_it_given(cli: Cli, crashing: Object) -> None:
    assert b": entrypoint discovery" in cli.run("debug", "mypod", "--dry-run").out
    done = cli.run("debug", "mypod", "--dry-run=client", "-o", "json")
    kinds = [item["kind"] for item in json.loads(done.out)["items"]]
    assert (done.code, kinds) == (0, ["Job", "ConfigMap", "Pod"])
