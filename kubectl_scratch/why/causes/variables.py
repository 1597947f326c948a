"""Environment variables that are missing or empty."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.kube.objects import Json, name
from kubectl_scratch.why.causes.files import most_alike
from kubectl_scratch.why.fates import went_wrong
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import target_of
from kubectl_scratch.why.peers import is_local
from kubectl_scratch.why.rank import SURE_ENOUGH, Evidence, FailedCall
from kubectl_scratch.why.report import Run
from kubectl_scratch.why.wording import call_line, cut, listed

# Bounded, so that no text of an app takes long to search.
_VARIABLE = r"(?<![A-Za-z0-9_])(?P<name>[A-Z][A-Z0-9_]{2,63})(?![A-Za-z0-9_])[\"'`)}>\]]{0,3}"
ABSENT = (
    r"(?:not (?:been )?(?:set|defined|provided|specified|found|present|configured|given)|"
    r"unset|undefined|missing|empty|required|must (?:not )?be\b|NotPresent|blank|isn't set|"
    r"needs? to be|has no value|null or not set|unbound)"
)
# From the most certain to the least: what shells and runtimes write, then what people write.
CERTAIN = (
    re.compile(r"(?m)(?:^|: )(?P<name>\w{1,64}): (?:unbound variable|"
               r"parameter (?:null or )?not set)"),
    re.compile(r"KeyError: '(?P<name>[A-Z][A-Z0-9_]{2,63})'"),
    re.compile(r"key not found: \"(?P<name>[A-Z][A-Z0-9_]{2,63})\""),
    re.compile(r"required key (?P<name>[A-Z][A-Z0-9_]{1,63}) missing value"),
    re.compile(r"Could not resolve placeholder '(?P<name>[A-Z][A-Z0-9_]{1,63})'"),
    re.compile(r"UndefinedValueError: (?P<name>[A-Z][A-Z0-9_]{1,63}) not found"),
    re.compile(r"Set the (?P<name>[A-Z][A-Z0-9_]{1,63}) environment variable"),
    re.compile(r"couldn't read the (?P<name>[A-Z][A-Z0-9_]{1,63}) env"),
    re.compile(r"(?i:env(?:ironment)?(?:[ -]?var(?:iable)?)?s?)\b[^A-Z\n]{0,24}" + _VARIABLE
               + rf"[^\n]{{0,32}}\b(?i:{ABSENT})"),
    re.compile(rf"(?i:{ABSENT})[^\n]{{0,40}}(?i:\benv(?:ironment)?(?:[ -]?var(?:iable)?)?s?)\b"
               r"[^A-Z\n]{0,24}" + _VARIABLE),
    re.compile(_VARIABLE + r" (?i:env(?:ironment)?(?:[ -]?var(?:iable)?)?)\b[^\n]{0,40}"
               rf"\b(?i:{ABSENT})"),
)  # fmt: skip
LIKELY = (
    re.compile(r"(?m)(?:^|[\s:;,.(\[\"'`$({<])" + _VARIABLE
               + r"(?: (?:is|was|are|must be|has|env\w*|variable)|:)*"
               rf"[ :]+(?i:{ABSENT})"),
    re.compile(r"\b(?i:missing|required|empty|undefined|no|need|needs|set|provide|specify|export|"
               r"configure|define)\b(?: [a-z]+){0,5}:? [\"'`$({<\[]{0,2}"
               + _VARIABLE + r"(?![\w/])"),
    re.compile(r"(?m)^(?P<name>[A-Z][A-Z0-9_]{2,63})\s*$(?=\n\s+(?:Field|Input))"),
    re.compile(r"(?:process\.env|ENV|getenv|environ)[.\[(]+[\"']?(?P<name>[A-Z][A-Z0-9_]{2,63})"),
)  # fmt: skip
# Words in capitals that are no variables.
NO_NAMES = frozenset(
    (
        "ERROR", "FATAL", "PANIC", "WARN", "WARNING", "INFO", "DEBUG", "TRACE", "CRITICAL",
        "NOTICE", "ALERT", "EMERG", "HTTP", "HTTPS", "JSON", "YAML", "TOML", "POST", "DELETE",
        "PATCH", "HEAD", "OPTIONS", "SELECT", "NULL", "NONE", "TRUE", "FALSE", "USAGE", "NOTE",
        "FAIL", "FAILED", "UTF8", "ASCII", "TODO", "ENOENT", "EACCES", "EPERM", "ENOTFOUND",
        "ECONNREFUSED", "ETIMEDOUT", "EADDRINUSE", "EINVAL", "EXIT", "MODULE_NOT_FOUND",
        "ERR_MODULE_NOT_FOUND", "SIGTERM", "SIGKILL", "SIGSEGV", "SIGABRT", "SIGILL", "SIGINT",
        "STDIN", "STDOUT", "STDERR", "LINUX", "ROOT", "SYSTEM", "SEVERE", "MAIN", "CONFIG",
    )
)  # fmt: skip
# How an app complains of a value that is empty.
NO_VALUE = re.compile(
    r"(?i)base 10: ''|: ''$|: \"\"|\"\":|\bempty\b|missing port in address|protocol scheme|"
    r"no host\b|no scheme|unknown url type|invalid url|name or service not known|must not be null|"
    r"\bNaN\b|invalid (?:value|port|address|host)|zero-length"
)
# Shorter words in capitals without an underscore are abbreviations.
SHORTEST = 3
HOSTS = re.compile(r"HOST|ADDR|URL|URI|SERVER|ENDPOINT|UPSTREAM|BROKER|DSN|BACKEND|TARGET|PEER")
FOLDERS = re.compile(r"DIR|PATH|HOME|ROOT|FOLDER|PREFIX|BASE|FILE|CONF|CERT|KEY|DATA")


def find_variables(evidence: Evidence) -> Iterator[Cause]:
    """Yield variables that the app needs and that are missing or empty."""
    found = list(_said(evidence))
    yield from found or _consequences(evidence) or ()
    if not found:
        yield from _optional_source(evidence)


def _said(evidence: Evidence) -> Iterator[Cause]:
    run = evidence.run
    if not went_wrong(run):
        return
    for patterns, weight in ((CERTAIN, 95), (LIKELY, 84)):
        for pattern in patterns:
            for found in _matches(evidence, pattern):
                yield from _named(evidence, found, weight)
                return


def _matches(evidence: Evidence, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield where a pattern names what may be a variable, the last line first."""
    text = evidence.words.text
    for found in reversed(list(pattern.finditer(text))):
        name = found["name"]
        if name not in NO_NAMES and ("_" in name or len(name) > SHORTEST or pattern in CERTAIN):
            yield found


