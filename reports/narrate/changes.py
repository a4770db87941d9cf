"""What a step changed, as fields of API objects: the tellers' own, pods, and nodes."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.owners import controller_of
from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import NodeState, Phase
from kubelemma.model.cluster.world import World
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.reports.story import Change

from .cast import Move
from .differing import NONE, differing
from .phases import STATUSES
from .scene import Scene
from .tellers import TELLERS, together

_ENDS = together(lambda teller: teller.ends)


def changes(scene: Scene) -> tuple[Change, ...]:
    """Every field of every object that differs."""
    end = _end(scene)
    return (
        *(change for t in TELLERS for change in t.changes(scene.before, scene.after)),
        *(change for move in scene.moves for change in _of_pod(scene.world, move, end)),
        *_of_nodes(scene),
    )


def _end(scene: Scene) -> str:
    """The status of a pod that the model follows no longer although the API still has it."""
    if scene.action in _ENDS:
        return _ENDS[scene.action]
    return "" if scene.world.follows_terminating else STATUSES[Phase.TERMINATING]


def _of_pod(world: World, move: Move, end: str) -> Iterator[Change]:
    name = f"Pod {move.pod}"
    before, after = move.before, move.after
    if after is None:
        stays = before is not None and before.node and end
        yield Change(
            name, *(("status", _status(before), end) if stays else ("exists", "yes", "no"))
        )
        return
    fields = (
        ("spec.nodeName", _node(before), _node(after)),
        ("status", _status(before), _status(after)),
    )
    yield from differing(name, fields)
    if before is not None:
        old, new = (world.classes[place.pod_class].pod.metadata for place in (before, after))
        yield from differing(
            name,
            (
                ("metadata.labels", _labels(old), _labels(new)),
                ("metadata.ownerReferences", _controller(old), _controller(new)),
            ),
        )


def _labels(metadata: ObjectMeta) -> str:
    return ", ".join(f"{key}={value}" for key, value in metadata.label_map().items()) or NONE


def _controller(metadata: ObjectMeta) -> str:
    found = controller_of(metadata)
    return NONE if found is None else f"{found.kind} {found.name}"


def _node(place: Place | None) -> str:
    return (place.node if place else "") or NONE


def _status(place: Place | None) -> str:
    return STATUSES[place.phase] if place else NONE


def _of_nodes(scene: Scene) -> Iterator[Change]:
    after = scene.after.nodes()
    for name, node in scene.before.nodes().items():
        if node != after[name]:
            old, new = _fields(node), _fields(after[name])
            yield from differing(f"Node {name}", ((field, old[field], new[field]) for field in old))


def _fields(node: NodeState) -> dict[str, str]:
    return dict(field for teller in TELLERS for field in teller.fields(node))
