"""Properties as they are asked of a pool: the same, but for those that look at members."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kubelemma.model.system import View
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, NeverStuck
from kubelemma.properties.statement import Property

from .bagged import Refused, Veil
from .pooling import Pool, ranked

Predicate = Callable[..., bool | None]


def pooled_property(pool: Pool, prop: Property) -> Property:
    """The property, of a pool.

    Raises:
        Refused: it looks at what is on one member together, or at who goes first.
    """
    formula, bagged, who = prop.formula, pool.bagged, name_of(prop)
    if set(formula.view.reads) & ranked(pool.whole, bagged):
        raise Refused(f"{who} looks at who goes first")
    if bagged.name in formula.view.cells:
        raise Refused(f"{who} looks at whole members")
    if not bagged.own(formula.view.cells):
        return prop
    return replace(prop, formula=_of_members(pool, formula, who))


def name_of(prop: Property) -> str:
    """What a property is called in messages."""
    return f"{prop.id} of {prop.subject}"


def _of_members(pool: Pool, formula: Formula, who: str) -> Formula:
    """A formula about members: those that are kept, and those that are pooled, without a look."""
    match formula:
        case Always():
            view, holds = _about_all(pool, formula.view, formula.holds, who, _none_is_false)
            return Always(view, holds)
        case NeverStuck():
            view, goal = _about_all(pool, formula.view, formula.goal, who, _all_true)
            return NeverStuck(view, goal)
        case Converges():
            view, goal = _about_all(pool, formula.view, formula.goal, who, _all_true)
            return Converges(view, goal)
        case EachStep():
            return _of_steps(pool, formula, who)
    raise Refused(f"{who} cannot be asked of members")


def _all_true(answers: list[bool | None]) -> bool:
    return all(answers)


def _none_is_false(answers: list[bool | None]) -> bool | None:
    said = [answer for answer in answers if answer is not None]
    return all(said) if said else None


def _of_steps(pool: Pool, formula: EachStep, who: str) -> EachStep:
    view, shown = _shown(pool, formula.view, who)
    # What is on a member before and after may be the same, but nobody may know: two veils.
    _, shown_after = _shown(pool, formula.view, who)

    def holds(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
        pairs = zip(shown(before), shown_after(after), strict=True)
        return _none_is_false([formula.holds(then, action, now) for then, now in pairs])

    return EachStep(view, holds, formula.actions)


def _about_all(
    pool: Pool,
    view: View,
    predicate: Predicate,
    who: str,
    together: Callable[[list[bool | None]], Any],
) -> tuple[View, Callable[..., Any]]:
    seen_by, shown = _shown(pool, view, who)
    return seen_by, lambda *seen: together([predicate(*each) for each in shown(seen)])


def _shown(
    pool: Pool, view: View, who: str
) -> tuple[View, Callable[[tuple[Any, ...]], Iterator[tuple[Any, ...]]]]:
    """What is seen of a pool, and what of that a predicate is shown of each member.

    What is on members that are pooled it has to do without.
    """
    bagged, veil = pool.bagged, Veil(who)
    others = bagged.others(view.cells)
    own = bagged.own(view.cells) if pool.kept else ()
    width = len(others) + len(own)

    def shown(seen: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        found = dict(zip((*others, *own), seen, strict=False))
        reads = seen[width + 1 :]
        if own:
            yield (*(found[name] for name in view.cells), *reads)
        for pooled in seen[width]:
            member = bagged.holding(pooled, veil)
            yield (
                *(
                    bagged.seen(member, name) if name in bagged.columns else found[name]
                    for name in view.cells
                ),
                *reads,
            )

    return View((*others, *own, bagged.pooled), view.reads), shown