def _named(evidence: Evidence, found: re.Match[str], weight: int) -> Iterator[Cause]:
    run, variable = evidence.run, found["name"]
    text = found.string
    start = text.rfind("\n", 0, found.start()) + 1
    line = cut(text[start : (text.find("\n", found.end()) + 1 or len(text) + 1) - 1])
    if variable in run.empty:
        yield _empty(evidence, variable, (line,), weight)
    elif variable not in run.variables:
        yield _missing(evidence, variable, (line,), weight)
    elif "[masked]" not in line and weight < 95:
        # It is set, so that its value is at fault, or the word is none of a variable.
        return


def _empty(evidence: Evidence, variable: str, lines: tuple[str, ...], weight: int) -> Cause:
    return Cause(
        "empty-variable",
        f"the app needs the variable {variable}, which is empty{_because(evidence, variable)}",
        (*lines, f"variable {variable} is set to an empty value"),
        _remedy(evidence, variable),
        weight,
    )


def _missing(evidence: Evidence, variable: str, lines: tuple[str, ...], weight: int) -> Cause:
    near = most_alike(variable, {v for v in evidence.run.variables if "SERVICE" not in v})
    also = f"; there is {near}" if near else ""
    return Cause(
        "missing-variable",
        f"the app needs the variable {variable}, which is not set{also}"
        f"{_because(evidence, variable)}",
        (*lines, f"the app's environment has no {variable}"),
        _remedy(evidence, variable),
        weight,
    )


def _entry(evidence: Evidence, variable: str) -> Json:
    env = target_of(evidence.facts).get("env") or []
    return next((e for e in env if e.get("name") == variable), {})


def _because(evidence: Evidence, variable: str) -> str:
    """Say where the pod takes the variable from, if from somewhere."""
    kind, source = _source(_entry(evidence, variable))
    if not source:
        return ""
    title, key = f"{kind} {source.get('name')}", source.get("key")
    known = evidence.facts.config_maps if kind == "ConfigMap" else evidence.facts.secrets
    keys = known.get(str(source.get("name")), frozenset([str(key)]))
    if keys is None:
        return f": it comes from {title}, which is optional and does not exist"
    if key not in keys:
        has = f"has {listed(sorted(keys))}" if keys else "has no keys"
        return f": it comes from key {key} of {title}, which {has}"
    return f": it comes from key {key} of {title}"


def _source(entry: Json) -> tuple[str, Json]:
    source = entry.get("valueFrom") or {}
    if source.get("configMapKeyRef"):
        return "ConfigMap", source["configMapKeyRef"]
    return "Secret", source.get("secretKeyRef") or {}


