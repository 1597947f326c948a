"""why: what is printed, what is created, and how it ends, whatever the run reports."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import pytest

from kubectl_scratch.toolkit.archive import SEED
from tests.api.harness import (
    PODS,
    PROMPT,
    Cli,
    clean,
    end_of,
    finish,
    kinds_made,
    nothing_sent,
    sent,
    source_pod,
)
from tests.support.builders import a_container
from tests.support.fakeexec import Exec
from tests.support.patience import PATIENCE
from tests.support.screen import Terminal

CRASHES = {
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
    "restartCount": 7,
}
ENDED = {"kind": "end", "at": 310, "pid": 7, "code": 1}
MISSING = {
    "kind": "call",
    "call": "openat",
    "pid": 7,
    "at": 305,
    "first": 305,
    "count": 1,
    "error": "ENOENT",
    "path": "/etc/shop/config.yaml",
    "access": "r",
    "nearest": {"path": "/etc", "type": "dir", "mode": "0755", "uid": 0, "gid": 0},
}
RUN = {"kind": "run", "version": 1, "uid": 65532, "gid": 65532, "words": ["/app/shop"]}
PROCESS = {"kind": "process", "pid": 7, "parent": 5, "at": 0, "exe": "/app/shop", "end": 310}
TRACE, REPORT = (SEED, "trace"), (SEED, "report")
HOSTILE = "\x1b]0;x\x07\x1b[2J\u202e"


def report(*lines: dict[str, Any]) -> str:
    """Return a run's report; without lines, of an app that misses a file."""
    return "".join(json.dumps(line) + "\n" for line in lines or (RUN, PROCESS, MISSING, ENDED))


def crashing(cli: Cli, **fields: Any) -> None:
    """Let the source crash-loop, with a command in its spec."""
    cli.api.delete("pods", "default", "mypod")
    status = {"phase": "Running", "containerStatuses": [{"name": "app", **CRASHES}]}
    app = a_container(command=["/app/shop"], **fields)
    cli.api.add(source_pod(status=status, nodeName="node-1", containers=[app]))


def traced(cli: Cli, *words: str) -> None:
    """Let a local command stand for the seed that traces the app."""

    def rewrite(container: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        return words if argv[:2] == TRACE else argv

    cli.api.rewrite = rewrite


def reports(cli: Cli, text: str) -> None:
    """Let the trace give this report."""
    path = cli.folder / "report"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    traced(cli, "cat", str(path))


def traces(cli: Cli) -> list[Exec]:
    """Return the traces that run now."""
    return [stream for stream in cli.api.execs if "sleep" in stream.command]


def test_the_answer_is_all_that_stdout_gets(cli: Cli) -> None:
    crashing(cli)
    reports(cli, report())
    ended = cli.run("why", "mypod")
    assert (ended.code, ended.errors, ended.warnings) == (0, [], []), ended
    lines = ended.out.decode().splitlines()
    assert lines[0].startswith("mypod: ") and "code 1" in lines[0]
    assert "/etc/shop/config.yaml" in ended.out.decode()
    assert "run once in a copy" in ended.err and "really sent" in ended.err
    assert kinds_made(cli.api) == ["jobs", "configmaps", "pods"]
    ended.is_well_formed()
    clean(cli.api)


def test_quiet_says_nothing_beside_the_answer(cli: Cli) -> None:
    crashing(cli)
    reports(cli, report())
    ended = cli.run("why", "-q", "mypod")
    assert (ended.code, ended.err) == (0, "")


def test_the_document(cli: Cli) -> None:
    crashing(cli)
    reports(cli, report())
    ended = cli.run("why", "mypod", "-o", "json", "-v")
    document = json.loads(ended.out)
    assert set(document) == {
        *("apiVersion", "kind", "target", "outcome", "runs", "causes", "evidence", "timeline")
    }
    assert document["apiVersion"] == "kubectl-scratch/v1" and document["kind"] == "Answer"
    assert document["target"] == {"namespace": "default", "pod": "mypod", "container": "app"}
    assert document["runs"] is False
    assert set(document["causes"][0]) == {"kind", "sentence", "evidence", "remedy"}
    assert document["causes"][0]["kind"] == "missing-file"
    assert any("/etc/shop/config.yaml" in line for line in document["timeline"])
    assert "timeline" not in json.loads(cli.run("why", "mypod", "-o", "json").out)


def test_the_copy_has_no_container_but_its_own(cli: Cli) -> None:
    crashing(cli)
    reports(cli, report())
    cli.run("why", "mypod")
    assert sent(cli.api, "PATCH", r"/ephemeralcontainers$") == []


def test_nothing_is_created_if_the_status_is_the_answer(cli: Cli) -> None:
    cli.api.delete("pods", "default", "mypod")
    waiting = {
        "reason": "ErrImagePull",
        "message": 'failed to pull and unpack image "docker.io/x/y:1": not found',
    }
    status = {
        "phase": "Pending",
        "containerStatuses": [{"name": "app", "state": {"waiting": waiting}, "restartCount": 0}],
    }
    cli.api.add(source_pod(status=status, nodeName="node-1"))
    ended = cli.run("why", "mypod", "-o", "json")
    assert (ended.code, ended.errors) == (0, []), ended
    assert json.loads(ended.out)["causes"][0]["kind"] == "image-not-found"
    nothing_sent(cli.api)


def test_what_keeps_the_copy_from_starting_is_the_answer(cli: Cli) -> None:
    crashing(cli)
    message = 'failed to pull and unpack image "docker.io/shop/other:2": not found'
    waiting = {"reason": "ErrImagePull", "message": message}
    status = {"name": "app", "state": {"waiting": waiting}, "restartCount": 0}
    cli.api.kubelet = lambda pod: {"phase": "Pending", "containerStatuses": [status]}
    words = ("why", "mypod", "--set-image", "app=docker.io/shop/other:2", "--timeout", "2s")
    ended = cli.run(*words, "-o", "json")
    assert (ended.code, ended.errors) == (0, []), ended
    (cause,) = json.loads(ended.out)["causes"]
    assert cause["kind"] == "image-not-found" and "shop/other:2" in cause["sentence"]
    clean(cli.api)


def test_on_a_terminal_no_progress_is_left_before_the_answer(cli: Cli) -> None:
    cli.api.delete("pods", "default", "mypod")
    waiting = {"name": "app", "state": {"waiting": {"reason": "InvalidImageName"}}}
    status = {"phase": "Pending", "containerStatuses": [{**waiting, "restartCount": 0}]}
    cli.api.add(source_pod(status=status, nodeName="node-1"))
    terminal = Terminal(cli.argv("why", "mypod"), cli.environ)
    shown = terminal.wait_for("container app is waiting")
    terminal.close()
    assert shown.startswith("mypod: container app is waiting")


def test_a_pod_that_is_ready_by_its_probe_is_left_alone(cli: Cli) -> None:
    cli.api.delete("pods", "default", "mypod")
    running = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [running]}
    probed = a_container(readinessProbe={"tcpSocket": {"port": 8080}})
    cli.api.add(source_pod(status=status, nodeName="node-1", containers=[probed]))
    ended = cli.run("why", "mypod", "-o", "json")
    assert (ended.code, ended.errors) == (1, [])
    assert json.loads(ended.out)["runs"] is True
    nothing_sent(cli.api)


