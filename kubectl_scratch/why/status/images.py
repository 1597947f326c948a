"""Images that cannot be pulled.

A registry's "no" is known only by the text of a message: containerd's
(core/remotes/docker, client/pull.go), CRI-O's (containers/image, docker) and the kubelet's
(kubernetes/kubernetes, pkg/kubelet/images).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_scratch.kube.objects import namespace
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change, change_image, for_pod
from kubectl_scratch.why.status.subjects import Subject, subjects
from kubectl_scratch.why.status.told import events_of, flat, name_list, of_container

_PULLS = (
    "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed",
    "ImageInspectError",
)  # fmt: skip
_NO_SECRET = re.compile(r"pull secrets \(([^)]*)\)")
_URL = re.compile(r"https?://[^\s\"]*")
# What stands before the reason: who tried what. Only the last one is worth reading.
_BEFORE = re.compile(
    r'.*(?:failed to resolve (?:reference|image) "?[^ "]+"?|failed to do request|failed to pull'
    r' and unpack image "[^"]*"|initializing source \S+|unable to retrieve auth token): ',
    re.DOTALL,
)


class Refusal(NamedTuple):
    """What a text says of a pull."""

    texts: tuple[str, ...]
    kind: str
    weight: int
    says: str


_ARCH = (
    "no match for platform",
    "no matching manifest for",
    "no image found in image index for",
    "no image found in manifest list for",
)
# The first that fits; the sentence goes on from the image's name.
_REFUSALS = (
    Refusal(_ARCH, "image-arch", 95, "is not built for the architecture of the node"),
    Refusal(
        ("repository does not exist or may require",),
        "image-denied",
        90,
        "does not exist, or its registry requires a login",
    ),
    Refusal(
        ("toomanyrequests", "429 too many requests"),
        "registry-unreachable",
        85,
        "cannot be pulled now: its registry's rate limit is reached",
    ),
    Refusal(
        (
            "401 unauthorized", "unauthorized:", "authentication required", "authorization failed",
            "access denied", "is denied", "denied:", "403 forbidden", "403 (forbidden)",
            "401 (unauthorized)", "no basic auth credentials", "invalid username/password",
        ),
        "image-denied",
        90,
        "cannot be pulled: its registry rejects the login, or requires one",
    ),
    Refusal(
        ("no such host", "server misbehaving", "temporary failure in name resolution"),
        "registry-unreachable",
        88,
        "cannot be pulled: the name of its registry does not resolve on the node",
    ),
    Refusal(
        ("x509:", "certificate", "http response to https client"),
        "registry-unreachable",
        88,
        "cannot be pulled: the node does not trust its registry's TLS certificate, or there is"
        " none",
    ),
    Refusal(("no space left on device",), "node-full", 88, "cannot be stored: the node is full"),
    Refusal(
        ("short-name", "short name"),
        "image-name",
        88,
        "has no registry in its name, and the node has no default registry for it",
    ),
    Refusal(
        (
            "connection refused", "i/o timeout", "deadline exceeded", "connection reset",
            "network is unreachable", "no route to host", "tls handshake timeout", ": eof",
            "request canceled",
        ),
        "registry-unreachable",
        85,
        "cannot be pulled: the node cannot reach its registry",
    ),
    Refusal(
        ("500 internal", "502 bad", "503 service", "504 gateway"),
        "registry-unreachable",
        85,
        "cannot be pulled: its registry returns a server error",
    ),
    Refusal(
        ("not found", "manifest unknown", "name unknown", "404 not found"),
        "image-not-found",
        92,
        "does not exist in its registry",
    ),
)  # fmt: skip
_UNKNOWN = Refusal((), "image-pull", 70, "cannot be pulled")


def image_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the images that the node does not get."""
    for subject in subjects(facts):
        if subject.reason in _PULLS:
            yield _pull(facts, subject)
        elif subject.reason == "InvalidImageName":
            yield _name(facts, subject)
        elif subject.reason == "ErrImageNeverPull":
            yield _never(facts, subject)


def _pull(facts: ClusterFacts, subject: Subject) -> Cause:
    said = _complaint(facts, subject)
    text = _URL.sub("URL", _inner(said).lower().replace(subject.image.lower(), "IMAGE"))
    found = next((r for r in _REFUSALS if any(t in text for t in r.texts)), _UNKNOWN)
    secrets = list(_absent_secrets(facts)) if found.kind == "image-denied" else []
    evidence = [f"{subject.words}: {subject.reason}: {flat(_inner(said))}"]
    if secrets:
        evidence.append(
            f"pull secret {name_list(secrets)} does not exist in namespace {namespace(facts.pod)}"
        )
    return Cause(
        found.kind,
        f"image {subject.image} of {subject.words} {found.says}",
        tuple(evidence),
        _cure(facts, subject, found, secrets),
        subject.weigh(found.weight),
    )


