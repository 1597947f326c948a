"""What can't be known, and what would fail in a copy, errs on the safe side, and is said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.harness import (
    EXEC,
    PODS,
    PROMPT,
    Cli,
    Terminal,
    asked_for,
    clean,
    end_of,
    finish,
    nothing_sent,
    sent,
    source_pod,
)
from tests.support.builders import a_container
from tests.support.fakerules import Object

LABELS = {"app": "shop", "tier": "web"}
WRITES = [{"name": "data", "mountPath": "/data"}]
CLAIMED = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]


def an_object(kind: str, name: str, spec: Object | None = None, **metadata: Any) -> Object:
    metadata = {"name": name, "namespace": "default", **metadata}
    return {"kind": kind, "metadata": metadata, "spec": spec or {}}


def served(cli: Cli, *, by: dict[str, str] | None = None, **pod: Any) -> None:
    """Let a Service select the source, which then runs in its copy."""
    cli.api.delete("pods", "default", "mypod")
    metadata = {"labels": LABELS, **pod.pop("metadata", {})}
    cli.api.add(source_pod(metadata=metadata, **pod))
    cli.api.add(an_object("Service", "shop", {"selector": by or {"app": "shop"}}))


def made(cli: Cli) -> Any:
    """Return the copy as it was sent."""
    (post,) = sent(cli.api, "POST", PODS)
    return post.body


def is_held(cli: Cli) -> bool:
    return "hold" in str(made(cli)["spec"]["containers"][0].get("command"))


SELECTING = [
    *("replicasets", "replicationcontrollers", "daemonsets", "statefulsets", "jobs"),
    *("services", "poddisruptionbudgets", "networkpolicies"),
]
TRANSIENT = (429, 500, 503)


@pytest.mark.parametrize("status", TRANSIENT)
@pytest.mark.parametrize("plural", [*SELECTING, "persistentvolumeclaims", "nodes"])
def test_a_hiccup_of_the_namespace_scan_changes_nothing(cli: Cli, plural: str, status: int) -> None:
    served(cli, containers=[a_container(volumeMounts=[{**WRITES[0], "readOnly": True}])],
           volumes=CLAIMED, nodeName="node-1")  # fmt: skip
    cli.api.add(an_object("PersistentVolumeClaim", "data-0"))
    path = rf"/{plural}(/node-1)?$"
    fault = cli.api.fault(method="GET", path=path, status=status, times=2)
    ended = cli.run("debug", "mypod", "--", "true")
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    assert fault.hits == 2 and not is_held(cli)
    assert "not known" not in ended.err and "cannot be listed" not in ended.err
    assert made(cli)["metadata"]["labels"]["tier"] == "web"
    clean(cli.api)


@pytest.mark.parametrize("status", [403, 503])
@pytest.mark.parametrize("plural", SELECTING)
def test_what_could_not_be_listed_may_select_the_copy(cli: Cli, plural: str, status: int) -> None:
    served(cli)
    cli.api.fault(method="GET", path=rf"/{plural}$", status=status, times=None)
    ended = cli.run("debug", "mypod", "--", "true")
    assert ended.code == 0
    assert set(LABELS).isdisjoint(made(cli)["metadata"]["labels"])
    (warning,) = ended.warnings
    assert f"{plural} cannot be listed" in warning
    # A Service that nobody sees may be none: then it takes its work from a queue.
    assert is_held(cli) is (plural == "services")
    assert ("services cannot be listed, so it is unknown whether one" in ended.err) is is_held(cli)
    clean(cli.api)


@pytest.mark.parametrize("status", [403, 503])
def test_a_source_without_known_service_runs_if_asked(cli: Cli, status: int) -> None:
    served(cli)
    cli.api.fault(method="GET", path=r"/services$", status=status, times=None)
    ended = cli.run("debug", "mypod", "--no-hold", "--", "true")
    assert ended.code == 0 and not is_held(cli)
    assert "if it takes work from a queue, so does its copy" in ended.err
    plan = cli.run("debug", "mypod", "--dry-run").out
    assert b"it may take work from a queue" in plan and b"on hold" in plan


@pytest.mark.parametrize("status", [403, 503])
def test_claims_that_could_not_be_listed_are_said(cli: Cli, status: int) -> None:
    served(cli, containers=[a_container(volumeMounts=WRITES)], volumes=CLAIMED, nodeName="node-1")
    cli.api.fault(method="GET", path=r"/persistentvolumeclaims$", status=status, times=None)
    ended = cli.run("debug", "mypod", "--", "true")
    (warning,) = ended.warnings
    assert "ReadWriteOncePod" in warning and "--skip-volume data" in warning
    without = cli.run("debug", "mypod", "--skip-volume", "data", "--", "true")
    assert (without.code, without.warnings) == (0, [])


def test_an_unknown_claim_is_not_bound_before_its_source(cli: Cli, tmp_path: Any) -> None:
    cli.api.fault(method="GET", path=r"/persistentvolumeclaims$", status=403, times=None)
    pending = source_pod("pending", volumes=CLAIMED, status={"phase": "Pending"})
    cli.api.add(pending)
    ended = cli.run("debug", "pending", "--", "true")
    ended.complains("the copy would bind data-0 if it is not bound yet")
    assert "--skip-volume" in ended.errors[0]
    nothing_sent(cli.api)


# A target that writes what the copy has read-only


HOST_PATH = [{"name": "data", "hostPath": {"path": "/srv"}}]


@pytest.mark.parametrize("volumes", [CLAIMED, HOST_PATH], ids=["claim", "hostPath"])
def test_a_target_that_writes_to_a_volume_of_production_is_held(
    cli: Cli, volumes: list[Object]
) -> None:
    served(cli, containers=[a_container(volumeMounts=WRITES)], volumes=volumes)
    ended = cli.run("debug", "mypod", "--", "true")
    assert ended.code == 0 and is_held(cli)
    assert "on hold (volume data is read-only in the copy" in ended.err and "--no-hold" in ended.err


@pytest.mark.parametrize(
    "flags", [("--writable", "data"), ("--skip-volume", "data"), ("--no-hold",)], ids=str
)
def test_a_target_that_can_write_all_or_is_to_run_runs(cli: Cli, flags: tuple[str, ...]) -> None:
    served(cli, containers=[a_container(volumeMounts=WRITES)], volumes=CLAIMED)
    assert cli.run("debug", "mypod", *flags, "--", "true").code == 0
    assert not is_held(cli)


def test_a_volume_of_another_container_holds_nobody(cli: Cli) -> None:
    both = [a_container(), a_container("backup", volumeMounts=WRITES)]
    served(cli, containers=both, volumes=CLAIMED)
    assert cli.run("debug", "mypod", "--", "true").code == 0
    assert not is_held(cli)


# A target that ends before it is reached


ENDED = {"exitCode": 3, "reason": "Error", "finishedAt": "2026-01-01T12:00:00Z"}
LOOPS = {
    "name": "app",
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
    "lastState": {"terminated": ENDED},
}


def crash_loops(cli: Cli, **source: Any) -> None:
    """Let each copy's target crash at once, again and again; its debug container runs."""

    def kubelet(pod: Object) -> Object | None:
        if pod["metadata"]["name"] == "mypod":
            return None
        there = [c["name"] for c in pod["spec"].get("ephemeralContainers", [])]
        beside = [{"name": name, "state": {"running": {}}} for name in there]
        statuses = {"containerStatuses": [LOOPS], "ephemeralContainerStatuses": beside}
        return {"phase": "Running", **statuses}

    cli.api.kubelet = kubelet
    served(cli, **source)
    cli.api.wait_for(lambda api: api.started("default", "mypod", "app"))


