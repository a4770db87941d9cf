"""The plain engine against the compiled one: states, transitions, seconds, rate and ratio.

usage: python benchmarks/engines.py [--runs N] [--plain-runs N] [NAME...]

Runs a level of KubeRollout, and rollouts of one and two Deployments of three replicas on three
nodes of which one may crash. Every time is the median of its runs; the compiled functions are
loaded (or compiled, if they are not on disk yet) before the first, and that takes
``prepare_seconds``. Prints one JSON line for each benchmark.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import kuberollout

from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, build
from kubelemma.model.system import System
from kubelemma.properties.select import properties_for
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled, explore
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult

Problem = tuple[System, tuple[Property, ...]]
Engine = Callable[..., CheckResult]

GREAT_LEVEL = kuberollout.Level(2, 2, 1, 1, 3, 2, 1, 6)


def level() -> Problem:
    """The level ``2,2,1,1,3,2,1,6`` of KubeRollout."""
    return kuberollout.system(GREAT_LEVEL), kuberollout.properties(GREAT_LEVEL)


def rollouts(deployments: int) -> Problem:
    """Deployments of three replicas on three nodes, each rolled out once; one node may crash."""
    names = [f"web-{i}" for i in range(deployments)]
    applied = tuple(with_defaults(decode(_deployment(name), Deployment)) for name in names)
    nodes = tuple(with_defaults(decode(_node(name), Node)) for name in ("a", "b", "c"))
    events: list[dict[str, Any]] = [{"rollout": {"deployment": name}} for name in names]
    spec: dict[str, Any] = {"events": [*events, {"nodeCrash": {}}]}
    if deployments > 1:
        spec["together"] = names
    check = decode({"spec": spec}, Check)
    (scenario,) = build(Application(applied, nodes), check)
    return scenario.system, tuple(properties_for(scenario))


def _deployment(name: str) -> dict[str, Any]:
    container = {"name": "main", "resources": {"requests": {"cpu": "500m"}}}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


def _node(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "110"}},
    }


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "kuberollout": level,
    "one-deployment": lambda: rollouts(1),
    "two-deployments": lambda: rollouts(2),
}


def timed(engine: Engine, problem: Problem, runs: int, limits: Limits) -> dict[str, Any]:
    """What an engine finds, and the median of the seconds that it takes."""
    results = [engine(*problem, limits) for _ in range(runs)]
    statistics = results[-1].statistics
    seconds = median(result.statistics.seconds for result in results)
    return {
        "states": statistics.states,
        "transitions": statistics.transitions,
        "seconds": round(seconds, 3),
        "transitions_per_second": round(statistics.transitions / seconds),
        "peak_memory_bytes": max(result.statistics.peak_memory_bytes for result in results),
        "model_calls": statistics.model_calls,
        "exhaustive": statistics.exhaustive,
    }


def prepared() -> float:
    """Load or compile the loop; gives the seconds."""
    start = time.monotonic()
    smallest = kuberollout.LEVELS["L0"]
    compiled.check(kuberollout.system(smallest), kuberollout.properties(smallest))
    return time.monotonic() - start


def main() -> None:
    """Run the benchmarks asked for, all by default, and print a line for each."""
    parser = argparse.ArgumentParser(description="The plain engine against the compiled one.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PROBLEMS)}")
    parser.add_argument("--runs", type=int, default=3, help="of the compiled engine")
    parser.add_argument("--plain-runs", type=int, default=1, help="of the plain engine")
    parser.add_argument("--max-states", type=int, default=500_000, help="of each search")
    given = parser.parse_args()
    limits = Limits(max_states=given.max_states)
    seconds = prepared()
    for name in given.names or PROBLEMS:
        problem = PROBLEMS[name]()
        fast = timed(compiled.check, problem, given.runs, limits)
        line: dict[str, Any] = {"name": name, "prepare_seconds": round(seconds, 3)}
        line["compiled"] = fast
        if given.plain_runs:
            line["plain"] = timed(explore.check, problem, given.plain_runs, limits)
            line["ratio"] = round(line["plain"]["seconds"] / fast["seconds"], 1)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
