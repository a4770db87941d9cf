"""The stateful engine on every example that violates something: what it finds, and how shortly.

usage: python benchmarks/stateful.py [--runs N] [--seed N] [--beyond SECONDS] [NAME...]

For each violation of an example, as the plain engine finds it in all states: the steps of a
shortest story, and those of the story that the stateful engine tells. All promises of the example
are asked at once, so the runs and seconds are of the whole example, the last vain attempt to
violate something else included. With ``--beyond``, four Deployments are rolled out together for so
long as well, which is beyond all that can be searched. Prints a table; the exit code is 1 if a
violation is missed, or told in more than two steps more than it takes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from control_plane import DEPLOYMENT
from tabulate import tabulate

from kubelemma.question import STDIN, Case, Question, ask
from kubelemma.solver import explore
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Trace, Verdict
from kubelemma.solver.stateful import engine
from kubelemma.solver.stateful.sampling import Sampling

ROOT = Path(__file__).resolve().parent.parent

EXPECTATIONS = ROOT / "tests" / "gallery" / "expectations.yaml"
"""What the examples violate."""

SLACK = 2
"""The steps that a story may have more than a shortest one."""

HEADERS = ("EXAMPLE", "PROPERTY", "SHORTEST", "STATEFUL", "RUNS", "STEPS/S", "SECONDS")

NAMES = ("app-0", "app-1", "app-2", "app-3")

Row = tuple[object, ...]


def examples(names: Iterable[str]) -> Iterator[tuple[str, Case]]:
    """The examples of these names, or all that violate something; each has one scenario."""
    for name in tuple(names) or yaml.safe_load(EXPECTATIONS.read_text("utf-8")):
        (case,) = ask(Question(paths=(str(ROOT / "examples" / name),))).cases
        yield name, case


def large() -> Case:
    """Four Deployments of three replicas on four nodes, rolled out together; a node may crash."""
    question = Question(
        paths=(STDIN,),
        stdin="---".join(DEPLOYMENT.format(name=name) for name in NAMES),
        nodes=("count=4,cpu=32,memory=64Gi",),
        events=(*(f"rollout={name}" for name in NAMES), "node-crash=1"),
        together=NAMES,
    )
    (case,) = ask(question).cases
    return case


def steps(trace: Trace | None) -> int | None:
    """The length of a story."""
    return None if trace is None else len(trace.steps)


def rows(name: str, drawn: CheckResult, shortest: Iterable[int | None]) -> Iterator[Row]:
    """A line for each property that is violated, by one engine or the other."""
    counts = drawn.statistics
    rate = round(counts.transitions / counts.seconds)
    for found, least in zip(drawn.properties, shortest, strict=True):
        if least is not None or found.verdict is Verdict.VIOLATED:
            what = f"{found.property.id} {found.property.subject.removeprefix('Deployment ')}"
            yield name, what, least, steps(found.trace), counts.runs, rate, f"{counts.seconds:.1f}"


def is_wrong(row: Row) -> bool:
    """Whether a violation was missed, invented, or told at length."""
    least, told = row[2], row[3]
    if not isinstance(least, int) or not isinstance(told, int):
        return True
    return told > least + SLACK


def main() -> int:
    """Run both engines, print the table, and say whether all was found."""
    parser = argparse.ArgumentParser(description="The stateful engine on all examples.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of an example; all by default")
    parser.add_argument("--runs", type=int, default=Sampling().runs)
    parser.add_argument("--seed", type=int, default=Sampling().seed)
    parser.add_argument("--beyond", type=float, metavar="SECONDS", help="on a large system, too")
    given = parser.parse_args()
    sampling = Sampling(seed=given.seed, runs=given.runs)
    table: list[Row] = []
    for name, case in examples(given.names):
        asked = (case.scenario.system, case.properties)
        shortest = [steps(found.trace) for found in explore.check(*asked).properties]
        if any(shortest):
            table += rows(name, engine.check(*asked, sampling=sampling), shortest)
    wrong = [row for row in table if is_wrong(row)]
    if given.beyond:
        case = large()
        limits = Limits(time_limit_seconds=given.beyond)
        drawn = engine.check(case.scenario.system, case.properties, limits, sampling=sampling)
        table += rows("four rollouts, a crash", drawn, [None] * len(case.properties))
    print(tabulate(table, HEADERS, missingval="?"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
