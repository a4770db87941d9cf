"""The pods that a selector matches, with the names that they have in a story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario import Scenario

from .cast import Cast
from .scene import Seen


class Selected(NamedTuple):
    """What a selector matches: classes of pods in focus, and on each shape of node pods beside."""

    classes: frozenset[int]
    standing: tuple[int, ...]

    def pods(self, seen: Seen, cast: Cast) -> Iterator[SelectedPod]:
        """The matched pods that are in focus."""
        world = seen.world
        for place, names in cast.names.items():
            if place.pod_class in self.classes:
                workload = world.workloads[world.classes[place.pod_class].workload]
                for name in names:
                    whole = f"{workload.namespace}/{name.rpartition('/')[2]}"
                    yield SelectedPod(whole, place.phase, place.node)

    def beside(self, seen: Seen) -> dict[str, int]:
        """The matched pods that stand by, by node; without those that the API shows unready."""
        return {
            name: self.standing[node.shape] for name, node in seen.nodes().items() if node.ready
        }


class SelectedPod(NamedTuple):
    """A pod in focus that is matched."""

    name: str
    phase: int
    node: str


def selected(
    scenario: Scenario, matches: Callable[[Pod], bool], beside: Callable[[Pod], bool]
) -> Selected:
    """What matches in a scenario; of the pods that stand by, those that ``beside`` lets count."""
    world = scenario.world
    return Selected(
        frozenset(c.index for c in world.classes if matches(c.pod)),
        tuple(sum(matches(p) and beside(p) for p in s.standing) for s in world.shapes),
    )


def whole_name(metadata: ObjectMeta) -> str:
    """An object's name with its namespace."""
    return f"{metadata.namespace}/{metadata.name}"
