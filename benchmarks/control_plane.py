"""Both engines on two Deployments that are rolled out together while a node crashes.

usage: python benchmarks/control_plane.py [--max-states N] [--repeat N] [--compiled-only]

Two Deployments of three replicas on three nodes as one system: each is rolled out once, and one
node may crash, at any time and in any order. Every property that applies is asked. All orders are
too many to search, so both engines stop at the same number of states, which they reach in the same
order; what they found must agree, or the exit code is 1. Every time is the median of its runs, and
does not include the ``prepare_seconds`` in which the compiled functions are loaded (or compiled, if
they are not on disk yet). Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from kubelemma.question import STDIN, Case, Question, ask
from kubelemma.solver import compiled, explore
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult

Engine = Callable[..., CheckResult]

NAMES = ("web", "api")
NODES = "count=3,cpu=32,memory=64Gi"
"""Room for all pods that the bound allows, so that terminating ones need not be followed."""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: main
        image: registry.example/{name}:1
        resources: {{requests: {{cpu: 500m, memory: 64Mi}}}}
"""


def scenario() -> Case:
    """The one scenario, with its properties."""
    question = Question(
        paths=(STDIN,),
        stdin="---".join(DEPLOYMENT.format(name=name) for name in NAMES),
        nodes=(NODES,),
        events=(*(f"rollout={name}" for name in NAMES), "node-crash=1"),
        together=NAMES,
    )
    (case,) = ask(question).cases
    return case


def prepared() -> float:
    """Load or compile the loop; gives the seconds."""
    start = time.monotonic()
    case = scenario()
    compiled.check(case.scenario.system, case.properties, Limits(max_states=100))
    return time.monotonic() - start


def runs(engine: Engine, limits: Limits, repeat: int) -> tuple[CheckResult, float]:
    """What an engine finds, and the median of the seconds that it takes; each run starts anew."""
    results = []
    for _ in range(repeat):
        case = scenario()
        results.append(engine(case.scenario.system, case.properties, limits))
    return results[-1], median(result.statistics.seconds for result in results)


def found(result: CheckResult) -> dict[str, Any]:
    """What both engines must agree on."""
    counts = result.statistics
    return {
        "states": counts.states,
        "transitions": counts.transitions,
        "exhaustive": counts.exhaustive,
        "verdicts": {f"{p.property.id} {p.property.subject}": p.verdict for p in result.properties},
    }


def measured(limits: Limits, repeat: int, *, compiled_only: bool) -> dict[str, Any]:
    """Counts, seconds and model calls of both engines, their ratio, and whether they agree."""
    seconds = prepared()
    fast, fast_seconds = runs(compiled.check, limits, repeat)
    counts = found(fast)
    del counts["verdicts"]
    rate = round(fast.statistics.transitions / fast_seconds)
    line: dict[str, Any] = {
        "name": "two-deployments-two-rollouts-one-crash",
        **counts,
        "model_calls": fast.statistics.model_calls,
        "prepare_seconds": round(seconds, 3),
        "compiled_seconds": round(fast_seconds, 3),
        "compiled_transitions_per_second": rate,
        "compiled_peak_memory_bytes": fast.statistics.peak_memory_bytes,
    }
    if not compiled_only:
        plain, plain_seconds = runs(explore.check, limits, repeat)
        line["plain_seconds"] = round(plain_seconds, 3)
        line["plain_model_calls"] = plain.statistics.model_calls
        line["ratio"] = round(plain_seconds / fast_seconds, 1)
        line["agree"] = found(fast) == found(plain)
    return line


def main() -> int:
    """Run both engines, print the line, and say whether they agree."""
    parser = argparse.ArgumentParser(description="Both engines on a part of the control plane.")
    parser.add_argument("--max-states", type=int, default=500_000, help="of each search")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each engine")
    parser.add_argument("--compiled-only", action="store_true", help="leave the plain engine out")
    given = parser.parse_args()
    limits = Limits(max_states=given.max_states)
    line = measured(limits, given.repeat, compiled_only=given.compiled_only)
    print(json.dumps(line))
    return 0 if line.get("agree", True) else 1


if __name__ == "__main__":
    sys.exit(main())
