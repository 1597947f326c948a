"""The tracer: processes, signals, limits, and how a run ends."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.seed.conftest import Seed, ended, wait_until
from tests.seed.programs import PYTHON, compiled
from tests.seed.tracing import Report, traced
from tests.support.patience import PATIENCE


def python(seed: Seed, script: str, *flags: str) -> Report:
    """Run a program of Python's."""
    return traced(seed, PYTHON, "-S", "-c", f"import os, sys, time\n{script}", flags=flags)


def shell(seed: Seed, script: str, *flags: str) -> Report:
    """Run a program of the shell's."""
    return traced(seed, "/bin/sh", "-c", script, flags=flags)


def test_the_end_of_each_process_is_told(native: Seed) -> None:
    report = shell(native, "sh -c 'exit 3'; (exit 4); sh -c 'kill -TERM $$'; exit 5")
    first, *others = report.all("process")
    assert [line.get("code", line.get("signal")) for line in others] == [3, 4, "SIGTERM"]
    assert all(line["parent"] == first["pid"] for line in others)
    assert others[0]["words"] == ["sh", "-c", "exit 3"]
    assert others[1]["words"] == first["words"] and first["code"] == 5
    assert first["at"] <= others[0]["at"] <= others[0]["end"] <= first["end"]


def test_the_run_is_told(native: Seed) -> None:
    environ = native.environ(EMPTY="", WHO="x", SCRATCH_TOOLKIT=str(native.toolkit))
    report = traced(native, "/bin/true", "a b", environ=environ, cwd="/usr")
    run = report.one("run")
    assert (run["words"], run["folder"], run["version"]) == (["/bin/true", "a b"], "/usr", 1)
    assert report.lines[0] is run and "untraced" not in run
    env = report.one("env")
    assert set(env["names"]) == set(environ) and env["empty"] == ["EMPTY"]
    assert report.one("end")["code"] == 0


def test_a_segmentation_fault_is_told(native: Seed) -> None:
    report = traced(native, compiled("*(volatile int *)0x1234 = 1;"))
    line = report.one("signal")
    assert (line["signal"], line["code"], line["address"]) == ("SIGSEGV", "SEGV_MAPERR", "0x1234")
    assert line["fatal"] is True and "/fault+0x" in line["in"]
    assert report.one("end")["signal"] == "SIGSEGV"


def test_an_address_that_the_kernel_does_not_tell_is_not_null(native: Seed) -> None:
    line = traced(native, compiled("*(volatile int *)(1ul << 63) = 1;")).one("signal")
    assert line["signal"] == "SIGSEGV" and line.get("address") != "0x0"


@pytest.mark.parametrize(
    ("body", "name"),
    [("abort();", "SIGABRT"), ("__builtin_trap();", "SIGILL"), ("raise(SIGFPE);", "SIGFPE")],
)
def test_a_signal_of_its_own_is_told(native: Seed, body: str, name: str) -> None:
    report = traced(native, compiled(body))
    assert report.one("signal")["signal"] == name == report.one("end")["signal"]


def test_a_fault_that_is_handled_is_told_beside_the_end(native: Seed) -> None:
    script = "import faulthandler; faulthandler.enable(); import ctypes; ctypes.string_at(1)"
    report = python(native, script)
    report.one("signal", fatal=True, address="0x1")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_kills_is_told(native: Seed, number: int) -> None:
    report = shell(native, f"sh -c 'sleep 100' & sleep .2; kill -{int(number)} $!; wait $!; exit 9")
    name = signal.Signals(number).name
    line = report.one("signal", signal=name)
    assert line["fatal"] is True and line["sender"] == report.one("end")["pid"]
    assert report.one("process", signal=name)["pid"] == line["pid"]
    assert report.one("end")["code"] == 9


def test_signals_reach_the_app_unchanged(native: Seed) -> None:
    script = """
import signal, threading
seen = []
for number in (signal.SIGUSR1, signal.SIGTRAP, signal.SIGCHLD, signal.SIGRTMIN, signal.SIGTERM):
    signal.signal(number, lambda number, _: seen.append(number))
    os.kill(os.getpid(), number)
assert seen == [10, 5, 17, 34, 15], seen
signal.signal(signal.SIGSYS, lambda *_: seen.append(0))
os.kill(os.getpid(), signal.SIGSYS)
pid = os.fork()
if not pid:
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(7)
assert os.WSTOPSIG(os.waitpid(pid, os.WUNTRACED)[1]) == signal.SIGSTOP
time.sleep(.1)
assert os.waitpid(pid, os.WNOHANG) == (0, 0)
os.kill(pid, signal.SIGCONT)
assert os.WIFCONTINUED(os.waitpid(pid, os.WCONTINUED)[1])
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
"""
    report = python(native, script)
    assert report.text == "" and report.one("end")["code"] == 0


