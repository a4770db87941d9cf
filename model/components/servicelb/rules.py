"""The service controller of a cloud, the cloud itself, and who deletes Services.

The cloud has a state of its own: a load balancer is there, or it is not, whatever the API server
says; and it may refuse to delete one that somebody has protected. External calls and writes to the
API server are steps of their own, so anybody may act in between. A restart loses nothing of them,
but which Services that are gone had been worked on. Of a cloud that nobody states there is nothing
here.

Source: staging/src/k8s.io/cloud-provider/controllers/service/controller.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from kubelemma.model.cluster.columns import PODS, SHAPE
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    Crowd,
    EventKind,
    Parts,
    Telling,
    never,
)
from kubelemma.model.cluster.events import FAULT, USER
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import Pods, count
from kubelemma.model.cluster.world import World
from kubelemma.model.components.endpointslice.fronts import Front, fronts, stands_ready
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Entry, Leaving
from kubelemma.model.components.endpointslice.listening import sends_to
from kubelemma.model.components.endpointslice.rules import SERVING, follows
from kubelemma.model.components.endpointslice.rules import followed as fronts_followed
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.objects.service import Service
from kubelemma.model.system import Action, Cell, Outcome, Rule, Tally

from .actions import (
    ACTIONS,
    ADD_FINALIZER,
    CLOUD_CONTROLLER_RESTART,
    DELETE_BALANCER,
    DELETE_SERVICE,
    ENSURE_BALANCER,
    FAIL_HEALTH_CHECK,
    HOLD_BALANCER,
    KNOW_SERVICE,
    RELEASE_BALANCER,
    REMOVE_SERVICE,
    STRIP_FINALIZER,
    WRITE_ADDRESS,
)
from .decision import (
    FINALIZER,
    Cloud,
    Known,
    Next,
    ServiceName,
    checks_nodes,
    comes_to_know,
    is_behind,
    next_step,
    wants_balancer,
)

SERVICE_CONTROLLER = "service-controller"
LOAD_BALANCER = "load-balancer"


class Exposed(NamedTuple):
    """A Service of type LoadBalancer.

    ``address``: ``status.loadBalancer`` says where it is reached; ``remembered``: the controller
    has worked on it.
    """

    present: bool = True
    deleted: bool = False
    finalizer: bool = False
    address: bool = False
    remembered: bool = False


class Balancer(NamedTuple):
    """A load balancer, as the cloud has it; ``held``: the cloud refuses to delete it."""

    there: bool = False
    held: bool = False


class Balanced(NamedTuple):
    """A Service whose load balancer is followed, and how rules name what is followed of it."""

    number: int
    front: Front

    @property
    def service(self) -> Service:
        """The Service."""
        return self.front.service

    @property
    def name(self) -> ServiceName:
        """Its namespace and name."""
        metadata = self.service.metadata
        return ServiceName(metadata.namespace, metadata.name)

    @property
    def cell(self) -> str:
        """The cell with an `Exposed`."""
        return self.front.label

    @property
    def cloud(self) -> str:
        """The cell with a `Balancer`."""
        return f"load balancer of {self.name}"

    def reached(self, world: World) -> str:
        """The tally of the ready pods that its load balancer leads to."""
        return f"pods behind {self.cloud}" if excludes(world) else self.front.tally


def excludes(world: World) -> bool:
    """Whether there are nodes that load balancers do not send to."""
    return not all(is_behind(shape.node) for shape in world.shapes)


def reached_pods(world: World, each: Balanced) -> Tally:
    """Ready pods that a load balancer leads to: where it sends to, or, from there, anywhere."""
    front, behind = each.front, tuple(is_behind(shape.node) for shape in world.shapes)
    leads = behind if checks_nodes(each.service) else (any(behind),) * len(behind)
    standing = sum(
        size * stands_ready(each.service, pod)
        for shape, size, there in zip(world.shapes, world.sizes, leads, strict=True)
        for pod in shape.standing
        if there
    )

    def ready(shape: int, pods: Pods) -> tuple[int]:
        found = sum(count(pods, pod_class, SERVING) for pod_class in front.classes)
        return (found if leads[shape] else 0,)

    def reduced(total: tuple[int, ...]) -> int:
        return total[0] + standing

    return Tally(each.reached(world), {(SHAPE, PODS): ready}, 1, reduced, each=PODS)


_EVENTS = (DELETE_SERVICE, STRIP_FINALIZER, HOLD_BALANCER, RELEASE_BALANCER)


def balanced(world: World) -> tuple[Balanced, ...]:
    """The Services of pods in focus whose load balancers the cloud makes, if there is a cloud."""
    if not world.objects_of(Cloud):
        return ()
    ways = (front for front in fronts(world) if front.route == BY_PROXY)
    own = (front for front in ways if wants_balancer(front.service))
    return tuple(Balanced(index, front) for index, front in enumerate(own))


def followed(setting: Setting) -> tuple[Balanced, ...]:
    """Those that anything may become of: somebody deletes Services, or the first pods come."""
    return balanced(setting.world) if setting.start.comes or setting.may_happen(*_EVENTS) else ()


def at_start(service: Service) -> tuple[Exposed, Balancer]:
    """One with the finalizer has been worked on, and is taken to be reached; any other is new."""
    worked_on = FINALIZER in (service.metadata.finalizers or ())
    deleted = bool(service.metadata.deletion_timestamp) and worked_on
    found = Exposed(deleted=deleted, finalizer=worked_on, address=worked_on, remembered=worked_on)
    return found, Balancer(there=worked_on)


def sync(index: int, service: Exposed, cloud: Balancer) -> Iterator[tuple[Outcome, bool]]:
    """The next step about a Service, and whether it is the cloud's state that it changes."""
    found = next_step(Known(*service, cloud.there))
    about = (("service", index),)
    if found is Next.ADD_FINALIZER:
        after = service._replace(finalizer=True, remembered=True)
        why = "it wants a load balancer, which must not outlive it"
        yield Outcome(ADD_FINALIZER, {"": after}, about, why), False
    elif found is Next.ENSURE:
        why = "the Service has its finalizer, and the cloud has no load balancer for it"
        yield Outcome(ENSURE_BALANCER, {"": cloud._replace(there=True)}, about, why), True
    elif found is Next.WRITE_ADDRESS:
        why = "the cloud has made the load balancer"
        yield Outcome(WRITE_ADDRESS, {"": service._replace(address=True)}, about, why), False
    elif found is Next.DELETE and not cloud.held:
        why = "the Service is being deleted" if service.present else "its Service is gone"
        yield Outcome(DELETE_BALANCER, {"": cloud._replace(there=False)}, about, why), True
    elif found is Next.REMOVE_FINALIZER:
        why = "the cloud has no load balancer for it any more"
        yield Outcome(REMOVE_SERVICE, {"": gone(service)}, about, why), False


