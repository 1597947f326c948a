"""kubectl's preferences, kuberc: which credential plugins the user lets run.

Only the policy is taken: kubectl itself refuses aliases of plugins, and warns at each command of
defaults for one. https://kubernetes.io/docs/reference/kubectl/kuberc/
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.yaml_files import read_documents

API_GROUP, KIND = "kubectl.config.k8s.io", "Preference"
_KINDS = ALLOW_ALL, DENY_ALL, ALLOWLIST = "AllowAll", "DenyAll", "Allowlist"
OFF = "off"
HINT = "set KUBERC=off to ignore it"


class PluginPolicy(NamedTuple):
    """Which credential plugins may run; ``allowed`` are commands, or None; ``path`` says so."""

    kind: str = ALLOW_ALL
    allowed: tuple[str, ...] = ()
    path: str = ""

    def check(self, command: str) -> str | None:
        """Return the path of a plugin that may run, None if it is not found.

        Raises InvalidRequest if it may not run. As client-go compares them, each as our own PATH
        finds it; of links only the names count.
        """
        problem = f"credential plugin {command!r} is forbidden by {self.path!r}"
        if self.kind == DENY_ALL:
            raise InvalidRequest(problem, f"its credentialPluginPolicy is {DENY_ALL}")
        where = _located(command)
        # What is not there is not started either, and its kubeconfig may say how to install it.
        named = where is None or where in map(_located, self.allowed)
        if self.kind == ALLOWLIST and not named:
            raise InvalidRequest(problem, "its credentialPluginAllowlist does not name it")
        return where


def _located(command: str) -> str | None:
    found = shutil.which(command)
    return None if found is None else os.path.abspath(found)


def read_policy(flag: str | None, environ: Mapping[str, str]) -> PluginPolicy:
    """Return which credential plugins the user's kuberc lets run; raises InvalidRequest."""
    path = kuberc_path(flag, environ)
    if path is None:
        return PluginPolicy()
    return plugin_policy(read_documents(path, f"kuberc {str(path)!r}"), path)


def kuberc_path(flag: str | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to read: --kuberc, else $KUBERC, else ~/.kube/kuberc; None if there is none.

    Raises InvalidRequest if the flag contradicts the variable, and if a file that they name
    is not there.
    """
    named = environ.get("KUBERC")
    if named == OFF or environ.get("KUBECTL_KUBERC", "").lower() == "false":
        if flag is not None and named == OFF:
            raise InvalidRequest("KUBERC=off and --kuberc contradict each other")
        return None
    chosen = flag if flag is not None else named
    if chosen:
        path = Path(chosen)
        if not path.exists():
            raise InvalidRequest(f"kuberc {chosen!r} does not exist")
        return path
    if flag is not None:
        raise InvalidRequest("--kuberc names no file")
    home = environ.get("HOME")
    path = Path(home) / ".kube" / "kuberc" if home else Path(os.devnull)
    return path if path.exists() else None


def plugin_policy(documents: Iterable[object], path: Path) -> PluginPolicy:
    """Return the policy of a kuberc: that of its first document that has preferences.

    kubectl continues without those that it cannot read; what they forbid is then unknown, so
    here they are an InvalidRequest.
    """
    some = [document for document in documents if document is not None]
    for document in some:
        if isinstance(document, dict) and _is_preference(document):
            return _policy(document, path)
    if some:
        raise InvalidRequest(f"kuberc {str(path)!r} has no preferences", HINT)
    return PluginPolicy()


def _is_preference(document: dict[object, object]) -> bool:
    group = str(document.get("apiVersion")).partition("/")[0]
    return group == API_GROUP and document.get("kind") == KIND


def _policy(document: dict[object, object], path: Path) -> PluginPolicy:
    kind = document.get("credentialPluginPolicy") or ""
    entries = document.get("credentialPluginAllowlist")
    if kind not in ("", *_KINDS):
        raise _wrong(path, f"its credentialPluginPolicy is not one of {', '.join(_KINDS)}")
    if kind != ALLOWLIST:
        if entries is not None:
            raise _wrong(path, f"a credentialPluginAllowlist needs the policy {ALLOWLIST}")
        return PluginPolicy(str(kind) or ALLOW_ALL, (), str(path))
    if not isinstance(entries, list) or not entries:
        raise _wrong(path, "its credentialPluginAllowlist is empty")
    return PluginPolicy(ALLOWLIST, tuple(_command(entry, path) for entry in entries), str(path))


def _command(entry: object, path: Path) -> str:
    """Return what an entry allows; until 1.36 its field was called name."""
    fields = entry if isinstance(entry, dict) else {}
    named = {str(value) for value in (fields.get("command"), fields.get("name")) if value}
    if len(named) != 1 or not all(isinstance(v, str) for v in fields.values() if v):
        raise _wrong(path, "an entry of its credentialPluginAllowlist needs a command")
    (command,) = named
    if os.path.normpath(command) != command:
        raise _wrong(path, f"{command!r} is not a normalized path")
    return command


def _wrong(path: Path, why: str) -> InvalidRequest:
    return InvalidRequest(f"kuberc {str(path)!r} cannot be used: {why}", HINT)
