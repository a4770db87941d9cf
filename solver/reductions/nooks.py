"""What may be a mover, and where: neighbourhoods of movers, and what has to do with them.

What is at the places of movers that see the same is a *nook*; it is *pending* as long as one of its
movers can act, and *settled* after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.dependence import names_in
from kubelemma.model.system import Arguments, Outcome, Rule, System, Tally, names_of, reduced

from .bagged import Veil

Nook: TypeAlias = tuple[Any, ...]
"""What is at the names of a neighbourhood."""


MOST_STEPS = 1_000
"""After so many steps in turn movers are taken to go on for ever."""


class Learned(NamedTuple):
    """Which rules are no movers, and why, and what else is not as it is taken to be at first.

    ``changed`` has which movers change which tallies or bests, ``written`` the cells that somebody
    changes, ``triggers`` which names make it possible for which mover to act.
    """

    refused: frozenset[tuple[str, str]] = frozenset()
    changed: frozenset[tuple[str, str]] = frozenset()
    written: frozenset[str] = frozenset()
    triggers: frozenset[tuple[str, str]] = frozenset()

    def with_more(self, other: Learned) -> Learned:
        """What is known with what another one knows."""
        return Learned(
            self.refused | other.refused,
            self.changed | other.changed,
            self.written | other.written,
            self.triggers | other.triggers,
        )

    def changed_by(self, rules: Iterable[str]) -> frozenset[str]:
        """The tallies and bests that any of these rules changes."""
        names = set(rules)
        return frozenset(summary for rule, summary in self.changed if rule in names)

    def without_refusals(self, rules: Iterable[str]) -> Learned:
        """What is known but that these rules are no movers."""
        names = set(rules)
        left = frozenset((rule, why) for rule, why in self.refused if rule not in names)
        return self._replace(refused=left)

    def triggering(self, rules: Iterable[str]) -> frozenset[str]:
        """The names that make it possible for any of these rules to act."""
        names = set(rules)
        return frozenset(name for rule, name in self.triggers if rule in names)


class Lesson(Exception):
    """What was taken to be so is not: what is to be learned."""

    def __init__(self, learned: Learned) -> None:
        super().__init__()
        self.learned = learned


BETWEEN = "may come in between"
"""Why most rules are no movers; some are where others are none."""


def no_movers(rules: Iterable[str], why: str) -> Lesson:
    """These rules are no movers."""
    return Lesson(Learned(refused=frozenset((name, why) for name in rules)))


# Who may be one


def candidates(system: System, learned: Learned) -> tuple[Rule, ...]:
    """The rules that may be movers as far as what they declare goes."""
    whole = _named_as_a_whole(system)
    constant = constants(system, learned)
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


def constants(system: System, learned: Learned) -> frozenset[str]:
    """The cells that nobody is known to write."""
    return frozenset(cell.name for cell in system.cells if cell.name not in learned.written)


class Asked:
    """The rules of a system, asked once for whatever they are shown.

    ``written`` are the cells that they changed. Whenever something is learned all is asked anew, so
    what was answered is kept.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.written: set[str] = set()
        self._cells = {cell.name for cell in system.cells}
        self._acts = {rule.name: rule.acts for rule in system.rules}
        self._known: dict[str, dict[Arguments, tuple[Outcome, ...]]] = {n: {} for n in self._acts}

    def __call__(self, rule: Rule, shown: Arguments) -> tuple[Outcome, ...]:
        """The outcomes of a rule."""
        known = self._known[rule.name]
        found = known.get(shown)
        if found is None:
            found = known[shown] = tuple(self._acts[rule.name](*shown))
            held = dict(zip(rule.cells, shown, strict=False))
            for outcome in found:
                self.written |= {
                    name
                    for name, value in outcome.writes.items()
                    if name in self._cells and held[name] != value
                }
        return found


# Neighbourhoods


@dataclass(slots=True)
class Neighbourhood:
    """Movers that share places, and what is known of what may be there.

    ``writes`` are the names that they may write, ``names`` those that make up a nook. Of the nooks
    that may come up ``settled`` has those that are pending, each with what it is settled to, and
    ``standing`` the others; ``waiting`` are nooks that may be pending once what they are settled to
    may be there. ``ways`` has for each pending nook what movers may turn it into. Whatever is
    written but ``triggers`` makes it possible for none of its movers to act.
    """

    movers: tuple[Rule, ...]
    names: tuple[str, ...]
    writes: frozenset[str]
    triggers: frozenset[str]
    asked: Callable[[Rule, Arguments], tuple[Outcome, ...]]
    affected: frozenset[str] = frozenset()
    measured: dict[str, Tally] = field(default_factory=dict)
    besides: list[Beside] = field(default_factory=list)
    settled: dict[Nook, Nook] = field(default_factory=dict)
    ways: dict[Nook, set[Nook]] = field(default_factory=dict)
    standing: set[Nook] = field(default_factory=set)
    waiting: dict[Nook, dict[Nook, None]] = field(default_factory=dict)
    _paths: dict[Nook, tuple[Nook, list[str]]] = field(default_factory=dict)
    _effects: dict[tuple[str, Nook], list[tuple[str, Any, Nook]]] = field(default_factory=dict)

    def effects(self, rule: Rule, nook: Nook) -> list[tuple[str, Any, Nook]]:
        """What a mover may do, and what that makes of a nook; each once."""
        key = (rule.name, nook)
        if key not in self._effects:
            held = dict(zip(self.names, nook, strict=True))
            try:
                outcomes = self.asked(rule, tuple([held[name] for name in rule.cells]))
            except Lesson:
                raise
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
        if movers is None and nook in self._paths:
            return self._paths[nook]
        begin, passed, path = nook, {nook: 0}, list[str]()
        while True:
            for rule in self.movers if movers is None else movers:
                found = self.effects(rule, nook)
                if len(found) == 1:
                    nook = found[0][2]
                    path.append(rule.name)
                    break
            else:
                if movers is None:
                    self._paths[begin] = nook, path
                return nook, path
            if nook in passed or len(path) > MOST_STEPS:
                raise no_movers(path[passed.get(nook, 0) :], "goes round and round")
            passed[nook] = len(path)

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

    def shown(self, seen: Arguments, other: Arguments) -> Arguments:
        """All that it is shown."""
        mine, rest = iter(seen), iter(other)
        return tuple(
            [
                Veil(where) if kind == VEILED else next(rest if kind == OUT else mine)
                for kind, where in self.sources
            ]
        )

    @property
    def veiled(self) -> bool:
        """Whether something is kept from it."""
        return any(kind == VEILED for kind, _ in self.sources)


def together(system: System, movers: Sequence[Rule], learned: Learned) -> list[tuple[Rule, ...]]:
    """The movers in groups that see the same places, but for those that never change."""
    constant = constants(system, learned)
    groups: dict[frozenset[str], list[Rule]] = {}
    for rule in movers:
        places = frozenset(system.sight(rule.cells).places) - constant
        groups.setdefault(places, []).append(rule)
    return [tuple(rules) for rules in groups.values()]


def variants(
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


def circles(ways: Mapping[Nook, set[Nook]]) -> Iterator[set[Nook]]:
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
