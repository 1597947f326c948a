"""seed recv: what comes packed is unpacked, and what is no block of LZ4 is refused."""

from __future__ import annotations

import hashlib
import random

import lz4.block
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_scratch.toolkit.archive import Entry, shipped_entries
from tests.seed.conftest import Seed
from tests.seed.test_recv import refuses

# Pieces that repeat, near and far, so that there is something to pack.
PIECES = st.lists(st.binary(max_size=40), max_size=6).flatmap(
    lambda words: st.lists(st.sampled_from([*words, b"-"]), max_size=400)
)


def packed(data: bytes, path: str = "bin/tool") -> Entry:
    """Return the entry of a file that comes packed."""
    block = lz4.block.compress(data, mode="high_compression", store_size=False)
    return Entry(path, block, unpacked=len(data))


def record(block: bytes, unpacked: int) -> bytes:
    """Return a packed file's record, its checksum right."""
    sum_ = hashlib.sha256(block).hexdigest()
    return f"z 755 {len(block)} {sum_} {unpacked} bin/tool\n".encode() + block + b".\n"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pieces=PIECES)
def test_any_content_arrives(seed: Seed, pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    seed.receive(packed(content))
    assert (seed.toolkit / "bin/tool").read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        b"x" * 100_000,
        random.Random(1).randbytes(70_000),
        random.Random(2).randbytes(65_535) * 2,
        bytes(range(256)) * 1000,
    ],
    ids=["one byte", "noise", "as far back as can be", "a cycle"],
)
def test_long_runs_and_far_matches_arrive(seed: Seed, content: bytes) -> None:
    seed.receive(packed(content))
    assert (seed.toolkit / "bin/tool").read_bytes() == content


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_busybox_arrives(seed: Seed, arch: str) -> None:
    seed.receive(*shipped_entries(arch, linked=False))
    program = seed.toolkit / "bin/busybox"
    assert program.read_bytes()[:4] == b"\x7fELF"
    assert program.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("block", "unpacked"),
    [
        (b"", 5),
        (b"\x50hell", 5),
        (b"\x50hello", 4),
        (b"\x50hello", 6),
        (b"\xf0", 99),
        (b"\xf0\xff\xff", 99),
        (b"\x10a\x00\x00\x00", 99),
        (b"\x10a\x02\x00\x00", 99),
        (b"\x10a\x01", 99),
        (b"\x1fa\x01\x00\xff\xff", 99),
        (b"\x10a\x01\x00", 5),
        (b"\x1fa\x01\x00\xff\x00\x00", 99),
    ],
)
def test_what_is_no_block_is_refused(seed: Seed, block: bytes, unpacked: int) -> None:
    refuses(seed, record(block, unpacked), "bin/tool: it cannot be unpacked")
    assert not list(seed.toolkit.rglob("tool"))


def test_a_changed_byte_is_found_before_it_is_unpacked(seed: Seed) -> None:
    stdin = record(b"\x50hello", 5).replace(b"hello", b"jello")
    refuses(seed, stdin, "bin/tool: the checksum differs")


def test_a_size_that_no_machine_has_is_refused(seed: Seed) -> None:
    done = seed.run("recv", stdin=record(b"\x50hello", 1 << 57))
    assert done.returncode == 1
    assert done.stderr == b"seed: no memory\n"
