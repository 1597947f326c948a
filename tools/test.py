"""Run the tiers: lint, unit, seed, api, dist, cluster. A tier that could not run has failed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# What completion is tested in.
SHELLS = ("zsh", "fish", "bash-completion")
# What the seed of the other architecture is run by, and where its tracer is.
QEMU = ("qemu-user-static", "qemu-system-arm")
PACKAGES = {"seed": QEMU, "cluster": SHELLS}
# No two tests of the unit and the API tier share anything; of the cluster tier see its conftest.
# The API and cluster tiers wait for about half their time, so they have more workers than
# processors.
PARALLEL = {
    "unit": ("-n", "2", "--dist", "worksteal"),
    "api": ("-n", "4", "--dist", "worksteal"),
    "cluster": ("-n", "4", "--dist", "loadscope"),
}
# This one, which waits for the kubelet, runs beside those that compute.
BESIDE = "cluster"


@dataclass(frozen=True)
class Result:
    """What a tier came to."""

    tier: str
    passed: int
    failed: int
    skipped: int
    seconds: float


def run(*words: str) -> bool:
    """Run a program of the virtual environment; say whether it succeeded."""
    return subprocess.run([str(BIN / words[0]), *words[1:]], cwd=ROOT, check=False).returncode == 0


def lint() -> tuple[int, int, int]:
    """Run the linters; return passed, failed, skipped."""
    checks = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "--quiet", "."),
        ("mypy",),
        ("lint-imports", "--no-logo", "setup.cfg"),
        ("python", "-m", "tools.structure"),
        ("shellcheck", *(str(path) for path in sorted(ROOT.glob("[!.]*/**/*.sh")))),
    )
    passed = sum(run(*check) for check in checks)
    return passed, len(checks) - passed, 0


def pytest(tier: str) -> tuple[int, int, int]:
    """Run a tier of tests; return passed, failed, skipped. No test at all is a failure."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        report = Path(folder) / "report.xml"
        words = ["pytest", "-q", f"tests/{tier}", f"--junitxml={report}", "--durations=5"]
        # Of the usual one each pytest that starts closes the folder to other users, whom some
        # tests act as.
        words.append(f"--basetemp={folder}/tmp")
        succeeded = run(*words, *PARALLEL.get(tier, ()))
        if not report.exists():
            return 0, 1, 0
        suite = ET.parse(report).getroot()[0].attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    skipped = int(suite["skipped"])
    passed = int(suite["tests"]) - failed - skipped
    return passed, max(failed, 0 if succeeded else 1), skipped


def cluster() -> tuple[int, int, int]:
    """Bring the testbed up and run the tier that needs it."""
    return pytest("cluster") if run("python", "-m", "testbed", "up") else (0, 1, 0)


TIERS: dict[str, Callable[[], tuple[int, int, int]]] = {
    "lint": lint,
    "unit": lambda: pytest("unit"),
    "seed": lambda: pytest("seed"),
    "api": lambda: pytest("api"),
    "dist": lambda: pytest("dist"),
    "cluster": cluster,
}


def run_tier(tier: str) -> Result:
    """Run a tier."""
    began = time.monotonic()
    return Result(tier, *TIERS[tier](), time.monotonic() - began)


def run_tiers(tiers: list[str]) -> Iterator[Result]:
    """Run tiers, the output of each in one piece; yield what they came to."""
    for tier in [tier for tier in tiers if not run_system(tier)]:
        tiers.remove(tier)
        yield Result(tier, 0, 1, 0, 0)
    beside = [tier for tier in tiers if tier == BESIDE and len(tiers) > 1]
    for tier in beside:
        print(f"{tier} runs beside the others; what it says comes last", flush=True)
    with (
        tempfile.NamedTemporaryFile() as log,
        ProcessPoolExecutor(1, initializer=redirect, initargs=(log.name,)) as pool,
    ):
        running = {tier: pool.submit(run_tier, tier) for tier in beside}
        for tier in tiers:
            print(f"\n=== {tier}", flush=True)
            if tier in running:
                follow(log, running[tier])
            yield running[tier].result() if tier in running else run_tier(tier)


def run_system(tier: str) -> bool:
    """Bring the system packages of a tier."""
    return tier not in PACKAGES or run("python", "tools/system.py", *PACKAGES[tier])


def redirect(path: str) -> None:
    """Write to a file from now on, as do the programs that are run."""
    with open(path, "ab") as log:
        for fd in (1, 2):
            os.dup2(log.fileno(), fd)


def follow(log: IO[bytes], running: Future[Result]) -> None:
    """Show what comes into a file, until all has come."""
    over = False
    while not over:
        over = not wait([running], timeout=1).not_done
        sys.stdout.buffer.write(log.read())
        sys.stdout.flush()


def main() -> int:
    """Run the named tiers, or all; return the exit code."""
    results = list(run_tiers(sys.argv[1:] or list(TIERS)))
    print("\n=== summary")
    for r in results:
        verdict = "FAILED" if r.failed or r.skipped or not r.passed else "ok"
        numbers = f"{r.passed:4} passed, {r.failed} failed, {r.skipped} skipped"
        print(f"{r.tier:8} {verdict:7} {numbers}  {r.seconds:4.0f} s")
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    skipped = sum(r.skipped for r in results)
    print(f"total: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
    # Nothing is skipped here: what can't run has failed.
    return 1 if failed or skipped or not all(r.passed for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
