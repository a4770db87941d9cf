"""A slice of the control plane with published state counts, as a system of its own.

Deployments roll from an old to a new ReplicaSet; nodes crash and come back. The semantics are those
of a TLA+ module on which TLC, Spin, rumur and a C++ search agree to the digit, so the counts check
kernel, engine and symmetry reduction at once.

usage: python benchmarks/kuberollout.py --level L2
       python benchmarks/kuberollout.py --params D,R,S,U,N,C,F,M [--renew] [--loose]

D deployments, R replicas, S maxSurge, U maxUnavailable, N nodes, C pod slots a node, F crash
budget, M pods in the pool. Prints one JSON line; ``--help`` says what else can be asked.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import factorial, prod
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.system import Action, Cell, Family, Outcome, Rule, State, System, Tally, View
from kubelemma.properties.formula import Always, Converges, Formula
from kubelemma.properties.statement import Kind, Property, Severity, Statement
from kubelemma.solver import compiled, explore
from kubelemma.solver.limits import UNLIMITED, Limits, Watch, resident_memory
from kubelemma.solver.result import CheckResult
from kubelemma.solver.search import Search

ROLLOUT = Action("rollout")
SCALE_UP = Action("scale-up")
SCALE_DOWN = Action("scale-down")
CREATE = Action("create")
DELETE = Action("delete")
BIND = Action("bind")
START = Action("start")
STOP = Action("stop")
CRASH = Action("crash")
RECOVER = Action("recover")


class Level(NamedTuple):
    """The parameters; ``renew``: a recovery gives its crash back; ``strict``: surge counts pods."""

    deployments: int
    replicas: int
    surge: int
    unavailable: int
    nodes: int
    slots: int
    crashes: int
    pool: int
    renew: bool = False
    strict: bool = True


LEVELS = {
    "L0": Level(1, 1, 1, 0, 1, 2, 0, 2),
    "L1": Level(1, 2, 1, 0, 2, 2, 1, 3),
    "L2": Level(1, 3, 1, 1, 2, 3, 1, 4),
    "L2-renew": Level(1, 3, 1, 1, 2, 3, 1, 4, renew=True),
    "L3": Level(1, 3, 1, 1, 3, 2, 1, 4),
    "L4": Level(2, 1, 1, 0, 3, 2, 1, 4),
    "L5": Level(1, 4, 1, 1, 3, 2, 1, 5),
    "S4": Level(2, 2, 1, 1, 2, 3, 0, 6),
    "S5": Level(1, 5, 1, 1, 3, 2, 1, 6),
    "V1": Level(1, 3, 1, 1, 2, 3, 1, 5, strict=False),
    "V2": Level(1, 2, 1, 0, 2, 1, 0, 3),
}


class Deployment(NamedTuple):
    """Sizes of the old and the new ReplicaSet, and their pods without a node."""

    updated: bool
    want: tuple[int, int]
    pending: tuple[int, int] = (0, 0)


class Pods(NamedTuple):
    """Pods of one ReplicaSet on one node."""

    bound: int = 0
    ready: int = 0
    terminating: int = 0


class Node(NamedTuple):
    """A node: up or down, and the pods of each deployment's old and new ReplicaSet."""

    up: bool
    pods: tuple[Pods, ...]


PARAMETERS = 8

NODES, CRASHES = "nodes", "crashes"
OLD, NEW = 0, 1


def cell(d: int) -> str:
    """The cell of a deployment."""
    return f"deployment {d}"


def tally(what: str, d: int) -> str:
    """A tally over the nodes for one deployment: a number for old, a number for new."""
    return f"{what} {d}"


def with_pods(node: Node, index: int, pods: Pods) -> Node:
    """The node with the pods of one ReplicaSet replaced."""
    return node._replace(pods=(*node.pods[:index], pods, *node.pods[index + 1 :]))


