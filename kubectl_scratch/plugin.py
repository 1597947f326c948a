"""Exec credential plugins: run one, and return the user's fields that it stands for.

The Python client would give a plugin our stdin and leave it behind when we are interrupted.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
from datetime import datetime, timezone
from typing import NamedTuple

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kubeconfig import Access
from kubectl_scratch.parallel import ended_by
from kubectl_scratch.podjson import Json


class Login(NamedTuple):
    """What a plugin gave: fields of a kubeconfig's user, and when they end."""

    user: Json
    expires: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Say whether it has expired."""
        return self.expires is not None and self.expires <= now


def log_in(access: Access, interactive: bool, timeout: float | None) -> Login:
    """Run the plugin of the access's user; ``timeout`` is in seconds.

    Only an ``interactive`` one sees our stdin and stderr; the first line that another says on
    stderr is told when it fails. Raises InvalidRequest where it gives no credential; whatever
    happens, it does not outlive this call.
    """
    config = access.user["exec"]
    name = config["command"]
    words = [name, *(config.get("args") or [])]
    try:
        process = subprocess.Popen(
            words,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            env=_environ(access, interactive),
            # Its own session has no terminal: nothing can be asked at /dev/tty either.
            start_new_session=not interactive,
        )
    except OSError as error:
        hint = config.get("installHint") or f"{name}: {(error.strerror or '').lower()}"
        raise _failure(name, "can't be run", hint) from error
    try:
        with ended_by(lambda: _end(process, group=not interactive)):
            out, said = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise _failure(name, f"did not answer in {timeout:.0f} s", "") from error
    finally:
        if process.poll() is None:
            _kill(process, group=not interactive)
    if process.returncode:
        reason = (said or b"").decode(errors="replace")
        raise _failure(name, f"ended with code {process.returncode}", reason)
    return _read(name, out)


def _end(process: subprocess.Popen[bytes], group: bool) -> None:
    """End it where nobody waits for it any more; it may just have ended."""
    with contextlib.suppress(ProcessLookupError):
        _kill(process, group)


def _kill(process: subprocess.Popen[bytes], group: bool) -> None:
    if group:
        # A script's own children, too: they hold its pipes.
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _environ(access: Access, interactive: bool) -> dict[str, str]:
    config = access.user["exec"]
    spec: Json = {"interactive": interactive}
    if config.get("provideClusterInfo"):
        spec["cluster"] = {k: v for k, v in access.cluster.items() if k != "extensions"}
    info = {"apiVersion": config.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    added = {item["name"]: item["value"] for item in config.get("env") or []}
    return {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _read(name: str, out: bytes) -> Login:
    try:
        status = json.loads(out)["status"]
        expires = status.get("expirationTimestamp")
        end = _time(expires) if expires else None
        user: Json = {"token": str(status["token"])} if status.get("token") else {}
        for field, given in (("certificate", "Certificate"), ("key", "Key")):
            data = status.get(f"client{given}Data")
            if data:
                user[f"client-{field}-data"] = base64.b64encode(data.encode()).decode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _failure(name, "gave no credential", "") from error
    if not user:
        raise _failure(name, "gave no credential", "")
    return Login(user, end)


def _time(text: str) -> datetime:
    # Python 3.10 reads no Z.
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _failure(name: str, what: str, hint: str) -> InvalidRequest:
    return InvalidRequest(
        "the cluster's credentials can't be loaded",
        f"credential plugin {name} {what}"
        + (f": {hint.strip().splitlines()[0]}" if hint.strip() else ""),
    )
