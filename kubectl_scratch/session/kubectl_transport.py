"""A session through ``kubectl exec`` as a child."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from kubectl_scratch.errors import SessionError
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_errors import is_not_started, is_over
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.kubectl_command import (
    KubectlCollectedCommand,
    KubectlCommand,
    KubectlPipedCommand,
)
from kubectl_scratch.session.readiness import KILLED, Ready, State
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.seed_delivery import (
    ENTER,
    IS_OVER,
    LIVES_EVERY,
    RECEIVE,
    RECEIVE_SECONDS,
    Ends,
    Lives,
    not_received,
)

# What kubectl says if an exec does not reach the kubelet; no flag of ours changes that.
NOT_THROUGH_TEXTS = (
    "upgrade",
    "bad handshake",
    "unable to connect to the server",
    "error sending request",
    "error dialing",
    "the connection to the server",
)
NOT_THROUGH = (
    "something between you and the API server blocks exec; ask its operator to pass Upgrade headers"
    " on, or bypass it (NO_PROXY, --server)"
)


class KubectlTransport:
    """``kubectl exec`` as a child, which falls back to SPDY.

    Its credentials go through a file in ``folder``, a private one, and never through its
    arguments, which every user of the machine may read.
    """

    def __init__(self, cluster: Client, exec_command: ExecCommand, folder: Path) -> None:
        self._cluster = cluster
        self._exec_command = exec_command
        self._folder = folder
        self._ends = Ends()

    def attempt(self, state: State) -> RemoteCommand | None:
        """Return the running command, or None if the container does not run yet."""
        if not isinstance(state, Ready):
            return None
        kubectl, command = (
            find_kubectl(),
            self._exec_command.unwatched or self._exec_command.command,
        )
        try:
            if self._exec_command.toolkit is not None:
                if not self._bring(kubectl, self._exec_command.toolkit):
                    return None
                command = (*ENTER, *command)
            reads = self._exec_command.reads
            arguments = self._arguments(command, reads=reads)
            if self._exec_command.collected:
                return KubectlCollectedCommand(kubectl, arguments, self._folder)
            if self._exec_command.tty:
                return KubectlCommand(kubectl, arguments, self._exec_command.size)
            return KubectlPipedCommand(kubectl, arguments, reads)
        except OSError as error:
            raise SessionError(f"cannot run {kubectl}: {error.strerror}") from error

    def _bring(self, kubectl: str, toolkit: bytes) -> bool:
        """Bring the toolkit; return false if the container has just ended, or not begun."""
        if self._exec_command.check is not None:
            self._exec_command.check.confirm()
        code, problem = self._receive(kubectl, toolkit)
        if code and (is_not_started(problem) or is_over(problem)):
            return False
        if code == KILLED:
            self._ends.note(problem)
            return False
        if code and any(text in problem.lower() for text in NOT_THROUGH_TEXTS):
            raise SessionError(f"kubectl exec failed: {problem}", NOT_THROUGH)
        if code:
            raise not_received(problem)
        return True

    def _receive(self, kubectl: str, toolkit: bytes) -> tuple[int, str]:
        """Return how the seed ended that received the toolkit, and what was said."""
        lives = Lives(self._cluster, self._exec_command)
        until, data = time.monotonic() + RECEIVE_SECONDS, [toolkit]
        command = [kubectl, *self._arguments(RECEIVE, tty=False)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            try:
                while True:
                    try:
                        _, said = process.communicate(data.pop() if data else None, LIVES_EVERY)
                    except subprocess.TimeoutExpired as error:
                        if time.monotonic() >= until:
                            raise not_received("timed out") from error
                        if not lives():
                            return KILLED, IS_OVER
                    else:
                        return process.returncode, said.decode(errors="replace").strip()
            finally:
                process.kill()

    def _arguments(
        self, command: tuple[str, ...], tty: bool | None = None, reads: bool = True
    ) -> list[str]:
        config = self._folder / "kubeconfig"
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            # Only an explicit tag (!!timestamp, !!binary) gives what JSON does not know.
            json.dump(self._cluster.access.config, file, default=str)
        exec_command = self._exec_command
        where = ["-n", exec_command.namespace, exec_command.pod, "-c", exec_command.container]
        # kubectl wants stdin for a terminal.
        terminal = exec_command.tty if tty is None else tty
        # kubectl needs -i for a terminal, also if nothing is read.
        modes = ["-it"] if terminal else ["-i"] if reads else []
        flags = [f"--kubeconfig={config}"]
        if self._cluster.access.kuberc:
            flags.append(f"--kuberc={self._cluster.access.kuberc}")
        return [*flags, "exec", *modes, *where, "--", *command]


def find_kubectl() -> str:
    """Return kubectl's path: the one that runs us (from 1.37 on it says so), else PATH's."""
    found = os.environ.get("KUBECTL_PATH") or shutil.which("kubectl")
    if not found:
        raise SessionError("kubectl was not found on PATH")
    return found
