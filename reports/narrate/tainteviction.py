"""The taint eviction controller."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.tainteviction.actions import EVICT
from kubelemma.model.components.tainteviction.rules import TAINT_EVICTION
from kubelemma.reports.story import Fact, Idle

from .scene import Belied, Claim, Scene, Standstill, about_workload
from .teller import Teller


@about_workload
def _eviction(scene: Scene, workload: Workload) -> Iterator[Fact]:
    if scene.node is None or scene.pod_class is None:
        return
    name, node = scene.node
    taints = [t for t in scene.world.node(node).spec.taints or () if t.effect == "NoExecute"]
    for taint in taints:
        value = f"={taint.value}" if taint.value else ""
        yield Fact(f"taint on {name}", f"{taint.key}{value}:{taint.effect}")
    seconds = scene.world.evicted_after(scene.pod_class.index, node)
    position = scene.written.template(workload, ("tolerations",))
    yield Fact("tolerated by the pod", f"for {seconds} s" if seconds else "no", position)


def _idle(_end: Standstill) -> Iterator[Idle]:
    yield Idle(TAINT_EVICTION, "no pod is left that does not tolerate the taints of its node")


def _untainted(belied: Belied) -> Iterator[Claim]:
    """From which node pods went, and what its taints were."""
    after = belied.seen.nodes()
    for name, node in belied.before.nodes().items():
        taints = [t for t in belied.world.node(node).spec.taints or () if t.effect == "NoExecute"]
        if node.pods != after[name].pods:
            keys = ", ".join(taint.key for taint in taints) or "none"
            yield Claim(
                f"The last step evicts a pod from {name}, where no taint asks for it",
                (Fact(f"NoExecute taints of {name}", keys),),
            )


TELLER = Teller(
    name="tainteviction",
    claims={"NODE-4": _untainted},
    sentences={EVICT: "evicts {pod} from {node}"},
    facts={EVICT: _eviction},
    idle=_idle,
)
