"""Broken decisions and rules of those who tell where traffic goes, and a pod that waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mutating import TWO, ZONE, Mutant, Small, node

from kubelemma.model.components.deployment.decision import Step
from kubelemma.model.components.deployment.decision.rolling import resized
from kubelemma.model.components.endpointslice.decision import Conditions
from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.components.kubeproxy.decision import Chosen, Hints, Policy
from kubelemma.model.components.servicelb.decision import Cloud, Targets
from kubelemma.model.objects.ingress import Ingress
from kubelemma.model.objects.service import Service
from kubelemma.model.system import Outcome

PAUSING = {
    "containers": [
        {
            "name": "main",
            "resources": {"requests": {"cpu": "1"}},
            "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
        }
    ]
}
"""A container that waits before it stops."""


def drops_old_at_once(deployment: Any, sets: Any, new: int) -> Step:
    """Old ReplicaSets are emptied before the new one has an available pod."""
    old = (i for i in range(len(sets)) if i != new)
    return Step(puts=tuple(put for i in old for put in resized(deployment, sets, i, 0)))


def writes_no_slice(*_: Any) -> Iterator[Outcome]:
    """The EndpointSlice controller does not hear that a pod is deleted."""
    return iter(())


def hears_nothing(*_: Any) -> Iterator[Outcome]:
    """The watch of whoever sends is dead."""
    return iter(())


def stops_at_once(*_: Any) -> bool:
    """The kubelet runs no preStop hook."""
    return False


def terminating_is_ready(**_: Any) -> Conditions:
    """A pod is ready in the slices as long as it is there."""
    return Conditions(ready=True, serving=True, terminating=True)


def sends_everywhere(endpoints: Any, _policy: Policy) -> Chosen:
    """The kube-proxy sends to all that serve, ready or not."""
    found = tuple(e for e in endpoints if e.serving)
    return Chosen(found, (), found, has_any=True)


SLICES = "components.endpointslice"
PROXY = "components.kubeproxy"
ROLLING_PY = "components.deployment.decision.rolling"
METADATA = {"name": "web", "namespace": "default"}
SERVICE = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
ROLLOUT = {"rollout": {"deployment": "web"}}
SERVED = Small(
    TWO,
    (ROLLOUT,),
    strategy=(1, 0),
    spec=PAUSING,
    objects=((Service, {"metadata": METADATA, "spec": SERVICE}),),
)

INGRESS = "components.ingress"
DNS = "components.dns"
ENTERED = Small(
    TWO,
    (ROLLOUT,),
    strategy=(1, 0),
    spec=PAUSING,
    objects=(
        (Service, {"metadata": METADATA, "spec": SERVICE}),
        (
            Ingress,
            {
                "metadata": METADATA,
                "spec": {
                    "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}},
                },
            },
        ),
    ),
)
LASTING = {
    "containers": [
        {**PAUSING["containers"][0], "lifecycle": {"preStop": {"sleep": {"seconds": 40}}}}
    ],
    "terminationGracePeriodSeconds": 60,
}
NAMED = Small(
    TWO,
    (ROLLOUT,),
    strategy=(1, 0),
    spec=LASTING,
    objects=((Service, {"metadata": METADATA, "spec": {**SERVICE, "clusterIP": "None"}}),),
)


REUSED = replace(NAMED, events=(*NAMED.events, {"reuseAddress": {}}))


def knows_nobody_first(_spec: Any) -> bool:
    """The kubelet reports a pod Ready whatever its gates say."""
    return False


GATED = Small(
    TWO,
    (ROLLOUT,),
    strategy=(1, 0),
    spec={
        **PAUSING,
        "readinessGates": [{"conditionType": "cloud.google.com/load-balancer-neg-ready"}],
    },
    objects=((Service, {"metadata": METADATA, "spec": {**SERVICE, "type": "LoadBalancer"}}),),
    found=(Cloud(targets=Targets.PODS),),
)


PARTED = Small(
    tuple(node(name, labels={ZONE: name}) for name in ("a", "b")),
    ({"zoneSplit": {}},),
    spec=PAUSING,
    objects=(
        (
            Service,
            {"metadata": METADATA, "spec": {**SERVICE, "trafficDistribution": "PreferSameZone"}},
        ),
    ),
)


def heeds_no_hints(_endpoints: Any, _at: Any) -> Hints:
    """The kube-proxy takes any endpoint, whatever its hints."""
    return Hints.NONE


def sends_to_all(_entry: Entry) -> bool:
    """Whatever is in a slice is taken for an endpoint."""
    return _entry is not Entry.ABSENT


NEAR = Small(
    (node("a", cpu="9"),),
    (ROLLOUT,),
    strategy=(1, 0),
    spec=PAUSING,
    objects=(
        (Service, {"metadata": METADATA, "spec": {**SERVICE, "internalTrafficPolicy": "Local"}}),
    ),
)


SERVICE_MUTANTS = (
    Mutant("PROXY-1", "old pods go first", ROLLING_PY, "reconcile_old", drops_old_at_once, NEAR),
    Mutant("ING-1", "no pause", f"{SLICES}.fronts", "outlasts", stops_at_once, ENTERED),
    Mutant("ING-1", "any that serves", f"{INGRESS}.decision", "sends", sends_to_all, ENTERED),
    Mutant("ING-2", "a deaf controller", f"{INGRESS}.rules", "hear", hears_nothing, ENTERED),
    Mutant("DNS-1", "no pause", f"{SLICES}.fronts", "outlasts", stops_at_once, NAMED),
    Mutant("DNS-1", "names all", f"{DNS}.route", "named", sends_to_all, NAMED),
    Mutant("NET-2", "no hints", f"{PROXY}.decision", "hints_used", heeds_no_hints, PARTED),
    Mutant(
        "LB-4",
        "no gate is heeded",
        "components.targets.rules",
        "is_known_first",
        knows_nobody_first,
        GATED,
    ),
    Mutant("NET-1", "no pause", f"{SLICES}.fronts", "outlasts", stops_at_once, REUSED),
    Mutant("NET-1", "names all", f"{DNS}.route", "named", sends_to_all, REUSED),
    Mutant("DNS-2", "a client for ever", f"{DNS}.rules", "hear", hears_nothing, NAMED),
    Mutant(
        "EPS-1", "no slice is written", f"{SLICES}.rules", "write_slices", writes_no_slice, SERVED
    ),
    Mutant("EPS-2", "no pause", f"{SLICES}.fronts", "outlasts", stops_at_once, SERVED),
    Mutant("EPS-2", "ends ready", f"{SLICES}.leaving", "conditions", terminating_is_ready, SERVED),
    Mutant("EPS-2", "any that serves", f"{PROXY}.route", "categorize", sends_everywhere, SERVED),
    Mutant("EPS-3", "a deaf proxy", f"{PROXY}.rules", "hear", hears_nothing, SERVED),
    Mutant(
        "EPS-3", "no slice is written", f"{SLICES}.rules", "write_slices", writes_no_slice, SERVED
    ),
    Mutant("EPS-4", "old pods go first", ROLLING_PY, "reconcile_old", drops_old_at_once, SERVED),
)
