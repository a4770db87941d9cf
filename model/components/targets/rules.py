"""Load balancers that send to pods themselves, and come to know them late.

Of each Service of type LoadBalancer there is a number: to how many of its ready pods in focus its
load balancer sends. It rises by itself up to that of ready pods, and falls whenever one goes that
is known. Which of them are known nobody can tell, so it may be any.

There is nothing of this unless a scenario states a cloud whose load balancers do so, nor where
machines may fail (``endpointslice/rules.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import Pods, count
from kubelemma.model.cluster.world import World
from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.rules import SERVING
from kubelemma.model.components.endpointslice.rules import followed as traffic_of
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.servicelb.decision import BALANCED, Cloud, Targets
from kubelemma.model.system import Cell, Outcome, Rule

from .actions import ACTIONS, REGISTER_TARGET
from .decision import is_known_first, known_after

LOAD_BALANCER = "load-balancer"


class Known(NamedTuple):
    """To how many of the ready pods of a Service that are in focus its load balancer sends."""

    pods: int = 0


class Targeted(NamedTuple):
    """A Service whose load balancer sends to pods; ``gated`` are those that it knows first."""

    number: int
    front: Front
    gated: frozenset[int]

    @property
    def cell(self) -> str:
        """The cell with a `Known`."""
        return f"targets of {self.front.label}"

    def ready(self, pods: Pods) -> int:
        """How many of its pods are ready on a node."""
        return sum(count(pods, index, SERVING) for index in self.front.classes)

    def gated_ready(self, pods: Pods) -> int:
        """How many of those are known before they are ready."""
        return sum(count(pods, index, SERVING) for index in self.gated)


def targeted(world: World) -> tuple[Targeted, ...]:
    """The Services of pods in focus whose load balancers send to pods."""
    if not any(cloud.targets is Targets.PODS for cloud in world.objects_of(Cloud)):
        return ()
    own = (f for f in fronts(world) if f.route == BY_PROXY and f.service.spec.type == BALANCED)
    return tuple(Targeted(n, front, _gated(world, front)) for n, front in enumerate(own))


def _gated(world: World, front: Front) -> frozenset[int]:
    return frozenset(i for i in front.classes if is_known_first(world.classes[i].pod.spec))


def followed(setting: Setting) -> tuple[Targeted, ...]:
    """Those of which it is followed whom they know."""
    return targeted(setting.world) if traffic_of(setting) else ()


def register(each: Targeted, known: Known, ready: int) -> Iterator[Outcome]:
    """The load balancer has found one more pod in health, and sends there from now on."""
    if known.pods < ready - each.front.beside:
        why = "its health check has found a pod that it did not know"
        writes = {each.cell: Known(known.pods + 1)}
        yield Outcome(REGISTER_TARGET, writes, (("targets", each.number),), why)


def _overhears(setting: Setting, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    for each in followed(setting):
        rules = tuple(_watched(each, rule) if _may_change(rule) else rule for rule in rules)
    return rules


def _may_change(rule: Rule) -> bool:
    """What adds pods that wait, or only ranks them, makes none Ready and deletes none."""
    return PODS in rule.writable and not (rule.urgent or rule.onto)


def _watched(each: Targeted, rule: Rule) -> Rule:
    """A rule by which pods may become Ready, or be Ready no more."""
    at, width = rule.cells.index(PODS), len(rule.cells)

    def outcomes(*values: Any) -> Iterator[Outcome]:
        seen, known, (*reads, ready) = values[:width], values[width], values[width + 1 :]
        unknown = ready - each.front.beside - known.pods
        for outcome in rule.outcomes(*seen, *reads):
            before, after = seen[at], outcome.writes.get(PODS, seen[at])
            if each.ready(after) == each.ready(before):
                yield outcome
                continue
            for pods in _counts(each, known.pods, unknown, before, after):
                writes: Mapping[str, Any] = {**outcome.writes, each.cell: Known(pods)}
                yield outcome._replace(writes=writes)

    return replace(
        rule,
        cells=(*rule.cells, each.cell),
        writes=(*rule.writable, each.cell),
        reads=(*rule.reads, each.front.tally),
        outcomes=outcomes,
    )


def _counts(each: Targeted, known: int, unknown: int, before: Pods, after: Pods) -> Iterator[int]:
    rise = each.ready(after) - each.ready(before)
    coming = max(each.gated_ready(after) - each.gated_ready(before), 0)
    return known_after(known, unknown, max(-rise, 0), coming)


def _parts(setting: Setting) -> Parts:
    found = followed(setting)
    if not found:
        return NO_PARTS
    return Parts(
        cells=tuple(Cell(each.cell, _at_start(setting, each), Known) for each in found),
        rules=tuple(
            Rule(
                f"register {each.cell}",
                LOAD_BALANCER,
                (each.cell,),
                lambda known, ready, each=each: register(each, known, ready),
                reads=(each.front.tally,),
            )
            for each in found
        ),
    )


def _at_start(setting: Setting, each: Targeted) -> Known:
    """It knows all that are ready then."""
    return Known(sum(each.ready(node.pods) for node in setting.start.nodes))


def _assumes(setting: Setting) -> Iterator[str]:
    for each in followed(setting):
        ungated = each.front.classes - each.gated
        when = "at any time after it is Ready" if ungated else "before it is Ready"
        yield f"{each.front.label}: its load balancer sends to pods, to a new one {when}"


COMPONENT = Component(
    name="targets",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    assumes=_assumes,
    overhears=_overhears,
)
