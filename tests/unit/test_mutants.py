"""The table of what must never break silently, and what tries it, on a tree of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import MUTANTS, Mutant
from tests.support.patience import PATIENCE
from tools.mutants import (
    BROKEN,
    COLLECT,
    HANGS,
    KILLED,
    ROOT,
    SURVIVED,
    Unusable,
    chosen,
    judge,
    problems,
)

CODE = "LIMIT = 1\n\n\ndef is_allowed(number: int) -> bool:\n    return number < LIMIT\n"
TESTS = """
import os
import time

from code_of_it import is_allowed


def test_a_little() -> None:
    assert is_allowed(0)


def test_much() -> None:
    assert not is_allowed(9)


def test_it_comes() -> None:
    while not is_allowed(0):
        time.sleep(0.1)


def test_broken() -> None:
    assert is_allowed(9)
"""
LITTLE, MUCH, COMES = (f"test_it.py::test_{name}" for name in ("a_little", "much", "it_comes"))


def a_mutant(change: str, *tests: str, text: str = "number < LIMIT") -> Mutant:
    return Mutant("code_of_it.py", text, change, tests, "few are allowed")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "code_of_it.py").write_text(CODE)
    (root / "test_it.py").write_text(TESTS)
    return root


def test_the_table_fits_the_tree() -> None:
    assert problems(ROOT, MUTANTS) == []


def test_the_tests_of_the_table_can_be_run() -> None:
    tests = sorted({test for mutant in MUTANTS for test in mutant.tests})
    done = subprocess.run([*COLLECT, *tests], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# One that a single test notices, and one that it does not, are below.
VERDICTS = [
    (a_mutant("number > LIMIT", LITTLE, MUCH), KILLED),
    # Each of its tests must fail.
    (a_mutant("number < 99", MUCH, LITTLE), SURVIVED),
    (a_mutant("number <", LITTLE), BROKEN),
    (a_mutant("import nothing_of_that_name", LITTLE, text="LIMIT = 1"), BROKEN),
    # It tells nothing: the test fails without the change, too.
    (a_mutant("number > LIMIT", "test_it.py::test_broken"), BROKEN),
]


def test_what_becomes_of_a_mutant(tree: Path) -> None:
    said: list[str] = []
    results = judge(tree, [mutant for mutant, _ in VERDICTS], 2, PATIENCE, said.append)
    assert {r.mutant: r.verdict for r in results} == dict(VERDICTS), results
    assert len(said) == 1 + len(VERDICTS)
    assert (tree / "code_of_it.py").read_text() == CODE
    assert sorted(path.name for path in tree.iterdir()) == ["code_of_it.py", "test_it.py"]


def test_a_test_that_never_ends_has_not_failed(tree: Path) -> None:
    (result,) = judge(tree, [a_mutant("number < -LIMIT", COMES)], 1, 3.0, print)
    assert result.verdict == HANGS


@pytest.mark.parametrize(
    "mutant, says",
    [
        (a_mutant("x", LITTLE, text="not there"), "stands there 0 times"),
        (a_mutant("x", LITTLE, text="LIMIT"), "stands there 2 times"),
        (a_mutant("number < LIMIT", LITTLE), "is not changed"),
        (a_mutant("number > LIMIT"), "has no test"),
        (a_mutant("number > LIMIT", "test_it.py::test_gone"), "no test test_it.py::test_gone"),
        (a_mutant("number > LIMIT", "test_no.py::test_much"), "no test test_no.py::test_much"),
    ],
)
def test_a_row_that_does_not_fit_the_tree_is_an_error(
    mutant: Mutant, says: str, tree: Path
) -> None:
    (found,) = problems(tree, [mutant])
    assert says in found
    with pytest.raises(Unusable, match=says):
        judge(tree, [mutant], 1, PATIENCE, print)


def test_a_row_of_a_table_that_is_not_there_is_an_error(tree: Path) -> None:
    with pytest.raises(Unusable, match=r"not found: .*test_a_little"):
        judge(tree, [a_mutant("number > LIMIT", f"{LITTLE}[no-such-row]")], 1, PATIENCE, print)


def test_a_word_chooses() -> None:
    one, two = a_mutant("x", LITTLE), a_mutant("y", MUCH)
    assert chosen([one, two], []) == [one, two]
    assert chosen([one, two], ["much"]) == [two]
    assert chosen([one, two], ["nothing"]) == []


RUN = """
import sys
from pathlib import Path
from tests.unit.test_mutants import COMES, LITTLE, a_mutant
from tools import mutants
mutants.ROOT = Path(sys.argv.pop())
mutants.MUTANTS = {mutants}
sys.exit(mutants.main())
"""


def start(tree: Path, rows: str) -> subprocess.Popen[str]:
    scratch = tree.parent / "scratch"
    scratch.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", RUN.replace("{mutants}", rows), str(tree)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "rows, code, says",
    [
        ("[a_mutant('number > LIMIT', LITTLE)]", 0, "1 killed, 0 not"),
        ("[a_mutant('number <= LIMIT', LITTLE)]", 1, "+ number <= LIMIT"),
        ("[a_mutant('x', LITTLE, text='not there')]", 1, "error: "),
        ("[]", 1, "error: there is no such mutant"),
    ],
)
def test_its_code_says_whether_all_were_killed(rows: str, code: int, says: str, tree: Path) -> None:
    process = start(tree, rows)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code and says in out
    assert list((tree.parent / "scratch").iterdir()) == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(signum: signal.Signals, tree: Path) -> None:
    began = tree.parent / "began"
    os.mkfifo(began)
    # A child on a terminal, as many tests have, is in no group of its parent's.
    child = f"import os, time; os.setsid(); open({str(began)!r}, 'w').close(); time.sleep(9999)"
    slow = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    path = tree / "test_it.py"
    path.write_text(TESTS.replace("time.sleep(0.1)", slow))
    process = start(tree, "[a_mutant('number < -LIMIT', COMES)]")
    # Its other end is opened when the child runs.
    began.read_bytes()
    process.send_signal(signum)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "interrupted" in out
    assert list((tree.parent / "scratch").iterdir()) == []
    assert not runs(os.fsencode(began))


def runs(word: bytes) -> bool:
    """Say whether a process has this word in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word in path.read_bytes():
                return True
    return False
