"""Install system packages that a tier needs: ``python tools/system.py PACKAGE...``.

As root on Debian; elsewhere it says which are missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# What shows that a package is there, other than a program of its name.
FILES = {
    "bash-completion": "/usr/share/bash-completion/bash_completion",
    "dpkg-dev": "/usr/bin/dpkg-source",
    "qemu-system-arm": "/usr/bin/qemu-system-aarch64",
    "qemu-user-static": "/usr/bin/qemu-aarch64-static",
}


def main() -> int:
    """Install what is missing; return the exit code."""
    missing = [package for package in sys.argv[1:] if not is_there(package)]
    if not missing:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"install {' and '.join(missing)} first", file=sys.stderr)
        return 1
    print(f"installing {' and '.join(missing)}", file=sys.stderr, flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    how = ["install", "-qy", "--no-install-recommends", *missing]
    for words in (["update", "-q"], how):
        subprocess.run(["apt-get", *words], env=environ, check=True, stdout=subprocess.DEVNULL)
    return 0


def is_there(package: str) -> bool:
    """Say whether a package is installed."""
    file = FILES.get(package)
    return os.path.exists(file) if file else shutil.which(package) is not None


if __name__ == "__main__":
    sys.exit(main())