def gone(service: Exposed) -> Exposed:
    """A Service that is there no more; who remembers it still does."""
    return Exposed(present=False, remembered=service.remembered)


def _synced(each: Balanced, service: Exposed, cloud: Balancer) -> Iterator[Outcome]:
    for outcome, of_cloud in sync(each.number, service, cloud):
        cell = each.cloud if of_cloud else each.cell
        yield outcome._replace(writes={cell: outcome.writes[""]})


def know(each: Balanced, service: Exposed, cloud: Balancer) -> Iterator[Outcome]:
    """A controller that has started anew lists all Services, and works on each of them."""
    if comes_to_know(Known(*service, cloud.there)):
        after = service._replace(remembered=True)
        why = "it has started anew, and works on every Service"
        yield Outcome(KNOW_SERVICE, {each.cell: after}, (("service", each.number),), why)


# The load balancer, which sends to nodes that have a ready pod


def fail_check(found: tuple[Front, ...], leaving: Leaving) -> Iterator[Outcome]:
    """It sends no more to a node whose kube-proxy knows of no ready pod there."""
    if leaving != NOBODY and leaving.balancer and leaving.heard != Entry.READY:
        after = leaving._replace(balancer=False)
        writes = {LEAVING: after if sends_to(found[after.front], after) else NOBODY}
        why = "the kube-proxy of the node says that no ready pod is there"
        yield Outcome(FAIL_HEALTH_CHECK, writes, (("class", leaving.pod_class),), why)


# What users do, and what the cloud does by itself


def _delete(service: Exposed, cloud: Balancer) -> tuple[Exposed, Balancer, str] | None:
    if not service.present or service.deleted:
        return None
    if not service.finalizer:
        return gone(service), cloud, "kubectl delete; it has no finalizer"
    return service._replace(deleted=True), cloud, "kubectl delete; its finalizer keeps it"


def _strip(service: Exposed, cloud: Balancer) -> tuple[Exposed, Balancer, str] | None:
    if not (service.present and service.finalizer):
        return None
    after = gone(service) if service.deleted else service._replace(finalizer=False)
    return after, cloud, "somebody takes the finalizer away by hand"


