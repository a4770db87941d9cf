"""What the attach/detach controller promises: VOL-3."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import ATTACHED, Stock
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="VOL-3",
        title="A volume for one node is attached to one",
        kind=Kind.SAFETY,
        severity=Severity.CRITICAL,
        statement=(
            "A volume whose access modes are ReadWriteOnce or ReadWriteOncePod alone is attached "
            "to at most one node at a time."
        ),
        why="Two machines that write to one disk destroy the file system on it.",
        conditions=(
            "As the controller has it attached. A node that is not healthy for six minutes, or out "
            "of service, may still write to what has been detached from it by force."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes; "
            "pkg/controller/volume/attachdetach/reconciler/reconciler.go"
        ),
        components=("attach-detach-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked where a volume goes to one node at a time."""
    stock = stock_of(scenario.world)
    own = _exclusive(stock)
    if own:

        def holds(attached: tuple[int, ...]) -> bool | None:
            found = [attached[volume] for volume in own]
            return all(number <= 1 for number in found) if any(found) else None

        once = Always(View(reads=(ATTACHED,)), holds)
        yield from asked(STATEMENTS, ALL_NODES, {"VOL-3": once})


def _exclusive(stock: Stock) -> tuple[int, ...]:
    return tuple(volume for volume in stock.attachable if stock.volumes[volume].exclusive)
