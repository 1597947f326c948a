"""What the command line tells of itself: help, versions, what a half-typed line may become."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_scratch.cli.completion.completers import WORKLOADS
from tests.api.harness import Cli, end_of, nothing_sent, source_pod


def test_without_a_verb_there_is_help(cli: Cli) -> None:
    asked, bare = run_bare(cli, "--help"), run_bare(cli)
    assert (bare.code, bare.out, bare.err) == (0, asked.out, "") and b"Examples:" in bare.out


def parts_of(text: str) -> list[str]:
    """Return the titles of a help page."""
    return [line[:-1] for line in text.splitlines() if line.endswith(":") and line[0] != " "]


@pytest.mark.parametrize(
    "words, parts",
    [
        ((), ["Examples", "Debugging Commands", "Other Commands", "Usage"]),
        (("debug",), ["Examples", "Flags", "Usage"]),
        (("check",), ["Examples", "Flags", "Usage"]),
        (("attach",), ["Examples", "Flags", "Usage"]),
        (("completion",), ["Examples", "Commands", "Usage"]),
        (("options",), ["Examples", "Flags", "Usage"]),
        (("version",), ["Examples", "Flags", "Usage"]),
    ],
)
def test_help_has_the_parts_that_kubectl_s_has(
    cli: Cli, words: tuple[str, ...], parts: list[str]
) -> None:
    for form in ((*words, "--help"), (*words, "-h"), ("help", *words)):
        ended = run_bare(cli, *form)
        assert (ended.code, ended.err) == (0, ""), form
        assert parts_of(ended.out.decode()) == parts
    nothing_sent(cli.api)


def run_bare(cli: Cli, *words: str) -> Any:
    """Run it without the flag that names the kubeconfig."""
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    return cli.run(*words)


def test_the_connection_flags_are_told_once(cli: Cli) -> None:
    assert b"--as-group" not in cli.run("debug", "--help").out
    assert b"--as-group" in cli.run("options").out


def test_help_is_as_wide_as_the_terminal_but_readable(cli: Cli) -> None:
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    for columns, widest in ((60, 60), (250, 100)):
        asked = shown_at(cli, columns, "debug", "--help")
        # Examples are for copying, so they are not broken; a flag with its values is one word.
        text = [line for line in asked if "kubectl" not in line and line[:3] != "  -"]
        assert widest - 20 < max(len(line) for line in text) <= widest
        assert shown_at(cli, columns, "help", "debug") == asked


def shown_at(cli: Cli, columns: int, *words: str) -> list[str]:
    """Return the lines that a terminal of this width is shown."""
    child = cli.terminal(*words, size=(50, columns))
    assert end_of(child) == 0
    return (child.before or b"").decode().splitlines()


def test_a_check_has_no_flags_of_a_session(cli: Cli) -> None:
    told = cli.run("check", "--help").out
    assert b"--container" in told and b"--timeout" not in told
    run_bare(cli, "check", "mypod", "--transport", "kubectl").complains("no such option")


@pytest.mark.parametrize(
    "words, wanted",
    [
        (("dbug",), "no such command 'dbug'; did you mean debug?"),
        (("atach", "x"), "did you mean attach?"),
        (("mypod",), "no such command 'mypod'; to debug a pod, use kubectl scratch debug mypod"),
        (("debug", "mypod", "--namspace", "x"), "'--namspace'; did you mean --namespace?"),
        (("debug", "mypod", "--contianer=x"), "did you mean --container?"),
        (("debug",), "TARGET is missing; name a pod or KIND/NAME, or use -f FILE"),
        (("debug", "mypod", "--image"), "'--image' requires an argument"),
        (("completion", "bsh"), "did you mean bash?"),
        (("--context", "x", "debug", "mypod"), "'--context'; put flags after the verb"),
        (("version", "-o", "yam"), "'yam' is not 'json'"),
    ],
)
def test_a_mistake_is_told_with_the_nearest_word(
    cli: Cli, words: tuple[str, ...], wanted: str
) -> None:
    ended = run_bare(cli, *words)
    assert ended.code == 1 and len(ended.errors) == 1
    assert wanted in ended.errors[0]
    nothing_sent(cli.api)


def test_versions(cli: Cli) -> None:
    told = cli.run("version").out.decode().splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "Client Version",
        "Python Version",
        "kubectl Version",
        "Server Version",
    ]
    found = json.loads(cli.run("version", "-o", "json").out)
    assert set(found) == {"clientVersion", "pythonVersion", "kubectlVersion", "serverVersion"}
    assert found["serverVersion"]["gitVersion"] in told[3]


def test_the_client_s_version_needs_neither_cluster_nor_kubectl(cli: Cli) -> None:
    cli.environ["PATH"] = "/nonexistent"
    ended = cli.run("version", "--client")
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.out.splitlines()) == 2
    nothing_sent(cli.api)


def test_versions_without_a_server(cli: Cli) -> None:
    cli.environ["PATH"] = "/nonexistent"
    ended = cli.run("version", "--server", "https://127.0.0.1:1")
    assert ended.code == 1 and "cannot be reached" in ended.errors[0]
    assert ended.out.decode().splitlines()[2] == "kubectl Version: none on PATH"


def candidates(cli: Cli, *words: str) -> tuple[list[str], str]:
    """Return what the last word may become, and the directive."""
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    ended = cli.run("__complete", *words)
    assert (ended.code, ended.err) == (0, "")
    *lines, directive = ended.out.decode().splitlines()
    return [line.partition("\t")[0] for line in lines], directive


VERBS = ["attach", "check", "completion", "debug", "ls", "options", "version", "why"]


@pytest.mark.parametrize(
    "words, wanted, directive",
    [
        (("",), VERBS, ":4"),
        (("de",), ["debug"], ":4"),
        (("debug", ""), sorted([*WORKLOADS, "mypod", "other"]), ":4"),
        (("debug", "deploym"), ["deployment/"], ":6"),
        (("debug", "deployment/"), ["deployment/shop"], ":4"),
        (("debug", "deploy/sh"), ["deploy/shop"], ":4"),
        (("debug", "deployment/shop", "-c", ""), ["web"], ":4"),
        (("check", "my"), ["mypod"], ":4"),
        (("debug", "--profile", "r"), ["restricted"], ":4"),
        (("debug", "my"), ["mypod"], ":4"),
        (("debug", "pod/my"), ["pod/mypod"], ":4"),
        (("debug", "mypod", "-c", ""), ["app", "side"], ":4"),
        (("debug", "mypod", "--container=s"), ["side"], ":4"),
        (("debug", "--namespace", "def"), ["default"], ":4"),
        (("debug", "--names"), ["--namespace"], ":4"),
        (("debug", "--context", ""), ["fake"], ":4"),
        (("debug", "--transport", "w"), ["websocket"], ":4"),
        (("debug", "--kubeconfig", ""), [], ":0"),
        (("debug", "mypod", "--", ""), [], ":4"),
        (("debug", "mypod", ""), [], ":4"),
        (("attach", ""), ["mypod-scratch-x7k2p"], ":4"),
        (("completion", "z"), ["zsh"], ":4"),
        # Nothing that goes wrong is told.
        (("debug", "nosuch", "-c", ""), [], ":4"),
        (("debug", "--context", "nosuch", ""), [], ":4"),
        (("debug", "--server", "https://127.0.0.1:1", ""), [], ":4"),
        (("nosuch", ""), [], ":4"),
        ((), VERBS, ":4"),
    ],
)
def test_what_a_word_may_become(
    cli: Cli, words: tuple[str, ...], wanted: list[str], directive: str
) -> None:
    side = {"name": "side", "image": "docker.io/library/side:1"}
    mypod = source_pod()
    mypod["spec"]["containers"].append(side)
    cli.api.delete("pods", "default", "mypod")
    labels = {"app.kubernetes.io/managed-by": "kubectl-scratch"}
    for pod in (
        mypod,
        source_pod("other"),
        source_pod("mypod-scratch-x7k2p", metadata={"labels": labels}),
    ):
        cli.api.add(pod)
    cli.api.add(a_deployment("shop"))
    found, said = candidates(cli, *words)
    assert (sorted(found), said) == (wanted, directive)


def a_deployment(name: str) -> Any:
    """Return a Deployment of one container."""
    template = {"spec": {"containers": [{"name": "web", "image": "docker.io/library/web:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


def test_a_login_that_asks_does_not_disturb_a_half_typed_line(cli: Cli, tmp_path: Path) -> None:
    plugin = tmp_path / "login"
    plugin.write_text("#!/bin/sh\necho 'Password:' >&2\nread answer </dev/tty\nexit 1\n")
    plugin.chmod(0o755)
    assert cli.kubeconfig is not None
    document = yaml.safe_load(cli.kubeconfig.read_text())
    for user in document["users"]:
        user["user"] = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": str(plugin),
                "interactiveMode": "IfAvailable",
            }
        }
    cli.kubeconfig.write_text(json.dumps(document))
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    child = cli.terminal("__complete", "debug", "")
    assert end_of(child) == 0
    assert child.before == b":4\r\n"


def test_install_puts_the_completer_beside_the_plugin(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    plugin = folder / "kubectl-scratch"
    words = " ".join(cli.argv()[:3])
    plugin.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    plugin.chmod(0o755)
    cli.environ["PATH"] = f"{folder}:/usr/bin:/bin"
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    for _ in range(2):
        ended = cli.run("completion", "install")
        assert (ended.code, ended.out) == (0, b"")
    made = folder / "kubectl_complete-scratch"
    told = subprocess.run([made, "debug", "my"], env=cli.environ, capture_output=True, check=True)
    assert told.stdout.splitlines()[0].startswith(b"mypod")
    plugin.rename(folder / "gone")
    # krew uninstalls only its own link: what is left behind says nothing.
    told = subprocess.run([made, "debug", "my"], env=cli.environ, capture_output=True, check=True)
    assert (told.stdout, told.stderr) == (b":4\n", b"")
    (folder / "gone").rename(plugin)
    assert cli.run("completion", "uninstall").code == 0
    assert os.listdir(folder) == ["kubectl-scratch"]


def test_install_replaces_nobody_else_s_file(cli: Cli, tmp_path: Path) -> None:
    for name in ("kubectl-scratch", "kubectl_complete-scratch"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    cli.environ["PATH"] = str(tmp_path)
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    for verb in ("install", "uninstall"):
        cli.run("completion", verb).complains("came with the plugin")
    assert (tmp_path / "kubectl_complete-scratch").read_text() == "#!/bin/sh\n"


def test_install_needs_the_plugin_on_path(cli: Cli) -> None:
    cli.environ["PATH"] = "/nonexistent"
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)
    cli.run("completion", "install").complains("not on PATH")
