"""What the benchmarks share: commands timed in turns, and the page with the ratios."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Race:
    """A command of ours beside a rival's; ``bound`` is the ratio that it may not exceed."""

    title: str
    ours: Sequence[str]
    rival: Sequence[str]
    bound: float


@contextmanager
def installed() -> Iterator[dict[str, str]]:
    """Give an environment in which the archive is installed as krew lays it out."""
    archive = ROOT / "dist" / "scratch.tar.gz"
    subprocess.run([sys.executable, "tools/dist.py"], cwd=ROOT, check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        store, links = Path(folder) / "store", Path(folder) / "bin"
        for made in (store, links):
            made.mkdir()
        subprocess.run(["tar", "-xzf", str(archive), "-C", str(store)], check=True)
        (links / "kubectl-scratch").symlink_to(store / "kubectl-scratch")
        path = f"{links}:{BIN}:{os.environ['PATH']}"
        environ = {**os.environ, "PATH": path}
        command = ["kubectl-scratch", "completion", "install"]
        subprocess.run(command, env=environ, check=True, capture_output=True)
        yield environ


def run_races(
    races: Sequence[Race], rounds: int, environ: Mapping[str, str]
) -> dict[str, tuple[list[float], list[float]]]:
    """Return the seconds of each race, ours and the rival's; the two take turns."""
    found: dict[str, tuple[list[float], list[float]]] = {race.title: ([], []) for race in races}
    for number in range(-1, rounds):
        for race in races:
            sides = [(race.ours, 0), (race.rival, 1)]
            for command, side in sides if number % 2 else sides[::-1]:
                seconds = timed(command, environ)
                # The first round warms files and bytecode.
                if number >= 0:
                    found[race.title][side].append(seconds)
    return found


def timed(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return how long a command takes; raises CalledProcessError where it fails."""
    began = time.perf_counter()
    subprocess.run(
        command, env=environ, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def table(races: Sequence[Race], found: dict[str, tuple[list[float], list[float]]]) -> list[str]:
    """Return the rows of the page: medians, their ratio, the middle half of the ratios."""
    rows = [
        "| | ours (ms) | rival (ms) | ratio | of rounds | bound |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for race in races:
        ours, rival = found[race.title]
        ratios = [a / b for a, b in zip(ours, rival, strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        median = statistics.median(ours), statistics.median(rival)
        rows.append(
            f"| {race.title} | {median[0] * 1e3:.0f} | {median[1] * 1e3:.0f} |"
            f" {median[0] / median[1]:.2f} | {low:.2f} to {high:.2f} | {race.bound:.2f} |"
        )
    return rows


def verdict(races: Sequence[Race], found: dict[str, tuple[list[float], list[float]]]) -> int:
    """Return the exit code: 1 where a ratio exceeds its bound."""
    too_slow = []
    for race in races:
        ours, rival = map(statistics.median, found[race.title])
        if ours > race.bound * rival:
            too_slow.append(race.title)
    for title in too_slow:
        print(f"bench: {title}: over the bound", file=sys.stderr)
    return 1 if too_slow else 0


def surroundings(environ: Mapping[str, str]) -> str:
    """Return what the numbers depend on, as a sentence."""
    kubectl = version_of("kubectl", environ)["clientVersion"]["gitVersion"]
    python = version_of("kubectl-scratch", environ)["pythonVersion"]
    return (
        f"{datetime.now(timezone.utc).date()}, {os.cpu_count()} cores,"
        f" {platform.freedesktop_os_release()['PRETTY_NAME']}, load {os.getloadavg()[0]:.1f};"
        f" kubectl {kubectl}, Python {python}."
    )


def version_of(program: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what a program says of its version."""
    command = [program, "version", "--client", "-o", "json"]
    done = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
