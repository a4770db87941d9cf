"""What a system is asked when it is put together: whether it contradicts its own declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Protocol

from .bags import is_bag
from .errors import ModelError


class System(Protocol):
    """What of a `kubelemma.model.system.System` is asked for."""

    families: tuple[Any, ...]
    tallies: tuple[Any, ...]
    bests: tuple[Any, ...]
    rules: tuple[Any, ...]
    urgent: tuple[Any, ...]
    bounds: tuple[Any, ...]
    positions: Mapping[str, range]
    columns: Mapping[str, tuple[str, int]]

    def sight(self, names: tuple[str, ...], /) -> Any:
        """Where to find what is named."""

    def readable(self) -> list[str]:
        """The names of tallies and bests."""


def check_definition(system: System) -> None:
    """Refuse names that are used twice or not declared, and rules that cannot be.

    Raises:
        ModelError: naming the culprit.
    """
    _refuse_twice("tally or best", system.readable())
    _refuse_twice("rule", [rule.name for rule in system.rules])
    _refuse_twice("bound", [bound.name for bound in system.bounds])
    for tally in system.tallies:
        who = f'tally "{tally.name}"'
        _check_parts(system, f"{who} measures", tally.measures)
        _check_bag(system, who, tally.each, chain(*map(_several, tally.measures)))
        _check_reads(system, who, tally.reads)
    for best in system.bests:
        _check_parts(system, f'best "{best.name}" scores', best.scores)
        _check_reads(system, f'best "{best.name}"', best.reads)
    for rule in system.rules:
        _check_rule(system, rule)
    shared = {r.fairness for r in system.urgent} & {
        r.fairness for r in system.rules if not r.urgent
    }
    if shared:
        raise ModelError(f'the task "{min(shared)}" has rules that are urgent and others')


def check_named(system: System, cells: tuple[str, ...], reads: Iterable[str], who: str) -> None:
    """Refuse cells, tallies or bests that do not exist, and one cell twice.

    Raises:
        ModelError: naming ``who`` and the culprit.
    """
    _check_cells(system, f"{who} uses", cells)
    _refuse_twice(f"cell of {who}", cells)
    _check_reads(system, who, reads)


def quoted(names: Iterable[str]) -> str:
    """Names in a message."""
    return ", ".join(f'"{name}"' for name in names)


def _check_rule(system: System, rule: Any) -> None:
    who = f'rule "{rule.name}"'
    check_named(system, rule.cells, rule.reads, who)
    for name in rule.writable:
        if name not in rule.cells:
            raise ModelError(f'{who} is to write "{name}", which it does not see')
    for bag in (rule.each, rule.onto, rule.ranks):
        _check_bag(system, who, bag, rule.cells)
    if rule.urgent and rule.environment:
        raise ModelError(f"{who} is urgent, but the environment may wait")


def _check_bag(system: System, who: str, bag: str, names: Iterable[str]) -> None:
    """Refuse to show a part of what is no bag, or not among the names."""
    if not bag:
        return
    columns = {name: holds for f in system.families for name, holds in f.columns.items()}
    if bag not in names or not is_bag(columns.get(bag)):
        raise ModelError(f'{who} is shown parts of "{bag}", which is no bag that it names')


def _check_parts(system: System, who: str, parts: Iterable[Any]) -> None:
    for names in map(_several, parts):
        _check_cells(system, who, names)
        if len(system.sight(names).places) != 1:
            raise ModelError(f"{who} {quoted(names)} together, which are not of one")


def _check_cells(system: System, who: str, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in system.positions and name not in system.columns:
            raise ModelError(f'{who} the cell "{name}", which is not declared')
        family, column = system.columns.get(name, (name, None))
        if column is not None and family in names:
            raise ModelError(f'{who} "{family}", and its column "{name}"')


def _check_reads(system: System, who: str, names: Iterable[str]) -> None:
    readable = system.readable()
    for name in names:
        if name not in readable:
            raise ModelError(f'{who} reads "{name}", which is no tally or best')


def _several(named: str | tuple[str, ...]) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else named


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ModelError(f'"{name}" is declared twice as {what}')
        seen.add(name)
