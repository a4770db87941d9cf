"""The fixed part of a scenario: workloads, pod classes, node shapes; states refer to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec

from kubelemma.model.components.apiserver.decision import (
    DEFAULT_GRACE_SECONDS,
    Deletion,
    StoredPod,
    delete,
)
from kubelemma.model.components.nodelifecycle.decision import (
    MEMORY_PRESSURE,
    NOT_READY,
    UNREACHABLE,
)
from kubelemma.model.components.scheduler.decision import image_locality
from kubelemma.model.components.scheduler.decision.contribution import total
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.taints import UNSCHEDULABLE_TAINT
from kubelemma.model.components.tainteviction.decision import min_toleration_seconds
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.node import Effect, Namespace, Node, Taint
from kubelemma.model.objects.pod import Pod, PodAffinity
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.versions import MODELLED, Version

from .clouds import unsettled
from .state import (
    HOLDING,
    Ailment,
    AnyNode,
    Group,
    Phase,
    Pods,
    Taints,
    shifted,
    still_awaited,
    without,
)

Kind = TypeVar("Kind")

NODES = "nodes"
"""The symmetric family of all nodes; its members are `NodeState` values."""

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""The taint with which somebody says that a machine is off, and stays so for now."""

CONDITION_TAINTS = frozenset({UNREACHABLE, NOT_READY, UNSCHEDULABLE_TAINT.key})
"""Taints that mirror the state of a node: they follow it here, whatever was given."""
AILMENT_KEYS: Mapping[Ailment, str] = {
    Ailment.UNREACHABLE: UNREACHABLE,
    Ailment.NOT_READY: NOT_READY,
    Ailment.MEMORY_PRESSURE: MEMORY_PRESSURE,
}
"""The key of the taints for what is wrong with a node."""
OUT_OF_SERVICE_TAINT = Taint(key=OUT_OF_SERVICE, value="nodeshutdown", effect="NoExecute")


class Behaviour(StrEnum):
    """What the containers of a template do once started."""

    HEALTHY = "healthy"
    NEVER_READY = "neverReady"
    CRASH_LOOPING = "crashLooping"
    IMAGE_CANNOT_BE_PULLED = "imageCannotBePulled"
    INIT_FAILS = "initFails"
    POST_START_FAILS = "postStartFails"
    PROBE_ERRS = "probeErrs"
    """By what their template says: a probe asks for a port that no container has."""
    GATE_NEVER_TRUE = "gateNeverTrue"


_UNREADY = frozenset({Behaviour.NEVER_READY, Behaviour.POST_START_FAILS, Behaviour.PROBE_ERRS})
NEVER_READY = _UNREADY | {Behaviour.GATE_NEVER_TRUE}
"""Of templates whose containers are started and whose pods never become Ready."""

IN_VAIN = _UNREADY | {Behaviour.IMAGE_CANNOT_BE_PULLED, Behaviour.INIT_FAILS}
"""Of templates that are broken themselves: nobody expects that a pod ever becomes Ready."""

SAID_BY_NONE = frozenset({Behaviour.HEALTHY, Behaviour.PROBE_ERRS})
"""Of templates of which no scenario says what becomes of their containers."""
SOUND = SAID_BY_NONE | {Behaviour.GATE_NEVER_TRUE}
"""Of templates of which no scenario says that they fail: an end of their rollout is promised."""


