"""What a controller forgets when its process restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.system import Value


class Loss(NamedTuple):
    """One way to forget: what is written, why, and the arguments of the step."""

    writes: Mapping[str, Any]
    why: str
    arguments: tuple[tuple[str, Value], ...] = ()


NOTHING_IN_HAND = "it had nothing in hand"
"""Why nothing is lost."""

Lose: TypeAlias = Callable[..., Iterator[Loss]]
"""Of the values of cells, and of what is read: how they may be afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Something that one controller knows and that is in no API.

    Attributes:
        what: it, in a few words.
        actor: the controller.
        cells: where it is.
        lose: what becomes of these cells; nothing as long as ``before`` is not done. It is done
            with whatever it gives.
        reads: the tallies that ``lose`` takes as well.
        before: what goes first, a step at a time, as long as it gives anything: of nodes, say, of
            which a rule sees one.
    """

    what: str
    actor: str
    cells: tuple[str, ...]
    lose: Lose
    reads: tuple[str, ...] = ()
    before: tuple[Forgetting, ...] = ()
