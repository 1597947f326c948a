"""Shared libraries that are missing, or too old."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import fate_of, went_wrong
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import LAST, Evidence
from kubectl_scratch.why.report import Call
from kubectl_scratch.why.wording import call_line, cut, listed, process_of, program_name

GLIBC = re.compile(
    r"(?:^|\s)(?P<program>\S+): error while loading shared libraries: (?P<library>[^\s:]+):"
    r" cannot open shared object file"
)
MUSL = re.compile(
    r"Error loading shared library (?P<library>[^\s:]+): [^(]*\(needed by (?P<program>[^)]+)\)"
)
DLOPEN = re.compile(
    r"(?P<program>)(?<![\w./+-])(?P<library>[\w./+-]{1,200}): cannot open shared object file: No"
)
_VERSION = re.compile(
    r"(?<!\S)(?P<library>[^\s:]{1,200}): version [`'\"](?P<version>[^'`\"]+)['`\"] not found"
    r"(?: \(required by (?P<program>[^)]+)\))?"
)
SYMBOL = re.compile(
    r"(?:symbol lookup error: (?P<program>[^:]+): undefined symbol: (?P<symbol>\S+))"
    r"|(?:Error relocating (?P<program2>[^:]+): (?P<symbol2>\S+): symbol not found)"
)
LIBRARY = re.compile(r"/(lib|ld-)[^/]+\.so(\.\d+)*$")
OPTIONAL = re.compile(
    r"libnss_|libgcc_s|libnuma|preload|libtcmalloc|jemalloc|libcuda|_hwcaps|libz?gl"
)
# What the dynamic loader exits with.
LOADER_CODE = 127
# How soon an app ends that needs a library, in ms.
_SOON = 250
HOW = "install the package with this library in the image, or build the program statically"


def find_libraries(evidence: Evidence) -> Iterator[Cause]:
    """Yield what the dynamic loader did not find: by its words, else by its search."""
    if not went_wrong(evidence.run):
        return
    said = [*_missing(evidence), *_versions(evidence)]
    yield from said or _searched(evidence)


def _missing(evidence: Evidence) -> Iterator[Cause]:
    for pattern, weight in ((GLIBC, 96), (MUSL, 96), (DLOPEN, 86)):
        found = line_with(evidence.words, pattern)
        if found and "LD_PRELOAD" not in found.string:
            program = found["program"].rpartition("/")[2]
            yield _cause(evidence, found["library"], program, cut(found.string), weight)
            return


def _who(program: str) -> str:
    return f"the app's program {program}" if program else "the app"


def _cause(evidence: Evidence, library: str, program: str, line: str, weight: int) -> Cause:
    name = library.rpartition("/")[2]
    folders = [c.path.rpartition("/")[0] for c in evidence.run.calls if c.path.endswith("/" + name)]
    lines = [line] if line else []
    if folders:
        lines.append(f"looked for {name} in {listed(dict.fromkeys(folders), 4)}")
    if name.startswith("ld-"):
        return Cause("missing-library", f"{_who(program)} needs the loader {name}, which is not"
                     " in the image", tuple(lines), HOW, weight)  # fmt: skip
    sentence = f"{_who(program)} needs the shared library {name}, which is not in the image"
    return Cause("missing-library", sentence, tuple(lines), HOW, weight)


def _versions(evidence: Evidence) -> Iterator[Cause]:
    found = line_with(evidence.words, _VERSION)
    if found:
        program = (found["program"] or "").rpartition("/")[2]
        library = found["library"].rpartition("/")[2]
        sentence = f"{_who(program)} needs {found['version']}, but {library} in the image is older"
        yield Cause("library-version", sentence, (cut(found.string),), _newer(found["version"]), 96)
    found = line_with(evidence.words, SYMBOL)
    if found:
        program = (found["program"] or found["program2"]).rpartition("/")[2]
        symbol = found["symbol"] or found["symbol2"]
        sentence = (
            f"{_who(program)} needs the symbol {symbol.rstrip(',')}, which no library in the image"
            " has"
        )
        remedy = (
            "use the version of the library that the program was built with; a program built"
            " with glibc does not run with musl"
        )
        yield Cause("library-version", sentence, (cut(found.string),), remedy, 94)


def _newer(version: str) -> str:
    what = "a base image with a newer C library" if version.startswith("GLIBC_") else "a base image"
    return f"use {what} (the one that the program was built on), or build the program on this one"


def _searched(evidence: Evidence) -> Iterator[Cause]:
    """Yield the library that a program looked for last and in vain, if it then ended."""
    run = evidence.run
    if run.running or run.code == 0:
        return
    missed = [call for call in run.calls if _is_missed(call)]
    if not missed:
        return
    last = missed[-1]
    name = last.path.rpartition("/")[2]
    process = process_of(run, last.pid)
    code = process.code if process and process.code is not None else run.code
    sure = code == LOADER_CODE or name.startswith("ld-")
    weight = 85 if sure else LAST if _was_the_end(evidence, last) else 45
    yield _cause(evidence, name, program_name(process) or "the app", call_line(last, run), weight)


def _was_the_end(evidence: Evidence, last: Call) -> bool:
    """Say whether a silent app did nothing more than end after it had looked for a library."""
    run = evidence.run
    folders = {c.path for c in run.calls if _is_missed(c) and _name(c) == _name(last)}
    failed = (failed.call.at for failed in evidence.failed)
    peers = (peer.at for peer in (*run.connected, *run.listening))
    done = max(*(0, *failed, *peers), *(0, *(opened.at for opened in run.opened))) > last.at
    fatal = fate_of(run, last.pid) in ("its own", "ended the app")
    return evidence.silent and fatal and not done and len(folders) > 1 and run.at - last.at <= _SOON


def _name(call: Call) -> str:
    return call.path.rpartition("/")[2]


def _is_missed(call: Call) -> bool:
    missing = call.error == "ENOENT" and not call.found and LIBRARY.search(call.path)
    return bool(missing) and not OPTIONAL.search(call.path) and "/ld.so." not in call.path
