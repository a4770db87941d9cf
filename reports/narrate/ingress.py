"""Ingress controllers, which go by what they have heard of slices, and send to pods themselves."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.ingress.actions import HEAR_OF_BACKENDS, LOAD_BACKENDS
from kubelemma.model.components.ingress.first import entrances
from kubelemma.model.components.ingress.rules import INGRESS_CONTROLLER
from kubelemma.reports.story import Change, Fact, Idle

from .differing import differing
from .endpointslice import refuses
from .entering import awaited
from .scene import Belied, Claim, Scene, Seen, Standstill
from .teller import Teller


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(INGRESS_CONTROLLER):
        yield Idle(INGRESS_CONTROLLER, "all have heard of all slices")


def _label(scene: Scene) -> str:
    return entrances(scene.world)[scene.argument("entrance")].front.label


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    words = ("503", "to its pods")
    for (entrance, was), (_, now) in zip(awaited(before), awaited(after), strict=True):
        yield from differing(entrance.front.label, (("requests", words[was], words[now]),))


def _unserved(belied: Belied) -> Iterator[Claim]:
    for entrance, loaded in awaited(belied.seen):
        if entrance.front.label == belied.prop.subject:
            ready = belied.seen.summed(entrance.front.tally)
            yield Claim(
                f"every request through {entrance.front.label} is answered 503, for good",
                (
                    Fact("ready endpoints", str(ready)),
                    Fact("the controller sends to pods", "yes" if loaded else "no"),
                ),
            )


TELLER = Teller(
    name="ingress",
    sentences={
        HEAR_OF_BACKENDS: "hears of the slices behind {service}",
        LOAD_BACKENDS: "loads what is behind {entrance}",
    },
    words={"entrance": _label},
    changes=_changes,
    idle=_idle,
    claims={"ING-1": refuses, "ING-3": _unserved},
)
