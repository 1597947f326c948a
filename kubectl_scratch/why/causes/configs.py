"""Configuration that the app read and could not understand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import went_wrong
from kubectl_scratch.why.last_words import line_with, mention, reason_line
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.mounts import is_of_objects, mount_of
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.report import Opened
from kubectl_scratch.why.wording import cut

NGINX = re.compile(r"\[emerg\] (?:\d+#\d+: )?(?P<what>.*?)(?: in (?P<path>/\S+?):(?P<line>\d+))?$")
# What nginx says of calls that failed, which have causes of their own.
OF_A_CALL = re.compile(
    r"\(\d+: [A-Z][^)]*\)|host not found|cannot load certificate|no host in upstream"
)
PARSERS = re.compile(
    r"(?i)yaml: |yaml\.(?:scanner|parser|composer|constructor|reader)\.|YAMLException|"
    r"JSONDecodeError|invalid character .* (?:looking for|after|in )|unexpected end of JSON|"
    r"JSON\.parse|in JSON at position|is not valid JSON|JsonParseException|json: cannot unmarshal|"
    r"unmarshal errors|TOMLDecodeError|toml: |MissingSectionHeaderError|ParsingError|"
    r"configparser\.|DuplicateOptionError|SAXParseException|XML(?:SyntaxError| parse)|"
    r"ParseError|mapping values are not allowed|did not find expected|HCL|could not find expected|"
    r"MalformedInputException|UnrecognizedPropertyException|jq: error .*parse"
)
PEOPLE = re.compile(
    r"(?i)(?:fail(?:ed|ure)|unable|cannot|can't|could not|couldn't|error)\b.{0,40}\b(?:pars|decod|"
    r"unmarshal|load|read|process|interpret)\w*\b.{0,60}\b(?:config|settings|json|yaml|toml|ini|"
    r"properties|file)|"
    r"(?:invalid|malformed|bad|wrong|illegal|broken|corrupt\w*|incorrect) (?:config\w*|settings?|"
    r"json|yaml|toml|xml|syntax|line|directive|section|format|key|value|property)|"
    r"config\w*\b.{0,40}\b(?:is |are )?(?:invalid|malformed|incorrect|not valid|broken|error)|"
    r"(?:parse|parsing|syntax|configuration|config) error|unknown (?:directive|key|field|setting|"
    r"property|section|parameter|configuration)|"
    r"unexpected (?:token|character|end of file|end of input)|"
    r"error (?:in|on|at) line \d|line \d+: (?:error|syntax|unexpected|invalid)|missing (?:section|"
    r"field|key|setting|property)|section .* (?:missing|not found)|(?:duplicate|no such) (?:key|"
    r"directive|section)|not a (?:number|valid)|FATAL CONFIG"
)
NOT_CONFIG = re.compile(r"SyntaxError: (?!.*JSON)|IndentationError|syntax error near unexpected|"
                        r"[Ss]yntax error: |x509|certificate")  # fmt: skip
SUFFIXES = (
    ".yaml", ".yml", ".json", ".toml", ".ini", ".conf", ".cfg", ".cnf", ".properties", ".xml",
    ".env", ".config", ".hcl", ".rc",
)  # fmt: skip
LINE = re.compile(r"\bline[ :]+(\d+)|:(\d+)(?::\d+)?\b")
_OF_SYSTEM = (
    "/etc/localtime", "/etc/timezone", "/etc/services", "/etc/mime.types", "/etc/passwd",
    "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ssl/",
    "/usr/lib/", "/usr/share/", "/usr/local/lib/", "/etc/host.conf",
)  # fmt: skip


def find_configs(evidence: Evidence) -> Iterator[Cause]:
    """Yield the configuration of which the last words complain."""
    run = evidence.run
    if not went_wrong(run):
        return
    found = line_with(evidence.words, NGINX)
    if found:
        if not OF_A_CALL.search(found["what"]):
            yield _nginx(evidence, found)
        return
    for pattern, weight in ((PARSERS, 92), (PEOPLE, 78)):
        match = line_with(evidence.words, pattern)
        if match and not NOT_CONFIG.search(evidence.words.end):
            path = _file(evidence)
            yield _cause(evidence, path, match.string, weight if path else weight - 20)
            return


def _nginx(evidence: Evidence, found: re.Match[str]) -> Cause:
    path = found["path"] or _file(evidence) or "its configuration"
    at = f", line {found['line']}" if found["line"] else ""
    return Cause(
        "bad-config",
        f"the app (nginx) rejects {path}{at}: {cut(found['what'])}{_whose(evidence, path)}",
        (cut(found.string),),
        _remedy(evidence, path),
        94,
    )


def _file(evidence: Evidence) -> str:
    """Return the configuration file that is meant: one that is named, else the last opened."""
    opened = [o for o in evidence.run.opened if _is_config(evidence, o)]
    for found in reversed(opened):
        base = found.path.rpartition("/")[2]
        if found.path in evidence.words.text or mention(evidence.words.text, base):
            return found.path
    return opened[-1].path if opened else ""


def _is_config(evidence: Evidence, opened: Opened) -> bool:
    path = opened.path
    if path.startswith(_OF_SYSTEM) or path.endswith((".py", ".js", ".jar", ".class", ".sh")):
        return False
    mount = mount_of(evidence.facts, path)
    if path.endswith(("openssl.cnf", "locale.alias", "ld.so.cache", ".pth")):
        return False
    return path.endswith(SUFFIXES) or is_of_objects(mount) or path.startswith("/etc/")


def _cause(evidence: Evidence, path: str, line: str, weight: int) -> Cause:
    at = LINE.search(line.replace(path, ""))
    number = next((n for n in at.groups() if n), "") if at and "line" in line else ""
    where = f", line {number}" if number else ""
    what = reason_line(evidence.run) if path and "line" in line and len(line) < 20 else line
    sentence = f"the app cannot use {path or 'its configuration'}{where}: {cut(what)}"
    reason = cut(reason_line(evidence.run))
    lines = tuple(dict.fromkeys([cut(line), reason])) if reason else (cut(line),)
    return Cause(
        "bad-config", sentence + _whose(evidence, path), lines, _remedy(evidence, path), weight
    )


def _whose(evidence: Evidence, path: str) -> str:
    mount = mount_of(evidence.facts, path)
    return f" (from {mount.title})" if mount else ""


def _remedy(evidence: Evidence, path: str) -> str:
    mount = mount_of(evidence.facts, path)
    if mount and mount.objects:
        source = mount.objects[0]
        return f"correct the file: kubectl edit {source.kind.lower()} {source.name}"
    return f"correct {path or 'the configuration'}"
