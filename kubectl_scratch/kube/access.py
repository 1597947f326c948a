"""What the connection flags come to: one server, one user and a namespace.

The Python client knows no overriding flags and no ``proxy-url`` and ``as`` fields, so what kubectl
would use is worked out here and handed on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import Connection, check_namespace
from kubectl_scratch.kube.kubeconfig import read_config, single_context
from kubectl_scratch.kube.kuberc import PluginPolicy, read_policy
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.urls import server_url, without_login


class Access(NamedTuple):
    """What a connection comes to: a kubeconfig with one context, and its namespace."""

    config: Json
    namespace: str
    # What kubectl needs to reach the same cluster as the same user; no secret.
    flags: tuple[str, ...] = ()
    # Whether a flag named the namespace.
    chosen_namespace: bool = False
    # Which credential plugins the user lets run, and the file that --kuberc names.
    policy: PluginPolicy = PluginPolicy()
    kuberc: str | None = None

    @property
    def cluster(self) -> Json:
        """Return the cluster's fields."""
        found: Json = self.config["clusters"][0]["cluster"]
        return found

    @property
    def user(self) -> Json:
        """Return the user's fields."""
        found: Json = self.config["users"][0]["user"]
        return found


def read_access(connection: Connection, environ: Mapping[str, str]) -> Access:
    """Return the server and user that kubectl would use for these flags.

    Raises InvalidRequest for a file that cannot be read and for names that are not in it.
    """
    access = resolve(read_config(connection, environ), connection)
    if not programs_of(access.user):
        return access
    return access._replace(policy=read_policy(connection.kuberc, environ))


def resolve(merged: Json, connection: Connection) -> Access:
    """Return what ``connection``'s flags make of the merged kubeconfig.

    Raises InvalidRequest for names that are not there, and if no server is known.
    """
    context = _context(merged, connection)
    cluster_name = connection.cluster or context.get("cluster")
    user_name = connection.user or context.get("user")
    cluster = _named(merged, "cluster", cluster_name) if cluster_name else {}
    user = _named(merged, "user", user_name) if user_name else {}
    cluster = _override_cluster(cluster, connection)
    if not cluster.get("server"):
        raise InvalidRequest(
            "no cluster is configured",
            "set $KUBECONFIG, use --kubeconfig FILE, or see: kubectl config get-contexts",
        )
    cluster["server"] = server_url(cluster["server"])
    user = _override_user(user, connection)
    check_header_values(user)
    namespace = connection.namespace or context.get("namespace") or "default"
    check_namespace(namespace)
    only = single_context(cluster, user, namespace)
    return Access(
        only,
        namespace,
        kubectl_flags(connection),
        bool(connection.namespace),
        kuberc=connection.kuberc,
    )


def programs_of(user: Json) -> list[str]:
    """Return the programs that are run to log a user in."""
    found = []
    if user.get("exec") and not user.get("token"):
        found.append(str(user["exec"]["command"]))
    return found + provider_programs(user)


def provider_programs(user: Json) -> list[str]:
    """Return the programs that the Python client runs by itself: the gcloud of old kubeconfigs."""
    provider = user.get("auth-provider")
    config = provider.get("config") if isinstance(provider, dict) else None
    line = config.get("cmd-path") if isinstance(config, dict) else None
    if not config or not line:
        return []
    # Without arguments of its own the path is a command line.
    return [str(line)] if "cmd-args" in config else str(line).split()[:1]


def kubectl_flags(connection: Connection) -> tuple[str, ...]:
    """Return the flags by which kubectl reaches the same cluster; never a token."""
    given = {
        "kubeconfig": connection.kubeconfig,
        "context": connection.context,
        "cluster": connection.cluster,
        "user": connection.user,
        "server": connection.server and without_login(connection.server),
        "as": connection.as_user,
        "as-uid": connection.as_uid,
    }
    flags = [f"--{name}={value}" for name, value in given.items() if value]
    return (*flags, *(f"--as-group={group}" for group in connection.as_groups))


def fits_a_header(value: str) -> bool:
    """Say whether an HTTP header can carry the value as it is."""
    return value.isascii() and value.isprintable()


def check_header_values(user: Json) -> None:
    """Raise InvalidRequest for what no header can carry; the values are not repeated."""
    texts = {"token": [user.get("token") or ""], "user to impersonate": _impersonation(user)}
    for what, values in texts.items():
        if not all(isinstance(value, str) and fits_a_header(value) for value in values):
            raise InvalidRequest(
                f"the {what} has a character that is not allowed in an HTTP header"
            )


def _impersonation(user: Json) -> list[str]:
    return [value for _, value in impersonation_headers(user)]


def _context(merged: Json, connection: Connection) -> Json:
    wanted = connection.context or merged.get("current-context")
    if not wanted:
        return {}
    found = next((c for c in merged["contexts"] if c["name"] == wanted), None)
    if found is not None:
        return dict(found.get("context") or {})
    if connection.context is None and connection.server:
        return {}
    there = ", ".join(sorted(c["name"] for c in merged["contexts"])) or "none"
    raise InvalidRequest(f"context {wanted!r} does not exist", f"available: {there}")


def _named(merged: Json, kind: str, wanted: str) -> Json:
    found = next((item for item in merged[f"{kind}s"] if item["name"] == wanted), None)
    if found is None:
        raise InvalidRequest(f"{kind} {wanted!r} does not exist in the kubeconfig")
    return dict(found.get(kind) or {})


def _override_cluster(cluster: Json, connection: Connection) -> Json:
    changed = dict(cluster)
    if connection.insecure_skip_tls_verify and connection.certificate_authority:
        raise InvalidRequest(
            "--certificate-authority cannot be combined with --insecure-skip-tls-verify"
        )
    if connection.server:
        changed["server"] = connection.server
    if connection.certificate_authority:
        changed.pop("certificate-authority-data", None)
        changed["certificate-authority"] = os.path.abspath(connection.certificate_authority)
    if connection.insecure_skip_tls_verify:
        # As kubectl: the configured CA does not count.
        changed.pop("certificate-authority", None)
        changed.pop("certificate-authority-data", None)
        changed["insecure-skip-tls-verify"] = True
    if connection.tls_server_name:
        changed["tls-server-name"] = connection.tls_server_name
    return changed


def _override_user(user: Json, connection: Connection) -> Json:
    changed = dict(user)
    if connection.token:
        for other in ("tokenFile", "exec", "auth-provider", "username", "password"):
            changed.pop(other, None)
        changed["token"] = connection.token
    for field, value in (
        ("client-certificate", connection.client_certificate),
        ("client-key", connection.client_key),
    ):
        if value:
            changed.pop(f"{field}-data", None)
            changed[field] = os.path.abspath(value)
    if (connection.as_groups or connection.as_uid) and not (connection.as_user or user.get("as")):
        raise InvalidRequest("--as-group and --as-uid need --as")
    if connection.as_user:
        changed["as"] = connection.as_user
    if connection.as_uid:
        changed["as-uid"] = connection.as_uid
    if connection.as_groups:
        changed["as-groups"] = list(connection.as_groups)
    return changed


def impersonation_headers(user: Json) -> list[tuple[str, str]]:
    """Return the Impersonate-* headers of a user's ``as`` fields."""
    headers = []
    if user.get("as"):
        headers.append(("Impersonate-User", user["as"]))
    if user.get("as-uid"):
        headers.append(("Impersonate-Uid", user["as-uid"]))
    headers += [("Impersonate-Group", group) for group in user.get("as-groups") or []]
    for key, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{quote(key, safe='')}", value) for value in values or []]
    return headers