def at(pair: tuple[int, int], gen: int, by: int) -> tuple[int, int]:
    """The pair with one of its numbers changed."""
    return (pair[0] + by, pair[1]) if gen == OLD else (pair[0], pair[1] + by)


def system(level: Level) -> System:
    """The system of a level."""
    blank = Node(up=True, pods=(Pods(),) * (2 * level.deployments))
    rules: list[Rule] = [*_kubelet(), *_failures(level)]
    for d in range(level.deployments):
        rules += [*_user(level, d), *_deployment_controller(level, d)]
        rules += [*_replicaset_controller(d), *_scheduler(level, d)]
    start = Deployment(updated=False, want=(level.replicas, 0))
    return System(
        cells=[Cell(CRASHES, 0), *(Cell(cell(d), start) for d in range(level.deployments))],
        families=[Family(NODES, (blank,) * level.nodes)],
        tallies=list(_tallies(level)),
        rules=rules,
    )


def _tallies(level: Level) -> Iterator[Tally]:
    for d in range(level.deployments):
        for what, of in (("active", lambda p: p.bound + p.ready), ("ready", lambda p: p.ready)):
            yield Tally(tally(what, d), {NODES: _measure(d, of)}, 2)
        bound = _measure(d, lambda p: p.bound)
        yield Tally(tally("bound", d), {NODES: bound}, 2, lambda n: (n[OLD] > 0, n[NEW] > 0))
        surplus = {cell(d): _to_delete_on_nodes}
        yield Tally(tally("surplus", d), surplus, 2, reads=(tally("active", d),))
    measures: dict[str, Callable[..., tuple[int, ...]]] = {
        cell(d): lambda deployment: (sum(deployment.pending),) for d in range(level.deployments)
    }
    measures[NODES] = lambda node: (used(node),)
    yield Tally("pool", measures, 1, lambda taken: taken[0] < level.pool)


def _measure(d: int, of: Callable[[Pods], int]) -> Callable[[Node], tuple[int, ...]]:
    return lambda node: (of(node.pods[2 * d + OLD]), of(node.pods[2 * d + NEW]))


def used(node: Node) -> int:
    """The slots that are taken, also by terminating pods."""
    return sum(map(sum, node.pods))


def _user(level: Level, d: int) -> Iterator[Rule]:
    def rollout(deployment: Deployment, ready: tuple[int, int]) -> Iterator[Outcome]:
        if not deployment.updated and ready[OLD] == level.replicas:
            yield Outcome(ROLLOUT, {cell(d): deployment._replace(updated=True)})

    yield Rule(f"rollout {d}", "user", (cell(d),), rollout, (tally("ready", d),))


def _deployment_controller(level: Level, d: int) -> Iterator[Rule]:
    r, s, u = level.replicas, level.surge, level.unavailable

    def total(deployment: Deployment, active: tuple[int, int]) -> int:
        old, new = deployment.want
        live = deployment.pending[OLD] + active[OLD]
        return new + (max(old, live) if level.strict else old)

    def scale(
        deployment: Deployment, active: tuple[int, int], ready: tuple[int, int]
    ) -> Iterator[Outcome]:
        if not deployment.updated:
            return
        old, new = deployment.want
        sum_now = total(deployment, active)
        if new < r and sum_now < r + s:
            grown = at(deployment.want, NEW, min(r + s - sum_now, r - new))
            yield Outcome(SCALE_UP, {cell(d): deployment._replace(want=grown)})
            return
        most = old + ready[NEW] - (r - u)
        clean = min(most, old - ready[OLD])
        down = min(old - clean, max(0, ready[OLD] + ready[NEW] - (r - u)))
        if old > 0 and most > 0 and ready[OLD] <= old and clean + down > 0:
            shrunk = at(deployment.want, OLD, -clean - down)
            yield Outcome(SCALE_DOWN, {cell(d): deployment._replace(want=shrunk)})

    reads = (tally("active", d), tally("ready", d))
    yield Rule(f"deployment controller {d}", "deployment-controller", (cell(d),), scale, reads)


