"""The tracer: connections, names and ports."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.seed.conftest import Seed
from tests.seed.programs import PYTHON
from tests.seed.tracing import Report, traced

BEGIN = "import socket, os, sys, time, select, struct\ns = socket.socket()\n"


def ran(seed: Seed, script: str, *flags: str) -> Report:
    """Run a program of Python's."""
    return traced(seed, PYTHON, "-S", "-c", BEGIN + script, flags=flags)


@contextmanager
def closed_port() -> Iterator[int]:
    """Give a port that refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that does not answer: its queue is full."""
    with socket.socket() as server, socket.socket() as one, socket.socket() as other:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (one, other):
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_refused_connection_is_told(native: Seed) -> None:
    with closed_port() as port:
        report = ran(native, f"s.connect(('127.0.0.1', {port}))")
    call = report.call(call="connect")
    assert (call["error"], call["family"], call["protocol"]) == ("ECONNREFUSED", "inet", "tcp")
    assert (call["address"], call["port"]) == ("127.0.0.1", port)


@pytest.mark.parametrize(
    "wait",
    [
        "s.connect_ex(p); select.select([], [s], []); s.getsockopt(1, 4)",
        "s.connect_ex(p); select.select([], [s], []); s.connect_ex(p)",
        "s.connect_ex(p); select.select([], [s], []); os.write(s.fileno(), b'x')",
        # It is busy, and asks long after the answer.
        "s.connect_ex(p); time.sleep(.5); s.getsockopt(1, 4)",
    ],
)
def test_a_connection_that_is_refused_later_is_told(native: Seed, wait: str) -> None:
    with closed_port() as port:
        report = ran(native, f"p = '127.0.0.1', {port}; s.setblocking(False); {wait}")
    call = report.call(call="connect", port=port)
    assert call["error"] == "ECONNREFUSED" and not report.all("connected")


