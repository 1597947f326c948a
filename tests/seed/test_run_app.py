"""run-app and show-app: the held app as its container would have started it.

Native only: of an emulated holder /proc shows the emulator's words first.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from kubectl_scratch.toolkit.archive import Entry
from tests.seed.conftest import Seed, ended, wait_until
from tests.support.patience import PATIENCE

ECHO = ("/bin/echo", "the app:")
UNKNOWN = "run-app: the image's command is unknown"
WAYS = "run-app: use debug --command 'WORDS', or debug --learn to discover it"


def link(seed: Seed, name: str) -> str:
    """Return a link to the seed by another name."""
    path = seed.folder / name
    path.symlink_to("seed")
    return str(path)


def told(done: subprocess.CompletedProcess[bytes]) -> tuple[int, str, str]:
    """Return what came of a command."""
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("known_from", ["spec", "user"])
def test_the_known_words_are_run(native: Seed, known_from: str) -> None:
    with native.held(known_from, 2, *ECHO, "a b", "", "$x"):
        assert told(native.run("run-app")) == (0, "the app: a b  $x\n", "")
        assert told(native.run("run-app", "--", "c", "--strace")) == (
            0,
            "the app: c --strace\n",
            "",
        )
        assert told(native.run("run-app", "--")) == (0, "the app:\n", "")


def test_it_goes_by_its_name(native: Seed) -> None:
    command = [link(native, "run-app"), "--", "x"]
    with native.held("spec", 2, *ECHO):
        assert subprocess.check_output(command, env=native.environ()) == b"the app: x\n"


def test_the_learned_words_are_run(native: Seed) -> None:
    native.receive(Entry("learned", b"/bin/echo\0the app:\0", 0o644))
    with native.held("image", 0, "own"):
        assert told(native.run("run-app")) == (0, "the app: own\n", "")
        assert told(native.run("run-app", "--", "other")) == (0, "the app: other\n", "")


def test_of_learned_words_without_arguments_of_the_pod_s_the_arguments_are_not_known(
    native: Seed,
) -> None:
    native.receive(Entry("learned", b"/bin/echo\0the app:\0", 0o644))
    with native.held("image", 0):
        assert told(native.run("run-app")) == (0, "the app:\n", "")
        code, stdout, stderr = told(native.run("run-app", "--", "other"))
    assert (code, stdout) == (1, "")
    assert stderr == (
        "run-app: it is unknown where the arguments in the image's command begin;"
        " use debug --command\n"
    )


def test_a_watched_run_that_could_not_be_stopped_is_told(native: Seed) -> None:
    native.receive(Entry("unstopped", b""), Entry("learned", b"/bin/echo\0", 0o644))
    line = "seed: the app in the temporary pod could not be killed at once\n"
    with native.held("image", 0, "own"):
        assert told(native.run("run-app")) == (0, "own\n", line)
        assert told(native.run("show-app"))[2] == line


def test_an_image_without_an_entrypoint_runs_the_arguments(native: Seed) -> None:
    native.receive(Entry("learned", b"", 0o644))
    with native.held("image", 0, *ECHO):
        assert told(native.run("run-app")) == (0, "the app:\n", "")


def test_what_is_not_known_is_told_with_the_ways_out(native: Seed) -> None:
    with native.held("image", 0, "own"):
        assert told(native.run("run-app")) == (1, "", f"{UNKNOWN}\n{WAYS}\n")
        native.receive(Entry("unlearned", b"nothing ran\n", 0o644))
        assert told(native.run("run-app")) == (1, "", f"{UNKNOWN}: nothing ran\n{WAYS}\n")


@pytest.mark.parametrize(
    "entry, wanted",
    [
        (Entry("learned", b"/bin/echo\0", 0o644), (0, b"own\n", b"")),
        (Entry("unlearned", b"no luck", 0o644), (1, b"", f"{UNKNOWN}: no luck\n{WAYS}\n".encode())),
    ],
)
def test_it_waits_while_the_command_is_being_learned(
    native: Seed, entry: Entry, wanted: tuple[int, bytes, bytes]
) -> None:
    native.receive(Entry("learning", b""))
    with native.held("image", 0, "own"), ended(native.start("run-app")) as process:
        assert waits(process)
        native.receive(entry)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stdout, stderr) == wanted


def waits(process: subprocess.Popen[bytes]) -> bool:
    """Say whether run-app tells that it waits."""
    assert process.stderr is not None
    line = process.stderr.readline()
    return line == b"run-app: waiting for the image's command to be discovered\n"


def test_the_wait_can_be_interrupted(native: Seed) -> None:
    native.receive(Entry("learning", b""))
    with native.held("image", 0), ended(native.start("run-app")) as process:
        assert waits(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT


def test_the_environment_is_the_app_s(native: Seed) -> None:
    environ = native.environ(EMPTY="", LINES="a\nb", EQUALS="a=b=c", PATH="/bin")
    with native.held("spec", 2, "cat", "/proc/self/environ", environ=environ):
        done = native.run("run-app", environ=native.environ(MINE="1", ENV="x"))
    assert done.stdout.decode().split("\0") == [*(f"{k}={v}" for k, v in environ.items()), ""]


def test_the_directory_is_the_app_s(native: Seed, tmp_path: Path) -> None:
    with native.held("spec", 1, "/bin/pwd", cwd=str(tmp_path)):
        assert told(native.run("run-app")) == (0, f"{tmp_path}\n", "")


def test_a_directory_that_can_t_be_entered_is_told(native: Seed) -> None:
    folder = native.folder / "closed"
    folder.mkdir(0o755)
    with native.held("spec", 1, "/bin/pwd", cwd=str(folder), user=54321):
        folder.chmod(0o700)
        code, stdout, stderr = told(native.run("run-app", user=54321))
    assert (code, stdout) == (1, "")
    assert stderr == (
        "run-app: cannot enter the app's working directory: Permission denied;"
        " a new session begins in it\n"
    )


def test_a_directory_that_the_session_begins_in_need_not_be_entered(native: Seed) -> None:
    folder = native.folder / "closed"
    folder.mkdir(0o755)
    how: Any = {"cwd": str(folder), "user": 54321}
    with native.held("spec", 2, *ECHO, **how):
        folder.chmod(0o700)
        with ended(native.start("run-app", **how)) as process:
            assert process.communicate(timeout=PATIENCE) == (b"the app:\n", b"")


def test_any_user_may_run_it(native: Seed) -> None:
    with native.held("spec", 2, "/usr/bin/id", "-u", user=54321):
        assert told(native.run("run-app", user=54321)) == (0, "54321\n", "")


def test_the_program_is_looked_up_on_the_app_s_path(native: Seed) -> None:
    folder = native.folder / "apps"
    folder.mkdir()
    (folder / "my-app").write_text("#!/bin/sh\nexit 9\n")
    (folder / "my-app").chmod(0o755)
    with native.held("spec", 1, "my-app", environ=native.environ(PATH=f"/x:{folder}")):
        assert native.run("run-app").returncode == 9


@pytest.mark.parametrize(
    "program, code, said",
    [
        ("no-such", 127, "no-such: no such file"),
        ("/no/such", 127, "/no/such: no such file"),
        ("/etc/passwd", 126, "/etc/passwd: Permission denied"),
        ("./lonely", 127, "./lonely is there, but its interpreter or loader is not"),
        ("./other", 126, "./other: Exec format error"),
    ],
)
def test_what_can_t_be_run_is_told(native: Seed, program: str, code: int, said: str) -> None:
    for name, content in (("lonely", "#!/no/such\n"), ("other", "\x7fELF other")):
        (native.folder / name).write_text(content)
        (native.folder / name).chmod(0o755)
    with native.held("spec", 1, program, cwd=str(native.folder)):
        assert told(native.run("run-app")) == (code, "", f"run-app: {said}\n")


def test_its_exit_code_is_the_app_s(native: Seed) -> None:
    with native.held("spec", 2, "/bin/sh", "-c", "exit $0", "42"):
        assert native.run("run-app").returncode == 42
        assert native.run("run-app", "--", "kill -9 $$").returncode == -signal.SIGKILL


# The number of rt_sigaction, and 32, which the C libraries keep for themselves.
SIGACTION, PRIVATE = {"x86_64": 13, "aarch64": 134}[os.uname().machine], 32


def test_signals_are_as_at_the_start_of_a_container(native: Seed) -> None:
    def spoil() -> None:
        ignore = (ctypes.c_ulong * 4)(int(signal.SIG_IGN))
        assert ctypes.CDLL(None).syscall(SIGACTION, PRIVATE, ignore, None, 8) == 0
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

    with native.held("spec", 3, "/bin/grep", "^Sig[BI]", "/proc/self/status"):
        command = native.command("run-app")
        said = subprocess.check_output(command, env=native.environ(), preexec_fn=spoil)
    assert [line.split() for line in said.decode().splitlines()] == [
        ["SigBlk:", "0" * 16],
        ["SigIgn:", "0" * 16],
    ]


def test_an_interrupt_at_the_terminal_reaches_the_app(native: Seed) -> None:
    script = "trap 'echo got it; exit 7' INT; echo begun; while :; do sleep 1; done"
    with native.held("spec", 3, "/bin/sh", "-c", script):
        words = native.command("run-app")
        child = pexpect.spawn(words[0], words[1:], env=native.environ(), timeout=PATIENCE)
        child.expect("begun")
        child.sendintr()
        child.expect("got it")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 7


def test_strace_gets_the_app(native: Seed) -> None:
    native.receive(Entry("bin/strace", b'#!/bin/sh\necho "strace $* WHO=$WHO"\n'))
    path = f"/x:{native.toolkit}/bin"
    with native.held("spec", 2, *ECHO, "own", environ=native.environ(WHO="app")):
        done = native.run("run-app", "--strace", environ=native.environ(PATH=path))
        assert told(done) == (0, "strace -f /bin/echo the app: own WHO=app\n", "")
        done = native.run("run-app", "--strace", "--", "other", environ=native.environ(PATH=path))
        assert told(done) == (0, "strace -f /bin/echo the app: other WHO=app\n", "")
        code, _, stderr = told(native.run("run-app", "--strace", environ=native.environ(PATH="/x")))
    assert code == 127
    assert stderr == "run-app: strace not found; use debug --toolkit-file to bring one\n"


def test_a_target_that_is_not_held_is_told(native: Seed) -> None:
    code, _, stderr = told(native.run("run-app"))
    assert code == 1
    assert stderr == (
        "run-app: the target is not on hold and runs its own command; use debug --hold\n"
    )


def test_a_holder_that_is_gone_holds_nothing(native: Seed) -> None:
    with native.held("spec", 2, *ECHO):
        pass
    assert native.run("run-app").stderr.startswith(b"run-app: the target is not on hold")


BESIDE = "kubectl scratch attach COPY --view app"


def besides(seed: Seed) -> Seed:
    """Return the seed as in another container that shares the target's processes."""
    return Seed(seed.folder, (), ("unshare", "--mount"))


