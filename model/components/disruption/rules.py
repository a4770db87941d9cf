"""The disruption controller: the status of budgets, which lags behind the pods.

Source: pkg/controller/disruption/disruption.go. A sync counts pods, and then PUTs what it has
counted with the version of the budget that it had read: an eviction that is granted in between
makes it fail, and it counts again. Pods whose eviction was granted do not count as healthy, whether
they are deleted already or not.

To count and to PUT is one step. A PUT that comes later could be taken for one that comes at once,
since in between nobody is granted anything by this budget, or it would fail. The one thing that may
happen by the older status is that unready pods go, while the newer one spares none of them; but
that one allows nothing at all, and so nothing comes of it. Recorded runs show the PUT when it
comes: there it is a step of its own (``Choices.every_write``).

Budgets are followed where somebody asks for evictions. Which pods ``disruptedPods`` names is a mark
of the pods themselves, and goes with them. An entry runs out after `DELETION_TIMEOUT`, if the pod
is not deleted by then; as requests end sooner, that is so only where the deletion got lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.cluster import columns
from kubelemma.model.cluster.component import (
    Component,
    Crowd,
    Parts,
    Telling,
    never,
)
from kubelemma.model.cluster.forgetting import NOTHING_IN_HAND, Forgetting, Loss
from kubelemma.model.cluster.owners import controller_of
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import (
    ACTIVE,
    Marks,
    NodeState,
    Phase,
    Pods,
    Queue,
    Specs,
    remarked,
)
from kubelemma.model.cluster.world import Bystander, NodeShape, Workload, World
from kubelemma.model.components.drain.actions import START_DRAIN
from kubelemma.model.components.eviction.actions import LOST_REQUEST
from kubelemma.model.components.kubelet.actions import NODE_FAILURES
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import rounded
from kubelemma.model.system import Cell, Named, Outcome, Rule, Tally

from .actions import ACTIONS, COUNT_DISRUPTIONS, GIVE_BACK_EVICTION, WRITE_BUDGET
from .budget import Budget, Disrupted, Status, covers
from .decision import (
    DELETION_TIMEOUT,
    Covered,
    MatchedPod,
    asks_scale,
    disruptions,
    still_disrupted,
)

DISRUPTION = "disruption-controller"
UNSCALED = ("DaemonSet", "Job")
"""Kinds of workloads without a scale subresource."""
READY = (Phase.READY, Phase.AVAILABLE)
BESIDE = (columns.SHAPE, columns.READY)
"""What tells of the pods that stand by on a node."""


class Counts(NamedTuple):
    """What a budget's status says, in pods."""

    expected: int
    healthy: int
    desired: int
    allowed: int


NO_COUNTS = Counts(0, 0, 0, 0)


class BudgetState(NamedTuple):
    """A budget's status, and in recorded runs what a sync has counted and not written yet."""

    status: Counts
    counted: Counts | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A budget that covers pods in focus.

    ``classes`` are those of its pods, ``standing`` how many pods it covers that stand by on each
    shape of node, ``standing_ready`` how many of these are Ready, ``scale`` what the workloads ask
    for that these belong to; None if the controller cannot find out, and its syncs fail.
    """

    budget: PodDisruptionBudget
    classes: frozenset[int]
    standing: tuple[int, ...]
    standing_ready: tuple[int, ...]
    scale: int | None

    @property
    def cell(self) -> str:
        """The name of its cell, which is also how people are told of it."""
        metadata = self.budget.metadata
        return f"PodDisruptionBudget {metadata.namespace}/{metadata.name}"

    @property
    def tally(self) -> str:
        """The name of the tally of its pods."""
        return f"pods of {self.cell}"

    def crowds(self, world: World) -> tuple[Workload, ...]:
        """The workloads in focus whose pods it covers, and pods that nobody owns."""
        own = {world.classes[index].workload for index in self.classes}
        return tuple(world.workloads[index] for index in sorted(own))

    def workloads(self, world: World) -> tuple[Workload, ...]:
        """The workloads in focus whose pods it covers, and which ask for a number of them."""
        return tuple(workload for workload in self.crowds(world) if workload.templates)

    def stored(self, state: BudgetState) -> Budget:
        """The budget as the API has it."""
        expected, healthy, desired, allowed = state.status
        return Budget(
            self.budget.spec,
            status=Status(
                expected_pods=expected,
                current_healthy=healthy,
                desired_healthy=desired,
                disruptions_allowed=allowed,
            ),
        )


def guards(world: World) -> tuple[Guard, ...]:
    """The budgets that cover pods in focus."""
    found = []
    for budget in world.objects_of(PodDisruptionBudget):
        classes = frozenset(c.index for c in world.classes if is_covered(budget, c.pod))
        covered = [[p for p in s.standing if is_covered(budget, p)] for s in world.shapes]
        if classes:
            standing = tuple(map(len, covered))
            are_ready = tuple(sum(map(is_ready, pods)) for pods in covered)
            scale = _scale_beside(world, budget)
            found.append(Guard(budget, classes, standing, are_ready, scale))
    return tuple(found)


def is_covered(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether a budget is about a pod."""
    same = budget.metadata.namespace == pod.metadata.namespace
    return same and covers(budget.spec.selector, pod.metadata.label_map())


