"""What is observed of a state of the model, and how a state is made to show something else.

This module and ``fitting`` are those here that know how the model lays out its state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from kubelemma.model.cluster.state import (
    ACTIVE,
    IDLE,
    DeploymentState,
    Group,
    LoneState,
    Marks,
    NodeState,
    Queue,
    SetState,
    StatefulSetState,
    Sync,
    Verb,
    remarked,
    unmarked,
)
from kubelemma.model.cluster.world import NODES, Workload, World
from kubelemma.model.components.deployment.rules import overtaken
from kubelemma.model.components.disruption.decision import asks_scale
from kubelemma.model.components.disruption.rules import DISRUPTION as COUNTING
from kubelemma.model.components.disruption.rules import BudgetState, Counts, Guard, guards
from kubelemma.model.components.drain.rules import DRAIN
from kubelemma.model.components.eviction.rules import API_SERVER as EVICTION
from kubelemma.model.components.eviction.rules import OF_DRAINS
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, settled, unknown
from kubelemma.model.components.podgc.rules import POD_GC
from kubelemma.model.components.replicaset.keys import (
    REPLICASET,
    REPLICATION,
    actor_of,
)
from kubelemma.model.components.statefulset.keys import IDLE as NO_SYNC
from kubelemma.model.components.statefulset.keys import (
    STATEFULSET,
    Aim,
    SetSync,
    sync_name,
)
from kubelemma.model.system import Action, Outcome, Rule, State

from .fitting import (
    fitted_deployment,
    fitted_lone,
    fitted_members,
    fitted_nodes,
    fitted_queues,
    node_seen,
    with_possible_plan,
)
from .recorded import ABSENT, node_part, owner_part, queue_part
from .roster import Roster
from .seen import BudgetSeen, NodeSeen, OwnerSeen, Part, QueueSeen, Seen, SetSeen
from .world import Built

API_SERVER = "system:apiserver"
DISRUPTION = "sa:disruption-controller"
DRIVER = "driver"
"""Who asks for evictions, as everybody who is a user."""

ACTORS: Mapping[str, frozenset[str]] = {
    "sa:deployment-controller": frozenset({"deployment-controller"}),
    "sa:replicaset-controller": frozenset({REPLICASET}),
    "sa:replication-controller": frozenset({REPLICATION}),
    "sa:statefulset-controller": frozenset({STATEFULSET}),
    "sa:node-controller": frozenset({"node-lifecycle-controller", "taint-eviction-controller"}),
    "sa:pod-garbage-collector": frozenset({POD_GC}),
    "system:kube-scheduler": frozenset({"scheduler"}),
    "kubelet": frozenset({"kubelet", "container"}),
    DISRUPTION: frozenset({COUNTING}),
    API_SERVER: frozenset({DRAIN}),
    DRIVER: frozenset({DRAIN, EVICTION}),
}
"""Who in the model does what a writer of a run does; kubelets go by one name here.

