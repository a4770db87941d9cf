"""What reductions save: each problem with them and without, in one run.

::

    python benchmarks/reductions.py [--runs 3] [--max-states 3000000] [NAME ...]

Prints states, seconds of the processor (medians) and memory for each problem with reductions; then
the states without, up to the limit, and by what factor they are fewer. The second table is of the
loop certificate: seconds and memory with it and without, all else being the same, and what it says.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tabulate import tabulate

from kubelemma import api
from kubelemma.solver.reductions.names import CERTIFICATE
from kubelemma.solver.result import CheckResult

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: c, image: i, resources: {{requests: {{cpu: 100m}}}}}}]
---
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Deployments by their replicas, what happens to them, and how many nodes there are."""

    replicas: tuple[int, ...]
    events: tuple[str, ...]
    nodes: int = 3

    def case(self, max_states: int) -> api.Case:
        """What is searched."""
        names = [f"d{number}" for number in range(len(self.replicas))]
        found = zip(names, self.replicas, strict=True)
        text = "".join(DEPLOYMENT.format(name=name, replicas=size) for name, size in found)
        question = api.Question(
            paths=(api.STDIN,),
            stdin=text,
            nodes=(f"count={self.nodes},cpu=64,memory=256Gi,pods=1000",),
            together=tuple(names) if len(names) > 1 else (),
            events=self.events,
            max_states=max_states,
            time_limit_seconds=600,
        )
        (case,) = api.ask(question).cases
        return replace(case, sizes=())


ROLLOUT = ("rollout=d0",)
CRASH = ("rollout=d0", "node-crash=1")
PROBLEMS: Mapping[str, Problem] = {
    "crash-3": Problem((3,), CRASH),
    "crash-4": Problem((4,), CRASH),
    "rollout-8": Problem((8,), ROLLOUT),
    "rollout-8-on-5": Problem((8,), ROLLOUT, 5),
    "rollout-10": Problem((10,), ROLLOUT),
    "rollout-20": Problem((20,), ROLLOUT),
    "two-of-3": Problem((3, 3), ("rollout=d0", "rollout=d1")),
    "three-of-10": Problem((10, 10, 10), ("rollout=d0", "rollout=d1", "rollout=d2")),
}


def explored(case: api.Case, without: Sequence[str] = ()) -> tuple[CheckResult, float]:
    """What comes out, and the seconds of the processor."""
    begun = time.process_time()
    result = api.explore(case, without=without).result
    return result, time.process_time() - begun


def row(name: str, runs: int, most: int) -> tuple[str, ...]:
    """One problem, with and without."""
    problem = PROBLEMS[name]
    found = [explored(problem.case(10**9)) for _ in range(runs)]
    reduced = found[0][0].statistics
    whole, seconds = explored(problem.case(most), ("all",))
    states = whole.statistics.states
    more = "" if whole.statistics.stopped_by is None else ">"
    return (
        name,
        f"{reduced.states:,}" + ("" if reduced.exhaustive else " (not all)"),
        f"{statistics.median(taken for _, taken in found):.1f}",
        f"{reduced.peak_memory_bytes / 2**20:,.0f}",
        f"{more}{states:,}",
        f"{more}{seconds:.1f}",
        f"{more}{states / reduced.states:,.1f}",
        ", ".join(each.name for each in reduced.reductions if each.used),
    )


def certified(name: str, runs: int) -> tuple[str, ...]:
    """One problem, with the loop certificate and without it."""
    case = PROBLEMS[name].case(10**9)
    found = [explored(case) for _ in range(runs)]
    plain = [explored(case, (CERTIFICATE,)) for _ in range(runs)]
    notes = found[0][0].statistics.reductions
    return (
        name,
        *(f"{statistics.median(taken for _, taken in each):.1f}" for each in (found, plain)),
        *(f"{min(map(_memory, each)) / 2**20:,.0f}" for each in (found, plain)),
        next((note.why for note in notes if note.name == CERTIFICATE), ""),
    )


def _memory(found: tuple[CheckResult, float]) -> int:
    return found[0].statistics.peak_memory_bytes


def main() -> None:
    """Run the problems that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROBLEMS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--max-states", type=int, default=3_000_000)
    given = parser.parse_args()
    headers = ("problem", "states", "s", "MiB", "without", "s", "fewer", "reductions")
    rows = [row(name, given.runs, given.max_states) for name in given.names or PROBLEMS]
    print(tabulate(rows, headers, "github", disable_numparse=True))
    headers = ("problem", "s", "s without", "MiB", "MiB without", "what the certificate says")
    rows = [certified(name, given.runs) for name in given.names or PROBLEMS]
    print("\n" + tabulate(rows, headers, "github", disable_numparse=True))


if __name__ == "__main__":
    main()
