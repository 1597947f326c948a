"""Commands that the runtime cannot start.

The texts are runc's (libcontainer) and crun's; containerd and CRI-O pass them on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.kube.objects import NOT_STARTED, innermost
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.status.commands import change
from kubectl_scratch.why.status.subjects import Subject, subjects
from kubectl_scratch.why.status.told import flat

_REFUSED = ("CreateContainerError", "RunContainerError")
_EXEC = re.compile(r'exec: "([^"]*)": (.*)$', re.DOTALL)
_CRUN = re.compile(r"executable file `([^`]+)` (not found.*)$", re.DOTALL)
_FOLDER = re.compile(r'chdir to cwd \("([^"]*)"\) set in config.json failed: (.*)$', re.DOTALL)
_MAKE_FOLDER = re.compile(r"^(?:error during container init: )?mkdir (\S+): (.*)$", re.DOTALL)
_NO_COMMAND = "no command specified"
_ABSENT = ("executable file not found", "no such file or directory", "not found in $PATH")
_NOT_EXECUTABLE = ("ermission denied", "is a directory")
_SHELLS = ("sh", "bash", "ash", "/bin/sh", "/bin/bash")
# What other rules explain.
_OF_OTHERS = ("exec format error", "error mounting", "OOM-killed", "memory limit too low")


def command_causes(facts: ClusterFacts) -> Iterator[Cause]:
    """Yield the containers whose command cannot be started, each with why."""
    for subject in subjects(facts):
        said = _said(subject)
        if not said or any(text in said for text in _OF_OTHERS):
            continue
        program, folder = _EXEC.search(said) or _CRUN.search(said), _folder(said)
        if _NO_COMMAND in said:
            yield _no_command(facts, subject, said)
        elif folder:
            yield _working_dir(facts, subject, folder, said)
        elif program and any(text in said for text in _ABSENT):
            yield _not_found(facts, subject, program[1], said)
        elif program and any(text in said for text in _NOT_EXECUTABLE):
            yield _not_executable(facts, subject, program[1], said)


def _said(subject: Subject) -> str:
    """Return the runtime's complaint about a container that never ran."""
    if subject.runs:
        return ""
    said = subject.message if subject.reason in _REFUSED else ""
    if subject.ended.get("reason") in NOT_STARTED:
        said = str(subject.ended.get("message") or "")
    # Older versions of runc quote their own quotes.
    return innermost(said.replace('\\"', '"'))


def _folder(said: str) -> str:
    match = _FOLDER.search(said) or _MAKE_FOLDER.search(said)
    return match[1] if match else ""


def _in_pod(subject: Subject) -> bool:
    return bool(subject.container.get("command"))


def _no_command(facts: ClusterFacts, subject: Subject, said: str) -> Cause:
    return Cause(
        "command-not-found",
        f"neither image {subject.image} nor the pod says what {subject.words} shall run",
        (f"{subject.words}: {flat(said)}",),
        change(facts.pod, f"set command of {subject.words}"),
        subject.weigh(94),
    )


def _not_found(facts: ClusterFacts, subject: Subject, program: str, said: str) -> Cause:
    where = "on the PATH of" if "$PATH" in said else "in"
    own = "" if _in_pod(subject) else ", which names it as its command"
    absent = f"{program!r} is not {where} image {subject.image}{own}"
    words = [str(word) for word in subject.container.get("command") or [""]]
    if words[0] == program and " " in program:
        what = f"write each word of command by itself: {program.split()!r}"
    elif program in _SHELLS:
        what = "start the app's program itself, without a shell, which the image does not have"
    else:
        what = "correct command" if _in_pod(subject) else "set command, or use another image"
    evidence = [f"{subject.words}: {flat(said)}"]
    if _hides(subject, program):
        evidence.append(f"volume {_hides(subject, program)} covers what the image has there")
    return Cause(
        "command-not-found",
        f"{subject.words} cannot start: {absent}",
        tuple(evidence),
        change(facts.pod, what),
        subject.weigh(93),
    )


def _hides(subject: Subject, program: str) -> str:
    """Return the volume that is mounted above a program, empty if none is."""
    for mount in subject.container.get("volumeMounts") or []:
        if program.startswith(f"{str(mount.get('mountPath', '')).rstrip('/')}/"):
            return str(mount.get("name", ""))
    return ""


def _not_executable(facts: ClusterFacts, subject: Subject, program: str, said: str) -> Cause:
    volume = _hides(subject, program)
    what = "name a program, or make the file executable in the image (chmod +x)"
    if volume:
        what = f"set defaultMode 0755 of volume {volume}, or start it by its interpreter"
    return Cause(
        "command-not-executable",
        f"{subject.words} cannot start: {program} is no executable file for its user",
        (f"{subject.words}: {flat(said)}",),
        change(facts.pod, what),
        subject.weigh(92),
    )


def _working_dir(facts: ClusterFacts, subject: Subject, folder: str, said: str) -> Cause:
    of = "workingDir" if subject.container.get("workingDir") else "the image's working directory"
    denied = "ermission denied" in said
    why = "its user cannot enter it" if denied else said.rpartition(": ")[2]
    what = "set a workingDir that its user may enter" if denied else "set workingDir to a folder"
    return Cause(
        "working-dir",
        f"{subject.words} cannot start in {folder} ({of}): {why}",
        (f"{subject.words}: {flat(said)}",),
        change(facts.pod, what),
        subject.weigh(92),
    )
