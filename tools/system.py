"""Install programs that a tier needs: ``python tools/system.py PROGRAM...``.

As root on Debian; elsewhere it says which are missing. Each is in the package of its own name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def main() -> int:
    """Install what is missing; return the exit code."""
    missing = [program for program in sys.argv[1:] if shutil.which(program) is None]
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


if __name__ == "__main__":
    sys.exit(main())
