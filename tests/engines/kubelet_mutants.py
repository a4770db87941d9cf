"""Kubelets that start containers at the wrong time, and a rollout that goes on in vain."""

from __future__ import annotations

from typing import Any

from mutating import SELECTOR, TWO, Mutant, Small, pod

from kubelemma.model.components.deployment.decision import Step
from kubelemma.model.components.deployment.decision.rolling import resized
from kubelemma.model.components.kubelet.decision import InitWait, Outlook, StartTime, judges
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service


def needs_nothing(_there: tuple[bool, ...]) -> bool:
    """Containers are started whatever is there."""
    return True


def sees_nothing(_there: tuple[bool, ...]) -> bool:
    """Nobody notices that what was missing is there."""
    return False


def waits_for_nobody(_found: Any, _names: Any, _answers: Any) -> bool:
    """Containers are started whether init containers have ended or not."""
    return True


def never_in_time(given: Pod, _seconds: int) -> Any:
    """A container that may start is killed before it has."""
    return Outlook.IS_KILLED, next(judges(given))


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

INITIALISING_PY = "components.kubelet.initialising"
STARTING_PY = "components.kubelet.starting"
ROLLING_PY = "components.deployment.decision.rolling"

KUBELET_MUTANTS = (
    Mutant("DEP-9", "old pods go", ROLLING_PY, "reconcile_old", empties_old, IN_VAIN),
    Mutant("KUB-3", "waits for nobody", INITIALISING_PY, "answered", waits_for_nobody, JOINING),
    Mutant("KUB-8", "needs nothing", STARTING_PY, "can_start", needs_nothing, CONFIGURED),
    Mutant("KUB-9", "sees nothing", STARTING_PY, "can_start", sees_nothing, CONFIGURED),
    Mutant("KUB-10", "never in time", STARTING_PY, "strictest", never_in_time, SLOW),
)
