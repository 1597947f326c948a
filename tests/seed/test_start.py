"""seed start: the toolkit over the session's own stdin, then the session's command."""

from __future__ import annotations

import hashlib
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from kubectl_scratch.session.seed_delivery import ASKS, HAS_ALL
from kubectl_scratch.toolkit.archive import Entry, pack_entries
from tests.seed.conftest import Seed, ended, wait_until
from tests.seed.test_recv import record
from tests.support.patience import PATIENCE

# Each byte value, and enough of them to fill what a terminal holds.
EVERY_BYTE = bytes(range(256)) * 300
SUM = hashlib.sha256(EVERY_BYTE).hexdigest()


def read_to(descriptor: int, end: bytes) -> bytes:
    """Return what is said up to a mark, and with it."""
    said = b""
    while not said.endswith(end):
        data = os.read(descriptor, 1)
        assert data, f"it ended: {said!r}"
        said += data
    return said


def asked(descriptor: int) -> tuple[str, str]:
    """Read until the seed asks; return what it says of itself, and of its stdin."""
    digest, which = read_to(descriptor, ASKS)[:-1].decode().split(" ")
    return digest, which


def write_all(descriptor: int, data: bytes) -> None:
    """Write all."""
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def on_terminal(
    seed: Seed, *words: str
) -> Iterator[tuple[subprocess.Popen[bytes], FileIO, FileIO]]:
    """Start a command of the seed on a terminal of its own; give it, and both ends."""
    ours, theirs = (FileIO(end, "r+") for end in pty.openpty())
    assert termios.tcgetattr(theirs)[0] & termios.ICRNL
    process = subprocess.Popen(
        seed.command(*words),
        env=seed.environ(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd="/",
        start_new_session=True,
    )
    try:
        yield process, ours, theirs
    finally:
        process.kill()
        process.wait(PATIENCE)
        ours.close()
        theirs.close()


def fresh() -> list[object]:
    """Return the settings of a new terminal."""
    ends = pty.openpty()
    try:
        return termios.tcgetattr(ends[1])
    finally:
        for end in ends:
            os.close(end)


def test_what_follows_is_the_command_s(seed: Seed) -> None:
    script = b'#!/bin/sh\necho "tool: $*"; cat; exit 7\n'
    with ended(seed.start("start", "--", "tool", "a b")) as process:
        assert process.stdin is not None and process.stdout is not None
        status = os.fstat(process.stdin.fileno())
        ours = hashlib.sha256((seed.folder / "seed").read_bytes()).hexdigest()
        digest, which = asked(process.stdout.fileno())
        assert which == f"{status.st_dev}:{status.st_ino}"
        # In /proc an emulated one is its emulator.
        assert digest == ours or seed.emulator
        write_all(process.stdin.fileno(), pack_entries([Entry("bin/tool", script)]))
        assert read_to(process.stdout.fileno(), HAS_ALL) == HAS_ALL
        out, err = process.communicate(EVERY_BYTE, PATIENCE)
    assert (process.returncode, out, err) == (7, b"tool: a b\n" + EVERY_BYTE, b"")


def test_a_terminal_lets_every_byte_through_and_is_what_it_was(seed: Seed) -> None:
    command = ("sh", "-c", 'cat "$SCRATCH_TOOLKIT/data" | sha256sum; read -r line; echo "<$line>"')
    with on_terminal(seed, "start", "--", *command) as (process, ours, theirs):
        assert read_to(ours.fileno(), ASKS).endswith(ASKS)
        assert not termios.tcgetattr(theirs)[0] & termios.ICRNL
        write_all(
            ours.fileno(), pack_entries([Entry("data", EVERY_BYTE, 0o644), Entry("bin/x", b"")])
        )
        assert read_to(ours.fileno(), HAS_ALL) == HAS_ALL
        assert termios.tcgetattr(theirs) == fresh()
        assert read_to(ours.fileno(), b"\n") == f"{SUM}  -\r\n".encode()
        write_all(ours.fileno(), b"typxo\x7f\x7fed\n")
        read_to(ours.fileno(), b"\r\n")
        assert read_to(ours.fileno(), b"\r\n") == b"<typed>\r\n"
        assert process.wait(PATIENCE) == 0


WRONG = [
    (record("bin/x", checksum="0" * 64), "bin/x: the checksum differs"),
    (record("../x"), "../x: not a path in the toolkit"),
    (b"x\n", "a header: it is malformed"),
    (b"", "stdin: it ends early"),
    (record("bin/x")[:-1], "stdin: it ends early"),
]


@pytest.mark.parametrize(("sent", "told"), WRONG)
def test_what_is_broken_starts_no_command(
    seed: Seed, tmp_path: Path, sent: bytes, told: str
) -> None:
    done = seed.run("start", "--", "touch", str(tmp_path / "started"), stdin=sent)
    assert done.returncode == 1 and done.stdout.endswith(ASKS)
    assert done.stderr.decode() == f"seed: {told}\n"
    assert not (tmp_path / "started").exists()


def test_a_command_that_is_nowhere_is_told_after_the_tools_have_come(seed: Seed) -> None:
    sent = pack_entries([Entry("bin/tool", b"")])
    done = seed.run("start", "--", "no-such", stdin=sent)
    assert done.returncode == 127 and done.stdout.endswith(ASKS + HAS_ALL)
    assert done.stderr == b"seed: no-such: not found\n"
    assert (seed.toolkit / "bin/tool").exists()


def test_a_terminal_that_is_closed_meanwhile_ends_it(seed: Seed) -> None:
    with on_terminal(seed, "start", "--", "true") as (process, ours, theirs):
        read_to(ours.fileno(), ASKS)
        write_all(ours.fileno(), b"f 755 1000 ")
        theirs.close()
        ours.close()
        assert process.wait(PATIENCE) != 0


def test_what_has_come_in_part_is_removed_when_the_terminal_hangs_up(seed: Seed) -> None:
    with ended(seed.start("start", "--", "true")) as process:
        assert process.stdin is not None and process.stdout is not None
        read_to(process.stdout.fileno(), ASKS)
        write_all(process.stdin.fileno(), record("bin/x", EVERY_BYTE)[:5000])
        wait_until(lambda: any(seed.toolkit.glob("bin/.seed-*")), "a part")
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (1, b"seed: stdin: it ends early\n")
    assert list(seed.toolkit.glob("bin/*")) == []


def test_the_command_can_be_hung_up_all_the_same(native: Seed) -> None:
    done = native.run("start", "--", "grep", "SigIgn", "/proc/self/status", stdin=pack_entries([]))
    assert done.stdout.split()[-1] == b"0" * 16


@pytest.mark.parametrize("words", [(), ("--",), ("sh",), ("-x", "--", "sh")])
def test_a_wrong_use_tells_the_right_one(seed: Seed, words: tuple[str, ...]) -> None:
    done = seed.run("start", *words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"usage: seed ")