def test_beside_the_target_the_app_is_not_run(native: Seed) -> None:
    with native.held("spec", 2, *ECHO):
        code, stdout, stderr = told(besides(native).run("run-app"))
    assert (code, stdout) == (1, "")
    assert stderr == f"run-app: this shell is beside the target; use {BESIDE}\n"


def test_beside_the_target_what_is_known_is_shown(native: Seed, tmp_path: Path) -> None:
    with native.held("spec", 1, "app", "x", cwd=str(tmp_path)):
        assert shown(besides(native)) == [
            "command: app x",
            "from: the pod's spec",
            f"directory: {tmp_path}",
        ]


def test_beside_the_target_the_way_to_what_is_learned_is_told(native: Seed) -> None:
    native.receive(Entry("learned", b"other", 0o644))
    elsewhere = f"command: unknown here; use {BESIDE}, then show-app"
    with native.held("image", 0, "x"):
        assert shown(besides(native)) == [elsewhere, "directory: /"]


def test_the_holder_of_another_copy_is_not_taken_for_its_own(native: Seed) -> None:
    # With the node's processes the copies of others are in sight, and the oldest is first.
    with besides(native).held("spec", 1, "/bin/false"), native.held("spec", 2, *ECHO):
        assert told(native.run("run-app")) == (0, "the app:\n", "")
        assert shown(native)[0] == "command: /bin/echo 'the app:'"


