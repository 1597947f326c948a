"""Kubeconfig files and connection flags -> one kubeconfig with one context.

The Python client merges ``$KUBECONFIG`` differently from kubectl (its last current-context
wins), knows no overriding flags and no ``proxy-url`` and ``as`` fields, so what kubectl would
use is worked out here and handed on.
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import Connection, check_namespace
from kubectl_scratch.kube.kuberc import PluginPolicy
from kubectl_scratch.kube.objects import Json

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ONLY = "scratch"

_TEXTS = (
    "server", "namespace", "cluster", "user", "token", "tokenFile", "proxy-url", "as", "as-uid",
    "certificate-authority", "certificate-authority-data", "tls-server-name",
    "client-certificate", "client-certificate-data", "client-key", "client-key-data",
    "username", "password",
)  # fmt: skip

_PAIR = ("name", "value")
_CLUSTER_FILES = ("certificate-authority",)
_USER_FILES = ("client-certificate", "client-key", "tokenFile")


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


def config_paths(connection: Connection, environ: Mapping[str, str]) -> list[Path]:
    """Return the files to read: --kubeconfig, else $KUBECONFIG, else ~/.kube/config.

    Raises InvalidRequest where the file that the flag names is not there.
    """
    if connection.kubeconfig:
        path = Path(connection.kubeconfig).expanduser()
        if not path.is_file():
            raise InvalidRequest(f"kubeconfig {str(path)!r} is not a file")
        return [path]
    listed = environ.get("KUBECONFIG")
    if listed:
        found = [Path(part) for part in listed.split(os.pathsep) if part and Path(part).is_file()]
        if not found and not connection.server:
            raise InvalidRequest(f"$KUBECONFIG names no file that is there: {listed}")
        return found
    home = environ.get("HOME")
    default = Path(home or "/nonexistent") / ".kube" / "config"
    return [default] if default.is_file() else []


def is_kubeconfig(document: object) -> bool:
    """Say whether a document has a kubeconfig's shape, as far as it is used here."""
    if not isinstance(document, dict):
        return False
    for kind in ("cluster", "context", "user"):
        items = document.get(f"{kind}s") or []
        if not isinstance(items, list) or not all(_is_named(item, kind) for item in items):
            return False
    return isinstance(document.get("current-context") or "", str)


def _is_named(item: object, kind: str) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return False
    fields = item.get(kind) or {}
    if not isinstance(fields, dict) or not isinstance(fields.get("exec") or {}, dict):
        return False
    texts = [fields.get(field) for field in _TEXTS]
    plugin = fields.get("exec")
    if not all(isinstance(text or "", str) for text in texts):
        return False
    extra = fields.get("as-user-extra") or {}
    return (
        _are_texts(fields.get("as-groups") or [])
        and isinstance(extra, dict)
        and all(isinstance(key, str) and _are_texts(values or []) for key, values in extra.items())
        and (not plugin or _is_plugin(plugin))
    )


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _is_plugin(plugin: Json) -> bool:
    args, env = plugin.get("args") or [], plugin.get("env") or []
    return (
        isinstance(plugin.get("command"), str)
        and _are_texts(args)
        and isinstance(env, list)
        and all(isinstance(e, dict) and {str} == {type(e.get(f)) for f in _PAIR} for e in env)
    )


def merge(documents: Iterable[tuple[Path, Json]]) -> Json:
    """Return one kubeconfig of several: whoever says a name first wins.

    Relative file names are those beside their own document.
    """
    merged: Json = {"current-context": "", "clusters": [], "contexts": [], "users": []}
    for path, document in documents:
        merged["current-context"] = merged["current-context"] or document.get("current-context")
        for kind in ("clusters", "contexts", "users"):
            known = {item["name"] for item in merged[kind]}
            for item in document.get(kind) or []:
                if item["name"] not in known:
                    merged[kind].append(_with_absolute_paths(item, path.absolute().parent))
    return merged


def _with_absolute_paths(item: Json, folder: Path) -> Json:
    changed = dict(item)
    for kind, fields in (("cluster", _CLUSTER_FILES), ("user", _USER_FILES)):
        if kind in item:
            changed[kind] = dict(item[kind] or {})
            for field in fields:
                if changed[kind].get(field):
                    changed[kind][field] = str(folder / changed[kind][field])
            command = (changed[kind].get("exec") or {}).get("command", "")
            # As in client-go: a relative path with a separator is one beside the document.
            if "/" in command:
                changed[kind]["exec"] = {**changed[kind]["exec"], "command": str(folder / command)}
    return changed


def in_cluster(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Json | None:
    """Return the kubeconfig of the pod that we run in, or None where we run in none."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port or not (folder / "token").is_file():
        return None
    host = f"[{host}]" if ":" in host else host
    cluster = {"server": f"https://{host}:{port}", "certificate-authority": str(folder / "ca.crt")}
    return _single(cluster, {"tokenFile": str(folder / "token")}, _own_namespace(folder))


def _own_namespace(folder: Path) -> str:
    try:
        return (folder / "namespace").read_text().strip() or "default"
    except OSError:
        return "default"


def _single(cluster: Json, user: Json, namespace: str) -> Json:
    context = {"cluster": ONLY, "user": ONLY, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": ONLY,
        "contexts": [{"name": ONLY, "context": context}],
        "clusters": [{"name": ONLY, "cluster": cluster}],
        "users": [{"name": ONLY, "user": user}],
    }


def resolve(merged: Json, connection: Connection) -> Access:
    """Return what ``connection``'s flags make of the merged kubeconfig.

    Raises InvalidRequest for names that are not there, and where no server is known.
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
            "set $KUBECONFIG, give --kubeconfig FILE, or see: kubectl config get-contexts",
        )
    cluster["server"] = server_url(cluster["server"])
    user = _override_user(user, connection)
    check_header_values(user)
    namespace = connection.namespace or context.get("namespace") or "default"
    check_namespace(namespace)
    only = _single(cluster, user, namespace)
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
            raise InvalidRequest(f"the {what} has a character that no header can carry")


def _impersonation(user: Json) -> list[str]:
    return [value for _, value in impersonation_headers(user)]


# What stands behind a URL's scheme, if it has one, and before its last @: a password may have any
# character in it, those that end a URL's host too.
_LOGIN = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)


def without_login(url: str) -> str:
    """Return a URL, or what is meant for one, without the user's name and password in it."""
    return _LOGIN.sub(lambda found: found[1] or "", url)


def server_url(text: str) -> str:
    """Return the API server's URL with its scheme in lower case.

    Raises InvalidRequest for what is none.
    """
    try:
        url = urlsplit(text)
        good = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        good = False
    if not good:
        shown = without_login(text)
        raise InvalidRequest(f"server {shown!r} is not a URL", "write it like https://HOST:6443")
    return url.geturl()


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
    raise InvalidRequest(f"context {wanted!r} does not exist", f"there are: {there}")


def _named(merged: Json, kind: str, wanted: str) -> Json:
    found = next((item for item in merged[f"{kind}s"] if item["name"] == wanted), None)
    if found is None:
        raise InvalidRequest(f"{kind} {wanted!r} does not exist in the kubeconfig")
    return dict(found.get(kind) or {})


def _override_cluster(cluster: Json, connection: Connection) -> Json:
    changed = dict(cluster)
    if connection.insecure_skip_tls_verify and connection.certificate_authority:
        raise InvalidRequest("--certificate-authority is of no use when no certificate is checked")
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