@dataclass(frozen=True, slots=True)
class PodClass:
    """All pods of one template of one workload that are alike, in labels and owner, too.

    ``pod`` is what the API server stores for one of them, without a name or a node; ``selector``
    that of its ReplicaSet, empty where it has none. ``refused`` says why the API server stores no
    further one of them, in its words; empty where it does. ``ordinal`` is what tells pods of a
    template apart that have an identity, of which there is one of each; -1 where they have none.
    """

    index: int
    workload: int
    template: int
    pod: Pod
    behaviour: Behaviour
    min_ready_seconds: int
    deletion_cost: int
    selector: LabelSelector
    refused: str = ""
    ordinal: int = -1

    @property
    def gated(self) -> bool:
        """Whether scheduling gates keep these pods out of the queue."""
        return bool(self.pod.spec.scheduling_gates)

    @property
    def node_name(self) -> str:
        """The node that the template itself names, bypassing the scheduler; empty for none."""
        return self.pod.spec.node_name


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a workload is taken from one template to the next; ``recreate`` is the strategy."""

    recreate: bool
    max_surge: IntOrPercent
    max_unavailable: IntOrPercent
    revision_history_limit: int


class Updates(NamedTuple):
    """How a workload whose pods have an identity is scaled and updated.

    Attributes:
        ordered: whether one pod waits for another (podManagementPolicy OrderedReady).
        on_delete: whether only pods that somebody deletes are made anew.
        partition: below which pods stay as they are; None: nothing is said.
        max_unavailable: of how many pods at once a rollout makes do without; None: nothing is said.
        start: the ordinal of the first pod.
        revision_history_limit: how many old ControllerRevisions are kept.
        deletes_claims: whether a scale-down has claims deleted with their pods.
    """

    ordered: bool
    on_delete: bool
    partition: int | None
    max_unavailable: IntOrPercent | None
    start: int
    revision_history_limit: int
    deletes_claims: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """An owner of pods under check, of whatever kind; or pods that nobody owns.

    Attributes:
        classes: the indices of the classes of its pods; those of its templates come first, in
            their order, and then those that labels or adoption have made of others.
        templates: how many templates it has; none of pods without an owner.
        others: the template to whose ReplicaSet each of the further classes belongs.
        rollout: how it is rolled out at the start; None where its kind has no such thing.
        later: how else it may be rolled out, once it has been applied anew.
        ordinals: what tells apart the pods of each template, where these have an identity; then
            there is a class for each template and ordinal, those of a template side by side.
        updates: how it is updated, if its pods have one: at the start, and once applied anew.
        renewed: of a ReplicaSet that nobody controls the class of the pods that it makes once
            another template has been applied; -1 where none is.
        status_read: whether loaded code sees its status.
        qualified: whether another workload has the same namespace and name.
    """

    index: int
    kind: str
    namespace: str
    name: str
    classes: tuple[int, ...]
    templates: int
    rollout: Rollout | None = None
    status_read: bool = False
    qualified: bool = False
    others: tuple[int, ...] = ()
    later: tuple[Rollout, ...] = ()
    renewed: int = -1
    ordinals: tuple[int, ...] = ()
    updates: tuple[Updates, ...] = ()

    @property
    def made(self) -> int:
        """How many of its classes are of its templates; the others come behind them."""
        return self.templates * (len(self.ordinals) or 1)

    @property
    def rollouts(self) -> tuple[Rollout, ...]:
        """All ways in which it may be rolled out, by number: the first is that of the start."""
        return () if self.rollout is None else (self.rollout, *self.later)

    @property
    def cell(self) -> str:
        """The name of its cell, which is also how people are told of it."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def label(self) -> str:
        """What it is called where its namespace and name say who is meant, if they do."""
        return self.cell if self.qualified else f"{self.namespace}/{self.name}"

    @property
    def queue(self) -> str:
        """The name of the cell with its pods that have no node."""
        return f"pods without a node of {self.label}"

    def sync(self, template: int) -> str:
        """The name of the cell with what the ReplicaSet controller has in hand for a template."""
        return f"ReplicaSet sync of {self.label}, template {template}"

    @property
    def syncs(self) -> tuple[str, ...]:
        """The names of the cells of all templates' syncs."""
        templates = 0 if self.ordinals else self.templates
        return tuple(self.sync(template) for template in range(templates))

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of all its cells; of pods that nobody owns there is nothing but the pods."""
        return (*((self.cell,) if self.templates else ()), self.queue, *self.syncs)

    def members(self, template: int) -> tuple[int, ...]:
        """The classes of the pods that belong to a template's ReplicaSet, its own first."""
        further = zip(self.classes[self.made :], self.others, strict=False)
        return (*self.of_template(template), *(c for c, own in further if own == template))

    def of_template(self, template: int) -> tuple[int, ...]:
        """The classes of the pods that are made of a template."""
        width = len(self.ordinals) or 1
        return self.classes[template * width : (template + 1) * width]

    def one_of(self, template: int) -> int:
        """A class of the pods that are made of a template: the only one, or the first."""
        return self.of_template(template)[0]

    def class_of(self, template: int, ordinal: int) -> int:
        """The class of the pod of a template with this ordinal, or of all where none has any."""
        at = self.ordinals.index(ordinal) if self.ordinals else 0
        return self.of_template(template)[at]

    def slots(self, template: int) -> tuple[int, ...]:
        """Where its queue has the pods of a template's ReplicaSet."""
        return tuple(map(self.slot, self.members(template)))

    def slot(self, pod_class: int) -> int:
        """Where its queue has the pods of a class."""
        return self.classes.index(pod_class)

    def crowd(self, pod_class: int) -> str:
        """What the pods of a class are called."""
        slot = self.slot(pod_class)
        if not self.templates:
            return self.label if slot == 0 else f"{self.label}, {slot + 1}"
        if slot >= self.made:
            return f"{self.label}, others {slot - self.made + 1}"
        template, at = divmod(slot, len(self.ordinals) or 1)
        named = f"-{self.ordinals[at]}" if self.ordinals else ""
        return f"{self.label}{named}, template {template}"

    @property
    def recreate(self) -> bool:
        """Whether all old pods have to go before a new one comes, now or later."""
        return any(rollout.recreate for rollout in self.rollouts)

    @property
    def outgrows_history(self) -> bool:
        """Whether it may have more old ReplicaSets than are kept."""
        return any(self.templates - 1 > r.revision_history_limit for r in self.rollouts)

    @property
    def status_replicas_matter(self) -> bool:
        """Whether anybody reads ``status.replicas`` of a ReplicaSet; else it is not kept."""
        return self.recreate or self.outgrows_history or self.status_read

    def tally(self, what: str) -> str:
        """The name of one of its tallies or bests."""
        return f"{what} of {self.label}"


