"""The containers that a pod waits for, the target first, and how much each of them matters."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.kube.objects import (
    Json,
    all_containers,
    init_containers,
    last_termination,
    names_of,
    status_of,
)
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.status.told import GETTING_READY

# From here on a cause is a finding, and what is only seen beside weighs less.
FINDING, SEEN = 50, 45
# What trouble of another container weighs less, if the target itself has none.
_ELSEWHERE = 20


class Subject(NamedTuple):
    """A container with its status; ``words`` name it.

    ``heaviest`` is what a cause about it may weigh.
    """

    container: Json
    status: Json
    words: str
    heaviest: int

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.container["name"])

    @property
    def reason(self) -> str:
        """Return why it waits, in the kubelet's word; empty if it does not."""
        return str(((self.status.get("state") or {}).get("waiting") or {}).get("reason") or "")

    @property
    def message(self) -> str:
        """Return what the kubelet says of why it waits."""
        return str(((self.status.get("state") or {}).get("waiting") or {}).get("message") or "")

    @property
    def runs(self) -> bool:
        """Say whether it runs now."""
        return (self.status.get("state") or {}).get("running") is not None

    @property
    def ended(self) -> Json:
        """Return how it ended last, empty if it never did."""
        return last_termination(self.status)

    @property
    def image(self) -> str:
        """Return its image, as the pod names it."""
        return str(self.container.get("image", ""))

    def weigh(self, weight: int) -> int:
        """Return what a cause about it weighs."""
        return min(weight, self.heaviest)


def subjects(facts: ClusterFacts) -> list[Subject]:
    """Return the pod's containers that have a status, the target first."""
    inits = names_of(init_containers(facts.pod))
    ordered = sorted(all_containers(facts.pod), key=lambda c: c["name"] != facts.target)
    found = []
    for container in ordered:
        name = container["name"]
        words = f"{'init ' if name in inits else ''}container {name}"
        status = status_of(facts.pod, name) or {}
        found.append(Subject(container, status, words, _heaviest(facts, name, name in inits)))
    return found


def _heaviest(facts: ClusterFacts, name: str, is_init: bool) -> int:
    """Return how heavy trouble of a container is: the target may have its own."""
    if name == facts.target or (is_init and _waits(facts)):
        return 100
    return SEEN if _is_in_trouble(facts) else 100 - _ELSEWHERE


def _waits(facts: ClusterFacts) -> bool:
    """Say whether the target waits for others."""
    own = status_of(facts.pod, facts.target) or {}
    reason = ((own.get("state") or {}).get("waiting") or {}).get("reason")
    return reason in (None, *GETTING_READY) and not last_termination(own)


def _is_in_trouble(facts: ClusterFacts) -> bool:
    """Say whether the target fails by itself."""
    own = status_of(facts.pod, facts.target) or {}
    waiting = (own.get("state") or {}).get("waiting") or {}
    failed = last_termination(own).get("exitCode") not in (None, 0)
    return waiting.get("reason") not in (None, *GETTING_READY) or failed
