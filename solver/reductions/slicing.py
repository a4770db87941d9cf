"""Slicing: what cannot influence a property is not explored with it.

The *cone* of a property is what it looks at, and whatever is seen by a rule that may write
something in the cone. A slice has the cells of a cone and the rules that write to them. Each run of
the system is one of the slice, if the steps of others are left out; and each run of the slice is
one of the system in which nobody else acts but who is urgent. So both reach the same as far as the
cone goes. Rules of one task are in the same slice, so that fairness means the same.

A property of steps is asked of the steps of others, too, which change nothing that it sees: in each
slice it is asked as well whether such a step would violate it (`stutters`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubelemma.model.dependence import Names, columns_of, footprints, summed_by
from kubelemma.model.system import Best, Rule, State, System, Tally, View
from kubelemma.properties.formula import Always, EachStep, Formula
from kubelemma.properties.statement import Property

from .smaller import Smaller


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a system, with the numbers of the properties that are asked of it.

    It stands for what the system itself stands for. ``positions`` are where its state is in a state
    of the system.
    """

    of: Smaller
    system: System
    asked: tuple[int, ...]
    positions: tuple[int, ...]

    @property
    def whole(self) -> System:
        """What the system stands for."""
        return self.of.whole

    @property
    def origin(self) -> Mapping[str, str]:
        """The rules are called as in the system."""
        return self.of.origin

    def images(self, state: State) -> Iterator[tuple[tuple[int, ...], State]]:
        """A state, as far as it is in the slice."""
        return ((kept, self._own(image)) for kept, image in self.of.images(state))

    def image(self, state: State, kept: tuple[int, ...]) -> State:
        """A state, as far as it is in the slice; canonical."""
        return self._own(self.of.image(state, kept))

    def _own(self, state: State) -> State:
        return self.system.canonical(tuple(state[p] for p in self.positions))


def slices(of: Smaller, properties: Sequence[Property]) -> tuple[Slice, ...]:
    """The slices in which each of the properties can be asked, the fewest that there are."""
    cones = Cones(of.system)
    found = [cones.of(prop.formula) for prop in properties]
    largest = [cone for cone in dict.fromkeys(found) if not any(cone < other for other in found)]
    in_slice: dict[Names, list[int]] = {cone: [] for cone in largest}
    for number, cone in enumerate(found):
        in_slice[next(each for each in largest if cone <= each)].append(number)
    return tuple(_slice(of, cones, cone, tuple(asked)) for cone, asked in in_slice.items())


class Cones:
    """What influences what in a system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.summed = summed_by(system)
        prints = footprints(system)
        self._writes = {rule.name: prints[rule.name].writes for rule in system.rules}
        self._sees = {rule.name: prints[rule.name].sees for rule in system.rules}

    def of(self, formula: Formula) -> Names:
        """The cone of a formula."""
        cone = self._seen(formula.view)
        while cone != (cone := self._wider(cone)):
            pass
        return cone

    def rules(self, cone: Names) -> tuple[Rule, ...]:
        """The rules that may write something in a cone, and those of the same tasks."""
        tasks = {_task(rule) for rule in self.system.rules if self._writes[rule.name] & cone}
        return tuple(rule for rule in self.system.rules if _task(rule) in tasks)

    def bounds(self, cone: Names) -> tuple[Any, ...]:
        """The bounds that look at a cone."""
        return tuple(b for b in self.system.bounds if self._seen(b.view) & cone)

    def _wider(self, cone: Names) -> Names:
        rules = (self._sees[rule.name] | self._writes[rule.name] for rule in self.rules(cone))
        bounds = (self._seen(bound.view) for bound in self.bounds(cone))
        return cone.union(*rules, *bounds)

    def _seen(self, view: View) -> Names:
        summed = (self.summed[name] for name in view.reads)
        return columns_of(self.system, view.cells).union(*summed)


def _task(rule: Rule) -> str:
    """What has to be in one slice: users and faults are nobody's task."""
    return f"environment: {rule.name}" if rule.environment else rule.fairness


def _slice(of: Smaller, cones: Cones, cone: Names, asked: tuple[int, ...]) -> Slice:
    system = of.system
    rules, bounds = cones.rules(cone), cones.bounds(cone)
    cells = tuple(cell for cell in system.cells if cell.name in cone)
    families = tuple(f for f in system.families if columns_of(system, (f.name,)) & cone)
    names = [*(cell.name for cell in cells), *(family.name for family in families)]
    positions = tuple(p for name in names for p in system.positions[name])
    summaries = _within(system, cones.summed, names)
    starts = [tuple(start[p] for p in positions) for start in system.starts]
    return Slice(
        of,
        System(
            cells=_beginning(cells, starts[0]),
            families=_members(families, starts[0], len(cells)),
            tallies=[each for each in summaries if isinstance(each, Tally)],
            bests=[each for each in summaries if isinstance(each, Best)],
            rules=rules,
            bounds=bounds,
            others=starts[1:],
        ),
        asked,
        positions,
    )


def _beginning(cells: Iterable[Any], start: State) -> list[Any]:
    return [replace(cell, initial=value) for cell, value in zip(cells, start, strict=False)]


def _members(families: Iterable[Any], start: State, at: int) -> list[Any]:
    found = []
    for family in families:
        end = at + len(family.initial)
        found.append(replace(family, initial=tuple(start[at:end])))
        at = end
    return found


def _within(
    system: System, summed: Mapping[str, Names], names: Iterable[str]
) -> tuple[Tally | Best, ...]:
    """The tallies and bests that look at nothing but these."""
    known = columns_of(system, names)
    return tuple(each for each in system.summaries if summed[each.name] <= known)


# Steps of others


def stutters(prop: Property) -> Property | None:
    """Whether a step that changes nothing of what a property of steps sees never violates it."""
    formula = prop.formula
    if not isinstance(formula, EachStep):
        return None
    holds, actions = formula.holds, sorted(formula.actions)

    def unharmed(*seen: Any) -> bool:
        return all(holds(seen, action, seen) is not False for action in actions)

    return replace(prop, formula=Always(formula.view, unharmed))
