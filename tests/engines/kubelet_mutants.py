"""Kubelets that start containers at the wrong time, and a rollout that goes on in vain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from mutating import SELECTOR, TWO, Mutant, Small, node, pod

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import ACTIVE, Phase, Pods, ShownNode, moved, shifted
from kubelemma.model.cluster.world import World
from kubelemma.model.components.deployment.decision import Step
from kubelemma.model.components.deployment.decision.rolling import resized
from kubelemma.model.components.kubelet import rules, starting
from kubelemma.model.components.kubelet.decision import (
    InitWait,
    Outlook,
    StartTime,
    Unreliable,
    judges,
)
from kubelemma.model.components.kubelet.decision.resizing import Answer
from kubelemma.model.components.tainteviction.actions import EVICT
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service
from kubelemma.model.system import Outcome, Rule


def needs_nothing(_there: tuple[bool, ...]) -> bool:
    """Containers are started whatever is there."""
    return True


def sees_nothing(_there: tuple[bool, ...]) -> bool:
    """Nobody notices that what was missing is there."""
    return False


def runs_on(pods: Pods, group: Any, phase: Phase) -> Pods:
    """What is reported to have ended runs on."""
    after = moved(pods, group, phase)
    return shifted(after, group.pod_class, Phase.LINGERING, 1) if phase is Phase.ENDED else after


_while_up = rules._while_up
"""The one of the model as it is."""


def acts_when_down(pod_class: Any, phases: Any, act: Any) -> Any:
    """A kubelet goes on although its machine is down."""
    outcomes = _while_up(pod_class, phases, act)
    return lambda _up, pods: outcomes(True, pods)


def raises_the_dead(pod_class: Any, phases: Any, act: Any) -> Any:
    """What has ended is Ready again."""
    more = (Phase.ENDED,) if Phase.STARTING in phases else ()
    return _while_up(pod_class, (*phases, *more), act)


def leaves_them(pod_class: Any, phases: Any, act: Any) -> Any:
    """Nobody stops what is being deleted."""
    return _while_up(pod_class, () if Phase.TERMINATING in phases else phases, act)


def shares_no_node(_pod: Pod, admitted: Any) -> str | None:
    """A kubelet rejects whom it would run beside another, though there is room."""
    return "OutOfcpu" if admitted.pods else None


def evicts_all(world: World, _ready: Any, *shown: Any) -> Iterator[Outcome]:
    """Pods are evicted from a node that cannot be reached whatever they tolerate."""
    seen = ShownNode(*shown)
    for group in seen.pods:
        if seen.evicting and group.phase in ACTIVE:
            writes = {PODS: world.deleted(seen.pods, group)}
            yield Outcome(EVICT, writes, (("class", group.pod_class),), "")


def waits_for_nobody(_found: Any, _names: Any, _answers: Any) -> bool:
    """Containers are started whether init containers have ended or not."""
    return True


def never_in_time(given: Pod, _seconds: int) -> Any:
    """A container that may start is killed before it has."""
    return Outlook.IS_KILLED, next(judges(given))


def never_fits(_pod: Pod, _others: Any) -> Answer:
    """A kubelet puts off each resize."""
    return Answer.DEFERRED


def grants_all(_pod: Pod, _others: Any) -> Answer:
    """A kubelet grants each resize, whether there is room or not."""
    return Answer.GRANTED


_start = starting.rule
"""The one of the model as it is."""


def starts_once(*given: Any) -> Iterator[Rule]:
    """What has ended is never started again."""
    for each in _start(*given):
        yield replace(each, outcomes=partial(_first, each.outcomes))


def _first(outcomes: Any, *seen: Any) -> Iterator[Outcome]:
    return (found for found in outcomes(*seen) if "again" not in found.why)


def empties_old(deployment: Any, sets: Any, new: int) -> Step:
    """Old ReplicaSets are emptied, even where that leaves fewer than must be available."""
    old = (i for i in range(len(sets)) if i != new)
    return Step(puts=tuple(put for i in old for put in resized(deployment, sets, i, 0)))


ROLLOUT = {"rollout": {"deployment": "web"}}
CONFIGURED = Small(
    TWO,
    (ROLLOUT, {"deleteConfigMap": {"name": "web"}}, {"createConfigMap": {"name": "web"}}),
    spec=pod(volumes=[{"name": "settings", "configMap": {"name": "web"}}]),
)
BOOTING = Small(
    (node("a"),),
    ({"nodeCrash": {}}, {"nodeReturn": {}}, *CONFIGURED.events[1:]),
    replicas=1,
    spec=CONFIGURED.spec,
)
LOOPING = Small(
    (node("a"),),
    ({"rollout": {"newVersion": "crashLooping"}},),
    replicas=1,
    found=(Unreliable(),),
)
"""Pods whose containers have to be started again, once, or again and again."""
SLOW = Small(
    TWO,
    (ROLLOUT,),
    spec=pod(liveness={"exec": {"command": ["true"]}, "initialDelaySeconds": 5}),
    found=(StartTime(30),),
)
"""Between 25 and 35 s of failures the probe has killed."""
IN_VAIN = Small(TWO, ({"rollout": {"newVersion": "imageCannotBePulled"}},), strategy=(1, 0))

JOINING = Small(
    TWO,
    ({"rollout": {"deployment": "web"}},),
    replicas=1,
    strategy=None,
    spec=pod(initContainers=[{"name": "join"}]),
    objects=(
        (
            Service,
            {
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {"selector": SELECTOR["matchLabels"], "ports": [{"port": 80}]},
            },
        ),
    ),
    found=(InitWait("join", "", "web"),),
)
"""A pod that waits for one like it."""

FULL = (node("a", cpu="1"), node("b", cpu="1"))
ENDING = Small(FULL, (ROLLOUT, {"lateCleanup": {"deployment": "web"}}), replicas=1, strategy=(0, 1))
WIDE = Small((node("a", cpu="2"),), ENDING.events, replicas=1, strategy=(0, 1))
LOST = Small(TWO, ({"scale": {"workload": "web", "replicas": 2}}, {"nodeCrash": {}}), replicas=1)

STAYS = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
CUT_OFF = Small(TWO, ({"nodePartition": {}},), 1, None, pod(tolerations=[STAYS]))
"""A pod that must be alone, and stays on a node that cannot be reached."""

RESIZED = Small(TWO, ({"resize": {"workload": "web", "cpu": "2"}},))
OUTGROWN = Small((node("a", cpu="2"),), RESIZED.events)

TAINT_PY = "components.tainteviction.rules"
FAULTS_PY = "components.kubelet.faults"
RULES_PY = "components.kubelet.rules"
INITIALISING_PY = "components.kubelet.initialising"
RESIZING_PY = "components.kubelet.decision.resizing"
STARTING_PY = "components.kubelet.starting"
ROLLING_PY = "components.deployment.decision.rolling"

KUBELET_MUTANTS = (
    Mutant("DEP-9", "old pods go", ROLLING_PY, "reconcile_old", empties_old, IN_VAIN),
    Mutant("DEP-10", "evicts all", TAINT_PY, "_evict", evicts_all, CUT_OFF),
    Mutant("KUB-1", "raises the dead", RULES_PY, "_while_up", raises_the_dead, ENDING),
    Mutant("KUB-2", "runs on", FAULTS_PY, "moved", runs_on, ENDING),
    Mutant("KUB-4", "acts when down", RULES_PY, "_while_up", acts_when_down, LOST),
    Mutant("KUB-5", "is left", STARTING_PY, "rule", starts_once, BOOTING),
    Mutant("KUB-5", "is left, of a loop", STARTING_PY, "rule", starts_once, LOOPING),
    Mutant("KUB-6", "leaves them", RULES_PY, "_while_up", leaves_them, ENDING),
    Mutant("KUB-15", "never fits", RESIZING_PY, "answer", never_fits, RESIZED),
    Mutant("KUB-7", "grants all", RESIZING_PY, "answer", grants_all, OUTGROWN),
    Mutant("KUB-11", "shares no node", RULES_PY, "admit", shares_no_node, WIDE),
    Mutant("KUB-3", "waits for nobody", INITIALISING_PY, "answered", waits_for_nobody, JOINING),
    Mutant("KUB-8", "needs nothing", STARTING_PY, "can_start", needs_nothing, CONFIGURED),
    Mutant("KUB-9", "sees nothing", STARTING_PY, "can_start", sees_nothing, CONFIGURED),
    Mutant("KUB-10", "never in time", STARTING_PY, "strictest", never_in_time, SLOW),
)
