"""What stands for a system: a smaller one, and what that makes of states of the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from kubelemma.model.system import State, System


class Smaller(Protocol):
    """A system that stands for a whole one.

    ``origin`` has for each of its rules the rule of the whole system that it stems from.
    """

    @property
    def whole(self) -> System:
        """The system that it stands for."""

    @property
    def system(self) -> System:
        """The smaller one."""

    @property
    def origin(self) -> Mapping[str, str]:
        """The rules of the whole system, by those of the smaller one."""

    def images(self, state: State) -> Iterator[tuple[tuple[int, ...], State]]:
        """What it makes of a state of the whole system, for each choice of what is kept."""

    def image(self, state: State, kept: tuple[int, ...]) -> State:
        """What it makes of a state with that choice; canonical."""
