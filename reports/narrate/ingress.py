"""Ingress controllers, which go by what they have heard of slices, and send to pods themselves."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.ingress.actions import HEAR_OF_BACKENDS
from kubelemma.model.components.ingress.rules import INGRESS_CONTROLLER
from kubelemma.reports.story import Idle

from .endpointslice import refuses
from .scene import Standstill
from .teller import Teller


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(INGRESS_CONTROLLER):
        yield Idle(INGRESS_CONTROLLER, "all have heard of all slices")


TELLER = Teller(
    name="ingress",
    sentences={HEAR_OF_BACKENDS: "hears of the slices behind {service}"},
    idle=_idle,
    claims={"ING-1": refuses},
)