def test_a_command_in_a_target_that_crashes_fails_with_the_ways(cli: Cli) -> None:
    crash_loops(cli, containers=[a_container(volumeMounts=WRITES)], volumes=CLAIMED)
    copy = "mypod-scratch"
    ended = cli.run("debug", "mypod", "--no-hold", "--copy-name", copy, "--", "true")
    ended.complains("container app exited with code 3", "--hold", "--writable data", "--view tools")
    assert "timed out after" not in ended.err and "--timeout" not in ended.err
    clean(cli.api)


def test_no_volume_is_named_that_has_no_part_in_it(cli: Cli) -> None:
    crash_loops(cli)
    ended = cli.run("debug", "mypod", "--no-hold", "--", "true")
    ended.complains("--hold")
    assert "--writable" not in ended.err


def test_what_a_target_said_last_is_told_in_one_short_line(cli: Cli) -> None:
    crash_loops(cli)
    cli.api.logs["mypod-scratch", "app"] = f"one\nno \x1b[31m{'x' * 400}\n"
    words = ("debug", "mypod", "--no-hold", "--copy-name", "mypod-scratch", "--", "true")
    ended = cli.run(*words)
    ended.complains(r"again and again: no \\x1b\[31mxxx", "x…; use debug --hold")
    assert len(ended.errors[0]) < 500


def test_a_shell_in_a_target_that_crashes_goes_on_beside_it(cli: Cli) -> None:
    crash_loops(cli)
    child: Terminal = cli.terminal("debug", "mypod", "--no-hold", size=(40, 200))
    child.expect_exact("warning: container app exited with code 3 again and again")
    child.expect_exact("the session continues in the debug container")
    child.expect(PROMPT)
    child.sendline("exit 4")
    assert end_of(child) == 4
    assert sent(cli.api, "GET", EXEC)[-1].query["container"] == "scratch"
    clean(cli.api)


# What the seed does that receives the tools, after it has asked for them.
KILLED_SEED = "printf '\\005'; kill -9 $$"
HANGING_SEED = "printf '\\005'; exec sleep 1000"
# So an API server tells of a stream that ends without a word.
WORDLESS_SEED = "printf '\\005'; exit 0"


