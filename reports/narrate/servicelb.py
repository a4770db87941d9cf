"""Load balancers of Services, and the controller that has a cloud make and delete them."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.servicelb.actions import (
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
from kubelemma.model.components.servicelb.decision import EXCLUDED
from kubelemma.model.components.servicelb.rules import (
    LOAD_BALANCER,
    SERVICE_CONTROLLER,
    Balanced,
    Balancer,
    Exposed,
    balanced,
)
from kubelemma.reports.story import Change, Fact, Idle

from .causes import event
from .differing import differing
from .scene import Belied, Claim, Scene, Seen, Standstill
from .teller import Teller


def _followed(seen: Seen) -> Iterator[tuple[Balanced, Exposed, Balancer]]:
    for each in balanced(seen.world):
        if each.cell in seen.scenario.system.positions:
            yield each, seen.value(each.cell), seen.value(each.cloud)


def _label(scene: Scene) -> str:
    return balanced(scene.world)[scene.argument("service")].cell


def _yes(truth: bool) -> str:  # noqa: FBT001 - a word for it
    return "yes" if truth else "no"


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for (each, was, then), (_, now, there) in zip(_followed(before), _followed(after), strict=True):
        fields = (
            ("present", _yes(was.present), _yes(now.present)),
            ("deleted", _yes(was.deleted), _yes(now.deleted)),
            ("finalizer", _yes(was.finalizer), _yes(now.finalizer)),
            ("status.loadBalancer", _yes(was.address), _yes(now.address)),
            *_remembered(before, was, now),
        )
        yield from differing(each.cell, fields)
        states = (("there", _yes(then.there), _yes(there.there)),)
        held = (("held", _yes(then.held), _yes(there.held)),)
        yield from differing(each.cloud, (*states, *held))


def _remembered(seen: Seen, was: Exposed, now: Exposed) -> Iterator[tuple[str, str, str]]:
    """What the controller has in mind, where it may lose it."""
    if any(event.action == CLOUD_CONTROLLER_RESTART for event in seen.scenario.events):
        yield "known to the controller", _yes(was.remembered), _yes(now.remembered)


def _idle(end: Standstill) -> Iterator[Idle]:
    if not end.acts(SERVICE_CONTROLLER):
        return
    found = _followed(end.seen)
    refused = [each.cloud for each, service, cloud in found if _refused(service, cloud)]
    if refused:
        reason = f"the cloud refuses to delete the {refused[0]}"
        yield Idle(SERVICE_CONTROLLER, reason, held_up=True)
    else:
        yield Idle(SERVICE_CONTROLLER, "every load balancer is as its Service wants it")
    if end.acts(LOAD_BALANCER):
        yield Idle(LOAD_BALANCER, "it sends only to nodes with a ready pod")


def _refused(service: Exposed, cloud: Balancer) -> bool:
    return cloud.there and cloud.held and (service.deleted or not service.present)


def _outlives(belied: Belied) -> Iterator[Claim]:
    yield Claim(
        f"{belied.prop.subject} is gone, and its load balancer is still there in the cloud",
        (Fact("Service", "gone"), Fact("load balancer", "there")),
    )


def _stranded(belied: Belied) -> Iterator[Claim]:
    for each, service, cloud in _followed(belied.seen):
        if each.cell == belied.prop.subject:
            why = "its controller knows of no such Service"
            if service.remembered or cloud.held:
                why = "the cloud refuses to delete it"
            yield Claim(
                f"{each.cell} is gone, and its load balancer stays in the cloud: {why}",
                (
                    Fact("load balancer", "there" if cloud.there else "gone"),
                    Fact("known to the controller", _yes(service.remembered)),
                ),
            )


def _stays(belied: Belied) -> Iterator[Claim]:
    for each, service, cloud in _followed(belied.seen):
        if each.cell == belied.prop.subject:
            why = ", as the cloud refuses to delete its load balancer" if cloud.held else ""
            yield Claim(
                f"{each.cell} has been deleted, and stays{why}",
                (
                    Fact("finalizer", _yes(service.finalizer)),
                    Fact("load balancer", "there" if cloud.there else "gone"),
                ),
            )


def _unreached(belied: Belied) -> Iterator[Claim]:
    for each, service, cloud in _followed(belied.seen):
        if each.cell == belied.prop.subject:
            ready = belied.seen.summed(each.front.tally)
            lacks = "no ready pod answers"
            if not (service.address and cloud.there):
                lacks = "it has no load balancer that it says it is reached by"
            elif ready:
                lacks = f"its load balancer sends to no node from which one is reached ({EXCLUDED})"
            yield Claim(
                f"no request to {each.cell} is ever served: {lacks}",
                (
                    Fact("ready endpoints", str(ready)),
                    Fact("status.loadBalancer", "set" if service.address else "empty"),
                ),
            )


def said_of(seen: Seen, label: str) -> Iterator[str]:
    """What a picture says of the load balancer of a Service."""
    for each, service, cloud in _followed(seen):
        if each.cell != label:
            continue
        if not service.present:
            yield "gone"
        elif service.deleted:
            yield "terminating"
        if not cloud.there:
            yield "no load balancer"
        elif service.address:
            yield "load balancer, reached from outside"
        else:
            yield "load balancer, of which its status says nothing yet"
        if cloud.there and cloud.held:
            yield "the cloud refuses to delete it"


TELLER = Teller(
    name="servicelb",
    sentences={
        DELETE_SERVICE: "deletes {balanced}",
        STRIP_FINALIZER: "takes the finalizer of {balanced} away",
        HOLD_BALANCER: "the cloud refuses to delete the load balancer of {balanced} from now on",
        RELEASE_BALANCER: "releases the load balancer of {balanced} in the cloud",
        CLOUD_CONTROLLER_RESTART: "restarts the cloud controller manager",
        KNOW_SERVICE: "comes to know {balanced} again",
        ADD_FINALIZER: "gives {balanced} the finalizer service.kubernetes.io/load-balancer-cleanup",
        ENSURE_BALANCER: "has the cloud make a load balancer for {balanced}",
        WRITE_ADDRESS: "writes where {balanced} is reached into its status",
        DELETE_BALANCER: "has the cloud delete the load balancer of {balanced}",
        REMOVE_SERVICE: "takes the finalizer of {balanced} away: it is gone",
        FAIL_HEALTH_CHECK: "sends no more to the node of the deleted pod of {service}",
    },
    words={"balanced": _label},
    causes={
        DELETE_SERVICE: event("deleteService"),
        STRIP_FINALIZER: event("stripFinalizer"),
        HOLD_BALANCER: event("holdLoadBalancer"),
        RELEASE_BALANCER: event("releaseLoadBalancer"),
        CLOUD_CONTROLLER_RESTART: event("cloudControllerRestart"),
    },
    changes=_changes,
    idle=_idle,
    claims={"LB-1": _outlives, "LB-2": _stays, "LB-3": _unreached, "LB-5": _stranded},
)