class Bystander(NamedTuple):
    """A workload that stands by, and how many pods it asks for.

    ``selector`` tells its pods where what controls them is something that it has made itself;
    else they name it.
    """

    kind: str
    namespace: str
    name: str
    replicas: int
    selector: LabelSelector | None = None


@dataclass(frozen=True, slots=True)
class NodeShape:
    """Nodes that nothing tells apart: one representative, and the pods that stand by on each.

    ``zone`` is that of the node lifecycle controller. ``name`` is given only where something refers
    to this very node. ``kubelet`` is the node in its kubelet's own eyes where that differs from
    what the API shows: of it counts what is allocatable.
    """

    node: Node
    standing: tuple[Pod, ...]
    zone: str
    name: str = ""
    kubelet: Node | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Everything that does not change in a scenario.

    ``sizes`` is the number of nodes of each shape. ``unique_keys`` are the topology keys of which
    every node has a value of its own: the host name, or nothing. ``follows_terminating`` is False
    where a pod that terminates makes no difference to anybody: then it is dropped when deleted.
    ``objects`` are those of the kinds that components read beside pods, nodes and workloads,
    ``beside`` the workloads that stand by. ``kubernetes`` is the version whose behaviour it is.
    """

    workloads: tuple[Workload, ...]
    classes: tuple[PodClass, ...]
    shapes: tuple[NodeShape, ...]
    sizes: tuple[int, ...]
    unique_keys: frozenset[str]
    namespaces: tuple[Namespace, ...] = ()
    follows_terminating: bool = True
    objects: tuple[Any, ...] = ()
    beside: tuple[Bystander, ...] = ()
    kubernetes: Version = MODELLED

    # What the API shows

    def node(self, state: AnyNode) -> Node:
        """The Node object."""
        shape = self.shapes[state.shape].node
        given = (t for t in shape.spec.taints or () if t.key not in CONDITION_TAINTS)
        taints = (*given, *condition_taints(state))
        spec = msgspec.structs.replace(shape.spec, taints=taints, unschedulable=state.cordoned)
        node = msgspec.structs.replace(shape, spec=spec)
        return unsettled(node, state.unsettled) if state.unsettled else node

    def node_info(self, state: AnyNode, phases: Iterable[Phase] = HOLDING) -> NodeInfo:
        """The node with its pods in these phases, and those that stand by."""
        wanted = frozenset(int(p) for p in phases)
        pods = [
            pod
            for group in state.pods
            if group.phase in wanted
            for pod in [self._stored(group)] * group.size
        ]
        return NodeInfo(self.node(state), (*self.shapes[state.shape].standing, *pods))

    def kubelet_info(self, state: AnyNode, phases: Iterable[Phase]) -> NodeInfo:
        """The node as its kubelet sees it, with its pods in these phases, and those that stand by.

        Source: pkg/kubelet/kubelet_getters.go, ``getNodeAnyWay``: its cache of the Node, or what it
        has found out itself.
        """
        seen = self.node_info(state, phases)
        own = self.shapes[state.shape].kubelet
        if own is None:
            return seen
        return NodeInfo(msgspec.structs.replace(seen.node, status=own.status), seen.pods)

    def blank_nodes(self) -> tuple[NodeInfo, ...]:
        """A node of each shape, without pods."""
        return tuple(NodeInfo(shape.node) for shape in self.shapes)

    def _stored(self, group: Group) -> Pod:
        pod = self.classes[group.pod_class].pod
        if group.phase not in (Phase.TERMINATING, Phase.REVOKED, Phase.ENDED):
            return pod
        metadata = msgspec.structs.replace(pod.metadata, deletion_timestamp="1970-01-01T00:00:00Z")
        return msgspec.structs.replace(pod, metadata=metadata)

    def objects_of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """The objects of one kind, in the order in which they were given."""
        return tuple(found for found in self.objects if isinstance(found, kind))

    # What rules ask again and again

    def deleted(self, pods: Pods, group: Group) -> Pods:
        """The pods of a node after a DELETE of one of a group, with the grace that it asks for.

        Whoever had chosen it has nothing left to do about it but to wait.
        """
        grace = self.classes[group.pod_class].pod.spec.termination_grace_period_seconds
        stored = StoredPod(
            bound=True, grace_seconds=DEFAULT_GRACE_SECONDS if grace is None else grace
        )
        rest = without(pods, group)
        if self.follows_terminating and delete(stored) is Deletion.TERMINATING:
            after = Phase.REVOKED if group.phase == Phase.ASSIGNED else Phase.TERMINATING
            return shifted(rest, group.pod_class, after, 1, still_awaited(group.marks))
        return rest

    def existing(self, workload: Workload) -> str:
        """The name of the tally of a workload's pods, by template, with those that terminate."""
        return workload.tally("alive" if self.follows_terminating else "active")

    @property
    def owners(self) -> tuple[Workload, ...]:
        """The workloads that make pods."""
        return tuple(workload for workload in self.workloads if workload.templates)

    def existing_by_class(self, workload: Workload) -> str:
        """The name of the tally of a workload's pods by class, with those that terminate."""
        plain = len(workload.classes) == workload.templates and not workload.ordinals
        return self.existing(workload) if plain else workload.tally("pods by class")

    def all_pods(self) -> tuple[Pod, ...]:
        """One pod of each class, and all that stand by."""
        standing = (pod for shape in self.shapes for pod in shape.standing)
        return (*(c.pod for c in self.classes), *standing)

    def values_of(self, key: str) -> tuple[str, ...]:
        """The values that nodes have for a label, sorted."""
        found = (shape.node.metadata.label_map().get(key) for shape in self.shapes)
        return tuple(sorted({value for value in found if value is not None}))

    def zones(self) -> tuple[str, ...]:
        """All zones that nodes are in, sorted; nodes without one have one of their own."""
        return tuple(sorted({shape.zone for shape in self.shapes}))

    def affinity_keys(self) -> frozenset[str]:
        """The topology keys of all affinity terms, required or preferred, of all pods."""
        return frozenset(
            key
            for pod in self.all_pods()
            if pod.spec.affinity is not None
            for part in (pod.spec.affinity.pod_affinity, pod.spec.affinity.pod_anti_affinity)
            if part is not None
            for key in _topology_keys(part)
        )

    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of each namespace, by name."""
        return {n.metadata.name: n.metadata.label_map() for n in self.namespaces}

    def image_holders(self) -> Mapping[str, int]:
        """The number of nodes that hold each image, by name of image."""
        return total(
            {image: count * size for image, count in image_locality.contribution(info).items()}
            for info, size in zip(self.blank_nodes(), self.sizes, strict=True)
        )

    def tolerates(self, pod_class: int, ailment: Ailment = Ailment.UNREACHABLE) -> bool:
        """Whether these pods are never evicted from a node with which this is wrong."""
        return self._toleration_seconds(pod_class, _taints_of(ailment, "NoExecute")) is None

    def evicted_after(self, pod_class: int, node: AnyNode) -> int | None:
        """For how many seconds these pods tolerate the node's NoExecute taints; None: for ever."""
        return self._toleration_seconds(pod_class, self.node(node).spec.taints or ())

    def _toleration_seconds(self, pod_class: int, taints: tuple[Taint, ...]) -> int | None:
        return min_toleration_seconds(self.classes[pod_class].pod.spec.tolerations or (), taints)


def _topology_keys(part: PodAffinity) -> Iterator[str]:
    for term in part.required or ():
        yield term.topology_key
    for weighted in part.preferred or ():
        yield weighted.pod_affinity_term.topology_key


def condition_taints(state: AnyNode | Taints) -> tuple[Taint, ...]:
    """The taints that mirror the state of a node, and the one that somebody may put on it."""
    present = ((state.cordoned, UNSCHEDULABLE_TAINT), (state.out_of_service, OUT_OF_SERVICE_TAINT))
    return (
        *_taints_of(state.tainted, "NoSchedule"),
        *_taints_of(state.evicting, "NoExecute"),
        *(taint for there, taint in present if there),
    )


@cache
def _taints_of(ailments: int, effect: Effect) -> tuple[Taint, ...]:
    keys = (key for ailment, key in AILMENT_KEYS.items() if ailments & ailment)
    return tuple(Taint(key=key, effect=effect) for key in keys)
