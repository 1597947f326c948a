"""The Python client, which reads a kubeconfig's logins. The only importer of kubernetes.

Its typed models are not used, and what it does too freely is stopped here.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.slim_import import Parts, late_packages

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
        from kubernetes.client import Configuration as Configuration
        from kubernetes.config import ConfigException as ConfigException
        from kubernetes.config import load_kube_config_from_dict
except Exception:
    # The client is laid out differently.
    from kubernetes.client import Configuration as Configuration
    from kubernetes.config import ConfigException as ConfigException
    from kubernetes.config import load_kube_config_from_dict

# Which CA vouches for an issuer of OpenID Connect, as a kubeconfig's fields.
ISSUER_CA = ("idp-certificate-authority-data", "idp-certificate-authority")


def forget_files() -> None:
    """Make the Python client forget which files it has written: those before are gone."""
    load_kube_config_from_dict.__globals__.get("_temp_files", {}).clear()


def load_settings(config: Json, settings: Any, folder: Path) -> None:
    """Let the Python client read a kubeconfig; raises ConfigException, OSError or ValueError."""
    try:
        load_kube_config_from_dict(
            config,
            client_configuration=settings,
            persist_config=False,
            temp_file_path=str(folder),
        )
    except (ConfigException, OSError, ValueError):
        raise
    except Exception as error:
        # What the client's libraries raise of a provider that refuses passes through it.
        raise ConfigException(f"login failed: {type(error).__name__}: {error}") from error


def refuse_redirects() -> None:
    """Keep OpenID Connect's refresh token and client secret from whoever a redirect names."""
    known = load_kube_config_from_dict.__globals__
    for name, make in (("ApiClient", _make_client), ("OAuth2Session", _make_session)):
        made = known.get(name)
        if made is not None and getattr(made, "func", None) is not make:
            known[name] = partial(make, made)


def _make_client(made: Any, *args: Any, configuration: Any, **more: Any) -> Any:
    # For urllib3: neither again nor elsewhere.
    configuration.retries = False
    return made(*args, configuration=configuration, **more)


def _make_session(made: Any, *args: Any, **more: Any) -> Any:
    session = made(*args, **more)
    session.max_redirects = 0
    return session


def verify_issuer(user: Json) -> None:
    """Name a CA for an issuer of OpenID Connect: without one the Python client verifies nothing.

    The user's own fields are changed: there the client keeps what a renewal gives.
    """
    provider = user.get("auth-provider")
    config = provider.get("config") if isinstance(provider, dict) else None
    if not isinstance(config, dict):
        return
    for field in ISSUER_CA:
        if not config.get(field):
            config.pop(field, None)
    if not any(field in config for field in ISSUER_CA):
        config[ISSUER_CA[-1]] = system_ca()


def system_ca() -> str:
    """Return the file of the CAs that the system trusts, or else of those that Mozilla does."""
    found = ssl.get_default_verify_paths().cafile
    if found:
        return found
    import certifi

    return certifi.where()


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
