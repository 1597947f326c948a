"""Compare the two transports of a session: start, echo, throughput, memory.

``python bench/transport.py`` needs a cluster in $KUBECONFIG and kubectl on PATH. It makes a
namespace of its own, prints the table, writes it to results/transport.md, and deletes the
namespace. Each session is a process of its own; the transports take turns in every round, so
that what else the machine does meets both.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kubectl_scratch.kube.access import read_access
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.connection import Connection
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.runtime.temp_dir import private_folder
from kubectl_scratch.session import terminal
from kubectl_scratch.session.context import UserStreams
from kubectl_scratch.session.exec_command import ExecCommand
from kubectl_scratch.session.kubectl_command import KubectlCommand
from kubectl_scratch.session.kubectl_transport import KubectlTransport
from kubectl_scratch.session.readiness import Ready
from kubectl_scratch.session.remote import RemoteCommand
from kubectl_scratch.session.websocket_transport import WebSocketTransport

TRANSPORTS = ("websocket", "kubectl")
ROUNDS = 10
KEYS = 20
KEY_PAUSE = 0.03
LINES = 300_000
ZEROS = 64 << 20
SIZE = (24, 80)
PATIENCE = 60.0
MB = 1e6

POD = "bench"
IMAGE = "docker.io/library/busybox:1.37.0"
RESULT = Path(__file__).parent / "results" / "transport.md"
KILL_LINE = b"\x15"

Numbers = dict[str, list[float]]


def main() -> None:
    """Measure, print and write; or, with arguments, be one of the sessions."""
    if len(sys.argv) > 1:
        transport, form, namespace, report = sys.argv[1:]
        found = hold_session(transport, form, namespace)
        os.write(int(report), json.dumps(found).encode())
        return
    load = f"{os.getloadavg()[0]:.1f}"
    with shell_pod() as namespace:
        measured: dict[str, Numbers] = {transport: {} for transport in TRANSPORTS}
        for number in range(ROUNDS):
            turns = TRANSPORTS if number % 2 else TRANSPORTS[::-1]
            for form in ("terminal", "pipes"):
                for transport in turns:
                    for name, values in run_session(transport, form, namespace).items():
                        measured[transport].setdefault(name, []).extend(values)
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        told = describe(measured, load)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(told)
    print(told, end="")


@contextmanager
def shell_pod() -> Iterator[str]:
    """Give a namespace with a pod that has a shell."""
    namespace = f"bench-{secrets.token_hex(3)}"
    container = {"name": POD, "image": IMAGE, "command": ["sleep", "2147483647"]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    kubectl("create", "namespace", namespace)
    try:
        # Without its service account the namespace takes no pod.
        kubectl("-n", namespace, "wait", "--for=create", "serviceaccount/default")
        kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(pod))
        kubectl("-n", namespace, "wait", "--for=condition=Ready", "--timeout=90s", f"pod/{POD}")
        yield namespace
    finally:
        kubectl("delete", "namespace", namespace)


def kubectl(*words: str, stdin: str = "") -> str:
    """Run kubectl; return its stdout."""
    done = subprocess.run(
        ["kubectl", *words], input=stdin, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def run_session(transport: str, form: str, namespace: str) -> Numbers:
    """Run a session as a process of its own, and read what it writes to its end."""
    reader, writer = os.pipe()
    command = [sys.executable, __file__, transport, form, namespace, str(writer)]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[writer]
    )
    os.close(writer)
    assert child.stdout is not None
    with child, child.stdout, os.fdopen(reader) as report:
        first, last, size = read_to_end(child.stdout.fileno())
        found: Numbers = json.loads(report.read() or "{}")
    if child.returncode or (form == "pipes" and size != ZEROS):
        sys.exit(f"{transport}, {form}: exit code {child.returncode}, {size} bytes")
    if form == "pipes":
        (began,) = found.pop("began")
        found["pipes start"] = [first - began]
        found["pipes"] = [size / (last - first)]
    return found


def read_to_end(fd: int) -> tuple[float, float, int]:
    """Return when the first and the last byte came, and how many."""
    first = last = 0.0
    size = 0
    while data := os.read(fd, 1 << 20):
        last = time.monotonic()
        first = first or last
        size += len(data)
    return first, last, size


def hold_session(transport: str, form: str, namespace: str) -> Numbers:
    """Hold a session over a transport; return what was measured, in seconds and bytes."""
    tty = form == "terminal"
    zeros = f"dd if=/dev/zero bs=65536 count={ZEROS >> 16} 2>/dev/null"
    command = ("sh",) if tty else ("sh", "-c", zeros)
    cluster = Client(read_access(Connection(namespace=namespace), os.environ))
    exec_command = ExecCommand(namespace, POD, POD, command, tty, SIZE, repeatable=tty)
    with private_folder() as folder:
        ways: dict[str, WebSocketTransport | KubectlTransport] = {
            "websocket": WebSocketTransport(cluster, exec_command),
            "kubectl": KubectlTransport(cluster, exec_command, folder),
        }
        began = time.monotonic()
        remote = ways[transport].attempt(Ready())
        assert remote is not None
        try:
            if tty:
                return use_terminal(remote, began)
            with Interrupts() as interrupts:
                user = UserStreams(0, 1, 2)
                terminal.bridge(remote, user, interrupts, time.monotonic, lambda: None)
            assert remote.outcome().code == 0, remote.outcome()
            return {"began": [began]}
        finally:
            remote.close()


def use_terminal(remote: RemoteCommand, began: float) -> Numbers:
    """Type into a shell; return what was measured."""
    remote.setwinsize(*SIZE)
    read_until(remote, b"# ")
    found = {"start": [time.monotonic() - began], "echo": [echo(remote) for _ in range(KEYS)]}
    found["memory"] = [float(memory(remote))]
    remote.queue(KILL_LINE)
    remote.queue(f"seq 1 {LINES}; echo en''d\r".encode())
    began = time.monotonic()
    found["terminal"] = [read_until(remote, b"\nend\r\n") / (time.monotonic() - began)]
    return found


def echo(remote: RemoteCommand) -> float:
    """Return how long a keystroke's echo takes."""
    time.sleep(KEY_PAUSE)
    began = time.monotonic()
    remote.queue(b"x")
    read_until(remote, b"x")
    return time.monotonic() - began