def is_ready(pod: Pod) -> bool:
    """Whether a pod that stands by is Ready, as long as its node is; by default it is."""
    conditions = pod.status.conditions or ()
    return all(c.status == "True" for c in conditions if c.type == "Ready")


def _scale_beside(world: World, budget: PodDisruptionBudget) -> int | None:
    """What the workloads that stand by ask for, of which it covers pods.

    A workload that is not given asks for the pods of it that are there. Pods without a controller
    do not count, and those of a DaemonSet or a Job have no scale: None, if that is asked for.
    """
    owners: Counter[tuple[str, str]] = Counter()
    for shape, nodes in zip(world.shapes, world.sizes, strict=True):
        for pod in shape.standing:
            owner = _owner(pod)
            if owner is None or not is_covered(budget, pod):
                continue
            if owner[0] in UNSCALED and asks_scale(budget.spec):
                return None
            given = next((b for b in world.beside if _is_of(pod, b)), None)
            if given is not None:
                owners[given.kind, given.name] = given.replicas
            elif owner[0] not in UNSCALED:
                owners[owner] += nodes
    return owners.total()


def _owner(pod: Pod) -> tuple[str, str] | None:
    """The kind and the name of what controls a pod."""
    owner = controller_of(pod.metadata)
    return None if owner is None else (owner.kind, owner.name)


def _is_of(pod: Pod, workload: Bystander) -> bool:
    if workload.namespace != pod.metadata.namespace:
        return False
    if workload.selector is None:
        return _owner(pod) == (workload.kind, workload.name)
    return workload.selector.matches(pod.metadata.label_map())


# What a sync counts


Covering: TypeAlias = tuple[int, ...]
"""Pods that a budget covers: all, the healthy ones, and those of each workload in focus."""


def _tally(world: World, guard: Guard) -> Tally:
    """All pods that the budget covers: those on nodes, beside them, and without a node."""
    workloads = guard.workloads(world)

    def on_node(pods: Pods) -> Covering:
        own = [group for group in pods if group.pod_class in guard.classes]
        healthy = sum(g.size for g in own if g.phase in READY and not g.marks & Marks.EVICTED)
        each = (sum(g.size for g in own if g.pod_class in w.classes) for w in workloads)
        return sum(g.size for g in own), healthy, *each

    def beside(shape: int, ready: bool) -> Covering:  # noqa: FBT001 - a column's value
        healthy = guard.standing_ready[shape] if ready else 0
        return guard.standing[shape], healthy, *(0 for _ in workloads)

    def queued(workload: Workload) -> Callable[[Queue], Covering]:
        own = [t for t, c in enumerate(workload.classes) if c in guard.classes]

        def measure(queue: Queue) -> Covering:
            found = sum(queue.waiting[t] for t in own)
            return found, 0, *(found if w == workload else 0 for w in workloads)

        return measure

    measures: dict[Named, Callable[..., Covering]] = {
        w.queue: queued(w) for w in guard.crowds(world)
    }
    measures |= {columns.PODS: on_node, BESIDE: beside}
    return Tally(guard.tally, measures, 2 + len(workloads), each=columns.PODS)


