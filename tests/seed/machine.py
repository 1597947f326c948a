"""A virtual machine of arm64 that runs apps under the tracer: qemu-user has no ptrace.

It boots Debian's kernel with the seed, busybox and programs as all of its files, and writes the
reports on its console.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kubectl_scratch.toolkit.archive import DATA
from kubectl_scratch.why.report import Run, parse_report
from testbed.proc import Steps, run
from tests.support.patience import PATIENCE
from tools import zig
from tools.busybox import MACHINES
from tools.kernel import kernel
from tools.seed import BUILD_TIMEOUT, FLAGS

HERE = Path(__file__).parent
# The first is what the corpus of broken pods fails with.
PROGRAMS = {"fail": HERE.parents[1] / "testbed" / "broken" / "fail.c", "act": HERE / "machine.c"}
EMULATOR = "qemu-system-aarch64"
# The fastest to emulate; with two processors, threads do run beside each other.
HARDWARE = ("-M", "virt", "-cpu", "cortex-a57", "-smp", "2", "-m", "512")
DEVICES = ("-nographic", "-nodefaults", "-serial", "stdio", "-no-reboot")
# Of a kernel that is in trouble there is nothing to see but its end.
KERNEL_WORDS = "console=ttyAMA0 quiet loglevel=0 panic=-1"
FOLDERS = ("bin", "dev", "etc", "proc", "sys", "srv", "tmp", "toolkit")
FOLDER, FILE, LINK, DEVICE = 0o40755, 0o100755, 0o120777, 0o20600
REPORT = re.compile(rb"^@begin (\S+)\n(.*?)^@end (\d+)\n", re.MULTILINE | re.DOTALL)

BEGIN = """\
#!/bin/sh
export PATH=/bin SCRATCH_TOOLKIT=/toolkit
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
stty -opost < /dev/console
ip link set lo up
chmod 777 /toolkit
# Of Yama: a process traces its children only.
echo 1 > /proc/sys/kernel/yama/ptrace_scope
# The second version of cgroups, and a container's.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo '+memory +pids' > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/container
echo 32M > /sys/fs/cgroup/container/memory.max
echo 50 > /sys/fs/cgroup/container/pids.max
mount --bind /sys/fs/cgroup/container /sys/fs/cgroup
echo nameserver 127.0.0.1 > /etc/resolv.conf
act no-name &

# What idles ignores SIGCHLD.
traced() {
    $outside /seed hold spec $# -- "$@" &
    held=$!
    until grep -q '^SigIgn:.*[13579bdf]....$' /proc/$held/status; do usleep 10000; done
    echo "@begin $name"
    $outside /seed trace --for $time
    echo "@end $?"
    kill -9 $held
    wait $held 2> /dev/null
}
"""
CONTAIN = """\
#!/bin/sh
echo $$ > /sys/fs/cgroup/cgroup.procs
exec "$@"
"""
END = "echo o > /proc/sysrq-trigger\nsleep 100\n"


class App(NamedTuple):
    """What is run: its words, what starts the seed, and for how long."""

    words: tuple[str, ...]
    outside: tuple[str, ...] = ()
    seconds: int = 60


class File(NamedTuple):
    """A file, a folder, a link or a device."""

    path: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def traced_apps(folder: Path, apps: Mapping[str, App]) -> dict[str, Run]:
    """Boot, run the apps one after the other, return what was reported of each."""
    script = folder / "init"
    script.write_text(BEGIN + "".join(lines(apps)) + END)
    for name, source in PROGRAMS.items():
        build(source, folder / name, folder / "objects")
    (folder / "files").write_bytes(archive(files(script)))
    console = boot(folder / "files")
    found = {name.decode(): (report, code) for name, report, code in REPORT.findall(console)}
    assert set(found) == set(apps), console[-2000:]
    failed = {name: report for name, (report, code) in found.items() if code != b"0"}
    assert not failed, failed
    return {name: parse_report(report) for name, (report, _) in found.items()}


def build(source: Path, program: Path, objects: Path) -> None:
    """Compile a static program, with what the seed is linked with; of these, none is clean."""
    command: list[object] = [
        zig.program(),
        "cc",
        "-target",
        f"{MACHINES['arm64']}-linux-musl",
        *FLAGS,
        "-w",
    ]
    run([*command, "-o", program, source], env=zig.caches(objects), timeout=BUILD_TIMEOUT)


def boot(initial: Path) -> bytes:
    """Run the machine until it is off; return what was on its console."""
    emulator = shutil.which(EMULATOR)
    assert emulator is not None, "make seed-test installs qemu"
    image = kernel().ensure(Steps()) / "vmlinuz"
    words = [emulator, *HARDWARE, *DEVICES, "-kernel", str(image), "-initrd", str(initial)]
    done = subprocess.run(
        [*words, "-append", KERNEL_WORDS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def lines(apps: Mapping[str, App]) -> Iterator[str]:
    """Yield the lines of a script that run the apps."""
    for name, app in apps.items():
        outside = shlex.quote(" ".join(app.outside))
        yield f"name={name} time={app.seconds} outside={outside}\n"
        yield f"traced {shlex.join(app.words)}\n"


def files(script: Path) -> Iterator[File]:
    """Yield the files of the machine."""
    yield from (File(name, FOLDER) for name in FOLDERS)
    yield File("dev/console", DEVICE, device=(5, 1))
    yield File("init", FILE, script.read_bytes())
    yield File("bin/contain", FILE, CONTAIN.encode())
    yield File("seed", FILE, (DATA / "seed-arm64").read_bytes())
    yield File("bin/busybox", FILE, (DATA / "busybox-arm64").read_bytes())
    for name in (DATA / "applets").read_text().split():
        yield File(f"bin/{name}", LINK, b"busybox")
    for name in PROGRAMS:
        yield File(f"bin/{name}", FILE, (script.parent / name).read_bytes())


def archive(members: Iterator[File]) -> bytes:
    """Return an archive of the form that the kernel unpacks: cpio's "newc"."""
    found = bytearray()
    for number, file in enumerate([*members, File("TRAILER!!!", 0)], 1):
        name = file.path.encode() + b"\0"
        size = len(file.content)
        fields = (number, file.mode, 0, 0, 1, 0, size, 0, 0, *file.device, len(name), 0)
        found += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        found += bytes(-len(found) % 4) + file.content
        found += bytes(-len(found) % 4)
    return bytes(found)
