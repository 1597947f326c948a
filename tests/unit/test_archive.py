"""The toolkit: the records in which the seed receives it, and the user's own tools."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.runtime.names import ARCHITECTURES
from kubectl_scratch.toolkit import archive
from kubectl_scratch.toolkit.archive import Entry, pack_entries, shipped_entries, user_entries
from tests.support.fakeexec import ARCH

NAMES = st.from_regex(r"bin/[a-z][a-z0-9._-]{0,20}", fullmatch=True)
MODES = st.sampled_from([0o755, 0o644, 0o555])
ENTRIES = st.lists(
    st.builds(Entry, NAMES, st.binary(max_size=300), MODES, st.none()),
    max_size=5,
    unique_by=lambda entry: entry.path,
)
here = pytest.mark.skipif(ARCH not in ARCHITECTURES, reason=f"there is no seed for {ARCH}")


def received(data: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Let the real seed receive a stream."""
    seed = str(archive.DATA / f"seed-{ARCH}")
    environ = {"SCRATCH_TOOLKIT": str(folder)}
    return subprocess.run([seed, "recv"], input=data, env=environ, capture_output=True)


def test_a_file_has_its_mode_size_and_checksum() -> None:
    digest = hashlib.sha256(b"tool\n").hexdigest()
    record = f"f 755 5 {digest} bin/tool\ntool\n".encode()
    assert pack_entries([Entry("bin/tool", b"tool\n")]) == record + b".\n"


def test_a_link_has_its_target() -> None:
    assert pack_entries([Entry("bin/ls", b"busybox", None)]) == b"l 7 bin/ls\nbusybox.\n"


def test_nothing_to_bring_is_an_end() -> None:
    assert pack_entries([]) == b".\n"


@here
@given(ENTRIES)
def test_the_seed_receives_what_was_sent(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]
) -> None:
    folder = tmp_path_factory.mktemp("toolkit")
    done = received(pack_entries(entries), folder)
    assert (done.returncode, done.stderr) == (0, b"")
    for entry in entries:
        assert (folder / entry.path).read_bytes() == entry.data
        assert (folder / entry.path).stat().st_mode & 0o777 == entry.mode


@here
def test_the_seed_refuses_a_byte_that_changed_on_its_way(tmp_path: Path) -> None:
    data = pack_entries([Entry("bin/tool", b"tool" * 50)])
    done = received(data.replace(b"tooltool", b"tooLtool", 1), tmp_path)
    assert done.returncode != 0 and b"checksum" in done.stderr
    assert not (tmp_path / "bin" / "tool").exists()


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_what_is_shipped_has_the_applets_and_our_commands(arch: str) -> None:
    found = {entry.path: entry for entry in shipped_entries(arch)}
    busybox = found["bin/busybox"]
    program = lz4.block.decompress(busybox.data, uncompressed_size=busybox.unpacked)
    assert program.startswith(b"\x7fELF") and len(program) == busybox.unpacked
    for applet in ("ls", "ash", "vi", "wget"):
        assert (found[f"bin/{applet}"].data, found[f"bin/{applet}"].mode) == (b"busybox", None)
    for command in ("run-app", "show-app"):
        assert found[f"bin/{command}"].data == b"/.scratch-seed/seed"


def test_a_shell_that_makes_the_links_itself_gets_none_of_them() -> None:
    assert {entry.path for entry in shipped_entries("amd64", linked=False)} == {
        *("bin/busybox", "bin/run-app", "bin/show-app")
    }


def test_an_architecture_that_is_not_shipped_says_what_to_do() -> None:
    with pytest.raises(InvalidRequest) as caught:
        shipped_entries("s390x")
    assert "busybox-s390x" in caught.value.problem
    assert "--image" in caught.value.hint


def test_a_file_of_one_s_own_can_be_run_though_it_lost_its_mode(tmp_path: Path) -> None:
    tool = tmp_path / "strace"
    tool.write_bytes(b"\x7fELF")
    tool.chmod(0o600)
    assert user_entries(str(tool)) == [Entry("bin/strace", b"\x7fELF", 0o755)]


def test_a_folder_comes_with_its_links_and_folders(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "data.txt").write_text("x")
    (tmp_path / "tool").write_text("y")
    (tmp_path / "alias").symlink_to("tool")
    (tmp_path / "nowhere").symlink_to("/no/such/file")
    os.chmod(tmp_path / "tool", 0o4711)
    os.chmod(tmp_path / "lib" / "data.txt", 0o644)
    found = {entry.path: entry for entry in user_entries(str(tmp_path))}
    assert found == {
        "bin/alias": Entry("bin/alias", b"tool", None),
        "bin/lib/data.txt": Entry("bin/lib/data.txt", b"x", 0o755),
        "bin/nowhere": Entry("bin/nowhere", b"/no/such/file", None),
        "bin/tool": Entry("bin/tool", b"y", 0o755),
    }


@here
def test_a_name_may_be_of_any_bytes_but_a_newline(tmp_path: Path) -> None:
    folder, received_in = tmp_path / "own", tmp_path / "received"
    for made in (folder, received_in):
        made.mkdir()
    tool, link = os.fsdecode(b"caf\xe9"), os.fsdecode(b"\xff")
    (folder / tool).write_text("x")
    (folder / link).symlink_to(tool)
    assert received(pack_entries(user_entries(str(folder))), received_in).returncode == 0
    assert (received_in / "bin" / link).read_text() == "x"
    (folder / "a\nb").touch()
    for path in (folder, folder / "a\nb"):
        with pytest.raises(InvalidRequest, match="newline"):
            user_entries(str(path))


def test_an_empty_folder_is_no_tool_and_no_error(tmp_path: Path) -> None:
    assert user_entries(str(tmp_path)) == []


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        user_entries(str(tmp_path / "nothing"))
    assert "nothing' cannot be read" in caught.value.problem
    assert caught.value.hint == "no such file or directory"
