"""Programs that are another architecture's, or none at all."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_scratch.kube.objects import innermost
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change_image
from kubectl_scratch.why.status.subjects import SEEN, Subject, subjects
from kubectl_scratch.why.status.told import flat

_FORMAT_ERROR = "exec format error"
# What runc and crun write into the log of a program that the kernel cannot start: the whole line.
_BY_RUNTIME = (
    "exec ", "exec container process", '{"msg":"exec container process', "standard_init_linux.go",
    "exec user process caused",
)  # fmt: skip


def architecture_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield containers whose program the node's kernel does not know."""
    for subject in subjects(facts):
        said = _said(facts, subject)
        if said:
            yield _cause(facts, subject, said)


def _said(facts: ClusterFacts, subject: Subject) -> str:
    if subject.runs:
        return ""
    texts = [subject.message, str(subject.ended.get("message") or "")]
    if subject.name == facts.target and subject.ended:
        texts += [line for line in facts.log if line.startswith(_BY_RUNTIME)]
    return next((innermost(text) for text in texts if _FORMAT_ERROR in text.lower()), "")


def _cause(facts: ClusterFacts, subject: Subject, said: str) -> Cause:
    info = ((facts.node or {}).get("status") or {}).get("nodeInfo") or {}
    arch = str(info.get("architecture") or "")
    # A script without its first line looks the same: the command is then the app's own.
    sure = not _may_be_script(subject)
    what = f"use an image for {arch or 'the architecture of the node'}"
    script = "; a script that does not begin with #!INTERPRETER fails with the same error"
    return Cause(
        "image-arch" if sure else "exec-format",
        f"the program of {subject.words} cannot run on the node: {_reason(arch, sure)}",
        (flat(said), *((f"the node is {arch}",) if arch else ())),
        f"{change_image(facts.pod, what, subject.name)}{script}",
        subject.weigh(88 if sure else SEEN),
    )


def _may_be_script(subject: Subject) -> bool:
    """Say whether the pod names a file that may well be a script."""
    first = str((subject.container.get("command") or [""])[0])
    return first.rpartition(".")[2] in ("sh", "py", "rb", "pl", "js") or _is_mounted(subject, first)


def _is_mounted(subject: Subject, path: str) -> bool:
    mounts = subject.container.get("volumeMounts") or []
    folders = [str(mount.get("mountPath", "")).rstrip("/") for mount in mounts]
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders if folder)


def _reason(arch: str, sure: bool) -> str:
    if not sure:
        return "it is built for another architecture, or it is a script without #!"
    return f"it is built for another architecture{f' than {arch}' if arch else ''}"
