"""ConfigMaps, Secrets and keys of them that a pod names and that are not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, namespace
from kubectl_scratch.plan.remedies import MISSING, MISSING_KEY, NO_SUCH_KEY
from kubectl_scratch.why.config_use import CONFIG_MAP, SECRET, Use, uses_of
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import for_pod
from kubectl_scratch.why.status.subjects import subjects
from kubectl_scratch.why.status.told import (
    event_line,
    flat,
    has_begun,
    mount_complaints,
    name_list,
)

_KINDS = {"configmap": CONFIG_MAP, "secret": SECRET}
_VOLUME = re.compile(r'volume "([^"]+)"')


class Missing(NamedTuple):
    """A ConfigMap or Secret that is missing, or with ``key`` only that; ``said`` is the evidence.

    ``weight`` is what a cause of it may weigh.
    """

    kind: str
    name: str
    key: str
    said: str
    weight: int


def config_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield what is missing, each once."""
    found: dict[tuple[str, str, str], Missing] = {}
    for each in (*_by_containers(facts), *_by_volumes(facts), *_by_facts(facts)):
        found.setdefault((each.kind, each.name, each.key), each)
    for each in found.values():
        yield _key_cause(facts, each) if each.key else _object_cause(facts, each)


def _by_containers(facts: ClusterFacts) -> Iterator[Missing]:
    for subject in subjects(facts):
        if subject.reason != "CreateContainerConfigError":
            continue
        said = f"{subject.words}: {subject.reason}: {flat(subject.message)}"
        for kind, wanted in MISSING.findall(subject.message):
            yield Missing(_KINDS[kind], wanted, "", said, subject.weigh(95))
        for key, title, wanted in MISSING_KEY.findall(subject.message):
            yield Missing(title, wanted, key, said, subject.weigh(95))


def _by_volumes(facts: ClusterFacts) -> Iterator[Missing]:
    for event in mount_complaints(facts):
        message, said = str(event.get("message", "")), event_line(event)
        for kind, wanted in MISSING.findall(message):
            yield Missing(_KINDS[kind], wanted, "", said, 92)
        for key in NO_SUCH_KEY.findall(message):
            volume = _VOLUME.search(message)
            for use in uses_of(facts.pod):
                if use.key == key and volume and use.volume == volume[1]:
                    yield Missing(use.kind, use.name, key, said, 92)


def _by_facts(facts: ClusterFacts) -> Iterator[Missing]:
    """Yield what no event tells (any more), but the pod waits for all the same."""
    if has_begun(facts.pod) or not facts.pod["spec"].get("nodeName"):
        return
    for use in uses_of(facts.pod):
        there = known_keys(facts, use.kind)
        if use.optional or not use.volume or use.name not in there:
            continue
        keys = there[use.name]
        if keys is None:
            yield Missing(use.kind, use.name, "", "the pod is waiting for its volumes", 80)
        elif use.key and use.key not in keys:
            yield Missing(use.kind, use.name, use.key, "the pod is waiting for its volumes", 80)


def known_keys(facts: ClusterFacts, kind: str) -> Mapping[str, frozenset[str] | None]:
    """Return the keys of all that is known of a kind."""
    return facts.config_maps if kind == CONFIG_MAP else facts.secrets


def _object_cause(facts: ClusterFacts, missing: Missing) -> Cause:
    where = namespace(facts.pod)
    there = known_keys(facts, missing.kind).get(missing.name)
    mine = [use for use in uses_of(facts.pod) if (use.kind, use.name) == missing[:2]]
    names = facts.names.get(missing.kind.lower(), ())
    near = difflib.get_close_matches(missing.name, names, n=3)
    evidence = [missing.said]
    if near:
        evidence.append(f"{missing.kind} with a similar name: {name_list(near)}")
    sentence = f"{missing.kind} {missing.name} does not exist in namespace {where}{_purpose(mine)}"
    remedy = _create(facts.pod, missing, mine)
    if there is not None:
        sentence = f"{missing.kind} {missing.name} did not exist when the kubelet last checked"
        remedy = "wait: it exists now, and the kubelet retries within two minutes"
    elif near:
        remedy = f"use {near[0]}, or {remedy}"
    kind = "missing-config-map" if missing.kind == CONFIG_MAP else "missing-secret"
    return Cause(kind, sentence, tuple(evidence), remedy, missing.weight)


def _create(pod: Json, missing: Missing, mine: list[Use]) -> str:
    keys = list(dict.fromkeys(use.key for use in mine if use.key)) or ["KEY"]
    flags = [f"--from-literal={key}=VALUE" for key in keys]
    type_of = ("configmap",) if missing.kind == CONFIG_MAP else ("secret", "generic")
    return f"create {missing.name}: {for_pod(pod, 'create', *type_of, missing.name, *flags)}"


def _purpose(mine: list[Use]) -> str:
    """Say what for, as the end of a sentence."""
    purposes = dict.fromkeys(use.purpose for use in mine)
    return f"; the pod needs it for {name_list(purposes, 3)}" if purposes else ""


def _key_cause(facts: ClusterFacts, missing: Missing) -> Cause:
    keys = known_keys(facts, missing.kind).get(missing.name)
    mine = [u for u in uses_of(facts.pod) if (u.kind, u.name, u.key) == missing[:3]]
    near = near_keys(missing.key, keys or ())
    evidence = [missing.said]
    if keys is not None:
        evidence.append(f"{missing.kind} {missing.name} has {key_words(keys)}")
    what = f"{missing.kind} {missing.name} has no key {missing.key}"
    edit = for_pod(facts.pod, "edit", missing.kind.lower(), missing.name)
    remedy = f"add the key: {edit}"
    weight = missing.weight
    if keys is not None and missing.key in keys:
        what = (
            f"{missing.kind} {missing.name} had no key {missing.key} when the kubelet last checked"
        )
        remedy = "wait: the key exists now, and the kubelet retries within two minutes"
    elif near:
        what = f"{what}, but it has {near[0]}"
        remedy = f"use key {near[0]} in the pod, or {remedy}"
    return Cause("missing-key", f"{what}{_purpose(mine)}", tuple(evidence), remedy, weight)


def near_keys(wanted: str, keys: frozenset[str] | tuple[str, ...]) -> list[str]:
    """Return the keys that are written almost as ``wanted``, the nearest first."""
    plain = {re.sub(r"[-_.]", "", key.lower()): key for key in keys}
    same = plain.get(re.sub(r"[-_.]", "", wanted.lower()))
    found = difflib.get_close_matches(wanted, sorted(keys), n=2)
    return list(dict.fromkeys([*([same] if same else []), *found]))


def key_words(keys: frozenset[str]) -> str:
    """Return the keys of an object, in words."""
    if not keys:
        return "no keys"
    return f"{'key' if len(keys) == 1 else 'keys'} {name_list(sorted(keys))}"