def test_threads_are_no_processes(native: Seed) -> None:
    script = """
import threading
def fail(n):
    try: open(f'/no/thread-{n}')
    except OSError: pass
threads = [threading.Thread(target=fail, args=(n,)) for n in range(50)]
for t in threads: t.start()
for t in threads: t.join()
"""
    report = python(native, script)
    assert len(report.all("process")) == 1
    found = [c for c in report.all("call") if c.get("path", "").startswith("/no/thread-")]
    assert len(found) == 50


def test_a_thread_may_become_a_program(native: Seed) -> None:
    script = (
        "import threading\n"
        "for _ in range(5): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        "threading.Thread(target=os.execv, args=('/bin/sh', ['sh', '-c', 'cat /no/file; exit 6']))"
        ".start(); time.sleep(9)"
    )
    report = python(native, script)
    assert report.one("end")["code"] == 6
    report.call(path="/no/file")
    assert report.all("process")[0]["words"][0] == "sh"


def test_a_process_that_gives_up_its_rights_is_still_seen(native: Seed) -> None:
    """As a server's workers: the tracer may not look at them, but has begun to before."""
    body = (
        'if (!fork()) { setgid(54321); setuid(54321); return open("/no/file", O_RDONLY) < 0; }'
        "int status; wait(&status); return WEXITSTATUS(status);"
    )
    caps = ("--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace")
    report = traced(Seed(native.folder, (), ("setpriv", *caps)), compiled(body))
    assert report.one("end")["code"] == 1
    report.call(path="/no/file", error="ENOENT")


def test_a_child_by_vfork_is_seen(native: Seed) -> None:
    script = "import subprocess; sys.exit(subprocess.call(['/bin/cat', '/no/file']) + 1)"
    report = python(native, script)
    assert report.one("end")["code"] == 2
    assert report.all("process")[1]["words"] == ["/bin/cat", "/no/file"]


def test_what_outlives_the_app_is_killed(native: Seed) -> None:
    report = shell(native, "setsid sleep 987 & setsid sh -c 'sleep 987 & sleep 987' & sleep .3")
    pids = [line["pid"] for line in report.all("process")]
    assert len(pids) >= 4 and not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert report.one("end")["code"] == 0


def test_a_run_is_ended_when_its_time_is_over(native: Seed) -> None:
    report = shell(native, "echo begun; sleep 100 & read x < /dev/zero; wait", "--for", "1")
    end = report.one("end")
    assert end["running"] is True and 900 < end["elapsed"] < 20000
    assert report.one("output")["text"] == "begun\n"
    calls = {wait["call"] for wait in end["waits"]}
    assert calls & {"clock_nanosleep", "nanosleep"}
    assert not [pid for pid in report.all("process") if Path(f"/proc/{pid['pid']}").exists()]


