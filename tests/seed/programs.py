"""Programs that fail in known ways, for the tracer."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import zig

# Not what a version manager has put before it.
PYTHON: str = sys._base_executable  # type: ignore[attr-defined]
INCLUDED = (
    "errno.h",
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
    "linux/filter.h",
)


@functools.cache
def compiled(body: str) -> str:
    """Return a static program with this body; ``words`` are its own."""
    folder = Path(tempfile.mkdtemp(prefix="programs-"))
    folder.chmod(0o755)
    source = folder / "fault.c"
    lines = [*(f"#include <{name}>" for name in INCLUDED)]
    lines.append("int main(int count, char **words) { (void)count; (void)words; " + body)
    source.write_text("\n".join([*lines, "return 0; }", ""]))
    command = [
        zig.program(),
        "cc",
        "-target",
        "x86_64-linux-musl",
        "-static",
        "-O0",
        "-D_GNU_SOURCE",
    ]
    subprocess.run([*command, "-o", folder / "fault", source], check=True)
    return str(folder / "fault")
