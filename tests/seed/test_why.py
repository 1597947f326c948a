"""run-app --why, seed report, and what they keep secret."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.seed.conftest import Seed, ended, wait_until
from tests.seed.programs import PYTHON
from tests.seed.tracing import Report
from tests.support.patience import PATIENCE


@contextmanager
def explained(
    seed: Seed, script: str, *flags: str, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], Report]]:
    """Start run-app --why, and give it with its report."""
    held = seed.held("spec", 3, "/bin/sh", "-c", script, environ=environ)
    with held, ended(seed.start("run-app", "--why", *flags)) as process:
        path = seed.toolkit / "report"
        wait_until(path.exists, "the report")
        assert path.stat().st_mode & 0o777 == 0o600
        yield process, Report(path.read_bytes())


def write_answer(seed: Seed, text: bytes) -> None:
    """Answer as the client does."""
    (seed.toolkit / "answer.tmp").write_bytes(text)
    (seed.toolkit / "answer.tmp").rename(seed.toolkit / "answer")


def test_the_answer_is_shown(native: Seed) -> None:
    with explained(native, "echo out; cat /no/file; exit 3") as (process, report):
        assert report.call(path="/no/file") and report.one("end")["code"] == 3
        write_answer(native, "a missing file\n\x1b[31mé\x07 and more".encode())
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout) == (3, b"out\n")
    assert stderr.decode() == (
        "cat: /no/file: No such file or directory\na missing file\n\\x1b[31mé\\x07 and more\n"
    )
    assert not {path.name for path in native.toolkit.iterdir()} & {"report", "answer"}


def test_the_exit_code_is_the_app_s(native: Seed) -> None:
    with explained(native, "kill -TERM $$") as (process, report):
        assert report.one("end")["signal"] == "SIGTERM"
        write_answer(native, b"x")
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("flags", [("--for", "1"), ("--for", "0m1s"), ("--for=1s",)])
def test_its_time_may_be_limited(native: Seed, flags: tuple[str, ...]) -> None:
    with explained(native, "sleep 100", *flags) as (process, report):
        assert report.one("end")["running"] is True
        write_answer(native, b"x")
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 1


def test_the_stdin_is_the_app_s(native: Seed) -> None:
    with native.held("spec", 1, "cat"), ended(native.start("run-app", "--why")) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"one\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"one\n"
        process.stdin.close()
        wait_until((native.toolkit / "report").exists, "the report")
        write_answer(native, b"it runs")
        assert process.wait(PATIENCE) == 0


def test_an_old_answer_is_none(native: Seed) -> None:
    write_answer(native, b"old")
    with explained(native, "exit 3"):
        wait_until(lambda: not (native.toolkit / "answer").exists(), "that it is gone")


def test_at_a_terminal_the_client_is_told(native: Seed) -> None:
    with native.held("spec", 3, "/bin/sh", "-c", "exit 4"):
        words = native.command("run-app", "--why")
        child = pexpect.spawn(words[0], words[1:], env=native.environ(), timeout=PATIENCE)
        child.expect_exact("\x1b]7717;why\x07")
        write_answer(native, b"an answer\n")
        child.expect_exact("an answer\r\n")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 4


def test_an_interrupt_is_for_the_app(native: Seed) -> None:
    script = "trap 'echo got it; exit 7' INT; echo begun; while :; do sleep 1; done"
    with native.held("spec", 3, "/bin/sh", "-c", script):
        words = native.command("run-app", "--why")
        child = pexpect.spawn(words[0], words[1:], env=native.environ(), timeout=PATIENCE)
        child.expect("begun")
        child.sendintr()
        child.expect("got it")
        child.expect_exact("\x1b]7717;why\x07")
        write_answer(native, b"x")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 7


def test_an_interrupt_ends_the_wait_for_an_answer(native: Seed) -> None:
    with explained(native, "exit 3") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT


def test_a_stopped_app_goes_on(native: Seed) -> None:
    """As at a prompt: ^Z stops the job, and fg continues it."""
    script = "echo begun; sleep 1; echo over"
    with native.held("spec", 3, "/bin/sh", "-c", script):
        shell = pexpect.spawn(
            "bash", ["--norc", "-i"], env=native.environ(PS1="ready$ "), timeout=PATIENCE
        )
        shell.expect_exact("ready$ ")
        shell.sendline(" ".join(native.command("run-app", "--why", "--for", "60")))
        shell.expect_exact("begun\r\n")
        shell.sendcontrol("z")
        shell.expect_exact("Stopped")
        shell.expect_exact("ready$ ")
        shell.sendline("fg")
        shell.expect_exact("over\r\n")
        shell.expect_exact("\x1b]7717;why\x07")
        write_answer(native, b"x")
        shell.expect_exact("ready$ ")
        shell.close()


def test_the_help_has_it(native: Seed) -> None:
    told = native.run("run-app", "--help").stdout.decode()
    assert "--why" in told and "--for DURATION" in told


@pytest.mark.parametrize(
    "flags",
    [("--for",), *(("--for", word) for word in ("", "x", "-1", "0", "1x", "1s2", "s", "9" * 30))],
)
def test_a_time_that_is_none_is_refused(native: Seed, flags: tuple[str, ...]) -> None:
    done = native.run("run-app", "--why", *flags)
    assert done.returncode == 1 and b"--for" in done.stderr


@pytest.mark.parametrize("flags", [("--other",), ("--for", "x"), ("--mask-env",), ("word",)])
def test_wrong_flags_of_the_tracer_are_refused(native: Seed, flags: tuple[str, ...]) -> None:
    done = native.run("trace", *flags)
    assert done.returncode == 1 and done.stderr.startswith(b"usage: seed trace")


def test_other_arguments_are_passed(native: Seed) -> None:
    with native.held("spec", 3, "/bin/sh", "-c", "exit $0", "1"):
        report = Report(native.run("trace", "--for", "9", "--", "5").stdout)
    assert report.one("end")["code"] == 5


def test_a_target_that_is_not_held_is_not_traced(native: Seed) -> None:
    done = native.run("trace")
    assert (done.returncode, done.stdout) == (1, b"") and b"not on hold" in done.stderr


SECRET = "s3cret pass"
# Prints it, asks for a file of its name, and has it among its words.
TELLS = (
    "import os, sys; s = os.environ['PASSWORD']; print('it is', s, s, flush=True)\n"
    "sys.stderr.write(s * 2); sys.stderr.flush()\n"
    "os.access('/no/' + s, 0); os.execv('/bin/true', ['true', 'a' + s])"
)


def traced_with_secrets(seed: Seed, *flags: str, value: str = SECRET, script: str = TELLS) -> str:
    """Run a program that tells its secrets; return the report."""
    environ = seed.environ(PASSWORD=value, PLAIN="a plain value", DB_SERVICE_HOST="10.96.1.2")
    with seed.held("spec", 4, PYTHON, "-S", "-c", script, environ=environ):
        done = seed.run("trace", *flags)
    assert done.returncode == 0
    return done.stdout.decode()


def asked_for(report: Report) -> str:
    """Return the path that the program asks for."""
    (path,) = {str(line["path"]) for line in report.all("call") if line["path"].startswith("/no/")}
    return path


def test_without_flags_nothing_is_masked(native: Seed) -> None:
    assert traced_with_secrets(native).count(SECRET) >= 5


@pytest.mark.parametrize(
    "flags",
    [("--mask-env", "PASSWORD"), ("--mask-env-except", "PLAIN"), ("--mask-env-except", "x")],
)
def test_the_values_of_variables_are_masked(native: Seed, flags: tuple[str, ...]) -> None:
    told = traced_with_secrets(native, *flags)
    assert SECRET not in told
    report = Report(told.encode())
    assert report.one("output", stream="stdout")["text"] == "it is [masked] [masked]\n"
    assert report.text == "[masked][masked]"
    assert asked_for(report) == "/no/[masked]"
    assert report.all("process")[0]["words"] == ["true", "a[masked]"]
    assert "PASSWORD" in report.one("env")["names"]


def test_what_is_no_secret_is_not_masked(native: Seed) -> None:
    script = (
        "import os; print(os.environ['PLAIN'], os.environ['DB_SERVICE_HOST'], os.environ['PATH'])"
    )
    told = traced_with_secrets(native, "--mask-env-except", "PLAIN", script=script)
    assert f"a plain value 10.96.1.2 {native.environ()['PATH']}" in told
    told = traced_with_secrets(native, "--mask-env-except", "OTHER", script=script)
    assert f"[masked] 10.96.1.2 {native.environ()['PATH']}" in told


@pytest.mark.parametrize(
    "value", ['a"b\\c', "zwei\nlines", "tab\there", "é漢\U0001f600", "\udcff\udcfe\udcfd\udcfc"]
)
def test_a_secret_of_any_bytes_is_masked(native: Seed, value: str) -> None:
    report = Report(traced_with_secrets(native, "--mask-env", "PASSWORD", value=value).encode())
    assert asked_for(report) == "/no/[masked]"


def test_a_short_value_is_no_secret(native: Seed) -> None:
    report = Report(traced_with_secrets(native, "--mask-env", "PASSWORD", value="abc").encode())
    assert asked_for(report) == "/no/abc"


def test_a_word_of_the_report_is_not_masked(native: Seed) -> None:
    report = Report(traced_with_secrets(native, "--mask-env", "PASSWORD", value="access").encode())
    assert asked_for(report) == "/no/[masked]"


def test_secrets_that_overlap_are_masked_whole(native: Seed) -> None:
    script = "print('<abcdefgh>', '<abcdef>', '<efgh>')"
    environ = native.environ(ONE="abcdef", TWO="defgh", THREE="abcd")
    with native.held("spec", 4, PYTHON, "-S", "-c", script, environ=environ):
        flags = ("--mask-env", "ONE", "--mask-env", "TWO", "--mask-env", "THREE")
        report = Report(native.run("trace", *flags).stdout)
    assert report.one("output")["text"] == "<[masked]> <[masked]> <efgh>\n"


def test_a_secret_that_is_cut_off_is_masked(native: Seed) -> None:
    value = "".join(f"Q{n:03}z" for n in range(300))
    told = traced_with_secrets(native, "--mask-env", "PASSWORD", value=value)
    assert "Q001" not in told and "Q099" not in told
    script = "import os; print('x' * 20000 + os.environ['PASSWORD'] + 'y' * 7000)"
    told = traced_with_secrets(native, "--mask-env", "PASSWORD", value=value, script=script)
    assert "Q299" not in told and "y" * 7000 in told


def test_the_content_of_folders_is_masked(native: Seed) -> None:
    """As the kubelet mounts a Secret: links to a folder beside them."""
    folder = native.folder / "secret"
    (folder / "..2026").mkdir(parents=True)
    (folder / "..data").symlink_to("..2026")
    (folder / "..2026" / "key").write_text("first line\n  second line  \n")
    (folder / "key").symlink_to("..data/key")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "token").write_bytes(b"\xff\xfe\0token")
    os.mkfifo(folder / "fifo")
    script = (
        f"import os; print(open('{folder}/key').read() + '<second line> <other line>', flush=True)"
        "; os.write(1, b'<\\xff\\xfe\\0token>')"
    )
    told = traced_with_secrets(native, "--mask-folder", str(folder), script=script)
    text = Report(told.encode()).one("output", stream="stdout")["text"]
    assert text == "[masked]<[masked]> <other line>\n<[masked]>"


def test_the_report_is_printed_when_it_is_there(native: Seed) -> None:
    script = "echo $PASSWORD; exit 3"
    environ = native.environ(PASSWORD=SECRET)
    held = native.held("spec", 3, "/bin/sh", "-c", script, environ=environ)
    reading = native.start("report", "--mask-env", "PASSWORD")
    with held, ended(reading) as reader, ended(native.start("run-app", "--why")) as process:
        stdout, stderr = reader.communicate(timeout=PATIENCE)
        assert (reader.returncode, stderr) == (0, b"")
        report = Report(stdout)
        assert report.one("output")["text"] == "[masked]\n"
        assert report.one("end")["code"] == 3
        write_answer(native, b"x")
        stdout, _ = process.communicate(timeout=PATIENCE)
        assert stdout.decode() == f"{SECRET}\n"


def test_if_nobody_waits_for_the_report_it_ends(native: Seed) -> None:
    process = subprocess.Popen(
        native.command("report"), env=native.environ(), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(PATIENCE) == 1


def test_a_toolkit_that_cannot_be_written_is_told(native: Seed, tmp_path: Path) -> None:
    environ = native.environ(SCRATCH_TOOLKIT=str(tmp_path / "none"))
    with native.held("spec", 3, "/bin/sh", "-c", "exit 5"):
        done = native.run("run-app", "--why", environ=environ)
    assert done.returncode == 5
    assert done.stderr.decode().startswith(f"run-app: {tmp_path}/none: No such file")


@pytest.mark.parametrize(
    "content",
    [b'{"a', b'{"a":"\\', b'{"a":"\\u', b'{"a":"\\u00', b'"\\uzzzz', b"\0", b"\xff\xfe", b""],
)
def test_a_report_that_the_app_has_changed_does_no_harm(native: Seed, content: bytes) -> None:
    environ = native.environ(PASSWORD=SECRET)
    (native.toolkit / "report").write_bytes(content + SECRET.encode())
    with native.held("spec", 1, "/bin/true", environ=environ):
        done = native.run("report", "--mask-env", "PASSWORD")
    assert done.returncode == 0