@pytest.mark.parametrize(
    "script, transport",
    [
        (KILLED_SEED, "auto"), (KILLED_SEED, "kubectl"), (HANGING_SEED, "auto"),
        (HANGING_SEED, "kubectl"), (WORDLESS_SEED, "auto"),
    ],
    ids=["killed", "killed-kubectl", "hangs", "hangs-kubectl", "wordless"],
)  # fmt: skip
def test_a_target_that_ends_while_the_tools_come_says_how(
    cli: Cli, script: str, transport: str
) -> None:
    runs = {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"running": {}}}]}
    cli.api.kubelet = lambda pod: None if pod["metadata"]["name"] == "mypod" else runs
    brings = ("start", "recv")
    cli.api.rewrite = lambda name, argv: (
        ("bash", "-c", script) if len(argv) > 1 and argv[1] in brings else argv
    )
    served(cli)
    words = ("debug", "mypod", "--no-hold", "--copy-name", "mypod-scratch")
    process = cli.start(*words, "--transport", transport, "--", "true")
    cli.api.wait_for(asked_for("GET", r"/pods/mypod-scratch/exec$"))
    cli.api.set_status("default", "mypod-scratch", {**runs, "containerStatuses": [LOOPS]})
    ended = finish(process)
    ended.complains("container app exited with code 3 again and again; .*--hold")
    assert "cannot copy the tools" not in ended.err
    clean(cli.api)


def test_a_seed_that_is_killed_each_time_is_not_tried_for_ever(cli: Cli) -> None:
    cli.api.rewrite = lambda name, argv: (
        ("bash", "-c", KILLED_SEED) if argv[1:2] == ("start",) else argv
    )
    ended = cli.run("debug", "mypod", "--", "true")
    ended.complains("the seed that receives them is killed each time", "--image")
    clean(cli.api)


# An init container that fails


def test_a_failing_init_container_says_why_and_whose_fault(cli: Cli) -> None:
    setup = {"name": "setup", **{key: LOOPS[key] for key in ("state", "lastState")}}
    waits = {"name": "app", "state": {"waiting": {"reason": "PodInitializing"}}}
    status = {"initContainerStatuses": [setup], "containerStatuses": [waits]}
    cli.api.kubelet = lambda pod: (
        None if pod["metadata"]["name"] == "mypod" else {"phase": "Pending", **status}
    )
    inits = [a_container("setup", volumeMounts=WRITES)]
    served(cli, initContainers=inits, volumes=CLAIMED)
    cli.api.logs["mypod-scratch", "setup"] = "chown: /data: Read-only \x1b[31mfile system\n"
    ended = cli.run("debug", "mypod", "--copy-name", "mypod-scratch", "--", "true")
    ended.complains(
        r"init container setup exited with code 3, so container app does not start: chown: /data:"
        r" Read-only \\x1b\[31mfile system",
        "use --writable data to let it write to volume data, read-only in the copy",
        "use --skip-init setup to omit it, or use -c setup to go inside it",
    )
    clean(cli.api)


# A reason is told once


def a_failing_pull(step: int) -> Object:
    """Return the status of a copy whose image can't be pulled, of which ever more varies."""
    waiting = {
        "reason": ("ErrImagePull", "ImagePullBackOff")[step % 2],
        "message": f'Back-off {step * 10}s pulling image "x": {"failed to resolve: " * 20}'
        f"dial tcp 10.0.0.1:{40000 + step}->10.0.0.2:443: i/o timeout after {step}s",
    }
    return {
        "phase": "Pending",
        "containerStatuses": [{"name": "app", "state": {"waiting": waiting}}],
    }


def test_a_reason_that_stays_is_told_once_in_a_log(cli: Cli) -> None:
    """Only its age, its back-off and its count differ from time to time."""
    is_copy = {"mypod-scratch": True}
    cli.api.kubelet = lambda pod: a_failing_pull(1) if pod["metadata"]["name"] in is_copy else None
    served(cli)
    words = ("debug", "mypod", "--hold", "--copy-name", "mypod-scratch", "--timeout", "13s")
    process = cli.start(*words, "--", "true")
    cli.api.wait_for(asked_for("GET", r"/pods/mypod-scratch$"))
    for step in range(2, 12):
        seen = len(cli.api.requests)
        if cli.api.get("pods", "default", "mypod-scratch"):
            cli.api.set_status("default", "mypod-scratch", a_failing_pull(step))
        cli.api.wait_for(lambda api, seen=seen: len(api.requests) > seen + 1)  # type: ignore[misc]
    ended = finish(process)
    lines = [line for line in ended.err.splitlines() if line.startswith("waiting for")]
    (told,) = [line for line in lines if "cannot be pulled" in line]
    assert "i/o timeout" in told and "failed to resolve" not in told and len(told) < 250
    # The whole of it is for the end.
    ended.complains("timed out after 13s: the image cannot be pulled yet .*failed to resolve")
    clean(cli.api)
