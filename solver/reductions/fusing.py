"""Fusion: steps that nobody minds are done at once, with the step that makes them possible.

Which these are is found out by asking (`movers`). In the fused system every state is *settled*: no
mover can act. A step of another rule goes on with all movers that it makes possible, so that it
leads from a settled state to a settled one, and what lies between is not searched.

Every state of the system leads to a settled one that is found here, by movers alone, and whoever
can act before them can act after them, to the same settled end. So

- what is asked of states and steps is answered alike, as long as it looks at nothing that movers
  change; a rule that changes such a thing, or whose own action is asked about, is no mover;
- where nobody but the environment can act is the same, since a mover can act where a state is not
  settled;
- an endless run of controllers is endless here, for movers come to an end by themselves. Whether it
  is fair is not said: so all controllers are one task here, and every loop counts. Where a loop is
  found, the system is searched as it is.

A goal may look at what movers change. Between two settled states it may be left, of which nothing
is known here: so it is asked of the system as it is where it is never left in settled ones, or
where a run may be endless.

Who leads to what (`LeadsTo`) is asked of the system as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

from kubelemma.model.dependence import columns_of
from kubelemma.model.system import Best, Named, Outcome, Rule, State, System, View
from kubelemma.properties.formula import Always, Converges, EachStep, NeverStuck
from kubelemma.properties.statement import Property

from .movers import Movers
from .nooks import Asked, Learned, Lesson, Neighbourhood, Nook, candidates, no_movers

CALM, PRESSING = "controllers", "controllers that press"
"""The tasks of a fused system."""

MOST_ROUNDS = 100
"""After so many rounds movers that make each other possible are taken to go on for ever."""


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused system, and what it rests on.

    ``minding`` are the numbers of the goals that look at what movers change.
    """

    whole: System
    system: System
    minding: frozenset[int]
    movers: Movers
    origin: Mapping[str, str]

    def fused(self) -> Mapping[str, int]:
        """How many pending values came up, by the movers that settle them."""
        found: dict[str, int] = {}
        for at in self.movers.neighbourhoods:
            for nook in at.settled:
                for name in dict.fromkeys(at.settle(nook)[1]):
                    found[name] = found.get(name, 0) + 1
        return found


def fuse(
    asked: Asked,
    properties: Sequence[Property],
    learned: Learned,
    only: Container[str] | None = None,
) -> Fused | None:
    """A system with its movers fused, as far as is known which these are; None if none are.

    With ``only``, no others are.
    """
    system, refused = asked.system, {name for name, _ in learned.refused}
    seen = _looked_at(system, properties)
    moving = tuple(
        rule
        for rule in candidates(system, learned)
        if rule.name not in refused
        and (only is None or rule.name in only)
        and not columns_of(system, rule.writable) & seen
        and not learned.changed_by([rule.name]) & _read(properties)
    )
    if not moving:
        return None
    movers = Movers(asked, moving, learned, _asked_about(properties))
    return _Fusing(system, properties, movers).fused()


def _asked_about(properties: Iterable[Property]) -> frozenset[str]:
    """The actions that properties of steps ask about."""
    formulas = (p.formula for p in properties)
    return frozenset().union(*(f.actions for f in formulas if isinstance(f, EachStep)))


def _looked_at(system: System, properties: Iterable[Property]) -> frozenset[str]:
    """The cells and columns that properties of states and steps look at."""
    views = (p.formula.view for p in properties if isinstance(p.formula, Always | EachStep))
    return frozenset().union(*(columns_of(system, view.cells) for view in views))


def _read(properties: Iterable[Property]) -> frozenset[str]:
    """The tallies and bests that properties of states and steps look at."""
    views = (p.formula.view for p in properties if isinstance(p.formula, Always | EachStep))
    return frozenset().union(*(view.reads for view in views))


