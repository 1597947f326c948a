"""Every example of every verb's help, run as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kubectl_scratch.cli.commands import scratch
from kubectl_scratch.cli.help import Example, Verb, Verbs
from tests.cluster.conftest import BIN, Cluster, make_namespace
from tests.cluster.test_copy import a_session
from tests.support.manifests import a_pod
from tests.support.screen import PROMPT, Terminal

LABELS = {"app": "shop"}
# What is found to be ready works, so that why need not run it.
PROBE = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
A_DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": a_pod("shop", readinessProbe=PROBE)["spec"],
        },
    },
}
COPY = "mypod-scratch-x7k2p"


def examples(command: click.Command) -> Iterator[Example]:
    """Return the examples of a verb and of those below it."""
    assert isinstance(command, (Verb, Verbs))
    assert command.examples or command.hidden, f"{command.name} has no example"
    yield from command.examples
    if isinstance(command, Verbs):
        for verb in command.commands.values():
            yield from examples(verb)


LINES = sorted({example.line for example in examples(scratch)})


@pytest.fixture(scope="module")
def shop(kubeconfig: Path) -> Iterator[tuple[Cluster, str]]:
    """Give two namespaces with the pod that the examples name: the context's own, and shop."""
    here, shop = make_namespace(kubeconfig), make_namespace(kubeconfig)
    for cluster in (here, shop):
        cluster.apply(a_pod("mypod", readinessProbe=PROBE), A_DEPLOYMENT)
    for cluster in (here, shop):
        cluster.ready("mypod")
        cluster.kubectl("rollout", "status", "deployment/shop")
    yield here, shop.namespace
    for cluster in (here, shop):
        cluster.nothing_is_left()
        cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")


@pytest.mark.parametrize("line", LINES)
def test_an_example_works(shop: tuple[Cluster, str], tmp_path: Path, line: str) -> None:
    here, other = shop
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(here.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("kubectl", "kubectl-scratch"):
        (programs / name).symlink_to(BIN / name)
    environ = {
        **here.environ,
        "KUBECONFIG": str(kubeconfig),
        "PATH": f"{programs}:/usr/bin:/bin",
        "PS1": f"{PROMPT} ",
    }
    terminal = Terminal(["bash", "--norc", "--noprofile"], environ, rows=200)
    try:
        terminal.wait_for(rf"^{PROMPT}$")
        terminal.type(f"kubectl config set-context --current --namespace={here.namespace}\r")
        terminal.wait_for("modified")
        # The names that an example has and a test can't: another namespace, a copy's suffix.
        line = line.replace("-n shop", f"-n {other}")
        if COPY in line:
            with a_session(here, "mypod") as copy:
                run(terminal, line.replace(COPY, copy["metadata"]["name"]))
        else:
            run(terminal, line)
    finally:
        terminal.close()


def run(terminal: Terminal, line: str) -> None:
    """Run a line to its end, leaving the shell that it may open; it has to succeed.

    why has nothing to report of a pod that works, and says so by its code.
    """
    terminal.clear()
    terminal.type(f"{line}; echo code=$?\r")
    shown = terminal.wait_for(r"^app:\S*[#$]$|^code=\d+$")
    if not re.search(r"^code=", shown, re.MULTILINE):
        terminal.type("exit\r")
        shown = terminal.wait_for(r"^code=\d+$")
    code = 1 if " why " in line else 0
    assert re.search(rf"^code={code}$", shown, re.MULTILINE), shown
