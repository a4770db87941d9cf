"""The model's system for a run, as its nodes and its workloads' settings are at some point.

What nobody in the model changes (labels, sizes and taints of nodes, pods of other kinds on them,
bounds of a rollout) may change in a run all the same: then there is another system from there on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.cluster.claims import owned
from kubelemma.model.cluster.owners import class_of_pods, controller_of
from kubelemma.model.cluster.setting import Choices, Event, Start
from kubelemma.model.cluster.state import (
    DeploymentState,
    LoneState,
    NodeState,
    OwnerState,
    Queue,
    StatefulSetState,
)
from kubelemma.model.cluster.world import (
    CONDITION_TAINTS,
    OUT_OF_SERVICE,
    Behaviour,
    NodeShape,
    PodClass,
    Updates,
    Workload,
    World,
)
from kubelemma.model.cluster.zones import zone_of
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.scenario.history import Template
from kubelemma.model.scenario.templates import kind_of
from kubelemma.model.system import System

from .cluster import Cluster
from .recorded import is_gone
from .roster import Member, Roster
from .roster import Template as Kept

ONCE = 1
"""The budget of every event: it is given back each time."""
_OF_NODES = (
    *("cordon", "uncordon", "drain", "out-of-service"),
    *("node-crash", "node-return", "api-server-outage"),
)


class Setting(NamedTuple):
    """What a system is built from; two of the same ``identity`` give the same.

    ``owners`` are those of the roster, as they are now.
    ``kubelets`` are nodes in their kubelets' own eyes, where these see something else.
    """

    identity: bytes
    owners: tuple[Any, ...]
    nodes: Mapping[str, Node]
    kubelets: Mapping[str, Node]
    standing: Mapping[str, tuple[Pod, ...]]
    namespaces: tuple[Namespace, ...]
    budgets: tuple[PodDisruptionBudget, ...]


class Built(NamedTuple):
    """A world and its system; ``nodes`` are the names of the members of the family, in order."""

    world: World
    system: System
    nodes: tuple[str, ...]


def setting_of(cluster: Cluster, roster: Roster, rooms: Mapping[str, Mapping[str, str]]) -> Setting:
    """The setting that the objects of a run make.

    ``rooms`` is what kubelets believe to be allocatable, by node.
    """
    there = {found.uid: found.value for found in cluster.owners()}
    owners = tuple(there.get(m.uid, m.first) for m in roster.owners)
    nodes = {name: _fixed(node) for name, node in cluster.nodes().items()}
    kubelets = {name: _with_room(nodes[name], rooms[name]) for name in nodes if rooms.get(name)}
    standing: dict[str, tuple[Pod, ...]] = dict.fromkeys(nodes, ())
    for found, pod in cluster.pods():
        node = pod.spec.node_name
        ours = roster.class_of_pod(cluster, found) is not None
        if node in standing and not ours and not is_gone(pod):
            standing[node] += (pod,)
    spaces = (s.value for s in cluster.of("Namespace").values())
    namespaces = tuple(space for space in spaces if isinstance(space, Namespace))
    budgets = tuple(map(_asked, cluster.budgets()))
    identity = msgspec.json.encode(
        (
            [
                (kind_of(o).rollout(o), kind_of(o).updates(o), kind_of(o).min_ready_seconds(o))
                for o in owners
            ],
            nodes,
            kubelets,
            {name: [_standing(pod) for pod in pods] for name, pods in standing.items()},
            [(n.metadata.name, n.metadata.labels) for n in namespaces],
            budgets,
        ),
        enc_hook=str,
        order="sorted",
    )
    return Setting(identity, owners, nodes, kubelets, standing, namespaces, budgets)


def build(setting: Setting, roster: Roster) -> Built:
    """The system: one shape for every node, and all events that users and faults may need."""
    classes = tuple(_classes(setting, roster))
    names = tuple(setting.nodes)
    world = World(
        workloads=tuple(_workloads(setting, roster)),
        classes=classes,
        shapes=tuple(
            NodeShape(
                node,
                setting.standing[name],
                zone_of(node.metadata.label_map()),
                name,
                setting.kubelets.get(name),
            )
            for name, node in setting.nodes.items()
        ),
        sizes=(1,) * len(names),
        unique_keys=frozenset(),
        namespaces=setting.namespaces,
        objects=setting.budgets,
    )
    start = Start(
        owners=tuple(map(_absent, roster.members)),
        queues=tuple(Queue.of((0,) * member.width) for member in roster.members),
        nodes=tuple(NodeState(shape) for shape in range(len(names))),
    )
    system = assemble(world, (start,), tuple(_events(roster, names)), Choices(every_write=True))
    return Built(world, system, names)


def _absent(member: Member) -> OwnerState | None:
    if not member.templates:
        return None
    if member.rolled_out:
        return DeploymentState(replicas=0, template=0, paused=True, sets=())
    return StatefulSetState(-1, 0, 0, ()) if member.ordinals else LoneState(-1)


def _fixed(node: Node) -> Node:
    """The node without what the model changes of it, and without what nobody reads."""
    written = {*CONDITION_TAINTS, OUT_OF_SERVICE}
    taints = tuple(t for t in node.spec.taints or () if t.key not in written)
    metadata = msgspec.structs.replace(node.metadata, annotations=None, uid="")
    spec = msgspec.structs.replace(node.spec, taints=taints, unschedulable=False)
    status = msgspec.structs.replace(node.status, conditions=None, images=None)
    return msgspec.structs.replace(node, metadata=metadata, spec=spec, status=status)


def _asked(budget: PodDisruptionBudget) -> PodDisruptionBudget:
    """What a budget asks for; what it reports is observed."""
    named = ObjectMeta(name=budget.metadata.name, namespace=budget.metadata.namespace)
    return PodDisruptionBudget(metadata=named, spec=budget.spec)


def _with_room(node: Node, room: Mapping[str, str]) -> Node:
    quantities = {name: Quantity.parse(amount) for name, amount in room.items()}
    allocatable = {**(node.status.allocatable or {}), **quantities}
    return msgspec.structs.replace(
        node, status=msgspec.structs.replace(node.status, allocatable=allocatable)
    )


def _standing(pod: Pod) -> object:
    deleted = pod.metadata.deletion_timestamp is not None
    return (pod.metadata.uid, pod.metadata.labels, deleted)


def _classes(setting: Setting, roster: Roster) -> Iterator[PodClass]:
    """One for each template, of pods as they were made where any were, and for each other look."""
    index = 0
    for workload, (member, owner) in enumerate(_with_owners(setting, roster)):
        made = tuple(_made(member, owner, index, workload))
        yield from made
        index += len(made)
        for further in member.further:
            like = made[further.template] if made else None
            controller = like and controller_of(like.pod.metadata)
            yield class_of_pods(
                owned(further.pod, controller) if controller else further.pod,
                index=index,
                workload=workload,
                template=further.template,
                behaviour=Behaviour.HEALTHY,
                min_ready_seconds=like.min_ready_seconds if like else 0,
                selector=like.selector if like else LabelSelector(),
            )
            index += 1


def _with_owners(setting: Setting, roster: Roster) -> Iterator[tuple[Member, Any]]:
    """All members, with the owner as it is for those that make pods."""
    owners = iter(setting.owners)
    for member in roster.members:
        yield member, next(owners) if member.templates else None


def _made(member: Member, owner: Any, first: int, workload: int) -> Iterator[PodClass]:
    places = [(number, n) for number in range(len(member.templates)) for n in member.ordinals]
    for index, (number, ordinal) in enumerate(places, first):
        like = _of_template(owner, member.templates[number])
        yield Template(like).pod_class(index, workload, number, ordinal=ordinal)
    for number, template in enumerate(() if places else member.templates):
        like = _of_template(owner, template)
        made = Template(like).pod_class(first + number, workload, number)
        yield replace(
            made,
            pod=template.pod or made.pod,
            selector=(template.pod and template.selector) or made.selector,
        )


def _of_template(owner: Any, template: Kept) -> Any:
    """The owner with one of its templates in its spec."""
    spec = msgspec.structs.replace(owner.spec, template=template.spec)
    return msgspec.structs.replace(owner, spec=spec)


def _workloads(setting: Setting, roster: Roster) -> Iterator[Workload]:
    first = 0
    names = Counter((member.namespace, member.name) for member in roster.members)
    for index, (member, owner) in enumerate(_with_owners(setting, roster)):
        yield Workload(
            index=index,
            kind=member.kind,
            namespace=member.namespace,
            name=member.name,
            classes=tuple(range(first, first + member.width)),
            templates=len(member.templates),
            rollout=kind_of(owner).rollout(owner) if member.templates else None,
            ordinals=member.ordinals,
            updates=(updates,) if (updates := _updates(owner)) is not None else (),
            qualified=names[member.namespace, member.name] > 1,
            others=tuple(f.template for f in member.further) if member.templates else (),
        )
        first += member.width


def _updates(owner: Any) -> Updates | None:
    return None if owner is None else kind_of(owner).updates(owner)


def _events(roster: Roster, nodes: tuple[str, ...]) -> Iterator[Event]:
    for index, member in enumerate(roster.members):
        for action in ("rollout", "rollback", "pause", "resume") if member.rolled_out else ():
            yield Event(action, ONCE, workload=index)
        yield Event("user-delete-pod", ONCE, workload=index)
        yield Event("probe-failure", ONCE, workload=index)
        for size in member.sizes:
            yield Event("scale", ONCE, workload=index, value=size)
    for action in _OF_NODES if nodes else ():
        yield Event(action, ONCE)