def counted(guard: Guard, status: Counts, pods: Covering, *specs: Specs) -> Counts:
    """What a sync comes to that counts now; ``specs`` are those of the workloads in focus.

    A workload without any pod is not known to the controller, and asks for nothing. A sync that
    fails allows nothing, and leaves the rest of the status.
    """
    if guard.scale is None:
        return status._replace(allowed=0)
    known = zip(specs, pods[2:], strict=True)
    scale = guard.scale + sum(asked.replicas for asked, there in known if there)
    covered = Covered(pods[0], pods[1], scale)
    found = disruptions(guard.budget.spec, covered)
    return Counts(
        found.expected_pods,
        found.current_healthy,
        found.desired_healthy,
        found.disruptions_allowed,
    )


def _sync(guard: Guard, state: BudgetState, pods: Covering, *specs: Specs) -> Iterator[Outcome]:
    """Count and write."""
    now = counted(guard, state.status, pods, *specs)
    if now != state.status:
        why = f"healthy pods: {now.healthy}, desired {now.desired}"
        yield Outcome(WRITE_BUDGET, {guard.cell: BudgetState(now)}, (), why)


def _late_sync(guard: Guard, state: BudgetState, *seen: Any) -> Iterator[Outcome]:
    """Count, and write at once or later; what was counted before is written first."""
    if state.counted is not None:
        why = "it is what its sync had counted"
        yield Outcome(WRITE_BUDGET, {guard.cell: BudgetState(state.counted)}, (), why)
        return
    for outcome in _sync(guard, state, *seen):
        yield outcome
        later = state._replace(counted=outcome.writes[guard.cell].status)
        yield Outcome(COUNT_DISRUPTIONS, {guard.cell: later}, (), outcome.why)


# Evictions that were granted and got lost


def _run_out(pods: Pods) -> Iterator[Outcome]:
    """An entry of ``disruptedPods`` is dropped, and its pod is healthy again."""
    for group in pods:
        if not group.marks & Marks.LOST:
            continue
        entry = Disrupted("", since=0)
        pod = MatchedPod("", group.phase in READY, Phase(group.phase) not in ACTIVE)
        if not still_disrupted((entry,), (pod,), entry.since + DELETION_TIMEOUT + 1):
            marks = group.marks & ~(Marks.EVICTED | Marks.LOST)
            writes = {columns.PODS: remarked(pods, group, marks)}
            why = f"it is still there {DELETION_TIMEOUT} s after its eviction was granted"
            yield Outcome(GIVE_BACK_EVICTION, writes, (("class", group.pod_class),), why)


# The component


def count(
    world: World,
    guard: Guard,
    nodes: Iterable[NodeState],
    queue_of: Callable[[Workload], Queue],
    replicas_of: Callable[[Workload], int],
) -> Counts:
    """What a sync comes to where all is like this."""
    measures = _tally(world, guard).measures
    parts = []
    for node in nodes:
        parts += [measures[columns.PODS](node.pods), measures[BESIDE](node.shape, node.ready)]
    parts += [measures[workload.queue](queue_of(workload)) for workload in guard.crowds(world)]
    pods = tuple(map(sum, zip(*parts, strict=True)))
    sizes = map(replicas_of, guard.workloads(world))
    asked = (Specs(number, 0, paused=False, sets=()) for number in sizes)
    return counted(guard, NO_COUNTS, pods, *asked)


def _initial(setting: Setting, guard: Guard) -> BudgetState:
    """What the controller has written that has known the pods of the start for long."""
    start = setting.start

    def queue_of(workload: Workload) -> Queue:
        return start.queues[workload.index]

    return BudgetState(count(setting.world, guard, start.nodes, queue_of, start.replicas))


def followed(setting: Setting) -> tuple[Guard, ...]:
    """The budgets that somebody asks."""
    return guards(setting.world) if setting.may_happen(*EVICTING) else ()


def counted_in(setting: Setting) -> tuple[Guard, ...]:
    """The budgets whose pods are counted: those that somebody asks, or that a lost node breaks."""
    return guards(setting.world) if setting.may_happen(*EVICTING, *NODE_FAILURES) else ()


