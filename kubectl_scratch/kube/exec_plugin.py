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
from kubectl_scratch.kube.access import Access
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.runtime.tasks import ended_by

NOT_LOADED = "the cluster's credentials cannot be loaded"
# How often a wait for a plugin looks whether someone still waits, in seconds.
_SLICE_SECONDS = 0.2
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
# For how long a plugin at the terminal may end by itself.
_GRACE_SECONDS = 1.0
# Of what a plugin said when it failed, in characters.
SAID_LENGTH = 1000


class HungPlugin(InvalidRequest):
    """The plugin did not answer in time."""


class PluginLogin(NamedTuple):
    """What a plugin gave: fields of a kubeconfig's user, and when they end."""

    user: Json
    expires: datetime | None


def log_in(
    access: Access,
    interactive: bool,
    timeout: float | None,
    pause: Callable[[float], bool] = lambda seconds: True,
    save_terminal: Callable[[], Callable[[], None]] = lambda: lambda: None,
) -> PluginLogin:
    """Run the plugin of the access's user; ``timeout`` is in seconds.

    Only an ``interactive`` one sees our stdin and stderr; what another says on stderr is reported
    if it fails. ``pause`` returns false as soon as nobody waits any more. ``save_terminal``
    returns what makes our terminal again what it is. Raises InvalidRequest if it gives no
    credential; whatever happens, it does not outlive this call.
    """
    config = access.user["exec"]
    name = config["command"]
    # Looked for in our own PATH: that of its env would be the kubeconfig's, and what runs is
    # what the user's kuberc allows.
    where = access.policy.check(name)
    if where is None:
        hint = config.get("installHint") or f"{name}: not found, or not executable"
        raise _failure(name, "cannot be run", str(hint))
    # One that asks for a password hides it, and may be ended before it shows again what is typed.
    restore = save_terminal() if interactive else lambda: None
    try:
        process = subprocess.Popen(
            [name, *(config.get("args") or [])],
            executable=where,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            env=_environ(access, interactive),
            # Its own session has no terminal: nothing can be asked at /dev/tty either.
            start_new_session=not interactive,
        )
    except OSError as error:
        raise _failure(name, "cannot be run", (error.strerror or "").lower()) from error
    end = partial(_end, process, interactive, restore)
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
        raise _failure(name, f"exited with code {process.returncode}", reason)
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
            return process.communicate(timeout=_SLICE_SECONDS)
        except subprocess.TimeoutExpired as error:
            if deadline is not None and time.monotonic() >= deadline:
                raise HungPlugin(
                    *_failure(name, f"timed out after {timeout:.0f}s", "").args
                ) from error
            if not pause(0):
                raise HungPlugin(*_failure(name, "was interrupted", "").args) from error


def _end(process: subprocess.Popen[bytes], interactive: bool, restore: Callable[[], None]) -> None:
    """End a plugin with its children, whether or not it has ended itself."""
    if not interactive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        below = _below(process.pid)
        # The terminal's own ^C has reached it as well: it may put away what it has begun.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
        below |= _below(process.pid)
        process.kill()
        left = _processes()
        for pid, (_, started) in below.items():
            if pid in left and left[pid][1] == started:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
    process.wait()
    restore()


def _below(pid: int) -> dict[int, tuple[int, str]]:
    """Return the children of a process, and theirs."""
    known, found = _processes(), [pid]
    for parent in found:
        found += [child for child, (above, _) in known.items() if above == parent]
    return {child: known[child] for child in found[1:]}


def _processes() -> dict[int, tuple[int, str]]:
    """Return each process's parent and start, as far as there is a /proc that tells."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # A name may have any character in it.
            fields = path.read_bytes().rpartition(b")")[2].split()
            found[int(path.parent.name)] = int(fields[1]), fields[19].decode()
    return found


def _environ(access: Access, interactive: bool) -> dict[str, str]:
    config = access.user["exec"]
    spec: Json = {"interactive": interactive}
    if config.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(access.cluster)
    info = {"apiVersion": config.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    added = {item["name"]: item["value"] for item in config.get("env") or []}
    # Only an explicit tag (!!timestamp, !!binary) gives what JSON does not know.
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


def _read(name: str, out: bytes) -> PluginLogin:
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
        raise _failure(name, "returned no credential", "") from error
    if not user:
        raise _failure(name, "returned no credential", "")
    if ("client-certificate-data" in user) != ("client-key-data" in user):
        raise _failure(name, "returned a certificate or a key, not both", "")
    return PluginLogin(user, end)


def _time(text: str) -> datetime:
    # Python 3.10 reads no Z, and only some fractions of a second.
    moment = datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _failure(name: str, what: str, hint: str) -> InvalidRequest:
    # A message of ours is one line.
    lines = " ".join(line.strip() for line in hint.splitlines() if line.strip())
    return InvalidRequest(
        NOT_LOADED,
        f"credential plugin {name} {what}" + (f": {lines[:SAID_LENGTH]}" if lines else ""),
    )
