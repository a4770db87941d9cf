# ruff: noqa: FBT001 - the values of columns are flags
"""Nodes that are short of memory, and what their kubelets do about it: no budget is asked.

A kubelet evicts one pod a round, and what is left of it is Failed. Each event is one shortage that
one eviction ends, if nothing else does: something may give memory back before. The condition lasts
for ``evictionPressureTransitionPeriod`` after that, which is order.

Source: pkg/kubelet/eviction/eviction_manager.go, ``synchronize``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from kubelemma.model.cluster.columns import MEMORY, PODS, READY, REPORTED, UP
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.machines import Memory
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import ADMITTED, LEAVING, Ailment, Phase, Pods, shifted, without
from kubelemma.model.cluster.world import PodClass, World
from kubelemma.model.system import Outcome, Rule

from .actions import ADMIT, EVICT_SHORT, MEMORY_EASES, MEMORY_FREED, MEMORY_SHORT, REPORT_MEMORY
from .decision.pressure import candidate, next_to_evict

EVICTABLE = tuple(phase for phase in ADMITTED if phase not in LEAVING)
"""Phases of pods that a kubelet may evict: those that it has admitted, and nobody has deleted."""


def _begins(
    _world: World, _event: Event, up: bool, memory: int
) -> Iterator[tuple[dict[str, Any], str, int]]:
    if up and memory != Memory.SHORT:
        yield {MEMORY: Memory.SHORT}, "memory.available is below the kubelet's threshold", -1


EVENT = on_node(MEMORY_SHORT, _begins, (UP, MEMORY), writes=(MEMORY,), fault=True)


def followed(setting: Setting) -> bool:
    """Whether any node may be short of memory."""
    return setting.may_happen(MEMORY_SHORT)


def rules(setting: Setting, actor: str) -> tuple[Rule, ...]:
    """What a kubelet does whose node is short of memory, where one may be."""
    if not followed(setting):
        return ()
    evicting = partial(_evict, setting.world)
    health = (UP, MEMORY, READY, REPORTED)
    return (
        Rule("evict for memory", actor, (UP, MEMORY, PODS), evicting, writes=(MEMORY, PODS)),
        Rule("give memory back", actor, (UP, MEMORY), _free),
        Rule("post memory pressure", actor, health, _report, writes=(REPORTED,)),
        Rule("end memory pressure", actor, health, _ease, writes=(MEMORY, REPORTED)),
    )


def heeded(rule: Rule, pod_class: PodClass, rejects: Any) -> Rule:
    """The rule as one that admits pods of the class only while memory is enough.

    ``rejects`` gives what becomes of a pod that is not admitted.
    """
    width = len(rule.cells)

    def outcomes(*seen: Any) -> Iterator[Outcome]:
        memory, pods = seen[width], seen[rule.cells.index(PODS)]
        for outcome in rule.outcomes(*seen[:width], *seen[width + 1 :]):
            if memory == Memory.ENOUGH or outcome.action != ADMIT:
                yield outcome
                continue
            for group in pods:
                if (group.pod_class, group.phase) == (pod_class.index, Phase.ASSIGNED):
                    yield rejects(pod_class, pods, group, "Evicted")

    return replace(rule, cells=(*rule.cells, MEMORY), outcomes=outcomes)


def _evict(world: World, up: bool, memory: int, pods: Pods) -> Iterator[Outcome]:
    """One pod is killed at once; what is left of it is Failed, and holds nothing."""
    if not up or memory != Memory.SHORT:
        return
    there = [group for group in pods if Phase(group.phase) in EVICTABLE]
    for at in next_to_evict([candidate(world.classes[g.pod_class].pod) for g in there]):
        group = there[at]
        after = without(pods, group)
        if world.classes[group.pod_class].ordinal >= 0:
            after = shifted(after, group.pod_class, Phase.FAILED, 1)
        why = "its node is short of memory, and it is the first by its use, priority and excess"
        writes = {MEMORY: Memory.EASED, PODS: after}
        yield Outcome(EVICT_SHORT, writes, (("class", group.pod_class),), why)


def _free(up: bool, memory: int) -> Iterator[Outcome]:
    if up and memory == Memory.SHORT:
        why = "a container gave it back, or was killed for want of it (OOM)"
        yield Outcome(MEMORY_FREED, {MEMORY: Memory.EASED}, (), why)


def _report(up: bool, memory: int, ready: bool, reported: Ailment) -> Iterator[Outcome]:
    if up and ready and memory != Memory.ENOUGH and not reported & Ailment.MEMORY_PRESSURE:
        why = "its condition MemoryPressure is True"
        writes = {REPORTED: reported | Ailment.MEMORY_PRESSURE}
        yield Outcome(REPORT_MEMORY, writes, (), why)


def _ease(up: bool, memory: int, _ready: bool, reported: Ailment) -> Iterator[Outcome]:
    if up and memory == Memory.EASED:
        why = "evictionPressureTransitionPeriod (5 min) is over"
        writes = {MEMORY: Memory.ENOUGH, REPORTED: reported & ~Ailment.MEMORY_PRESSURE}
        yield Outcome(MEMORY_EASES, writes, (), why)