def _replicaset_controller(d: int) -> Iterator[Rule]:
    actor, active = "replicaset-controller", tally("active", d)

    def create(
        deployment: Deployment,
        active: tuple[int, int],
        room: bool,  # noqa: FBT001 - what it reads is given by place
    ) -> Iterator[Outcome]:
        for gen in (OLD, NEW):
            lacking = deployment.pending[gen] + active[gen] < deployment.want[gen]
            if lacking and room:
                more = at(deployment.pending, gen, 1)
                yield Outcome(CREATE, {cell(d): deployment._replace(pending=more)})

    def delete_pending(deployment: Deployment, active: tuple[int, int]) -> Iterator[Outcome]:
        for gen in (OLD, NEW):
            if deployment.pending[gen] and _surplus(deployment, gen, active):
                fewer = at(deployment.pending, gen, -1)
                yield Outcome(DELETE, {cell(d): deployment._replace(pending=fewer)})

    def delete(node: Node, surplus: tuple[int, int], bound: tuple[bool, bool]) -> Iterator[Outcome]:
        for gen in (OLD, NEW):
            if surplus[gen]:
                yield from _delete_on_node(node, 2 * d + gen, unready_elsewhere=bound[gen])

    yield Rule(f"create {d}", actor, (cell(d),), create, (active, "pool"))
    yield Rule(f"delete pending {d}", actor, (cell(d),), delete_pending, (active,))
    reads = (tally("surplus", d), tally("bound", d))
    yield Rule(f"delete {d}", actor, (NODES,), delete, reads)


def _surplus(deployment: Deployment, gen: int, active: tuple[int, int]) -> bool:
    return deployment.pending[gen] + active[gen] > deployment.want[gen]


def _to_delete_on_nodes(deployment: Deployment, active: tuple[int, int]) -> tuple[int, int]:
    """Whether pods that have a node must go, of old and of new: pending ones go first."""
    old, new = (
        not deployment.pending[gen] and _surplus(deployment, gen, active) for gen in (OLD, NEW)
    )
    return int(old), int(new)


def _delete_on_node(node: Node, index: int, *, unready_elsewhere: bool) -> Iterator[Outcome]:
    """Bound pods go before ready ones, on whatever node."""
    bound, ready, terminating = node.pods[index]
    if bound:
        after = Pods(bound - 1, ready, terminating + 1)
        yield Outcome(DELETE, {NODES: with_pods(node, index, after)})
    elif ready and not unready_elsewhere:
        after = Pods(bound, ready - 1, terminating + 1)
        yield Outcome(DELETE, {NODES: with_pods(node, index, after)})


def _scheduler(level: Level, d: int) -> Iterator[Rule]:
    def bind(deployment: Deployment, node: Node) -> Iterator[Outcome]:
        if not node.up or used(node) >= level.slots:
            return
        for gen in (OLD, NEW):
            if deployment.pending[gen]:
                b, ready, t = node.pods[2 * d + gen]
                writes = {
                    cell(d): deployment._replace(pending=at(deployment.pending, gen, -1)),
                    NODES: with_pods(node, 2 * d + gen, Pods(b + 1, ready, t)),
                }
                yield Outcome(BIND, writes)

    yield Rule(f"bind {d}", "scheduler", (cell(d), NODES), bind)


def _kubelet() -> Iterator[Rule]:
    def run(node: Node) -> Iterator[Outcome]:
        for i, (b, ready, t) in enumerate(node.pods):
            if b:
                yield Outcome(START, {NODES: with_pods(node, i, Pods(b - 1, ready + 1, t))})
            if t:
                yield Outcome(STOP, {NODES: with_pods(node, i, Pods(b, ready, t - 1))})

    yield Rule("kubelet", "kubelet", (NODES,), run)


