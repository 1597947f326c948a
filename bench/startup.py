"""Compare the start of the installed archive with that of kubectl.

``python bench/startup.py`` needs no cluster. It prints the table, writes it to
results/startup.md, and exits with 1 where a ratio is over its bound.
"""

from __future__ import annotations

import sys

from bench.measure import RESULTS, Race, installed, run_races, surroundings, table, verdict

ROUNDS = 40
RIVAL = ("kubectl", "debug", "--help")
RACES = (
    Race("`--help`", ("kubectl-scratch", "--help"), RIVAL, 1.5),
    Race("`debug --help`", ("kubectl-scratch", "debug", "--help"), RIVAL, 1.5),
    Race("`version --client`", ("kubectl-scratch", "version", "--client"), RIVAL, 1.5),
)
PAGE = """\
# Start-up

The executable of the krew archive, called through a link, beside `kubectl debug --help`.

{table}

Medians of {rounds} interleaved rounds after one that warms files and bytecode; "of rounds" is the
middle half of the rounds' own ratios. {surroundings}
Made by `python -m bench.startup`.
"""


def main() -> int:
    """Measure, print and write; return the exit code."""
    with installed() as environ:
        found = run_races(RACES, ROUNDS, environ)
        facts = {"rounds": ROUNDS, "surroundings": surroundings(environ)}
    told = PAGE.format(table="\n".join(table(RACES, found)), **facts)
    (RESULTS / "startup.md").write_text(told)
    print(told, end="")
    return verdict(RACES, found)


if __name__ == "__main__":
    sys.exit(main())
