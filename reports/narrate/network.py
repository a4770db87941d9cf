"""The network of a cluster: addresses that are given again, and zones that are parted."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.endpointslice.fronts import fronts
from kubelemma.model.components.endpointslice.leaving import NOBODY
from kubelemma.model.components.kubeproxy.local import stays_near
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.network.actions import REUSE_ADDRESS, ZONE_SPLIT
from kubelemma.model.components.network.zones import tally_name
from kubelemma.reports.story import Fact, Hindrance

from .causes import event
from .endpointslice import front_of, leaving_of, refuses
from .scene import Belied, Claim
from .teller import Teller


def _reaches_another(belied: Belied) -> Iterator[Claim]:
    """A connection that another pod answers; where none is followed, one that it may answer."""
    front = front_of(belied.seen)
    if front is None or leaving_of(belied.seen) == NOBODY:
        yield from refuses(belied)
        return
    kind, name = front.label.split(" ", maxsplit=1)
    yield Claim(
        f"{front.route.senders} may still send new connections to the address of a deleted pod, "
        "which another pod has now",
        (
            Fact(kind, name),
            Fact(str(Hindrance.SENDERS), front.route.senders),
            Fact(str(Hindrance.HEARD), f"{front.route.lag_seconds} s"),
        ),
    )


def _crosses(belied: Belied) -> Iterator[Claim]:
    """Traffic between zones that are parted."""
    for front in fronts(belied.world):
        if front.route != BY_PROXY or front.label != belied.prop.subject:
            continue
        ready: tuple[int, ...] = belied.seen.summed(tally_name(front))
        every = zip(belied.world.zones(), ready, strict=True)
        found = {zone: stays_near(front.service, near, sum(ready) - near) for zone, near in every}
        crossing = [zone for zone, stays in found.items() if stays is False]
        named = ", ".join(zone or "those without a zone" for zone in crossing)
        yield Claim(
            f"kube-proxies in {named} send to pods of {front.label} in other zones, which they do "
            "not reach",
            tuple(
                Fact(f"ready endpoints in {zone or 'no zone'}", str(number))
                for zone, number in zip(belied.world.zones(), ready, strict=True)
            ),
        )


TELLER = Teller(
    name="network",
    sentences={
        REUSE_ADDRESS: "the network gives the address of the deleted pod of {service} to another",
        ZONE_SPLIT: "the network between the zones breaks",
    },
    causes={REUSE_ADDRESS: event("reuseAddress"), ZONE_SPLIT: event("zoneSplit")},
    claims={"NET-1": _reaches_another, "NET-2": _crosses},
)
