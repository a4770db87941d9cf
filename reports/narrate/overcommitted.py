"""Nodes whose pods ask for more than there is, as claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.cluster.state import Phase
from kubelemma.properties.overcommitment import overcommitted
from kubelemma.reports.story import Fact

from .amounts import usages
from .scene import Belied, Claim


def too_little(phases: tuple[Phase, ...]) -> Callable[[Belied], Iterator[Claim]]:
    """What there is too little of for the pods in these phases."""

    def claims(belied: Belied) -> Iterator[Claim]:
        world = belied.world
        for name, node in belied.seen.nodes().items():
            for resource in overcommitted(world, node, phases):
                used = {u.resource: u for u in usages(world.node_info(node, phases))}[resource]
                yield Claim(
                    f"{name} has too little {resource}: its pods request {used.requested} of "
                    f"{used.allocatable}",
                    (
                        Fact(f"{resource} requested on {name}", used.requested),
                        Fact(f"{resource} allocatable on {name}", used.allocatable),
                    ),
                )

    return claims
