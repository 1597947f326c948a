"""What runs an app under the tracer, and reads the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.seed.conftest import Seed

Line = Mapping[str, Any]


class Report:
    """The lines of a report, by their kinds."""

    def __init__(self, data: bytes) -> None:
        """Parse the lines; each must be of UTF-8."""
        self.lines: list[Line] = [json.loads(line) for line in data.decode().splitlines()]

    def all(self, kind: str, **members: object) -> list[Line]:
        """Return the lines of a kind that have these members."""
        wanted = {"kind": kind, **members}.items()
        return [line for line in self.lines if all(line.get(k) == v for k, v in wanted)]

    def one(self, kind: str, **members: object) -> Line:
        """Return the one line of a kind that has these members."""
        found = self.all(kind, **members)
        assert len(found) == 1, f"{len(found)} of {kind} {members}"
        return found[0]

    def call(self, **members: object) -> Line:
        """Return the one failed call that has these members."""
        return self.one("call", **members)

    @property
    def text(self) -> str:
        """Return what the app has printed on stderr."""
        return "".join(line["text"] for line in self.all("output", stream="stderr"))


def traced(
    seed: Seed,
    *words: str,
    flags: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    cwd: str = "/",
    user: int | None = None,
) -> Report:
    """Run words as a held app under the tracer."""
    with seed.held("spec", len(words), *words, environ=environ, cwd=cwd, user=user):
        done = seed.run("trace", *flags, user=user)
    assert (done.returncode, done.stderr) == (0, b"")
    return Report(done.stdout)
