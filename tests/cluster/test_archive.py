"""The krew archive itself, called through a link, debugs a pod wherever and as whomever it runs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import BIN, Cluster
from tests.dist.conftest import unpack
from tests.support.manifests import a_pod
from tests.support.patience import PATIENCE
from tools.pythons import find_python

SYSTEM = "/usr/bin:/bin"
NOBODY = pwd.getpwnam("nobody")
Setting = Callable[["Installed"], dict[str, Any]]


class Installed:
    """The archive as krew lays it out, with the environment of a person who calls it."""

    def __init__(self, archive: Path, folder: Path, kubeconfig: Path) -> None:
        self.folder = folder
        self.link = unpack(archive, folder)
        self.store = self.link.resolve().parent
        self.kubeconfig = folder / "kubeconfig"
        shutil.copy(kubeconfig, self.kubeconfig)
        programs = folder / "programs"
        programs.mkdir()
        (programs / "kubectl").symlink_to(BIN / "kubectl")
        self.environ = {
            "PATH": f"{self.link.parent}:{programs}:{SYSTEM}",
            "HOME": str(folder),
            "KUBECONFIG": str(self.kubeconfig),
        }

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Call the plugin as kubectl's."""
        command = [str(BIN / "kubectl"), "scratch", *words]
        how: dict[str, Any] = {"env": self.environ, "cwd": "/", "timeout": PATIENCE, **options}
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, **how)


def of_python(version: str) -> Setting:
    """Return a setting: this is the Python that the person has."""

    def set_up(installed: Installed) -> dict[str, Any]:
        folder = installed.folder / "python"
        folder.mkdir()
        (folder / "python3").symlink_to(find_python(version))
        for name in ("sh", "readlink"):
            (folder / name).symlink_to(str(shutil.which(name)))
        path = f"{installed.link.parent}:{installed.folder / 'programs'}:{folder}"
        installed.environ["PATH"] = path
        return {}

    return set_up


def read_only(installed: Installed) -> dict[str, Any]:
    """Let nobody write to the installation, but on a file system that is not to be written."""
    mount(installed.store)
    return {}


def mount(folder: Path) -> None:
    """Mount a folder read-only: root may write wherever a mode forbids it."""
    for options in (["--bind"], ["-o", "remount,ro,bind"]):
        subprocess.run(["mount", *options, str(folder), str(folder)], check=True)


def hostile(installed: Installed) -> dict[str, Any]:
    """Put modules of an attacker's in Python's way."""
    evil = installed.folder / "evil"
    evil.mkdir()
    for name in ("click", "json", "ssl", "urllib3", "sitecustomize"):
        (evil / f"{name}.py").write_text("raise SystemExit('evil was here')\n")
    more = {"PYTHONPATH": str(evil), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONOPTIMIZE": "2"}
    installed.environ.update(more)
    return {"cwd": str(evil)}


def another_user(installed: Installed) -> dict[str, Any]:
    """Call it as somebody who did not install it."""
    for path in (installed.folder, *installed.folder.parents):
        if path not in (Path("/"), Path("/tmp")):
            path.chmod(path.stat().st_mode | 0o055)
    home = installed.folder / "home"
    home.mkdir()
    for path in (home, installed.kubeconfig):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    installed.environ["HOME"] = str(home)
    return {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": ()}


def no_home(installed: Installed) -> dict[str, Any]:
    """Leave the person without a home."""
    del installed.environ["HOME"]
    return {}


SETTINGS: dict[str, Setting] = {
    "Python 3.10": of_python("3.10"),
    "Python 3.13": of_python("3.13"),
    "a read-only folder": read_only,
    "a hostile PYTHONPATH": hostile,
    "another user": another_user,
    "no HOME": no_home,
}


@pytest.fixture
def installed(built: Path, kubeconfig: Path) -> Iterator[Installed]:
    """Give the archive, installed."""
    # Not in tmp_path: whenever a pytest starts it closes the folder of them all to other users.
    with tempfile.TemporaryDirectory() as folder:
        made = Installed(built / "scratch.tar.gz", Path(folder), kubeconfig)
        yield made
        if str(made.store) in Path("/proc/self/mounts").read_text():
            subprocess.run(["umount", str(made.store)], check=True)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_archive_debugs_a_pod(clean: Cluster, installed: Installed, setting: str) -> None:
    clean.apply(a_pod("mypod"))
    clean.ready("mypod")
    how = SETTINGS[setting](installed)
    command = ["cat", "/proc/1/comm"]
    for _ in range(2):
        done = installed.run("debug", "mypod", "-n", clean.namespace, "-q", "--", *command, **how)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"pause\n", b"")
