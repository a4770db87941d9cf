"""Claims and volumes, who binds them, and who makes volumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import UNSTARTED, Phase
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import NONE, ClaimPhase, Stock, VolumeState
from kubelemma.model.components.persistentvolume.actions import (
    BIND_CLAIM,
    CLAIM_BOUND,
    PROVISION,
    RECLAIM_VOLUME,
    RELEASE_VOLUME,
    RESERVE_VOLUME,
    VOLUME_BOUND,
)
from kubelemma.model.components.persistentvolume.rules import PERSISTENT_VOLUME
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import VolumeBox
from kubelemma.reports.story import Change, Fact, Hindrance, Idle, NodeReview
from kubelemma.reports.style import enumeration

from .cast import Cast
from .differing import differing
from .scene import Belied, Claim, Scene, Seen, Standstill
from .teller import Boxes, Teller
from .volumes import awaiting, claim_name, claim_position, stored_in, volume_name
from .written import Written

_NOTHING = "none"


def _named(stock: Stock, volume: int) -> str:
    return stock.volumes[volume].name if volume >= 0 else _NOTHING


def _claimed(stock: Stock, claim: int) -> str:
    return stock.claims[claim].label if claim >= 0 else _NOTHING


def _segment(stock: Stock, volume: int, state: VolumeState) -> str:
    segments = stock.volumes[volume].segments
    if state.segment == NONE or not segments:
        return ""
    return ", ".join(f"{key}={value}" for key, value in segments[state.segment])


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    stock = stock_of(before.world)
    if not stock:
        return
    old, new = stored_in(before), stored_in(after)
    for claim, was, now in zip(stock.claims, old.claims, new.claims, strict=True):
        fields = (
            ("present", _yes(was.present), _yes(now.present)),
            ("spec.volumeName", _named(stock, was.volume), _named(stock, now.volume)),
            ("status.phase", was.phase.name.capitalize(), now.phase.name.capitalize()),
            ("deleted", _yes(was.deleted), _yes(now.deleted)),
            ("owned by its pod", _yes(was.condemned), _yes(now.condemned)),
        )
        yield from differing(claim.cell, fields)
    for volume, then, there in zip(stock.volumes, old.volumes, new.volumes, strict=True):
        states = (
            ("present", _yes(then.present), _yes(there.present)),
            ("spec.claimRef", _claimed(stock, then.claim), _claimed(stock, there.claim)),
            ("status.phase", then.phase.name.capitalize(), there.phase.name.capitalize()),
            ("deleted", _yes(then.deleted), _yes(there.deleted)),
        )
        yield from differing(volume.cell, states)


def _yes(truth: bool) -> str:  # noqa: FBT001 - a word for it
    return "yes" if truth else "no"


def _reach(scene: Scene) -> Iterator[Fact]:
    """From where the volume of a step can be reached."""
    stock, volume = stock_of(scene.world), scene.argument("volume")
    where = _segment(stock, volume, stored_in(scene.after).volumes[volume])
    yield Fact("can be reached from nodes with", where or "any labels")


def _idle(end: Standstill) -> Iterator[Idle]:
    if not end.acts(PERSISTENT_VOLUME):
        return
    stock, stored = stock_of(end.world), stored_in(end.seen)
    pairs = tuple(zip(stock.claims, stored.claims, strict=True))
    open_ = [
        claim.label for claim, state in pairs if state.present and state.phase != ClaimPhase.BOUND
    ]
    if open_:
        reason = f"no volume is there, or made, for {enumeration(open_)}"
        yield Idle(PERSISTENT_VOLUME, reason, held_up=True)
    else:
        yield Idle(PERSISTENT_VOLUME, "every claim is bound")


def _hinders(end: Standstill, place: Place, _reviews: Sequence[NodeReview]) -> Iterator[Fact]:
    """The claims of a pod on a node that are not bound, or about to go."""
    stock = stock_of(end.world)
    if not stock or not place.node or place.phase not in (Phase.STARTING, *UNSTARTED):
        return
    stored, node = stored_in(end.seen), end.seen.nodes()[place.node]
    mounted = {found.volume for found in node.volumes if found.mounted}
    workload = end.world.workloads[end.world.classes[place.pod_class].workload]
    for index in stock.uses[place.pod_class]:
        claim, state = stock.claims[index], stored.claims[index]
        going = state.deleted and state.volume not in mounted
        if going or state.phase != ClaimPhase.BOUND:
            position = claim_position(end.written, workload, claim.key[1])
            what = "is being deleted" if going else "is not bound"
            yield Fact(Hindrance.CLAIM, f"{claim.label} {what}", position)


def _boxes(scenario: Scenario, _written: Written) -> Boxes:
    """Each volume that is there, or that a claim waits for, and where it is attached."""
    stock = stock_of(scenario.world)

    def look(seen: Seen, _cast: Cast) -> Iterator[VolumeBox]:
        if not stock:
            return
        stored, nodes = stored_in(seen), seen.nodes()
        for index, volume in enumerate(stock.volumes):
            state = stored.volumes[index]
            if not state.present:
                continue
            there = {
                name: found.mounted
                for name, node in nodes.items()
                for found in node.volumes
                if found.volume == index
            }
            yield VolumeBox(
                name=volume.name,
                claim=_claimed(stock, state.claim) if state.claim >= 0 else "",
                phase=state.phase.name.capitalize(),
                reach=_segment(stock, index, state),
                attached=tuple(sorted(there)),
                mounted=tuple(sorted(name for name, mounted in there.items() if mounted)),
                awaited=tuple(sorted(awaiting(stock, stored, nodes, index))),
            )

    return look


def _apart(belied: Belied) -> Iterator[Claim]:
    """Where the volumes of a workload's pods can be reached from."""
    workload = belied.workload
    if workload is None:
        return
    stock, stored = stock_of(belied.world), stored_in(belied.seen)
    used = dict.fromkeys(claim for c in workload.classes for claim in stock.uses[c])
    terms = []
    for index in used:
        volume = stored.claims[index].volume
        if volume != NONE:
            where = _segment(stock, volume, stored.volumes[volume]) or "its node affinity"
            terms.append(Fact(f"nodes that reach claim {stock.claims[index].label}", where))
    said = "; ".join(
        f"{term.name.removeprefix('nodes that reach ')}: {term.value}" for term in terms
    )
    yield Claim(f"no node reaches all volumes of {workload.name}: {said}", tuple(terms))


def _open(belied: Belied) -> Iterator[Claim]:
    yield Claim(f"{belied.prop.subject} is not bound, and will not be", ())


TELLER = Teller(
    name="persistentvolume",
    sentences={
        PROVISION: "makes {volume}",
        RESERVE_VOLUME: "writes {claim} into {volume}",
        VOLUME_BOUND: "writes that {volume} is Bound",
        BIND_CLAIM: "writes {volume} into {claim}",
        CLAIM_BOUND: "writes that {claim} is Bound",
        RELEASE_VOLUME: "writes that {volume} is Released",
        RECLAIM_VOLUME: "deletes {volume}",
    },
    words={"claim": claim_name, "volume": volume_name},
    facts={PROVISION: _reach},
    changes=_changes,
    idle=_idle,
    hinders=_hinders,
    claims={"VOL-4": _open, "VOL-5": _apart},
    boxes=_boxes,
)