UNSAFE = [
    (b"\xc2\x9b31m", r"$'\xc2\x9b31m'"),
    (b"\xc2\x9d0;title\xc2\x9c", r"$'\xc2\x9d0;title\xc2\x9c'"),
    (b"\x9b31m", r"$'\x9b31m'"),
    (b"\x9d0;x\x9c", r"$'\x9d0;x\x9c'"),
    (b"a\xe2\x80\xaeb", r"$'a\xe2\x80\xaeb'"),
    (
        b"\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad",
        r"$'\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad'",
    ),
    (
        b"\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
        r"$'\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9'",
    ),
    (b"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", r"$'\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c'"),
    (b"\xe2\x80\xa8\xe2\x80\xa9", r"$'\xe2\x80\xa8\xe2\x80\xa9'"),
    # What is no UTF-8, in a longer form than it has, cut off.
    (b"\xe0\x82\x9b", r"$'\xe0\x82\x9b'"),
    (b"\xc1\x9b", r"$'\xc1\x9b'"),
    (b"\xf8\x80\x80\x82\x9b", r"$'\xf8\x80\x80\x82\x9b'"),
    (b"\xed\xa0\x80", r"$'\xed\xa0\x80'"),
    (b"x\xe2\x80", r"$'x\xe2\x80'"),
    (b"\xff", r"$'\xff'"),
    (b"it's\xc2\x9b", r"$'it\'s\xc2\x9b'"),
    # Letters of any script stay as they are.
    ("é ß 漢字 \U0001f600 עברית".encode(), "'é ß 漢字 \U0001f600 עברית'"),
]


