"""What the package carries into pods."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import pytest

from kubectl_scratch.toolkit.archive import DATA
from testbed.archive import architecture
from tests.seed.conftest import emulator
from tools.busybox import MACHINES
from tools.seed import compile_seed

EVERY_ARCH = pytest.mark.parametrize("arch", sorted(MACHINES))
# A ConfigMap has it in base64, in a cluster's database.
LARGEST = 96_000


@EVERY_ARCH
def test_the_seed_is_small(arch: str) -> None:
    assert (DATA / f"seed-{arch}").stat().st_size < LARGEST


@EVERY_ARCH
def test_the_seed_is_the_same_wherever_it_is_built(arch: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        compile_seed(arch, tmp_path / name / f"seed-{name}", tmp_path / name / "cache")
    one, two = (tmp_path / name / f"seed-{name}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes() == (DATA / f"seed-{arch}").read_bytes()


@EVERY_ARCH
def test_busybox_has_its_applets(arch: str) -> None:
    program = str(DATA / f"busybox-{arch}")
    told = subprocess.check_output([*emulator(arch), program, "--list"], text=True)
    applets = (DATA / "applets").read_text().split()
    assert applets == [name for name in told.split() if name != "busybox"]
    assert {"sh", "ls", "ps", "wget", "vi", "lsof", "pgrep", "pstree"} <= set(applets)
    # What people type first when they look around.
    wanted = "printenv env id ps top df du free ip ifconfig netstat nc netcat nslookup ping wget"
    assert set(wanted.split()) | {"pwdx", "lsof", "stat", "xxd", "base32", "chrt"} <= set(applets)
    # Who debugs an app has no use for what installs a machine, or turns it off.
    assert not {"dpkg", "init", "reboot", "passwd"} & set(applets)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("printenv TOLD", "yes\n"),
        ("netstat -tW", None),
        ("pwdx 1", None),
    ],
)
def test_what_people_type_works(words: str, said: str | None) -> None:
    done = subprocess.run(
        [DATA / f"busybox-{architecture()}", *words.split()],
        env={"TOLD": "yes"},
        capture_output=True,
        text=True,
    )
    if said is None:
        assert done.returncode == 0 and done.stdout
    else:
        assert done.stdout + done.stderr == said


def test_a_port_is_tried_without_a_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [str(DATA / f"busybox-{architecture()}"), "nc", "-zv", "127.0.0.1", port]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and "open" in done.stderr
    assert subprocess.run(command, capture_output=True).returncode == 1


def test_busybox_comes_with_its_licence_and_the_way_to_its_source() -> None:
    licence, source = ((DATA / f"{name}.busybox").read_text() for name in ("LICENSE", "SOURCE"))
    assert "GNU GENERAL PUBLIC LICENSE" in licence and "Version 2, June 1991" in licence
    # Its makers', the C library's, and that of the compiler's own library.
    makers = ("Erik Andersen", "Rich Felker, et al.", "Zig contributors")
    assert all(name in licence for name in makers)
    banner = subprocess.check_output([*emulator("amd64"), DATA / "busybox-amd64"], text=True)
    version = banner.split("Debian ")[1].split(")")[0]
    assert f"version {version}\n" in source and f"apt-get source busybox={version}\n" in source
    config = (DATA / "CONFIG.busybox").read_text()
    assert "CONFIG_LSOF=y\n" in config and "script that builds it" in source
    # The archive with it is the same on any day.
    assert not re.search(r"\d\d:\d\d:\d\d", config)
