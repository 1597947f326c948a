"""The tracer: files and programs that an app asks for in vain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.seed.conftest import Seed
from tests.seed.programs import PYTHON
from tests.seed.tracing import traced

LOADER = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
}[os.uname().machine]


def test_a_missing_file_is_told_with_what_is_there(native: Seed, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir(0o750)
    (folder / "conf.yml").touch()
    report = traced(native, "cat", f"{folder}/conf.yaml")
    call = report.call(path=f"{folder}/conf.yaml")
    assert (call["call"], call["error"], call["access"]) == ("openat", "ENOENT", "r")
    status = folder.stat()
    assert call["nearest"] == {
        "path": str(folder),
        "type": "dir",
        "mode": "0750",
        "uid": status.st_uid,
        "gid": status.st_gid,
        "names": ["conf.yml"],
    }
    assert "is" not in call and "found" not in call
    assert "No such file" in report.text
    end = report.one("end")
    process = report.all("process")[0]
    assert (end["code"], end["pid"]) == (1, process["pid"])
    assert process["words"] == ["cat", f"{folder}/conf.yaml"] and process["code"] == 1
    assert process["exe"] == os.path.realpath("/usr/bin/cat")


def test_of_many_names_those_that_are_alike_are_told(native: Seed, tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"other-{number}").touch()
    (tmp_path / "config.yml").touch()
    report = traced(native, "cat", f"{tmp_path}/config.yaml")
    names = report.call(path=f"{tmp_path}/config.yaml")["nearest"]["names"]
    assert len(names) == 40 and "config.yml" in names


def test_a_missing_folder_leads_to_the_nearest(native: Seed, tmp_path: Path) -> None:
    report = traced(native, "cat", f"{tmp_path}/a/b/c")
    assert report.call(path=f"{tmp_path}/a/b/c")["nearest"]["path"] == str(tmp_path)


@pytest.mark.parametrize("path", ["sub/../x", "./x", "../here/x", ".././here/x", "//x"])
def test_a_path_is_told_from_the_root_on(native: Seed, tmp_path: Path, path: str) -> None:
    (tmp_path / "here").mkdir()
    report = traced(native, "cat", path, cwd=f"{tmp_path}/here")
    wanted = {"sub/../x": f"{tmp_path}/here/sub/../x", "//x": "//x"}
    report.call(path=wanted.get(path, f"{tmp_path}/here/x"), error="ENOENT")


def test_a_path_in_an_open_folder_is_told(native: Seed, tmp_path: Path) -> None:
    script = f"import os; os.open('x', 0, dir_fd=os.open('{tmp_path}', os.O_DIRECTORY))"
    report = traced(native, PYTHON, "-S", "-c", script)
    report.call(call="openat", path=f"{tmp_path}/x")


def test_what_is_found_later_is_told(native: Seed, tmp_path: Path) -> None:
    (tmp_path / "thing").touch()
    report = traced(native, "sh", "-c", f"cat /no/thing; cat {tmp_path}/thing")
    call = report.call(path="/no/thing")
    assert call["found"] == f"{tmp_path}/thing" and call["nearest"]["path"] == "/"


def test_of_a_library_that_is_found_later_no_more_is_told(native: Seed, tmp_path: Path) -> None:
    (tmp_path / "libx.so.1").touch()
    report = traced(native, "sh", "-c", f"cat /no/libx.so.1; cat {tmp_path}/libx.so.1")
    call = report.call(path="/no/libx.so.1")
    assert call["found"] == f"{tmp_path}/libx.so.1" and "nearest" not in call


def test_what_may_not_be_read_is_told_with_its_owner(native: Seed) -> None:
    secret = native.folder / "secret"
    secret.write_text("12345")
    secret.chmod(0o600)
    os.chown(secret, 123, 456)
    report = traced(native, "cat", str(secret), user=54321)
    call = report.call(path=str(secret))
    assert call["error"] == "EACCES"
    assert call["is"] == {"type": "file", "mode": "0600", "uid": 123, "gid": 456, "size": 5}
    assert call["nearest"]["path"] == str(native.folder) and "names" not in call["nearest"]
    run = report.one("run")
    assert (run["uid"], run["caps"]) == (54321, "0" * 16)


@pytest.mark.parametrize(
    ("script", "members"),
    [
        ("mkdir('{0}/a/b')", {"call": "mkdir", "path": "{0}/a/b", "error": "ENOENT"}),
        ("mkdir('{0}/file/b')", {"call": "mkdir", "error": "ENOTDIR"}),
        ("mkdir('{0}/file')", {"call": "mkdir", "error": "EEXIST"}),
        ("rename('{0}/x', '{0}/y')", {"call": "rename", "path": "{0}/x", "to": "{0}/y"}),
        ("symlink('{0}/file', '{0}/file')", {"path": "{0}/file", "error": "EEXIST"}),
        ("unlink('{0}')", {"call": "unlink", "error": "EISDIR"}),
        ("rmdir('{0}')", {"call": "rmdir", "error": "ENOTEMPTY"}),
        ("chmod('{0}/x', 0)", {"call": "chmod", "arguments": [0]}),
        ("chown('{0}/x', 5, -1)", {"call": "chown", "arguments": [5, -1]}),
        ("truncate('{0}/x', 7)", {"call": "truncate", "arguments": [7]}),
        ("chdir('{0}/file')", {"call": "chdir", "error": "ENOTDIR"}),
        ("access('{0}/x', 5)", {"call": "access", "access": "rx"}),
        ("open('{0}/a/b', 0o101)", {"call": "openat", "access": "w", "create": True}),
        ("open('{0}', 2)", {"call": "openat", "access": "rw", "error": "EISDIR"}),
        ("open('{0}', 0)", {"call": "open", "access": "r", "error": "EISDIR"}),
        ("open('{0}/{1}', 0)", {"error": "ENAMETOOLONG"}),
        ("open('{0}/loop', 0)", {"error": "ELOOP"}),
        ("chroot('{0}/x')", {"call": "chroot", "error": "ENOENT"}),
    ],
)
def test_a_call_that_fails_is_told(
    native: Seed, tmp_path: Path, script: str, members: dict[str, object]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    script = "import os; os." + script.format(tmp_path, "n" * 300)
    report = traced(native, PYTHON, "-S", "-c", script)
    report.call(**{k: v.format(tmp_path) if isinstance(v, str) else v for k, v in members.items()})


def test_what_is_normal_is_not_told(native: Seed, tmp_path: Path) -> None:
    report = traced(native, "mkdir", "-p", f"{tmp_path}/a/b")
    assert not [
        line for line in report.all("call") if line.get("path", "").startswith(str(tmp_path))
    ]
    report = traced(native, PYTHON, "-S", "-c", f"import os; os.listdir('{tmp_path}')")
    assert not report.all("call", error="EISDIR")


def test_an_open_folder_that_is_listed_is_no_failure(native: Seed, tmp_path: Path) -> None:
    script = f"import os; os.listdir(os.open('{tmp_path}', 0))"
    assert not traced(native, PYTHON, "-S", "-c", script).all("call", error="EISDIR")


def test_what_was_opened_is_told(native: Seed, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").touch()
    report = traced(native, "cat", f"{tmp_path}/app.yaml", "/proc/self/stat")
    paths = [line["path"] for line in report.all("opened")]
    assert f"{tmp_path}/app.yaml" in paths
    assert not [path for path in paths if ".so" in path or path.startswith("/proc")]


def test_names_of_any_bytes_are_told(native: Seed, tmp_path: Path) -> None:
    path = f'{tmp_path}/\udcff\udc80 "quoted" back\\slash \x1b[31m\x7f é 漢'
    report = traced(native, "cat", path)
    report.call(path=path)
    assert report.one("run")["words"] == ["cat", path]


@pytest.mark.parametrize(
    ("content", "mode", "error", "program"),
    [
        (b"#!/no/bash -e\n", 0o755, "ENOENT", ("script", "/no/bash", False, None)),
        (b"#!/bin/sh\r\ntrue\r\n", 0o755, "ENOENT", ("script", "/bin/sh", True, None)),
        (b"echo\n", 0o755, "ENOEXEC", ("other", None, None, None)),
        (b"#!/bin/sh\n", 0o644, "EACCES", ("script", "/bin/sh", True, None)),
        ("other machine", 0o755, "ENOEXEC", ("elf", LOADER, True, True)),
        ("no loader", 0o755, "ENOENT", ("elf", "/lib/ld-no.so", False, None)),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_program_that_cannot_be_executed_is_told(
    native: Seed,
    tmp_path: Path,
    content: bytes | str,
    mode: int,
    error: str,
    program: tuple[object, ...],
    is_first: bool,
) -> None:
    path = tmp_path / "program"
    path.write_bytes(content if isinstance(content, bytes) else changed(content))
    path.chmod(mode)
    words = (str(path),) if is_first else ("sh", "-c", f"{path}; exit 7")
    report = traced(native, *words)
    call = report.call(call="execve", path=str(path))
    assert (call["error"], call["access"], call["words"]) == (error, "x", [str(path)])
    told = call["program"]
    form, interpreter, exists, is_other = program
    assert (told["format"], told.get("interpreter"), told.get("interpreter_exists")) == (
        form,
        interpreter,
        exists,
    )
    assert told.get("crlf", False) == (b"\r" in path.read_bytes()[:20])
    if is_other:
        assert told["machine"] == {"x86_64": "aarch64", "aarch64": "x86_64"}[os.uname().machine]
    code = 127 if error == "ENOENT" else 126
    assert report.one("end")["code"] == (code if is_first else 7)


def changed(how: str) -> bytes:
    """Return a program of this machine that does not run here."""
    content = bytearray(Path("/bin/true").read_bytes())
    if how == "other machine":
        content[18:20] = {"x86_64": b"\xb7\0", "aarch64": b"\x3e\0"}[os.uname().machine]
    else:
        loader = content.index(b"/lib")
        content[loader : loader + 14] = b"/lib/ld-no.so\0"
    return bytes(content)


def test_a_program_that_is_not_on_the_path_is_told_by_its_name(native: Seed) -> None:
    report = traced(native, "no-such", "word")
    call = report.call(call="execve")
    assert (call["path"], call["error"]) == ("no-such", "ENOENT")
    assert report.one("end")["code"] == 127
    assert report.all("process")[0]["words"] == ["no-such", "word"]


def test_a_program_that_does_not_exist_is_told(native: Seed) -> None:
    report = traced(native, "/no/such")
    assert report.call(call="execve")["path"] == "/no/such"
    assert report.one("end")["code"] == 127


def test_a_search_path_is_told_with_what_was_found(native: Seed) -> None:
    environ = native.environ(PATH="/no/one:/no/two:/usr/bin")
    report = traced(native, "/usr/bin/env", "true", environ=environ)
    call = report.call(call="execve", path="/no/one/true")
    assert call["found"] == "/usr/bin/true"


def test_many_failures_are_bounded(native: Seed, tmp_path: Path) -> None:
    script = f"[open_(n) for n in range(10000)]; open('{tmp_path}/last')"
    begin = (
        "import os\ndef open_(n):\n try: os.open(f'/no/%s%d' % ('n' * 200, n), 0)\n"
        " except OSError: pass\n"
    )
    with native.held("spec", 4, PYTHON, "-S", "-c", begin + script):
        done = native.run("trace")
    assert len(done.stdout) < 512 << 10
    lines = [line for line in done.stdout.splitlines() if b'"kind":"call"' in line]
    assert len(lines) <= 256
    assert f"{tmp_path}/last".encode() in done.stdout
    assert b'"kind":"end"' in done.stdout.splitlines()[-1]
