"""``kubectl drain``."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import Marks, NodeState

from .causes import event
from .teller import Teller


def _conditions(node: NodeState) -> Iterator[str]:
    if any(group.marks & Marks.LISTED for group in node.pods):
        yield "being drained"


TELLER = Teller(
    name="drain",
    sentences={
        "drain": "starts to drain {node}",
        "drain-delete": "deletes {pod} on {node}, draining it",
    },
    causes={"drain": event("drain"), "drain-delete": event("drain")},
    conditions=_conditions,
)
