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

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kubelemma.model.bags import ones
from kubelemma.model.dependence import names_in, summed_by
from kubelemma.model.system import Arguments, Best, Outcome, Rule, Tally, names_of

from .nooks import (
    BETWEEN,
    IN,
    MEASURED,
    OUT,
    VEILED,
    Asked,
    Beside,
    Learned,
    Lesson,
    Neighbourhood,
    Nook,
    circles,
    constants,
    no_movers,
    together,
    variants,
)

MOST_PENDING = 1_000
"""With more that may be pending at one place movers are more work than use."""
MOST_ASKED = 400_000
"""After so many questions the rules that have to do with a mover are too many."""


class Movers:
    """The movers of a system, as far as is known, and what they rest on."""

    def __init__(
        self, asked: Asked, movers: Sequence[Rule], learned: Learned, questions: frozenset[str]
    ) -> None:
        system = self.system = asked.system
        self.learned = learned
        self._questions = questions
        self._rules = {rule.name: rule for rule in system.rules}
        self._moving = frozenset(rule.name for rule in movers)
        self._answers = asked
        self._constant = constants(system, learned)
        self._summed = summed_by(system)
        self._bests: dict[str, set[Arguments]] = {best.name: set() for best in system.bests}
        self._asked = 0
        self._late: list[tuple[Neighbourhood, Nook]] = []
        self._unmeasured: frozenset[str] = frozenset()
        self._of_rule: dict[str, list[tuple[Neighbourhood, Beside]]] = {}
        self._find_neighbourhoods(movers)
        while shared := self._measured_by_several():
            self._unmeasured |= shared
            self._find_neighbourhoods(movers)

    def asked(self, rule: Rule, shown: Arguments) -> tuple[Outcome, ...]:
        """The outcomes of a rule.

        Raises:
            Lesson: somebody changes a cell that is taken to be constant.
        """
        found = self._answers(rule, shown)
        if not self._constant.isdisjoint(self._answers.written):
            raise Lesson(Learned(written=frozenset(self._answers.written)))
        return found

    # What there is

    def _find_neighbourhoods(self, movers: Sequence[Rule]) -> None:
        self.neighbourhoods = tuple(
            map(self._neighbourhood, together(self.system, movers, self.learned))
        )
        self._of_rule.clear()
        for at in self.neighbourhoods:
            for beside in at.besides:
                self._of_rule.setdefault(beside.rule.name, []).append((at, beside))

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
            if tally.name in self._unmeasured:
                continue
            if writes & set(names_in(tally)) and self._is_within(tally, names):
                names |= dict.fromkeys(names_in(tally))
                measured[tally.name] = tally
        affected = frozenset(s.name for s in system.summaries if self._summed[s.name] & writes)
        triggers = self.learned.triggering(rule.name for rule in movers)
        at = Neighbourhood(movers, tuple(names), writes, triggers, self.asked, affected, measured)
        at.besides = [beside for rule in system.rules if (beside := self._beside(at, rule))]
        return at

    def _is_within(self, tally: Tally, names: Iterable[str]) -> bool:
        """Whether a tally counts nothing but what is at these places, or never changes."""
        system, constant = self.system, constants(self.system, self.learned)
        places = set(system.sight(tuple(names)).places) | constant
        parts = set(system.sight(tuple(dict.fromkeys(names_in(tally)))).places)
        alone = all(len(system.positions[place]) == 1 for place in parts)
        return not tally.reads and parts <= places and alone

    def _beside(self, at: Neighbourhood, rule: Rule) -> Beside | None:
        """A rule that has to do with a neighbourhood; None if it has not."""
        changed = self.learned.changed_by(mover.name for mover in at.movers)
        sources: list[tuple[int, Any]] = [
            (IN, at.names.index(name)) if name in at.names else (OUT, name) for name in rule.cells
        ]
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
        return Beside(rule, tuple(sources))

    def _measured_by_several(self) -> frozenset[str]:
        """The tallies that are measured in one neighbourhood by who has to do with another, too.

        Of such a rule each neighbourhood is asked about as if alone.
        """
        return frozenset(
            name
            for found in self._of_rule.values()
            if len(found) > 1
            for _, beside in found
            for kind, name in beside.sources
            if kind == MEASURED
        )

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
            for other in self._apart(beside, beside.other(shown)):
                self._add_other(at, beside, other)
        if self._late:
            self._follow()

    def _apart(self, beside: Beside, other: Arguments) -> Iterable[Arguments]:
        """What a rule is shown besides, of a bag only what it looks at: one thing, or nothing."""
        bag = beside.rule.each or beside.rule.onto
        spot = self._spot(beside, bag) if bag else None
        if spot is None:
            return (other,)
        shown = ones(other[spot]) if beside.rule.each else ((),)
        return [(*other[:spot], part, *other[spot + 1 :]) for part in shown]

    def _spot(self, beside: Beside, bag: str) -> int | None:
        """Where a bag is among what a rule is shown besides; None if movers see it."""
        if any(bag in near.names for near in self.neighbourhoods):
            return None
        return [name for kind, name in beside.sources if kind == OUT].index(bag)

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

    def unsettled(self, at: Neighbourhood, nook: Nook) -> Lesson:
        """What makes it possible for movers to act who were not asked: what is new in a nook."""
        names = at.names
        alone = {
            name
            for stood in at.standing
            if len(new := [n for n, a, b in zip(names, stood, nook, strict=True) if a != b]) == 1
            for name in new
        }
        more = (alone or {*names}) - at.triggers
        who = [mover.name for mover in at.movers]
        if not more:
            return no_movers(who, "can act by itself")
        return Lesson(Learned(triggers=frozenset((mover, name) for mover in who for name in more)))

    def _stand(self, at: Neighbourhood, nook: Nook) -> None:
        """A settled nook may be there: so may be whatever would be settled to it."""
        if nook in at.standing:
            return
        at.standing.add(nook)
        for waiting in at.waiting.pop(nook, ()):
            self._pend(at, waiting, nook)
        for near, shared in self._sharing(at):
            for variant in variants(nook, shared, near, tuple(near.settled)):
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
        if len(at.settled) == MOST_PENDING:
            raise no_movers((m.name for m in at.movers), "too much may be pending")
        at.settled[nook] = after
        at.ways.setdefault(nook, set())
        self._late.append((at, nook))
        for near, shared in self._sharing(at):
            for variant in variants(nook, shared, near, tuple(near.settled)):
                self._add(at, variant)
            turned = [(k, i) for i, k in shared]
            for other in (*near.settled,):
                for variant in variants(other, turned, at, (nook,)):
                    self._add(near, variant)
            for other in (*near.standing,):
                for variant in variants(other, turned, at, (nook,)):
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
        """Movers by themselves come to an end, in whatever order they act.

        Raises:
            Lesson: they may not.
        """
        for at in self.neighbourhoods:
            for circle in circles(at.ways):
                guilty = at.settle(min(circle, key=repr))[1]
                raise no_movers(guilty[:1], "may go on for ever")

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
    ) -> tuple[Outcome, ...]:
        self._asked += 1
        if self._asked > MOST_ASKED:
            raise no_movers((m.name for m in at.movers), "too many others have to do with it")
        shown = beside.shown(seen, other)
        try:
            if beside.veiled:
                return tuple(beside.rule.acts(*shown))
            return self.asked(beside.rule, shown)
        except Lesson:
            raise
        except Exception as error:
            # It was asked of what may not come up, or looks at what a mover changes.
            raise self._looked(at, nook, beside) from error

    def _ask(self, at: Neighbourhood, beside: Beside, nook: Nook, other: Arguments) -> None:
        """Each outcome before is one after, and ends alike.

        What is urgent comes before all movers, and never after them: it must do the same then.
        """
        rule, after = beside.rule, at.settled[nook]
        fused = rule in at.movers and len(at.effects(rule, nook)) == 1
        if fused:
            return
        before = self._outcomes(at, beside, beside.seen_of(nook, at), other, nook)
        if not before and not rule.urgent:
            return
        held = dict(zip((name for kind, name in beside.sources if kind == OUT), other, strict=True))
        later = self._outcomes(at, beside, beside.seen_of(after, at), other, nook)
        ends = {self._end(at, after, outcome, held) for outcome in later}
        if rule.urgent and ends != {self._end(at, nook, outcome, held) for outcome in before}:
            raise self._blame(at, nook, rule, ())
        for outcome in before:
            made = at.after(nook, outcome)
            if self._end(at, nook, outcome, held) not in ends:
                raise self._blame(at, nook, rule, (made,))
            if rule.name in self._moving and made != nook:
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

    def _looked(self, at: Neighbourhood, nook: Nook, beside: Beside) -> Lesson:
        """Who is no mover, as a rule looks at what is kept from it."""
        reads, path = set(beside.rule.reads), at.settle(nook)[1]
        movers = (*path, *(mover.name for mover in at.movers))
        guilty = [name for name in movers if self.learned.changed_by([name]) & reads]
        if not beside.veiled or not guilty:
            return self._blame(at, nook, beside.rule, ())
        return no_movers(guilty[:1], f'"{beside.rule.name}" {BETWEEN}')

    def _blame(self, at: Neighbourhood, nook: Nook, rule: Rule, made: Sequence[Nook]) -> Lesson:
        """Who is no mover, as another rule shows."""
        _, path = at.settle(nook)
        alone = [m for m in at.movers if m.name in path and m is not rule]
        guilty = [m.name for m in alone if self._differs(at, nook, m, made)] or path[:1]
        return no_movers(guilty[:1], f'"{rule.name}" {BETWEEN}')

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
                asked = summary.name in at.affected - known
                if asked and self._changes(at, nook, after, summary, known):
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