def _hold(service: Exposed, cloud: Balancer) -> tuple[Exposed, Balancer, str] | None:
    if not cloud.there or cloud.held:
        return None
    return service, cloud._replace(held=True), "it is protected, or something in the cloud uses it"


def _release(service: Exposed, cloud: Balancer) -> tuple[Exposed, Balancer, str] | None:
    if not cloud.held:
        return None
    return service, cloud._replace(held=False), "nothing holds it any more"


Change = Callable[[Exposed, Balancer], tuple[Exposed, Balancer, str] | None]


def _of_service(
    action: Action, change: Change, *, fault: bool = False, ends: bool = False
) -> EventKind:
    """An event of one Service, or of each; ``ends``: whoever asks for it sees to it in the end."""

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        for each in balanced(setting.world):
            if event.options not in (None, each.name):
                continue

            def outcomes(
                left: int, service: Exposed, cloud: Balancer, each: Balanced = each
            ) -> Iterator[Outcome]:
                found = change(service, cloud) if left else None
                if found is not None:
                    after, there, why = found
                    writes = {budget: left - 1, each.cell: after, each.cloud: there}
                    yield Outcome(action, writes, (("service", each.number),), why)

            actor = FAULT if fault else USER
            cells = (budget, each.cell, each.cloud)
            rule = Rule(f"{budget} of {each.cell}", actor, cells, outcomes, environment=not ends)
            yield replace(rule, task=rule.name) if ends else rule

    return EventKind(action, rules, fault=fault)


def _restart(setting: Setting, _event: Event, budget: str) -> Iterator[Rule]:
    """The cloud controller manager dies, or another leads: what it had in mind is gone."""
    cells = tuple(each.cell for each in followed(setting))

    def outcomes(left: int, *services: Exposed) -> Iterator[Outcome]:
        if left and any(service.remembered for service in services):
            after = (service._replace(remembered=False) for service in services)
            writes = {budget: left - 1, **dict(zip(cells, after, strict=True))}
            why = "the cloud controller manager restarts, and forgets which Services it worked on"
            yield Outcome(CLOUD_CONTROLLER_RESTART, writes, (), why)

    if cells:
        yield Rule(f"{budget} of all", FAULT, (budget, *cells), outcomes, environment=True)


# The component


def _parts(setting: Setting) -> Parts:
    cells: list[Cell] = []
    rules: list[Rule] = []
    for each in followed(setting):
        service, cloud = at_start(each.service)
        cells += [Cell(each.cell, service, Exposed), Cell(each.cloud, cloud, Balancer)]
        act, seen = partial(_synced, each), (each.cell, each.cloud)
        rules.append(Rule(f"sync load balancer of {each.cell}", SERVICE_CONTROLLER, seen, act))
        if setting.may_happen(CLOUD_CONTROLLER_RESTART):
            knows, name = partial(know, each), f"list {each.cell}"
            rules.append(Rule(name, SERVICE_CONTROLLER, seen, knows, writes=(each.cell,)))
    found, world = fronts_followed(setting), setting.world
    own = [each for each in followed(setting) if excludes(world) and each.front in found]
    tallies = tuple(reached_pods(world, each) for each in own)
    if follows(setting) and any(front.checked for front in found):
        checks = partial(fail_check, found)
        rules.append(Rule("health checks", LOAD_BALANCER, (LEAVING,), checks))
    return Parts(tuple(cells), tallies=tallies, rules=tuple(rules)) if rules else NO_PARTS


def _assumes(setting: Setting) -> Iterator[str]:
    for cloud in setting.world.objects_of(Cloud):
        for front in fronts(setting.world):
            if front.checked:
                yield (
                    f"{front.label}: its load balancer sends no more to a node within "
                    f"{cloud.health_check_seconds} s of its health check's first failure"
                )


def _by_label(crowd: Crowd) -> Telling:
    followed = any(isinstance(thing, Cloud) for thing in crowd.objects)
    return lambda shape: followed and is_behind(shape.node)


COMPONENT = Component(
    name="servicelb",
    distinguishes=_by_label,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    kinds=(Cloud,),
    events=(
        _of_service(DELETE_SERVICE, _delete),
        _of_service(STRIP_FINALIZER, _strip),
        _of_service(HOLD_BALANCER, _hold, fault=True),
        _of_service(RELEASE_BALANCER, _release, ends=True),
        EventKind(CLOUD_CONTROLLER_RESTART, _restart, fault=True),
    ),
    assumes=_assumes,
)