def _complaint(facts: ClusterFacts, subject: Subject) -> str:
    """Return why the pull failed; older kubelets say that in events only."""
    if not subject.message or subject.message == f'Back-off pulling image "{subject.image}"':
        for event in events_of(facts.events, "Failed"):
            text = str(event.get("message", ""))
            if of_container(event, subject.name) and text.startswith("Failed to pull image"):
                return text
    return subject.message


def _inner(said: str) -> str:
    found = _BEFORE.sub("", said.rpartition("ErrImagePull: ")[2])
    return found or said


def _absent_secrets(facts: ClusterFacts) -> Iterator[str]:
    """Yield the pull secrets that do not exist, as the kubelet says or the facts."""
    asked = [each.get("name", "") for each in facts.pod["spec"].get("imagePullSecrets") or []]
    told = events_of(facts.events, "FailedToRetrieveImagePullSecret")
    match = _NO_SECRET.search(str(told[0].get("message", ""))) if told else None
    missing = {word.strip() for word in match[1].split(",")} if match else set()
    for secret in asked:
        known = secret in facts.secrets
        if (known and facts.secrets[secret] is None) or (not known and secret in missing):
            yield secret


def _cure(facts: ClusterFacts, subject: Subject, found: Refusal, secrets: list[str]) -> str:
    pod = facts.pod
    if found.kind == "image-not-found":
        return change_image(pod, "push the image, or use an existing image", subject.name)
    if found.kind == "image-arch":
        arch = _architecture(facts)
        what = f"use an image that is built for {arch or 'the node'}"
        return change_image(pod, what, subject.name)
    if found.kind == "image-denied":
        return _login(facts, secrets)
    if found.kind == "image-name":
        what = "add the registry to the image name, as in docker.io/library/NAME:TAG"
        return change_image(pod, what, subject.name)
    if found.kind == "registry-unreachable":
        node = pod["spec"].get("nodeName") or "the node"
        return f"check that {node} can reach {_registry(subject.image)}; the kubelet retries"
    return "wait: the kubelet retries" if found is _UNKNOWN else "free space on the node"


def _login(facts: ClusterFacts, secrets: list[str]) -> str:
    pod = facts.pod
    asked = [each.get("name", "") for each in pod["spec"].get("imagePullSecrets") or []]
    if secrets or not asked:
        words = ("create", "secret", "docker-registry", secrets[0] if secrets else "NAME")
        login = ("--docker-server=REGISTRY", "--docker-username=USER", "--docker-password=PASSWORD")
        create = f"create a pull secret: {for_pod(pod, *words, *login)}"
        return create if secrets else f"check the image's name; {_and_use(create)}"
    return f"check the image's name, and the login in pull secret {name_list(asked)}"


def _and_use(create: str) -> str:
    return f"if it is private, {create}, and name it in spec.imagePullSecrets"


def _architecture(facts: ClusterFacts) -> str:
    info = ((facts.node or {}).get("status") or {}).get("nodeInfo") or {}
    return str(info.get("architecture") or "")


def _registry(image: str) -> str:
    """Return where an image comes from: Docker Hub if its name has no host."""
    host, slash, _ = image.partition("/")
    is_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
    return host if is_host else "docker.io"


def _name(facts: ClusterFacts, subject: Subject) -> Cause:
    said = flat(subject.message.rpartition("invalid ")[2])
    return Cause(
        "image-name",
        f"image {subject.image!r} of {subject.words} is not a valid image name",
        (f"{subject.words}: {subject.reason}: {said}",),
        change_image(facts.pod, "correct the image name", subject.name),
        subject.weigh(95),
    )


def _never(facts: ClusterFacts, subject: Subject) -> Cause:
    node = facts.pod["spec"].get("nodeName") or "the node"
    what = "load the image on the node, or set imagePullPolicy to IfNotPresent"
    return Cause(
        "image-never-pulled",
        f"image {subject.image} of {subject.words} is not on {node}, and its imagePullPolicy is"
        " Never",
        (f"{subject.words}: {subject.reason}: {flat(subject.message)}",),
        change(facts.pod, what),
        subject.weigh(95),
    )