@pytest.mark.parametrize(
    "lines, code, words",
    [
        # A silent end, of which nothing is known.
        ([RUN, PROCESS, ENDED], 1, "no cause found"),
        # What only sounds like a failure is no finding.
        ([RUN, PROCESS, {**ENDED, "code": 0}], None, "code 0"),
        ([{**RUN, "untraced": "it traces itself"}, ENDED], 1, "traces itself"),
    ],
)
def test_what_is_not_sure_is_not_a_cause(
    cli: Cli, lines: list[dict[str, Any]], code: int | None, words: str
) -> None:
    crashing(cli)
    reports(cli, report(*lines))
    ended = cli.run("why", "mypod")
    assert code is None or ended.code == code
    assert words in ended.out.decode() and ended.errors == []
    clean(cli.api)


def _hostile_output() -> str:
    said = {"kind": "output", "stream": "stderr", "at": 300, "bytes": 9, "text": HOSTILE}
    named = {**MISSING, "path": f"/etc/{HOSTILE}"}
    return report(RUN, PROCESS, named, said, ENDED)


@pytest.mark.parametrize(
    "text",
    [
        _hostile_output(),
        report(RUN, {**MISSING, "at": "soon", "path": ["x"], "nearest": 7}, ENDED),
        "\n".join(["{", "[]", "null", '"x"', "7", "{" * 10000, report()]),
        report(*[{**MISSING, "path": f"/{number}"} for number in range(4000)], ENDED),
        report({**RUN, "words": ["\udcff\ud800"]}, ENDED),
        report(RUN, {"kind": "end", "code": 1 << 70, "pid": -1, "waits": [None, {"since": "x"}]}),
    ],
)
def test_a_report_is_not_believed(cli: Cli, text: str) -> None:
    crashing(cli)
    reports(cli, text)
    ended = cli.run("why", "mypod", "-v")
    assert ended.code in (0, 1) and ended.errors == []
    lines = ended.out.decode().split("\n")
    assert all(line.isprintable() for line in lines), lines
    ended.is_well_formed()
    json.loads(cli.run("why", "mypod", "-o", "json").out)
    clean(cli.api)


@pytest.mark.parametrize(
    "script, words",
    [
        ("echo 'run-app: the command is unknown' >&2; exit 1", "the command is unknown"),
        ("head -c 3000000 /dev/zero | tr '\\0' x; exit 1", "cannot run the app|no report"),
        ("exit 0", "no report"),
        ("kill -9 $$", "cannot run the app|connection|no report"),
    ],
)
def test_without_a_report_one_line_says_why(cli: Cli, script: str, words: str) -> None:
    crashing(cli)
    traced(cli, "sh", "-c", script)
    ended = cli.run("why", "mypod")
    ended.complains(words)
    clean(cli.api)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_the_run_and_the_copy(cli: Cli, signum: signal.Signals) -> None:
    crashing(cli)
    traced(cli, "sleep", "600")
    process = cli.start("why", "mypod")
    cli.api.wait_for(lambda api: traces(cli), PATIENCE)
    process.send_signal(signum)
    ended = finish(process)
    assert (ended.code, ended.out, ended.errors) == (128 + signum, b"", [])
    assert cli.private_files() == []
    clean(cli.api)


