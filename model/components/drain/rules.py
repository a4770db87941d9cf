"""``kubectl drain``: somebody who cordons a node, lists its pods, and goes on until these are gone.

Source: staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go. To begin is an event; what follows is
somebody's will, as fair as a controller: an eviction that is refused for now is asked for again.

A drain ends when its pods are gone. Where no machine may be down every pod that is deleted goes in
the end, whatever else happens, so nothing is lost if the drain is taken to be done with it then;
elsewhere it waits for pods that terminate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from kubelemma.model.cluster.columns import CORDONED, PODS, SHAPE
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    Crowd,
    EventKind,
    Parts,
    Telling,
)
from kubelemma.model.cluster.events import USER, on_node
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import (
    ACTIVE,
    Group,
    Marks,
    Phase,
    Pods,
    remarked,
    still_awaited,
)
from kubelemma.model.cluster.world import NodeShape, PodClass, World
from kubelemma.model.components.disruption.rules import BudgetState, Guard, guards
from kubelemma.model.components.eviction.rules import OF_DRAINS, evict
from kubelemma.model.components.kubelet.actions import NODE_FAILURES
from kubelemma.model.components.users.actions import UNCORDON
from kubelemma.model.objects.pod import MIRROR, Pod
from kubelemma.model.system import Outcome, Rule, Tally

from .actions import (
    ACTIONS,
    DRAIN_DELETE,
    DRAIN_TIMES_OUT,
    GIVE_UP_EVICTION,
    REFUSE_DRAIN,
    START_DRAIN,
)
from .decision import (
    USUAL,
    Controller,
    Fate,
    ListedPod,
    Options,
    Then,
    after_eviction,
    is_gone,
    removes,
    verdict,
)

DRAIN = "kubectl-drain"
EVER = 10**9
"""More seconds than any drain waits that does not wait for ever."""
LISTED = "pods that a drain is yet to remove"
"""Tally: how many there are, with those that it still waits for."""


def _listed_pod(pod: Pod) -> ListedPod:
    owners = pod.metadata.owner_references or ()
    kinds = [owner.kind for owner in owners if owner.controller]
    controller = Controller.OTHER if kinds else Controller.NONE
    if "DaemonSet" in kinds:
        controller = Controller.DAEMON_SET
    volumes = pod.spec.volumes or ()
    return ListedPod(
        controller,
        mirror=MIRROR in pod.metadata.annotation_map(),
        empty_dir=any(v.empty_dir is not None for v in volumes),
    )


def _options(event: Event) -> Options:
    return USUAL if event.options is None else event.options


def _rules_of_event(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    change = partial(_drain, awaits=_awaits(setting, event))
    seen, writes = (SHAPE, CORDONED, PODS), (CORDONED, PODS)
    for rule in on_node(START_DRAIN, change, seen, writes=writes).rules(setting, event, budget):
        yield replace(rule, outcomes=partial(_attempt, setting.world, event, rule.outcomes))


def _attempt(
    world: World, event: Event, drains: Callable[..., Iterable[Outcome]], *seen: Any
) -> Iterator[Outcome]:
    """A drain that is refused is told apart: it may leave all as it was, and has failed."""
    shape, _, pods = seen[-3:]
    for outcome in drains(*seen):
        refused = refusal(world, _options(event), shape, pods)
        yield outcome._replace(action=REFUSE_DRAIN) if refused else outcome


def _awaits(setting: Setting, event: Event) -> bool:
    """Whether a drain may wait for ever for a pod that terminates, so that this is followed."""
    down = any(not node.up for node in setting.start.nodes) or setting.may_happen(*NODE_FAILURES)
    return down and not is_gone(found=True, same=True, overdue=EVER, options=_options(event))


def _drain(
    world: World,
    event: Event,
    shape: int,
    cordoned: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
    *,
    awaits: bool,
) -> Iterator[tuple[dict[str, Any], str, int]]:
    """It cordons the node, then lists its pods, once: whatever arrives later is left alone.

    Both are one step: no pod that respects the cordon arrives in between, and others might have
    been there before. If a single pod may not be removed, none is. Pods that terminate already are
    removed like others, which changes nothing, and then waited for.
    """
    refused = refusal(world, _options(event), shape, pods)
    after, why = pods, "kubectl drain cordons the node and lists its pods"
    if refused:
        why = f"kubectl drain cordons the node, and refuses to go on: {refused}"
    for group in () if refused else pods:
        marks = _marks(_options(event), awaits=awaits)
        if Phase(group.phase) not in ACTIVE:
            marks = still_awaited(marks)
        for _ in range(group.size):
            after = remarked(after, group, (group.marks & ~OF_DRAINS) | marks)
    if refused or not cordoned or after != pods:
        yield {CORDONED: True, PODS: after}, why, -1


def refusal(world: World, options: Options, shape: int, pods: Pods) -> str:
    """Why a drain of a node of this shape would remove nothing; empty where it would."""
    listed = [world.classes[group.pod_class].pod for group in pods]
    beside = world.shapes[shape].standing
    verdicts = [verdict(_listed_pod(pod), options) for pod in (*listed, *beside)]
    if removes(verdicts):
        return ""
    return next(v.message for v in verdicts if v.fate is Fate.REFUSED)


def options_of(events: Iterable[Event]) -> tuple[Options, ...]:
    """How nodes are drained by these events."""
    return tuple(dict.fromkeys(_options(event) for event in events if event.action == START_DRAIN))


def _marks(options: Options, *, awaits: bool) -> int:
    """What is in mind for a pod of the list; a later drain of the node has its own way."""
    given = (
        (Marks.UNASKED, options.disable_eviction),
        (Marks.TIMED, options.timeout > 0),
        (Marks.AWAITED, awaits),
    )
    return Marks.LISTED | sum(mark for mark, is_given in given if is_given)


# What it goes on with


def _rules(setting: Setting) -> Iterator[Rule]:
    world = setting.world
    found = guards(world)
    for pod_class in world.classes:
        covering = tuple(g for g in found if pod_class.index in g.classes)
        workload = world.workloads[pod_class.workload]
        name = f"drain {workload.crowd(pod_class.index)}"
        cells = (PODS, *(guard.cell for guard in covering))
        outcomes = partial(_remove, world, pod_class, covering)
        yield Rule(name, DRAIN, cells, outcomes, each=PODS)


def _remove(
    world: World,
    pod_class: PodClass,
    covering: tuple[Guard, ...],
    pods: Pods,
    *budgets: BudgetState,
) -> Iterator[Outcome]:
    """Evict a pod of the list, again and again as long as its budget refuses."""
    for group in pods:
        if group.pod_class != pod_class.index or not group.marks & Marks.LISTED:
            continue
        if group.marks & Marks.UNASKED:
            yield _deletion(world, pods, group)
            continue
        attempt = evict(world, covering, pods, group, budgets)
        if attempt.outcome is not None:
            yield attempt.outcome
        elif after_eviction(attempt.code) is Then.FAIL:
            yield _given_up(pods, group)


def _deletion(world: World, pods: Pods, group: Group) -> Outcome:
    writes = {PODS: world.deleted(pods, group)}
    why = "--disable-eviction deletes it whatever its budget says"
    return Outcome(DRAIN_DELETE, writes, (("class", group.pod_class),), why)


def _given_up(pods: Pods, group: Group) -> Outcome:
    """The pod stays, and the drain fails in the end."""
    after = remarked(pods, group, group.marks & ~OF_DRAINS)
    why = "more than one budget covers it, and the API server answers 500"
    about = (("class", group.pod_class),)
    return Outcome(GIVE_UP_EVICTION, {PODS: after}, about, why)


def _time_out(pods: Pods) -> Iterator[Outcome]:
    """The drain ends with whatever it has not removed yet."""
    after = pods
    for group in pods:
        if group.marks & Marks.TIMED:
            for _ in range(group.size):
                after = remarked(after, group, group.marks & ~OF_DRAINS)
    if after != pods:
        yield Outcome(DRAIN_TIMES_OUT, {PODS: after}, (), "its timeout is over")


def _listed(pods: Pods) -> tuple[int]:
    left = Marks.LISTED | Marks.AWAITED
    return (sum(group.size for group in pods if group.marks & left),)


# The component


def _parts(setting: Setting) -> Parts:
    if not setting.may_happen(START_DRAIN) or not setting.world.shapes:
        return NO_PARTS
    timed = any(options.timeout for options in options_of(setting.events))
    timeout = Rule("a drain times out", USER, (PODS,), _time_out, environment=True)
    return Parts(
        tallies=(Tally(LISTED, {PODS: _listed}, 1, each=PODS),),
        rules=tuple(_rules(setting)),
        chances=(timeout,) if timed else (),
    )


def _needs_terminating(setting: Setting) -> bool:
    """Where some drain waits for pods that terminate."""
    return any(_awaits(setting, event) for event in setting.events if event.action == START_DRAIN)


def _by_fate(crowd: Crowd) -> Telling:
    """What a drain looks at in the pods that stand by: those for which one may be refused."""
    # Whom a drain without any option removes, or leaves, that is no matter to any other one.
    options = options_of(crowd.events) or (Options(),)

    def telling(shape: NodeShape) -> object:
        found = {_listed_pod(pod) for pod in shape.standing}
        minded = (p for p in found if any(verdict(p, o).fate is Fate.REFUSED for o in options))
        return tuple(sorted(minded, key=repr))

    return telling


def _assumes(setting: Setting) -> Iterator[str]:
    """Pods that a real drain would remove, and for which it would wait."""
    beside = (pod for shape in setting.world.shapes for pod in shape.standing)
    verdicts = (verdict(_listed_pod(p), o) for p in beside for o in options_of(setting.events))
    if any(found.fate is Fate.REMOVED for found in verdicts):
        yield "drains: pods that stand by stay where they are, and no drain waits for them"


COMPONENT = Component(
    name="drain",
    distinguishes=_by_fate,
    needs_terminating=_needs_terminating,
    parts=_parts,
    actions=ACTIONS,
    annotations=(MIRROR,),
    assumes=_assumes,
    events=(EventKind(START_DRAIN, _rules_of_event, undone_by=UNCORDON),),
)