def _parts(setting: Setting) -> Parts:
    world, found = setting.world, followed(setting)
    pods = columns.PODS
    entries = Rule("entries of disruptedPods run out", DISRUPTION, (pods,), _run_out, each=pods)
    lost = found and setting.may_happen(LOST_REQUEST)
    return Parts(
        cells=tuple(Cell(guard.cell, _initial(setting, guard), BudgetState) for guard in found),
        tallies=tuple(_tally(world, guard) for guard in counted_in(setting)),
        rules=(*(_rule(setting, guard) for guard in found), *((entries,) if lost else ())),
    )


EVICTING = (START_DRAIN,)
"""The events that ask for evictions."""


def _rule(setting: Setting, guard: Guard) -> Rule:
    specs = (workload.tally("specs") for workload in guard.workloads(setting.world))
    outcomes: Any = partial(_late_sync if setting.choices.every_write else _sync, guard)
    return Rule(f"sync {guard.cell}", DISRUPTION, (guard.cell,), outcomes, (guard.tally, *specs))


def _forgets(setting: Setting) -> tuple[Forgetting, ...]:
    """Where a count is written at once there is nothing to forget."""
    late = followed(setting) if setting.choices.every_write else ()
    return tuple(map(_count_forgotten, late))


def _count_forgotten(guard: Guard) -> Forgetting:
    def lose(budget: BudgetState) -> Iterator[Loss]:
        why = "what its sync had counted is lost" if budget.counted else NOTHING_IN_HAND
        yield Loss({guard.cell: budget._replace(counted=None)}, why)

    what = f"the count of {guard.cell}"
    return Forgetting(what=what, actor=DISRUPTION, cells=(guard.cell,), lose=lose)


def _by_covered(crowd: Crowd) -> Telling:
    """Whose the pods are that stand by, of those that each budget covers, and which are Ready."""
    budgets = [found for found in crowd.objects if isinstance(found, PodDisruptionBudget)]

    def telling(shape: NodeShape) -> Hashable:
        covered = ([pod for pod in shape.standing if is_covered(b, pod)] for b in budgets)
        return tuple(tuple(sorted(f"{_owner(p)} {is_ready(p)}" for p in pods)) for pods in covered)

    return telling


def _assumes(setting: Setting) -> Iterator[str]:
    """The budgets, and those that nobody asks although a real drain would."""
    for guard in followed(setting):
        spec = guard.budget.spec
        bounds = (("minAvailable", spec.min_available), ("maxUnavailable", spec.max_unavailable))
        told = [f"{name} {bound}" for name, bound in bounds if bound is not None]
        yield f"{guard.cell}: {', '.join(told) or 'allows nothing'}"
    if not setting.may_happen(*EVICTING):
        return
    asked = [guard.budget for guard in followed(setting)]
    beside = [pod for shape in setting.world.shapes for pod in shape.standing]
    for budget in setting.world.objects_of(PodDisruptionBudget):
        if budget not in asked and any(is_covered(budget, pod) for pod in beside):
            name = f"{budget.metadata.namespace}/{budget.metadata.name}"
            yield f"PodDisruptionBudget {name} covers pods that stand by alone: it is not asked"


def _rounds(objects: tuple[Any, ...], pod: Pod, replicas: int) -> Hashable:
    """What the budgets that cover a pod allow, and ask for."""
    return tuple(
        (
            rounded(thing.spec.max_unavailable, replicas, up=True),
            rounded(thing.spec.min_available, replicas, up=True),
        )
        for thing in objects
        if isinstance(thing, PodDisruptionBudget) and is_covered(thing, pod)
    )


def _counting(objects: tuple[Any, ...], pod: Pod) -> Iterator[Hashable]:
    """The budgets that cover a pod."""
    for thing in objects:
        if isinstance(thing, PodDisruptionBudget) and is_covered(thing, pod):
            yield (type(thing), thing.metadata.namespace, thing.metadata.name)


COMPONENT = Component(
    name="disruption",
    rounds=_rounds,
    counting=_counting,
    distinguishes=_by_covered,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    assumes=_assumes,
    kinds=(PodDisruptionBudget,),
    forgets=_forgets,
)
