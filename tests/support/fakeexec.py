"""Run local processes behind the channels of a Kubernetes exec WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import platform
import select
import shutil
import signal
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from kubectl_scratch.toolkit import archive
from tests.support.patience import PATIENCE

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
ENVIRONMENT = {"PATH": os.defpath + ":/usr/sbin:/sbin", "HOME": "/tmp", "TERM": "xterm"}
# A session leader gets its controlling terminal by opening one: no code runs between fork and exec.
TAKE_TERMINAL = ("/bin/sh", "-c", ': <"$0"; exec "$@"')
# What this machine runs, as nodes and images call it.
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def failure(message: str, reason: str = "InternalError", code: int = 500) -> dict[str, Any]:
    """Return a Status for something that went wrong."""
    base = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**base, "message": message, "reason": reason, "code": code}


def exit_status(command: tuple[str, ...], code: int) -> dict[str, Any]:
    """Return the Status that ends the stream of a process."""
    if code == 0:
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    said = f"error executing command [{' '.join(command)}], exit code {code}"
    status = failure(f"command terminated with non-zero exit code: {said}", "NonZeroExitCode")
    del status["code"]
    return {**status, "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}


def not_found(command: tuple[str, ...]) -> dict[str, Any]:
    """Return the Status for a command that the container does not have."""
    name = command[0]
    missing = f"stat {name}: no such file or directory"
    cause = missing if "/" in name else "executable file not found in $PATH"
    return failure(
        "Internal error occurred: error executing command in container: failed to exec in"
        ' container: failed to start exec "0f4ce": OCI runtime exec failed: exec failed: unable to'
        f' start container process: exec: "{name}": {cause}: unknown'
    )


def localized(word: str, folder: Path) -> str:
    """Return a word for this machine: the real seed, and the pod's toolkit in a folder."""
    if word == archive.SEED:
        return str(archive.DATA / f"seed-{ARCH}")
    name, _, path = word.rpartition("=")
    if name not in ("", "ENV") or not path.startswith(f"{archive.FOLDER}/"):
        return word
    return word.replace(archive.FOLDER, str(folder), 1)


def kill_marked(prefix: str) -> None:
    """Kill each process whose environment has a variable that starts with this."""
    for _ in range(5):  # again for what a victim forked meanwhile
        found = [pid for pid in map(int, filter(str.isdigit, _processes())) if _marked(pid, prefix)]
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _processes() -> list[str]:
    return os.listdir("/proc") if os.path.isdir("/proc") else []


def _marked(pid: int, prefix: str) -> bool:
    with contextlib.suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        return any(item.startswith(prefix.encode()) for item in environment.split(b"\0"))
    return False


async def _ready(fd: int, write: bool = False) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    if write:
        loop.add_writer(fd, ready.set)
    else:
        loop.add_reader(fd, ready.set)
    try:
        await ready.wait()
    finally:
        (loop.remove_writer if write else loop.remove_reader)(fd)


