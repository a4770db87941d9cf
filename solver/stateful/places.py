"""The part of a system that runs have seen: places, the ways that lead from one to the next.

What a state shows and where its steps lead is found out when a run first comes there, and
remembered: a run through known places looks up and asks nothing. Ways are numbered by what they do
and never by the order in which values were met, so that a run that is described by these numbers
can be taken again by another process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kubelemma.model.system import State, System
from kubelemma.properties.formula import (
    Always,
    Converges,
    EachStep,
    LeadsTo,
    NeverStuck,
    check_formula,
)
from kubelemma.properties.statement import Property
from kubelemma.solver.numbering import Domain, Ids
from kubelemma.solver.replay import CanonicalStep
from kubelemma.solver.tables import Move, Predicate, StepPredicate, Tables


class Way(NamedTuple):
    """A step that may be taken: a move, and the positions that its rule is tried on."""

    where: tuple[int, ...]
    move: Move


class Passage(NamedTuple):
    """Where a way leads, and the properties of steps that it violates, by their numbers.

    ``asked`` has the questions that were put to these properties.
    """

    target: Place
    violated: tuple[int, ...]
    asked: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Place:
    """A canonical state, and what there is to know of it.

    Attributes:
        ids, summary: the state in numbers.
        ways: the steps from here by the name of the rule that takes them, in the order of rules;
            none where a bound forbids to leave.
        cut: whether a bound does.
        still: whether nobody but the environment can act.
        tasks: the tasks of controllers that can be worked on.
        violated, outside: the invariants that are false, and the goals that are missed.
        met: of what leads to what, as `LeadsTo.met` says it.
        asked: the questions that were put to properties of states.
        passages: where ways lead, of those that were taken.
    """

    ids: Ids
    summary: Ids
    ways: Mapping[str, tuple[Way, ...]]
    cut: bool
    still: bool
    tasks: frozenset[str]
    violated: tuple[int, ...]
    outside: frozenset[int]
    met: Mapping[int, bool | None]
    asked: tuple[int, ...]
    passages: dict[tuple[tuple[int, ...], int], Passage] = field(default_factory=dict)


class Places:
    """All places that runs of a system have seen, and what is asked of it.

    ``properties`` are known by their numbers, and so are ``questions``: the combinations of values
    that a property was asked about, each with the number of the property. ``spoken`` has those
    whose predicates said anything, whose goal was ever left, or whose premise ever held outside its
    goal; ``fired`` counts the steps that were taken by the number of the move; what `Statistics`
    counts of states, so do ``concrete_states``, ``terminal``, ``cut_states`` and ``out_degree``.
    """

    def __init__(self, system: System, properties: Sequence[Property] = ()) -> None:
        """Raises `ModelError` where a property looks at what the system does not declare."""
        self.system = system
        self.properties = tuple(properties)
        self.tables = Tables(system)
        self.rules = tuple(rule.name for rule in system.rules)
        self.questions = Domain()
        self.spoken: set[int] = set()
        self.fired: Counter[int] = Counter()
        self.concrete_states = self.terminal = self.cut_states = self.out_degree = 0
        self._rank = {name: at for at, name in enumerate(self.rules)}
        self._tasks = frozenset(r.fairness for r in system.rules if not r.environment)
        self._places: dict[Ids, Place] = {}
        self._bounds = [self.tables.predicate(b.view, b.within) for b in system.bounds]
        self._invariants: dict[int, Predicate] = {}
        self._goals: dict[int, Predicate] = {}
        self._duties: dict[int, Predicate] = {}
        self._steps: dict[str, list[tuple[int, StepPredicate]]] = {}
        for number, prop in enumerate(self.properties):
            check_formula(system, prop.formula, f'property "{prop.id}"')
            self._ask(number, prop)
        starts = map(system.canonical, system.starts)
        self.starts = tuple(self._place(self.tables.numbering.ids(start)) for start in starts)

    def __len__(self) -> int:
        """How many places were seen."""
        return len(self._places)

    def passage(self, place: Place, way: Way) -> Passage:
        """Where a way leads; the place is a new one if no run has come there before."""
        key = (way.where, way.move.number)
        found = place.passages.get(key)
        if found is None:
            found = place.passages[key] = self._pass(place, way)
        return found

    def step(self, way: Way, target: Place) -> CanonicalStep:
        """A step as the plain semantics can take it again."""
        state = self.tables.numbering.state(target.ids)
        return CanonicalStep(way.move.rule.name, way.move.outcome, self.system.canonical(state))

    def state(self, place: Place) -> State:
        """What the model holds there."""
        return self.system.canonical(self.tables.numbering.state(place.ids))

    def _ask(self, number: int, prop: Property) -> None:
        formula = prop.formula
        match formula:
            case Always():
                self._invariants[number] = self.tables.predicate(formula.view, formula.holds)
            case EachStep():
                step = self.tables.step_predicate(formula.view, formula.holds)
                for action in sorted(formula.actions):
                    self._steps.setdefault(action, []).append((number, step))
            case NeverStuck() | Converges():
                self._goals[number] = self.tables.predicate(formula.view, formula.goal)
            case LeadsTo():
                self._duties[number] = self.tables.predicate(formula.view, formula.met)

    def _pass(self, place: Place, way: Way) -> Passage:
        after = list(place.ids)
        for slot, number in way.move.writes:
            after[way.where[slot]] = number
        unsorted = tuple(after)
        for family in way.move.unsorted:
            after[family] = sorted(after[family])
        target = self._place(tuple(after))
        step = way.move, (place.ids, place.summary), (unsorted, target.summary)
        asked = self._steps.get(way.move.outcome.action, ())
        return Passage(
            target,
            violated=tuple(n for n, each in asked if self._denied(n, each.answers(*step))),
            asked=tuple(self.questions[n, key] for n, each in asked for key in each.keys(*step)),
        )

    def _place(self, ids: Ids) -> Place:
        found = self._places.get(ids)
        if found is None:
            found = self._places[ids] = self._look_at(ids)
        return found

    def _look_at(self, ids: Ids) -> Place:
        summary = self.tables.summaries(ids)
        cut = not all(all(bound.answers(ids, summary)) for bound in self._bounds)
        ways = {} if cut else self._ways(ids, summary)
        acting = [found[0].move.rule for found in ways.values()]
        tasks = frozenset(rule.fairness for rule in acting if not rule.environment)
        if any(rule.urgent for rule in acting):
            tasks = self._tasks
        self.cut_states += cut
        self.concrete_states += self.tables.numbering.orbit_size(ids)
        self.terminal += not cut and not ways
        self.out_degree = max(self.out_degree, sum(map(len, ways.values())))
        return Place(
            ids=ids,
            summary=summary,
            ways=ways,
            cut=cut,
            still=not cut and not tasks,
            tasks=tasks,
            violated=tuple(
                number
                for number, predicate in self._invariants.items()
                if self._denied(number, predicate.answers(ids, summary))
            ),
            outside=frozenset(self._missed(ids, summary)),
            met=dict(self._met(ids, summary, cut=cut)),
            asked=tuple(
                self.questions[number, key]
                for asked in (self._invariants, self._goals, self._duties)
                for number, predicate in asked.items()
                for key in predicate.keys(ids, summary)
            ),
        )

    def _ways(self, ids: Ids, summary: Ids) -> Mapping[str, tuple[Way, ...]]:
        """All ways, in an order that does not depend on how values are numbered."""
        by_rule: dict[str, list[Way]] = {}
        for where, move in self.tables.enabled(ids, summary):
            by_rule.setdefault(move.rule.name, []).append(Way(where, move))
        values = self._member_values(ids)
        return {
            name: tuple(sorted(by_rule[name], key=lambda way: [values[p] for p in way.where]))
            for name in sorted(by_rule, key=self._rank.__getitem__)
        }

    def _member_values(self, ids: Ids) -> Sequence[int]:
        """Of each position in a family the rank of its value among its members, 0 elsewhere."""
        ranks = [0] * len(ids)
        numbering = self.tables.numbering
        for family in self.system.families:
            where = numbering.slices[family.name]
            members = numbering.domains[family.name].members
            order = sorted(set(ids[where]), key=lambda number, m=members: m[number])  # type: ignore[misc]
            rank = {number: at for at, number in enumerate(order)}
            ranks[where] = [rank[number] for number in ids[where]]
        return ranks

    def _denied(self, number: int, answers: Iterable[bool | None]) -> bool:
        """Whether one of the answers is that the property is false."""
        said = [holds for holds in answers if holds is not None]
        if said:
            self.spoken.add(number)
        return not all(said)

    def _missed(self, ids: Ids, summary: Ids) -> Iterator[int]:
        for number, goal in self._goals.items():
            if not all(goal.answers(ids, summary)):
                self.spoken.add(number)
                yield number

    def _met(self, ids: Ids, summary: Ids, *, cut: bool) -> Iterator[tuple[int, bool | None]]:
        """What the duties say; met where a bound forbids to leave: who gets there owes nothing."""
        for number, duty in self._duties.items():
            (met,) = duty.answers(ids, summary)
            if met is False:
                self.spoken.add(number)
            yield number, True if cut else met
