"""Kubeconfig files: found, checked and merged as kubectl does.

The Python client merges ``$KUBECONFIG`` differently: its last current-context wins.
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import Connection
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.kube.yaml_files import read_documents

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


def config_paths(connection: Connection, environ: Mapping[str, str]) -> list[Path]:
    """Return the files to read: --kubeconfig, else $KUBECONFIG, else ~/.kube/config.

    Raises InvalidRequest if the file that the flag names is not there.
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
            raise InvalidRequest(f"none of the files in $KUBECONFIG exists: {listed}")
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
    """Return the kubeconfig of the pod that we run in, or None if we run in none."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port or not (folder / "token").is_file():
        return None
    host = f"[{host}]" if ":" in host else host
    cluster = {"server": f"https://{host}:{port}", "certificate-authority": str(folder / "ca.crt")}
    return single_context(cluster, {"tokenFile": str(folder / "token")}, _own_namespace(folder))


def _own_namespace(folder: Path) -> str:
    try:
        return (folder / "namespace").read_text().strip() or "default"
    except OSError:
        return "default"


def single_context(cluster: Json, user: Json, namespace: str) -> Json:
    """Return a kubeconfig with one context."""
    context = {"cluster": ONLY, "user": ONLY, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": ONLY,
        "contexts": [{"name": ONLY, "context": context}],
        "clusters": [{"name": ONLY, "cluster": cluster}],
        "users": [{"name": ONLY, "user": user}],
    }


def read_config(connection: Connection, environ: Mapping[str, str]) -> Json:
    """Return the kubeconfig files as one, or the kubeconfig of the pod that we run in.

    Raises InvalidRequest for a file that cannot be read.
    """
    documents = [(path, _read(path)) for path in config_paths(connection, environ)]
    own = None if documents or connection.server else in_cluster(environ)
    return merge(documents) if own is None else own


def _read(path: Path) -> Json:
    documents = read_documents(path, f"kubeconfig {str(path)!r}")
    document = documents[0] or {} if documents else {}
    if len(documents) > 1 or not is_kubeconfig(document):
        raise InvalidRequest(f"{str(path)!r} is not a kubeconfig")
    return dict(document)
