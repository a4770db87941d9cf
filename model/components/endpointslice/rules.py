"""The EndpointSlice controller: it takes a pod that is deleted out of those that are ready.

Whoever deletes a Ready pod of a Service starts this; the controller writes later, those who send by
the slices hear later still (`ROUTES` in ``fronts.py``), and the kubelet stops the containers
whenever it comes to it. A preStop pause that is long enough has it stop them last.

Nobody follows pods where machines may fail: what is sent to a machine that is down is lost
whatever anybody does, until it is noticed.

Source: pkg/controller/endpointslice/endpointslice_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import ACTIVE, Phase, Pods, count
from kubelemma.model.components.kubelet.rules import KUBELET
from kubelemma.model.components.nodelifecycle.rules import nodes_fail
from kubelemma.model.objects.service import Service
from kubelemma.model.system import Cell, Outcome, Rule, Tally

from .actions import ACTIONS, STOP_SERVING, WRITE_SLICE
from .fronts import Front, fronts
from .leaving import LEAVING, NOBODY, Leaving, due, left
from .pause import pause_seconds

ENDPOINT_SLICES = "endpointslice-controller"
SERVING = (Phase.READY, Phase.AVAILABLE)
MOST_FOLLOWED = 6
"""Of how many pods in focus one that is deleted is followed; of more it is only seen to leave."""


def followed(setting: Setting) -> tuple[Front, ...]:
    """The Services whose traffic is followed."""
    return () if nodes_fail(setting) else fronts(setting.world)


def follows(setting: Setting) -> bool:
    """Whether what becomes of a deleted pod is part of the system."""
    start, events = setting.start, setting.events
    pods = 0
    for workload in setting.world.owners:
        scaled = (e.value for e in events if e.workload == workload.index)
        pods += max(start.replicas(workload), *scaled, 0)
    found = followed(setting)
    return bool(found) and (pods <= MOST_FOLLOWED or any(front.checked for front in found))


def ready_endpoints(front: Front) -> Tally:
    """How many ready endpoints a Service has, those that stand by among them."""

    def ready(pods: Pods) -> tuple[int]:
        return (sum(count(pods, pod_class, SERVING) for pod_class in front.classes),)

    def reduced(total: tuple[int, ...]) -> int:
        return total[0] + front.beside

    return Tally(front.tally, {PODS: ready}, 1, reduced, each=PODS)


def _by_class(front: Front) -> Tally:
    """Ready and active pods of each of its classes, in order."""
    classes = sorted(front.classes)

    def measure(pods: Pods) -> tuple[int, ...]:
        both = ((count(pods, c, SERVING), count(pods, c, ACTIVE)) for c in classes)
        return tuple(number for pair in both for number in pair)

    return Tally(front.pods, {PODS: measure}, 2 * len(classes), each=PODS)


# What becomes of a pod that is deleted


def write_slices(found: tuple[Front, ...], leaving: Leaving) -> Iterator[Outcome]:
    """A sync of the controller, which comes when it comes."""
    if leaving == NOBODY:
        return
    wanted = due(found[leaving.front].service, leaving)
    if wanted != leaving.slices:
        why = "the pod is on its way out" if leaving.serving else "its containers have stopped"
        writes = {LEAVING: leaving._replace(slices=wanted)}
        yield Outcome(WRITE_SLICE, writes, (("class", leaving.pod_class),), why)


def stop_serving(found: tuple[Front, ...], leaving: Leaving) -> Iterator[Outcome]:
    """After its pause, if it has one that is long enough, or at any time."""
    if leaving == NOBODY or not leaving.serving:
        return
    front = found[leaving.front]
    current = leaving.heard == leaving.slices == due(front.service, leaving)
    lasting = leaving.pod_class in front.lasting
    outlasting = leaving.pod_class in front.outlasting
    if (lasting and not current) or (outlasting and leaving.balancer):
        return
    why = "its preStop hook is over" if lasting else "nothing keeps it from stopping at once"
    writes = {LEAVING: leaving._replace(serving=False)}
    yield Outcome(STOP_SERVING, writes, (("class", leaving.pod_class),), why)


# Who deletes pods


def _overhears(setting: Setting, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    if not follows(setting):
        return rules
    found = followed(setting)
    return tuple(_watched(found, rule) if _may_delete(rule) else rule for rule in rules)


def _may_delete(rule: Rule) -> bool:
    """What adds pods, or only ranks them, deletes none."""
    return PODS in rule.writable and not (rule.urgent or rule.onto)


def _watched(found: tuple[Front, ...], rule: Rule) -> Rule:
    """A rule by which pods may leave their Services; who is followed already is followed on."""
    at, width = rule.cells.index(PODS), len(rule.cells)

    def outcomes(*values: Any) -> Iterator[Outcome]:
        seen, leaving, reads = values[:width], values[width], values[width + 1 :]
        for outcome in rule.outcomes(*seen, *reads):
            gone = _deleted(seen[at], outcome.writes.get(PODS, seen[at]))
            after = outcome.writes.get(PODS, ())
            leavers = [
                left(number, pod_class, balancer=front.checked and _none_ready(front, after))
                for pod_class in gone
                for number, front in enumerate(found)
                if leaving == NOBODY and pod_class in front.classes
            ]
            for leaver in leavers:
                yield outcome._replace(writes={**outcome.writes, LEAVING: leaver})
            if not leavers:
                yield outcome

    cells, writes = (*rule.cells, LEAVING), (*rule.writable, LEAVING)
    whole = any(front.checked for front in found)
    return replace(
        rule, cells=cells, writes=writes, outcomes=outcomes, each="" if whole else rule.each
    )


def _none_ready(front: Front, pods: Pods) -> bool:
    """Whether no pod of the Service is Ready among those of a node."""
    return not any(count(pods, pod_class, SERVING) for pod_class in front.classes)


def _deleted(before: Pods, after: Pods) -> tuple[int, ...]:
    """The classes of Ready pods that were deleted: neither moved on, nor given other labels."""
    if _active(after) >= _active(before):
        return ()
    classes = dict.fromkeys(g.pod_class for g in before if g.phase in SERVING)
    return tuple(c for c in classes if count(after, c, SERVING) < count(before, c, SERVING))


def _active(pods: Pods) -> int:
    return sum(group.size for group in pods if group.phase in ACTIVE)


# The component


def _parts(setting: Setting) -> Parts:
    found = followed(setting)
    if not found:
        return NO_PARTS

    def rule(name: str, actor: str, act: Callable[..., Iterator[Outcome]]) -> Rule:
        return Rule(name, actor, (LEAVING,), partial(act, found))

    tallies = tuple(ready_endpoints(front) for front in found if front.route.first)
    if not follows(setting):
        return Parts(tallies=(*tallies, *map(_by_class, found)))
    return Parts(
        cells=(Cell(LEAVING, NOBODY, Leaving),),
        tallies=tallies,
        rules=(
            rule("sync EndpointSlices", ENDPOINT_SLICES, write_slices),
            rule("stop the containers of a deleted pod", KUBELET, stop_serving),
        ),
    )


def _assumes(setting: Setting) -> Iterator[str]:
    """How long pods of Services serve, and how late proxies are."""
    for front in followed(setting):
        classes = sorted(front.classes)
        specs = [setting.world.classes[index].pod.spec for index in classes]
        pauses = sorted({pause_seconds(front.service, spec) for spec in specs})
        said = " or ".join(f"{pause:g} s" for pause in pauses)
        yield (
            f"{front.label}: its pods serve for {said} after they are deleted; "
            f"{front.route.assumed}"
        )
    if followed(setting) and not follows(setting):
        yield (
            f"with more than {MOST_FOLLOWED} pods no deleted one is followed: what would become of "
            "it is asked when it is deleted"
        )


COMPONENT = Component(
    name="endpointslice",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    kinds=(Service,),
    assumes=_assumes,
    overhears=_overhears,
)