def test_a_lost_connection_is_one_error(cli: Cli) -> None:
    crashing(cli)
    traced(cli, "sleep", "600")
    process = cli.start("why", "mypod")
    cli.api.wait_for(lambda api: traces(cli), PATIENCE)
    cli.api.drop_exec(("sleep",))
    finish(process).complains("the connection to the copy was lost")
    clean(cli.api)


def test_a_copy_that_cannot_be_deleted_is_told_after_the_answer(cli: Cli) -> None:
    crashing(cli)
    reports(cli, report())
    cli.api.fault(method="DELETE", path=PODS[:-1] + "/", status=403, times=None)
    cli.api.fault(method="DELETE", path="/jobs/", status=403, times=None)
    ended = cli.run("why", "mypod")
    assert ended.code == 1 and b"/etc/shop/config.yaml" in ended.out
    assert any("could not be deleted" in line for line in ended.warnings)
    assert any("kubectl delete" in line for line in ended.warnings)


SECRET_REF = {"secretKeyRef": {"name": "db", "key": "password"}}


@pytest.mark.parametrize(
    "env, flags",
    [
        ([], []),
        ([{"name": "A", "value": "x"}], []),
        ([{"name": "PASSWORD", "valueFrom": SECRET_REF}], ["--mask-env", "PASSWORD"]),
    ],
)
def test_names_of_secrets_go_to_the_seed_and_never_values(
    cli: Cli, env: list[Any], flags: list[str]
) -> None:
    crashing(cli, env=env)
    seen: list[tuple[str, ...]] = []

    def rewrite(container: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        if argv[:2] != TRACE:
            return argv
        seen.append(argv)
        return ("echo", json.dumps(ENDED))

    cli.api.rewrite = rewrite
    cli.run("why", "mypod", "--for", "1500ms")
    assert seen == [(*TRACE, "--for", "2", *flags)]


def _missing_rights(asked: dict[str, Any]) -> bool:
    return bool(asked["resourceAttributes"]["resource"] != "configmaps")


@pytest.mark.parametrize(
    "words, said",
    [
        (("why",), "TARGET is missing"),
        (("why", "mypod", "more"), "unexpected argument 'more'"),
        (("why", "mypod", "--for", "soon"), "--for 'soon' is not a duration"),
        (("why", "mypod", "--for", "0s"), "--for must be longer than 0s"),
        (("why", "mypod", "-o", "table"), "invalid value for '-o'"),
        (("why", "mypod", "-c", "none"), "none"),
        (("why", "none"), "pod 'none' not found"),
        (("why", "mypod", "--image", "x"), "no such option"),
        (("why", "mypod", "--", "true"), "unexpected argument 'true'"),
    ],
)
def test_bad_input_is_one_line(cli: Cli, words: tuple[str, ...], said: str) -> None:
    cli.run(*words).complains(re.escape(said))
    nothing_sent(cli.api)


def test_without_the_rights_for_a_run_nothing_is_created(cli: Cli) -> None:
    crashing(cli)
    cli.api.access = _missing_rights
    cli.run("why", "mypod").complains("no permission to create ConfigMaps")
    assert cli.api.created == []


WAITS = (
    "i=0; until [ -e $SCRATCH_TOOLKIT/answer ] || [ $i = 300 ]; do i=$((i+1)); sleep 0.05; done;"
    " cat $SCRATCH_TOOLKIT/answer"
)


def in_session(cli: Cli) -> None:
    """Let a local command stand for the seed that has a report of run-app --why."""
    path = cli.folder / "report"
    path.write_text(report())

    def rewrite(container: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        return ("cat", str(path)) if argv[:2] == REPORT else argv

    cli.api.rewrite = rewrite


def test_a_command_with_run_app_why_gets_its_answer(cli: Cli) -> None:
    crashing(cli)
    in_session(cli)
    ended = cli.run("debug", "mypod", "--", "sh", "-c", f"{WAITS}; : run-app --why")
    assert b"/etc/shop/config.yaml" in ended.out
    clean(cli.api)


def test_a_shell_that_shows_the_mark_gets_its_answer(cli: Cli) -> None:
    crashing(cli)
    in_session(cli)
    child = cli.terminal("debug", "mypod")
    child.expect(PROMPT)
    child.sendline(r"printf '\033]7717;wh'; sleep 0.1; printf 'y\007'; " + WAITS)
    child.expect(rb"opens /etc/shop/config.yaml|/etc/shop/config.yaml")
    child.expect(PROMPT)
    child.sendline("exit 3")
    assert end_of(child) == 3
    clean(cli.api)
