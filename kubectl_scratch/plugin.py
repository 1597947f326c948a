"""Exec credential plugins: run one, and return the user's fields that it stands for.

The Python client would give a plugin our stdin and leave it behind when we are interrupted.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kubeconfig import Access
from kubectl_scratch.parallel import ended_by
from kubectl_scratch.podjson import Json

# How often a wait for a plugin looks whether somebody still waits, in seconds.
SLICE_SECONDS = 0.2
# As client-go: what a cluster's extension says to a plugin.
CONFIG = "client.authentication.k8s.io/exec"
SPECIFIED = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
)
# Of what a plugin said when it failed, in characters.
SAID_LENGTH = 1000


class Hung(InvalidRequest):
    """The plugin did not answer in time."""


class Login(NamedTuple):
    """What a plugin gave: fields of a kubeconfig's user, and when they end."""

    user: Json
    expires: datetime | None


def log_in(
    access: Access,
    interactive: bool,
    timeout: float | None,
    pause: Callable[[float], bool] = lambda seconds: True,
) -> Login:
    """Run the plugin of the access's user; ``timeout`` is in seconds.

    Only an ``interactive`` one sees our stdin and stderr; what another says on stderr is told
    when it fails. ``pause`` returns false as soon as nobody waits any more. Raises InvalidRequest
    where it gives no credential; whatever happens, it does not outlive this call.
    """
    config = access.user["exec"]
    name = config["command"]
    try:
        process = subprocess.Popen(
            [name, *(config.get("args") or [])],
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            env=_environ(access, interactive),
            # Its own session has no terminal: nothing can be asked at /dev/tty either.
            start_new_session=not interactive,
        )
    except OSError as error:
        hint = config.get("installHint") or f"{name}: {(error.strerror or '').lower()}"
        raise _failure(name, "can't be run", str(hint)) from error
    end = partial(_kill, process, group=not interactive)
    # A thread that waits for it may be gone with the process before it can clean up.
    atexit.register(end)
    try:
        with ended_by(end):
            out, said = _answer(process, name, timeout, pause)
    finally:
        end()
        atexit.unregister(end)
    if process.returncode:
        reason = (said or b"").decode(errors="replace")
        raise _failure(name, f"ended with code {process.returncode}", reason)
    return _read(name, out)


def _answer(
    process: subprocess.Popen[bytes],
    name: str,
    timeout: float | None,
    pause: Callable[[float], bool],
) -> tuple[bytes, bytes | None]:
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            return process.communicate(timeout=SLICE_SECONDS)
        except subprocess.TimeoutExpired as error:
            if deadline is not None and time.monotonic() >= deadline:
                raise Hung(
                    *_failure(name, f"did not answer in {timeout:.0f} s", "").args
                ) from error
            if not pause(0):
                raise Hung(*_failure(name, "was not waited for", "").args) from error


def _kill(process: subprocess.Popen[bytes], group: bool) -> None:
    if process.poll() is not None:
        return
    if group:
        # A script's own children, too: they hold its pipes.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _environ(access: Access, interactive: bool) -> dict[str, str]:
    config = access.user["exec"]
    spec: Json = {"interactive": interactive}
    if config.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(access.cluster)
    info = {"apiVersion": config.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    added = {item["name"]: item["value"] for item in config.get("env") or []}
    # What YAML reads as a date is text.
    return {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(info, default=str)}


def _cluster_info(cluster: Json) -> Json:
    """Return what the API of plugins calls a cluster: no file names, and its own settings."""
    info = {field: cluster[field] for field in SPECIFIED if cluster.get(field)}
    ca = cluster.get("certificate-authority")
    if ca and "certificate-authority-data" not in info:
        with contextlib.suppress(OSError):
            data = Path(ca).read_bytes()
            info["certificate-authority-data"] = base64.b64encode(data).decode()
    extensions: Any = cluster.get("extensions") or []
    named = [item for item in extensions if isinstance(item, dict) and item.get("name") == CONFIG]
    return {**info, "config": named[0].get("extension") if named else None}


def _read(name: str, out: bytes) -> Login:
    try:
        status = json.loads(out)["status"]
        expires = status.get("expirationTimestamp")
        end = _time(expires) if expires else None
        user: Json = {}
        if status.get("token"):
            user["token"] = "" + status["token"]
        for field, given in (("certificate", "Certificate"), ("key", "Key")):
            data = status.get(f"client{given}Data")
            if data:
                user[f"client-{field}-data"] = base64.b64encode(data.encode()).decode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _failure(name, "gave no credential", "") from error
    if not user:
        raise _failure(name, "gave no credential", "")
    if ("client-certificate-data" in user) != ("client-key-data" in user):
        raise _failure(name, "gave a certificate or a key, not both", "")
    return Login(user, end)


def _time(text: str) -> datetime:
    # Python 3.10 reads no Z, and only some fractions of a second.
    moment = datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _failure(name: str, what: str, hint: str) -> InvalidRequest:
    # A message of ours is one line.
    lines = " ".join(line.strip() for line in hint.splitlines() if line.strip())
    return InvalidRequest(
        "the cluster's credentials can't be loaded",
        f"credential plugin {name} {what}" + (f": {lines[:SAID_LENGTH]}" if lines else ""),
    )
