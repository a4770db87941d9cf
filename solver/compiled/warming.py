"""The compilation of all of the loop, in advance."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack

from kubelemma.model.system import Action, Cell, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Always, Converges
from kubelemma.properties.statement import Kind, Property, Severity, Statement

from . import expansion, jit, packing, peeling, projecting, visited  # noqa: F401 - have what is compiled
from .engine import check

ENOUGH = 1000
"""A number that cannot be known to fit when a counter begins at zero."""


COUNT = Action("count")


def compile_all() -> None:
    """Compile all of the loop for the disk; who comes second waits, and finds it done."""
    with ExitStack() as stack:
        for folder in jit.folders():
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((folder / "compiling.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        use_all()


def use_all() -> None:
    """Search a small system that needs every part of the loop, and of the search for loops."""

    def count(number: int, total: tuple[int]) -> tuple[Outcome, ...]:
        return (Outcome(COUNT, {"counter": min(number + 1, *total, ENOUGH)}),)

    rule = Rule("count", "counter", ("counter",), count, ("sum",))
    tally = Tally("sum", {"counter": lambda number: (number + 1,)}, 1)
    system = System(cells=[Cell("counter", 0)], tallies=[tally], rules=[rule])
    view = View(("counter",))
    formulas = (Always(view, lambda n: n < ENOUGH), Converges(view, lambda n: n == ENOUGH))
    check(system, [Property(_STATEMENT, "counter", formula) for formula in formulas])


_STATEMENT = Statement("COUNT", "", Kind.SAFETY, Severity.LOW, "", "", "", "", (), "")
