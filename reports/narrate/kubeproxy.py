"""The kube-proxies, which go by what they have heard of slices."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.kubeproxy.actions import HEAR_OF_ENDPOINTS
from kubelemma.model.components.kubeproxy.rules import KUBE_PROXY
from kubelemma.reports.story import Idle

from .scene import Standstill
from .teller import Teller


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(KUBE_PROXY):
        yield Idle(KUBE_PROXY, "all have heard of all slices")


TELLER = Teller(
    name="kubeproxy",
    sentences={HEAR_OF_ENDPOINTS: "hears of the slices of {service}"},
    idle=_idle,
)