@pytest.mark.parametrize(("word", "seen"), UNSAFE)
def test_no_word_of_an_app_acts_on_the_terminal(native: Seed, word: bytes, seen: str) -> None:
    with native.held("spec", 2, "app", os.fsdecode(word)):
        assert native.run("show-app").stdout.splitlines()[0].decode() == f"command: app {seen}"
        # A shell makes of it what it was.
        again = subprocess.check_output(["bash", "-c", f"printf %s {seen}"])
        assert again == word


def test_nor_does_a_message(native: Seed) -> None:
    escape = "\x1b]0;x\a\x9b\u202eé"
    shown = r"\x1b]0;x\x07\xc2\x9b\xe2\x80\xaeé"
    with native.held("spec", 1, f"/no/{escape}"):
        assert told(native.run("run-app"))[2] == f"run-app: /no/{shown}: no such file\n"
    native.receive(Entry("unlearned", escape.encode(), 0o644))
    with native.held("image", 0):
        assert f"known: {shown}\n" in told(native.run("run-app"))[2]
        assert f"from: the image, unknown: {shown}\n" in told(native.run("show-app"))[1]


def test_what_an_app_says_of_itself_does_nothing_to_the_terminal(native: Seed) -> None:
    with native.held("spec", 3, "app", "\x1b]0;title\a", "it's\nfrom: \\"):
        command, *rest = shown(native)
    assert command == r"command: app $'\x1b]0;title\x07' $'it\'s\x0afrom: \\'"
    words = words_of(command.removeprefix("command: "))
    assert words == ["app", "\x1b]0;title\a", "it's\nfrom: \\"]
    assert rest == ["from: the pod's spec", "directory: /"]


