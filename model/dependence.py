"""What depends on what: by declaration, and by the answers that are known.

Names here are those of cells, and of the columns of families (of a family itself where it has
none). What a rule sees and may write is declared; a tally or best that it reads depends on all that
its own parts look at. Two rules commute by declaration if neither may write what the other sees:
then they lead to the same states in either order. (A bound may still keep a search from one of the
two.)

A declaration says what a function is shown, not what it makes of that. The *support* of a rule is
what its answers are known to depend on, down to the paths of codecs: it can only grow with the
answers that are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

from .system import Arguments, Best, Outcome, Rule, State, System, Tally, names_of

Names: TypeAlias = frozenset[str]

Table: TypeAlias = Mapping[Arguments, tuple[Outcome, ...]]
"""What a rule answers, by all that it is shown: what it names, then what it reads."""


class Entry(NamedTuple):
    """What a rule is shown, by path, and what can be done about it."""

    shown: Mapping[str, Any]
    answer: Any


class Footprint(NamedTuple):
    """What a rule sees, tallies and bests included, and what it may write."""

    sees: Names
    writes: Names

    def commutes_with(self, other: Footprint) -> bool:
        """Whether neither may write what the other sees or writes."""
        mine, others = self.sees | self.writes, other.sees | other.writes
        return self.writes.isdisjoint(others) and other.writes.isdisjoint(mine)


# By declaration


def columns_of(system: System, names: Iterable[str]) -> Names:
    """The cells and columns behind names: of a family all of its columns, if it has any."""
    columns = {family.name: frozenset(family.columns) for family in system.families}
    return frozenset().union(*(columns.get(name) or {name} for name in names))


def paths_of(system: System, name: str) -> tuple[str, ...]:
    """All paths within what is named; ``[*]`` stands for whatever place."""
    return tuple(_below(name, path) for path in system.codecs[name].paths)


def summed_by(system: System) -> Mapping[str, Names]:
    """What each tally or best depends on, by way of others, too."""
    found: dict[str, Names] = {}
    for summary in system.summaries:
        parts = names_in(summary)
        found[summary.name] = columns_of(system, parts).union(*(found[r] for r in summary.reads))
    return found


def names_in(summary: Tally | Best) -> tuple[str, ...]:
    """All that the parts of a tally or best look at."""
    parts = summary.scores if isinstance(summary, Best) else summary.measures
    return tuple(name for named in parts for name in names_of(named))


def footprints(system: System) -> Mapping[str, Footprint]:
    """What each rule sees and may write, by its name."""
    summed = summed_by(system)
    return {
        rule.name: Footprint(
            columns_of(system, rule.cells).union(*(summed[name] for name in rule.reads)),
            columns_of(system, rule.writable),
        )
        for rule in system.rules
    }


def commuting(system: System) -> frozenset[tuple[str, str]]:
    """The pairs of rules that commute by declaration, each pair in the order of the system.

    Where urgent rules can act all others wait; so rules that are not urgent commute only if they
    write nothing that an urgent one sees.
    """
    found = footprints(system)
    watched = frozenset().union(*(found[rule.name].sees for rule in system.urgent))

    def may_swap(one: Rule, other: Rule) -> bool:
        mine, others = found[one.name], found[other.name]
        if not mine.commutes_with(others):
            return False
        if one.urgent and other.urgent:
            return True
        return watched.isdisjoint(mine.writes | others.writes)

    pairs = combinations(system.rules, 2)
    return frozenset((one.name, other.name) for one, other in pairs if may_swap(one, other))


# By answers


def answers_in(system: System, rule: Rule, states: Iterable[State]) -> Table:
    """What a rule answers in these states, one entry for each combination that it is shown."""
    table: dict[Arguments, tuple[Outcome, ...]] = {}
    for state in states:
        summary = system.summary(state)
        for seen in system.look_at(rule.cells, state):
            arguments = (*seen, *(summary[name] for name in rule.reads))
            if arguments not in table:
                table[arguments] = tuple(rule.acts(*arguments))
    return table


def support(system: System, rule: Rule, table: Table) -> Names:
    """The paths of which one alone makes a difference between two entries of the table.

    Two entries differ in what can be done, or in what that changes. If there are more or fewer of
    something, only ``len`` of it differs; likewise where there is something or nothing. What is
    read is one path, by its name.
    """
    entries = [
        Entry(dict(_shown(system, rule, arguments)), _effects(system, rule, arguments, outcomes))
        for arguments, outcomes in table.items()
    ]
    paths = dict.fromkeys(path for entry in entries for path in entry.shown)
    return frozenset(path for path in paths if _matters(path, entries))


def _matters(path: str, entries: list[Entry]) -> bool:
    """Whether entries that differ by this path alone have different answers."""
    alike: defaultdict[Any, list[Entry]] = defaultdict(list)
    for entry in entries:
        if path in entry.shown:
            rest = ((p, n) for p, n in entry.shown.items() if not _follows(p, path))
            alike[frozenset(rest)].append(entry)
    return any(
        one.answer != other.answer and _agree(one.shown, other.shown, path)
        for found in alike.values()
        if len({entry.answer for entry in found}) > 1
        for one, other in combinations(found, 2)
    )


def _agree(one: Mapping[str, Any], other: Mapping[str, Any], path: str) -> bool:
    """Whether they differ there, and what both have besides is the same."""
    common = one.keys() & other.keys() - {path}
    return one[path] != other[path] and all(one[p] == other[p] for p in common)


def _follows(path: str, changed: str) -> bool:
    """Whether a path is the changed one, or may be there only by what that says."""
    if path == changed:
        return True
    below = path.removeprefix("len(")
    if changed.startswith("len("):
        return below.startswith(f"{_inner(changed)}[")
    top = changed.removesuffix("?")
    return top != changed and below.startswith((f"{top}.", f"{top}[", f"{top})", f"{top}?"))


def _inner(path: str) -> str:
    """Of what a path says how many there are."""
    return path.removeprefix("len(").removesuffix(")")


def _shown(system: System, rule: Rule, arguments: Arguments) -> Iterator[tuple[str, Any]]:
    """What a rule is shown, by path."""
    for name, value in zip((*rule.cells, *rule.reads), arguments, strict=True):
        yield from _parts(system, name, value)


def _parts(system: System, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if name not in system.codecs:
        return iter([(name, value)])
    return ((_below(name, path), number) for path, number in system.codecs[name].parts(value))


def _effects(system: System, rule: Rule, before: Arguments, outcomes: tuple[Outcome, ...]) -> Any:
    """What can be done, and what that changes."""
    held = dict(zip(rule.cells, before, strict=False))
    return tuple(
        (
            outcome.action,
            outcome.arguments,
            frozenset(
                part
                for name, value in outcome.writes.items()
                for part in set(_parts(system, name, value)) - set(_parts(system, name, held[name]))
            ),
        )
        for outcome in outcomes
    )


def _below(name: str, path: str) -> str:
    """A path within what is named."""
    if not path:
        return name
    if path.startswith("len("):
        return f"len({_below(name, _inner(path))})"
    return f"{name}{path}" if path[0] in "[?" else f"{name}.{path}"
