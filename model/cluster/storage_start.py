"""Claims, volumes and what is attached at the start."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.volumes import (
    Shelf,
    smallest_match,
)

from .setting import Setting
from .state import Attachment, NodeState, Phase
from .storage import (
    ABSENT_CLAIM,
    ABSENT_VOLUME,
    ANOTHER,
    MOUNTED_PHASES,
    NONE,
    ClaimPhase,
    ClaimState,
    Followed,
    Stock,
    Stored,
    VolumePhase,
    VolumeState,
    segment_at,
)


def stored_at_start(stock: Stock, setting: Setting) -> Stored:
    """Claims and volumes at the start, where pods are as the setting has them."""
    waiting = frozenset(
        pod_class
        for workload, queue in zip(setting.world.workloads, setting.start.queues, strict=True)
        for pod_class, number in zip(workload.classes, queue.waiting, strict=True)
        if number
    )
    return at_start(stock, setting.start.nodes, waiting)


def at_start(
    stock: Stock, nodes: Iterable[NodeState], waiting: Container[int] = frozenset()
) -> Stored:
    """Claims and volumes at the start, where pods are on these nodes.

    ``waiting`` are the classes of those that have none. A claim that is made for a pod is there
    where the input has it, or such a pod.

    A claim that a pod on a node uses is bound, since the pod is there: to the volume of the input
    that it names, or that fits, or to one that has been made for it there.
    """
    volumes = [_first_state(stock, i) for i in range(len(stock.volumes))]
    claims: list[ClaimState] = []
    ordered = sorted(nodes, key=_rank)
    for index, found in enumerate(stock.claims):
        if found.claim is None:
            claims.append(ABSENT_CLAIM)
            continue
        deleted = found.claim.metadata.deletion_timestamp is not None
        if found.claim.status.phase == "Lost":
            claims.append(ClaimState(volume=found.wanted, phase=ClaimPhase.LOST, deleted=deleted))
            continue
        shape = _home(stock, index, ordered)
        if not found.given and shape == NONE and not _is_used(stock, index, waiting):
            claims.append(ABSENT_CLAIM)
            continue
        volume, segment = _bound_at_start(stock, found, volumes, shape)
        if volume == NONE:
            claims.append(ClaimState(deleted=deleted))
            continue
        made = volumes[volume]
        volumes[volume] = made._replace(
            present=True, claim=index, phase=VolumePhase.BOUND, segment=segment
        )
        claims.append(ClaimState(volume=volume, phase=ClaimPhase.BOUND, deleted=deleted))
    return Stored(tuple(claims), tuple(volumes))


def _is_used(stock: Stock, claim: int, classes: Container[int]) -> bool:
    """Whether pods of one of these classes use a claim."""
    return any(claim in own and c in classes for c, own in enumerate(stock.uses))


def _rank(node: NodeState) -> tuple[int, NodeState]:
    """Those first whose pods have come furthest."""
    furthest = max((_progress(g.phase) for g in node.pods), default=-1)
    return (-furthest, node._replace(volumes=()))


def _progress(phase: int) -> int:
    return phase if phase <= Phase.AVAILABLE else NONE


def _home(stock: Stock, claim: int, nodes: Iterable[NodeState]) -> int:
    """The shape of the node where some pod uses a claim, or -1."""
    for node in nodes:
        if claim in stock.beside[node.shape]:
            return node.shape
        if any(claim in stock.uses[group.pod_class] for group in node.pods):
            return node.shape
    return NONE


def _first_state(stock: Stock, index: int) -> VolumeState:
    volume = stock.volumes[index].volume
    lost = any(
        found.wanted == index and found.claim is not None and found.claim.status.phase == "Lost"
        for found in stock.claims
    )
    if volume is None or lost:
        return ABSENT_VOLUME
    reference, phase = volume.spec.claim_ref, volume.status.phase
    claim, known = NONE, {found.key: i for i, found in enumerate(stock.claims)}
    if reference is not None:
        claim = known.get((reference.namespace, reference.name), ANOTHER)
        if claim >= 0 and stock.claims[claim].wanted != index:
            claim = NONE if not reference.uid else claim
    deleted = volume.metadata.deletion_timestamp is not None
    known_phase = phase.upper() in VolumePhase.__members__
    at = VolumePhase[phase.upper()] if known_phase else VolumePhase.AVAILABLE
    return VolumeState(claim=claim, phase=at, deleted=deleted)


def _bound_at_start(
    stock: Stock, found: Followed, volumes: Sequence[VolumeState], shape: int
) -> tuple[int, int]:
    """The volume of a claim at the start, and its segment; -1 for none."""
    assert found.claim is not None  # noqa: S101 - absent claims are left out
    if found.wanted != NONE:
        given = stock.volumes[found.wanted].volume
        there = found.claim.is_bound or shape != NONE or found.claim.status.phase == "Bound"
        mine = volumes[found.wanted].claim in (NONE, stock.claims.index(found))
        return (found.wanted, NONE) if given is not None and there and mine else (NONE, NONE)
    if shape == NONE:
        return NONE, NONE
    node = stock.nodes[shape]
    free = tuple(
        volume
        for i in found.candidates
        if volumes[i].claim in (NONE, stock.claims.index(found))
        and (volume := stock.volumes[i].volume) is not None
    )
    shelf = Shelf(replace(stock.storage, volumes=free))
    match = smallest_match(found.claim, node, shelf, set())
    if match is not None:
        names = [volume.name for volume in stock.volumes]
        return names.index(match.metadata.name), NONE
    segment = segment_at(stock, found.made, node)
    return (found.made, segment) if NONE not in {found.made, segment} else (NONE, NONE)


def attached_at_start(
    stock: Stock, stored: Stored, nodes: Sequence[NodeState]
) -> tuple[NodeState, ...]:
    """The nodes with the volumes that are attached to them: where the input says, or pods use them.

    Of one of which the input says nothing, and that goes to one node at a time, it is where the
    pods have come furthest.
    """
    order = sorted(range(len(nodes)), key=lambda i: _rank(nodes[i]))
    taken: set[int] = set()
    found: dict[int, tuple[Attachment, ...]] = {}
    for i in order:
        node, there = nodes[i], []
        for volume in stock.attachable:
            held = any(
                group.phase in MOUNTED_PHASES and stock.uses_volume(stored, group.pod_class, volume)
                for group in node.pods
            )
            held = held or stock.beside_uses(stored, node.shape, volume)
            told = stock.attached_to.get(volume)
            if told is not None:
                there += [Attachment(volume, mounted=held)] if node.shape in told else []
            elif held and not (stock.volumes[volume].exclusive and volume in taken):
                taken.add(volume)
                there.append(Attachment(volume, mounted=True))
        found[i] = tuple(there)
    return tuple(node._replace(volumes=found[i]) for i, node in enumerate(nodes))
