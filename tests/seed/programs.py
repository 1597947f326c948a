"""Programs that fail in known ways, for the tracer."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from testbed.archive import architecture
from tools import zig
from tools.busybox import MACHINES

# Not what a version manager has put before it.
PYTHON: str = sys._base_executable  # type: ignore[attr-defined]
INCLUDED = (
    "errno.h",
    "fcntl.h",
    "sched.h",
    "stdio.h",
    "stdlib.h",
    "signal.h",
    "unistd.h",
    "sys/mount.h",
    "sys/prctl.h",
    "sys/ptrace.h",
    "sys/resource.h",
    "sys/syscall.h",
    "sys/wait.h",
    "linux/filter.h",
)


@functools.cache
def compiled(body: str) -> str:
    """Return a static program with this body; ``words`` are its own."""
    folder = Path(tempfile.mkdtemp(prefix="programs-"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    source = folder / "fault.c"
    lines = [*(f"#include <{name}>" for name in INCLUDED)]
    lines.append("int main(int count, char **words) { (void)count; (void)words; " + body)
    source.write_text("\n".join([*lines, "return 0; }", ""]))
    target = f"{MACHINES[architecture()]}-linux-musl"
    flags = ("-static", "-O0", "-D_GNU_SOURCE")
    command: list[str] = [str(zig.program()), "cc", "-target", target, *flags]
    subprocess.run([*command, "-o", str(folder / "fault"), str(source)], check=True)
    return str(folder / "fault")
