"""The archive's program: it finds its Python and its packages, whatever surrounds it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dist.conftest import ROOT
from tools.pythons import find_python

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
SYSTEM = "/usr/bin:/bin"
NOBODY = pwd.getpwnam("nobody")
ROOT_USER = os.geteuid() == 0


def run(link: Path, *words: str, path: str = SYSTEM, **environ: str) -> Any:
    """Run the program with this environment and no more."""
    return subprocess.run(
        [str(link), *words],
        env={"PATH": path, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )


def folder_with(folder: Path, **programs: Path) -> str:
    """Make a folder for PATH with links to these programs, and what a script needs."""
    folder.mkdir()
    for name, target in programs.items():
        (folder / name.replace("_", ".")).symlink_to(target)
    for name in ("readlink", "sh"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.parametrize("version", PYTHONS)
def test_it_runs_on_every_python(link: Path, tmp_path: Path, version: str) -> None:
    path = folder_with(tmp_path / "path", **{f"python{version}": find_python(version)})
    for _ in range(2):
        told = run(link, "version", "--client", path=path)
        assert (told.returncode, told.stderr) == (0, "")
        assert f"Python Version: v{version}." in told.stdout


def test_it_takes_the_newest_python(link: Path, tmp_path: Path) -> None:
    programs = {f"python{version}": find_python(version) for version in PYTHONS}
    told = run(link, "version", "--client", path=folder_with(tmp_path / "path", **programs))
    assert f"Python Version: v{PYTHONS[-1]}." in told.stdout


def test_it_takes_python3_where_that_is_all(link: Path, tmp_path: Path) -> None:
    path = folder_with(tmp_path / "path", python3=find_python("3.10"))
    assert "Python Version: v3.10." in run(link, "version", "--client", path=path).stdout


def test_without_a_suitable_python_it_says_what_to_install(link: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    told = run(link, "--help", path=folder_with(tmp_path / "path", python3=old))
    assert (told.returncode, told.stdout) == (1, "")
    assert re.fullmatch(r"error: Python 3\.10 or later is needed; install python3.*\n", told.stderr)


def test_a_version_manager_s_script_is_not_trusted(link: Path, tmp_path: Path) -> None:
    root = tmp_path / "manager"
    (root / "versions" / "3.12.1" / "bin").mkdir(parents=True)
    (root / "versions" / "3.12.1" / "bin" / "python3.12").symlink_to(find_python("3.12"))
    shims = folder_with(root / "shims")
    for version in ("3.13", "3.12"):
        shim = root / "shims" / f"python{version}"
        shim.write_text('#!/bin/sh\necho "$0: command not found" >&2\nexit 127\n')
        shim.chmod(0o755)
    told = run(link, "version", "--client", path=shims)
    assert (told.returncode, told.stderr) == (0, "")
    assert "Python Version: v3.12." in told.stdout


def test_a_lasting_python_comes_before_a_project_s(link: Path, tmp_path: Path) -> None:
    root, lasting = tmp_path / "manager", tmp_path / "lasting"
    (root / "versions" / "3.13.0" / "bin").mkdir(parents=True)
    (root / "versions" / "3.13.0" / "bin" / "python3.13").symlink_to(find_python("3.13"))
    shims = folder_with(root / "shims", python3_13=find_python("3.13"))
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    venv = folder_with(tmp_path / "venv" / "bin", python3_12=find_python("3.12"))
    path = f"{venv}:{shims}:" + folder_with(lasting, python3_11=find_python("3.11"))
    assert "Python Version: v3.11." in run(link, "version", "--client", path=path).stdout
    (lasting / "python3.11").unlink()
    assert "Python Version: v3.13." in run(link, "version", "--client", path=path).stdout


@pytest.mark.parametrize("folder", ["versions/3.13.0/bin", "installs/python/3.13.0/bin"])
def test_a_version_manager_s_folder_on_path_does_not_last(
    link: Path, tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).parent.mkdir(parents=True)
    managed = folder_with(tmp_path / folder, python3_13=find_python("3.13"))
    path = f"{managed}:" + folder_with(tmp_path / "lasting", python3_11=find_python("3.11"))
    assert "Python Version: v3.11." in run(link, "version", "--client", path=path).stdout
    assert "Python Version: v3.13." in run(link, "version", "--client", path=managed).stdout


def test_of_a_version_manager_s_pythons_a_plain_one_is_taken(link: Path, tmp_path: Path) -> None:
    root = tmp_path / "manager"
    for name, python in (("3.12.1", find_python("3.12")), ("pypy3.12-7", Path("/bin/false"))):
        (root / "versions" / name / "bin").mkdir(parents=True)
        (root / "versions" / name / "bin" / "python3.12").symlink_to(python)
    (root / "versions" / "4-project" / "bin").mkdir(parents=True)
    (root / "versions" / "4-project" / "pyvenv.cfg").touch()
    (root / "versions" / "4-project" / "bin" / "python3.12").symlink_to("/bin/false")
    # Many have a slash at the end, or nothing between two colons.
    shims = folder_with(root / "shims", python3_12=Path("/bin/false"))
    told = run(link, "version", "--client", path=f":{shims}/:")
    assert "Python Version: v3.12." in told.stdout


def test_a_person_may_choose_the_python(link: Path) -> None:
    chosen = str(find_python("3.11"))
    told = run(link, "version", "--client", KUBECTL_SCRATCH_PYTHON=chosen)
    assert "Python Version: v3.11." in told.stdout
    told = run(link, "--help", KUBECTL_SCRATCH_PYTHON="/nonexistent/python")
    assert (told.returncode, told.stderr) == (1, "error: KUBECTL_SCRATCH_PYTHON names no program\n")


WAYS = ["through two links", "by a relative name", "from its own folder", "by a bare link"]


@pytest.mark.parametrize("how", WAYS)
def test_it_finds_its_packages(link: Path, tmp_path: Path, how: str) -> None:
    second = tmp_path / "other" / "kubectl-scratch"
    second.parent.mkdir()
    second.symlink_to(link)
    command, where = {
        "through two links": ([str(second)], "/"),
        "by a relative name": (["bin/kubectl-scratch"], str(tmp_path)),
        "from its own folder": (["sh", "kubectl-scratch"], str(link.resolve().parent)),
        "by a bare link": (["sh", "kubectl-scratch"], str(link.parent)),
    }[how]
    environ = {"PATH": SYSTEM}
    told = subprocess.run([*command, "--help"], env=environ, cwd=where, capture_output=True)
    assert (told.returncode, told.stderr) == (0, b"") and b"Examples:" in told.stdout


def test_a_hostile_environment_does_not_reach_it(link: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("click.py", "json.py", "sitecustomize.py", "kubectl_scratch.py"):
        (evil / name).write_text("raise SystemExit('evil was here')\n")
    told = run(
        link,
        "version",
        "--client",
        "-o",
        "json",
        PYTHONPATH=str(evil),
        PYTHONHOME=str(evil),
        PYTHONSTARTUP=str(evil / "json.py"),
    )
    assert (told.returncode, told.stderr) == (0, "")


def bytecode(folder: Path) -> set[Path]:
    """Return the bytecode below a folder."""
    return set(folder.rglob("*.pyc"))


def test_bytecode_is_kept_whatever_the_environment_says(link: Path) -> None:
    store = link.resolve().parent
    run(link, "--help", PYTHONDONTWRITEBYTECODE="1")
    assert any("kubectl_scratch" in str(path) for path in bytecode(store))


def as_reader(link: Path, home: Path | None) -> Any:
    """Run the program as somebody who may not write to its folder."""
    environ = {"PATH": SYSTEM, **({"HOME": str(home)} if home else {})}
    # Root may write everywhere, and others may become nobody else.
    who: dict[str, Any] = {}
    if ROOT_USER:
        who = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": ()}
    else:
        for folder in (path for path in link.resolve().parent.rglob("*") if path.is_dir()):
            folder.chmod(0o555)
    return subprocess.run(
        [str(link), "version", "--client"],
        env=environ,
        capture_output=True,
        text=True,
        cwd="/",
        **who,
    )


def readable(folder: Path) -> None:
    """Let everybody look into a folder of pytest's."""
    for path in (folder, *folder.parents):
        if path != Path("/") and path.stat().st_uid == os.getuid() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)


def test_where_its_folder_is_read_only_the_bytecode_is_in_the_user_s_cache(
    link: Path, tmp_path: Path
) -> None:
    readable(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    if ROOT_USER:
        os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    assert as_reader(link, home).returncode == 0
    made = bytecode(home / ".cache" / "kubectl-scratch")
    assert any("kubectl_scratch" in str(path) for path in made)
    assert bytecode(link.resolve().parent) == set()


def test_without_a_home_it_works_all_the_same(link: Path, tmp_path: Path) -> None:
    readable(tmp_path)
    told = as_reader(link, home=None)
    assert (told.returncode, told.stderr) == (0, "")


def test_the_wheel_and_the_sdist_can_be_installed(built: Path, tmp_path: Path) -> None:
    version = "0.1.0"
    for name in (
        f"kubectl_scratch-{version}-py3-none-any.whl",
        f"kubectl_scratch-{version}.tar.gz",
    ):
        venv = tmp_path / name.rpartition(".")[2]
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, str(built / name)], check=True)
        for program, word in (("kubectl-scratch", "--help"), ("kubectl_complete-scratch", "")):
            command = [str(venv / "bin" / program), word]
            told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "tests")
            assert (told.returncode, told.stderr) == (0, "") and "debug" in told.stdout
