"""seed recv: the toolkit arrives whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from kubectl_scratch.toolkit.archive import Entry, pack_entries, shipped_entries
from testbed.archive import architecture
from tests.seed.conftest import Seed, ended


def record(path: str, data: bytes = b"data", mode: str = "755", checksum: str = "") -> bytes:
    """Return a file's record."""
    checksum = checksum or hashlib.sha256(data).hexdigest()
    return f"f {mode} {len(data)} {checksum} {path}\n".encode() + data


def tree(folder: Path) -> set[str]:
    """Return the paths below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def is_ready(seed: Seed) -> bool:
    """Say whether sessions no longer wait for the tools."""
    return (seed.toolkit / "ready").exists()


def refuses(seed: Seed, stdin: bytes, told: str) -> None:
    """Check that an input is refused in one line, which says why, and that nothing is ready."""
    done = seed.run("recv", stdin=stdin)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"seed: {told}\n"
    assert not is_ready(seed)


def test_files_and_links_arrive(seed: Seed) -> None:
    assert not is_ready(seed)
    large = os.urandom(200_001)
    seed.receive(
        Entry("bin/tool", large),
        Entry("bin/two words", b"", 0o640),
        Entry("bin/link", b"tool", None),
        Entry("a/b/c", b"deep", 0o600),
    )
    assert (seed.toolkit / "bin/link").readlink() == Path("tool")
    assert (seed.toolkit / "bin/link").read_bytes() == large
    modes = {"bin/tool": 0o755, "bin/two words": 0o640, "a/b/c": 0o600, "a": 0o777, "a/b": 0o777}
    for path, mode in modes.items():
        assert stat.S_IMODE((seed.toolkit / path).stat().st_mode) == mode
    assert is_ready(seed)


def test_what_comes_before_the_tools_is_not_taken_for_them(seed: Seed) -> None:
    seed.receive(Entry("learned", b"/app\0", 0o644))
    assert not is_ready(seed)
    seed.receive(Entry("bin/tool", b"x"))
    assert is_ready(seed)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 65536])
def test_every_length_has_its_checksum(seed: Seed, size: int) -> None:
    seed.receive(Entry("file", b"x" * size))
    assert (seed.toolkit / "file").stat().st_size == size


def test_the_whole_toolkit_arrives(native: Seed) -> None:
    native.receive(*shipped_entries(architecture()))
    done = native.run("enter", "--", "busybox", "echo", "here")
    assert (done.returncode, done.stdout) == (0, b"here\n")


def test_what_is_there_is_replaced(seed: Seed) -> None:
    seed.receive(Entry("was-file", b"old"), Entry("was-link", b"was-file", None))
    with (seed.toolkit / "was-file").open() as opened:
        seed.receive(Entry("was-file", b"target", None), Entry("was-link", b"new"))
        assert opened.read() == "old"
    assert (seed.toolkit / "was-file").readlink() == Path("target")
    assert not (seed.toolkit / "was-link").is_symlink()
    assert tree(seed.toolkit) == {"was-file", "was-link"}


def test_a_wrong_checksum_is_refused(seed: Seed) -> None:
    refuses(seed, record("bin/tool", checksum="0" * 64) + b".\n", "bin/tool: the checksum differs")
    assert tree(seed.toolkit) == {"bin"}


def test_what_was_there_survives_a_fault(seed: Seed) -> None:
    seed.receive(Entry("tool", b"good"))
    assert seed.run("recv", stdin=record("tool", checksum="0" * 64)).returncode == 1
    assert (seed.toolkit / "tool").read_bytes() == b"good"


@pytest.mark.parametrize(
    "whole", [record("bin/tool") + b".\n", b"l 4 bin/link\ntool.\n"], ids=["file", "link"]
)
def test_an_input_that_ends_early_is_refused(seed: Seed, whole: bytes) -> None:
    for size in (0, 1, whole.index(b"\n"), whole.index(b"\n") + 1, len(whole) - 4, len(whole) - 1):
        refuses(seed, whole[:size], "stdin: it ends early")
    assert tree(seed.toolkit) <= {"bin", "bin/tool", "bin/link"}


@pytest.mark.parametrize(
    "path", ["/etc/x", "../x", "a/../x", "..", ".", "./a", "a//b", "a/", "", "a/.", "/"]
)
def test_a_path_that_is_not_in_the_toolkit_is_refused(seed: Seed, path: str) -> None:
    refuses(seed, record(path) + b".\n", f"{path}: not a path in the toolkit")
    refuses(seed, f"l 1 {path}\nx.\n".encode(), f"{path}: not a path in the toolkit")
    assert tree(seed.toolkit) == set()


def test_dots_in_a_name_are_no_harm(seed: Seed) -> None:
    seed.receive(Entry(".a/..b/...", b"x"), Entry("a.", b"x"), Entry("..x", b"x"))
    assert {".a/..b/...", "a.", "..x"} <= tree(seed.toolkit)


def test_a_link_does_not_lead_out(seed: Seed, tmp_path: Path) -> None:
    out = str(tmp_path).encode()
    stdin = pack_entries([Entry("out", out, None), Entry("out/file", b"x")])
    refuses(seed, stdin, "out/file: Not a directory")
    assert tree(tmp_path) == set()


@pytest.mark.parametrize(
    "header",
    [
        b"x",
        b"",
        b"f",
        b"f 755 4 bin/tool",
        b"f 755 x " + b"0" * 64 + b" tool",
        b"f 755 99999999999999999999999 " + b"0" * 64 + b" tool",
        b"f 789 4 " + b"0" * 64 + b" tool",
        b"f 4755 4 " + b"0" * 64 + b" tool",
        b"f 755 4 " + b"0" * 63 + b" tool",
        b"f 755 4 " + b"G" * 64 + b" tool",
        b"l tool",
        b"f" * 10_000,
        b"f 755 4 \0",
    ],
)
def test_a_broken_header_is_refused(seed: Seed, header: bytes) -> None:
    refuses(seed, header + b"\n", "a header: it is malformed")
    assert tree(seed.toolkit) == set()


def test_a_full_disk_is_told(native: Seed) -> None:
    mount = 'mount -t tmpfs -o size=64k toolkit "$SCRATCH_TOOLKIT" && exec "$0" "$@"'
    small = Seed(native.folder, (), ("unshare", "--mount", "sh", "-c", mount))
    done = small.run("recv", stdin=pack_entries([Entry("bin/large", bytes(100_000))]))
    assert (done.returncode, done.stderr) == (1, b"seed: bin/large: No space left on device\n")


def test_a_toolkit_folder_that_is_missing_is_told(seed: Seed) -> None:
    seed.toolkit.rmdir()
    refuses(seed, b".\n", f"{seed.toolkit}: No such file or directory")


def test_any_user_may_receive(native: Seed) -> None:
    done = native.run("recv", stdin=pack_entries([Entry("bin/tool", b"x")]), user=54321)
    assert done.returncode == 0
    assert (native.toolkit / "bin" / "tool").stat().st_uid == 54321


def test_users_may_receive_one_after_the_other(native: Seed) -> None:
    for user in (54321, 1234, 54321):
        entries = [Entry("bin/tool", str(user).encode()), Entry("bin/link", b"tool", None)]
        done = native.run("recv", stdin=pack_entries(entries), user=user)
        assert (done.returncode, done.stderr) == (0, b"")
        assert (native.toolkit / "bin/link").read_bytes() == str(user).encode()


def test_two_may_receive_at_once(seed: Seed) -> None:
    data = bytes(1_000_000)
    whole = pack_entries([Entry("bin/tool", data)])
    with ended(seed.start("recv")) as slow:
        assert slow.stdin is not None
        slow.stdin.write(whole[:500_000])
        slow.stdin.flush()
        seed.receive(Entry("bin/tool", data))
        assert slow.communicate(whole[500_000:])[0] == b"ok\n"
    assert tree(seed.toolkit) == {"bin", "bin/tool", "ready"}
