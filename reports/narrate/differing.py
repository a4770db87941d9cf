"""Fields of objects that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubelemma.reports.story import Change

NONE = "<none>"


def flag(value: object) -> str:
    """Something that is set or not, as YAML has it."""
    return "true" if value else "false"


def differing(name: str, fields: Iterable[tuple[str, object, object]]) -> Iterator[Change]:
    """The fields of an object, each with its values before and after, that have changed."""
    for field, before, after in fields:
        if before != after:
            yield Change(name, field, str(before), str(after))
