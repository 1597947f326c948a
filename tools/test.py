"""Run the tiers: lint, unit, seed, api, dist, cluster. A tier that could not run has failed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# What completion is tested in.
SHELLS = ("zsh", "fish", "bash-completion")
# What the seed of the other architecture is run by.
QEMU = "qemu-user-static"
# Most of this tier's time is the start of Pythons; its files share nothing.
PARALLEL = {"api": ("-n", "2", "--dist", "loadfile")}


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
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = ["pytest", "-q", f"tests/{tier}", f"--junitxml={report}", "--durations=5"]
        succeeded = run(*words, *PARALLEL.get(tier, ()))
        if not report.exists():
            return 0, 1, 0
        suite = ET.parse(report).getroot()[0].attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    skipped = int(suite["skipped"])
    passed = int(suite["tests"]) - failed - skipped
    return passed, max(failed, 0 if succeeded else 1), skipped


def seed() -> tuple[int, int, int]:
    """Bring what runs the other architecture's seed, and run the tier."""
    return pytest("seed") if run("python", "tools/system.py", QEMU) else (0, 1, 0)


def cluster() -> tuple[int, int, int]:
    """Bring the testbed up and run the tier that needs it."""
    if not run("python", "tools/system.py", *SHELLS):
        return 0, 1, 0
    if not run("python", "-m", "testbed", "up"):
        return 0, 1, 0
    return pytest("cluster")


TIERS: dict[str, Callable[[], tuple[int, int, int]]] = {
    "lint": lint,
    "unit": lambda: pytest("unit"),
    "seed": seed,
    "api": lambda: pytest("api"),
    "dist": lambda: pytest("dist"),
    "cluster": cluster,
}


def main() -> int:
    """Run the named tiers, or all; return the exit code."""
    results = []
    for tier in sys.argv[1:] or TIERS:
        print(f"\n=== {tier}", flush=True)
        began = time.monotonic()
        results.append(Result(tier, *TIERS[tier](), time.monotonic() - began))
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
