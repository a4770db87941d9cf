"""The attach/detach controller: volumes follow the pods that are bound to nodes.

Source: pkg/controller/volume/attachdetach. What it knows it rebuilds from the API when it restarts:
there is nothing to forget but how long it has waited, and that is only order here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.cluster.columns import OUT_OF_SERVICE, PODS, READY, SHAPE, VOLUMES
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    Crowd,
    Parts,
    Telling,
)
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import HOLDING, Attachment, NodeState, Pods
from kubelemma.model.cluster.stocking import attached_by_input, stock_of, storage_of, used_claims
from kubelemma.model.cluster.storage import ATTACHED, STORED, ClaimPhase, Stock, Stored
from kubelemma.model.cluster.storage_start import at_start, attached_at_start
from kubelemma.model.cluster.world import NodeShape, World
from kubelemma.model.system import Outcome, Rule

from .actions import ACTIONS, ATTACH, DETACH, FORCE_DETACH
from .decision import Detachment, Forced, attaches, detachment

ATTACH_DETACH = "attach-detach-controller"

Volumes: TypeAlias = tuple[Attachment, ...]

_GROUNDS = {
    Detachment.SAFE: (DETACH, "no pod on the node uses it, and it is not mounted"),
    Detachment.TIMED_OUT: (
        FORCE_DETACH,
        "no pod on the node uses it any more, and the node has not been healthy for six minutes",
    ),
    Detachment.OUT_OF_SERVICE: (
        FORCE_DETACH,
        "no pod on the node uses it any more, and the node is out of service",
    ),
}


class _Volume(NamedTuple):
    """A volume that is attached to nodes."""

    stock: Stock
    number: int
    forces: bool

    def rules(self) -> Iterator[Rule]:
        name = self.stock.volumes[self.number].name
        yield Rule(
            f"attach {name}",
            ATTACH_DETACH,
            (SHAPE, PODS, VOLUMES),
            self.attach,
            (STORED, ATTACHED),
            writes=(VOLUMES,),
        )
        yield Rule(
            f"detach {name}",
            ATTACH_DETACH,
            (SHAPE, READY, OUT_OF_SERVICE, PODS, VOLUMES),
            self.detach,
            (STORED,),
            writes=(VOLUMES,),
        )

    def attach(self, shape: int, pods: Pods, volumes: Volumes, *seen: Any) -> Iterator[Outcome]:
        stored, attached = seen
        exclusive = self.stock.volumes[self.number].exclusive
        here = any(found.volume == self.number for found in volumes)
        if attaches(
            desired=is_desired(self.stock, stored, self.number, shape, pods),
            here=here,
            elsewhere=attached[self.number] > here,
            exclusive=exclusive,
        ):
            after = tuple(sorted((*volumes, Attachment(self.number))))
            why = "a pod that is bound to the node uses it"
            if exclusive:
                why += ", and it is attached nowhere else"
            yield Outcome(ATTACH, {VOLUMES: after}, (("volume", self.number),), why)

    def detach(self, shape: int, *seen: Any) -> Iterator[Outcome]:
        ready, out_of_service, pods, volumes, stored = seen
        for found in volumes:
            if found.volume != self.number:
                continue
            grounds = detachment(
                desired=is_desired(self.stock, stored, self.number, shape, pods),
                mounted=found.mounted,
                healthy=ready,
                out_of_service=out_of_service,
                forces=self.forces,
            )
            if grounds is not Detachment.STAYS:
                action, why = _GROUNDS[grounds]
                after = tuple(other for other in volumes if other != found)
                yield Outcome(action, {VOLUMES: after}, (("volume", self.number),), why)


def is_desired(stock: Stock, stored: Stored, volume: int, shape: int, pods: Pods) -> bool:
    """Whether some pod that is bound to a node uses a volume, by a claim that is bound to it."""
    bound = {
        claim
        for claim, found in enumerate(stored.claims)
        if found.volume == volume and found.phase == ClaimPhase.BOUND
    }
    return any(claim in stock.beside[shape] for claim in bound) or any(
        group.phase in HOLDING and bound.intersection(stock.uses[group.pod_class]) for group in pods
    )


# The component


def _parts(setting: Setting) -> Parts:
    stock = stock_of(setting.world)
    if not stock.attachable:
        return NO_PARTS
    forces = _forces(setting.world)
    volumes = (_Volume(stock, index, forces) for index in stock.attachable)
    return Parts(rules=tuple(rule for volume in volumes for rule in volume.rules()))


def _forces(world: World) -> bool:
    """Whether a node that is not healthy loses its volumes in the end; by default it does."""
    return all(said.on_timeout for said in world.objects_of(Forced))


def _assumes(setting: Setting) -> Iterator[str]:
    if stock_of(setting.world).attachable and not _forces(setting.world):
        yield "volumes stay attached to nodes that are not healthy, unless these are out of service"


def _equips(world: World, nodes: tuple[NodeState, ...]) -> tuple[NodeState, ...]:
    stock = stock_of(world)
    return attached_at_start(stock, at_start(stock, nodes), nodes) if stock else nodes


def _by_volumes(crowd: Crowd) -> Telling:
    """Pods that stand by and use a claim that others use, too, hold its volume on their node.

    Besides, the input may say which volumes are attached to a node.
    """
    named = {key for pod in crowd.pods for key in used_claims(pod)}
    claims = storage_of(crowd.objects).claims if named else ()
    volumes = {
        claim.spec.volume_name
        for claim in claims
        if (claim.metadata.namespace, claim.metadata.name) in named
    }
    told = attached_by_input(crowd.objects) if volumes else {}

    def telling(shape: NodeShape) -> Hashable:
        found: Iterable[Any] = (key for pod in shape.standing for key in used_claims(pod))
        name = shape.node.metadata.name
        there = sorted(v for v, nodes in told.items() if v in volumes and name in nodes)
        return (tuple(sorted(set(found) & named)), tuple(there))

    return telling


def _needs_terminating(setting: Setting) -> bool:
    """A volume stays with a node until the objects of the pods that use it are gone."""
    return bool(stock_of(setting.world).attachable)


COMPONENT = Component(
    name="attachdetach",
    distinguishes=_by_volumes,
    needs_terminating=_needs_terminating,
    parts=_parts,
    actions=ACTIONS,
    equips=_equips,
    kinds=(Forced,),
    assumes=_assumes,
)
