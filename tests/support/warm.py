"""Run the command line without the time of its start: a parent that has imported it forks.

What runs is the same code in a process of its own. How it starts, and what signals do to it, is
for tests that start it anew. As a program this is the parent.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import kubectl_scratch

ROOT = Path(__file__).parents[2]
# A request, its arguments and its environment, is one message.
LONGEST = 1 << 17


class Parent:
    """A parent of command lines; it ends when nobody can ask it any more."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.warm", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environ,
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
            )

    def run(
        self, args: list[str], environ: Mapping[str, str], cwd: Path, data: bytes, seconds: float
    ) -> tuple[int, bytes, bytes]:
        """Run the command line with pipes until it ends; return its code, stdout and stderr.

        It is killed, as its code says, if it takes too long.
        """
        (stdin, to_stdin), *others = (os.pipe() for _ in range(4))
        given = [stdin, *(writing for _, writing in others)]
        request = json.dumps([args, dict(environ), str(cwd), seconds]).encode()
        socket.send_fds(self._requests, [request], given)
        for fd in given:
            os.close(fd)
        with ThreadPoolExecutor(4) as pool:
            pool.submit(_write, to_stdin, data)
            out, err, status = pool.map(_read, [reading for reading, _ in others])
        return int(status), out, err


def _write(fd: int, data: bytes) -> None:
    with open(fd, "wb") as file:
        file.write(data)


def _read(fd: int) -> bytes:
    with open(fd, "rb") as file:
        return file.read()


def serve(requests: socket.socket) -> None:
    """Fork for each request; return in the process that is to be the command line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that watch
    while True:
        request, fds, *_ = socket.recv_fds(requests, LONGEST, 4)
        if not request:
            sys.exit()
        if os.fork() == 0:
            break
        for fd in fds:
            os.close(fd)
    requests.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    args, environ, cwd, seconds = json.loads(request)
    *streams, status = fds
    pid = os.fork()
    if pid:
        watch(pid, streams, status, seconds)
    os.close(status)
    for fd, stream in enumerate(streams):
        os.dup2(stream, fd)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = [str(ROOT / "kubectl_scratch" / "__main__.py"), *args]


def watch(pid: int, streams: list[int], status: int, seconds: float) -> NoReturn:
    """Tell how the command line ended."""
    for stream in streams:
        os.close(stream)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, ended = os.waitpid(pid, 0)
    os.write(status, str(os.waitstatus_to_exitcode(ended)).encode())
    os._exit(0)


def import_all() -> None:
    """Import the whole package."""
    for module in pkgutil.walk_packages(kubectl_scratch.__path__, "kubectl_scratch."):
        importlib.import_module(module.name)


if __name__ == "__main__":
    import_all()
    gc.freeze()  # a fork shares what nobody touches
    serve(socket.socket(fileno=int(sys.argv[1])))
    importlib.import_module("kubectl_scratch.__main__").main()
