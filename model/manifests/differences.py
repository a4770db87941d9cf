"""What is another value in two objects, and how that is told in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from kubelemma.model.findings import FieldPath, show

MOST_TOLD = 3
"""So many differences of an object are told, and then how many more there are."""

TEMPLATE: FieldPath = ("spec", "template")
_OF_PODS: FieldPath = (*TEMPLATE, "spec")
_SPEC: FieldPath = ("spec",)

Scalar = str | int | float | bool | None


class Difference(NamedTuple):
    """A field with its values before and after, as plain data; None where there is none.

    Of one that is not ``read`` no value is told, as it may be a secret.
    """

    path: FieldPath
    before: Any
    after: Any
    read: bool = True

    @property
    def of_template(self) -> bool:
        """Whether it is about the pods that are to be made."""
        return self.path[:2] == TEMPLATE

    def __str__(self) -> str:
        return f"{show(_shortened(self.path))} {self._how()}"

    def _how(self) -> str:
        nothing = [value in _NOTHING for value in (self.before, self.after)]
        if self.read and all(isinstance(value, Scalar) for value in (self.before, self.after)):
            return f"{_scalar(self.before)}→{_scalar(self.after)}"
        if any(nothing):
            return "added" if nothing[0] else "removed"
        if _both(self.before, self.after) and len(self.before) != len(self.after):
            return f"{len(self.before)}→{len(self.after)} items"
        return "changed"


_NOTHING: tuple[Any, ...] = (None, "", [], (), {})


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value in _NOTHING else str(value)


def _shortened(path: FieldPath) -> FieldPath:
    """A path as people say it, who know where it is."""
    for known in (_OF_PODS, TEMPLATE, _SPEC):
        if path[: len(known)] == known and len(path) > len(known):
            return path[len(known) :]
    return path


def told(differences: Iterable[Difference]) -> str:
    """All of an object in a few words: its own fields first, then those of its template."""
    found = tuple(differences)
    own = [each for each in found if not each.of_template]
    template = [each for each in found if each.of_template]
    shown = (*own, *template)[:MOST_TOLD]
    parts = [
        ", ".join(str(each) for each in shown if not each.of_template),
        _named(", ".join(str(each) for each in shown if each.of_template)),
    ]
    more = len(found) - len(shown)
    text = ", ".join(filter(None, parts))
    return f"{text} and {more} more" if more else text


def _named(text: str) -> str:
    return f"template: {text}" if text else ""


def differing(
    old: Any, new: Any, path: FieldPath = (), *, read: bool = True
) -> Iterator[Difference]:
    """The innermost fields of plain data that are another value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from differing(old.get(key), new.get(key), (*path, key), read=read)
    elif _both(old, new) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differing(one, other, (*path, index), read=read)
    elif old != new:
        yield Difference(path, old, new, read)


def _both(old: Any, new: Any) -> bool:
    return all(isinstance(value, list | tuple) for value in (old, new))


def beside(others: Iterable[Difference], known: Sequence[Difference]) -> Iterator[Difference]:
    """Those that are about nothing that is known to differ."""
    for each in others:
        if not any(_touch(each.path, other.path) for other in known):
            yield each


def _touch(one: FieldPath, other: FieldPath) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]
