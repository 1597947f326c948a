"""Modules and classes that an interpreter does not find."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import went_wrong
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import NEAR, SOLE, Evidence
from kubectl_scratch.why.wording import call_line, cut

_PYTHON = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<name>[\w.]+)'?")
PYTHON_MAIN = re.compile(r"python[\d.]*: No module named (?P<name>[\w.]+)")
NO_ENCODINGS = re.compile(r"ModuleNotFoundError: No module named 'encodings'")
IMPORT_NAME = re.compile(r"ImportError: cannot import name '(?P<name>[^']+)' from '(?P<of>[^']+)'")
NODE = re.compile(r"Cannot find (?:module|package) '(?P<name>[^']+)'")
JAVA_MAIN = re.compile(r"Could not find or load main class (?P<name>\S+)")
JAVA = re.compile(
    r"(?:java\.lang\.)?(?:NoClassDefFoundError|ClassNotFoundException): (?P<name>[\w./$]+)"
)
RUBY = re.compile(r"cannot load such file -- (?P<name>\S+)")
PERL = re.compile(r"Can't locate (?P<name>\S+\.pm) in @INC")
PHP = re.compile(r"Class ['\"](?P<name>[^'\"]+)['\"] not found")
LUA = re.compile(r"module '(?P<name>[^']+)' not found:")


def find_modules(evidence: Evidence) -> Iterator[Cause]:
    """Yield the module that the last words name as missing."""
    if not went_wrong(evidence.run):
        return
    for find in (_python, _node, _java, _others):
        causes = list(find(evidence))
        if causes:
            yield from causes
            return


def _cause(name: str, what: str, line: str, remedy: str, weight: int = 94) -> Cause:
    return Cause(
        "missing-module",
        f"the app needs {what} {name}, which is not in the image",
        (cut(line),),
        remedy,
        weight,
    )


def _python(evidence: Evidence) -> Iterator[Cause]:
    if found := line_with(evidence.words, NO_ENCODINGS):
        remedy = "remove the variable PYTHONHOME, or install the standard library of Python"
        yield _cause("of Python (encodings)", "the standard library", found.string, remedy)
        return
    found = line_with(evidence.words, _PYTHON) or line_with(evidence.words, PYTHON_MAIN)
    if found:
        package = found["name"].partition(".")[0]
        yield _cause(found["name"], "the Python module", found.string,
                     f"install {package} in the image (requirements.txt), for the Python that"
                     " runs the app; or add its folder to PYTHONPATH")  # fmt: skip
    elif found := line_with(evidence.words, IMPORT_NAME):
        yield Cause("missing-module", f"the app imports {found['name']} from the Python module"
                                      f" {found['of']}, which does"
                    " not have it",
                    (cut(found.string),), f"install the version of {found['of']} that the app"
                    " was written for", 92)  # fmt: skip


def _node(evidence: Evidence) -> Iterator[Cause]:
    found = line_with(evidence.words, NODE)
    if not found:
        yield from _silent_node(evidence)
        return
    name = found["name"]
    if name.startswith(("/", "./", "../")):
        words = evidence.run.words[1:]
        main = any(word and name.endswith(word.lstrip("./")) for word in words[:3])
        remedy = (
            f"correct the command, or add {name} to the image"
            if main
            else "add the file to the image, or correct the path in the require"
        )
        yield _cause(name, "the script" if main else "the Node module", found.string, remedy)
    else:
        remedy = f"install {name} in the image (npm ci; not as a devDependency)"
        yield _cause(name, "the Node module", found.string, remedy)


def _silent_node(evidence: Evidence) -> Iterator[Cause]:
    """Yield the module that Node looked for last, by its endings, of an app that said nothing."""
    run = evidence.run
    missed = {call.path for call in run.calls if call.error == "ENOENT" and not call.found}
    tried = [call for call in run.calls if call.path.endswith(".node") and call.path in missed]
    if not (evidence.silent and tried) or run.running:
        return
    last = tried[-1]
    base = last.path.removesuffix(".node")
    if {base, f"{base}.js", f"{base}.json"} <= missed and run.at - last.at <= NEAR:
        name = base.rpartition("/node_modules/")[2] or base
        name = name if name != base else base.rpartition("/")[2]
        yield Cause("missing-module", f"the app needs the Node module {name}, which is not in"
                                      f" the image",
                    (call_line(last, run),), f"install {name} in the image (npm ci; not as a"
                    " devDependency)", SOLE)  # fmt: skip


def _java(evidence: Evidence) -> Iterator[Cause]:
    if found := line_with(evidence.words, JAVA_MAIN):
        yield _cause(found["name"], "the main class", found.string,
                     "correct the class path (-cp) or the name of the main class")  # fmt: skip
    elif found := line_with(evidence.words, JAVA):
        name = found["name"].replace("/", ".")
        yield _cause(name, "the Java class", found.string,
                     "add the jar that contains it to the class path")  # fmt: skip


def _others(evidence: Evidence) -> Iterator[Cause]:
    for pattern, what in ((RUBY, "the Ruby library"), (PERL, "the Perl module"),
                          (LUA, "the Lua module"), (PHP, "the PHP class")):  # fmt: skip
        if found := line_with(evidence.words, pattern):
            yield _cause(found["name"], what, found.string, "install it in the image")
