"""What a second run costs: a check that searches, and the same check again.

usage: python benchmarks/cache.py [--runs N] [PATH...]

Each PATH is checked in a process of its own, first with nothing remembered, then so often again;
without one, all examples of checks together, each with its own files. The first run starts
cold; the second is the median of its runs. Prints one JSON line for each check: seconds of wall
clock, as somebody who waits has them, and of processors, which say more on a machine that is busy.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FAILED = 70


class Seconds(NamedTuple):
    """How long one run took."""

    wall: float
    processor: float


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to check, each by itself")
    parser.add_argument("--runs", type=int, default=5, help="how often the second run is measured")
    options = parser.parse_args()
    checks = [(path, [Path(path)]) for path in options.paths] or [("examples", all_examples())]
    for name, paths in checks:
        print(json.dumps({"check": name, **measured(paths, options.runs)}), flush=True)


def all_examples() -> list[Path]:
    """The examples that are checks, but for those that load code, which all would load."""
    checks = (path.parent for path in sorted(EXAMPLES.glob("*/check.yaml")))
    return [path for path in checks if not list(path.glob("*.py")) and "own" not in path.name]


def measured(paths: Iterable[Path], runs: int) -> dict[str, object]:
    """The seconds of the first run and of those after it, in a folder of their own."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kubelemma", "check"]
        command += [str(path.resolve()) for path in paths]
        first, _ = seconds(command, folder)
        later = [seconds(command, folder)[0] for _ in range(runs)]
        _, report = seconds([*command, "-o", "json"], folder)
    scenarios = json.loads(report)["scenarios"]
    return {
        "scenarios": len(scenarios),
        "remembered": sum(s["statistics"].get("remembered", False) for s in scenarios),
        "counterexamples": sum("trace" in p for s in scenarios for p in s["properties"]),
        "states": sum(s["statistics"]["states"] for s in scenarios),
        "first_seconds": round(first.wall, 2),
        "second_seconds": round(median(taken.wall for taken in later), 2),
        "first_processor_seconds": round(first.processor, 2),
        "second_processor_seconds": round(median(taken.processor for taken in later), 2),
    }


def seconds(command: list[str], folder: str) -> tuple[Seconds, str]:
    """How long a command takes, and what it prints."""
    start, used = time.perf_counter(), processor()
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    taken = Seconds(time.perf_counter() - start, processor() - used)
    if run.returncode >= FAILED or not run.stdout:
        sys.exit(run.stderr)
    return taken, run.stdout


def processor() -> float:
    """The seconds of processors that all commands so far have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