def test_a_lock_that_is_held_is_told(native: Seed, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begin = f"import fcntl; f = open('{path}', 'w'); fcntl.flock(f, fcntl.LOCK_EX"
        call = python(native, f"{begin} | fcntl.LOCK_NB)").call(call="flock")
        assert (call["path"], call["error"]) == (str(path), "EAGAIN")
        (wait,) = python(native, f"{begin})", "--for", "1").one("end")["waits"]
        assert (wait["call"], wait["path"]) == ("flock", str(path))


def test_a_fork_bomb_is_bounded(native: Seed) -> None:
    script = "i=0; while [ $i -lt 1500 ]; do /bin/true & i=$((i+1)); done; wait; exit 8"
    with native.held("spec", 3, "/bin/sh", "-c", script):
        done = native.run("trace")
    report = Report(done.stdout)
    assert len(report.all("process")) <= 512 and len(done.stdout) < 512 << 10
    assert report.one("end")["code"] == 8 and report.one("end")["dropped"] > 900
    assert report.all("process")[0]["pid"] == report.one("end")["pid"]


def test_too_many_files_are_told(native: Seed) -> None:
    script = "import resource; resource.setrlimit(7, (20, 20))\nwhile 1: os.open('/dev/null', 0)"
    assert python(native, script).call(error="EMFILE")["path"] == "/dev/null"


def test_too_many_processes_are_told(native: Seed) -> None:
    body = (
        "struct rlimit none = {0, 0}; setrlimit(RLIMIT_NPROC, &none);"
        "if (setuid(54321)) return 2; return fork() < 0 ? 3 : 4;"
    )
    report = traced(native, compiled(body))
    assert report.one("end")["code"] == 3
    assert report.call(error="EAGAIN")["call"] in ("fork", "clone")


def test_memory_that_is_refused_is_told(native: Seed) -> None:
    script = (
        "import resource, mmap; resource.setrlimit(9, (1 << 30, 1 << 30)); mmap.mmap(-1, 1 << 32)"
    )
    call = python(native, script).call(call="mmap")
    assert (call["error"], call["size"]) == ("ENOMEM", 1 << 32)


def test_a_full_volume_is_told(native: Seed) -> None:
    assert os.geteuid() == 0
    write = "import os; f = os.open('full', 65); [os.write(f, bytes(4096)) for _ in range(99)]"
    script = 'mount -t tmpfs -o size=64k tmpfs $0 && cd $0 && exec $1 -S -c "$2"'
    words = ("unshare", "-m", "sh", "-c", script, str(native.toolkit), PYTHON, write)
    report = traced(native, *words)
    call = report.call(error="ENOSPC")
    assert call["call"] == "write" and call["path"].endswith("toolkit/full")


@pytest.mark.parametrize(
    ("script", "members"),
    [
        ("os.setuid(0)", {"call": "setuid", "error": "EPERM", "arguments": [0]}),
        ("os.setgroups([])", {"call": "setgroups", "error": "EPERM"}),
        ("os.chown('/etc/passwd', 1, 2)", {"call": "chown", "error": "EPERM"}),
        ("time.clock_settime(0, 1)", {"call": "clock_settime", "error": "EPERM"}),
        ("socket.sethostname('x')", {"call": "sethostname", "error": "EPERM"}),
        ("resource.setrlimit(7, (1 << 40,) * 2)", {"call": "prlimit64"}),
    ],
)
def test_what_is_not_permitted_is_told(
    native: Seed, script: str, members: dict[str, object]
) -> None:
    begin = "import os, time, socket, resource; os.setresgid(5, 5, 5); os.setresuid(5, 5, 5); "
    call = python(native, begin + script).call(call=members["call"])
    assert {key: call[key] for key in members} == members


def test_a_program_that_traces_itself_is_run_without(native: Seed) -> None:
    body = 'if (ptrace(PTRACE_TRACEME, 0, 0, 0)) return 1; puts("traced"); return 4;'
    report = traced(native, compiled(body))
    assert report.one("run")["untraced"] == "it traces itself"
    assert report.one("end")["code"] == 4 and report.one("output")["text"] == "traced\n"
    assert not report.all("process") and not report.all("call")


def test_a_program_with_privileges_of_its_own_is_run_without(native: Seed) -> None:
    program = native.folder / "mine"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)
    report = traced(native, "/bin/sh", "-c", f"{program} -u; exit 2", user=54321)
    assert report.one("run")["untraced"] == f"setuid: {program}"
    assert report.one("output")["text"] == "0\n" and report.one("end")["code"] == 2


def test_without_the_right_to_gain_privileges_it_is_traced(native: Seed) -> None:
    program = native.folder / "mine"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)
    with native.held("spec", 2, str(program), "-u", user=54321):
        inside = Seed(native.folder, (), ("setpriv", "--reuid=54321", "--no-new-privs"))
        report = Report(inside.run("trace").stdout)
    assert "untraced" not in report.one("run") and report.one("output")["text"] == "54321\n"


def filtering(call: str, action: str) -> str:
    """Return code that sets a filter, which does something at a call; clone's, for namespaces."""
    asked = "{32, 0, 0, 16}, {69, 0, 1, 0x10000000}," if call == "clone" else ""
    return (
        f"struct sock_filter f[] = {{{{32, 0, 0, 0}}, {{21, 0, {3 if asked else 1}, SYS_{call}}},"
        f" {asked} {{6, 0, 0, {action}}},"
        " {6, 0, 0, 0x7fff0000}}; struct sock_fprog p = {sizeof f / sizeof *f, f};"
        "prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); prctl(PR_SET_SECCOMP, 2, &p);"
    )


def denying(seed: Seed, call: str) -> Seed:
    """Return a seed in a container whose filter denies a call."""
    body = filtering(call, "0x50001") + "execv(words[1], words + 1); return 1;"
    return Seed(seed.folder, (), (compiled(body),))


def test_where_tracing_is_refused_it_is_run_without(native: Seed) -> None:
    with native.held("spec", 3, "/bin/sh", "-c", "echo ran; exit 3"):
        report = Report(denying(native, "ptrace").run("trace").stdout)
    assert report.one("run")["untraced"] == "refused: Operation not permitted"
    assert report.one("output")["text"] == "ran\n" and report.one("end")["code"] == 3


