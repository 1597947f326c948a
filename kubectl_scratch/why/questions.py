"""The names that an app asked DNS for, and got no address of."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.peers import base_name
from kubectl_scratch.why.report import Question, Run

# How long a resolver waits for an answer, in ms, with one more try.
UNANSWERED = 12_000


class Asked(NamedTuple):
    """A name that the app asked for, with all questions about it."""

    name: str
    questions: tuple[Question, ...]

    @property
    def last(self) -> int:
        """Return when it was asked last."""
        return max(question.at for question in self.questions)

    def has(self, *codes: str) -> bool:
        """Say whether a question about it has one of these answers."""
        return any(question.code in codes for question in self.questions)


def names_without_address(run: Run, facts: ClusterFacts) -> list[Asked]:
    """Return the names that were asked for in vain; one with search domains added is one."""
    groups: dict[str, list[Question]] = {}
    for question in run.questions:
        if question.type in ("A", "AAAA", "ANY", "SRV", ""):
            groups.setdefault(base_name(facts, question.name), []).append(question)
    found = [Asked(base, tuple(questions)) for base, questions in groups.items()]
    failed = [asked for asked in found if not any(q.answers for q in asked.questions)]
    return [asked for asked in failed if not any(_expands(asked, other) for other in found)]


def _expands(asked: Asked, other: Asked) -> bool:
    """Say whether it is the other name with a search domain of the node, which is tried first."""
    longer = bool(other.name) and asked.name.startswith(f"{other.name}.")
    return longer and 0 <= other.last - asked.last <= UNANSWERED
