"""Read which of a pod's Secrets exist, and which keys they have, if that explains something.

Whether one exists is asked without its values, as a table. The API gives no keys without values: a
Secret is read only if a key of it is said to be missing, or the app has missed it, and nothing but
the names of the keys is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.objects import Json, all_containers, find, namespace
from kubectl_scratch.lookup.quiet_reads import names_or_none, object_or_none
from kubectl_scratch.runtime.tasks import TaskGroup
from kubectl_scratch.why.config_use import SECRET, Use, names_used, uses_of
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.status.told import has_begun, mount_complaints, statuses

# How many ConfigMaps, Secrets and claims of one pod are read.
MOST_READ = 32
# What is said if a key is missing.
_NO_KEY = ("find key", "non-existent secret key")


def with_waiting_secrets(cluster: Client, facts: ClusterFacts) -> ClusterFacts:
    """Add which Secrets do not exist, if the pod waits, and their keys, if one is missing."""
    if not _waits(facts):
        return facts
    pulls = [str(each.get("name")) for each in facts.pod["spec"].get("imagePullSecrets") or []]
    used = names_used(facts.pod, SECRET)
    absent = _absent(cluster, facts, dict.fromkeys((*used, *pulls)))
    keys: dict[str, frozenset[str] | None] = {}
    if any(text in said for said in said_of_waiting(facts) for text in _NO_KEY):
        keys = _read(cluster, facts, [each for each in used if each not in absent])
    return facts._replace(secrets={**facts.secrets, **absent, **keys})


def with_missed_secrets(cluster: Client, facts: ClusterFacts, run: Run) -> ClusterFacts:
    """Add the keys of those Secrets that should have given what the app has missed."""
    wanted = [use.name for use in uses_of(facts.pod) if _is_missed(use, facts, run)]
    if not wanted:
        return facts
    return facts._replace(secrets={**facts.secrets, **_read(cluster, facts, wanted)})


def _waits(facts: ClusterFacts) -> bool:
    """Say whether a container waits for something before it starts."""
    waiting = ((status.get("state") or {}).get("waiting") for status in statuses(facts.pod))
    return any(waiting) or not has_begun(facts.pod)


def said_of_waiting(facts: ClusterFacts) -> Iterator[str]:
    """Yield what is said of what the pod waits for."""
    for status in statuses(facts.pod):
        yield str(((status.get("state") or {}).get("waiting") or {}).get("message") or "")
    for event in mount_complaints(facts):
        yield str(event.get("message"))


def _is_missed(use: Use, facts: ClusterFacts, run: Run) -> bool:
    """Say whether a Secret gives a variable that is not there, or a file that was not found."""
    if use.kind != SECRET:
        return False
    if use.variable:
        ours = use.container == facts.target and bool(run.variables)
        return ours and use.variable not in run.variables
    missed = [call.path for call in run.calls if call.error == "ENOENT"]
    return any(_is_below(path, folder) for folder in _folders(facts, use) for path in missed)


def _folders(facts: ClusterFacts, use: Use) -> list[str]:
    """Return where the target has the volume of a use."""
    target = find(all_containers(facts.pod), facts.target) or {}
    mounts: list[Json] = target.get("volumeMounts") or []
    return [str(m.get("mountPath", "")) for m in mounts if use.volume and m["name"] == use.volume]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _absent(cluster: Client, facts: ClusterFacts, names: Iterable[str]) -> dict[str, None]:
    """Return those of the Secrets that do not exist."""
    asked = list(names)[:MOST_READ]
    path = partial(paths.objects, "/api/v1", namespace(facts.pod), "secrets")
    found = TaskGroup([partial(names_or_none, cluster, path(each)) for each in asked]).results()
    return {each: None for each, there in zip(asked, found, strict=True) if there == ()}


def _read(
    cluster: Client, facts: ClusterFacts, names: Iterable[str]
) -> dict[str, frozenset[str] | None]:
    """Return the keys of Secrets, None for one that does not exist; without those not readable."""
    asked = list(dict.fromkeys(names))[:MOST_READ]
    path = partial(paths.objects, "/api/v1", namespace(facts.pod), "secrets")
    found = TaskGroup([partial(object_or_none, cluster, path(each)) for each in asked]).results()
    both = zip(asked, found, strict=True)
    return {each: keys_of(secret) for each, secret in both if secret is not None}


def keys_of(found: Json) -> frozenset[str] | None:
    """Return the keys of a ConfigMap or Secret, None if it does not exist."""
    if not found:
        return None
    return frozenset((*(found.get("data") or {}), *(found.get("binaryData") or {})))
