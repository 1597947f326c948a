"""For what a pod uses ConfigMaps and Secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, all_containers, volumes

CONFIG_MAP, SECRET = "ConfigMap", "Secret"


class Use(NamedTuple):
    """One use of a ConfigMap or Secret; with ``key`` only of that key.

    ``purpose`` says what for; ``volume`` names the volume, empty for variables, whose container is
    ``container``; ``variable`` names one that has a single key.
    """

    kind: str
    name: str
    key: str
    optional: bool
    purpose: str
    volume: str = ""
    container: str = ""
    variable: str = ""


def uses_of(pod: Json) -> list[Use]:
    """Return all uses, those of variables first."""
    of_variables = [use for c in all_containers(pod) for use in _of_container(c)]
    return [*of_variables, *(use for volume in volumes(pod) for use in _of_volume(volume))]


def _of_container(container: Json) -> Iterator[Use]:
    own = str(container.get("name", ""))
    for variable in container.get("env") or []:
        name = str(variable.get("name", ""))
        for kind, source in _sources(variable.get("valueFrom") or {}, "KeyRef"):
            use = _use(kind, source, str(source.get("key", "")), f"variable {name}")
            yield use._replace(container=own, variable=name)
    for each in container.get("envFrom") or []:
        for kind, source in _sources(each, "Ref"):
            use = _use(kind, source, "", f"the variables of container {own}")
            yield use._replace(container=own)


def _sources(where: Json, suffix: str) -> Iterator[tuple[str, Json]]:
    for kind, field in ((CONFIG_MAP, "configMap"), (SECRET, "secret")):
        source = where.get(f"{field}{suffix}")
        if source:
            yield kind, source


def _use(kind: str, source: Json, key: str, purpose: str) -> Use:
    wanted = str(source.get("name") or source.get("secretName") or "")
    return Use(kind, wanted, key, bool(source.get("optional")), purpose)


def _of_volume(volume: Json) -> Iterator[Use]:
    parts = (volume.get("projected") or {}).get("sources") or [volume]
    name = str(volume.get("name", ""))
    for part in parts:
        for kind, source in _sources(part, ""):
            keys = [str(item.get("key", "")) for item in source.get("items") or []] or [""]
            for key in keys:
                yield _use(kind, source, key, f"volume {name}")._replace(volume=name)


def names_used(pod: Json, kind: str) -> list[str]:
    """Return the ConfigMaps or Secrets that a pod uses, each once."""
    return list(dict.fromkeys(use.name for use in uses_of(pod) if use.kind == kind and use.name))
