"""What stories call claims and volumes, and where the volumes of pods are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.cluster.state import NodeState
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import NONE, ClaimPhase, Stock, Stored
from kubelemma.model.cluster.world import Workload
from kubelemma.model.manifests.problems import Position
from kubelemma.reports.style import enumeration

from .scene import Scene, Seen
from .written import TEMPLATE, Written


def claim_name(scene: Scene) -> str:
    """The claim that a step is about."""
    return stock_of(scene.world).claims[scene.argument("claim")].cell


def volume_name(scene: Scene) -> str:
    """The volume that a step is about, and whose it is."""
    return called(stock_of(scene.world), stored_in(scene.after), scene.argument("volume"))


def called(stock: Stock, stored: Stored, volume: int) -> str:
    """A volume, with the claim that it is bound to."""
    claim = stored.volumes[volume].claim
    of = f" of claim {stock.claims[claim].label}" if claim >= 0 else ""
    return f"volume {stock.volumes[volume].name}{of}"


def stored_in(seen: Seen) -> Stored:
    """All claims and volumes of a state."""
    stock = stock_of(seen.world)
    claims = tuple(seen.value(claim.cell) for claim in stock.claims)
    return Stored(claims, tuple(seen.value(volume.cell) for volume in stock.volumes))


def awaiting(
    stock: Stock, stored: Stored, nodes: Mapping[str, NodeState], volume: int
) -> Iterator[str]:
    """The nodes with pods that use a volume which is attached to nodes, and not to them."""
    if not stock.volumes[volume].attached:
        return
    for name, node in nodes.items():
        used = any(stock.uses_volume(stored, group.pod_class, volume) for group in node.pods)
        if used and all(found.volume != volume for found in node.volumes):
            yield name


def lacking(seen: Seen, pod_class: int, node: str) -> Iterator[str]:
    """Why the volumes of a pod on a node are not mounted there, a sentence for each."""
    stock = stock_of(seen.world)
    if not stock:
        return
    stored, nodes = stored_in(seen), seen.nodes()
    there = {found.volume: found.mounted for found in nodes[node].volumes}
    for index in stock.uses[pod_class]:
        claim, state = stock.claims[index], stored.claims[index]
        mounted = there.get(state.volume, False)
        if not state.present:
            yield f'persistentvolumeclaim "{claim.key[1]}" not found'
        elif state.deleted and not mounted:
            yield f'persistentvolumeclaim "{claim.key[1]}" is being deleted'
        elif state.volume == NONE or state.phase != ClaimPhase.BOUND:
            yield f'persistentvolumeclaim "{claim.key[1]}" is not bound'
        elif stock.volumes[state.volume].attached and state.volume not in there:
            others = [
                n for n, s in nodes.items() if any(a.volume == state.volume for a in s.volumes)
            ]
            name = stock.volumes[state.volume].name
            if others and stock.volumes[state.volume].exclusive:
                yield (
                    f'Multi-Attach error for volume "{name}" of claim {claim.label}: it is '
                    f"exclusively attached to {enumeration(others)}, and cannot be attached to "
                    f"{node}"
                )
            else:
                yield f'volume "{name}" of claim {claim.label} is not attached to {node}'
        elif stock.volumes[state.volume].attached and not mounted:
            yield f"volume of claim {claim.label} is not mounted"


def claim_position(written: Written, workload: Workload, name: str) -> Position | None:
    """Where the template of a workload names a claim."""
    document = written.document(workload)
    volumes = document.value((*TEMPLATE, "volumes")) if document is not None else None
    for number, volume in enumerate(volumes if isinstance(volumes, list) else ()):
        source = volume.get("persistentVolumeClaim") if isinstance(volume, dict) else None
        if isinstance(source, dict) and source.get("claimName") == name:
            return written.template(workload, ("volumes", number))
    return None
