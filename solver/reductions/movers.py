"""Movers: steps that make no difference to anybody else, wherever they come.

A *mover* is a rule that sees a few cells and columns and reads nothing. Where it has one outcome it
is done at once, together with the step that made it possible. What is at the places of movers that
see the same is a *nook*; it is *pending* as long as one of its movers can act, and *settled* after
that.

Whether it may be settled at once is asked of the rules themselves. Of each pending nook that comes
up, and of all that others may make of it, every rule that has to do with it is asked what it would
do before and after the nook is settled: each of its outcomes before must be one after, with the
same nook in the end, and nothing else different. Of what else a rule is shown, all is tried that it
was ever shown. If it is not so, a mover is none (`Lesson`), and the search begins anew without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.dependence import names_in, summed_by
from kubelemma.model.system import Arguments, Best, Outcome, Rule, System, Tally, names_of, reduced

from .bagged import Veil

Nook: TypeAlias = tuple[Any, ...]
"""What is at the names of a neighbourhood."""

MOST_ASKED = 400_000
"""After so many questions the rules that have to do with a mover are too many."""


class Learned(NamedTuple):
    """Which rules are no movers, and why; and which movers change which tallies or bests."""

    refused: frozenset[tuple[str, str]] = frozenset()
    changed: frozenset[tuple[str, str]] = frozenset()
    actions: frozenset[str] = frozenset()

    def with_more(self, other: Learned) -> Learned:
        """What is known with what another one knows."""
        return Learned(*(mine | its for mine, its in zip(self, other, strict=True)))

    def changed_by(self, rules: Iterable[str]) -> frozenset[str]:
        """The tallies and bests that any of these rules changes."""
        names = set(rules)
        return frozenset(summary for rule, summary in self.changed if rule in names)


class Lesson(Exception):
    """What was taken to be so is not: what is to be learned."""

    def __init__(self, learned: Learned) -> None:
        super().__init__()
        self.learned = learned


def no_movers(rules: Iterable[str], why: str) -> Lesson:
    """These rules are no movers."""
    return Lesson(Learned(refused=frozenset((name, why) for name in rules)))


# Who may be one


def candidates(system: System) -> tuple[Rule, ...]:
    """The rules that may be movers as far as what they declare goes."""
    whole = _named_as_a_whole(system)
    constant = constants(system)
    return tuple(rule for rule in system.rules if _may_move(system, rule, whole, constant))


def _may_move(system: System, rule: Rule, whole: frozenset[str], constant: frozenset[str]) -> bool:
    if rule.environment or rule.urgent or rule.reads or not rule.writable:
        return False
    places = system.sight(rule.cells).places
    families = [name for name in places if _is_family(system, name)]
    if len(families) > 1 or whole & set(families):
        return False
    several = any(len(system.positions[name]) > 1 for name in families)
    return not several or all(name in constant for name in places if name not in families)


def _named_as_a_whole(system: System) -> frozenset[str]:
    """The families with columns of which somebody names whole members."""
    columned = {family.name for family in system.families if family.columns}
    named = {name for rule in system.rules for name in rule.cells}
    named |= {name for summary in system.summaries for name in names_in(summary)}
    return frozenset(columned & named)


def _is_family(system: System, place: str) -> bool:
    return any(family.name == place for family in system.families)


def constants(system: System) -> frozenset[str]:
    """The cells that nobody may write."""
    written = {name for rule in system.rules for name in rule.writable}
    return frozenset(cell.name for cell in system.cells if cell.name not in written)


# Neighbourhoods


@dataclass(slots=True)
class Neighbourhood:
    """Movers that share places, and what is known of what may be there.

    ``writes`` are the names that they may write, ``names`` those that make up a nook, ``settled``
    has each pending nook that may come up with what it is settled to, ``ways`` those that it may turn
    into; ``standing`` are nooks that are settled and may come up, ``waiting`` those that may be
    pending once what they are settled to may be there. It is ``minded`` if a goal looks at what is changed there.
    """

    movers: tuple[Rule, ...]
    names: tuple[str, ...]
    writes: frozenset[str]
    affected: frozenset[str] = frozenset()
    measured: dict[str, Tally] = field(default_factory=dict)
    besides: list[Beside] = field(default_factory=list)
    settled: dict[Nook, Nook] = field(default_factory=dict)
    ways: dict[Nook, set[Nook]] = field(default_factory=dict)
    standing: set[Nook] = field(default_factory=set)
    waiting: dict[Nook, dict[Nook, None]] = field(default_factory=dict)
    minded: bool = False
    _effects: dict[tuple[str, Nook], list[tuple[str, Any, Nook]]] = field(default_factory=dict)

    def effects(self, rule: Rule, nook: Nook) -> list[tuple[str, Any, Nook]]:
        """What a mover may do, and what that makes of a nook; each once."""
        key = (rule.name, nook)
        if key not in self._effects:
            held = dict(zip(self.names, nook, strict=True))
            try:
                outcomes = list(rule.acts(*(held[name] for name in rule.cells)))
            except Exception as error:
                # It was asked of what may not come up.
                raise no_movers([rule.name], "cannot be asked about all that may be") from error
            found = {(str(o.action), o.arguments, self.after(nook, o)): None for o in outcomes}
            self._effects[key] = list(found)
        return self._effects[key]

    def after(self, nook: Nook, outcome: Outcome) -> Nook:
        """A nook after what an outcome writes there."""
        writes = outcome.writes
        return tuple([writes.get(n, v) for n, v in zip(self.names, nook, strict=True)])

    def settle(self, nook: Nook, movers: Sequence[Rule] | None = None) -> tuple[Nook, list[str]]:
        """A nook after all that its movers do, and which of them did something.

        Raises:
            Lesson: they never come to an end.
        """
        passed, path = [nook], []
        while True:
            for rule in self.movers if movers is None else movers:
                found = self.effects(rule, nook)
                if len(found) == 1:
                    nook = found[0][2]
                    path.append(rule.name)
                    break
            else:
                return nook, path
            if nook in passed:
                raise no_movers(path[passed.index(nook) :], "goes round and round")
            passed.append(nook)

    def measure(self, name: str, nook: Nook) -> Any:
        """What a tally comes to that counts nothing but what is in a nook."""
        tally = self.measured[name]
        return reduced(tally, self.contribution(tally, nook))

    def contribution(self, tally: Tally, nook: Nook) -> tuple[int, ...]:
        """What a nook adds to a tally."""
        held = dict(zip(self.names, nook, strict=True))
        rows = [
            tally.measure(named)(*(held[name] for name in names_of(named)))
            for named in tally.measures
            if all(name in held for name in names_of(named))
        ]
        return tuple(map(sum, zip((0,) * tally.width, *rows, strict=True)))


IN, OUT, MEASURED, VEILED = range(4)
"""Where what a rule is shown comes from: from the nook, or not; from a tally of it; from nobody."""


@dataclass(slots=True)
class Beside:
    """A rule that has to do with a neighbourhood, and what else it was shown.

    ``sources`` say of all that it is shown where it is from, with an index or a name. ``groups``
    has the pending nooks by what the rule sees of them, with all else at which it then acts.
    """

    rule: Rule
    acts: Callable[..., Iterable[Outcome]]
    sources: tuple[tuple[int, Any], ...]
    others: dict[Arguments, None] = field(default_factory=dict)
    groups: dict[Arguments, tuple[list[Nook], list[Arguments]]] = field(default_factory=dict)

    def other(self, shown: Sequence[Any]) -> Arguments:
        """What it is shown besides."""
        return tuple([v for (kind, _), v in zip(self.sources, shown, strict=True) if kind == OUT])

    def seen_of(self, nook: Nook, at: Neighbourhood) -> Arguments:
        """What it sees of a nook."""
        return tuple(
            [
                nook[where] if kind == IN else at.measure(where, nook)
                for kind, where in self.sources
                if kind in {IN, MEASURED}
            ]
        )

    def shown(self, seen: Arguments, other: Arguments) -> Iterator[Any]:
        """All that it is shown."""
        mine, rest = iter(seen), iter(other)
        for kind, where in self.sources:
            if kind == VEILED:
                yield Veil(where)
            else:
                yield next(rest) if kind == OUT else next(mine)


class Movers:
    """The movers of a system, as far as is known, and what they rest on."""

    def __init__(
        self, system: System, movers: Sequence[Rule], learned: Learned, asked: frozenset[str]
    ) -> None:
        self.system, self.learned = system, learned
        self._questions = asked
        self._rules = {rule.name: rule for rule in system.rules}
        self._acts = {rule.name: rule.acts for rule in system.rules}
        self._summed = summed_by(system)
        self._bests: dict[str, set[Arguments]] = {best.name: set() for best in system.bests}
        self._asked = 0
        self._late: list[tuple[Neighbourhood, Nook]] = []
        self.neighbourhoods = tuple(map(self._neighbourhood, _together(system, movers)))
        self._of_rule: dict[str, list[tuple[Neighbourhood, Beside]]] = {}
        for at in self.neighbourhoods:
            for beside in at.besides:
                self._of_rule.setdefault(beside.rule.name, []).append((at, beside))
        self._check_measured()

    # What there is

    def _neighbourhood(self, movers: tuple[Rule, ...]) -> Neighbourhood:
        system = self.system
        writes = frozenset(name for rule in movers for name in rule.writable)
        names = dict.fromkeys(name for rule in movers for name in rule.cells)
        measured = {}
        for summary in system.summaries:
            for named in _parts(summary):
                if writes & set(names_of(named)):
                    names |= dict.fromkeys(names_of(named))
        for tally in system.tallies:
            if writes & set(names_in(tally)) and self._is_within(tally, names):
                names |= dict.fromkeys(names_in(tally))
                measured[tally.name] = tally
        affected = frozenset(s.name for s in system.summaries if self._summed[s.name] & writes)
        at = Neighbourhood(movers, tuple(names), writes, affected, measured)
        at.besides = [beside for rule in system.rules if (beside := self._beside(at, rule))]
        return at

    def _is_within(self, tally: Tally, names: Iterable[str]) -> bool:
        """Whether a tally counts nothing but what is at these places, or never changes."""
        system, constant = self.system, constants(self.system)
        places = set(system.sight(tuple(names)).places) | constant
        parts = set(system.sight(tuple(dict.fromkeys(names_in(tally)))).places)
        alone = all(len(system.positions[place]) == 1 for place in parts)
        return not tally.reads and parts <= places and alone

    def _beside(self, at: Neighbourhood, rule: Rule) -> Beside | None:
        """A rule that has to do with a neighbourhood; None if it has not."""
        changed = self.learned.changed_by(mover.name for mover in at.movers)
        sources: list[tuple[int, Any]] = []
        for name in rule.cells:
            sources.append((IN, at.names.index(name)) if name in at.names else (OUT, name))
        for name in rule.reads:
            if name in at.measured:
                sources.append((MEASURED, name))
            elif name in at.affected and name in changed:
                sources.append((VEILED, rule.name))
            else:
                sources.append((OUT, name))
        near = at.writes & set(rule.cells) or set(at.names) & set(rule.writable)
        if not near and all(kind not in {MEASURED, VEILED} for kind, _ in sources):
            return None
        return Beside(rule, self._acts[rule.name], tuple(sources))

    def _check_measured(self) -> None:
        """Of who has to do with several neighbourhoods, each is asked about as if alone."""
        for found in self._of_rule.values():
            if len(found) == 1:
                continue
            for at, beside in found:
                if any(kind == MEASURED for kind, _ in beside.sources):
                    raise no_movers((m.name for m in at.movers), f'"{beside.rule.name}" counts it')

    # What comes up

    def best_read(self, best: Best, reads: Arguments) -> None:
        """A best was asked for with these tallies."""
        if reads in self._bests[best.name]:
            return
        self._bests[best.name].add(reads)
        for at in self.neighbourhoods:
            if best.name in at.affected:
                for nook in list(at.settled):
                    self._compare_summaries(at, nook)

    def seen(self, rule: Rule, shown: Sequence[Any]) -> None:
        """A rule was shown this: its cells, then what it reads."""
        for at, beside in self._of_rule.get(rule.name, ()):
            self._add_other(at, beside, beside.other(shown))
        self._follow()

    def pending(self, at: Neighbourhood, nook: Nook) -> Nook:
        """What a nook that comes up is settled to."""
        found = at.settled.get(nook)
        if found is None:
            found, path = at.settle(nook)
            if path:
                self._pend(at, nook, found)
                self._follow()
        return found

    def stands(self, at: Neighbourhood, nook: Nook) -> None:
        """A nook that is settled comes up."""
        if nook not in at.standing:
            self._stand(at, nook)
            self._follow()

    def _stand(self, at: Neighbourhood, nook: Nook) -> None:
        """A settled nook may be there: so may be whatever would be settled to it."""
        if nook in at.standing:
            return
        at.standing.add(nook)
        for waiting in at.waiting.pop(nook, ()):
            self._pend(at, waiting, nook)
        for near, shared in self._sharing(at):
            for variant in _variants(nook, shared, near, tuple(near.settled)):
                self._stand(at, variant)

    def _add(self, at: Neighbourhood, nook: Nook) -> None:
        """A nook may come up, if it is pending and what it is settled to may be there."""
        after, path = at.settle(nook)
        if nook in at.settled or not path:
            return
        if after in at.standing:
            self._pend(at, nook, after)
        else:
            at.waiting.setdefault(after, {})[nook] = None

    def _pend(self, at: Neighbourhood, nook: Nook, after: Nook) -> None:
        if nook in at.settled:
            return
        at.settled[nook] = after
        at.ways.setdefault(nook, set())
        self._late.append((at, nook))
        for near, shared in self._sharing(at):
            for variant in _variants(nook, shared, near, tuple(near.settled)):
                self._add(at, variant)
            turned = [(k, i) for i, k in shared]
            for other in (*near.settled,):
                for variant in _variants(other, turned, at, (nook,)):
                    self._add(near, variant)
            for other in (*near.standing,):
                for variant in _variants(other, turned, at, (nook,)):
                    self._stand(near, variant)

    def _sharing(self, at: Neighbourhood) -> Iterator[tuple[Neighbourhood, list[tuple[int, int]]]]:
        """The neighbourhoods that share names, and the places of these in nooks of both."""
        for near in self.neighbourhoods:
            shared = [(at.names.index(n), near.names.index(n)) for n in at.names if n in near.names]
            if near is not at and shared:
                yield near, shared

    def _follow(self) -> None:
        """Ask about all that others may make of what is pending."""
        while self._late:
            at, nook = self._late.pop()
            self._compare_summaries(at, nook)
            for rule in at.movers:
                found = at.effects(rule, nook)
                if len(found) == 1:
                    if found[0][0] in self._questions:
                        raise no_movers([rule.name], f'"{found[0][0]}" is asked about')
                    self._same_end(at, nook, rule, found[0][2])
            for beside in at.besides:
                self._add_nook(at, beside, nook)
            for found_at, found_beside in self._neighbours(at):
                for other in list(found_beside.others):
                    self._add_variants(found_at, found_beside, other, at, (nook,))

    def _same_end(self, at: Neighbourhood, nook: Nook, rule: Rule, after: Nook) -> None:
        """Two movers end alike, whoever goes first."""
        if at.settle(after)[0] != at.settled[nook]:
            raise self._blame(at, nook, rule, (after,))
        at.ways[nook].add(after)
        self._add(at, after)

    def check_ends(self) -> None:
        """What is pending is settled in the end: nobody keeps it from that for ever, fairly.

        As long as it is not, it goes round; then a mover can always act that would end this, and
        nobody else acts for its task.

        Raises:
            Lesson: it may be otherwise.
        """
        tasks = Counter(rule.fairness for rule in self.system.rules if not rule.environment)
        for at in self.neighbourhoods:
            for circle in _circles(at.ways):
                ending = (
                    mover
                    for mover in at.movers
                    if tasks[mover.fairness] == 1
                    and all(self._leaves(at, mover, nook, circle) for nook in circle)
                )
                if next(ending, None) is None:
                    guilty = at.settle(min(circle, key=repr))[1]
                    raise no_movers(guilty[:1], "may be kept waiting for ever")

    @staticmethod
    def _leaves(at: Neighbourhood, mover: Rule, nook: Nook, circle: set[Nook]) -> bool:
        found = at.effects(mover, nook)
        return len(found) == 1 and found[0][2] not in circle

    def _neighbours(self, at: Neighbourhood) -> Iterator[tuple[Neighbourhood, Beside]]:
        """The rules that have to do with this and another neighbourhood, with the other."""
        for beside in at.besides:
            for other, found in self._of_rule[beside.rule.name]:
                if other is not at:
                    yield other, found

    def _add_other(self, at: Neighbourhood, beside: Beside, other: Arguments) -> None:
        if other in beside.others:
            return
        beside.others[other] = None
        for seen, (nooks, acting) in beside.groups.items():
            if self._may_act(at, beside, seen, other, nooks[0]):
                acting.append(other)
                for nook in list(nooks):
                    self._ask(at, beside, nook, other)
        for near, _ in self._of_rule[beside.rule.name]:
            if near is not at:
                self._add_variants(at, beside, other, near, tuple(near.settled))

    def _add_variants(
        self,
        at: Neighbourhood,
        beside: Beside,
        other: Arguments,
        near: Neighbourhood,
        nooks: Iterable[Nook],
    ) -> None:
        """What it is shown besides may be pending itself."""
        names = [name for kind, name in beside.sources if kind == OUT]
        spots = [(i, near.names.index(n)) for i, n in enumerate(names) if n in near.names]
        if not spots:
            return
        for nook in nooks:
            after = near.settled[nook]
            if all(other[i] == after[k] for i, k in spots):
                variant = list(other)
                for i, k in spots:
                    variant[i] = nook[k]
                self._add_other(at, beside, tuple(variant))

    def _add_nook(self, at: Neighbourhood, beside: Beside, nook: Nook) -> None:
        seen = beside.seen_of(nook, at)
        if seen in beside.groups:
            nooks, acting = beside.groups[seen]
            nooks.append(nook)
        else:
            acting = []
            for other in list(beside.others):
                if self._may_act(at, beside, seen, other, nook):
                    acting.append(other)
            beside.groups[seen] = ([nook], acting)
        for other in acting:
            self._ask(at, beside, nook, other)

    # Whether it makes a difference

    def _may_act(
        self, at: Neighbourhood, beside: Beside, seen: Arguments, other: Arguments, nook: Nook
    ) -> bool:
        """Whether a rule can do something; an urgent one may have to be compared in any case."""
        return beside.rule.urgent or bool(self._outcomes(at, beside, seen, other, nook))

    def _outcomes(
        self, at: Neighbourhood, beside: Beside, seen: Arguments, other: Arguments, nook: Nook
    ) -> list[Outcome]:
        self._asked += 1
        if self._asked > MOST_ASKED:
            raise no_movers((m.name for m in at.movers), "too many others have to do with it")
        try:
            return list(beside.acts(*beside.shown(seen, other)))
        except Lesson:
            raise
        except Exception as error:
            # It was asked of what may not come up, or looks at what a mover changes.
            raise self._blame(at, nook, beside.rule, ()) from error

    def _ask(self, at: Neighbourhood, beside: Beside, nook: Nook, other: Arguments) -> None:
        """Each outcome before is one after, and ends alike."""
        rule, after = beside.rule, at.settled[nook]
        fused = rule in at.movers and len(at.effects(rule, nook)) == 1
        if fused:
            return
        before = self._outcomes(at, beside, beside.seen_of(nook, at), other, nook)
        if not before and not rule.urgent:
            return
        held = dict(zip((name for kind, name in beside.sources if kind == OUT), other, strict=True))
        later = self._outcomes(at, beside, beside.seen_of(after, at), other, nook)
        if rule.urgent and bool(before) != bool(later):
            raise self._blame(at, nook, rule, ())
        ends = {self._end(at, after, outcome, held) for outcome in later}
        for outcome in before:
            made = at.after(nook, outcome)
            if self._end(at, nook, outcome, held) not in ends:
                raise self._blame(at, nook, rule, (made,))
            if at.minded and not rule.environment and made != nook:
                at.ways[nook].add(made)
            self._add(at, made)

    def _end(self, at: Neighbourhood, nook: Nook, outcome: Outcome, held: dict[str, Any]) -> Any:
        """What somebody does, and what comes of it once all is settled."""
        rest = tuple(
            (name, value)
            for name, value in sorted(outcome.writes.items())
            if name not in at.names and held[name] != value
        )
        settled, _ = at.settle(at.after(nook, outcome))
        return str(outcome.action), outcome.arguments, rest, settled

    def _blame(self, at: Neighbourhood, nook: Nook, rule: Rule, made: Sequence[Nook]) -> Lesson:
        """Who is no mover, as another rule shows."""
        _, path = at.settle(nook)
        alone = [m for m in at.movers if m.name in path and m is not rule]
        guilty = [m.name for m in alone if self._differs(at, nook, m, made)] or path[:1]
        return no_movers(guilty[:1], f'"{rule.name}" may come in between')

    @staticmethod
    def _differs(at: Neighbourhood, nook: Nook, mover: Rule, made: Sequence[Nook]) -> bool:
        """Whether a mover alone would not get from what was made to where it gets before."""
        if not made:
            return True
        before, _ = at.settle(nook, (mover,))
        return before != nook and all(at.settle(m, (mover,))[0] == m for m in made)

    # What is counted

    def _compare_summaries(self, at: Neighbourhood, nook: Nook) -> None:
        """Which tallies and bests change when a nook is settled, and by whom."""
        found: set[tuple[str, str]] = set()
        _, path = at.settle(nook)
        for rule in path:
            ((_, _, after),) = at.effects(self._rules[rule], nook)
            known = self.learned.changed_by([rule])
            for summary in self.system.summaries:
                if summary.name in at.affected - known:
                    if self._changes(at, nook, after, summary, known):
                        found.add((rule, summary.name))
            nook = after
        for rule, name in sorted(found):
            if name in self._bests:
                raise no_movers([rule], f'"{name}" is another before')
        if found:
            raise Lesson(Learned(changed=frozenset(found)))

    def _changes(
        self,
        at: Neighbourhood,
        nook: Nook,
        after: Nook,
        summary: Tally | Best,
        known: frozenset[str],
    ) -> bool:
        if known & set(summary.reads):
            return True
        if isinstance(summary, Best):
            return self._scores(at, nook, summary) != self._scores(at, after, summary)
        if summary.name in at.measured:
            return bool(at.measure(summary.name, nook) != at.measure(summary.name, after))
        if not at.writes & set(names_in(summary)):
            return False
        if summary.reads:
            return True
        return at.contribution(summary, nook) != at.contribution(summary, after)

    def _scores(self, at: Neighbourhood, nook: Nook, best: Best) -> list[int | None]:
        held = dict(zip(at.names, nook, strict=True))
        return [
            score(*(held[name] for name in names_of(named)), *reads)
            for named, score in best.scores.items()
            if all(name in held for name in names_of(named))
            for reads in sorted(self._bests[best.name] if best.reads else [()], key=repr)
        ]


def _parts(summary: Tally | Best) -> Iterable[Any]:
    return summary.scores if isinstance(summary, Best) else summary.measures


def _together(system: System, movers: Sequence[Rule]) -> list[tuple[Rule, ...]]:
    """The movers in groups that see the same places, but for those that never change."""
    constant = constants(system)
    groups: dict[frozenset[str], list[Rule]] = {}
    for rule in movers:
        places = frozenset(system.sight(rule.cells).places) - constant
        groups.setdefault(places, []).append(rule)
    return [tuple(rules) for rules in groups.values()]


def _variants(
    nook: Nook, shared: list[tuple[int, int]], near: Neighbourhood, nooks: Iterable[Nook]
) -> Iterator[Nook]:
    """A nook, with what it shares with another one pending there."""
    for pending in nooks:
        after = near.settled[pending]
        if all(nook[i] == after[k] for i, k in shared):
            variant = list(nook)
            for i, k in shared:
                variant[i] = pending[k]
            yield tuple(variant)


def _circles(ways: Mapping[Nook, set[Nook]]) -> Iterator[set[Nook]]:
    """The nooks that may turn into each other, and ways round, by their strong components."""
    number = {nook: i for i, nook in enumerate(ways)}
    pairs = [(number[a], number[b]) for a, after in ways.items() for b in after if b in number]
    if not pairs:
        return
    import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check
    from scipy.sparse import csr_array  # type: ignore[import-untyped]  # noqa: PLC0415
    from scipy.sparse.csgraph import (  # type: ignore[import-untyped]  # noqa: PLC0415
        connected_components,
    )

    size = len(number)
    sources, targets = zip(*pairs, strict=True)
    graph = csr_array((np.ones(len(pairs), dtype=np.bool_), (sources, targets)), (size, size))
    _, of = connected_components(graph, directed=True, connection="strong")
    found: dict[int, set[Nook]] = {}
    for nook, component in zip(ways, of.tolist(), strict=True):
        found.setdefault(component, set()).add(nook)
    turning = {of[a] for a, b in pairs if of[a] == of[b]}
    yield from (found[component] for component in sorted(turning))
