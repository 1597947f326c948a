"""seed wants: who reads a session's stdin is seen, and who does not is left alone."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubectl_scratch.toolkit.archive import shipped_entries
from testbed.archive import architecture
from tests.seed.conftest import Seed, ended, wait_until
from tests.support.patience import PATIENCE

PYTHON = sys.executable
READERS = {
    "read": ("cat",),
    "busybox": ("BUSYBOX", "cat"),
    "child": ("sh", "-c", "true; cat; true"),
    "grandchild": ("setsid", "sh", "-c", "(cat | cat); true"),
    "another-handle": ("bash", "-c", "exec 7<&0 < /dev/null; read -r line <&7"),
    "reopened": ("sh", "-c", "exec cat /dev/stdin < /proc/self/fd/0"),
    "poll": (PYTHON, "-c", "import select; p = select.poll(); p.register(0); p.poll()"),
    "select": (PYTHON, "-c", "import select; select.select([0], [], [])"),
    "epoll": (PYTHON, "-c", "import select; e = select.epoll(); e.register(0); e.poll()"),
    "thread": (
        PYTHON,
        "-c",
        "import os, threading, time\n"
        "threading.Thread(target=lambda: os.read(0, 1)).start()\n"
        "time.sleep(1000)",
    ),
    "poll-for-normal-data": (
        PYTHON,
        "-c",
        "import select; p = select.poll(); p.register(0, select.POLLRDNORM); p.poll()",
    ),
    "tries-now-and-then": (
        PYTHON,
        "-c",
        "import os, time; os.set_blocking(0, False); time.sleep(1000)",
    ),
    "splice": (PYTHON, "-c", "import os; r, w = os.pipe(); os.splice(0, w, 1)"),
    "shell": ("BUSYBOX", "ash"),
}
OTHERS = {
    "sleeps": ("sleep", "1000"),
    "waits-for-a-child": ("sh", "-c", "sleep 1000; true"),
    "reads-of-another": ("bash", "-c", 'x=$(sleep 1000); echo "$x"'),
    "pipeline": ("bash", "-c", "sleep 1000 | cat"),
    "polls-another": (
        PYTHON,
        "-c",
        "import os, select; r, w = os.pipe(); p = select.poll(); p.register(r); p.poll()",
    ),
    "selects-another": (
        PYTHON,
        "-c",
        "import os, select; r, w = os.pipe(); select.select([r], [], [])",
    ),
    "epolls-another": (
        PYTHON,
        "-c",
        "import os, select; r, w = os.pipe(); e = select.epoll(); e.register(r); e.poll()",
    ),
    "watches-for-output": (
        PYTHON,
        "-c",
        "import os, select; r, w = os.pipe(); p = select.poll(); p.register(0, 0); p.poll()",
    ),
}


def words_of(seed: Seed, command: tuple[str, ...]) -> list[str]:
    """Return the words, with the path of our busybox."""
    return [f"{seed.toolkit}/bin/busybox" if word == "BUSYBOX" else word for word in command]


@contextmanager
def running(seed: Seed, command: tuple[str, ...]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a command with a pipe as its stdin; give it, and what the seed calls that."""
    seed.receive(*shipped_entries(architecture()))
    environ = {**os.environ, **seed.environ()}
    words = words_of(seed, command)
    with ended(subprocess.Popen(words, stdin=subprocess.PIPE, env=environ)) as process:
        assert process.stdin is not None
        status = os.fstat(process.stdin.fileno())
        # It holds the pipe as well, and must not be taken for a reader: nor is it, by its inode.
        yield process, f"{status.st_dev}:{status.st_ino}"


@pytest.mark.parametrize("command", READERS.values(), ids=READERS)
def test_who_reads_it_is_seen(native: Seed, command: tuple[str, ...]) -> None:
    with (
        running(native, command) as (process, which),
        ended(native.start("wants", which)) as watching,
    ):
        assert watching.wait(PATIENCE) == 0
        assert process.poll() is None


@pytest.mark.parametrize("command", OTHERS.values(), ids=OTHERS)
def test_who_does_something_else_is_let(native: Seed, command: tuple[str, ...]) -> None:
    with (
        running(native, command) as (_, which),
        ended(native.start("wants", which)) as watching,
    ):
        rests_on(watching)
        # With its client it ends, and not by having seen anything.
        assert watching.stdin is not None
        watching.stdin.close()
        assert watching.wait(PATIENCE) == 1


# Programs of 32 bits, whose calls have numbers of their own: read(0, stack, 1), and pause().
NARROW = {
    "read": (b"\x6a\x03\x58\x31\xdb\x89\xe1\x6a\x01\x5a\xcd\x80", True),
    "pause": (b"\x6a\x1d\x58\xcd\x80", False),
}


def write_narrow(path: Path, code: bytes) -> None:
    """Write an i386 program of this code, which then ends."""
    code += b"\x31\xc0\x40\x31\xdb\xcd\x80"
    at, heads = 0x10000, 52 + 32
    size = heads + len(code)
    path.write_bytes(
        b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
        + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, at + heads, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        + struct.pack("<IIIIIIII", 1, 0, at, at, size, size, 5, 0x1000)
        + code
    )
    path.chmod(0o755)


