"""Broken decisions and rules of a cloud's controllers, and of its load balancers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mutating import TWO, Mutant, Small
from service_mutants import METADATA, SERVICE

from kubelemma import api
from kubelemma.model.components.endpointslice.leaving import Leaving
from kubelemma.model.components.endpointslice.route import SLICES_SECONDS
from kubelemma.model.components.servicelb.decision import Cloud, Known, Next, next_step
from kubelemma.model.objects.service import Service
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Outcome

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """The scenario of an example; its system is made of the functions of this moment."""

    name: str

    def built(self) -> Scenario:
        """The first of its cases."""
        case, *_ = api.ask(api.Question(paths=(str(EXAMPLES / self.name),))).cases
        return case.scenario


def lets_go_first(known: Known) -> Next:
    """The finalizer goes before the load balancer."""
    ends = known.present and known.deleted and known.finalizer
    return Next.REMOVE_FINALIZER if ends else next_step(known)


def never_deletes(known: Known) -> Next:
    """The controller does not ask the cloud to delete anything."""
    found = next_step(known)
    return Next.NOTHING if found is Next.DELETE else found


def never_ensures(known: Known) -> Next:
    """The controller asks for no load balancer."""
    found = next_step(known)
    return Next.NOTHING if found is Next.ENSURE else found


def outlasts_proxies_only(_service: object, _spec: object, lag_seconds: int) -> bool:
    """A pod stops once kube-proxies have heard, whatever its load balancer knows."""
    return lag_seconds <= SLICES_SECONDS


def checks_nothing(_found: object, _leaving: Leaving) -> Iterator[Outcome]:
    """The load balancer checks no node any more."""
    return iter(())


def asks_nothing(*, ready: bool, exists: bool) -> bool:
    """The controller deletes every Node that the cloud lacks, Ready or not."""
    del ready
    return not exists


def answers_503(_ready: int) -> bool:
    """The Ingress controller hands no request to pods."""
    return False


def never(**_known: bool) -> bool:
    """The controller does not act."""
    return False


BALANCED = {**SERVICE, "type": "LoadBalancer"}
DELETED = Small(
    TWO,
    ({"deleteService": {}},),
    replicas=1,
    objects=((Service, {"metadata": METADATA, "spec": BALANCED}),),
    found=(Cloud(),),
)
STRIPPED = replace(DELETED, events=({"deleteService": {}}, {"stripFinalizer": {}}))
LB = "components.servicelb.rules"
CHECKED = Example("balancer-loses-requests-repaired")

LOST = Small(TWO, ({"nodeCrash": {}}, {"machineMissing": {}}), found=(Cloud(),))
STOPPED = Small(
    TWO, ({"nodeCrash": {}}, {"nodeReturn": {}}, {"machineStopped": {}}), found=(Cloud(),)
)

CLOUD_MUTANTS = (
    Mutant(
        "CCM-1",
        "asks nothing",
        "components.cloudnodelifecycle.rules",
        "node_goes",
        asks_nothing,
        LOST,
    ),
    Mutant(
        "CCM-2",
        "initialises nothing",
        "components.cloudnode.rules",
        "initializes",
        never,
        Example("new-node-unknown-repaired"),
    ),
    Mutant(
        "CCM-3",
        "keeps the taint",
        "components.cloudnodelifecycle.rules",
        "is_untainted",
        never,
        STOPPED,
    ),
    Mutant(
        "CCM-4",
        "makes no route",
        "components.cloudroute.rules",
        "makes_route",
        never,
        Example("new-node-without-route-repaired"),
    ),
    Mutant(
        "CCM-4",
        "keeps the taint",
        "components.cloudroute.rules",
        "untaints",
        never,
        Example("new-node-without-route-repaired"),
    ),
    Mutant("LB-1", "lets go first", LB, "next_step", lets_go_first, DELETED),
    Mutant("LB-5", "never deletes", LB, "next_step", never_deletes, STRIPPED),
    Mutant("LB-2", "never deletes", LB, "next_step", never_deletes, DELETED),
    Mutant(
        "ING-3",
        "never loads",
        "components.ingress.decision",
        "answers",
        answers_503,
        Example("whole-flow"),
    ),
    Mutant("LB-3", "never ensures", LB, "next_step", never_ensures, Example("whole-flow")),
    Mutant(
        "EPS-2",
        "no pause for health checks",
        "components.endpointslice.fronts",
        "outlasts",
        outlasts_proxies_only,
        CHECKED,
    ),
    Mutant("EPS-3", "checks nothing", LB, "fail_check", checks_nothing, CHECKED),
)
