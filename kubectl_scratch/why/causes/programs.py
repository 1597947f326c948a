"""Programs that cannot be started: missing, not executable, or of a form that does not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from kubectl_scratch.why.causes.files import is_of_path_search
from kubectl_scratch.why.causes.permissions import owned
from kubectl_scratch.why.fates import BECAUSE, fate_of, went_wrong
from kubectl_scratch.why.last_words import NEAREST_LINES, line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import SURE_ENOUGH, Evidence
from kubectl_scratch.why.report import Call, Run
from kubectl_scratch.why.wording import call_line, cut, listed

EXECS = ("execve", "execveat")
LOOKS = (*EXECS, "stat", "newfstatat", "statx", "lstat", "access", "faccessat", "faccessat2")
NOT_FOUND = (
    re.compile(r"(?:^|: )(?:line )?(?:\d+: )?(?P<name>[\w./+@-]+): (?:command )?not found\s*$"),
    re.compile(r"exec: \"?(?P<name>[^\s:\"]+)\"?: (?:executable file )?not found(?: in \$PATH)?"),
    re.compile(
        r"(?:env|exec|nohup|nice|timeout|xargs|su-exec|gosu|tini|setpriv|chroot|daemon)(?:\[\d+\])?:"
        r"[\w' ]*? ?[^\w\s/.]?(?P<name>[\w./+-]+)[^\w\s/.]*: No such file or directory"
    ),
    re.compile(r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<name>[\w+.-]+)'$"),
    re.compile(r"spawn (?P<name>\S+) ENOENT"),
    re.compile(r"Cannot run program \"(?P<name>[^\"]+)\""),
)  # fmt: skip
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
SHELL_WORDS = frozenset({"sh", "bash", "line", "error", "Error", "file", "module", "command"})
NAMES_SCRIPT = re.compile(r"^(?P<script>[\w./@+-]*[a-z][\w./@+-]*): (?:line )?\d+: ")
CRLF_WORDS = re.compile(
    r"\\r'?: command not found|\r: not found|\$'\\r'|\^M: |/bin/\w+\\r|"
    r"env: .*\\r|No such file or directory\r|bad interpreter.*\^M|not found\r"
)


def find_programs(evidence: Evidence) -> Iterator[Cause]:
    """Yield programs that were to be started and could not be."""
    known = set()
    for call in evidence.run.calls:
        if call.call in EXECS and not call.found:
            for cause in _of_exec(evidence, call):
                known.add(call.path.rpartition("/")[2])
                yield cause
    yield from _not_found(evidence, known)
    yield from _line_ends(evidence)


def _weight(evidence: Evidence, call: Call, sure: int) -> int:
    """Weigh an exec that failed: a process for which it is fatal ends at once."""
    run = evidence.run
    if call.pid == run.pid:
        return sure if _soon(run, call) else sure - 50
    fate = fate_of(run, call.pid)
    less = {"ended the app": 0, "unknown": 10, "its own": 20}.get(fate, 50)
    if run.running:
        less = 25 if went_wrong(run) else 50
    named = any(failed.call.path == call.path and failed.named for failed in evidence.failed)
    return sure - less + (5 if named and less else 0)


def _soon(run: Run, call: Call) -> bool:
    return not run.running and run.at - call.at <= BECAUSE and run.code != 0


def _of_exec(evidence: Evidence, call: Call) -> Iterator[Cause]:
    line = (call_line(call, evidence.run),)
    program = call.program
    if (
        call.error == "ENOENT"
        and program
        and program.interpreter
        and not program.interpreter_exists
    ):
        yield _interpreter(evidence, call, line)
    elif call.error == "ENOENT" and program and program.crlf:
        yield _crlf(evidence, call, line)
    elif call.error == "ENOENT" and call.here is None:
        if "/" in call.path and not _is_search(evidence.run, call):
            yield _missing(evidence, call, line)
    elif call.error in ("ENOEXEC", "ELIBBAD", "EINVAL"):
        yield from _format(evidence, call, line)
    elif call.error in ("EACCES", "EPERM") and (call.here or not _is_search(evidence.run, call)):
        yield _not_executable(evidence, call, line)


def _interpreter(evidence: Evidence, call: Call, line: tuple[str, ...]) -> Cause:
    program = call.program
    assert program is not None
    if program.crlf or program.interpreter.endswith("\r"):
        return _crlf(evidence, call, line)
    name = program.interpreter
    weight = _weight(evidence, call, 95)
    if program.format == "elf":
        return Cause(
            "missing-interpreter",
            f"the app cannot run {call.path}: the dynamic loader {name} is not in the image",
            (*line, f"interpreter {name}: not found"),
            "build the program statically (for Go: CGO_ENABLED=0), or use a base image with its"
            " C library" + (": musl (Alpine)" if "musl" in name else ": glibc"),
            weight,
        )
    return Cause(
        "missing-interpreter",
        f"the app cannot run the script {call.path}: its interpreter {name} is not in the image",
        (*line, f"interpreter in the first line: {name}: not found"),
        f"install {name.rpartition('/')[2]} in the image, or change the script's first line"
        " to an interpreter in the image (#!/bin/sh)",
        weight,
    )


def _crlf(evidence: Evidence, call: Call, line: tuple[str, ...]) -> Cause:
    return Cause(
        "script-line-ends",
        f"the app cannot run the script {call.path}: it has Windows line endings (CRLF), so its"
        " interpreter is not found",
        (*line, "its first line ends with a carriage return"),
        f"convert the file: sed -i 's/\\r$//' {call.path.rpartition('/')[2]} (and in git: eol=lf)",
        _weight(evidence, call, 95),
    )


def _missing(evidence: Evidence, call: Call, line: tuple[str, ...]) -> Cause:
    near = call.nearest
    there = f"{near.path} contains {listed(near.names)}" if near and near.names else ""
    return Cause(
        "missing-program",
        f"the app cannot run {call.path}, which does not exist",
        tuple(filter(None, (*line, there))),
        f"correct the path, or add {call.path} to the image",
        _weight(evidence, call, 92),
    )


def _is_search(run: Run, call: Call) -> bool:
    """Say whether it is one of several places on a search path."""
    name = call.path.rpartition("/")[2]
    places = {c.path for c in run.calls if c.call in LOOKS and c.path.rpartition("/")[2] == name}
    return len(places) > 1


def _format(evidence: Evidence, call: Call, line: tuple[str, ...]) -> Iterator[Cause]:
    program, weight = call.program, _weight(evidence, call, 93)
    own = MACHINES.get(evidence.run.arch, evidence.run.arch)
    if program and program.format == "elf" and program.machine and program.machine != own:
        yield Cause(
            "exec-format",
            f"the app cannot run {call.path}: it is built for {program.machine}, but the node"
            f" is {own}",
            line,
            f"build the image for {evidence.run.arch} (docker buildx build --platform"
            f" linux/{evidence.run.arch}), or use nodes of its architecture (nodeSelector)",
            weight,
        )
        return
    what = (
        "is empty"
        if call.here and call.here.size == 0 and call.here.type == "file"
        else ("is neither a program nor a script with a first line #!")
    )
    yield Cause(
        "exec-format",
        f"the app cannot run {call.path}: it {what}",
        line,
        "add a first line such as #!/bin/sh, or run the script with its interpreter: sh FILE",
        weight,
    )


def _not_executable(evidence: Evidence, call: Call, line: tuple[str, ...]) -> Cause:
    weight = _weight(evidence, call, 93)
    if call.here and call.here.type == "dir":
        return Cause("not-executable", f"the app cannot run {call.path}: it is a folder", line,
                     "set the path of a program in this folder", weight)  # fmt: skip
    if call.here and not call.here.mode & 0o111:
        sentence = (
            f"the app cannot run {call.path}: it is not executable (mode {call.here.mode:04o})"
        )
        remedy = (
            f"make it executable: RUN chmod 0755 {call.path} in the image, or defaultMode: 0755"
            f" in a"
            " ConfigMap volume"
        )
        return Cause("not-executable", sentence, line, remedy, weight)
    if call.here and call.here.mode & 0o111 != 0o111:
        sentence = (
            f"the app (user {evidence.run.uid}) has no permission to run {call.path}, which is"
            f" {owned(call.here)}"
        )
        return Cause("not-executable", sentence, line,
                     f"make it executable: RUN chmod 0755 {call.path}", weight)  # fmt: skip
    return Cause(
        "not-executable",
        f"the app (user {evidence.run.uid}) has no permission to run {call.path}",
        line,
        "check the modes of its parent folders, and whether its volume is mounted noexec",
        weight,
    )


def _not_found(evidence: Evidence, known: set[str]) -> Iterator[Cause]:
    """Yield commands that a search on PATH did not find."""
    run = evidence.run
    if not went_wrong(run):
        if run.running and not run.listening:
            yield from _by_stat(evidence, known)
        return
    for name, line in _said(evidence):
        if name.rpartition("/")[2] in known or "\r" in line or _is_crlf(evidence):
            continue
        folders = _searched(run, name)
        if folders or run.code == 127 or "PATH" in line:
            known.add(name.rpartition("/")[2])
            late = run.code == 127 or line in evidence.words.lines[-NEAREST_LINES:]
            yield _command(name, folders, cut(line), 94 if late else 60)
    yield from _by_search(evidence, known)


def _said(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for line in reversed(evidence.words.text.split("\n")):
        for pattern in NOT_FOUND:
            found = pattern.search(line)
            if found and found["name"] not in SHELL_WORDS:
                yield found["name"], line
                break


def _searched(run: Run, name: str) -> list[str]:
    errors = ("ENOENT", "ENOTDIR", "EACCES")
    calls = [c for c in run.calls if c.call in LOOKS and c.error in errors]
    if "/" in name:
        return [c.path.rpartition("/")[0] for c in calls if c.path.endswith(name.lstrip("."))]
    paths = [c.path.rpartition("/") for c in calls if not c.found]
    return list(dict.fromkeys(folder for folder, _, base in paths if base == name))


def _command(name: str, folders: list[str], line: str, weight: int) -> Cause:
    lines = [line] if line else []
    if "/" in name:
        sentence = f"the app cannot run {name}, which does not exist"
    else:
        sentence = f"the app cannot run the command {name}, which is not in the image"
        lines += [f"looked for {name} in {listed(folders, 10)}"] if folders else []
    remedy = f"install {name.rpartition('/')[2]} in the image, or correct its name or PATH"
    return Cause("missing-program", sentence, tuple(lines), remedy, weight)


def _by_search(evidence: Evidence, known: set[str]) -> Iterator[Cause]:
    run = evidence.run
    if run.running or run.code == 0:
        return
    yield from _by_stat(evidence, known)
    codes = {run.code, *(process.code for process in run.processes)}
    calls = LOOKS if 127 in codes else EXECS
    looked = [c for c in run.calls if c.call in calls and c.error == "ENOENT" and not c.found]
    last = max((c for c in looked if _is_search(run, c) and "/bin" in c.path), default=None,
               key=lambda c: c.at)  # fmt: skip
    if last is None or last.path.rpartition("/")[2] in known:
        return
    name = last.path.rpartition("/")[2]
    if ".so" not in name:
        sure = run.code == 127 or (last.call in EXECS and _weight(evidence, last, 82) > SURE_ENOUGH)
        yield _command(name, _searched(run, name), "", 82 if sure else 40)


def _by_stat(evidence: Evidence, known: set[str]) -> Iterator[Cause]:
    """Yield a program that was looked for in the folders of PATH, and not even started."""
    for failed in evidence.failed:
        name = failed.call.path.rpartition("/")[2]
        looked = failed.call.call in LOOKS and failed.call.call not in EXECS
        if looked and is_of_path_search(failed) and name not in known:
            known.add(name)
            yield _command(name, _searched(evidence.run, name), "", failed.weight)


def _is_crlf(evidence: Evidence) -> bool:
    return bool(CRLF_WORDS.search(evidence.words.text))


def _line_ends(evidence: Evidence) -> Iterator[Cause]:
    found = line_with(evidence.words, CRLF_WORDS) or CRLF_WORDS.search(evidence.words.text)
    if found and went_wrong(evidence.run):
        line = found.string[-400:] if "\n" in found.string else found.string
        script = _script(evidence.run, line)
        which = f"the script {script}" if script else "a script"
        yield Cause(
            "script-line-ends",
            f"{which} has Windows line endings (CRLF), so its commands are not found",
            (cut(line),),
            f"convert it: sed -i 's/\\r$//' {script.rpartition('/')[2] or 'SCRIPT'}"
            " (and in git: eol=lf)",
            95,
        )


def _script(run: Run, line: str) -> str:
    """Return the script with the wrong line ends: where a shell says, else what it was to run."""
    said = NAMES_SCRIPT.search(line)
    if said:
        return said["script"]
    for words in (run.words, *(process.words for process in run.processes)):
        for before, word in pairwise(words):
            if "/" in word and (before.endswith("\r") or _is_shell(before)):
                return word
    return ""


def _is_shell(word: str) -> bool:
    return word.rpartition("/")[2] in ("sh", "bash", "dash", "ash", "zsh", "ksh")