if architecture() == "amd64":  # elsewhere a kernel may have no programs of 32 bits

    @pytest.mark.parametrize("call", NARROW)
    def test_a_program_of_32_bits_is_seen_as_well(native: Seed, tmp_path: Path, call: str) -> None:
        code, reads = NARROW[call]
        write_narrow(tmp_path / "narrow", code)
        with (
            running(native, (str(tmp_path / "narrow"),)) as (process, which),
            ended(native.start("wants", which)) as watching,
        ):
            if reads:
                assert watching.wait(PATIENCE) == 0
            else:
                rests_on(watching)
            assert process.poll() is None


# What mounts a file system that nobody serves, has its folder, and reads stdin.
HANGS = """
import ctypes, os, sys
fuse = os.open("/dev/fuse", os.O_RDWR)
how = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
assert ctypes.CDLL(None).mount(b"none", sys.argv[1].encode(), b"fuse", 0, how) == 0
for handle in (fuse, os.open(sys.argv[1], os.O_PATH)):
    os.set_inheritable(handle, True)
os.execvp("cat", ["cat"])
"""


def test_no_file_that_somebody_has_is_looked_at(native: Seed, tmp_path: Path) -> None:
    # It may be on a server that is gone.
    with (
        running(native, ("unshare", "--mount", PYTHON, "-c", HANGS, str(tmp_path))) as (_, which),
        ended(native.start("wants", which)) as watching,
    ):
        assert watching.wait(PATIENCE) == 0


def looked(process: subprocess.Popen[bytes]) -> int:
    """Return how often a process has rested."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))


def rests_on(watching: subprocess.Popen[bytes]) -> None:
    """Check that a watch goes on for some looks."""
    looks = looked(watching)
    wait_until(lambda: looked(watching) > looks + 3 or watching.poll() is not None, "looks")
    assert watching.poll() is None


def test_it_waits_for_who_reads_late(native: Seed) -> None:
    late = ("sh", "-c", 'kill -STOP $$; read -r line; [ "$line" = x ]')
    with (
        running(native, late) as (process, which),
        ended(native.start("wants", which)) as watching,
    ):
        looks = looked(watching)
        wait_until(lambda: looked(watching) > looks + 3, "looks")
        assert watching.poll() is None
        process.send_signal(18)
        assert watching.wait(PATIENCE) == 0
        process.communicate(b"x\n", PATIENCE)
        assert process.returncode == 0


def test_a_seed_that_receives_is_no_reader(native: Seed) -> None:
    seed = (str(native.folder / "seed"), "recv")
    with (
        running(native, seed) as (receiving, which),
        ended(native.start("wants", which)) as watching,
    ):
        rests_on(watching)
        assert receiving.poll() is None


def test_where_nobody_is_seen_to_have_it_it_is_given_up(native: Seed) -> None:
    assert native.start("wants", "1:1").wait(PATIENCE) == 0


def test_a_user_without_rights_sees_its_own(native: Seed) -> None:
    nobody = 65534
    cat = shutil.which("cat")
    assert cat is not None
    with ended(subprocess.Popen([cat], stdin=subprocess.PIPE, user=nobody)) as process:
        assert process.stdin is not None
        status = os.fstat(process.stdin.fileno())
        which = f"{status.st_dev}:{status.st_ino}"
        with ended(native.start("wants", which, user=nobody)) as watching:
            assert watching.wait(PATIENCE) == 0


# As with Yama, where only an ancestor may see which call a process is in: the kernel's function is
# all that there is. And as in a sandbox that tells neither.
HIDDEN = {"yama": ("syscall",), "sandbox": ("syscall", "wchan")}


@pytest.mark.parametrize(
    ("hidden", "command", "code"),
    [
        ("yama", "cat", 0),
        ("yama", "sleep", None),
        ("sandbox", "cat", 0),
        # It can't be known, so stdin is read.
        ("sandbox", "sleep", 0),
    ],
)
def test_where_calls_are_hidden(
    native: Seed, tmp_path: Path, hidden: str, command: str, code: int | None
) -> None:
    nobody = 65534
    secret = tmp_path / "secret"
    secret.touch(0o600)
    words = [command, *["1000"] * (command == "sleep")]
    with ended(subprocess.Popen(words, stdin=subprocess.PIPE, user=nobody)) as process:
        assert process.stdin is not None
        status = os.fstat(process.stdin.fileno())
        task = f"/proc/{process.pid}/task/{process.pid}"
        binds = "".join(f"mount --bind {secret} {task}/{name}; " for name in HIDDEN[hidden])
        seed = f"{native.folder}/seed wants {status.st_dev}:{status.st_ino}"
        script = f"set -e; {binds} exec setpriv --reuid {nobody} --clear-groups {seed}"
        unshare = ["unshare", "--mount", "sh", "-c", script]
        how = {"stdin": subprocess.PIPE, "env": {**os.environ, **native.environ()}}
        with ended(subprocess.Popen(unshare, **how)) as watching:  # type: ignore[call-overload]
            if code is not None:
                assert watching.wait(PATIENCE) == code
                return
            looks = looked(watching)
            wait_until(lambda: looked(watching) > looks + 9 or watching.poll() is not None, "looks")
            assert watching.poll() is None


@pytest.mark.parametrize("words", [(), ("x",), ("1",), ("1:",), ("1:x",), ("1:2", "3")])
def test_a_wrong_use_tells_the_right_one(seed: Seed, words: tuple[str, ...]) -> None:
    done = seed.run("wants", *words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"usage: seed ")
