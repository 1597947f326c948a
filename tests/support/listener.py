"""A server that notes whatever is said to it, and answers nothing of use."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Listener(threading.Thread):
    """Note what arrives: `with Listener() as listener`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.heard: list[bytes] = []

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def run(self) -> None:
        """Accept until the server is closed."""
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            client.settimeout(1)
            with client, contextlib.suppress(OSError):
                self.heard.append(client.recv(65536))
