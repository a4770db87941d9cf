"""Clients of headless Services, which go by what DNS told them."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.dns.actions import RESOLVE_AGAIN
from kubelemma.model.components.dns.rules import CLIENT
from kubelemma.reports.story import Idle

from .endpointslice import refuses
from .scene import Standstill
from .teller import Teller


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(CLIENT):
        yield Idle(CLIENT, "none keeps an address that DNS would not give it now")


TELLER = Teller(
    name="dns",
    sentences={RESOLVE_AGAIN: "asks DNS again for {service}"},
    idle=_idle,
    claims={"DNS-1": refuses},
)