def _failures(level: Level) -> Iterator[Rule]:
    def crash(crashes: int, node: Node) -> Iterator[Outcome]:
        if node.up and crashes < level.crashes:
            lost = Node(up=False, pods=(Pods(),) * len(node.pods))
            yield Outcome(CRASH, {CRASHES: crashes + 1, NODES: lost})

    def recover(crashes: int, node: Node) -> Iterator[Outcome]:
        if not node.up:
            left = crashes - 1 if level.renew else crashes
            yield Outcome(RECOVER, {CRASHES: left, NODES: node._replace(up=True)})

    yield Rule("crash", "fault", (CRASHES, NODES), crash, environment=True)
    yield Rule("recover", "node", (CRASHES, NODES), recover)


def properties(level: Level) -> tuple[Property, ...]:
    """SurgeOK and Converges of every deployment."""
    found: list[Property] = []
    most = level.replicas + level.surge
    for d in range(level.deployments):
        surge = Always(
            View((cell(d),), (tally("active", d),)),
            lambda dep, active: sum(dep.pending) + sum(active) <= most,
        )
        done = Converges(View((), (tally("ready", d),)), lambda ready: ready[NEW] == level.replicas)
        found += [_property("SurgeOK", d, surge), _property("Converges", d, done)]
    return tuple(found)


def _property(name: str, d: int, formula: Formula) -> Property:
    statement = Statement(
        id=name,
        title=name,
        kind=Kind.LIVENESS if isinstance(formula, Converges) else Kind.SAFETY,
        severity=Severity.HIGH,
        statement=name,
        why="",
        conditions="",
        source="KubeRollout.tla",
        components=(),
        remediation="",
    )
    return Property(statement, cell(d), formula)


def canonical_states(level: Level) -> Iterator[State]:
    """One representative of every orbit, from a search by the plain engine."""
    watch = Watch(UNLIMITED, time.monotonic, resident_memory)
    search = Search(system(level), (), UNLIMITED, explore.ignore, watch)
    search.run()
    if not search.complete:
        # The search ends quietly when it is interrupted; a part of the states is no count.
        raise KeyboardInterrupt
    return map(search.tables.numbering.state, search.space.states)


def concrete_states(level: Level, states: Iterable[State]) -> int:
    """How many states of the TLA+ module these canonical states stand for.

    There pods are slots of a pool, and slots and nodes have identities.
    """
    return sum(_labellings(level, state) for state in states)


def _labellings(level: Level, state: State) -> int:
    """The different ways to give nodes and pods their identities in one canonical state."""
    deployments, nodes = state[1 : 1 + level.deployments], state[1 + level.deployments :]
    alike = [count for deployment in deployments for count in deployment.pending]
    alike += [count for node in nodes for pods in node.pods for count in pods]
    unused = level.pool - sum(alike)
    return _arrangements([*alike, unused]) * _arrangements(Counter(nodes).values())


def _arrangements(alike: Iterable[int]) -> int:
    """The different orders of things of which so many each are alike."""
    counts = tuple(alike)
    return factorial(sum(counts)) // prod(map(factorial, counts))


def measured(level: Level, given: argparse.Namespace) -> dict[str, Any]:
    """What the engine finds on a level, and the median of the seconds that it takes.

    A trivial system goes through the engine first, so that importing, compiling and loading it
    are not counted among them. The memory is the most of all runs: a later run finds some of the
    memory of an earlier one still there.
    """
    engine = compiled.check if given.engine == "compiled" else explore.check
    options = {} if given.workers is None else {"workers": given.workers}
    smallest = LEVELS["L0"]
    start = time.monotonic()
    engine(system(smallest), properties(smallest), **options)
    compiled_in = time.monotonic() - start
    limits = Limits(max_memory_bytes=given.max_memory)
    results = [
        engine(system(level), properties(level), limits, **options) for _ in range(given.repeat)
    ]
    seconds = [result.statistics.seconds for result in results]
    statistics = results[-1].statistics
    return {
        "engine": results[-1].engine,
        "states": statistics.states,
        "concrete_states": None,
        "transitions": statistics.transitions,
        "depth": statistics.depth,
        "terminal": statistics.terminal_states,
        "violations": _violations(results[-1]),
        "exhaustive": statistics.exhaustive,
        "stopped_by": statistics.stopped_by,
        "seconds": round(median(seconds), 4),
        "seconds_of_each_run": [round(s, 4) for s in seconds],
        "compile_seconds": round(compiled_in, 3),
        "peak_memory_bytes": max(result.statistics.peak_memory_bytes for result in results),
        "model_calls": statistics.model_calls,
    }


