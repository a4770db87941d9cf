"""Load balancers that send to pods themselves: whom they know."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.targets.actions import REGISTER_TARGET
from kubelemma.model.components.targets.rules import LOAD_BALANCER, targeted
from kubelemma.reports.story import Change, Fact, Idle

from .differing import differing
from .scene import Belied, Claim, Scene, Seen, Standstill
from .teller import Teller


def _service(scene: Scene) -> str:
    return targeted(scene.world)[scene.argument("targets")].front.label


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for each in targeted(before.world):
        if each.cell in before.scenario.system.positions:
            old, new = (seen.value(each.cell).pods for seen in (before, after))
            fields = (("pods that its load balancer sends to", str(old), str(new)),)
            yield from differing(each.front.label, fields)


def _nobody(belied: Belied) -> Iterator[Claim]:
    for each in targeted(belied.world):
        if each.front.label == belied.prop.subject:
            ready = belied.seen.summed(each.front.tally)
            yield Claim(
                f"the load balancer of {each.front.label} sends to no pod any more: it does not "
                f"know {'those that are' if ready > 1 else 'the one that is'} Ready yet",
                (Fact("ready endpoints", str(ready)), Fact("known to its load balancer", "0")),
            )


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(LOAD_BALANCER) and targeted(end.world):
        yield Idle(LOAD_BALANCER, "it sends to every pod that is Ready")


TELLER = Teller(
    name="targets",
    sentences={REGISTER_TARGET: "sends to one more pod of {targeted}"},
    words={"targeted": _service},
    changes=_changes,
    idle=_idle,
    claims={"LB-4": _nobody},
)
