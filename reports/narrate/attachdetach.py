"""The attach/detach controller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import UNSTARTED, Phase
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.components.attachdetach.actions import ATTACH, DETACH, FORCE_DETACH
from kubelemma.model.components.attachdetach.rules import ATTACH_DETACH
from kubelemma.reports.story import Fact, Hindrance, Idle, NodeReview
from kubelemma.reports.style import enumeration

from .scene import Belied, Claim, Scene, Seen, Standstill
from .teller import Teller
from .volumes import awaiting, called, claim_position, stored_in


def _where(seen: Seen, volume: int) -> list[str]:
    nodes = seen.nodes().items()
    return [name for name, node in nodes if any(v.volume == volume for v in node.volumes)]


def _attached(scene: Scene) -> Iterator[Fact]:
    where = _where(scene.before, scene.argument("volume"))
    yield Fact("attached to", enumeration(where) if where else "no node")


def _idle(end: Standstill) -> Iterator[Idle]:
    stock = stock_of(end.world)
    if not end.acts(ATTACH_DETACH):
        return
    stored, held = stored_in(end.seen), []
    for volume in stock.attachable:
        where = _where(end.seen, volume)
        waiting = list(awaiting(stock, stored, end.seen.nodes(), volume))
        if waiting and where:
            have = "has" if len(waiting) == 1 else "have"
            held.append(
                f"{called(stock, stored, volume)} is attached to {enumeration(where)}, where a pod "
                f"uses it, and {enumeration(waiting)} {have} to wait"
            )
    if held:
        yield Idle(ATTACH_DETACH, "; ".join(held), held_up=True)
    else:
        yield Idle(ATTACH_DETACH, "every volume is attached where pods use it")


def _hinders(end: Standstill, place: Place, _reviews: Sequence[NodeReview]) -> Iterator[Fact]:
    """The claims of a pod whose volumes stay with another node."""
    stock = stock_of(end.world)
    if not stock or not place.node or place.phase not in (Phase.STARTING, *UNSTARTED):
        return
    stored = stored_in(end.seen)
    workload = end.world.workloads[end.world.classes[place.pod_class].workload]
    for index in stock.uses[place.pod_class]:
        volume = stored.claims[index].volume
        where = _where(end.seen, volume)
        if where and place.node not in where and stock.volumes[volume].exclusive:
            position = claim_position(end.written, workload, stock.claims[index].key[1])
            value = f"{stock.claims[index].label} on {enumeration(where)}"
            yield Fact(Hindrance.ATTACHED, value, position)


def _twice(belied: Belied) -> Iterator[Claim]:
    stock, stored = stock_of(belied.world), stored_in(belied.seen)
    for volume in stock.attachable:
        where = _where(belied.seen, volume)
        if stock.volumes[volume].exclusive and len(where) > 1:
            yield Claim(
                f"{called(stock, stored, volume)} is attached to {enumeration(where)}",
                (Fact("nodes", enumeration(where)),),
            )


TELLER = Teller(
    name="attachdetach",
    sentences={
        ATTACH: "attaches {volume} to {node}",
        DETACH: "detaches {volume} from {node}",
        FORCE_DETACH: "detaches {volume} from {node}, where it may still be mounted",
    },
    facts={ATTACH: _attached},
    idle=_idle,
    hinders=_hinders,
    claims={"VOL-3": _twice},
)
