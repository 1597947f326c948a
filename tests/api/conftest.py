"""The API tier: the real command line against a fake API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import harness
from tests.api.harness import Cli
from tests.support.fakeapi import FakeCluster


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
