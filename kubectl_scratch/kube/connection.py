"""How to reach the API server: kubectl's connection flags, as a value."""

from __future__ import annotations

import re
from typing import NamedTuple

from kubectl_scratch.errors import InvalidRequest

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Connection(NamedTuple):
    """kubectl's connection flags; None and () mean "not given"."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    server: str | None = None
    token: str | None = None
    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    as_user: str | None = None
    as_uid: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: float | None = None
    kuberc: str | None = None


def is_name(text: str) -> bool:
    """Say whether an object can have that name: a DNS subdomain."""
    return _SUBDOMAIN.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Say whether a namespace or a container can have that name: a DNS label."""
    return _LABEL.fullmatch(text) is not None


def check_namespace(name: str) -> None:
    """Raise InvalidRequest unless a namespace can have that name."""
    if not is_label(name):
        raise InvalidRequest(f"{name!r} cannot be the name of a namespace")


def check_container(name: str | None) -> None:
    """Raise InvalidRequest unless a container can have that name."""
    if name is not None and not is_label(name):
        raise InvalidRequest(f"{name!r} is not a valid container name")
