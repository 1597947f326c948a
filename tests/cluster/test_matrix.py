"""Every kind of pod can be looked into, or it is said why not: the table in docs/matrix.md.

REVIEW=1 writes the table anew; read what changed before you commit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.cluster.cases import enforce
from tests.cluster.conftest import OURS, Cluster, Json, make_namespace
from tests.support.matrix import APPS, LEVELS, Cell, cells, source_of

TABLE = Path(__file__).parents[2] / "docs/matrix.md"
AT_ONCE = 3
# Of a runtime's long message the end.
WHY = r"^run-app: (?:(.* unknown): .*(stat \S*: no such file or directory)|(\S*: no such file)\r)"
REFUSED = (
    'error: the API server rejected the request: pods "COPY" is forbidden: violates PodSecurity'
    ' "restricted:latest": runAsNonRoot != true'
)
PROMPT = r"(?:app|setup):\S*[#$] "
FACTS = """echo "<$(id -u) $(pwd) $(awk '$2 == "/" { print substr($4, 1, 2) }' /proc/mounts)>\""""
HEAD = """# The matrix

What `kubectl scratch debug POD` gives for which pod. Every pair of values from two columns occurs
in some row. `tests/cluster/test_matrix.py` runs each row on a real cluster, and writes this table.

**Command** says where the app's command is: in the pod spec, or only in the image, which the API
does not show; it is then discovered. **Namespace** is the PodSecurity level that it enforces. In
every row the session runs inside the target container, as its user and in its working directory,
and nothing is left afterwards. `run-app` starts the app as the pod would; ^C ends an app that does
not end by itself.

"""
COLUMNS = (
    *("App", "Image", "User", "Namespace", "Root file system", "Command", "Flags"),
    "What you get",
)


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: where the shell stands, the app's exit code, why it did not start.

    Without a shell the code is the plugin's, and ``why`` its error. ``told`` is the last that
    stood on the terminal, for the reader of a failure.
    """

    shell: str
    code: int
    why: str = ""
    told: str = field(default="", compare=False)

    def __str__(self) -> str:
        """Return it in words."""
        if not self.shell:
            return self.why
        signal = f", signal {self.code - 128}" if self.code > 128 else ""
        return f"a shell; `run-app`: {self.why or f'exit code {self.code}{signal}'}"


Outcomes = dict[Cell, "Future[Outcome]"]


@pytest.fixture(scope="module")
def namespaces(kubeconfig: Path) -> Iterator[dict[str, Cluster]]:
    """Give a namespace for each level, with its sources as they will be."""
    made = {level: make_namespace(kubeconfig) for level in LEVELS}
    for level, cluster in made.items():
        cluster.apply(*(source_of(cell) for cell in cells() if cell.level == level))
    for level, cluster in made.items():
        await_sources(cluster, [cell for cell in cells() if cell.level == level])
        # Only now, so that there are sources that the namespace would not take again.
        enforce(cluster, level)
    yield made
    for cluster in made.values():
        cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")


def await_sources(cluster: Cluster, wanted: list[Cell]) -> None:
    """Wait until the apps that run do, and the others were started again."""

    def all_are() -> bool:
        pods = {pod["metadata"]["name"]: pod for pod in cluster.read("pods")["items"]}
        return all(is_as_it_will_be(cell, pods[cell.name]) for cell in wanted)

    cluster.wait_until(all_are, "the sources are as they will be")


def is_as_it_will_be(cell: Cell, pod: Json) -> bool:
    kinds = ("initContainerStatuses", "containerStatuses")
    there = [status for kind in kinds for status in pod["status"].get(kind) or []]
    (status,) = [one for one in there if one["name"] == cell.target] or [{"restartCount": 0}]
    if APPS[cell.app].loops:
        return bool(status["restartCount"])
    return "running" in (status.get("state") or {})


@pytest.fixture(scope="module")
def outcomes(namespaces: dict[str, Cluster]) -> Iterator[Outcomes]:
    """Give what comes of each cell, a few at a time."""
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {cell: pool.submit(look, namespaces[cell.level], cell) for cell in cells()}
    pool.shutdown(cancel_futures=True)


def look(cluster: Cluster, cell: Cell) -> Outcome:
    """Debug a cell's source, run its app there, leave; nothing may be left."""
    child = cluster.terminal("debug", cell.name, *cell.flags)
    try:
        outcome = session(child, cell)
    finally:
        child.close(force=True)
    kinds = "pods,jobs,configmaps"
    there = cluster.kubectl("get", kinds, "-l", OURS, "-o", "name").split()
    left = [name for name in there if f"/{cell.name}-" in name]
    if left:
        cluster.kubectl("wait", "--for=delete", *left)
    return outcome


def session(child: Any, cell: Cell) -> Outcome:
    """Ask the shell who and where it is, run the app, and leave."""
    if child.expect([PROMPT, pexpect.EOF]) == 1:
        child.close()
        return Outcome("", child.exitstatus, error_in(child.before), child.before)
    child.sendline(FACTS)
    child.expect(r"<(\d+ \S+ \S*)>\r\n")
    shell = child.match[1]
    child.expect(PROMPT)
    child.sendline("run-app")
    if APPS[cell.app].blocks:
        child.expect("ready\r\n")
        child.sendintr()
    # The app alone: where a kill for memory takes the whole container (cgroup v2), the session goes
    # on in the debug container (test_inside.py).
    ended = child.expect([PROMPT, pexpect.EOF]) == 1
    told = child.before
    found = re.search(WHY, told, re.MULTILINE)
    why = ": ".join(filter(None, found.groups())) if found else ""
    if not ended:
        child.sendline("exit $?")
        child.expect(pexpect.EOF)
    child.close()
    return Outcome(shell, child.exitstatus, why, told)


def error_in(told: str) -> str:
    """Return the error line, less the copy's random name and the details in brackets."""
    (line,) = re.findall(r"^(?:.*\x1b\[K)?(error: .*)$", told.replace("\r", ""), re.MULTILINE)
    return re.sub(r"cell-\d+-scratch-[a-z0-9]+", "COPY", line).partition(" (")[0]


def expected(cell: Cell) -> Outcome:
    """Return what a cell promises."""
    if cell.refused:
        return Outcome("", 1, REFUSED)
    root = {"writable": "rw", "read-only": "ro"}[cell.root]
    return Outcome(f"{cell.uid} /srv {root}", APPS[cell.app].code, APPS[cell.app].why)


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_a_pod_of_the_matrix(outcomes: Outcomes, cell: Cell) -> None:
    outcome = outcomes[cell].result()
    assert outcome == expected(cell), outcome.told


def test_nothing_is_left(outcomes: Outcomes, namespaces: dict[str, Cluster]) -> None:
    for outcome in outcomes.values():
        outcome.result()
    for cluster in namespaces.values():
        cluster.nothing_is_left()


def test_the_table_in_the_docs_is_of_now(outcomes: Outcomes) -> None:
    table = HEAD + "\n".join(lines_of(outcomes)) + "\n"
    if os.environ.get("REVIEW") == "1":
        TABLE.write_text(table, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == table


def lines_of(outcomes: Outcomes) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{' --- |' * len(COLUMNS)}"
    for cell, outcome in outcomes.items():
        flags = f"`{' '.join(cell.flags)}`" if cell.flags else ""
        words = (cell.app, cell.image, cell.user, cell.level, cell.root, cell.command, flags)
        yield f"| {' | '.join((*words, str(outcome.result())))} |"