@pytest.mark.parametrize(
    "wait",
    [
        "s.connect_ex(p)",
        "s.setblocking(False); s.connect_ex(p); select.select([], [s], []); s.getsockopt(1, 4)",
        "s.setblocking(False); s.connect_ex(p); select.select([], [s], []); s.connect_ex(p)",
        "s.setblocking(False); s.connect_ex(p); select.select([], [s], []); os.write(3, b'x')",
        "s.setblocking(False); s.connect_ex(p); time.sleep(.3)",
    ],
)
def test_a_connection_that_is_made_is_told(native: Seed, wait: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        report = ran(native, f"p = '127.0.0.1', {port}; {wait}")
    assert not report.all("call", call="connect")
    line = report.one("connected")
    assert (line["address"], line["port"], line["protocol"]) == ("127.0.0.1", port, "tcp")


def test_a_connection_that_is_never_made_is_pending(native: Seed) -> None:
    with silent_port() as port:
        report = ran(native, f"s.connect(('127.0.0.1', {port}))", "--for", "1")
    call = report.call(call="connect")
    assert call["pending"] is True and "error" not in call and call["waited"] > 500
    end = report.one("end")
    assert end["running"] is True and "code" not in end
    (wait,) = end["waits"]
    assert (wait["call"], wait["address"], wait["port"]) == ("connect", "127.0.0.1", port)
    assert wait["since"] < 900


def test_a_connection_that_the_app_gives_up_is_pending(native: Seed) -> None:
    with silent_port() as port:
        report = ran(native, f"s.settimeout(1.2); s.connect(('127.0.0.1', {port}))")
    call = report.call(call="connect")
    assert call["pending"] is True and call["port"] == port and call["waited"] > 700
    assert "timed out" in report.text


@pytest.mark.parametrize(
    ("made", "members"),
    [
        ("s.connect(('127.0.0.1', 1))", {"address": "127.0.0.1", "port": 1}),
        (
            "s = socket.socket(socket.AF_INET6); s.connect(('::1', 1))",
            {"family": "inet6", "address": "::1"},
        ),
        (
            "s = socket.socket(socket.AF_INET6); s.connect(('::ffff:127.0.0.2', 1))",
            {"family": "inet", "address": "127.0.0.2"},
        ),
        (
            "s = socket.socket(socket.AF_UNIX); s.connect('/no/socket')",
            {"family": "unix", "path": "/no/socket", "error": "ENOENT"},
        ),
        (
            "s = socket.socket(socket.AF_UNIX); s.connect('\\0name')",
            {"family": "unix", "path": "name", "abstract": True, "error": "ECONNREFUSED"},
        ),
        (
            "s = socket.socket(socket.AF_UNIX); s.connect('/etc/passwd')",
            {"path": "/etc/passwd", "error": "ECONNREFUSED"},
        ),
    ],
)
def test_an_address_of_any_family_is_told(
    native: Seed, made: str, members: dict[str, object]
) -> None:
    call = ran(native, made).call(call="connect")
    assert {key: call.get(key) for key in members} == members


def test_what_is_at_the_path_of_a_socket_is_told(native: Seed) -> None:
    script = "s = socket.socket(socket.AF_UNIX); s.connect('/etc/no-socket')"
    call = ran(native, script).call(call="connect")
    assert call["nearest"]["path"] == "/etc"


def test_a_port_in_use_is_told(native: Seed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        report = ran(native, f"s.bind(('127.0.0.1', {port}))")
    call = report.call(call="bind")
    assert (call["error"], call["port"], call["address"]) == ("EADDRINUSE", port, "127.0.0.1")


def test_an_address_that_is_not_ours_is_told(native: Seed) -> None:
    assert ran(native, "s.bind(('192.0.2.1', 80))").call(call="bind")["error"] == "EADDRNOTAVAIL"


def test_what_is_listened_on_is_told(native: Seed) -> None:
    script = "s.bind(('127.0.0.1', 0)); s.listen()"
    line = ran(native, script).one("listening")
    assert (line["address"], line["port"], line["protocol"]) == ("127.0.0.1", 0, "tcp")


def test_a_socket_that_cannot_be_made_is_told(native: Seed) -> None:
    call = ran(native, "socket.socket(99, 1 | socket.SOCK_CLOEXEC, 7)").call(call="socket")
    assert (call["error"], call["arguments"]) == ("EAFNOSUPPORT", [99, 1, 7])


def test_a_broken_connection_is_told(native: Seed) -> None:
    script = (
        "a, b = socket.socketpair(); b.close()\n"
        "import signal; signal.signal(13, signal.SIG_IGN)\nos.write(a.fileno(), b'x')"
    )
    assert "Broken pipe" in ran(native, script).text


# Of this process alone: other tests run beside it.
SERVER = f"127.{os.getpid() >> 16 & 63 | 64}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


def question(name: str, number: int = 1, kind: int = 1) -> bytes:
    """Return a question to a DNS server."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        number.to_bytes(2, "big")
        + b"\1\0\0\1\0\0\0\0\0\0"
        + labels
        + b"\0\0"
        + bytes([kind])
        + b"\0\1"
    )


def answer(asked: bytes, code: int, *addresses: str) -> bytes:
    """Return an answer to a question."""
    head = asked[:2] + bytes([0x81, 0x80 | code]) + asked[4:6]
    records = b"".join(
        b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + socket.inet_aton(address) for address in addresses
    )
    return head + len(addresses).to_bytes(2, "big") + b"\0\0\0\0" + asked[12:] + records


@contextmanager
def dns_server(address: str, code: int | None, *addresses: str) -> Iterator[None]:
    """Answer questions at an address of loopback; without a code they are not answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        server.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    asked, client = server.recvfrom(2048)
                except TimeoutError:
                    continue
                if code is not None:
                    server.sendto(answer(asked, code, *addresses), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


ASK = (
    "u = socket.socket(2, socket.SOCK_DGRAM); u.settimeout(5); p = '{address}', 53; q = {asked!r}\n"
)
WAYS = {
    "sendto-recvfrom": "u.sendto(q, p); u.recvfrom(2048)",
    "connect-send-recv": "u.connect(p); u.send(q); u.recv(2048)",
    "connect-write-read": "u.connect(p); os.write(u.fileno(), q); select.select([u], [], []);"
    "os.read(u.fileno(), 2048)",
    "sendmsg-recvmsg": "u.connect(p); u.sendmsg([q]); u.recvmsg(2048)",
    "sendmsg-to": "u.sendmsg([q], [], 0, p); u.recvmsg_into([bytearray(2048)])",
    "nonblocking": "u.setblocking(False); u.connect(p); u.send(q); select.select([u], [], []);"
    "u.recv(2048)",
    "threads": "import threading\nu.connect(p); u.setblocking(True)\n"
    "t = threading.Thread(target=lambda: os.read(u.fileno(), 2048)); t.start()\n"
    "time.sleep(.2); os.write(u.fileno(), q); t.join()",
    "threads-waiting": "import threading\nu.setblocking(True)\n"
    "t = threading.Thread(target=lambda: u.recv(2048)); u.bind(('127.0.0.1', 0)); t.start()\n"
    "time.sleep(.2); u.sendto(q, p); t.join()",
}


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_there_is_no_such_name_is_told(native: Seed, way: str) -> None:
    script = ASK.format(address=SERVER, asked=question("db.Prod.svc")) + WAYS[way]
    with dns_server(SERVER, 3):
        report = ran(native, script)
    assert report.text == ""
    line = report.one("dns")
    assert (line["name"], line["type"], line["server"]) == ("db.Prod.svc", "A", SERVER)
    assert (line["code"], line["answers"], line["count"]) == ("NXDOMAIN", [], 1)


def test_an_answer_with_addresses_is_told(native: Seed) -> None:
    script = ASK.format(address=SERVER, asked=question("db")) + WAYS["connect-send-recv"]
    with dns_server(SERVER, 0, "10.1.2.3", "10.1.2.4"):
        line = ran(native, script).one("dns")
    assert (line["code"], line["answers"]) == ("NOERROR", ["10.1.2.3", "10.1.2.4"])


def test_a_question_that_is_not_answered_is_told(native: Seed) -> None:
    script = ASK.format(address=SERVER, asked=question("db", kind=28))
    script += "u.sendto(q, p); u.sendto(q, p); u.settimeout(.3); u.recv(10)"
    with dns_server(SERVER, None):
        line = ran(native, script).one("dns")
    assert (line["name"], line["type"], line["count"]) == ("db", "AAAA", 2)
    assert "code" not in line and "answers" not in line


@pytest.mark.parametrize("cut", [*range(11, 40), 60])
def test_a_broken_datagram_is_no_answer(native: Seed, cut: int) -> None:
    broken = answer(question("db"), 0, "10.0.0.1")[:cut]
    script = (
        f"r = socket.socket(2, socket.SOCK_DGRAM); r.bind(('{SERVER}', 53))\n"
        f"u = socket.socket(2, socket.SOCK_DGRAM); u.connect(('{SERVER}', 53))\n"
        f"u.send({question('db')!r}); r.sendto({broken!r}, r.recvfrom(2048)[1]); u.recv(2048)"
    )
    line = ran(native, script).one("dns")
    assert line["name"] == "db" and line.get("answers", []) in ([], ["10.0.0.1"])


def test_a_process_that_hangs_in_a_read_of_a_socket_is_told_with_its_peer(native: Seed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        report = ran(native, f"s.connect(('127.0.0.1', {port})); s.recv(1)", "--for", "1")
    (wait,) = report.one("end")["waits"]
    assert (wait["call"], wait["address"], wait["port"]) == ("recvfrom", "127.0.0.1", port)
