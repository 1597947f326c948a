"""A kubeconfig -> TLS context and bearer token. The only importer of kubernetes.

The Python client reads the kubeconfig's certificates, tokens and logins; its typed models are
not used.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from kubectl_scratch import kubeconfig
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kubeconfig import Access
from kubectl_scratch.plugin import Login, log_in
from kubectl_scratch.podjson import Json
from kubectl_scratch.private import private_folder
from kubectl_scratch.slim import Parts, late_packages

# To read a kubeconfig, only the settings are needed; all else is there to renew a login with
# OpenID Connect, and takes most of a start.
LATE: Parts = {
    "kubernetes": {},
    "kubernetes.client": {"Configuration": "configuration", "ApiClient": None},
    "oauthlib": {},
    "oauthlib.oauth2": {},
    "requests_oauthlib": {"OAuth2Session": None},
    # It takes from those above.
    "kubernetes.config": {
        "ConfigException": "config_exception",
        "load_kube_config_from_dict": "kube_config",
    },
}
try:
    with late_packages(LATE):
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException, load_kube_config_from_dict
except Exception:
    # The client is laid out differently.
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config_from_dict

# A plugin that logs in again may ask a server that no longer answers.
REFRESH_SECONDS = 10.0


class Credentials:
    """What one user shows to one API server. Safe to use from several threads."""

    def __init__(self, access: Access, login_timeout: float | None = None) -> None:
        """Load them; raises InvalidRequest where they can't be had.

        ``login_timeout`` is in seconds; a person who is asked may take as long as it takes.
        """
        self._access = access
        self._settings = Configuration()
        self._token: str | None = None
        self._refreshing = threading.Lock()
        self._login: Login | None = None
        config = access.config
        if access.user.get("exec") and not access.user.get("token"):
            self._login = log_in(access, may_ask(access.user), login_timeout)
            config = with_user(access, self._login.user)
        with private_folder() as folder, client_errors() as errors:
            try:
                load_kube_config_from_dict(
                    config,
                    client_configuration=self._settings,
                    persist_config=False,
                    temp_file_path=str(folder),
                )
                self.tls = self._tls_context()
                self._token = self._read_token()
            except (ConfigException, OSError, ValueError) as error:
                raise InvalidRequest(
                    "the cluster's credentials can't be loaded", reason_of(error)
                ) from error
        if errors:
            raise InvalidRequest("the cluster's credentials can't be loaded", errors[0])
        if self._token and not kubeconfig.fits_a_header(self._token):
            raise InvalidRequest("the token has a character that no header can carry")

    @property
    def verifies(self) -> bool:
        """Say whether the server's certificate is checked."""
        return bool(self._settings.verify_ssl)

    @property
    def server_name(self) -> str | None:
        """Return the name that the server's certificate has to have, where it is not its host's."""
        name: str | None = self._settings.tls_server_name
        return name

    @property
    def host(self) -> str:
        """Return the API server's URL."""
        return str(self._settings.host).rstrip("/")

    def _tls_context(self) -> ssl.SSLContext | None:
        """Build the context once, so that no key file has to outlive this call."""
        settings = self._settings
        if not settings.host.startswith("https"):
            return None
        if settings.ssl_ca_cert or settings.verify_ssl:
            context = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
        else:
            # Without those of the system: to read them takes longer than a request.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not settings.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        # The CAs of many clusters lack key usage and identifier extensions, which 3.13 asks for.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None)
        return context

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers of one request; a token that has expired is renewed before."""
        self._refresh()
        shown = [("Authorization", self._token)] if self._token else []
        return shown + kubeconfig.impersonation_headers(self._access.user)

    def _refresh(self) -> None:
        """Renew what has expired, but wait no longer than for a while: the old may still do.

        One thread does it at a time; the others go on with what there is.
        """
        if not self._is_over() or not self._refreshing.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(InvalidRequest, OSError, ValueError):
                self._renew()
        finally:
            self._refreshing.release()

    def _is_over(self) -> bool:
        now = datetime.now(timezone.utc)
        return bool(self._token_file) or (self._login is not None and self._login.is_over(now))

    @property
    def _token_file(self) -> str | None:
        user = self._access.user
        return None if user.get("token") else user.get("tokenFile")

    def _renew(self) -> None:
        if self._login is not None:
            self._login = log_in(self._access, interactive=False, timeout=REFRESH_SECONDS)
        token = self._read_token()
        if token and kubeconfig.fits_a_header(token):
            self._token = token

    def _read_token(self) -> str | None:
        if self._token_file:
            # A pod's own token is renewed on disk within the hour; the client reads it once.
            return f"Bearer {Path(self._token_file).read_text().strip()}"
        if self._login is not None and self._login.user.get("token"):
            return f"Bearer {self._login.user['token']}"
        token: str | None = self._settings.get_api_key_with_prefix("authorization")
        return token


def may_ask(user: Json) -> bool:
    """Say whether a plugin may talk with the person at the terminal."""
    return sys.stdin.isatty() and user["exec"].get("interactiveMode") != "Never"


def with_user(access: Access, user: Json) -> Json:
    """Return the access's kubeconfig with other fields for its user."""
    config = dict(access.config)
    config["users"] = [{**config["users"][0], "user": user}]
    return config


@contextmanager
def client_errors() -> Iterator[list[str]]:
    """Collect what the Python client only logs, such as the failure of a login."""
    lines: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)


def reason_of(error: BaseException) -> str:
    """Return the first line of an error, without Python's own decoration."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        where = f"{error.filename}: " if error.filename else ""
        return where + error.strerror.lower()
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line[:1].lower() + line[1:]
