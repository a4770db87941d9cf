"""What is observed of a state of the model, and how a state is made to show something else.

This is the one module here that knows how the model lays out its state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from kubelemma.model.system import State
from kubelemma.model.wiring.state import (
    IDLE,
    DeploymentState,
    NodeState,
    Phase,
    Pods,
    SetState,
    shifted,
)
from kubelemma.model.wiring.world import NODES, Workload, World

from .recorded import deployment_part, node_part, queue_part
from .roster import Roster
from .seen import DeploymentSeen, NodeSeen, Part, QueueSeen, Seen, SetSeen, Stage
from .world import Built

ACTORS: Mapping[str, frozenset[str]] = {
    "sa:deployment-controller": frozenset({"deployment-controller"}),
    "sa:replicaset-controller": frozenset({"replicaset-controller"}),
    "sa:node-controller": frozenset({"node-lifecycle-controller", "taint-eviction-controller"}),
    "system:kube-scheduler": frozenset({"scheduler"}),
    "kubelet": frozenset({"kubelet", "container"}),
}
"""Who in the model does what a writer of a run does; kubelets go by one name here."""

_STAGES: Mapping[int, Stage] = {
    Phase.ASSIGNED: Stage.ASSIGNED,
    Phase.STARTING: Stage.UNREADY,
    Phase.READY: Stage.READY,
    Phase.AVAILABLE: Stage.READY,
    Phase.TERMINATING: Stage.TERMINATING,
    Phase.REVOKED: Stage.TERMINATING,
}


@dataclass(frozen=True)
class Lens:
    """How states of one system are looked at, and written to."""

    built: Built
    roster: Roster

    @property
    def world(self) -> World:
        """The world that the states are of."""
        return self.built.world

    @cached_property
    def parts(self) -> Mapping[int, str]:
        """The names of the parts that are observed, by position in a state."""
        positions = self.built.system.positions
        found: dict[int, str] = {}
        for member, workload in zip(self.roster.members, self.world.workloads, strict=True):
            found[positions[workload.cell].start] = deployment_part(member)
            found[positions[workload.queue].start] = queue_part(member)
        for position, name in zip(positions[NODES], self.built.nodes, strict=True):
            found[position] = node_part(name)
        return found

    # What is seen

    def seen(self, state: State) -> Seen:
        """The observation of a state."""
        return {name: self.part(position, state[position]) for position, name in self.parts.items()}

    def part(self, position: int, value: Any) -> Part:
        """What is seen of one cell."""
        cache = self._cache
        key = (position, value)
        if key not in cache:
            cache[key] = self._part(value)
        return cache[key]

    @cached_property
    def _cache(self) -> dict[tuple[int, Any], Part]:
        return {}

    def _part(self, value: Any) -> Part:
        if isinstance(value, DeploymentState):
            sets = tuple(sorted(map(_set_seen, value.sets)))
            return DeploymentSeen(value.replicas, value.template, value.paused, sets)
        if isinstance(value, NodeState):
            return _node_seen(value)
        return QueueSeen(tuple(value))

    def kept(self, seen: Seen) -> Seen:
        """An observation of a run without what the model does not tell apart.

        A node is Ready or has its taints, which come and go with the condition; the number of pods
        in a ReplicaSet's status is kept where somebody reads it.
        """
        matters = {
            deployment_part(member): workload.status_replicas_matter
            for member, workload in zip(self.roster.members, self.world.workloads, strict=True)
        }
        return {name: _kept(part, matters.get(name, False)) for name, part in seen.items()}

    # How it is written

    def blank(self) -> State:
        """The state of a cluster in which nothing is."""
        return self.built.system.initial

    def fitted(self, state: State, wanted: Seen) -> tuple[State, ...]:
        """The state made to show what is wanted, in every way that may be meant."""
        choices: list[tuple[Any, ...]] = [(value,) for value in state]
        for position, name in self.parts.items():
            if self.part(position, state[position]) != wanted[name]:
                choices[position] = tuple(self._fitted(state[position], wanted[name]))
        return tuple(self._tidy(tuple(values)) for values in product(*choices))

    def _fitted(self, value: Any, wanted: Part) -> Iterator[Any]:
        if isinstance(wanted, DeploymentSeen):
            yield _fitted_deployment(value, wanted)
        elif isinstance(wanted, QueueSeen):
            yield wanted.pending
        else:
            yield from _fitted_nodes(self.world, value, wanted)

    def _tidy(self, state: State) -> State:
        """Nothing is remembered of a ReplicaSet that is not there."""
        after = list(state)
        for workload in self.world.workloads:
            there = {s.template for s in state[self._at(workload.cell)].sets}
            syncs = self._at(workload.syncs)
            after[syncs] = tuple(
                sync if template in there else IDLE for template, sync in enumerate(state[syncs])
            )
        return tuple(after)

    def powered(self, state: State, node: str, *, up: bool) -> State:
        """The state when a machine has stopped or works again; its pods are as the API has them."""
        if node not in self.built.nodes:
            return state
        position = self.built.system.positions[NODES][self.built.nodes.index(node)]
        return (*state[:position], state[position]._replace(up=up), *state[position + 1 :])

    def restarted(self, state: State) -> State:
        """The state when the controller manager has lost what it kept in memory."""
        after = list(state)
        for workload in self.world.workloads:
            cell, syncs = self._at(workload.cell), self._at(workload.syncs)
            after[cell] = state[cell]._replace(plan=())
            after[syncs] = (IDLE,) * len(workload.classes)
        return tuple(after)

    def settled(self, state: State) -> State:
        """The state with what events may still happen as it was at first."""
        initial = self.blank()
        after = list(state)
        for position in self._budgets:
            after[position] = initial[position]
        return tuple(after)

    def carried(self, state: State, into: Lens) -> State:
        """The state in another system of the same run, nodes that are new there being blank."""
        mine = dict(zip(self.built.nodes, self.built.system.positions[NODES], strict=True))
        after = list(into.blank())
        cells = len(self.built.system.cells)
        after[:cells] = state[:cells]
        for name, position in zip(
            into.built.nodes, into.built.system.positions[NODES], strict=True
        ):
            if name in mine:
                after[position] = state[mine[name]]._replace(shape=after[position].shape)
        return tuple(after)

    @cached_property
    def _budgets(self) -> tuple[int, ...]:
        cells = self.built.system.cells
        return tuple(i for i, cell in enumerate(cells) if cell.name.startswith("event "))

    def _at(self, cell: str) -> int:
        return self.built.system.positions[cell].start

    # What is in hand

    def in_hand(self, state: State, actor: str | None) -> tuple[str, ...]:
        """What a controller remembers that nobody else can see, in sentences."""
        found: list[str] = []
        for workload in self.world.workloads:
            if actor in (None, "sa:deployment-controller"):
                found += _plan_in_hand(workload, state[self._at(workload.cell)])
            if actor in (None, "sa:replicaset-controller"):
                found += _syncs_in_hand(workload, state[self._at(workload.syncs)])
        if actor in (None, "kubelet", "sa:node-controller"):
            nodes = zip(self.built.nodes, self.built.system.positions[NODES], strict=True)
            found += [f"the machine of Node {n} has stopped" for n, p in nodes if not state[p].up]
        return tuple(found)


# One cell


def _set_seen(found: SetState) -> SetSeen:
    return SetSeen(
        template=found.template,
        revision=found.revision,
        replicas=found.replicas,
        desired=found.desired,
        maximum=found.maximum,
        available=found.status_available,
        counted=found.status_replicas,
    )


def _node_seen(node: NodeState) -> NodeSeen:
    counts: Counter[tuple[int, int]] = Counter()
    for group in node.pods:
        counts[group.pod_class, int(_STAGES[group.phase])] += group.size
    pods = tuple(sorted((c, stage, n) for (c, stage), n in counts.items()))
    return NodeSeen(node.ready, not node.ready, node.evicting, node.cordoned, pods)


def _kept(part: Part, counted: bool) -> Part:  # noqa: FBT001
    if isinstance(part, NodeSeen):
        return part._replace(tainted=not part.ready, evicting=part.evicting and not part.ready)
    if isinstance(part, DeploymentSeen) and not counted:
        return part._replace(sets=tuple(s._replace(counted=0) for s in part.sets))
    return part


def _fitted_deployment(state: DeploymentState, wanted: DeploymentSeen) -> DeploymentState:
    """ReplicaSets stay in the order of their creation; what was planned for one that goes, goes."""
    by_template = {s.template: s for s in wanted.sets}
    known = [s.template for s in state.sets if s.template in by_template]
    new = sorted(t for t in by_template if t not in known)
    sets = tuple(_set_state(by_template[template]) for template in (*known, *new))
    plan = tuple(write for write in state.plan if write.template in by_template)
    return DeploymentState(wanted.replicas, wanted.template, wanted.paused, sets, plan)


def _set_state(seen: SetSeen) -> SetState:
    return SetState(
        template=seen.template,
        revision=seen.revision,
        replicas=seen.replicas,
        desired=seen.desired,
        maximum=seen.maximum,
        status_replicas=seen.counted,
        status_available=seen.available,
    )


def _fitted_nodes(world: World, node: NodeState, wanted: NodeSeen) -> Iterator[NodeState]:
    """Which of several groups that look alike a pod leaves is open."""
    before = {(c, stage): n for c, stage, n in _node_seen(node).pods}
    after = {(c, stage): n for c, stage, n in wanted.pods}
    ways: set[Pods] = {node.pods}
    for key in sorted(before.keys() | after.keys()):
        rise = after.get(key, 0) - before.get(key, 0)
        step = _added if rise > 0 else _removed
        for _ in range(abs(rise)):
            ways = {pods for way in ways for pods in step(world, way, *key)}
    for pods in sorted(ways):
        yield node._replace(
            ready=wanted.ready, evicting=wanted.evicting, cordoned=wanted.cordoned, pods=pods
        )


def _removed(_world: World, pods: Pods, pod_class: int, stage: int) -> Iterator[Pods]:
    for group in pods:
        if group.pod_class == pod_class and _STAGES[group.phase] == stage:
            yield shifted(pods, pod_class, Phase(group.phase), -1)


def _added(world: World, pods: Pods, pod_class: int, stage: int) -> Iterator[Pods]:
    ready = Phase.READY if world.classes[pod_class].min_ready_seconds else Phase.AVAILABLE
    phases: Mapping[int, Phase] = {
        Stage.ASSIGNED: Phase.ASSIGNED,
        Stage.UNREADY: Phase.STARTING,
        Stage.READY: ready,
        Stage.TERMINATING: Phase.TERMINATING,
    }
    yield shifted(pods, pod_class, phases[stage], 1)


def _plan_in_hand(workload: Workload, deployment: DeploymentState) -> list[str]:
    if not deployment.plan:
        return []
    writes = ", ".join(f"template {w.template + 1} to {w.replicas}" for w in deployment.plan)
    return [f"a sync of {workload.cell} has decided to resize ReplicaSets: {writes}"]


def _syncs_in_hand(workload: Workload, syncs: tuple[Any, ...]) -> list[str]:
    return [
        f"a sync of the ReplicaSet of template {template + 1} of {workload.cell} has read "
        f"spec.replicas {sync.read}" + (f" and still creates {sync.adds}" if sync.adds else "")
        for template, sync in enumerate(syncs)
        if sync != IDLE
    ]
