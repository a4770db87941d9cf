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
  is fair is not said: so all controllers are one task here, and every loop counts. A loop that
  passes outside the goal between two settled states has one of these outside, too; that is asked of
  every such step. Where a loop is found, the system is searched as it is.

Who leads to what (`LeadsTo`) is asked of the system as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

from kubelemma.model.dependence import columns_of
from kubelemma.model.system import Action, Best, Named, Outcome, Rule, State, System, View
from kubelemma.properties.formula import Always, Converges, EachStep, NeverStuck
from kubelemma.properties.statement import Kind, Property, Severity, Statement

from .movers import Movers
from .nooks import Learned, Lesson, Neighbourhood, candidates, no_movers

CALM, PRESSING = "controllers", "controllers that press"
"""The tasks of a fused system."""

MOST_ROUNDS = 100
"""After so many rounds movers that make each other possible are taken to go on for ever."""

AND_MORE = ", and what follows"
"""What an action is called with which movers acted that a goal looks at."""


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused system, what is asked of it in the place of properties, and what it rests on."""

    whole: System
    system: System
    properties: tuple[Property, ...]
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
    system: System,
    properties: Sequence[Property],
    learned: Learned,
    only: Container[str] | None = None,
) -> Fused | None:
    """The system with its movers fused, as far as is known which these are; None if none are.

    With ``only``, no others are.
    """
    refused = {name for name, _ in learned.refused}
    seen = _looked_at(system, properties)
    moving = tuple(
        rule
        for rule in candidates(system)
        if rule.name not in refused
        and (only is None or rule.name in only)
        and not columns_of(system, rule.writable) & seen
        and not learned.changed_by([rule.name]) & _read(properties)
    )
    moving = tuple(rule for rule in moving if not _harms_goal(system, rule, properties, learned))
    if not moving:
        return None
    movers = Movers(system, moving, learned, _asked_about(properties))
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


def _goals(properties: Iterable[Property]) -> Iterator[NeverStuck | Converges]:
    return (p.formula for p in properties if isinstance(p.formula, NeverStuck | Converges))


def _sees_change(system: System, view: View, rules: Iterable[Rule], learned: Learned) -> bool:
    """Whether a view shows what movers change."""
    movers = tuple(rules)
    writes = columns_of(system, (name for rule in movers for name in rule.writable))
    changed = learned.changed_by(rule.name for rule in movers)
    return bool(columns_of(system, view.cells) & writes or changed & set(view.reads))


def _harms_goal(
    system: System, rule: Rule, properties: Iterable[Property], learned: Learned
) -> bool:
    """Whether a goal about members of a family looks at what a mover changes."""
    return any(
        _sees_change(system, goal.view, (rule,), learned) and _has_family(system, goal.view)
        for goal in _goals(properties)
    )


def _has_family(system: System, view: View) -> bool:
    cells = {cell.name for cell in system.cells}
    return not cells.issuperset(system.sight(view.cells).places)


class _Fusing:
    """The making of a fused system."""

    def __init__(self, system: System, properties: Sequence[Property], movers: Movers) -> None:
        self._system, self._properties, self._movers = system, properties, movers
        self._known = movers.learned
        self._moving = {m.name: at for at in movers.neighbourhoods for m in at.movers}
        for at in movers.neighbourhoods:
            at.minded = self._is_minded(at)
        self._marked: dict[str, Action] = {}
        self._answers: dict[str, dict[tuple[Any, ...], list[Outcome]]] = {}

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
        properties = (*map(self._property, self._properties), *self._guards())
        return Fused(whole, system, properties, self._movers, origin)

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
            elif at.minded:
                movers = [mover.name for mover in at.movers]
                raise no_movers(movers, "a goal may be left at the start")
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
        after = self._following(rule)
        known = dict.fromkeys(rule.cells)
        names = (*known, *(n for at in after for n in at.names if n not in known))
        cells = tuple(dict.fromkeys(names))
        writes = dict.fromkeys((*rule.writable, *(n for at in after for n in sorted(at.writes))))
        following = sorted(m.name for at in after for m in at.movers)
        return replace(
            rule,
            name=f"{rule.name}, then {', '.join(following)}" if after else rule.name,
            cells=cells,
            writes=tuple(writes),
            outcomes=partial(self._act, rule, rule.acts, cells, after),
            task=self._task(rule),
            each="",
            onto="",
            ranks="",
        )

    def _following(self, rule: Rule) -> tuple[Neighbourhood, ...]:
        """Where movers may have to act after a rule, or after each other."""
        writes, found = set(rule.writable), set[int]()
        while True:
            more = {
                number
                for number, at in enumerate(self._movers.neighbourhoods)
                if number not in found and writes & set(at.names)
            }
            if not more:
                return tuple(self._movers.neighbourhoods[number] for number in sorted(found))
            found |= more
            writes |= {name for n in more for name in self._movers.neighbourhoods[n].writes}

    @staticmethod
    def _task(rule: Rule) -> str:
        if rule.environment:
            return rule.task
        return PRESSING if rule.urgent else CALM

    def _act(
        self,
        rule: Rule,
        acts: Callable[..., Iterable[Outcome]],
        cells: tuple[str, ...],
        after: tuple[Neighbourhood, ...],
        *shown: Any,
    ) -> Iterator[Outcome]:
        own, reads = shown[: len(rule.cells)], shown[len(cells) :]
        held = dict(zip(cells, shown, strict=False))
        self._check_settled(rule, held)
        for outcome in self._outcomes(rule, acts, (*own, *reads)):
            there, minded = self._followed({**held, **outcome.writes}, after)
            writes = {n: v for n, v in there.items() if n in outcome.writes or v != held[n]}
            action = self._with_more(outcome.action) if minded else outcome.action
            yield outcome._replace(writes=writes, action=action)

    def _outcomes(
        self, rule: Rule, acts: Callable[..., Iterable[Outcome]], shown: tuple[Any, ...]
    ) -> list[Outcome]:
        """What a rule does by itself; it is asked only once, and heard of by the movers."""
        known = self._answers.setdefault(rule.name, {})
        if shown not in known:
            self._movers.seen(rule, shown)
            known[shown] = list(acts(*shown))
        return known[shown]

    def _followed(
        self, held: dict[str, Any], after: tuple[Neighbourhood, ...]
    ) -> tuple[dict[str, Any], bool]:
        """What is there after all movers, and whether a goal may mind them."""
        minded = False
        for _ in range(MOST_ROUNDS):
            before = dict(held)
            for at in after:
                nook = tuple(held[name] for name in at.names)
                settled = self._movers.pending(at, nook)
                held |= zip(at.names, settled, strict=True)
                minded |= at.minded and settled != nook
            if held == before:
                for at in after:
                    self._movers.stands(at, tuple(held[name] for name in at.names))
                return held, minded
        raise self._endless(after)

    def _check_settled(self, rule: Rule, held: Mapping[str, Any]) -> None:
        """No mover can act by itself: it would have been done."""
        at = self._moving.get(rule.name)
        if at is None or not all(name in held for name in at.names):
            return
        nook = tuple(held[name] for name in at.names)
        if at.settle(nook)[1]:
            raise no_movers([rule.name], "can act by itself")

    def _with_more(self, action: Action) -> Action:
        """The action by another name, by which steps are known that a goal may mind."""
        if str(action) not in self._known.actions:
            raise Lesson(Learned(actions=frozenset({str(action)})))
        if str(action) not in self._marked:
            name = f"{action}{AND_MORE}"
            self._marked[str(action)] = Action(name, *action.arguments, changes=action.changes)
        return self._marked[str(action)]

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

    def _is_minded(self, at: Neighbourhood) -> bool:
        """Whether a goal looks at what movers change."""
        return any(
            _sees_change(self._system, goal.view, at.movers, self._known)
            for goal in _goals(self._properties)
        )

    def _property(self, prop: Property) -> Property:
        """A property of steps, by both names of their actions."""
        formula = prop.formula
        if not isinstance(formula, EachStep):
            return prop
        holds = formula.holds
        also = frozenset(f"{action}{AND_MORE}" for action in formula.actions)

        def asked(before: Any, action: str, after: Any) -> bool | None:
            return holds(before, action.removesuffix(AND_MORE), after)

        actions = formula.actions | also
        return replace(prop, formula=EachStep(formula.view, asked, actions))

    def _guards(self) -> Iterator[Property]:
        """Of each goal that minds: it is left before or after each step with movers in it."""
        actions = frozenset(f"{action}{AND_MORE}" for action in self._known.actions)
        for prop in self._properties:
            formula = prop.formula
            if not isinstance(formula, NeverStuck | Converges) or not actions:
                continue
            minding = [
                at
                for at in self._movers.neighbourhoods
                if _sees_change(self._system, formula.view, at.movers, self._known)
            ]
            if minding:
                movers = tuple(m.name for at in minding for m in at.movers)
                holds = partial(_left, formula, movers)
                yield replace(prop, statement=_LEFT, formula=EachStep(formula.view, holds, actions))


def _left(
    formula: NeverStuck | Converges,
    movers: tuple[str, ...],
    before: tuple[Any, ...],
    _: str,
    after: tuple[Any, ...],
) -> None:
    if formula.goal(*before) and formula.goal(*after):
        raise no_movers(movers, "a goal may be left in between")


_LEFT = Statement(
    id="LEFT",
    title="A goal is left before or after what is fused",
    kind=Kind.SAFETY,
    severity=Severity.LOW,
    statement="",
    why="",
    conditions="",
    source="",
    components=(),
    remediation="",
)
