"""The main job on the testbed: a shell inside a copy of an app that crashes and has none.

With a terminal you land in the shell; without one a scripted session is run and shown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT))

from tests.support.manifests import CRASH, HARDENED, a_pod  # noqa: E402

POD = "shop"
COMMAND = ["kubectl", "scratch", "debug", POD]
PROMPT = r"app:\S+[#$] "
SCRIPT = (
    "id; touch /x",
    "ps",
    "run-app",
    "echo its code is $?",
    "show-app",
    "exit",
)


def main() -> int:
    """Bring the cluster up, start the app, debug it."""
    up = [sys.executable, "-m", "testbed", "up"]
    told = subprocess.run(up, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode:
        return told.returncode
    kubeconfig = told.stdout.strip().removeprefix("export KUBECONFIG=")
    environ = {**os.environ, "KUBECONFIG": kubeconfig, "PATH": f"{BIN}:{os.environ['PATH']}"}
    say("an app from scratch, hardened and without a shell, that crashes:")
    # One of an earlier demo has crashed more often by now.
    kubectl(environ, "delete", "pod", POD, "--ignore-not-found", "--now")
    pod = a_pod(POD, CRASH, securityContext=HARDENED)
    kubectl(environ, "apply", "-f", "-", stdin=json.dumps(pod))
    crashed = "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"
    kubectl(environ, "wait", crashed, f"pod/{POD}", "--timeout=60s")
    say(f"$ {' '.join(COMMAND)}")
    if sys.stdin.isatty() and sys.stdout.isatty():
        code = subprocess.run(COMMAND, env=environ, check=False).returncode
    else:
        code = scripted(environ)
    say(f"the session exited with code {code}; what is left of it:")
    ours = ["-l", "app.kubernetes.io/managed-by=kubectl-scratch"]
    kubectl(environ, "wait", "--for=delete", "pods", *ours, "--timeout=60s")
    kubectl(environ, "get", "pods,jobs", *ours)
    say(f"to go on: export KUBECONFIG={kubeconfig} PATH={BIN}:$PATH")
    return code


def scripted(environ: dict[str, str]) -> int:
    """Run the session as a person would, showing the screen."""
    child = pexpect.spawn(
        COMMAND[0], COMMAND[1:], env=environ, dimensions=(24, 100), encoding="utf-8", timeout=60
    )
    child.logfile_read = sys.stdout
    for line in SCRIPT:
        child.expect(PROMPT)
        child.sendline(line)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus if child.exitstatus is not None else 1


def kubectl(environ: dict[str, str], *words: str, stdin: str | None = None) -> None:
    """Run kubectl, showing what it says."""
    subprocess.run(["kubectl", *words], env=environ, input=stdin, text=True, check=True)


def say(text: str) -> None:
    """Tell what happens."""
    print(f"\ndemo: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