def words_of(line: str) -> list[str]:
    """Return the words that bash takes a line for."""
    script = f"printf '%s\\0' {line}"
    return subprocess.check_output(["bash", "-c", script], text=True).split("\0")[:-1]


def test_an_unknown_flag_is_refused(native: Seed) -> None:
    code, stdout, stderr = told(native.run("run-app", "--other"))
    assert (code, stdout) == (1, "") and "--other" in stderr and stderr.count("\n") == 1


def test_it_has_help(native: Seed) -> None:
    code, stdout, stderr = told(native.run("run-app", "--help"))
    assert (code, stderr) == (0, "") and stdout.startswith(
        "run-app [--strace | --why [--for DURATION]] [-- ARGS...]\n"
    )


def shown(seed: Seed) -> list[str]:
    """Return the lines of show-app."""
    code, stdout, stderr = told(seed.run("show-app"))
    assert (code, stderr) == (0, "")
    return stdout.splitlines()


def test_what_is_known_is_shown(native: Seed, tmp_path: Path) -> None:
    with native.held("spec", 1, "app", "a b", "it's", "", "--x=/y,z:1", cwd=str(tmp_path)):
        assert shown(native) == [
            """command: app 'a b' 'it'\\''s' '' --x=/y,z:1""",
            "from: the pod's spec",
            f"directory: {tmp_path}",
        ]


def test_the_user_s_command_is_shown(native: Seed) -> None:
    command = [link(native, "show-app")]
    with native.held("user", 1, "app", "own"):
        said = subprocess.check_output(command, env=native.environ()).decode()
    assert said == "command: app own\nfrom: --command\ndirectory: /\n"


def test_what_is_known_of_an_image_is_shown(native: Seed) -> None:
    unknown = ["command: unknown", "arguments: own words"]
    with native.held("image", 0, "own", "words"):
        assert shown(native) == [*unknown, "from: the image, unknown", "directory: /"]
        native.receive(Entry("learning", b""))
        assert shown(native) == [*unknown, "from: the image, being discovered", "directory: /"]
        native.receive(Entry("unlearned", b"no luck\n"))
        assert shown(native)[2] == "from: the image, unknown: no luck"
        native.receive(Entry("learned", b"app\0"))
        assert shown(native) == [
            "command: app own words",
            "from: entrypoint discovery",
            "directory: /",
        ]


def test_of_a_running_target_its_first_process_is_shown(
    native: Seed, cell: Callable[..., Seed]
) -> None:
    native.make_ready()
    inside = cell("sleep", "10000")
    # The session's own processes are not the app.
    done = inside.run("enter", "--", "sh", "-c", f"{native.folder}/seed show-app; true")
    lines = ["command: sleep 10000", "from: the running process", "directory: /"]
    assert told(done) == (0, "".join(f"{line}\n" for line in lines), "")


def test_beside_an_idle_seed_no_app_is_shown(native: Seed, cell: Callable[..., Seed]) -> None:
    native.make_ready()
    inside = cell(str(native.folder / "seed"), "idle", "0")
    done = inside.run("enter", "--", "sh", "-c", f"{native.folder}/seed show-app; true")
    elsewhere = f"command: unknown here; use {BESIDE}, then show-app\n"
    assert told(done) == (0, elsewhere, "")


def test_the_first_to_wait_is_told_once(native: Seed) -> None:
    native.receive(Entry("learning", b""))
    with native.held("image", 0), ended(native.start("run-app")) as process:
        assert waits(process)
        pid = process.pid
        before = switches(pid)
        wait_until(lambda: switches(pid) > before + 3, "that it looks again")
        # Who learns is gone, or can't tell.
        os.utime(native.toolkit / "learning", times=(0, time.time() - 301))
        assert process.communicate(timeout=PATIENCE)[1].decode() == f"{UNKNOWN}\n{WAYS}\n"


def switches(pid: int) -> int:
    """Return how often a process has waited for something."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith("voluntary_ctxt_switches:"))
    return int(found.split()[1])
