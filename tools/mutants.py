"""Break each line that must never break silently, and see that its tests fail: ``make mutants``.

The table is ``tests/mutants.py``. Each mutant is made in a copy of the tree of its own: the
checkout is never touched, and nothing is left behind.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from tests.mutants import MUTANTS, Mutant
from tools.test import QEMU

ROOT = Path(__file__).parents[1]
# Longer than any wait of the tests: what takes longer does not fail, it hangs.
LIMIT_SECONDS = 300.0
# For what a mutant keeps from coming; far longer than it takes without one.
PATIENCE_SECONDS = "30"
KILLED, SURVIVED, HANGS, BROKEN = "killed", "survived", "hangs", "can't run"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
COLLECT = (*PYTEST, "--collect-only", "-qq")
# pytest's own codes: https://docs.pytest.org/en/stable/reference/exit-codes.html
PASSED, FAILED = 0, 1
# Builds the copy's own seed, past the user's cache: nobody else is to get it from there.
BUILD_SEED = """
from tools import seed
for arch in seed.MACHINES:
    seed.compile_seed(arch, seed.DATA / f"seed-{arch}", seed.ROOT.parent / "zig")
"""


class Unusable(Exception):
    """The table or the tree is not as it has to be; the text says why."""


class Result(NamedTuple):
    """What became of a mutant; ``said`` is what its tests, or the compiler, said at last."""

    mutant: Mutant
    verdict: str
    seconds: float
    said: str


def main() -> int:
    """Try the mutants in which one of the words stands, or all; return the exit code."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    mutants = chosen(MUTANTS, sys.argv[1:])
    began = time.monotonic()
    try:
        bring_emulator(mutants)
        results = judge(ROOT, mutants, os.cpu_count() or 1, LIMIT_SECONDS, say)
    except Unusable as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    bad = [result for result in results if result.verdict != KILLED]
    for result in bad:
        say(f"\n{describe(result)}")
    say(f"\n{len(results) - len(bad)} killed, {len(bad)} not: {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


def bring_emulator(mutants: Iterable[Mutant]) -> None:
    """Bring what the seed's tests run the other architecture's by; raises Unusable without it."""
    tests = [test for mutant in mutants for test in mutant.tests]
    if not any(test.startswith("tests/seed/") for test in tests):
        return
    if subprocess.run([sys.executable, "tools/system.py", *QEMU], cwd=ROOT).returncode:
        raise Unusable(f"the tests of the seed need {' '.join(QEMU)}")


def say(text: str) -> None:
    """Tell what happens."""
    print(text, flush=True)


def chosen(mutants: Sequence[Mutant], words: Sequence[str]) -> list[Mutant]:
    """Return the mutants in which one of the words stands; all if there are no words."""
    texts = [(mutant, " ".join((*mutant[:3], *mutant.tests, mutant.why))) for mutant in mutants]
    return [m for m, text in texts if not words or any(word in text for word in words)]


def describe(result: Result) -> str:
    """Return a mutant that was not killed, for whoever has to fix it."""
    mutant = result.mutant
    removed = [f"  - {line}" for line in mutant.text.splitlines()]
    added = [f"  + {line}" for line in mutant.change.splitlines()]
    tests = [f"  {test}" for test in mutant.tests]
    said = [f"  | {line}" for line in result.said.splitlines()[-15:]]
    head = f"{result.verdict}: {mutant.file}: {mutant.why}"
    return "\n".join([head, *removed, *added, *tests, *said])


def problems(root: Path, mutants: Iterable[Mutant]) -> list[str]:
    """Return what is wrong with a table: a text has to stand once in its file, a test to exist."""
    found = []
    for mutant in mutants:
        where = f"{mutant.file}: {mutant.text!r}"
        path = root / mutant.file
        times = path.read_text().count(mutant.text) if path.is_file() and mutant.text else 0
        if times != 1:
            found.append(f"{where} stands there {times} times, not once")
        if mutant.change == mutant.text:
            found.append(f"{where} is not changed")
        if not mutant.tests:
            found.append(f"{where} has no test")
        found += [f"{where}: there is no test {t}" for t in mutant.tests if not exists(root, t)]
    return found


def exists(root: Path, test: str) -> bool:
    """Say whether there is a test function of that name."""
    file, _, name = test.partition("[")[0].partition("::")
    return name in _functions_of(root / file)


@functools.cache
def _functions_of(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


def judge(
    root: Path, mutants: Sequence[Mutant], jobs: int, seconds: float, tell: Callable[[str], None]
) -> list[Result]:
    """Try the mutants, ``jobs`` at once; the tests of one may take so long.

    Raises Unusable for a table that does not fit the tree, and where its tests can't be run.
    """
    wrong = problems(root, mutants)
    if wrong or not mutants:
        raise Unusable("\n".join(wrong) or "there is no such mutant")
    results: list[Result] = []

    def note(result: Result) -> None:
        results.append(result)
        count = f"[{len(results):3}/{len(mutants)}]"
        took = f"{result.verdict:9} {result.seconds:4.0f} s"
        tell(f"{count} {took}  {result.mutant.file}: {result.mutant.why}")

    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        # Some tests act as other users.
        Path(folder).chmod(0o755)
        trees = Trees(root, Path(folder), over)
        pool = ThreadPoolExecutor(jobs)
        try:
            tests = sorted({test for mutant in mutants for test in mutant.tests})
            tell(f"{len(mutants)} mutants; first their {len(tests)} tests without them")
            failing = trees.failing(tests, jobs)
            ready = [m for m in mutants if not failing.intersection(m.tests)]
            for mutant in mutants:
                both = sorted(failing.intersection(mutant.tests))
                if both:
                    note(Result(mutant, BROKEN, 0, f"fails without it, too: {' '.join(both)}"))
            running = [pool.submit(trees.judge, *each, seconds) for each in enumerate(ready)]
            for future in as_completed(running):
                note(future.result())
        finally:
            over.set()
            pool.shutdown(cancel_futures=True)
    return results


class Trees:
    """Copies of a tree below a folder; ``over`` ends what runs in them."""

    def __init__(self, root: Path, folder: Path, over: threading.Event) -> None:
        self._original = folder / "original"
        self._folder = folder
        self._over = over
        shutil.copytree(root, self._original, symlinks=True, ignore=_made_here(root))

    def failing(self, tests: list[str], jobs: int) -> set[str]:
        """Run the tests without a mutant; return those that fail.

        What Python and pytest compile on the way, all later copies bring along.
        """
        report = self._folder / "report.xml"
        words = (*PYTEST, f"--junitxml={report}", *tests)
        if len(tests) > jobs:
            # Several at once don't name what they do not find.
            code, said = self._run(self._original, (*COLLECT, *tests), None)
            if code != PASSED:
                raise Unusable(f"the tests can't be run:\n{said}")
            words = (*words, "-n", str(jobs), "--dist", "loadfile")
        code, said = self._run(self._original, words, None)
        if code not in (PASSED, FAILED):
            raise Unusable(f"the tests can't be run:\n{said}")
        bad = [c for c in ET.parse(report).iter("testcase") if {e.tag for e in c} & WRONG]
        names = [f"{c.get('classname', '').replace('.', '/')}.py::{c.get('name')}" for c in bad]
        return {t for t in tests for name in names if t in (name, name.partition("[")[0])}

    def judge(self, number: int, mutant: Mutant, seconds: float) -> Result:
        """Try one mutant in a copy of its own; each of its tests has to fail."""
        began = time.monotonic()
        tree = self._folder / str(number)
        try:
            shutil.copytree(self._original, tree, symlinks=True)
            verdict, said = self._judge(tree, mutant, seconds)
        finally:
            shutil.rmtree(tree, ignore_errors=True)
        return Result(mutant, verdict, time.monotonic() - began, said)

    def _judge(self, tree: Path, mutant: Mutant, seconds: float) -> tuple[str, str]:
        path = tree / mutant.file
        changed = path.read_text().replace(mutant.text, mutant.change)
        path.write_text(changed)
        if path.suffix == ".py":
            # Of the same size and second it would be taken for that of the change.
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
            try:
                compile(changed, mutant.file, "exec")
            except SyntaxError as error:
                return BROKEN, str(error)
        elif mutant.file.startswith("seed/"):
            code, said = self._run(tree, (sys.executable, "-c", BUILD_SEED), seconds)
            if code != PASSED:
                return BROKEN, said
        said = ""
        for test in mutant.tests:
            code, said = self._run(tree, (*PYTEST, "-x", test), seconds)
            if code is None:
                return HANGS, said
            if code != FAILED:
                return SURVIVED if code == PASSED else BROKEN, said
        return KILLED, said

    def _run(
        self, tree: Path, words: Sequence[str], seconds: float | None
    ) -> tuple[int | None, str]:
        """Run a program in a copy; return its code, None if it did not end, and its words."""
        with tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as scratch:
            Path(scratch).chmod(0o755)
            # Before the editable install of the checkout, also for the children of the tests.
            environ = {**os.environ, "PYTHONPATH": str(tree), "TMPDIR": scratch}
            if seconds is not None:
                environ.setdefault("SCRATCH_TEST_PATIENCE", PATIENCE_SECONDS)
            said = Path(scratch) / "said"
            with said.open("wb") as file:
                process = subprocess.Popen(
                    words,
                    cwd=tree,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            try:
                code = self._wait(process, seconds)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                _end_strays(tree)
            return code, said.read_text(errors="replace")

    def _wait(self, process: subprocess.Popen[bytes], seconds: float | None) -> int | None:
        end = None if seconds is None else time.monotonic() + seconds
        while process.poll() is None and not self._over.wait(0.05):
            if end is not None and time.monotonic() > end:
                break
        return process.poll()


WRONG = {"failure", "error"}


def _made_here(root: Path) -> Callable[[str, list[str]], list[str]]:
    """Return what copytree is not to take: caches and what is built; not the seed's data."""

    def ignored(folder: str, names: list[str]) -> list[str]:
        top = Path(folder) == root
        made = [n for n in names if n in ("build", "dist") or n.startswith(".")] if top else []
        return [*made, *(name for name in names if name == "__pycache__")]

    return ignored


def _end_strays(tree: Path) -> None:
    """End what has left the group of its test: on a terminal a child has a session of its own."""
    mark = os.fsencode(tree) + b"/"
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            variables = environ.read_bytes().replace(b"\0", b"/\0")
            if mark in variables:
                os.kill(int(environ.parent.name), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
