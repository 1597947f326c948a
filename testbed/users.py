"""Make users with fewer rights than the admin, and a kubeconfig context for each."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMESPACE = "scratch-testbed"
ROLE = "kubectl-scratch"
ROLE_FILE = "deploy/clusterrole.yaml"
TOKEN_DURATION = "8760h"
# user -> the resource that the product's role is short of
LESS = {
    "no-jobs": "jobs",
    "no-ephemeral": "pods/ephemeralcontainers",
    "no-configmaps": "configmaps",
}

Json = dict[str, Any]
Kubectl = Callable[..., str]


def role_key(root: Path) -> str:
    """Return the hash of what the users are made from."""
    parts = [Path(__file__).read_bytes(), (root / ROLE_FILE).read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def make(kubectl: Kubectl, kubeconfig: Path, root: Path) -> None:
    """Make the roles, the users and their contexts, or bring them up to date."""
    role_file = root / ROLE_FILE
    kubectl("apply", "-f", role_file)
    role = _role(kubectl("create", "--dry-run=client", "-o", "json", "-f", role_file))
    role_of = {"viewer": "view", "developer": ROLE}
    items = [_namespace()]
    for user, resource in LESS.items():
        role_of[user] = f"{NAMESPACE}-{user}"
        items.append(_without(role, resource, role_of[user]))
    for user, name in role_of.items():
        items += [_account(user), _binding(user, name)]
    kubectl("apply", "-f", "-", stdin=json.dumps(_list(items)))
    duration = f"--duration={TOKEN_DURATION}"
    token = ("-n", NAMESPACE, "create", "token")
    tokens = {user: kubectl(*token, user, duration).strip() for user in role_of}
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    _write(kubeconfig, _with_contexts(config, tokens))


def _role(documents: str) -> Json:
    """Return the product's role out of one or more JSON documents."""
    decoder = json.JSONDecoder()
    rest = documents.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
        for item in document.get("items", [document]):
            if item["kind"] == "ClusterRole" and item["metadata"]["name"] == ROLE:
                found: Json = item
                return found
    raise ValueError(f"{ROLE_FILE} has no ClusterRole {ROLE}")


def _without(role: Json, resource: str, name: str) -> Json:
    """Return the role less one resource (and its subresources), under another name."""
    rules = []
    for rule in role["rules"]:
        kept = [
            each
            for each in rule.get("resources", [])
            if each != resource and not each.startswith(f"{resource}/")
        ]
        if kept or "nonResourceURLs" in rule:
            rules.append({**rule, "resources": kept} if kept else rule)
    return _object("ClusterRole", name, rules=rules)


def _namespace() -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def _account(user: str) -> Json:
    metadata = {"name": user, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _binding(user: str, role: str) -> Json:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subject = {"kind": "ServiceAccount", "name": user, "namespace": NAMESPACE}
    name = f"{NAMESPACE}-{user}"
    return _object("ClusterRoleBinding", name, roleRef=reference, subjects=[subject])


def _object(kind: str, name: str, **fields: Any) -> Json:
    version = "rbac.authorization.k8s.io/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def _list(items: list[Json]) -> Json:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _with_contexts(config: Json, tokens: dict[str, str]) -> Json:
    """Return a kubeconfig with one more context for each user; the current one stays."""
    admin = next(each for each in config["contexts"] if each["name"] == config["current-context"])
    kept = {
        kind: [each for each in config[kind] if each["name"] not in tokens]
        for kind in ("users", "contexts")
    }
    for user, token in tokens.items():
        context = {"cluster": admin["context"]["cluster"], "user": user}
        kept["users"].append({"name": user, "user": {"token": token}})
        kept["contexts"].append({"name": user, "context": context})
    return {**config, **kept}


def _write(path: Path, config: Json) -> None:
    """Write a kubeconfig as JSON, which is YAML as well; nobody sees half of it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.touch(0o600)
    partial.write_text(json.dumps(config, indent=2) + "\n")
    partial.replace(path)
