"""What a mutant is tried by: not the checkout, also where a test starts the command line."""

from __future__ import annotations

from tests.mutants import Mutant
from tests.support.patience import PATIENCE
from tools.mutants import KILLED, ROOT, judge


def test_the_command_line_that_a_test_starts_is_the_mutant() -> None:
    text = 'if __name__ == "__main__":\n'
    change = text + "    import sys\n\n    print('a mutant speaks', file=sys.stderr)\n"
    test = "tests/api/test_ways_out.py::test_help_needs_no_cluster"
    mutant = Mutant("kubectl_scratch/__main__.py", text, change, (test,), "help is quiet")
    (result,) = judge(ROOT, [mutant], 1, PATIENCE, print)
    assert result.verdict == KILLED and "a mutant speaks" in result.said
