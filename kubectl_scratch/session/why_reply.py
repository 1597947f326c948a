"""Answer ``run-app --why`` in a session: fetch its report, explain it, send the answer back.

The seed has seen the run, and only the client can ask the cluster what it means. In a terminal a
mark in the output says that there is a report: a command that no terminal knows, so it shows
nothing. An app can write it, too; then there is no report, and nothing happens.
"""

from __future__ import annotations

import contextlib
import threading
import time

from kubectl_scratch.errors import ClusterError, SessionError
from kubectl_scratch.kube import exec_stream
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.exec_errors import UNREACHED
from kubectl_scratch.kube.exec_types import ExecOutcome
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.lookup.source import read_pod
from kubectl_scratch.lookup.why_facts import read_network_facts, read_status_facts
from kubectl_scratch.plan.model import SessionTarget
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.toolkit.archive import SEED, Entry, pack_entries
from kubectl_scratch.why.answer import explain_run
from kubectl_scratch.why.masks import mask_arguments
from kubectl_scratch.why.report import LARGEST, Run, parse_report
from kubectl_scratch.why.text import answer_lines

REPORT_MARK = b"\x1b]7717;why\x07"
# Proxies cut what idles; the pause after which a report is asked for again; in seconds.
_PING_EVERY, _TRY_EVERY = 20.0, 1.0
_SEND_SECONDS = 10.0
WIDTH = 80


class WhyReply:
    """Reply to each report of a session's app, beside the session."""

    def __init__(self, cluster: Client, place: SessionTarget) -> None:
        self._cluster = cluster
        self._place = place
        self._over = threading.Event()
        self._task: Task[bool] | Task[None] | None = None
        self._tail = b""

    def __enter__(self) -> WhyReply:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def notice(self, said: bytes) -> None:
        """Look for the mark in what the session has said, and reply to the report."""
        seen = self._tail + said
        self._tail = seen[-len(REPORT_MARK) + 1 :]
        if REPORT_MARK in seen and (self._task is None or self._task.done()):
            self._task = Task(self._reply_once)

    def expect(self) -> None:
        """Reply to reports for as long as the session lasts, without a mark."""
        self._task = Task(self._reply_always)

    def _reply_always(self) -> None:
        while not self._over.is_set():
            if not self._reply_once():
                self._over.wait(_TRY_EVERY)

    def _reply_once(self) -> bool:
        """Reply to a report; return whether there was one. Without an answer the seed says so."""
        with contextlib.suppress(*UNREACHED, ClusterError, SessionError, OSError):
            copy = read_pod(self._cluster, self._place.pod).body
            run = parse_report(self._fetch(mask_arguments(copy, self._place.target)))
            if run.complete:
                self._send(self._explained(run, copy))
                return True
        return False

    def _explained(self, run: Run, copy: Json) -> str:
        place = self._place
        facts = read_status_facts(self._cluster, self._source_or(copy), place.target)
        facts = facts._replace(read_only=place.read_only.get(place.target, ()))
        answer = explain_run(run, read_network_facts(self._cluster, facts, run))
        return "\n".join(answer_lines("why", answer, WIDTH))

    def _source_or(self, copy: Json) -> Json:
        """Return the source pod; the copy if it is gone."""
        namespace, _, source = self._place.source.partition("/")
        if namespace == self._cluster.namespace:
            with contextlib.suppress(ClusterError, SessionError):
                return read_pod(self._cluster, source).body
        return copy

    def _fetch(self, masks: tuple[str, ...]) -> bytes:
        """Return the report as soon as there is one; what has come of it if the stream is cut."""
        stream = self._exec("report", *masks)
        said, pinged = bytearray(), time.monotonic()
        try:
            while not (stream.ended or self._over.is_set()):
                for channel, data in exec_stream.run_exec(stream):
                    if channel == exec_stream.STDOUT:
                        said += data[: LARGEST - len(said)]
                if time.monotonic() - pinged > _PING_EVERY:
                    pinged = time.monotonic()
                    stream.ping()
        finally:
            stream.close()
        return bytes(said)

    def _send(self, text: str) -> ExecOutcome:
        entries = pack_entries([Entry("answer", text.encode(errors="replace"), 0o600)])
        outcome, _ = exec_stream.converse(self._exec("recv"), entries, _SEND_SECONDS)
        return outcome

    def _exec(self, *words: str) -> exec_stream.ExecStream:
        place = self._place
        endpoint = self._cluster.exec_endpoint(
            place.namespace, place.pod, place.target, (SEED, *words), False
        )
        return exec_stream.connect_exec(endpoint, exec_stream.V4)
