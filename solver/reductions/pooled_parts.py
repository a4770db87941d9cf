"""Rules, tallies and bests of a system, as they are of the slots of a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from kubelemma.model.bags import ones, size_of
from kubelemma.model.system import Best, Named, Outcome, Rule, Tally, names_of

from .bagged import Bagged, Escaped, Refused, Veil

AS_ONE = ", where all are one"
"""What rules are called that act on slots, after their own name."""


def pooled_rule(bagged: Bagged, rule: Rule) -> Rule:
    """A rule that names columns of the family, of the slots."""
    others = bagged.others(rule.cells)
    part = bagged.bag in (rule.each, rule.onto, rule.ranks)
    may_write = (*((bagged.slots,) if part else ()), *_would_change(bagged, rule, part=part))
    cells = tuple(dict.fromkeys((*others, bagged.pooled, *may_write)))
    writes = (*bagged.others(rule.writable), *may_write)

    def outcomes(*seen: Any) -> Iterator[Outcome]:
        found = dict(zip(others, seen, strict=False))
        pooled, reads = seen[len(others)], seen[len(cells) :]
        slot = seen[len(others) + 1] if part else None
        for member in _members(bagged, rule, pooled, slot):
            shown = (
                found[name] if name in found else bagged.seen(member, name) for name in rule.cells
            )
            for outcome in rule.outcomes(*shown, *reads):
                yield _settled(bagged, rule, outcome, member, part=part)

    return replace(
        rule,
        name=f"{rule.name}{AS_ONE}",
        task=rule.fairness,
        cells=cells,
        writes=writes,
        outcomes=outcomes,
        each="",
        onto="",
        ranks="",
    )


def _would_change(bagged: Bagged, rule: Rule, *, part: bool) -> tuple[str, ...]:
    """What a rule would write that changed more than one thing: whoever sees that has to ask it."""
    every = (bagged.slots,) if bagged.bag in rule.writable and not part else ()
    return (*every, *((bagged.pooled,) if {*rule.writable} & {*bagged.rest} else ()))


def _members(bagged: Bagged, rule: Rule, pooled: Iterable[Any], slot: Any) -> Iterable[Any]:
    """The members that a rule is tried on: that in the slot, or all whose bags it does not see."""
    if slot is None:
        veil = Veil(f'the rule "{rule.name}"')
        return [bagged.holding(member, veil) for member in pooled]
    if rule.onto:
        return () if slot else pooled
    held: tuple[Any, ...] = slot
    return held


def _settled(bagged: Bagged, rule: Rule, outcome: Outcome, member: Any, *, part: bool) -> Outcome:
    """An outcome with what it writes to a member put into the slot."""
    writes = {n: value for n, value in outcome.writes.items() if n not in bagged.columns}
    for name in bagged.own(outcome.writes):
        if name != bagged.bag and outcome.writes[name] != bagged.seen(member, name):
            raise Escaped(f'"{rule.name}" changes "{name}" of one of them')
    if bagged.bag in outcome.writes:
        after = outcome.writes[bagged.bag]
        if not part:
            raise Escaped(f'"{rule.name}" changes all that is on one of them')
        if size_of(after) > 1:
            raise Escaped(f'"{rule.name}" makes several things of one')
        writes[bagged.slots] = (bagged.holding(member, after),) if after else ()
    return outcome._replace(writes=writes)


def kept_rule(bagged: Bagged, rule: Rule) -> Rule:
    """A rule of the members that are kept: who goes first is decided as in slots, by each alone."""
    return replace(rule, each=bagged.bag, ranks="") if rule.ranks == bagged.bag else rule


# Tallies and bests


def pooled_tally(bagged: Bagged, tally: Tally, *, kept: bool) -> Tally:
    """A tally that also counts what is in the slots, and members that are pooled.

    It counts members that are ``kept`` as before, if there are any.

    Raises:
        Refused: it looks at whole members, or at all that is in a bag.
    """
    measures: dict[Named, Callable[..., tuple[int, ...]]] = {}
    added: dict[str, list[Callable[..., list[Any]]]] = {}
    for named, measure in tally.measures.items():
        names = names_of(named)
        if bagged.name in names or (bagged.bag in names and tally.each != bagged.bag):
            raise Refused(f'the tally "{tally.name}" looks at all that is on one of them')
        if kept or not bagged.own(names):
            measures[named] = measure
        if bagged.own(names):
            place = bagged.slots if bagged.bag in names else bagged.pooled
            added.setdefault(place, []).append(_of_members(bagged, names, measure))
    for place, parts in added.items():
        measures[place] = _summing(parts, tally.width)
    each = tally.each if any(tally.each in names_of(named) for named in measures) else ""
    return replace(tally, measures=measures, each=each)


def pooled_best(bagged: Bagged, best: Best, *, kept: bool) -> Best:
    """A best that also looks at what is in the slots, and at members that are pooled.

    Raises:
        Refused: it looks at whole members.
    """
    scores: dict[Named, Callable[..., int | None]] = {}
    added: dict[str, list[Callable[..., list[Any]]]] = {}
    for named, score in best.scores.items():
        names = names_of(named)
        if bagged.name in names:
            raise Refused(f'the best "{best.name}" looks at whole members')
        if bagged.bag in names and kept:
            scores[named] = _of_each(names.index(bagged.bag), score)
        elif kept or not bagged.own(names):
            scores[named] = score
        if bagged.own(names):
            place = bagged.slots if bagged.bag in names else bagged.pooled
            added.setdefault(place, []).append(_of_members(bagged, names, score))
    scores |= {place: _greatest(parts) for place, parts in added.items()}
    return replace(best, scores=scores)


def _of_each(at: int, score: Callable[..., int | None]) -> Callable[..., int | None]:
    """The greatest score of a thing in a bag, each alone; where there are none, that of none."""

    def greatest(*seen: Any) -> int | None:
        alone = [*ones(seen[at])] or [()]
        found = [score(*seen[:at], one, *seen[at + 1 :]) for one in alone]
        return max((each for each in found if each is not None), default=None)

    return greatest


def _of_members(
    bagged: Bagged, names: tuple[str, ...], function: Callable[..., Any]
) -> Callable[..., list[Any]]:
    """What a function says of each member in a slot, or of each that is pooled."""

    def said(members: tuple[Any, ...], *reads: Any) -> list[Any]:
        return [
            function(*(bagged.seen(member, name) for name in names), *reads) for member in members
        ]

    return said


def _summing(parts: list[Callable[..., list[Any]]], width: int) -> Callable[..., tuple[int, ...]]:
    def sum_up(members: tuple[Any, ...], *reads: Any) -> tuple[int, ...]:
        rows = [row for part in parts for row in part(members, *reads)]
        return tuple(map(sum, zip((0,) * width, *rows, strict=True)))

    return sum_up


def _greatest(parts: list[Callable[..., list[Any]]]) -> Callable[..., int | None]:
    def greatest(members: tuple[Any, ...], *reads: Any) -> int | None:
        found = [score for part in parts for score in part(members, *reads)]
        return max((score for score in found if score is not None), default=None)

    return greatest
