"""The first five minutes: krew itself installs the archive, and a person looks around."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testbed import golang
from tests.cluster.conftest import BIN, ROOT, Cluster
from tests.support.manifests import a_pod
from tests.support.screen import PROMPT, Terminal

KREW = "sigs.k8s.io/krew@v0.5.0"
PROGRAMS = ("krew", "validate-krew-manifest")
# Where a person who runs the tests can read what was on the screen.
SCREENS = ROOT / "build" / "first-minutes"


@pytest.fixture(scope="module")
def krew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with krew, as kubectl's plugin, and the public index's checker."""
    folder = tmp_path_factory.mktemp("krew")
    source = golang.source(KREW)
    for program in PROGRAMS:
        golang.build(source, f"./cmd/{program}", folder / program, folder / f"{program}.log")
    (folder / "krew").rename(folder / "kubectl-krew")
    return folder


@pytest.fixture(scope="module")
def published(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a custom index whose archive lies on a server of this machine's loopback."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(built, folder / "dist")
    serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder / "dist"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    manifest = yaml.safe_load((folder / "dist" / "scratch.yaml").read_text())
    for platform in manifest["spec"]["platforms"]:
        platform["uri"] = f"http://127.0.0.1:{server.server_port}/scratch.tar.gz"
    plugins = folder / "index" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "scratch.yaml").write_text(yaml.safe_dump(manifest))
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "scratch"]):
        subprocess.run([*git, *words], cwd=folder / "index", check=True)
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def environ_of(cluster: Cluster, krew: Path, home: Path) -> dict[str, str]:
    """Return the environment of a person who has kubectl and krew, and no plugin."""
    programs = home / "programs"
    programs.mkdir(parents=True)
    (programs / "kubectl").symlink_to(BIN / "kubectl")
    path = f"{home}/.krew/bin:{krew}:{programs}:/usr/bin:/bin"
    return {
        "PATH": path,
        "HOME": str(home),
        "KUBECONFIG": str(cluster.kubeconfig),
        "PS1": f"{PROMPT} ",
        "LANG": "C.UTF-8",
    }


def test_the_public_index_s_checker_takes_the_manifest(krew: Path, published: Path) -> None:
    command = [str(krew / "validate-krew-manifest"), "-skip-install", "-manifest"]
    done = subprocess.run([*command, str(published / "dist" / "scratch.yaml")], capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("machine", ["linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"])
def test_krew_installs_it_on(
    cluster: Cluster, krew: Path, published: Path, tmp_path: Path, machine: str
) -> None:
    environ = environ_of(cluster, krew, tmp_path)
    environ["KREW_OS"], environ["KREW_ARCH"] = machine.split("/")
    dist = published / "dist"
    where = [f"--manifest={dist / 'scratch.yaml'}", f"--archive={dist / 'scratch.tar.gz'}"]
    done = subprocess.run(
        ["kubectl", "krew", "install", *where], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert os.access(tmp_path / ".krew" / "bin" / "kubectl-scratch", os.X_OK)


def test_the_first_five_minutes(
    clean: Cluster, krew: Path, published: Path, tmp_path: Path
) -> None:
    clean.apply(a_pod("mypod"))
    clean.ready("mypod")
    environ = environ_of(clean, krew, tmp_path)
    index = f"file://{published / 'index'}"
    n = clean.namespace
    steps = [
        (f"kubectl krew index add scratch {index}", "You have added a new index"),
        ("kubectl krew install scratch/scratch", "Installed plugin: scratch"),
        ("kubectl scratch", 'Use "kubectl scratch COMMAND --help"'),
        ("kubectl scratch debug --help", "Use .kubectl scratch options."),
        ("kubectl scratch dbug mypod", "did you mean debug?"),
        (f"kubectl scratch debug mypo -n {n}", r"pod 'mypo' not found.*did you mean mypod\?"),
        ("kubectl scratch version", "Server Version: v1"),
    ]
    terminal = Terminal(["bash", "--norc", "--noprofile"], environ, cwd=str(tmp_path))
    try:
        terminal.wait_for(rf"^{PROMPT}")
        for number, (line, wanted) in enumerate(steps, 1):
            enter(terminal, number, line, wanted)
        enter(terminal, 8, f"kubectl scratch debug mypod -n {n}", r"it is deleted when you leave")
        terminal.wait_for(r"^app:\S*[#$]$")
        terminal.type("cat $(target-root)/srv/motd\r")
        keep(terminal, 8, terminal.wait_for("a file of the image"))
        terminal.type("exit\r")
        keep(terminal, 9, terminal.wait_for(rf"exit\n(.*\n)*{PROMPT}$"))
        enter(terminal, 10, "kubectl krew uninstall scratch", "Uninstalled plugin: scratch")
        enter(terminal, 11, "kubectl scratch", 'unknown command "scratch"')
    finally:
        terminal.close()
    assert not (tmp_path / ".krew" / "bin" / "kubectl-scratch").is_symlink()


def enter(terminal: Terminal, number: int, line: str, wanted: str) -> None:
    """Type a line, wait for what it should show, and keep the screen."""
    terminal.clear()
    terminal.type(f"{line}\r")
    terminal.wait_for(wanted)
    keep(terminal, number, terminal.wait_for(rf"^({PROMPT}|app:\S*[#$])$"))


def keep(terminal: Terminal, number: int, text: str) -> None:
    """Save a screen for somebody to read."""
    assert "Traceback" not in text
    SCREENS.mkdir(parents=True, exist_ok=True)
    (SCREENS / f"{number:02}.txt").write_text(text + "\n")
