"""HTML that cannot be broken by what it shows: text is escaped unless it is `Markup` already."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias


class Markup(str):
    """Text that is HTML; only `element` and `joined` make it from other text."""

    __slots__ = ()


Content: TypeAlias = str | Markup | None
"""What stands in an element: text, HTML, or nothing."""

Value: TypeAlias = str | int | bool | None
"""Of an attribute: True for one without a value, None and False for one that is not there."""

_EMPTY = frozenset({"input", "link", "meta"})


def element(name: str, /, *content: Content, **attributes: Value) -> Markup:
    """An element.

    Args:
        name: of the element.
        content: what stands in it, in order.
        attributes: by name, with ``_`` for ``-``, and one at the end of ``class_`` and the like
            dropped.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


def joined(content: Iterable[Content], between: str = "") -> Markup:
    """Several pieces as one."""
    return Markup(between.join(_escaped(piece) for piece in content if piece is not None))


def _escaped(piece: str) -> str:
    return piece if isinstance(piece, Markup) else html.escape(piece)


def _attribute(key: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'
