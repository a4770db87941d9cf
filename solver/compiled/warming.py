"""The compilation of all of the loop, in advance."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack

from kubelemma.model.system import Action, Cell, Outcome, Rule, System, View
from kubelemma.properties.formula import Always, Converges
from kubelemma.properties.statement import Kind, Property, Severity, Statement

from . import expansion, jit, packing, peeling, visited  # noqa: F401 - have what is compiled
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
    """Search a small system that needs every part of the loop."""

    def count(number: int) -> tuple[Outcome, ...]:
        return (Outcome(COUNT, {"counter": number + 1}),) if number < ENOUGH else ()

    rule = Rule("count", "counter", ("counter",), count)
    system = System(cells=[Cell("counter", 0)], rules=[rule])
    view = View(("counter",))
    formulas = (Always(view, lambda n: n < ENOUGH), Converges(view, lambda n: n == ENOUGH))
    asked = [Property(_STATEMENT, "counter", formula) for formula in formulas]
    check(system, asked, certified=False)


_STATEMENT = Statement("COUNT", "", Kind.SAFETY, Severity.LOW, "", "", "", "", (), "")