def read_until(remote: RemoteCommand, mark: bytes) -> int:
    """Read until ``mark`` has come; return how many bytes came."""
    deadline = time.monotonic() + PATIENCE
    size, tail = 0, b""
    while mark not in tail:
        assert not remote.ended() and time.monotonic() < deadline, f"{mark!r} did not come"
        remote.flush()
        if not remote.more:
            select.select([remote], [remote] if remote.backlog else [], [], 1.0)
        out, _ = remote.drain()
        size += len(out)
        tail = tail[-len(mark) :] + out
    return size


def memory(remote: RemoteCommand) -> int:
    """Return the bytes that the session's processes take on this side, as PSS."""
    child = remote.pid if isinstance(remote, KubectlCommand) else None
    return proportional_set(os.getpid()) + (proportional_set(child) if child else 0)


def proportional_set(pid: int) -> int:
    """Return a process' memory in bytes; what it shares with others counts in part."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no Pss of process {pid}")


def describe(measured: dict[str, Numbers], load: str) -> str:
    """Return the page with the table."""
    rows = (
        ("start, to a shell's prompt (ms)", "start", 50, 1e3, 0),
        ("start, to a command's first output, no tty (ms)", "pipes start", 50, 1e3, 0),
        ("echo of a keystroke, p50 (ms)", "echo", 50, 1e3, 2),
        ("echo of a keystroke, p95 (ms)", "echo", 95, 1e3, 2),
        (f"throughput, tty, seq 1 {LINES} (MB/s)", "terminal", 50, 1 / MB, 1),
        (f"throughput, no tty, {ZEROS >> 20} MiB of zeros (MB/s)", "pipes", 50, 1 / MB, 1),
        ("memory at the prompt, PSS (MB)", "memory", 50, 1 / MB, 1),
    )
    table = []
    for title, name, percent, scale, digits in rows:
        both = [measured[transport][name] for transport in TRANSPORTS]
        ours, theirs = (percentile(values, percent) * scale for values in both)
        rounds = zip(*(by_round(values, percent) for values in both), strict=True)
        ratios = [there / here for here, there in rounds]
        spread = f"{percentile(ratios, 25):.2f} to {percentile(ratios, 75):.2f}"
        cells = f"{ours:.{digits}f} | {theirs:.{digits}f} | {theirs / ours:.2f} | {spread}"
        table.append(f"| {title} | {cells} |")
    facts = {"rounds": ROUNDS, "keys": ROUNDS * KEYS, "image": IMAGE, "load": load}
    return PAGE.format(table="\n".join(table), **facts, **surroundings())


PAGE = """\
# The transports of a session

| | WebSocket | kubectl exec | ratio | of rounds |
| --- | --: | --: | --: | --: |
{table}

Medians of {rounds} interleaved rounds; echo over {keys} keystrokes each. Less is better but for
throughput. The ratio is kubectl's to the WebSocket's; "of rounds" is the middle half of the
rounds' own ratios: where it is wide or includes 1, this run shows no difference. Memory is what
the session takes on the user's side: our Python, and with kubectl also its process. Without a tty
the WebSocket's start has two connections: a harmless command goes first (ADR 2).

{date}, {cores} cores, {system}, load {load} before; the cluster runs on the same machine.
kubectl {kubectl}, Kubernetes {kubernetes}, Python {python}; the pod runs {image}.
Made by `python bench/transport.py`.
"""


def percentile(values: list[float], percent: int) -> float:
    """Return the value below which that many per cent are."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def by_round(values: list[float], percent: int) -> list[float]:
    """Return the percentile of each round, of which each gave as many values."""
    each = len(values) // ROUNDS
    if each == 1:
        return values
    return [percentile(values[at : at + each], percent) for at in range(0, len(values), each)]


def surroundings() -> dict[str, Any]:
    """Return what the numbers depend on."""
    versions = json.loads(kubectl("version", "-o", "json"))
    return {
        "date": datetime.now(timezone.utc).date(),
        "cores": os.cpu_count(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "kubectl": versions["clientVersion"]["gitVersion"],
        "kubernetes": versions["serverVersion"]["gitVersion"],
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
