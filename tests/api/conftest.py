"""The API tier: the real command line against a fake API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.api import harness
from tests.api.harness import Cli
from tests.support.fakeapi import FakeCluster

Check = Callable[[Any, Path], None]
WORKERS = 4


@pytest.fixture(scope="session", autouse=True)
def signals() -> None:
    """Let the children be interrupted, also under nohup."""
    harness.reset_signals()


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """Give the command line and a cluster with one pod."""
    with harness.a_cluster(tmp_path) as cli:
        yield cli


@pytest.fixture
def api(cli: Cli) -> FakeCluster:
    """Give the cluster of `cli`."""
    return cli.api


@pytest.fixture(scope="session")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Give threads for `at_once`."""
    pool = ThreadPoolExecutor(WORKERS)
    yield pool
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def checks() -> dict[str, Future[None]]:
    """Give the checks that run, by their test."""
    return {}


@pytest.fixture
def at_once(
    request: pytest.FixtureRequest,
    checks: dict[str, Future[None]],
    pool: ThreadPoolExecutor,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Check], None]:
    """Check a table with the parameter `row`, some rows at once: each starts a Python."""

    def run(check: Check) -> None:
        node: Any = request.node
        if node.nodeid not in checks:
            rows = [item for item in request.session.items if _same_table(item, node)]
            for item in rows:
                row = item.callspec.params["row"]  # type: ignore[attr-defined]
                checks[item.nodeid] = pool.submit(check, row, tmp_path_factory.mktemp("row"))
        checks[node.nodeid].result()

    return run


def _same_table(item: Any, node: Any) -> bool:
    return bool(item.path == node.path and item.originalname == node.originalname)
