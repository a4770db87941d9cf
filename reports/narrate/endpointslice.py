"""Services: who receives their traffic, and what becomes of a pod that is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubelemma.model.components.disruption.rules import is_ready
from kubelemma.model.components.endpointslice.actions import STOP_SERVING, WRITE_SLICE
from kubelemma.model.components.endpointslice.decision import selects
from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Entry, Leaving
from kubelemma.model.components.endpointslice.pause import pause_seconds
from kubelemma.model.components.endpointslice.rules import ENDPOINT_SLICES
from kubelemma.model.components.servicelb.decision import Cloud
from kubelemma.model.objects.service import Service
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import ServiceBox
from kubelemma.reports.story import Change, Fact, Hindrance, Idle

from . import entering
from .cast import Cast
from .differing import differing
from .phases import SHOWN_READY
from .scene import Belied, Claim, Scene, Seen, Standstill
from .selected import Selected, selected, whole_name
from .servicelb import said_of
from .teller import Boxes, Teller
from .written import Written

PAUSE = "lifecycle.preStop"
"""Fact: what a template says of it, or would."""
SERVES_FOR = str(Hindrance.SERVES_FOR)
PUBLISHED = str(Hindrance.PUBLISHED)
SENDERS = str(Hindrance.SENDERS)
HEARD = str(Hindrance.HEARD)
ENOUGH = str(Hindrance.ENOUGH)


def _boxes(scenario: Scenario, written: Written) -> Boxes:
    """The Services that select pods of a workload."""
    services = [
        (manifest.object, found)
        for manifest in written.manifests.of(Service)
        if (found := selected(scenario, partial(selects, manifest.object), is_ready)).classes
    ]

    def look(seen: Seen, cast: Cast) -> Iterator[ServiceBox]:
        return (_box(seen, cast, *each) for each in services)

    return look


def _box(seen: Seen, cast: Cast, service: Service, found: Selected) -> ServiceBox:
    """Who receives traffic: pods that the API shows Ready and that are not being deleted."""
    ready = [pod for pod in found.pods(seen, cast) if pod.phase in SHOWN_READY]
    beside = found.beside(seen)
    down = {name for name, node in seen.nodes().items() if not node.up}
    return ServiceBox(
        name=whole_name(service.metadata),
        endpoints=tuple(sorted(pod.name for pod in ready)),
        others=sum(beside.values()),
        silent=sum(pod.node in down for pod in ready)
        + sum(number for name, number in beside.items() if name in down),
        said=(
            *entering.said_of(seen, service.metadata),
            *said_of(seen, f"Service {whole_name(service.metadata)}"),
            *_believed(seen, service),
        ),
    )


def _believed(seen: Seen, service: Service) -> Iterator[str]:
    """What kube-proxies, and its load balancer, believe of the deleted pod that is followed."""
    leaving, front = leaving_of(seen), front_of(seen)
    if front is None or front.service.metadata != service.metadata:
        return
    words = {Entry.READY: "ready", Entry.TERMINATING: "terminating"}
    whose = "a deleted pod" if leaving.serving else "a deleted pod that has stopped"
    for who, entry in (("slices", leaving.slices), (front.route.senders, leaving.heard)):
        yield f"{who}: {whose} is {words.get(Entry(entry), 'not there')}"
    if leaving.balancer:
        yield "its load balancer still sends to the node of that pod"


def leaving_of(seen: Seen) -> Leaving:
    """The pod that is followed; nobody where no traffic is."""
    there = LEAVING in seen.scenario.system.positions
    found: Leaving = seen.value(LEAVING) if there else NOBODY
    return found


def front_of(seen: Seen) -> Front | None:
    """The Service that the pod leaves."""
    leaving = leaving_of(seen)
    return None if leaving == NOBODY else fronts(seen.world)[leaving.front]


def _service(scene: Scene) -> str:
    front = front_of(scene.before)
    return front.label if front else "the Service"


def _gone(scene: Scene) -> str:
    """What the slices say of the pod then."""
    words = {Entry.ABSENT: "no more in them", Entry.TERMINATING: "terminating"}
    return words.get(Entry(leaving_of(scene.after).slices), "ready")


def _pause(scene: Scene) -> Iterator[Fact]:
    front, own = front_of(scene.before), scene.pod_class
    if front is not None and own is not None:
        pause = pause_seconds(front.service, own.pod.spec)
        position = None
        if scene.workload is not None:
            position = scene.written.template(scene.workload, ("containers",))
        yield Fact(PAUSE, f"waits {pause:g} s" if pause else "none", position)


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    """What is said of the pod that is followed: of one, and as long as it is."""
    old, new = leaving_of(before), leaving_of(after)
    front = front_of(before)
    if front is not None and new[:2] == old[:2]:
        fields = (("the deleted pod in its slices", _word(old), _word(new)),)
        yield from differing(front.label, fields)


def _word(leaving: Leaving) -> str:
    return Entry(leaving.slices).name.lower()


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(ENDPOINT_SLICES):
        yield Idle(ENDPOINT_SLICES, "the slices say what is true of every pod")


def refuses(belied: Belied) -> Iterator[Claim]:
    """A connection to a pod that has stopped, or will have."""
    front = next((f for f in fronts(belied.world) if f.label == belied.prop.subject), None)
    if front is None:
        return
    leaving, classes = leaving_of(belied.seen), belied.world.classes
    own = sorted(front.classes) if leaving == NOBODY else [leaving.pod_class]
    pause = min(pause_seconds(front.service, classes[index].pod.spec) for index in own)
    published = front.service.spec.publish_not_ready_addresses
    kind, name = front.label.split(" ", maxsplit=1)
    terms = (
        Fact(kind, name),
        Fact(SERVES_FOR, f"{pause:g} s"),
        Fact(SENDERS, front.route.senders),
        Fact(HEARD, f"{front.route.lag_seconds} s"),
        *([Fact(PUBLISHED, "true")] if published else []),
        *_of_balancer(front, belied),
    )
    if leaving == NOBODY:
        yield Claim(
            "the kubelet may stop the containers of the deleted pod while "
            f"{front.route.senders} still send it new connections, since they hear of its deletion "
            "later",
            terms,
        )
        return
    if leaving.balancer and leaving.heard != Entry.READY:
        yield Claim(
            "its load balancer still sends to the node of a deleted pod whose containers have been "
            "asked to stop, and no other ready pod is there: its health check has yet to fail",
            terms,
        )
        return
    known = leaving.slices == Entry.READY
    why = "its EndpointSlice still has it as ready" if known else "they have not heard of it yet"
    yield Claim(
        f"{front.route.senders} may still send new connections to a deleted pod whose containers "
        f"have been asked to stop: {why}",
        terms,
    )


def _of_balancer(front: Front, belied: Belied) -> Iterator[Fact]:
    """How long a load balancer sends to a node without a ready pod, and what outlasts that."""
    for cloud in belied.world.objects_of(Cloud) if front.checked else ():
        lag = cloud.health_check_seconds
        yield Fact("its load balancer leaves a node out within", f"{lag} s of its first failure")
        yield Fact(ENOUGH, str(front.route.lag_seconds + lag))


def _alone(belied: Belied) -> Iterator[Claim]:
    """A Service that has lost its last endpoint."""
    for front in fronts(belied.world):
        if front.label == belied.prop.subject:
            then, now = (seen.summed(front.tally) for seen in (belied.before, belied.seen))
            yield Claim(
                f"{front.label} had {then} ready and has {now}: it refuses connections",
                (Fact("ready endpoints before", str(then)), Fact("ready endpoints", str(now))),
            )


TELLER = Teller(
    name="endpointslice",
    sentences={
        WRITE_SLICE: "writes the slices of {service}: the deleted pod is {gone}",
        STOP_SERVING: "stops the containers of the deleted pod of {service}",
    },
    words={"service": _service, "gone": _gone},
    facts={STOP_SERVING: _pause},
    changes=_changes,
    idle=_idle,
    claims={"EPS-2": refuses, "EPS-4": _alone},
    boxes=_boxes,
)
