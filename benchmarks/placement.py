"""Placement of whole clusters: the answer, whether it was checked, seconds and memory.

usage: python benchmarks/placement.py --nodes N --kind KIND [--seed S] [--repeat R] [--naive]
       python benchmarks/placement.py --openb DIR --pods LIST [--gpus sum|device] [--repeat R]
       ... [--survive N | --survive-zone] [--time-limit SECONDS]

Prints one JSON line. ``seconds`` is the median over the repetitions of everything from typed
objects to the decision, the building of all models included; reading or making the cluster is
``prepare_seconds``. ``cpu_seconds`` are those that processors were busy, for shared machines.
``checked`` says that the placement of a YES is complete and that the independent checker accepts
it, or that the certificate of a NO holds in exact arithmetic.

Exits with 0 where the known answer came out checked (with any checked answer where none is known),
with 3 where the answer is unknown, else with 1.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias, TypeVar

import openb
import placement_clusters

from kubelemma.solver.placement.certificate import verify
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Decision, Effort
from kubelemma.solver.placement.problem import Answer, Problem
from kubelemma.solver.placement.survive import Survival, survive, survive_domain

Result = TypeVar("Result")
Line: TypeAlias = dict[str, Any]
NAIVE_SECONDS = 60.0
"""What an encoding may take to be solved; a ratio of one that took longer is a lower bound."""


def timed(action: Callable[[], Result], repeat: int) -> tuple[Result, Line]:
    """The result of the last run, and the medians of the seconds: passed, and of processors."""
    passed, used = [], []
    for _ in range(max(1, repeat)):
        start, busy = time.monotonic(), time.process_time()
        result = action()
        passed.append(time.monotonic() - start)
        used.append(time.process_time() - busy)
    return result, {"seconds": round(median(passed), 3), "cpu_seconds": round(median(used), 3)}


def checked(problem: Problem, decision: Decision) -> bool:
    """Whether the decision's proof holds, looked at once more from outside."""
    if decision.answer is Answer.YES:
        placed = [0] * len(problem.workloads)
        for assignment in decision.placement.assignments:
            placed[assignment.workload] += assignment.count
        complete = placed == [workload.count for workload in problem.workloads]
        return complete and not check(problem, decision.placement)
    if decision.answer is Answer.NO and decision.certificate is not None:
        return verify(problem, decision.certificate)
    return False


def told(problem: Problem, decision: Decision) -> Line:
    """What a decision says about itself."""
    statistics = decision.statistics
    return {
        "verdict": decision.answer.value,
        "checked": checked(problem, decision),
        "pods": sum(workload.count for workload in problem.workloads),
        "workloads": len(problem.workloads),
        "nodes": len(problem.cluster.nodes),
        "shapes": statistics.shapes,
        "classes": statistics.classes,
        "rungs": list(statistics.rungs),
        "unplaced": sum(decision.unplaced),
        "reason": list(decision.reason.lines) if decision.reason else [],
    }


def told_survival(problem: Problem, survival: Survival) -> Line:
    """What a survival says about itself; it is checked if all of its outcomes are."""
    outcomes = survival.outcomes
    proofs = [checked(problem, survival.base)] + [checked(o.after, o.decision) for o in outcomes]
    through = survival.answer is not Answer.YES or survival.covered == survival.total
    return told(problem, survival.base) | {
        "verdict": survival.answer.value,
        "checked": all(proofs) and through,
        "losses": survival.total,
        "covered": survival.covered,
        "witnesses": len(outcomes),
        "repaired": sum(outcome.repaired for outcome in outcomes),
        "stopped_by": survival.stopped_by,
        "failed": [list(o.nodes[:3]) if o.value is None else [o.value] for o in survival.failed],
        "reason": [
            line for o in survival.failed if o.decision.reason for line in o.decision.reason.lines
        ],
    }


def known(given: argparse.Namespace) -> placement_clusters.Known:
    """The cluster that the options ask for."""
    if given.openb:
        return openb.known(Path(given.openb), given.pods, given.gpus)
    return placement_clusters.known(given.kind, given.nodes, given.seed)


def run(given: argparse.Namespace, problem: Problem) -> Line:
    """Decide what the options ask for."""
    effort = Effort(seconds=given.time_limit, clock=time.monotonic)
    if given.survive_zone:
        survival, seconds = timed(lambda: survive_domain(problem, effort=effort), given.repeat)
        line = told_survival(problem, survival)
    elif given.survive:
        survival, seconds = timed(
            lambda: survive(problem, given.survive, effort=effort), given.repeat
        )
        line = told_survival(problem, survival)
    else:
        decision, seconds = timed(
            lambda: decide(problem.cluster, problem.workloads, effort=effort), given.repeat
        )
        line = told(problem, decision)
    return line | seconds | {"peak_memory_bytes": peak_memory()}


def peak_memory() -> int:
    """The most bytes this process has had in memory, the making of the cluster included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def against_naive(problem: Problem, seconds: float) -> Line:
    """The naive encodings: their answers, seconds, and ratios to ours."""
    import naive_placement  # noqa: PLC0415 (Z3 is only loaded for the comparison)

    line: Line = {}
    for name in naive_placement.ENCODINGS:
        found = naive_placement.timed(name, problem, NAIVE_SECONDS)
        line[name] = {
            "verdict": found.answer.value,
            "seconds": round(found.seconds, 3),
            "ratio": round(found.seconds / seconds, 1),
        }
    return line


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Placement of whole clusters.")
    parser.add_argument("--nodes", type=int, default=100, help="of a synthetic cluster")
    parser.add_argument("--kind", choices=placement_clusters.KINDS, default="tight5")
    parser.add_argument("--seed", type=int, default=0, help="of a synthetic cluster")
    parser.add_argument("--openb", metavar="DIR", help="the folder with the openb trace")
    parser.add_argument("--pods", metavar="LIST", default="default", help="a pod list of openb")
    parser.add_argument("--gpus", choices=("sum", "device"), default="sum", help="see openb.py")
    parser.add_argument("--survive", type=int, metavar="N", help="any N nodes may be lost")
    parser.add_argument("--survive-zone", action="store_true", help="any zone may be lost")
    parser.add_argument("--repeat", type=int, default=1, help="give medians of so many runs")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="of each run")
    parser.add_argument("--naive", action="store_true", help="run naive Z3 encodings beside it")
    return parser.parse_args()


def main() -> int:
    """Run one benchmark, print its line, and give the exit code."""
    given = options()
    cluster, prepared = timed(lambda: known(given), 1)
    asked = bool(given.survive or given.survive_zone)
    # What is lost changes the answer, and not by construction.
    expected = None if asked else cluster.answer
    line: Line = {"prepare_seconds": prepared["seconds"], **run(given, cluster.problem)}
    line["known"] = expected.value if expected else None
    line["argument"] = cluster.argument
    if given.naive:
        line["naive"] = against_naive(cluster.problem, line["seconds"])
    named = {"openb": given.pods, "gpus": given.gpus} if given.openb else {"kind": given.kind}
    print(json.dumps({**named, "seed": given.seed, **line}))
    if line["verdict"] == Answer.UNKNOWN.value:
        return 3
    return 0 if line["checked"] and expected in (None, Answer(line["verdict"])) else 1


if __name__ == "__main__":
    sys.exit(main())
