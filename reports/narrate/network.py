"""The network of a cluster: addresses that are given again."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.endpointslice.leaving import NOBODY
from kubelemma.model.components.network.actions import REUSE_ADDRESS
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


TELLER = Teller(
    name="network",
    sentences={
        REUSE_ADDRESS: "the network gives the address of the deleted pod of {service} to another"
    },
    causes={REUSE_ADDRESS: event("reuseAddress")},
    claims={"NET-1": _reaches_another},
)
