"""Where a run contradicts a property: the property's terms with their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from kubelemma.model.cluster.state import (
    ACTIVE,
    ADMITTED,
    Counts,
    DeploymentState,
    Marks,
    NodeState,
    Phase,
    Queue,
    Sync,
)
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.model.system import State
from kubelemma.properties.deployment import promised
from kubelemma.properties.formula import Converges, Formula, LeadsTo
from kubelemma.properties.overcommitment import overcommitted
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Contradiction, Fact
from kubelemma.reports.style import plural
from kubelemma.solver.result import Trace

from .bounds import bounds_of
from .cast import node_name, replica_set_name, set_name, workload_name
from .custom import terms_of
from .picture import PHASES, usages
from .written import Written


class Moment(NamedTuple):
    """The state in which a property is belied, the one before it, and after how many steps."""

    scenario: Scenario
    before: State
    state: State
    step: int
    written: Written

    def deployment(self, workload: Workload) -> DeploymentState:
        """What the API has of a Deployment."""
        found: DeploymentState = self.state[self.scenario.system.positions[workload.cell].start]
        return found

    def counts(self, name: str) -> Counts:
        """One of the sums over the state, by template."""
        found: Counts = self.scenario.system.summary(self.state)[name]
        return found

    def set_name(self, workload: Workload, template: int) -> str:
        """The name of a ReplicaSet."""
        return replica_set_name(self.scenario, workload, template)

    def nodes(self) -> Iterator[tuple[str, NodeState, NodeState]]:
        """Each node by name, before and after the step."""
        for position in self.scenario.system.positions[NODES]:
            name = node_name(self.scenario, position)
            yield name, self.before[position], self.state[position]


class Claim(NamedTuple):
    """A promise with its values in one sentence, and what they are."""

    sentence: str
    terms: tuple[Fact, ...]


OfWorkload: TypeAlias = Callable[[Moment, Workload], Iterator[Claim]]
OfNodes: TypeAlias = Callable[[Moment], Iterator[Claim]]


def contradictions(
    scenario: Scenario, prop: Property, trace: Trace, written: Written
) -> tuple[Contradiction, ...]:
    """The claims that the run belies; none for a property that has no terms here."""
    moment = _moment(scenario, prop.formula, trace, written)
    claims = list(_OF_NODES[prop.id](moment)) if prop.id in _OF_NODES else []
    for workload in scenario.world.workloads:
        if prop.subject == workload.cell and prop.id in _OF_WORKLOADS:
            claims += _OF_WORKLOADS[prop.id](moment, workload)
    terms = terms_of(scenario, prop, moment.state)
    if terms:
        there = "; ".join(f"{term.name} ({term.value})" for term in terms)
        claims.append(Claim(f"The objects are now: {there}", terms))
    return tuple(Contradiction(claim.sentence, claim.terms, moment.step) for claim in claims)


def _moment(scenario: Scenario, formula: Formula, trace: Trace, written: Written) -> Moment:
    """The last state; of a loop that leaves its goal, the last one outside of it."""
    states = trace.states()
    at = len(states) - 1
    if trace.loop_start is not None and isinstance(formula, Converges | LeadsTo):
        outside = (
            step
            for step in range(at, trace.loop_start, -1)
            if not all(formula.goal(*s) for s in scenario.system.look(formula.view, states[step]))
        )
        at = next(outside, at)
    return Moment(scenario, states[max(at - 1, 0)], states[at], at, written)


# Deployments


def _surge(moment: Moment, workload: Workload) -> Iterator[Claim]:
    deployment = moment.deployment(workload)
    bounds = bounds_of(moment.written, workload, deployment.replicas)
    total = sum(s.replicas for s in deployment.sets)
    yield Claim(
        f"The ReplicaSets now ask for {plural(total, 'pod')} in all, more than the {bounds.most} "
        f"that are allowed: spec.replicas {bounds.replicas} + maxSurge {bounds.surge}",
        (*_sizes(moment, workload), *bounds.facts[:2]),
    )


def _availability(moment: Moment, workload: Workload) -> Iterator[Claim]:
    deployment = moment.deployment(workload)
    available = sum(moment.counts(workload.tally("available")))
    desired = min([deployment.replicas, *(s.desired for s in deployment.sets if s.replicas)])
    bounds = bounds_of(moment.written, workload, desired)
    yield Claim(
        f"The last deletion leaves {available} available, fewer than the {bounds.least} promised: "
        f"spec.replicas {bounds.replicas} - maxUnavailable {bounds.unavailable}",
        (
            Fact("available pods", str(available)),
            Fact("promised", str(promised(workload, deployment))),
            bounds.facts[0],
            bounds.facts[2],
        ),
    )


def _one_version(moment: Moment, workload: Workload) -> Iterator[Claim]:
    alive = moment.counts(workload.tally("alive"))
    sets = [s for s in moment.deployment(workload).sets if alive[s.template]]
    counts = " and ".join(f"{alive[s.template]} of {revision_hash(s.template)}" for s in sets)
    yield Claim(
        f"Pods of {len(sets)} versions exist at the same time: {counts}",
        (
            *(
                Fact(f"pods of {moment.set_name(workload, s.template)}", str(alive[s.template]))
                for s in sets
            ),
            Fact(
                "spec.strategy.type",
                "Recreate",
                moment.written.at(workload, "spec", "strategy", "type"),
            ),
        ),
    )


def _complete(moment: Moment, workload: Workload) -> Iterator[Claim]:
    deployment = moment.deployment(workload)
    available = moment.counts(workload.tally("available"))
    active = moment.counts(workload.tally("active"))
    current = revision_hash(deployment.template)
    name = workload_name(moment.scenario, workload)
    parts = [_standing(moment, workload, s.template) for s in deployment.sets]
    new = available[deployment.template]
    replaced = sum(n for t, n in enumerate(active) if t != deployment.template)
    yield Claim(
        f"{name} should have {plural(deployment.replicas, 'available pod')} of {current} and no "
        f"others; it has {' and '.join(parts)}",
        (
            _replicas(moment, workload),
            Fact("current template", current),
            Fact(f"available pods of {current}", f"{new} of {deployment.replicas}"),
            Fact("pods of older templates", str(replaced)),
            *_sizes(moment, workload),
            Fact("complete", "False"),
        ),
    )


def _standing(moment: Moment, workload: Workload, template: int) -> str:
    """How one version stands, such as ``0 available of v2 (ReplicaSet of 1, 1 pending)``."""
    deployment = moment.deployment(workload)
    available = moment.counts(workload.tally("available"))[template]
    size = next(s.replicas for s in deployment.sets if s.template == template)
    queue: Queue = moment.state[moment.scenario.system.positions[workload.queue].start]
    waiting = queue.waiting[template]
    pending = f", {waiting} pending" if waiting else ""
    return f"{available} available of {revision_hash(template)} (ReplicaSet of {size}{pending})"


def _templates(moment: Moment, workload: Workload) -> Iterator[Claim]:
    templates = [s.template for s in moment.deployment(workload).sets]
    twice = sorted({t for t in templates if templates.count(t) > 1})
    names = ", ".join(map(revision_hash, twice))
    yield Claim(
        f"Several ReplicaSets have the template {names}",
        tuple(Fact(f"ReplicaSets of {revision_hash(t)}", str(templates.count(t))) for t in twice),
    )


def _sizes(moment: Moment, workload: Workload) -> Iterator[Fact]:
    for replica_set in moment.deployment(workload).sets:
        name = moment.set_name(workload, replica_set.template)
        yield Fact(f"spec.replicas of ReplicaSet {name}", str(replica_set.replicas))


def _replicas(moment: Moment, workload: Workload) -> Fact:
    replicas = moment.deployment(workload).replicas
    return Fact("spec.replicas", str(replicas), moment.written.replicas(workload, replicas))


# ReplicaSets


def _unsettled(moment: Moment, workload: Workload) -> Iterator[Claim]:
    active = moment.counts(workload.tally("active"))
    for replica_set in moment.deployment(workload).sets:
        have = active[replica_set.template]
        if have != replica_set.replicas:
            name = moment.set_name(workload, replica_set.template)
            yield Claim(
                f"ReplicaSet {name} asks for {plural(replica_set.replicas, 'pod')} and has {have} "
                "active",
                (
                    Fact(f"spec.replicas of ReplicaSet {name}", str(replica_set.replicas)),
                    Fact(f"active pods of ReplicaSet {name}", str(have)),
                ),
            )


def _too_many(moment: Moment, workload: Workload) -> Iterator[Claim]:
    active = moment.counts(workload.tally("active"))
    positions = moment.scenario.system.positions
    for replica_set in moment.deployment(workload).sets:
        sync: Sync = moment.state[positions[workload.sync(replica_set.template)].start]
        have, asked = active[replica_set.template], replica_set.replicas
        if have + sync.adds > asked:
            name = moment.set_name(workload, replica_set.template)
            yield Claim(
                f"ReplicaSet {name} now has {plural(have, 'active pod')} and {sync.adds} to come, "
                f"more than its spec.replicas of {asked}",
                (
                    Fact(f"spec.replicas of ReplicaSet {name}", str(asked)),
                    Fact(f"active pods of ReplicaSet {name}", str(have)),
                    Fact("left to create", str(sync.adds)),
                ),
            )


def _victim(moment: Moment, workload: Workload) -> Iterator[Claim]:
    """By phase, the active pods among which one was chosen to be deleted."""
    for name, before, after in moment.nodes():
        for index in workload.classes:
            lost = [p for p in ACTIVE if _size(before, index, p) > _size(after, index, p)]
            if lost:
                own = moment.set_name(workload, workload.classes.index(index))
                yield Claim(
                    f"A pod of ReplicaSet {own} on {name} was chosen ({PHASES[lost[0]]}), "
                    "while another ranks before it",
                    tuple(_phases(moment, index)),
                )


def _phases(moment: Moment, index: int) -> Iterator[Fact]:
    workload = moment.scenario.world.workloads[moment.scenario.world.classes[index].workload]
    queue = moment.before[moment.scenario.system.positions[workload.queue].start]
    yield Fact("pods without a node", str(queue.free[workload.classes.index(index)]))
    for name, before, _ in moment.nodes():
        for phase in ACTIVE:
            if _size(before, index, phase):
                yield Fact(f"{PHASES[phase]} on {name}", str(_size(before, index, phase)))


def _size(node: NodeState, index: int, phase: Phase) -> int:
    """How many pods are in a phase, and not chosen yet."""
    return sum(
        g.size
        for g in node.pods
        if (g.pod_class, g.phase) == (index, phase) and not g.marks & Marks.CHOSEN
    )


# Nodes


def _overcommitted(moment: Moment, phases: tuple[Phase, ...]) -> Iterator[Claim]:
    world = moment.scenario.world
    for name, _, node in moment.nodes():
        for resource in overcommitted(world, node, phases):
            used = {u.resource: u for u in usages(world.node_info(node, phases))}[resource]
            yield Claim(
                f"{name} has too little {resource}: its pods request {used.requested} of "
                f"{used.allocatable}",
                (
                    Fact(f"{resource} requested on {name}", used.requested),
                    Fact(f"{resource} allocatable on {name}", used.allocatable),
                ),
            )


def _left_behind(moment: Moment) -> Iterator[Claim]:
    world = moment.scenario.world
    for name, _, node in moment.nodes():
        held = [
            group
            for group in node.pods
            if Phase(group.phase) in ACTIVE and not world.tolerates_unreachable(group.pod_class)
        ]
        if held and not node.up:
            pods = sum(group.size for group in held)
            yield Claim(
                f"{name} is down, and {plural(pods, 'pod')} on it will not be deleted",
                (
                    Fact(f"machine of {name}", "down"),
                    Fact(f"Ready of {name}", "True" if node.ready else "Unknown"),
                    Fact(f"taint NoExecute on {name}", "present" if node.evicting else "absent"),
                    *(
                        Fact(f"pods of {set_name(moment.scenario, g.pod_class)}", str(g.size))
                        for g in held
                    ),
                ),
            )


_OF_WORKLOADS: Mapping[str, OfWorkload] = MappingProxyType(
    {
        "DEP-1": _surge,
        "DEP-2": _availability,
        "DEP-3": _one_version,
        "DEP-4": _complete,
        "DEP-6": _templates,
        "STUCK": _complete,
        "RS-1": _unsettled,
        "RS-2": _too_many,
        "RS-4": _victim,
    }
)
_OF_NODES: Mapping[str, OfNodes] = MappingProxyType(
    {
        "SCH-2": partial(_overcommitted, phases=tuple(Phase)),
        "KUB-7": partial(_overcommitted, phases=ADMITTED),
        "NODE-2": _left_behind,
    }
)
