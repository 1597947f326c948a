"""Build Go programs."""

import json
import os
import shutil
from pathlib import Path

from testbed.proc import Failed, run

BUILD_TIMEOUT = 2400.0
# a build of the control plane on more cores than this takes the memory of a small machine
JOBS = "2"


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


def _go() -> str:
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.access(go, os.X_OK):
        raise Failed("go is not on PATH: the first `up` builds programs with Go >= 1.24")
    return go
