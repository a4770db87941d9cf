"""The least that a loss asks for: only the pods of lost nodes get new places.

``Base`` is a cluster in which everything is placed, read once; ``repaired`` then needs a few
milliseconds for a node. It is a heuristic: what it gives is to be checked, and where it gives
nothing, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kubelemma.model.objects.pod import Pod

from .chains import Chains, On, room_beside
from .collapse import collapse
from .displaced import alike, moves, workloads_of
from .facts import Facts, Ints
from .problem import Assignment, Placement, Problem
from .whatif import Reading, displaced, lose


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A problem with a complete placement; existing pods that may move count as placed, too.

    ``facts`` are of the problem in which these are workloads, after the problem's own, in the order
    of ``groups``: their likeness. ``on`` gives each workload's pods by node, ``free`` what is left.
    """

    problem: Problem
    facts: Facts
    groups: tuple[bytes, ...]
    on: tuple[On, ...]
    at: tuple[tuple[int, ...], ...]
    free: Ints

    @property
    def load(self) -> Ints:
        """The pods on each node that would have to move if it were lost."""
        pods = np.zeros(self.facts.nodes, dtype=np.int64)
        for on in self.on:
            for node, count in on.items():
                pods[node] += count
        return pods


def base(problem: Problem, placement: Placement) -> Base:
    """Read a problem and its complete placement."""
    moving = [pod for pod in problem.cluster.pods if moves(pod)]
    gone = set(map(id, moving))
    staying = tuple(pod for pod in problem.cluster.pods if id(pod) not in gone)
    more = tuple(workloads_of(moving, {w.name for w in problem.workloads}))
    groups = alike(moving)
    loose = Problem(replace(problem.cluster, pods=staying), (*problem.workloads, *more))
    facts = collapse(loose)
    numbers = {node.metadata.name: i for i, node in enumerate(problem.cluster.nodes)}
    on: list[On] = [{} for _ in loose.workloads]
    for a in placement.assignments:
        on[a.workload][a.node] = on[a.workload].get(a.node, 0) + a.count
    for w, pods in enumerate(groups.values(), start=len(problem.workloads)):
        for pod in pods:
            node = numbers[pod.spec.node_name]
            on[w][node] = on[w].get(node, 0) + 1
    return Base(
        problem, facts, tuple(groups), tuple(on), _at(on, facts.nodes), room_beside(facts, on)
    )


def _at(on: Sequence[On], nodes: int) -> tuple[tuple[int, ...], ...]:
    at: list[list[int]] = [[] for _ in range(nodes)]
    for w, there in enumerate(on):
        for node in there:
            at[node].append(w)
    return tuple(map(tuple, at))


@dataclass(frozen=True, slots=True)
class Loss:
    """What is lost: nodes of the base's problem, by index.

    ``after`` is the problem that is left; ``displaced`` are the existing pods that it has to place,
    as its last workloads.
    """

    nodes: frozenset[int]
    reading: Reading
    after: Problem
    displaced: tuple[Pod, ...]


def loss(problem: Problem, nodes: Collection[int], reading: Reading) -> Loss:
    """The loss of these nodes."""
    after = lose(problem, nodes, reading)
    return Loss(frozenset(nodes), reading, after, displaced(problem, nodes, reading))


def repaired(base: Base, lost: Loss) -> Placement | None:
    """A placement after the loss that moves what was on lost nodes, and little else.

    Existing pods on other nodes stay; of those that are to be placed anyway, some may make room.
    None if no such placement is found.
    """
    alive = np.ones(base.facts.nodes, dtype=np.bool_)
    alive[sorted(lost.nodes)] = False
    gone = lost.reading is Reading.GONE
    chains = Chains(
        base.facts,
        base.on,
        base.free,
        movable=len(base.problem.workloads),
        alive=alive,
        domains=alive if gone else None,
    )
    numbers = _renumbered(base, lost)
    on_lost = {(w, node) for node in lost.nodes for w in base.at[node] if numbers[w] >= 0}
    pods = [w for w, node in on_lost for _ in range(base.on[w][node])]
    pods.sort(key=lambda w: (-chains.size[w], w))
    found = all(map(chains.place, pods))
    return _placement_after(base, lost, numbers, chains) if found else None


def _placement_after(base: Base, lost: Loss, numbers: Sequence[int], chains: Chains) -> Placement:
    """The repaired placement, in terms of the problem after the loss."""
    nodes = {node.metadata.name: i for i, node in enumerate(lost.after.cluster.nodes)}
    new_node = [nodes.get(node.metadata.name, -1) for node in base.problem.cluster.nodes]
    found: dict[tuple[int, int], int] = {}
    for w, new_workload in enumerate(numbers):
        if new_workload >= 0:
            stayed = base.on[w] if w >= len(base.problem.workloads) else {}
            for node, count in chains.on(w).items():
                arrived = count - stayed.get(node, 0)
                if arrived:
                    found[new_workload, new_node[node]] = arrived
    return Placement(tuple(Assignment(w, n, count) for (w, n), count in sorted(found.items())))


def _renumbered(base: Base, lost: Loss) -> list[int]:
    """Each workload's number in the problem after the loss, -1 where it has none."""
    names = {w.name: i for i, w in enumerate(lost.after.workloads)}
    numbers = [names.get(w.name, -1) for w in base.problem.workloads]
    kept = sum(n >= 0 for n in numbers)
    groups = {group: i for i, group in enumerate(alike(lost.displaced), start=kept)}
    return numbers + [groups.get(group, -1) for group in base.groups]