def test_where_a_filter_is_refused_it_is_run_without(native: Seed) -> None:
    with native.held("spec", 3, "/bin/sh", "-c", "echo ran; exit 3"):
        inside = denying(native, "prctl")
        report = Report(inside.run("trace").stdout)
    assert report.one("run")["untraced"] == "refused: Operation not permitted"
    assert report.one("output")["text"] == "ran\n" and report.one("end")["code"] == 3


def test_an_untraced_program_that_cannot_be_started_is_told(native: Seed) -> None:
    with native.held("spec", 1, "/no/such"):
        report = Report(denying(native, "ptrace").run("trace").stdout)
    assert report.call(call="execve")["path"] == "/no/such" and report.one("end")["code"] == 127


@pytest.mark.parametrize(
    ("call", "made"),
    [
        ("mount", 'mount("from", "/to", "tmpfs", 0, 0)'),
        ("unshare", "unshare(CLONE_NEWUSER)"),
        ("clone", "syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)"),
    ],
)
@pytest.mark.parametrize(
    "way", ["", "signal(SIGSYS, SIG_IGN);", "sigset_t s; sigfillset(&s); sigprocmask(0, &s, 0);"]
)
def test_a_call_that_the_container_denies_is_told(
    native: Seed, call: str, made: str, way: str
) -> None:
    body = f"{way} return {made} < 0 && errno == EPERM ? 7 : 8;"
    with native.held("spec", 1, compiled(body)):
        report = Report(denying(native, call).run("trace").stdout)
    assert report.one("end")["code"] == 7 and not report.all("signal")
    line = report.call(call=call)
    assert (line["error"], line["count"]) == ("EPERM", 1)
    if call == "mount":
        assert (line["path"], line["arguments"]) == ("/to", ["from", "tmpfs"])


def test_where_no_process_is_left_for_the_app_that_is_told(native: Seed) -> None:
    limited = Seed(native.folder, (), ("prlimit", "--nproc=1"))
    with native.held("spec", 1, "/bin/true", user=54321):
        report = Report(limited.run("trace", user=54321).stdout)
    assert report.call(call="fork")["error"] == "EAGAIN" and report.one("end")["code"] == 126


def test_a_call_that_kills_is_told(native: Seed) -> None:
    trapped, killed = (
        traced(native, compiled(filtering("chroot", action) + 'chroot("/");'))
        for action in ("0x30000", "0x80000000")
    )
    line = trapped.one("signal")
    assert (line["signal"], line["code"], line["call"]) == ("SIGSYS", "SYS_SECCOMP", "chroot")
    assert line["fatal"] is True
    assert killed.one("end")["signal"] == "SIGSYS"


def test_much_output_is_bounded(native: Seed) -> None:
    script = "for i in range(30000): print('line', i, 'x' * 100)"
    report = python(native, script)
    line = report.one("output", stream="stdout")
    assert line["bytes"] > 3_000_000 and len(line["text"]) <= 8192
    assert line["text"].startswith("line ") and line["text"].endswith(
        "line 29999 " + "x" * 100 + "\n"
    )


def test_the_app_has_no_terminal_and_no_stdin(native: Seed) -> None:
    report = shell(native, "cat; [ -c /dev/tty ] && (: < /dev/tty) 2>/dev/null || exit 3")
    assert report.one("end")["code"] == 3


def test_a_kill_of_its_group_is_not_ours(native: Seed) -> None:
    report = shell(native, "kill -KILL 0")
    assert report.one("end")["signal"] == "SIGKILL"


def test_a_signal_to_the_tracer_ends_the_run(native: Seed) -> None:
    held = native.held("spec", 3, "/bin/sh", "-c", f"touch {native.toolkit}/begun; sleep 100")
    with held, ended(native.start("trace")) as process:
        wait_until((native.toolkit / "begun").exists, "that it runs")
        process.terminate()
        stdout, _ = process.communicate(timeout=PATIENCE)
    assert Report(stdout).one("end")["running"] is True


def test_if_nobody_reads_the_report_the_run_ends(native: Seed) -> None:
    with native.held("spec", 2, "/bin/sleep", "1000"):
        process = subprocess.Popen(
            native.command("trace", "--for", "900"), env=native.environ(), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.close()
        process.wait(PATIENCE)


def test_a_killed_tracer_leaves_nothing(native: Seed) -> None:
    with native.held("spec", 2, "/bin/sleep", "1000"), ended(native.start("trace")) as process:
        path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: path.read_text() != "", "a child")
        child = int(path.read_text().split()[0])
        wait_until(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes(), "the app")
        process.kill()
        wait_until(lambda: not Path(f"/proc/{child}").exists(), "the end")