A user's eviction is written by the API server in both names: its own where a budget is spent, the
user's where the pod is deleted. What else a user writes is not judged.
"""

WILFUL = frozenset({API_SERVER, DRIVER, None})
"""Who may write because somebody wants a pod evicted, be it any."""


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
            found[positions[workload.queue].start] = queue_part(member)
            if member.templates:
                found[positions[workload.cell].start] = owner_part(member)
        for position, name in zip(positions[NODES], self.built.nodes, strict=True):
            found[position] = node_part(name)
        return found | {self._at(guard.cell): guard.cell for guard in self._guards}

    @cached_property
    def _guards(self) -> tuple[Guard, ...]:
        """The budgets that are followed."""
        there = self.built.system.positions
        return tuple(guard for guard in guards(self.world) if guard.cell in there)

    # What is seen

    def seen(self, state: State) -> Seen:
        """The observation of a state."""
        return {name: self.part(position, state[position]) for position, name in self.parts.items()}

    def part(self, position: int, value: Any) -> Part:
        """What is seen of one cell."""
        cache = self._cache
        key = (position, value)
        if key not in cache:
            cache[key] = _kept(self._part(value), counted=position not in self._uncounted)
        return cache[key]

    @cached_property
    def _cache(self) -> dict[tuple[int, Any], Part]:
        return {}

    def _part(self, value: Any) -> Part:
        if isinstance(value, DeploymentState | LoneState):
            sets = tuple(sorted(map(_set_seen, value.sets)))
            absent = value.replicas < 0
            return OwnerSeen(max(value.replicas, 0), value.template, value.paused or absent, sets)
        if isinstance(value, StatefulSetState):
            if value.absent:
                return ABSENT
            return OwnerSeen(
                value.replicas, value.template, paused=False, sets=(), current=value.current
            )
        if isinstance(value, NodeState):
            return node_seen(value)
        if isinstance(value, BudgetState):
            return BudgetSeen(*value.status)
        return QueueSeen(value.waiting)

    def kept(self, seen: Seen) -> Seen:
        """An observation of a run without what the model does not tell apart.

        The NoSchedule taint goes when the node turns Ready; the number of pods in a ReplicaSet's
        status is kept where somebody reads it. Budgets of nobody here are not followed, and where
        a number of pods must be available, how many are expected is nothing but the number of pod
        objects, with those of pods that have ended.
        """
        counted = {name: at not in self._uncounted for at, name in self.parts.items()}
        return {
            name: _kept(part, counted=counted[name])
            for name, part in seen.items()
            if name in counted
        }

    @cached_property
    def _uncounted(self) -> frozenset[int]:
        """The parts of which the number of pods there are is left out."""
        cells = [w.cell for w in self.world.owners if not w.status_replicas_matter]
        cells += [g.cell for g in self._guards if not asks_scale(g.budget.spec)]
        return frozenset(map(self._at, cells))

    # How it is written

    def blank(self) -> State:
        """The state of a cluster in which nothing is."""
        return self.built.system.initial

    def fitted(self, state: State, wanted: Seen) -> tuple[State, ...]:
        """The state made to show what is wanted, in every way that may be meant."""
        choices: list[tuple[Any, ...]] = [(value,) for value in state]
        for position, name in self.parts.items():
            if self.part(position, state[position]) != wanted[name]:
                choices[position] = tuple(self._fitted(state, position, wanted[name]))
        return tuple(self._tidy(tuple(values)) for values in product(*choices))

    def _fitted(self, state: State, position: int, wanted: Part) -> Iterator[Any]:
        value = state[position]
        if isinstance(wanted, OwnerSeen) and isinstance(value, LoneState):
            yield fitted_lone(wanted)
        elif isinstance(wanted, OwnerSeen) and isinstance(value, StatefulSetState):
            yield fitted_members(value, wanted)
        elif isinstance(wanted, OwnerSeen):
            yield from self._fitted_deployment(state, position, wanted)
        elif isinstance(wanted, QueueSeen):
            yield from fitted_queues(value, wanted)
        elif isinstance(wanted, BudgetSeen):
            yield BudgetState(Counts(*wanted))
        else:
            yield from fitted_nodes(self.world, value, wanted)

    def _fitted_deployment(
        self, state: State, position: int, wanted: OwnerSeen
    ) -> Iterator[DeploymentState]:
        """A sync under way may have read before, as before the writes of others in the model."""
        workload = next(w for w in self.world.owners if self._at(w.cell) == position)
        after = fitted_deployment(state[position], wanted)
        changed = Outcome(Action(""), {workload.cell: after})
        rule = Rule("", "", (workload.cell,), lambda _: [changed])
        (writing,) = overtaken(workload, [rule])
        summary = self.built.system.summary(state)
        reads = (summary[name] for name in writing.reads)
        for outcome in writing.outcomes(state[position], *reads):
            yield with_possible_plan(outcome.writes[workload.cell])

    def _tidy(self, state: State) -> State:
        """Nothing is in hand for a ReplicaSet that is not there."""
        after = list(state)
        for workload in self.world.owners:
            there = {s.template for s in state[self._at(workload.cell)].sets}
            for template, sync in enumerate(workload.syncs):
                if template not in there:
                    after[self._at(sync)] = IDLE
            if workload.ordinals and state[self._at(workload.cell)].absent:
                after[self._at(sync_name(workload))] = NO_SYNC
        return tuple(after)

    def powered(self, state: State, node: str, *, up: bool) -> State:
        """The state when a machine has stopped or works again; its pods are as the API has them."""
        if node not in self.built.nodes:
            return state
        position = self._nodes[self.built.nodes.index(node)]
        return (*state[:position], state[position]._replace(up=up), *state[position + 1 :])

    def restarted(self, state: State) -> State:
        """The state when the controller manager has lost what it kept in memory."""
        after = list(state)
        for workload in self.world.owners:
            cell, queue = self._at(workload.cell), self._at(workload.queue)
            if workload.rollout is not None:
                after[cell] = state[cell]._replace(plan=())
            after[queue] = Queue.of(state[queue].waiting)
            for sync in workload.syncs:
                after[self._at(sync)] = IDLE
            if workload.ordinals:
                after[self._at(sync_name(workload))] = NO_SYNC
        for guard in self._guards:
            position = self._at(guard.cell)
            after[position] = state[position]._replace(counted=None)
        for position in self._nodes:
            after[position] = _without_victims(self.world, state[position])
        if self.built.nodes:
            memory = self._at(LIFECYCLE)
            after[memory] = state[memory]._replace(zones=unknown(self.world), fresh=True)
        return tuple(after)

    def outdated(self, state: State) -> State:
        """The state when nobody could reach the API server for a while."""
        if not self.built.nodes:
            return state
        position = self._at(LIFECYCLE)
        after = state[position]._replace(outdated=True)
        return (*state[:position], after, *state[position + 1 :])

    def refused(self, state: State, pod_class: int) -> tuple[State, ...]:
        """The state when the API server has refused to create a pod of a class.

        What is left of the same batch may still be created, the rest is not tried.
        """
        described = self.world.classes[pod_class]
        workload = self.world.workloads[described.workload]
        if workload.ordinals:
            position = self._at(sync_name(workload))
            after = state[position]._replace(writes=())
            return ((*state[:position], after, *state[position + 1 :]),)
        position = self._at(workload.sync(described.template))
        sync = state[position]
        return tuple(
            (*state[:position], sync._replace(adds=left), *state[position + 1 :])
            for left in range(sync.adds)
        )

    def listed(self, state: State) -> State:
        """The state in which somebody wants every pod on a node evicted."""
        return self._remarked(state, lambda group: group.marks | Marks.LISTED)

    def unlisted(self, state: State) -> State:
        """The state in which nobody wants any pod evicted."""
        return self._remarked(state, lambda group: group.marks & ~OF_DRAINS)

    def granted(self, state: State, node: str, pod_class: int) -> bool:
        """Whether the eviction of a pod of this class on a node is paid for and still to come."""
        pods = state[self._nodes[self.built.nodes.index(node)]].pods
        return any(g.pod_class == pod_class and g.marks & Marks.EVICTED for g in pods)

    def _remarked(self, state: State, marks: Callable[[Group], int]) -> State:
        after = list(state)
        for position in self._nodes:
            pods = state[position].pods
            for group in state[position].pods:
                if group.phase in ACTIVE and marks(group) != group.marks:
                    for _ in range(group.size):
                        pods = remarked(pods, group, marks(group))
            after[position] = state[position]._replace(pods=pods)
        return tuple(after)

    def told_apart(self, state: State) -> State:
        """The state without what budgets count for nobody, and syncs that would write nothing."""
        after = list(state)
        for guard in self._guards:
            position = self._at(guard.cell)
            status, counted = state[position]
            if position in self._uncounted:
                status = status._replace(expected=0)
                counted = counted and counted._replace(expected=0)
            after[position] = BudgetState(status, None if counted == status else counted)
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
        mine = dict(zip(self.built.nodes, self._nodes, strict=True))
        after = list(into.blank())
        for cell in into.built.system.cells:
            if cell.name in self.built.system.positions:
                after[into._at(cell.name)] = state[self._at(cell.name)]
        for name, position in zip(into.built.nodes, into._nodes, strict=True):
            if name in mine:
                after[position] = state[mine[name]]._replace(shape=after[position].shape)
        if self.built.nodes and self.world.zones() != into.world.zones():
            there = [after[position] for position in into._nodes]
            after[into._at(LIFECYCLE)] = settled(into.world, there)
        return tuple(after)

    @property
    def _nodes(self) -> range:
        return self.built.system.positions[NODES]

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
        for workload in self.world.owners:
            rolled = workload.rollout is not None
            if rolled and actor in (None, "sa:deployment-controller"):
                found += _plan_in_hand(workload, state[self._at(workload.cell)])
            if workload.ordinals:
                if actor in (None, "sa:statefulset-controller"):
                    found += _set_sync_in_hand(workload, state[self._at(sync_name(workload))])
            elif actor is None or actor_of(workload) in ACTORS.get(actor, ()):
                for template, sync in enumerate(workload.syncs):
                    found += _sync_in_hand(workload, template, state[self._at(sync)])
                    found += self._victims_in_hand(workload, template, state)
        if actor in (None, DISRUPTION):
            found += [
                f"a sync of {guard.cell} has counted {counted.healthy} healthy pods"
                f" and {counted.expected} expected ones"
                for guard in self._guards
                if (counted := state[self._at(guard.cell)].counted) is not None
            ]
        nodes = list(zip(self.built.nodes, self._nodes, strict=True))
        if actor in (None, "sa:node-controller") and nodes:
            memory = state[self._at(LIFECYCLE)]
            found += ["it takes all nodes for new ones"] if memory.fresh else []
            found += ["its caches may lag since the API server was away"] if memory.outdated else []
            judged = zip(self.world.zones(), memory.zones, strict=True)
            found += [f"zone {name or 'without a name'}: {zone.state}" for name, zone in judged]
        if actor in (None, "kubelet", "sa:node-controller"):
            found += [f"the machine of Node {n} has stopped" for n, p in nodes if not state[p].up]
        return tuple(found)

    def _victims_in_hand(self, workload: Workload, template: int, state: State) -> Iterator[str]:
        name = f"template {template + 1} of {workload.cell}"
        queue, members = state[self._at(workload.queue)], workload.members(template)
        waiting = sum(queue.chosen[slot] for slot in workload.slots(template))
        if waiting:
            yield f"it has chosen {waiting} pods of {name} without a node to delete"
        for node, position in zip(self.built.nodes, self._nodes, strict=True):
            chosen = sum(
                group.size
                for group in state[position].pods
                if group.pod_class in members and group.marks & Marks.CHOSEN
            )
            if chosen:
                yield f"it has chosen {chosen} pods of {name} on Node {node} to delete"


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


def _kept(part: Part, *, counted: bool) -> Part:
    if isinstance(part, NodeSeen):
        return part._replace(tainted=part.tainted and not part.ready)
    if isinstance(part, OwnerSeen) and not counted:
        return part._replace(sets=tuple(s._replace(counted=0) for s in part.sets))
    if isinstance(part, BudgetSeen) and not counted:
        return part._replace(expected=0)
    return part


def _without_victims(world: World, node: NodeState) -> NodeState:
    pods = node.pods
    for pod_class in range(len(world.classes)):
        pods = unmarked(pods, pod_class, Marks.CHOSEN)
    return node._replace(pods=pods)


_VERBS: Mapping[int, str] = {
    Verb.REVISE: "make {} the newest revision",
    Verb.CREATE: "create {} with {} replicas",
    Verb.RESIZE: "resize {} to {}",
    Verb.DELETE: "delete {}",
}


def _plan_in_hand(workload: Workload, deployment: DeploymentState) -> list[str]:
    if not deployment.plan:
        return []
    writes = (
        _VERBS[write.verb].format(
            f"the ReplicaSet of template {write.template + 1}", write.replicas
        )
        for write in deployment.plan
    )
    return [f"a sync of {workload.cell} has decided to {', '.join(writes)}"]


def _set_sync_in_hand(workload: Workload, sync: SetSync) -> list[str]:
    if sync == NO_SYNC:
        return []
    does = {Aim.MISSING: "create"}
    writes = [
        f"{does.get(Aim(write.aim), 'delete')} {workload.name}-{write.ordinal}"
        for write in sync.writes
    ]
    return [f"a sync of {workload.cell} has decided to {', '.join(writes) or 'write its status'}"]


def _sync_in_hand(workload: Workload, template: int, sync: Sync) -> list[str]:
    if sync == IDLE:
        return []
    parts = [
        *([f"still creates {sync.adds}"] if sync.adds else []),
        *([f"still chooses {sync.choosing} victims"] if sync.choosing else []),
        *([f"writes the status {sync.status.available} available"] if sync.status else []),
    ]
    name = f"the ReplicaSet of template {template + 1} of {workload.cell}"
    return [f"a sync of {name} {' and '.join(parts)}"]
