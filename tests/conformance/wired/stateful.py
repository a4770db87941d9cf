"""Problems of the StatefulSet controller: what its rules do to which pods, and then report.

The pods of a problem become a start of the model, each on a node and as far as it was. Its
templates are all revisions that there are, that of the set the last.
"""

from __future__ import annotations

from collections.abc import Iterator

from recorded.stateful import pod_views, set_view

from kubelemma.model.cluster.setting import Choices, Start
from kubelemma.model.cluster.state import NodeState, Phase, Queue, StatefulSetState, shifted
from kubelemma.model.cluster.world import (
    Behaviour,
    NodeShape,
    PodClass,
    Updates,
    Workload,
    World,
)
from kubelemma.model.components.statefulset.actions import CREATE_POD, DELETE_POD, FIND_GONE
from kubelemma.model.components.statefulset.decision import ENDED, PodView, SetView
from kubelemma.model.components.statefulset.keys import STATEFULSET, sync_name
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.system import System

from . import Case, Found, matched

IDENTITY = "pods of the model always bear the labels of their ordinal"
NAMELESS = "pods of the model have an ordinal in their names"
DELETING = "a set that is being deleted is gone at once"


def compare(case: Case) -> Found:
    """Whether the rules do what the real controller did."""
    given = case["input"]
    view, pods = set_view(given), pod_views(given)
    others = [p.revision for p in pods if p.revision not in (view.current, view.update)]
    revisions = tuple(dict.fromkeys((*others, view.current, view.update)))
    if view.deleting:
        return Found(skipped=DELETING)
    if any(pod.ordinal < 0 for pod in pods):
        return Found(skipped=NAMELESS)
    if any(not pod.identified for pod in pods):
        return Found(skipped=IDENTITY)
    world = _world(view, pods, len(revisions))
    system = assemble(world, (_start(world, view, pods, revisions),), (), Choices())
    acts, current = _first_sync(world, system)
    name = given["statefulSet"]["metadata"]["name"]
    told = [_told(name, act, revisions) for act in acts]
    if not view.ordered:
        told.sort()
    found = matched(told, case["expect"]["actions"], "actions")
    return (
        found
        if found.difference
        else matched(
            str(revisions[current]), _reported(view, case["expect"]["status"]), "current revision"
        )
    )


def _reported(view: SetView, status: Case) -> str:
    """The current revision once an update that is done is reported as such."""
    counts = (status["updatedReplicas"], status["readyReplicas"], status["replicas"])
    done = not view.strategy.on_delete and counts == (view.replicas,) * len(counts)
    return str(status["updateRevision"] if done else status["currentRevision"])


def _told(name: str, act: tuple[str, int, int], revisions: tuple[object, ...]) -> str:
    verb, ordinal, template = act
    behind = f" {revisions[template]}" if verb == "create" else ""
    return f"{verb} {name}-{ordinal}{behind}"


def _first_sync(world: World, system: System) -> tuple[list[tuple[str, int, int]], int]:
    """What the first sync does to pods, in one of its orders, and the current revision then."""
    (at,) = system.positions[sync_name(world.workloads[0])]
    (cell,) = system.positions[world.workloads[0].cell]
    acts, state, begun = [], system.initial, False
    while True:
        steps = [s for s in system.successors(state) if s.rule.actor == STATEFULSET]
        if not steps or (begun and state[at] == system.initial[at]):
            return acts, state[cell].current
        step = steps[0]
        action = step.outcome.action
        if action in (CREATE_POD, DELETE_POD, FIND_GONE):
            found = world.classes[int(str(dict(step.outcome.arguments)["class"]))]
            verb = "create" if action == CREATE_POD else "delete"
            acts.append((verb, found.ordinal, found.template))
        state, begun = step.state, True


def _world(view: SetView, pods: tuple[PodView, ...], templates: int) -> World:
    wanted = range(view.start, view.start + view.replicas)
    ordinals = tuple(sorted({*wanted, *(pod.ordinal for pod in pods)})) or (0,)
    classes = tuple(_classes(templates, ordinals))
    updates = Updates(
        ordered=view.ordered,
        on_delete=view.strategy.on_delete,
        partition=view.strategy.partition,
        max_unavailable=None,
        start=view.start,
        revision_history_limit=10,
    )
    workload = Workload(
        index=0,
        kind="StatefulSet",
        namespace="default",
        name="web",
        classes=tuple(c.index for c in classes),
        templates=templates,
        ordinals=ordinals,
        updates=(updates,),
    )
    shape = NodeShape(Node(metadata=ObjectMeta(name="node")), (), "")
    return World((workload,), classes, (shape,), (1,), frozenset())


def _classes(templates: int, ordinals: tuple[int, ...]) -> Iterator[PodClass]:
    places = [(template, ordinal) for template in range(templates) for ordinal in ordinals]
    for index, (template, ordinal) in enumerate(places):
        yield PodClass(
            index=index,
            workload=0,
            template=template,
            pod=Pod(),
            behaviour=Behaviour.HEALTHY,
            min_ready_seconds=0,
            deletion_cost=0,
            selector=LabelSelector(),
            ordinal=ordinal,
        )


def _start(
    world: World, view: SetView, pods: tuple[PodView, ...], revisions: tuple[object, ...]
) -> Start:
    (workload,) = world.workloads
    node = NodeState(0)
    for pod in pods:
        pod_class = workload.class_of(revisions.index(pod.revision), pod.ordinal)
        node = node._replace(pods=shifted(node.pods, pod_class, _phase(pod), 1))
    newest = len(revisions) - 1
    state = StatefulSetState(
        view.replicas,
        newest,
        revisions.index(view.current),
        tuple(range(newest + 1)),
        view.current_replicas,
    )
    queue = Queue.of((0,) * len(workload.classes))
    return Start((state,), (queue,), (node,))


def _phase(pod: PodView) -> Phase:
    if pod.terminating:
        return Phase.TERMINATING
    if pod.phase in ENDED:
        return Phase.FAILED
    if pod.phase == "Pending":
        return Phase.ASSIGNED
    if not pod.ready:
        return Phase.STARTING
    return Phase.AVAILABLE if pod.available else Phase.READY