def _sees_change(system: System, view: View, rules: Iterable[Rule], learned: Learned) -> bool:
    """Whether a view shows what movers change."""
    movers = tuple(rules)
    writes = columns_of(system, (name for rule in movers for name in rule.writable))
    changed = learned.changed_by(rule.name for rule in movers)
    return bool(columns_of(system, view.cells) & writes or changed & set(view.reads))


class _Fusing:
    """The making of a fused system."""

    def __init__(self, system: System, properties: Sequence[Property], movers: Movers) -> None:
        self._system, self._properties, self._movers = system, properties, movers
        self._known = movers.learned
        self._moving = {m.name: at for at in movers.neighbourhoods for m in at.movers}

    def fused(self) -> Fused:
        """All of it."""
        whole, origin = self._system, {}
        rules = []
        for rule in whole.rules:
            made = self._rule(rule)
            origin[made.name] = rule.name
            rules.append(made)
        starts = [self._settled(start) for start in whole.starts]
        at_cells = len(whole.cells)
        cells = [replace(c, initial=v) for c, v in zip(whole.cells, starts[0], strict=False)]
        families = []
        for family in whole.families:
            end = at_cells + len(family.initial)
            families.append(replace(family, initial=tuple(starts[0][at_cells:end])))
            at_cells = end
        system = System(
            cells=cells,
            families=families,
            tallies=whole.tallies,
            bests=[self._best(best) for best in whole.bests],
            rules=rules,
            bounds=whole.bounds,
            others=starts[1:],
        )
        return Fused(whole, system, frozenset(self._minding()), self._movers, origin)

    # States

    def _settled(self, start: State) -> State:
        """Where a start leads to."""
        state, before = list(start), None
        for _ in range(MOST_ROUNDS):
            if state == before:
                return tuple(state)
            before = list(state)
            for at in self._movers.neighbourhoods:
                self._settle(at, state)
        raise self._endless(self._movers.neighbourhoods)

    def _settle(self, at: Neighbourhood, state: list[Any]) -> None:
        sight = self._system.sight(at.names)
        for where in product(*(self._system.positions[place] for place in sight.places)):
            values = tuple(state[p] for p in where)
            nook = sight.seen(values)
            settled = self._movers.pending(at, nook)
            if settled == nook:
                self._movers.stands(at, nook)
            for slot, value in enumerate(settled):
                if value != nook[slot]:
                    values = sight.put(values, slot, value)
            for p, value in zip(where, values, strict=True):
                state[p] = value

    @staticmethod
    def _endless(after: Iterable[Neighbourhood]) -> Lesson:
        movers = [mover.name for at in after for mover in at.movers]
        return no_movers(movers, "goes on and on")

    # Rules

    def _rule(self, rule: Rule) -> Rule:
        """A rule that goes on with the movers that it makes possible, and says what it is shown."""
        after, at = self._following(rule), self._moving.get(rule.name)
        near = after if at is None else (at, *after)
        names = dict.fromkeys(rule.cells) | dict.fromkeys(n for at in near for n in at.names)
        cells = tuple(names)
        writes = dict.fromkeys((*rule.writable, *(n for at in after for n in sorted(at.writes))))
        following = sorted(m.name for at in after for m in at.movers)
        watched = self._watched(rule, cells)
        return replace(
            rule,
            name=f"{rule.name}, then {', '.join(following)}" if after else rule.name,
            cells=cells,
            writes=tuple(writes),
            outcomes=partial(self._act, rule, cells, after, watched),
            task=self._task(rule),
            each="",
            onto="",
            ranks="",
        )

    def _following(self, rule: Rule) -> tuple[Neighbourhood, ...]:
        """Where movers may have to act after a rule, or after each other.

        In the middle of what is urgent nobody else is asked, who would notice what is pending. So
        urgent rules go on wherever they look.
        """
        written = set(rule.writable)
        found = {n for n, at in enumerate(self._neighbourhoods) if self._presses(rule, at)}
        while True:
            written |= {name for n in found for name in self._neighbourhoods[n].writes}
            more = {
                number
                for number, at in enumerate(self._neighbourhoods)
                if number not in found and written & at.triggers
            }
            if not more:
                return tuple(self._neighbourhoods[number] for number in sorted(found))
            found |= more

    def _presses(self, rule: Rule, at: Neighbourhood) -> bool:
        """Whether an urgent rule has to do with what is in a neighbourhood."""
        counted = self._known.changed_by(m.name for m in at.movers)
        looks = not {*rule.cells, *rule.writable}.isdisjoint(at.names)
        return rule.urgent and (looks or not counted.isdisjoint(rule.reads))

    @property
    def _neighbourhoods(self) -> tuple[Neighbourhood, ...]:
        return self._movers.neighbourhoods

    def _watched(self, rule: Rule, cells: tuple[str, ...]) -> tuple[Neighbourhood, ...]:
        """What is looked at wherever a rule is asked: that of a mover, or what is urgent sees."""
        return tuple(
            at
            for at in self._movers.neighbourhoods
            if (rule.urgent or rule in at.movers) and {*at.names} <= {*cells}
        )

    @staticmethod
    def _task(rule: Rule) -> str:
        if rule.environment:
            return rule.task
        return PRESSING if rule.urgent else CALM

    def _act(
        self,
        rule: Rule,
        cells: tuple[str, ...],
        after: tuple[Neighbourhood, ...],
        watched: tuple[Neighbourhood, ...],
        *shown: Any,
    ) -> Iterator[Outcome]:
        held = dict(zip(cells, shown, strict=False)) if watched or after else {}
        for at in watched:
            self._check_settled(at, tuple([held[name] for name in at.names]))
        found = self._outcomes(rule, (*shown[: len(rule.cells)], *shown[len(cells) :]))
        if not after:
            yield from found
            return
        for outcome in found:
            there = self._followed({**held, **outcome.writes}, after)
            writes = {n: v for n, v in there.items() if n in outcome.writes or v != held[n]}
            yield outcome._replace(writes=writes)

    def _outcomes(self, rule: Rule, shown: tuple[Any, ...]) -> tuple[Outcome, ...]:
        """What a rule does by itself; the movers hear of it."""
        self._movers.seen(rule, shown)
        return self._movers.asked(rule, shown)

    def _followed(self, held: dict[str, Any], after: tuple[Neighbourhood, ...]) -> dict[str, Any]:
        """What is there after all movers."""
        for _ in range(MOST_ROUNDS):
            changed = False
            for at in after:
                nook = tuple([held[name] for name in at.names])
                settled = self._movers.pending(at, nook)
                if settled != nook:
                    changed = True
                    held |= zip(at.names, settled, strict=True)
            if not changed:
                for at in after:
                    self._movers.stands(at, tuple([held[name] for name in at.names]))
                return held
        raise self._endless(after)

    def _check_settled(self, at: Neighbourhood, nook: Nook) -> None:
        """No mover can act by itself: it would have been done."""
        if nook not in at.standing:
            if at.settle(nook)[1]:
                raise self._movers.unsettled(at, nook)
            self._movers.stands(at, nook)

    # Bests

    def _best(self, best: Best) -> Best:
        """A best that says with which tallies it is asked."""
        if not best.reads:
            return best
        scores: dict[Named, Callable[..., int | None]] = {
            named: partial(self._score, best, len(named) if isinstance(named, tuple) else 1, score)
            for named, score in best.scores.items()
        }
        return replace(best, scores=scores)

    def _score(
        self, best: Best, width: int, score: Callable[..., int | None], *shown: Any
    ) -> int | None:
        self._movers.best_read(best, shown[width:])
        return score(*shown)

    # Properties

    def _minding(self) -> Iterator[int]:
        """The goals that look at what movers change."""
        rules = tuple(m for at in self._movers.neighbourhoods for m in at.movers)
        for number, prop in enumerate(self._properties):
            formula = prop.formula
            if isinstance(formula, NeverStuck | Converges) and _sees_change(
                self._system, formula.view, rules, self._known
            ):
                yield number
