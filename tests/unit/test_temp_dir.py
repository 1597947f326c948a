"""Folders and files for secrets are the user's own, and others' are left alone."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from kubectl_scratch.cli.error_report import save_traceback
from kubectl_scratch.runtime.temp_dir import PREFIX, private_folder


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which private ones are made."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def left_by_the_dead(parent: Path) -> Path:
    """Make what a process that was killed has left."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    folder = parent / f"{PREFIX}{dead.pid}-abc"
    folder.mkdir()
    (folder / "kubeconfig").write_text("secret")
    return folder


def test_what_a_killed_process_of_ours_has_left_is_removed(parent: Path) -> None:
    left = left_by_the_dead(parent)
    with private_folder() as folder:
        assert not left.exists()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(parent.iterdir()) == []


def test_what_a_process_of_another_container_holds_is_left_alone(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number says nothing here, where another process may have it, or none."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "getpid", lambda: dead.pid)
        theirs = private_folder()
        folder = theirs.__enter__()
    with private_folder():
        assert folder.is_dir()
    theirs.__exit__(None, None, None)
    assert list(parent.iterdir()) == []


def test_another_users_private_folder_is_left_alone(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_by_the_dead(parent)
    monkeypatch.setattr(os, "getuid", lambda: left.stat().st_uid + 1)
    with private_folder():
        pass
    assert (left / "kubeconfig").exists()


def test_what_only_has_such_a_name_is_left_alone(parent: Path, tmp_path: Path) -> None:
    left = left_by_the_dead(parent)
    beside = tmp_path / "beside"
    left.rename(beside)
    left.symlink_to(beside)
    for name in (f"{PREFIX}notes", f"{PREFIX}1x-abc", f"{PREFIX}{os.getpid()}-abc"):
        (parent / name).mkdir()
    before = sorted(parent.iterdir())
    with private_folder():
        pass
    assert sorted(parent.iterdir()) == before
    assert (beside / "kubeconfig").exists()


SECRET = "s3cret-t0ken"
QUOTES = [
    f"Authorization: Bearer {SECRET}",
    f"('Authorization', 'Bearer {SECRET}')",
    f'"Proxy-Authorization: basic {SECRET}"',
    f"https://jane:{SECRET}@host:6443/path",
    f"{{'user': {{'token': '{SECRET}', 'as': 'x'}}}}",
    f'{{"client-key-data": "{SECRET}"}}',
    f"{{'password': '{SECRET}'}}",
    f"ExecCredential(token='{SECRET}')",
    f"{{'client-secret': b'{SECRET}', 'refresh-token': '{SECRET}'}}",
]


@pytest.mark.parametrize("quote", QUOTES)
def test_no_secret_is_in_the_file_with_a_traceback(
    quote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try:
        raise RuntimeError(f"near {quote} \udcff behind")
    except RuntimeError:
        path = Path(save_traceback())
    text = path.read_text()
    assert SECRET not in text and "(redacted)" in text
    assert "RuntimeError: near" in text and "behind" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
