"""Completion in the real bash, zsh and fish, as a person at a terminal has it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import BIN, Cluster
from tests.support.manifests import a_pod
from tests.support.screen import PROMPT, Terminal

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile"],
    "zsh": ["zsh", "-f"],
    "fish": ["fish", "--no-config"],
}
LOAD = {
    "bash": 'eval "$(kubectl scratch completion bash)"',
    "zsh": 'eval "$(kubectl scratch completion zsh)"',
    "fish": "kubectl scratch completion fish | source",
}
# kubectl's own, for the way by kubectl_complete-scratch.
KUBECTL = {
    "bash": "source /usr/share/bash-completion/bash_completion; source <(kubectl completion bash)",
    "zsh": "autoload -Uz compinit && compinit -u; source <(kubectl completion zsh)",
    "fish": "kubectl completion fish | source",
}
PROMPTS = {
    "bash": f"PS1='{PROMPT} '",
    "zsh": f"PS1='{PROMPT} '; unsetopt BEEP",
    "fish": f"function fish_prompt; echo -n '{PROMPT} '; end; set -g fish_greeting",
}


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Cluster]:
    """Give a namespace with a pod of two containers."""
    pod = a_pod("mypod")
    pod["spec"]["containers"].append({**pod["spec"]["containers"][0], "name": "sidekick"})
    cluster.apply(pod)
    yield cluster


OURS, KUBECTLS, BOTH = "the shell's code", "kubectl's own completion", "one after the other"


@pytest.fixture(params=[OURS, KUBECTLS, BOTH])
def way(request: pytest.FixtureRequest) -> str:
    """Give the way by which the shell comes to it."""
    return str(request.param)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """Give a shell's name."""
    return str(request.param)


@pytest.fixture
def terminal(pods: Cluster, tmp_path: Path, shell: str, way: str) -> Iterator[Terminal]:
    """Give the shell on a terminal, with completion loaded."""
    assert shutil.which(shell), f"install {shell} (make test does where it is root on Debian)"
    programs = tmp_path / "bin"
    programs.mkdir()
    names = ["kubectl", "kubectl-scratch"]
    for name in names:
        (programs / name).symlink_to(BIN / name)
    environ = {
        "HOME": str(tmp_path),
        "PATH": f"{programs}:/usr/bin:/bin",
        "KUBECONFIG": str(pods.kubeconfig),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    made = Terminal(SHELLS[shell], environ, columns=160, cwd=str(tmp_path))
    made.wait_for(r"[>#$%] ?$")
    made.type(f"{PROMPTS[shell]}\r")
    made.wait_for(rf"^{PROMPT}$")
    load = {
        OURS: LOAD[shell],
        KUBECTLS: f"kubectl scratch completion install; {KUBECTL[shell]}",
        BOTH: f"{KUBECTL[shell]}; {LOAD[shell]}",
    }[way]
    made.clear()
    made.type(f"{load}; echo load''ed\r")
    made.wait_for("^loaded")
    made.wait_for(rf"^{PROMPT}$")
    yield made
    made.close()


def test_a_line_is_completed(terminal: Terminal, pods: Cluster, shell: str, way: str) -> None:
    flag = f"-n {pods.namespace}"
    # Typed, and what the line is after a TAB.
    lines = [
        ("kubectl scratch deb", "kubectl scratch debug"),
        (f"kubectl scratch debug {flag} my", f"kubectl scratch debug {flag} mypod"),
        (f"kubectl scratch debug {flag} mypod -c s", f"debug {flag} mypod -c sidekick"),
        (f"kubectl scratch debug {flag} mypod --container=s", "mypod --container=sidekick"),
        ("kubectl scratch debug --namesp", "debug --namespace"),
        ("kubectl scratch debug mypod --transport w", "--transport websocket"),
        (f"kubectl scratch debug --namespace={pods.namespace[:-2]}", pods.namespace),
    ]
    if way != OURS:
        # What is not ours is completed as before.
        lines.append(("kubectl versi", "kubectl version"))
    for typed, wanted in lines:
        terminal.clear()
        terminal.type(typed)
        terminal.wait_for(typed[-12:])
        terminal.type("\t")
        terminal.wait_for(wanted)
        forget(terminal, shell)


def test_what_goes_wrong_is_not_told(terminal: Terminal, shell: str) -> None:
    terminal.clear()
    terminal.type("kubectl scratch debug --context nosuch my\t")
    # The next key is echoed right behind: nothing was said, and nothing completed.
    terminal.type("X")
    shown = terminal.wait_for("nosuch myX")
    assert "error" not in shown
    forget(terminal, shell)


def forget(terminal: Terminal, shell: str) -> None:
    """Drop the line that was typed; bash loses a ^C that comes while it completes."""
    terminal.type("\x15\r")
    terminal.wait_for(rf"{PROMPT}$")