def _violations(result: CheckResult) -> dict[str, int]:
    """The level at which each violated property is first violated, the initial state being 1."""
    found: dict[str, int] = {}
    for answer in result.properties:
        if answer.trace is not None:
            at = len(answer.trace.steps) + 1
            found[answer.property.id] = min(at, found.get(answer.property.id, at))
    return found


def parameters(text: str) -> Level:
    """A level from eight integers such as ``2,2,1,1,3,2,1,6``."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != PARAMETERS or min(numbers) < 0:
        raise argparse.ArgumentTypeError(f'"{text}" is not eight integers D,R,S,U,N,C,F,M')
    d, r, s, u, n, c, f, m = numbers
    return Level(d, r, s, u, n, c, f, m)


def amount(text: str) -> int:
    """Bytes, from an amount such as ``2Gi``."""
    try:
        return Quantity.parse(text).value()
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    """An integer of at least 1."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f'"{text}" is no integer of at least 1')
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="State counts of the KubeRollout slice.")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--level", choices=LEVELS)
    group.add_argument("--params", type=parameters, metavar="D,R,S,U,N,C,F,M")
    parser.add_argument("--renew", action="store_true", help="a recovery gives its crash back")
    parser.add_argument("--loose", action="store_true", help="surge counts spec.replicas alone")
    parser.add_argument("--engine", choices=("plain", "compiled"), default="compiled")
    parser.add_argument("--workers", type=positive, metavar="N", help="of the compiled engine")
    parser.add_argument("--repeat", type=positive, default=1, metavar="K", help="take medians")
    parser.add_argument("--max-memory", type=amount, metavar="AMOUNT", help="such as 2Gi")
    parser.add_argument(
        "--no-concrete", action="store_true", help="skip the concrete states: they take long"
    )
    parser.add_argument("--tlc", type=Path, metavar="JAR", help="run TLC on the level as well")
    parser.add_argument(
        "--tlc-mode",
        action="append",
        choices=("plain", "symmetry", "liveness"),
        help="what TLC is asked; repeatable (plain and symmetry by default)",
    )
    parser.add_argument(
        "--tlc-time-limit", type=positive, default=600, metavar="SECONDS", help="for each mode"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Explore one level and print what was found; the arguments are those of the command line."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.workers is not None and given.engine == "plain":
        parser.error("--workers is for the compiled engine; the plain one has a single worker")
    level = LEVELS[given.level] if given.level else given.params
    level = level._replace(
        renew=level.renew or given.renew, strict=level.strict and not given.loose
    )
    line = measured(level, given)
    if line["exhaustive"] and not given.no_concrete:
        line["concrete_states"] = concrete_states(level, canonical_states(level))
    if given.tlc:
        # Not at the top: tests load this module by its path, where it has no neighbours.
        import tlc  # noqa: PLC0415

        modes = given.tlc_mode or ("plain", "symmetry")
        try:
            line["tlc"] = tlc.compared(given.tlc, level, modes, line, given.tlc_time_limit)
        except tlc.TlcError as error:
            parser.exit(1, f"{parser.prog}: {error}\n")
    print(json.dumps(line))


if __name__ == "__main__":
    main()
