"""To whom to say what is worth knowing about files that are read and written on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


def _silent(_sentence: str) -> None:
    """Nobody listens."""


class Saying(NamedTuple):
    """``warn`` is told what somebody should know, ``detail`` what only who asks for more wants."""

    warn: Callable[[str], None] = _silent
    detail: Callable[[str], None] = _silent
