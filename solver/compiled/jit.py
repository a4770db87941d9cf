"""The one door to numba, which has no types of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit  # type: ignore[import-untyped]  # numba has no types

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code, compiled when first called and kept on disk."""
    result: Callable[P, R] = njit(cache=True)(function)
    return result
