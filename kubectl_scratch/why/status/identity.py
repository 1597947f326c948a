"""Containers that the node refuses because of the user or the profile that they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change
from kubectl_scratch.why.status.subjects import Subject, subjects
from kubectl_scratch.why.status.told import flat

_NAMED = re.compile(r"image has non-numeric user \(([^)]*)\)")
_NO_USER = re.compile(r"unable to find user ([^:]+): no matching entries in passwd file")
_NO_PROFILE = re.compile(
    r'cannot load seccomp profile "([^"]*)"|failed to load seccomp profile "?([^" ]*)'
)


def identity_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the users and profiles with which a container is not created."""
    for subject in subjects(facts):
        if subject.reason == "CreateContainerConfigError":
            yield from _root(facts, subject)
        elif subject.reason in ("CreateContainerError", "RunContainerError"):
            yield from _unknown(facts, subject)


def _root(facts: ClusterFacts, subject: Subject) -> Iterator[Cause]:
    said = subject.message
    named = _NAMED.search(said)
    user = "set securityContext.runAsUser to the UID of a user in the image that is not root"
    if "image will run as root" in said:
        why = f"its image {subject.image} runs as root"
    elif "runAsUser breaks non-root policy" in said:
        why = "its runAsUser is 0"
    elif named:
        why = (
            f"the user of its image is the name {named[1]!r}, so the kubelet cannot verify that it"
            " is not root"
        )
        user = f"set securityContext.runAsUser to the UID of user {named[1]}"
    else:
        return
    yield Cause(
        "root-forbidden",
        f"{subject.words} must not run as root (runAsNonRoot), but {why}",
        (f"{subject.words}: {subject.reason}: {flat(said)}",),
        change(facts.pod, user),
        subject.weigh(95),
    )


def _unknown(facts: ClusterFacts, subject: Subject) -> Iterator[Cause]:
    evidence = (f"{subject.words}: {subject.reason}: {flat(subject.message)}",)
    user, profile = _NO_USER.search(subject.message), _NO_PROFILE.search(subject.message)
    if user:
        sentence = f"image {subject.image} sets user {user[1]}, which does not exist in it"
        what = "set securityContext.runAsUser to a UID, or add the user to the image"
        yield Cause("image-user", sentence, evidence, change(facts.pod, what), subject.weigh(92))
    if profile:
        path = profile[1] or profile[2]
        sentence = f"seccomp profile {path} of {subject.words} is not on the node"
        what = "install the profile on the node, or use seccompProfile type RuntimeDefault"
        yield Cause(
            "security-profile", sentence, evidence, change(facts.pod, what), subject.weigh(92)
        )
