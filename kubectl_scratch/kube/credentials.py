"""What a user shows to the API server: a token and a TLS context, renewed before they expire."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from kubectl_scratch.errors import InvalidRequest, reason_of
from kubectl_scratch.kube.access import (
    Access,
    fits_a_header,
    impersonation_headers,
    provider_programs,
)
from kubectl_scratch.kube.exec_plugin import NOT_LOADED, HungPlugin, log_in
from kubectl_scratch.kube.kuberc import ALLOW_ALL
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.python_client import (
    ConfigException,
    Configuration,
    client_errors,
    forget_files,
    load_settings,
    refuse_redirects,
    verify_issuer,
)
from kubectl_scratch.kube.tls import load_certificate, trusting
from kubectl_scratch.runtime.tasks import Task
from kubectl_scratch.runtime.temp_dir import private_folder

# A plugin that logs in again may ask a server that no longer answers.
REFRESH_SECONDS = 10.0
# A login is renewed before it ends: at a tenth of its life, and by no more seconds than this.
EARLY_SECONDS = 60.0
# How often a thread that waits for another's renewal looks whether someone still waits.
TURN_SECONDS = 0.2


class Proof(NamedTuple):
    """What the user shows to the API server, as it is at a moment.

    ``made_of`` tells two apart; ``due`` is when it should be renewed, ``expires`` when it ends.
    """

    authorization: str | None
    tls: ssl.SSLContext | None
    made_of: tuple[object, ...]
    due: datetime | None = None
    expires: datetime | None = None


class Credentials:
    """What one user shows to one API server. Safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        login_timeout: float | None = None,
        pause: Callable[[float], bool] = lambda seconds: True,
        save_terminal: Callable[[], Callable[[], None]] = lambda: lambda: None,
    ) -> None:
        """Load them; raises InvalidRequest if they cannot be loaded.

        ``login_timeout`` is in seconds; a person who is asked may take as long as it takes.
        ``pause`` returns false as soon as nobody waits any more. ``save_terminal`` returns what
        makes the person's terminal again what it is.
        """
        self._access = access
        self._pause = pause
        self._save_terminal = save_terminal
        self._settings = Configuration()
        self._renewing = threading.Lock()
        self._not_before = 0.0
        self._proof: Proof | None = None
        self._proof = self._load(may_ask(access.user), login_timeout)

    @property
    def verifies(self) -> bool:
        """Say whether the server's certificate is checked."""
        return bool(self._settings.verify_ssl)

    @property
    def server_name(self) -> str | None:
        """Return the name that the server's certificate has to have, if it is not its host's."""
        name: str | None = self._settings.tls_server_name
        return name

    @property
    def host(self) -> str:
        """Return the API server's URL."""
        return str(self._settings.host).rstrip("/")

    def _load(self, interactive: bool, timeout: float | None) -> Proof:
        """Log in, or read again what the kubeconfig names; raises InvalidRequest."""
        user, config, expires = self._access.user, self._access.config, None
        for program in provider_programs(user):
            # The Python client would look for it once more.
            if self._access.policy.check(program) is None and self._access.policy.kind != ALLOW_ALL:
                raise InvalidRequest(NOT_LOADED, f"credential plugin {program} not found")
        if user.get("exec") and not user.get("token"):
            save = self._save_terminal
            login = log_in(self._access, interactive, timeout, self._pause, save)
            config, expires = with_user(self._access, login.user), login.expires

        def read() -> tuple[Any, Proof]:
            return self._read(config, expires)

        # The client asks a provider for as long as it takes.
        unlimited = timeout is None or not user.get("auth-provider")
        self._settings, proof = read() if unlimited else self._within(timeout or 0, read)
        return proof

    def _within(self, seconds: float, read: Callable[[], tuple[Any, Proof]]) -> tuple[Any, Proof]:
        """Return what ``read`` gives; raises Hung, and leaves it alone, if that takes too long."""
        ended = threading.Event()
        task = Task(read, ended.set)
        end = time.monotonic() + seconds
        while not ended.wait(TURN_SECONDS):
            if time.monotonic() >= end or not self._pause(0):
                task.abandon()
                raise HungPlugin(NOT_LOADED, "the login provider timed out")
        return task.result()

    def _read(self, config: Json, expires: datetime | None) -> tuple[Any, Proof]:
        """Return what the Python client makes of a kubeconfig; raises InvalidRequest."""
        settings = Configuration()
        verify_issuer(self._access.user)
        with private_folder() as folder, client_errors() as errors:
            try:
                forget_files()
                refuse_redirects()
                load_settings(config, settings, folder)
                token = self._token_in_file() or settings.get_api_key_with_prefix("authorization")
                over_tls = settings.host.startswith("https")
                files = [settings.cert_file, settings.key_file] if over_tls else []
                shown = [token, *(Path(path).read_bytes() for path in files if path)]
                tls = self._tls_context(settings, shown[1:]) if over_tls else None
            except (ConfigException, OSError, ValueError) as error:
                raise InvalidRequest(NOT_LOADED, reason_of(error)) from error
        if errors:
            raise InvalidRequest(NOT_LOADED, errors[0])
        if token and not fits_a_header(token):
            raise InvalidRequest("the token has a character that is not allowed in an HTTP header")
        expires = expires or end_of_login(self._access.user, token)
        return settings, Proof(token, tls, tuple(shown), _due(expires), expires)

    def _tls_context(self, settings: Any, certificate: list[object]) -> ssl.SSLContext:
        """Return a context, which no key file has to outlive; for the same certificate the old."""
        old = self._proof
        if old is not None and old.tls is not None and list(old.made_of[1:]) == certificate:
            return old.tls
        context = trusting(settings.ssl_ca_cert, settings.verify_ssl)
        if settings.cert_file:
            load_certificate(context, settings.cert_file, settings.key_file)
        return context

    def proxy_context(self) -> ssl.SSLContext:
        """Return a context for a proxy that speaks TLS.

        kubectl trusts a proxy that the cluster's CA vouches for, and others those of the system.
        """
        cluster = self._access.cluster
        context = trusting(None, bool(self._settings.verify_ssl))
        data = cluster.get("certificate-authority-data")
        with contextlib.suppress(OSError, ValueError):
            if data:
                context.load_verify_locations(cadata=base64.b64decode(data).decode())
            elif cluster.get("certificate-authority"):
                context.load_verify_locations(cafile=cluster["certificate-authority"])
        return context

    def proof(self, timeout: float | None = None) -> Proof:
        """Return what to show now; what has expired is renewed before, for so many seconds."""
        proof = self._latest()
        now = datetime.now(timezone.utc)
        if proof.expires is not None and proof.expires <= now:
            self._renew(proof, timeout or REFRESH_SECONDS, wait=True)
        elif proof.due is not None and proof.due <= now:
            # It still does: one thread renews it, and the others go on.
            self._renew(proof, timeout or REFRESH_SECONDS, wait=False)
        return self._latest()

    def renewed(self, refused: Proof, timeout: float | None = None) -> Proof | None:
        """Return what to show instead of what was refused; None if there is nothing else."""
        if self._latest() is refused and self._can_change():
            self._renew(refused, timeout or REFRESH_SECONDS, wait=True)
        proof = self._latest()
        return None if proof.made_of == refused.made_of else proof

    def headers(self, proof: Proof | None = None) -> list[tuple[str, str]]:
        """Return the headers of one request."""
        proof = proof or self.proof()
        shown = [("Authorization", proof.authorization)] if proof.authorization else []
        return shown + impersonation_headers(self._access.user)

    def _can_change(self) -> bool:
        user = self._access.user
        named = ("tokenFile", "exec", "auth-provider", "client-certificate", "client-key")
        return not user.get("token") and any(user.get(field) for field in named)

    def _latest(self) -> Proof:
        """Return what there is, with what the token's file holds now."""
        proof = self._proof
        assert proof is not None
        # A pod's own token is renewed on disk within the hour; in between it may be gone.
        with contextlib.suppress(OSError, ValueError):
            token = self._token_in_file()
            if token and token != proof.authorization and fits_a_header(token):
                self._proof = proof._replace(
                    authorization=token, made_of=(token, *proof.made_of[1:])
                )
        assert self._proof is not None
        return self._proof

    def _renew(self, old: Proof, timeout: float, wait: bool) -> None:
        """Log in again, once for all threads; if that fails, the old is shown, and the next
        one to show it tries again."""
        most = min(timeout, REFRESH_SECONDS)
        if not self._is_our_turn(most if wait else 0):
            return
        try:
            if self._proof is old and time.monotonic() >= self._not_before:
                self._proof = self._load(interactive=False, timeout=most)
                if self._proof.made_of == old.made_of:
                    # A thread that has not seen it refused yet would ask for it once more.
                    self._not_before = time.monotonic() + REFRESH_SECONDS
        except HungPlugin:
            # A cleanup asks several times, and has no time to wait each time.
            self._not_before = time.monotonic() + REFRESH_SECONDS
        except InvalidRequest:
            pass
        finally:
            self._renewing.release()

    def _is_our_turn(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self._renewing.acquire(timeout=min(seconds, TURN_SECONDS)):
            if time.monotonic() >= end or not self._pause(0):
                return False
        return True

    def _token_in_file(self) -> str | None:
        """Return what the token's file holds; raises ValueError if that is nothing."""
        path = self._access.user.get("tokenFile")
        if not path or self._access.user.get("token"):
            return None
        token = Path(path).read_text().strip()
        if not token:
            raise ValueError(f"{path}: the token is empty")
        return f"Bearer {token}"


def _due(expires: datetime | None) -> datetime | None:
    if expires is None:
        return None
    left = expires - datetime.now(timezone.utc)
    return expires - min(left / 10, timedelta(seconds=EARLY_SECONDS))


def end_of_login(user: Json, token: str | None) -> datetime | None:
    """Return when a provider's token ends, as far as the token says so."""
    if not user.get("auth-provider") or not token:
        return None
    try:
        claims = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        return datetime.fromtimestamp(found, timezone.utc)
    except (ValueError, LookupError, TypeError, OverflowError, OSError):
        return None


def may_ask(user: Json) -> bool:
    """Say whether a plugin may talk with the person at the terminal."""
    plugin = user.get("exec") or {}
    return sys.stdin.isatty() and plugin.get("interactiveMode") != "Never"


def with_user(access: Access, user: Json) -> Json:
    """Return the access's kubeconfig with other fields for its user."""
    config = dict(access.config)
    config["users"] = [{**config["users"][0], "user": user}]
    return config
