"""One node with the pods on it, as the scheduler's snapshot holds it.

Source: pkg/scheduler/framework/types.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .resources import CPU, MEMORY, Resources, added, allocatable, held_requests


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node, its assigned (also its assumed) pods that are not terminal, and what they add up to.

    ``requested`` is what the pods hold; ``non_zero_requested`` has cpu and memory only, with the
    defaults of scoring. Both are in millicores and base units, like ``allocatable``.
    """

    node: Node
    pods: tuple[Pod, ...] = ()
    allocatable: Resources = field(init=False, compare=False, repr=False)
    requested: Resources = field(init=False, compare=False, repr=False)
    non_zero_requested: Resources = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Pods of one template are often one object, and equal in what they hold anyway.
        known = {id(pod): held_requests(pod) for pod in {id(p): p for p in self.pods}.values()}
        held = [known[id(pod)] for pod in self.pods]
        none = {CPU: 0, MEMORY: 0}
        object.__setattr__(self, "allocatable", allocatable(self.node.status.allocatable))
        object.__setattr__(self, "requested", added(exact for exact, _ in held))
        object.__setattr__(
            self, "non_zero_requested", added([none, *(scored for _, scored in held)])
        )

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.metadata.name

    @property
    def labels(self) -> Mapping[str, str]:
        """The node's labels."""
        return self.node.metadata.label_map()

    def with_pods(self, *pods: Pod) -> NodeInfo:
        """The node with more pods on it."""
        return NodeInfo(self.node, self.pods + pods)


def node_infos(nodes: Iterable[Node], pods: Iterable[Pod]) -> tuple[NodeInfo, ...]:
    """Each node with the pods assigned to it, in the given orders.

    Terminal pods are left out: the scheduler does not even watch them
    (``pkg/scheduler/scheduler.go``).
    """
    assigned: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.status.phase not in {"Succeeded", "Failed"}:
            assigned.setdefault(pod.spec.node_name, []).append(pod)
    return tuple(NodeInfo(node, tuple(assigned.get(node.metadata.name, ()))) for node in nodes)
