"""The kube-proxies, which go by what they have heard of slices."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.endpointslice.fronts import fronts
from kubelemma.model.components.kubeproxy.actions import HEAR_OF_ENDPOINTS
from kubelemma.model.components.kubeproxy.decision import LOCAL
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.kubeproxy.rules import KUBE_PROXY
from kubelemma.reports.story import Fact, Idle

from .scene import Belied, Claim, Standstill
from .teller import Teller


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(KUBE_PROXY):
        yield Idle(KUBE_PROXY, "all have heard of all slices")


def _drops(belied: Belied) -> Iterator[Claim]:
    """A node that has nobody left to send its own traffic to."""
    for front in fronts(belied.world):
        if front.label == belied.prop.subject and front.route == BY_PROXY:
            spec = front.service.spec
            field = "internalTrafficPolicy"
            if spec.internal_traffic_policy != LOCAL:
                field = "externalTrafficPolicy"
            yield Claim(
                f"a node has no ready pod of {front.label} any more, and its kube-proxy drops what "
                "may not leave the node, whatever is ready elsewhere",
                (Fact("Service", front.label.partition(" ")[2]), Fact(field, LOCAL)),
            )


TELLER = Teller(
    name="kubeproxy",
    sentences={HEAR_OF_ENDPOINTS: "hears of the slices of {service}"},
    idle=_idle,
    claims={"PROXY-1": _drops},
)