@dataclass(eq=False)
class Exec:
    """Be one exec stream and its process."""

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    tty: bool
    streams: frozenset[int]
    mark: str
    toolkit: Path  # stands for the pod's /.scratch
    notify: Callable[[], None]
    problem: dict[str, Any] | None = None
    size: tuple[int, int] | None = None
    stalled: bool = False
    _process: asyncio.subprocess.Process | None = None
    _input: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    _fds: set[int] = field(default_factory=set)
    _master: int | None = None
    _sending: int = 0

    async def serve(self, request: web.Request, protocol: str) -> web.WebSocketResponse:
        """Speak with one client until the process has ended or the client has gone."""
        self._transport = request.transport
        self._socket = web.WebSocketResponse(
            protocols=[protocol], autoping=False, max_msg_size=0, compress=False, timeout=PATIENCE
        )
        await self._socket.prepare(request)
        work, listening = asyncio.create_task(self._work()), asyncio.create_task(self._listen())
        try:
            await asyncio.wait([work, listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await self._leave(work)
        # Who closes with something unread resets the connection, and the client loses what it has
        # not read yet: nobody else reads now, so this waits until the client has closed it.
        with contextlib.suppress(ConnectionError):
            await self._socket.close()
        return self._socket

    def signal(self, number: int) -> None:
        """Send a signal to the process group, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def drop(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def stall(self) -> None:
        """Read and answer no more, but keep the connection."""
        self.stalled = True
        if isinstance(self._transport, asyncio.Transport):
            self._transport.pause_reading()

    async def _listen(self) -> None:
        async for message in self._socket:
            await self._take(message)

    async def _take(self, message: WSMessage) -> None:
        if self.stalled:
            return
        if message.type is WSMsgType.PING:
            with contextlib.suppress(ConnectionError):
                await self._socket.pong(message.data)
        elif message.type in (WSMsgType.BINARY, WSMsgType.TEXT) and message.data:
            data = message.data.encode() if isinstance(message.data, str) else message.data
            self._dispatch(data[0], data[1:])

    def _dispatch(self, channel: int, data: bytes) -> None:
        if channel == STDIN and data and STDIN in self.streams:
            self._input.put_nowait(data)
        elif channel == CLOSE and data == b"\0" and self._socket.ws_protocol == "v5.channel.k8s.io":
            self._input.put_nowait(None)
        elif channel == RESIZE:
            size = json.loads(data)
            self.size = (size["Width"], size["Height"])
            self._resize()
            self.notify()

    def _resize(self) -> None:
        if self.size is not None and self._master in self._fds:
            window = struct.pack("HHHH", self.size[1], self.size[0], 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, window)

    async def _leave(self, work: asyncio.Task[None]) -> None:
        if self._process is not None and self._process.returncode is None:
            self._input.put_nowait(None)
            if self.tty:
                self.signal(signal.SIGHUP)
                self.signal(signal.SIGCONT)
            end = asyncio.create_task(self._process.wait())
            await asyncio.wait([end], timeout=2 if self.tty else 0.5)
            self.signal(signal.SIGKILL)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await work

    async def _work(self) -> None:
        status = self.problem or await self._run()
        await self._send(ERROR, json.dumps(status).encode())

    async def _send(self, channel: int, data: bytes) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self._sending += 1
        try:
            await self._socket.send_bytes(bytes([channel]) + data)
        finally:
            self._sending -= 1

    async def _run(self) -> dict[str, Any]:
        if not shutil.which(self._argv()[0], path=ENVIRONMENT["PATH"]):
            return not_found(self.command)
        tasks: list[asyncio.Task[None]] = []
        try:
            writer, readers = await self._spawn()
            pumps = [asyncio.create_task(self._pump(*reader)) for reader in readers.items()]
            tasks += [*pumps, asyncio.create_task(self._feed(writer))]
            assert self._process is not None
            code = await self._process.wait()
            await self._settle(pumps)
            return exit_status(self.command, code if code >= 0 else 128 - code)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for fd in list(self._fds):
                self._close(fd)

    def _argv(self) -> tuple[str, ...]:
        return tuple(localized(word, self.toolkit) for word in self.command)

    async def _spawn(self) -> tuple[int, dict[int, int]]:
        argv = self._argv()
        if self.tty:
            self._master, slave = os.openpty()
            argv = (*TAKE_TERMINAL, os.ttyname(slave), *argv)
            child, writer, readers = [slave] * 3, self._master, {STDOUT: self._master}
        else:
            (stdin, writer), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
            child, readers = [stdin, stdout, stderr], {STDOUT: out, STDERR: err}
        self._fds |= {writer, *readers.values()}
        for fd in self._fds:
            os.set_blocking(fd, False)
        self._resize()
        name, _, value = self.mark.partition("=")
        own = {name: value, "SCRATCH_TOOLKIT": str(self.toolkit)}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *argv, stdin=child[0], stdout=child[1], stderr=child[2], cwd="/tmp",
                env={**ENVIRONMENT, **own}, start_new_session=True,
            )  # fmt: skip
        finally:
            for fd in set(child):
                os.close(fd)
        if STDIN not in self.streams:
            self._input.put_nowait(None)
        return writer, readers

    async def _pump(self, channel: int, fd: int) -> None:
        while True:
            await _ready(fd)
            try:
                data = os.read(fd, 16384)
            except BlockingIOError:
                continue
            except OSError:  # EIO: the last process has closed the terminal
                return
            if not data:
                return
            if channel in self.streams:
                await self._send(channel, data)

    async def _feed(self, fd: int) -> None:
        while (data := await self._input.get()) is not None:
            while data:
                await _ready(fd, write=True)
                try:
                    data = data[os.write(fd, data) :]
                except BlockingIOError:
                    continue
                except OSError:  # nobody reads any more
                    return
        if not self.tty:
            self._close(fd)

    async def _settle(self, pumps: list[asyncio.Task[None]]) -> None:
        """Wait for all the output; a job left on a terminal would keep that open for ever."""
        _, pending = await asyncio.wait(pumps, timeout=0.1)
        while pending and not (self._master and self._quiet(self._master)):
            _, pending = await asyncio.wait(pending, timeout=0.1)
        for pump in pumps:
            if pump.done():
                pump.result()

    def _quiet(self, fd: int) -> bool:
        return not self._sending and not select.select([fd], [], [], 0)[0]

    def _close(self, fd: int) -> None:
        if fd in self._fds:
            self._fds.remove(fd)
            os.close(fd)
