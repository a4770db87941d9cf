"""What is deleted because its owner is gone, as stories tell of it."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.garbagecollector.actions import COLLECT_POD, PRUNE
from kubelemma.reports.story import Fact

from .causes import event
from .names import set_title
from .scene import Scene, about_workload
from .teller import Teller


@about_workload
def _dangling(scene: Scene, workload: Workload) -> Iterator[Fact]:
    yield Fact(set_title(scene.world, workload, max(scene.template, 0)), "is not there")


TELLER = Teller(
    name="garbagecollector",
    sentences={
        PRUNE: "deletes {workload}",
        COLLECT_POD: "deletes {pod}{where}",
    },
    facts={COLLECT_POD: _dangling},
    causes={PRUNE: event("apply")},
)