def _remedy(evidence: Evidence, variable: str) -> str:
    kind, source = _source(_entry(evidence, variable))
    if source:
        return f"set key {source.get('key')} in {kind} {source.get('name')}"
    target = evidence.facts.target
    return (
        f"set the variable in container {target}: env: [{{name: {variable}, value: ...}}]"
        f" ({_owner_words(evidence)})"
    )


def _owner_words(evidence: Evidence) -> str:
    owners = evidence.facts.pod["metadata"].get("ownerReferences") or []
    if owners and owners[0].get("kind") == "ReplicaSet":
        deployment = str(owners[0].get("name", "")).rpartition("-")[0]
        return f"kubectl set env deployment/{deployment} NAME=VALUE"
    return f"in the manifest of pod {name(evidence.facts.pod)} or of its owner"


def _declared_empty(evidence: Evidence) -> list[str]:
    """Return the empty variables that come from the pod and not from its image."""
    env = {e.get("name") for e in target_of(evidence.facts).get("env") or []}
    from_objects = bool(target_of(evidence.facts).get("envFrom"))
    return sorted(v for v in evidence.run.empty if v in env or from_objects)


def _consequences(evidence: Evidence) -> list[Cause]:
    """Return empty variables because of which an address or a path is not whole."""
    empty = sorted(evidence.run.empty)
    found = [
        cause
        for failed in evidence.failed
        for cause in _consequence(evidence, failed, empty)
        if failed.weight >= SURE_ENOUGH
    ]
    return found[:1] or _nothing_given(evidence) or _silent(evidence)


def _consequence(evidence: Evidence, failed: FailedCall, empty: list[str]) -> Iterator[Cause]:
    call, run = failed.call, evidence.run
    hosts = [v for v in empty if HOSTS.search(v)]
    folders = [v for v in empty if FOLDERS.search(v)]
    if call.address and call.port and is_local(call.address) and hosts:
        what = "so it connects to itself"
        yield _follows(evidence, hosts[0], what, call_line(call, run), failed)
    elif call.path and folders and (call.path == run.folder or _is_at_top(call.path)):
        what = f"so it looks for {call.path}"
        yield _follows(evidence, folders[0], what, call_line(call, run), failed)


def _is_at_top(path: str) -> bool:
    return path.count("/") == 1 or "//" in path


def _follows(evidence: Evidence, variable: str, what: str, line: str, failed: FailedCall) -> Cause:
    return Cause(
        "empty-variable",
        f"the app has an empty variable {variable}{_because(evidence, variable)}, {what}",
        (line, f"variable {variable} is set to an empty value"),
        _remedy(evidence, variable),
        failed.weight + 4,
    )


def _nothing_given(evidence: Evidence) -> list[Cause]:
    """Return the only empty variable of an app that complains of an empty value."""
    empty = _declared_empty(evidence) or sorted(evidence.run.empty)
    found = line_with(evidence.words, NO_VALUE)
    if len(empty) != 1 or found is None or not _failed_itself(evidence.run):
        return []
    if any(evidence.run.questions):
        return []
    return [_empty(evidence, empty[0], (cut(found.string),), 74)]


def _silent(evidence: Evidence) -> list[Cause]:
    """Return the only empty variable of an app that ended without anything else to see."""
    empty = _declared_empty(evidence)
    run = evidence.run
    nothing = (
        not any(failed.weight >= SURE_ENOUGH for failed in evidence.failed) and evidence.silent
    )
    if len(empty) != 1 or not nothing or not _failed_itself(run):
        return []
    line = (
        f"the app exited with code {run.code}, printed nothing, and none of its system calls failed"
    )
    return [_empty(evidence, empty[0], (line,), 56)]


def _has_finding(evidence: Evidence) -> bool:
    return any(failed.weight >= SURE_ENOUGH for failed in evidence.failed)


def _failed_itself(run: Run) -> bool:
    return not run.running and not run.untraced and bool(run.code) and run.code != 137


def _optional_source(evidence: Evidence) -> Iterator[Cause]:
    """Yield a variable whose optional source does not exist, if the app ended silently."""
    run = evidence.run
    if not (_failed_itself(run) and evidence.silent and not _has_finding(evidence)):
        return
    for entry in target_of(evidence.facts).get("env") or []:
        variable = str(entry.get("name"))
        if _source(entry)[1].get("optional") and variable not in run.variables:
            line = f"the app exited with code {run.code} and printed nothing"
            yield _missing(evidence, variable, (line,), 60)
