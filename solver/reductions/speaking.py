"""Whether a property has anything to say, as a property that is violated where it has.

What can do more than the system may come to where a property speaks and the system never does. So
that a success is not vacuous is told only where its witness was found again in the system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubelemma.properties.formula import Always, Converges, EachStep, Formula, LeadsTo, NeverStuck
from kubelemma.properties.statement import Property


def silence(prop: Property) -> Property:
    """That a property says nothing, or that its goal is never left: violated where it speaks."""
    return replace(prop, formula=_silent(prop.formula))


def _silent(formula: Formula) -> Formula:
    match formula:
        case Always():
            return Always(formula.view, _unsaid(formula.holds))
        case EachStep():
            return EachStep(formula.view, _unsaid(formula.holds), formula.actions)
        case NeverStuck() | Converges():
            return Always(formula.view, formula.goal)
        case LeadsTo():
            return Always(formula.view, lambda *seen: formula.met(*seen) is not False)


def _unsaid(predicate: Callable[..., bool | None]) -> Callable[..., bool]:
    def unsaid(*seen: Any) -> bool:
        return predicate(*seen) is None

    return unsaid
